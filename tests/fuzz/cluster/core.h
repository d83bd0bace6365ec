/**
 * A gossip core that fuzz targets feed: named "alpha", with two members that it knows, and drained
 * after each input.
 */
#ifndef TESTS_FUZZ_CLUSTER_CORE_H
#define TESTS_FUZZ_CLUSTER_CORE_H

#include <stdlib.h>

#include "cluster/gossip.h"
#include "cluster/wire.h"

struct fuzz_core {
	struct gossip *g;
	struct rng rng;
	struct mono now;
};

static inline void fuzz_core_drain(struct fuzz_core *c)
{
	struct gossip_out out;

	while (gossip_next(c->g, &out)) {
		if (out.type == GOSSIP_OUT_PACKET && out.bytes.left > 1400)
			abort();
	}
}

static inline void fuzz_core_meet(struct fuzz_core *c, const char *name, uint8_t last)
{
	uint8_t room[256];
	struct wr w = wr_to(room, sizeof(room));
	struct addr at = addr_v4(10, 99, 0, last);
	struct wire_node node = {
		.incarnation = 1,
		.addr = at,
		.port = GOSSIP_PORT,
		.vsn = { 1, 5, 2 },
		.has_vsn = true,
	};

	for (size_t i = 0; name[i]; i++)
		node.name[i] = name[i];
	wr_u8(&w, WIRE_ALIVE);
	wire_alive_encode(&w, &node);
	gossip_packet(c->g, &at, GOSSIP_PORT, rd_from(w.p, w.len), c->now);
}

static inline void fuzz_core_init(struct fuzz_core *c)
{
	struct gossip_conf conf = {
		.name = "alpha",
		.addr = addr_v4(10, 99, 0, 1),
		.port = GOSSIP_PORT,
		.timing = gossip_lan,
		.rng = &c->rng,
	};

	*c = (struct fuzz_core){ .now = { 1 } };
	rng_seed(&c->rng, 1);
	c->g = gossip_new(&conf, c->now);
	fuzz_core_meet(c, "beta", 2);
	fuzz_core_meet(c, "gamma", 3);
	fuzz_core_drain(c);
}

/** Let some time pass: whatever was taken in has its consequences. */
static inline void fuzz_core_wait(struct fuzz_core *c, int64_t seconds)
{
	struct mono end = mono_add(c->now, DUR_S(seconds));

	while (mono_before(c->now, end)) {
		struct mono at = gossip_deadline(c->g);

		if (mono_before(c->now, at))
			c->now = mono_min(at, end);
		gossip_tick(c->g, c->now);
		fuzz_core_drain(c);
	}
}

#endif
