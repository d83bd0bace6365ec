/*
 * A stream in pieces. The first byte chooses side, label, key and the size of the pieces; what
 * comes out whole goes into a core, as a request or as an answer.
 */
#include "fuzz.h"

#include "cluster/pack.h"
#include "core.h"

static void take_whole(enum pack_side side, struct rd message)
{
	struct gossip_endpoint beta = { addr_v4(10, 99, 0, 2), GOSSIP_PORT };
	struct gossip_out out;
	struct fuzz_core c;

	fuzz_core_init(&c);
	if (side == PACK_ACCEPTOR) {
		gossip_stream_request(c.g, 1, message, c.now);
	} else {
		gossip_sync(c.g, "beta", NULL);
		while (gossip_next(c.g, &out) && out.type != GOSSIP_OUT_DIAL)
			;
		if (!addr_eq(&out.addr, &beta.addr))
			__builtin_trap();
		gossip_stream_answer(c.g, out.stream, message, c.now);
	}
	fuzz_core_drain(&c);
	fuzz_core_wait(&c, 10);
	gossip_free(c.g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_from(data, size);
	uint8_t choice = rd_u8(&r);
	enum pack_side side = choice & 1 ? PACK_ACCEPTOR : PACK_DIALLER;
	struct crypt_ring ring = { .n = choice & 2 ? 1 : 0, .keys = { { .len = 16 } } };
	struct pack_conf conf = {
		.ring = &ring,
		.label = choice & 4 ? "l2" : NULL,
		.crypt_version = 1,
		.accept_plain = choice & 8,
	};
	size_t piece = 1 + (choice >> 4) * 16;
	enum pack_progress p = PACK_MORE;
	enum pack_refusal why;
	struct pack_stream s;
	struct rd message;

	pack_stream_init(&s, &conf, side);
	while (p == PACK_MORE && r.left) {
		size_t n = MIN(piece, r.left);

		p = pack_stream_feed(&s, rd_bytes(&r, n), n, &message, &why);
	}
	if (p == PACK_WHOLE)
		take_whole(side, message);
	pack_stream_fini(&s);
	return 0;
}

FUZZ_MAIN;
