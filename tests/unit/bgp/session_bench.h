/**
 * What the tests of the session share: one session on a bench, what it asked for, and the messages of its peer.
 */
#ifndef TESTS_BGP_SESSION_BENCH_H
#define TESTS_BGP_SESSION_BENCH_H

#include "bgp/session.h"

#include "bgp_test.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "
#define OPEN   MARKER "002d 01 04 fc01 005a 0a000001 10 02 0e 0104 0001 00 01 0200 4104 0000fc01"
#define ALIVE  MARKER "0013 04"

/* One session, and everything that it asked for since the last look. */
struct bench {
	struct bgp_session s;
	struct mono now;
	int connects;
	int closes;
	int notes_in;
	int notes_out;
	uint8_t refresh;
	uint8_t sent[4096];
	size_t sent_len;
};

static const struct bgp_session_conf conf = {
	.local_as = 64512,
	.peer_as = 64513,
	.hold_s = 90,
	.families = BGP_V4,
};

static inline void look(struct bench *b)
{
	struct bgp_out out;

	while (bgp_session_next(&b->s, &out)) {
		b->connects += out.type == BGP_OUT_CONNECT;
		b->closes += out.type == BGP_OUT_CLOSE;
		b->notes_in += out.type == BGP_OUT_NOTE && !out.note_sent;
		b->notes_out += out.type == BGP_OUT_NOTE && out.note_sent;
		if (out.type == BGP_OUT_REFRESH)
			b->refresh |= out.families;
		if (out.type != BGP_OUT_SEND)
			continue;
		memcpy(b->sent + b->sent_len, out.bytes, out.len);
		b->sent_len += out.len;
	}
}

static inline void forget(struct bench *b)
{
	b->connects = b->closes = b->notes_in = b->notes_out = 0;
	b->refresh = 0;
	b->sent_len = 0;
}

static inline size_t hear(struct bench *b, const char *hex)
{
	uint8_t wire[4096];
	size_t len = unhex(hex, wire, sizeof(wire));
	size_t used = bgp_session_input(&b->s, b->s.lead, rd_from(wire, len), b->now);

	look(b);
	return used;
}

static inline void pass(struct bench *b, struct dur d)
{
	struct mono until = mono_add(b->now, d);

	while (!mono_before(until, bgp_session_deadline(&b->s))) {
		b->now = bgp_session_deadline(&b->s);
		bgp_session_tick(&b->s, b->now);
		look(b);
	}
	b->now = until;
}

/* Bring a fresh session to a state by the shortest way. */
static inline void bring_to(struct bench *b, const struct bgp_session_conf *c, enum bgp_state state)
{
	*b = (struct bench){ .now = { 1000000000 } };
	bgp_session_init(&b->s, c, 42, b->now);
	if (state >= BGP_CONNECT)
		bgp_session_start(&b->s, b->now);
	if (state == BGP_ACTIVE)
		bgp_session_failed(&b->s, "refused", b->now);
	if (state >= BGP_OPEN_SENT)
		bgp_session_connected(&b->s, 0x0a000005, b->now);
	look(b);
	if (state >= BGP_OPEN_CONFIRM)
		hear(b, OPEN);
	if (state >= BGP_ESTABLISHED)
		hear(b, ALIVE);
	assert_int_equal(b->s.state, state);
	forget(b);
}

static inline void hear_on(struct bench *b, enum bgp_leg_id leg, const char *hex)
{
	uint8_t wire[256];
	size_t len = unhex(hex, wire, sizeof(wire));

	(void)!bgp_session_input(&b->s, leg, rd_from(wire, len), b->now);
	look(b);
}

#endif
