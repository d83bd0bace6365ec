/* Whatever is heard on a link of an unnumbered peer, from whomever and whenever. */
#include "bgp/discover.h"
#include "fuzz.h"

#include <assert.h>

static void send_all(const struct discover *d, unsigned send)
{
	assert(send & DISCOVER_SEND_ADVERT);
	for (unsigned kind = 1; kind < 1U << DISCOVER_KINDS; kind <<= 1) {
		uint8_t wire[DISCOVER_WIRE_MAX];
		struct wr w = wr_to(wire, sizeof(wire));

		if (send & kind)
			discover_encode(d, kind, &w);
		assert(!w.bad);
	}
}

static void pass(struct discover *d, struct mono now)
{
	unsigned send;

	while (!mono_before(now, d->at)) {
		struct mono at = d->at;

		(void)discover_tick(d, at, &send);
		send_all(d, send);
		assert(mono_before(at, d->at));
		assert(mono_sub(d->at, at).ns <= DUR_S(10).ns);
	}
}

static struct addr source(uint8_t byte)
{
	struct addr a = { .family = byte & 0x80 ? FAMILY_V4 : FAMILY_V6, .b = { 0xfe, 0x80 } };

	a.b[15] = byte & 0x3f;
	if (byte & 0x40) /* not of the link alone */
		a.b[0] = 0x20;
	return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_from(data, size);
	struct mono now = { DUR_S(1).ns };
	struct discover d;

	discover_init(&d, rd_u16(&r), now);
	while (r.left > 0) {
		now = mono_add(now, DUR_MS(100 * (int64_t)rd_u8(&r)));
		pass(&d, now);
		struct addr from = source(rd_u8(&r));
		uint8_t hops = rd_u8(&r);
		struct rd msg = rd_sub(&r, rd_u8(&r) & 0x1f);

		if (hops == 0)
			discover_doubt(&d, now);
		else
			(void)discover_input(&d, &from, hops, msg, now);
		assert(!addr_is_set(&d.peer) ||
		       (d.peer.family == FAMILY_V6 && addr_is_link_local(&d.peer)));
		assert(discover_trouble(&d));
	}
	return 0;
}

FUZZ_MAIN;
