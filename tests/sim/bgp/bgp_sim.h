/**
 * Two sessions, each of which may connect to the other, and the network between them in simulated time. Bytes of one
 * direction arrive in order after a random delay and in random pieces.
 */
#ifndef TESTS_BGP_SIM_H
#define TESTS_BGP_SIM_H

#include "base/buf.h"
#include "bgp/session.h"

/** One end of a connection: what comes to it over the wire, and what it has of that. */
struct sim_end {
	bool connected;
	struct buf rx;	  /* arrived, not used up */
	struct buf bytes; /* on the wire; arrives whole, in order, at due */
	struct mono due;
	bool ended; /* the other end closed; told after the bytes */
};

/** Connection i is the one that side i opened. */
struct sim {
	struct rng rng;
	struct mono now;
	struct bgp_session s[2];
	struct sim_end end[2][2];  /* [connection][side] */
	struct mono connect_at[2]; /* an attempt is under way */
	bool deaf[2];		   /* this side hears nothing, and the other does not learn of it */
	bool refuse;		   /* connects are refused */
	bool black_hole;	   /* connects are not answered */
};

static inline void sim_drain(struct sim *sim, int me);

static inline enum bgp_leg_id sim_leg(int conn, int me)
{
	return conn == me ? BGP_OURS : BGP_THEIRS;
}

static inline int sim_conn(enum bgp_leg_id leg, int me)
{
	return leg == BGP_OURS ? me : !me;
}

/** @both: each side connects and accepts; else only the first one connects. */
static inline void sim_init(struct sim *sim, uint64_t seed, bool both)
{
	struct bgp_session_conf confs[2] = {
		{ .local_as = 64512, .peer_as = 64513, .hold_s = 90, .families = BGP_V4 },
		{ .local_as = 64513, .peer_as = 64512, .hold_s = 90, .families = BGP_V4 },
	};

	*sim = (struct sim){ .now = { 1 } };
	rng_seed(&sim->rng, seed);
	confs[0].accepts = both;
	confs[1].accepts = both;
	confs[1].passive = !both;
	for (int i = 0; i < 2; i++) {
		bgp_session_init(&sim->s[i], &confs[i], rng_u64(&sim->rng), sim->now);
		sim->connect_at[i] = MONO_NEVER;
		sim->end[i][0].due = sim->end[i][1].due = MONO_NEVER;
	}
}

static inline void sim_fini(struct sim *sim)
{
	for (int i = 0; i < 4; i++) {
		buf_fini(&sim->end[i / 2][i % 2].rx);
		buf_fini(&sim->end[i / 2][i % 2].bytes);
	}
}

static inline void sim_start(struct sim *sim)
{
	for (int i = 0; i < 2; i++) {
		bgp_session_start(&sim->s[i], sim->now);
		sim_drain(sim, i);
	}
}

static inline bool sim_is_up(const struct sim *sim)
{
	return sim->s[0].state == BGP_ESTABLISHED && sim->s[1].state == BGP_ESTABLISHED;
}

/** Both sides stand on the same connection, and there is no other. */
static inline bool sim_agrees(const struct sim *sim)
{
	int conn = sim_conn(sim->s[0].lead, 0);

	return conn == sim_conn(sim->s[1].lead, 1) && !sim->end[!conn][0].connected &&
	       !sim->end[!conn][1].connected;
}

static inline struct dur sim_delay(struct sim *sim)
{
	return DUR_US(50 + (int64_t)rng_below(&sim->rng, 5000));
}

static inline void sim_end(struct sim *sim, int conn, int to)
{
	struct sim_end *e = &sim->end[conn][to];

	e->ended = true;
	if (mono_is_never(e->due))
		e->due = mono_add(sim->now, sim_delay(sim));
}

static inline void sim_transmit(struct sim *sim, int conn, int to, const uint8_t *bytes, size_t len)
{
	struct sim_end *e = &sim->end[conn][to];

	if (sim->deaf[to])
		return;
	if (!e->connected) { /* its kernel answers with a reset */
		if (!sim->deaf[!to])
			sim_end(sim, conn, !to);
		return;
	}
	buf_append(&e->bytes, bytes, len);
	if (mono_is_never(e->due))
		e->due = mono_add(sim->now, sim_delay(sim));
}

/* Our end goes away; the other side hears of it after what we wrote. */
static inline void sim_close(struct sim *sim, int conn, int me)
{
	struct sim_end *e = &sim->end[conn][me];

	if (!e->connected)
		return;
	e->connected = false;
	buf_clear(&e->rx);
	buf_clear(&e->bytes);
	e->due = MONO_NEVER;
	e->ended = false;
	if (!sim->deaf[!me] && sim->end[conn][!me].connected)
		sim_end(sim, conn, !me);
}

static inline void sim_drain(struct sim *sim, int me)
{
	struct bgp_out out;

	while (bgp_session_next(&sim->s[me], &out)) {
		int conn = sim_conn(out.leg, me);

		if (out.type == BGP_OUT_SEND && sim->end[conn][me].connected)
			sim_transmit(sim, conn, !me, out.bytes, out.len);
		if (out.type == BGP_OUT_CLOSE) {
			if (out.leg == BGP_OURS)
				sim->connect_at[me] = MONO_NEVER;
			sim_close(sim, conn, me);
		}
		if (out.type == BGP_OUT_CONNECT)
			sim->connect_at[me] = mono_add(sim->now, sim_delay(sim));
	}
}

static inline void sim_lose(struct sim *sim, int conn, int me, const char *why)
{
	sim_close(sim, conn, me);
	bgp_session_closed(&sim->s[me], sim_leg(conn, me), why, sim->now);
	sim_drain(sim, me);
}

/** The connections break, and both sides learn of it at once. */
static inline void sim_cut(struct sim *sim)
{
	for (int i = 0; i < 4; i++)
		if (sim->end[i / 2][i % 2].connected)
			sim_lose(sim, i / 2, i % 2, "cut");
}

/** One side starts anew with nothing in its memory; its kernel resets the connections. */
static inline void sim_crash(struct sim *sim, int me)
{
	struct bgp_session_conf conf = sim->s[me].conf;

	sim_close(sim, 0, me);
	sim_close(sim, 1, me);
	sim->connect_at[me] = MONO_NEVER;
	bgp_session_init(&sim->s[me], &conf, rng_u64(&sim->rng), sim->now);
	bgp_session_start(&sim->s[me], sim->now);
	sim_drain(sim, me);
}

/** A byte on its way is not what was sent (checksums are weak). */
static inline void sim_corrupt(struct sim *sim)
{
	struct buf *b = &sim->end[rng_below(&sim->rng, 2)][rng_below(&sim->rng, 2)].bytes;

	if (b->len)
		b->p[rng_below(&sim->rng, b->len)] ^= (char)(1 + rng_below(&sim->rng, 255));
}

/* The attempt of side @me arrives. */
static inline void sim_connect(struct sim *sim, int me)
{
	sim->connect_at[me] = MONO_NEVER;
	if (sim->black_hole)
		return;
	if (sim->refuse) {
		bgp_session_failed(&sim->s[me], "refused", sim->now);
		sim_drain(sim, me);
		return;
	}
	sim->end[me][me].connected = true;
	if (bgp_session_offer(&sim->s[!me], sim->now)) {
		sim_drain(sim, !me);
		sim->end[me][!me].connected = true;
		bgp_session_accepted(&sim->s[!me], 0x0a000001 + !me, sim->now);
		sim_drain(sim, !me);
		bgp_session_connected(&sim->s[me], 0x0a000001 + (uint32_t)me, sim->now);
		sim_drain(sim, me);
	} else {
		sim_lose(sim, me, me, "not accepted");
	}
}

static inline void sim_use(struct sim *sim, int conn, int me)
{
	struct sim_end *e = &sim->end[conn][me];

	while (e->connected) {
		size_t used = bgp_session_input(&sim->s[me], sim_leg(conn, me),
						rd_from(e->rx.p, e->rx.len), sim->now);

		if (used == 0)
			return;
		buf_consume(&e->rx, used);
		sim_drain(sim, me);
	}
}

static inline void sim_arrive(struct sim *sim, int conn, int me)
{
	struct sim_end *e = &sim->end[conn][me];
	size_t piece = 1 + rng_below(&sim->rng, 60);
	size_t n = MIN(e->bytes.len, piece);
	bool ended = e->ended && n == e->bytes.len;

	buf_append(&e->rx, e->bytes.p, n);
	buf_consume(&e->bytes, n);
	e->due = e->bytes.len ? mono_add(sim->now, sim_delay(sim)) : MONO_NEVER;
	if (ended)
		e->ended = false;
	sim_use(sim, conn, me);
	if (ended && e->connected)
		sim_lose(sim, conn, me, "closed by the peer");
}

static inline struct mono sim_next(const struct sim *sim)
{
	struct mono at = MONO_NEVER;

	for (int i = 0; i < 2; i++) {
		at = mono_min(at, sim->connect_at[i]);
		at = mono_min(at, bgp_session_deadline(&sim->s[i]));
		at = mono_min(at, mono_min(sim->end[i][0].due, sim->end[i][1].due));
	}
	return at;
}

static inline void sim_step(struct sim *sim)
{
	for (int i = 0; i < 2; i++)
		if (!mono_before(sim->now, sim->connect_at[i]))
			sim_connect(sim, i);
	for (int i = 0; i < 4; i++)
		if (!mono_before(sim->now, sim->end[i / 2][i % 2].due))
			sim_arrive(sim, i / 2, i % 2);
	for (int i = 0; i < 2; i++)
		if (!mono_before(sim->now, bgp_session_deadline(&sim->s[i]))) {
			bgp_session_tick(&sim->s[i], sim->now);
			sim_drain(sim, i);
		}
}

static inline void sim_run(struct sim *sim, struct dur d)
{
	struct mono until = mono_add(sim->now, d);

	while (!mono_before(until, sim_next(sim))) {
		struct mono next = sim_next(sim);

		sim->now = mono_before(sim->now, next) ? next : sim->now;
		sim_step(sim);
	}
	sim->now = until;
}

#endif
