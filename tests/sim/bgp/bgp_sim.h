/**
 * Two sessions, one that connects and one that accepts, and the network between them in simulated time. Bytes of
 * one direction arrive in order after a random delay and in random pieces.
 */
#ifndef TESTS_BGP_SIM_H
#define TESTS_BGP_SIM_H

#include "base/buf.h"
#include "bgp/session.h"

/** A wire of one direction: what was written arrives whole, in order, at due. */
struct sim_wire {
	struct buf bytes;
	struct mono due;
	bool ended; /* the writer closed; told after the bytes */
};

struct sim_side {
	struct bgp_session s;
	struct buf rx; /* arrived, not used up */
	bool connected;
	struct sim_wire in;
};

struct sim {
	struct rng rng;
	struct mono now;
	struct sim_side side[2];
	bool deaf[2];		/* this side hears nothing, and the other does not learn of it */
	bool refuse;		/* connects are refused */
	bool black_hole;	/* connects are not answered */
	struct mono connect_at; /* an attempt is under way */
};

static inline void sim_drain(struct sim *sim, int me);

static inline void sim_init(struct sim *sim, uint64_t seed)
{
	static const struct bgp_session_conf confs[2] = {
		{ .local_as = 64512, .peer_as = 64513, .hold_s = 90, .families = BGP_V4 },
		{ .local_as = 64513,
		  .peer_as = 64512,
		  .hold_s = 90,
		  .families = BGP_V4,
		  .passive = true },
	};

	*sim = (struct sim){ .now = { 1 }, .connect_at = MONO_NEVER };
	rng_seed(&sim->rng, seed);
	for (int i = 0; i < 2; i++) {
		bgp_session_init(&sim->side[i].s, &confs[i], rng_u64(&sim->rng), sim->now);
		sim->side[i].in.due = MONO_NEVER;
	}
}

static inline void sim_fini(struct sim *sim)
{
	for (int i = 0; i < 2; i++) {
		buf_fini(&sim->side[i].rx);
		buf_fini(&sim->side[i].in.bytes);
	}
}

static inline void sim_start(struct sim *sim)
{
	for (int i = 0; i < 2; i++) {
		bgp_session_start(&sim->side[i].s, sim->now);
		sim_drain(sim, i);
	}
}

static inline bool sim_is_up(const struct sim *sim)
{
	return sim->side[0].s.state == BGP_ESTABLISHED && sim->side[1].s.state == BGP_ESTABLISHED;
}

static inline struct dur sim_delay(struct sim *sim)
{
	return DUR_US(50 + (int64_t)rng_below(&sim->rng, 5000));
}

static inline void sim_end(struct sim *sim, int to)
{
	struct sim_wire *w = &sim->side[to].in;

	w->ended = true;
	if (mono_is_never(w->due))
		w->due = mono_add(sim->now, sim_delay(sim));
}

static inline void sim_transmit(struct sim *sim, int to, const uint8_t *bytes, size_t len)
{
	struct sim_wire *w = &sim->side[to].in;

	if (sim->deaf[to])
		return;
	if (!sim->side[to].connected) { /* its kernel answers with a reset */
		if (!sim->deaf[!to])
			sim_end(sim, !to);
		return;
	}
	buf_append(&w->bytes, bytes, len);
	if (mono_is_never(w->due))
		w->due = mono_add(sim->now, sim_delay(sim));
}

/* Our end goes away; the other side hears of it after what we wrote. */
static inline void sim_close(struct sim *sim, int me)
{
	struct sim_side *s = &sim->side[me];

	if (!s->connected)
		return;
	s->connected = false;
	buf_clear(&s->rx);
	buf_clear(&s->in.bytes);
	s->in.due = MONO_NEVER;
	s->in.ended = false;
	if (!sim->deaf[!me] && sim->side[!me].connected)
		sim_end(sim, !me);
}

static inline void sim_drain(struct sim *sim, int me)
{
	struct bgp_out out;

	while (bgp_session_next(&sim->side[me].s, &out)) {
		if (out.type == BGP_OUT_SEND && sim->side[me].connected)
			sim_transmit(sim, !me, out.bytes, out.len);
		if (out.type == BGP_OUT_CLOSE) {
			if (me == 0)
				sim->connect_at = MONO_NEVER;
			sim_close(sim, me);
		}
		if (out.type == BGP_OUT_CONNECT)
			sim->connect_at = mono_add(sim->now, sim_delay(sim));
	}
}

static inline void sim_lose(struct sim *sim, int me, const char *why)
{
	sim_close(sim, me);
	bgp_session_closed(&sim->side[me].s, why, sim->now);
	sim_drain(sim, me);
}

/** The connection breaks, and both sides learn of it at once. */
static inline void sim_cut(struct sim *sim)
{
	for (int i = 0; i < 2; i++)
		if (sim->side[i].connected)
			sim_lose(sim, i, "cut");
}

/** One side starts anew with nothing in its memory; its kernel resets the connection. */
static inline void sim_crash(struct sim *sim, int me)
{
	struct sim_side *s = &sim->side[me];
	struct bgp_session_conf conf = s->s.conf;

	sim_close(sim, me);
	if (me == 0)
		sim->connect_at = MONO_NEVER;
	bgp_session_init(&s->s, &conf, rng_u64(&sim->rng), sim->now);
	bgp_session_start(&s->s, sim->now);
	sim_drain(sim, me);
}

/** A byte on its way is not what was sent (checksums are weak). */
static inline void sim_corrupt(struct sim *sim)
{
	struct buf *b = &sim->side[rng_below(&sim->rng, 2)].in.bytes;

	if (b->len)
		b->p[rng_below(&sim->rng, b->len)] ^= (char)(1 + rng_below(&sim->rng, 255));
}

static inline void sim_connect(struct sim *sim)
{
	sim->connect_at = MONO_NEVER;
	if (sim->black_hole)
		return;
	if (sim->refuse) {
		bgp_session_failed(&sim->side[0].s, "refused", sim->now);
		sim_drain(sim, 0);
		return;
	}
	sim->side[0].connected = true;
	if (bgp_session_accept(&sim->side[1].s, 0x0a000002, sim->now)) {
		sim->side[1].connected = true;
		sim_drain(sim, 1);
		bgp_session_connected(&sim->side[0].s, 0x0a000001, sim->now);
		sim_drain(sim, 0);
	} else {
		sim_lose(sim, 0, "not accepted");
	}
}

static inline void sim_use(struct sim *sim, int me)
{
	struct sim_side *s = &sim->side[me];

	while (s->connected) {
		size_t used = bgp_session_input(&s->s, rd_from(s->rx.p, s->rx.len), sim->now);

		if (used == 0)
			return;
		buf_consume(&s->rx, used);
		sim_drain(sim, me);
	}
}

static inline void sim_arrive(struct sim *sim, int me)
{
	struct sim_side *s = &sim->side[me];
	size_t piece = 1 + rng_below(&sim->rng, 60);
	size_t n = MIN(s->in.bytes.len, piece);
	bool ended = s->in.ended && n == s->in.bytes.len;

	buf_append(&s->rx, s->in.bytes.p, n);
	buf_consume(&s->in.bytes, n);
	s->in.due = s->in.bytes.len ? mono_add(sim->now, sim_delay(sim)) : MONO_NEVER;
	if (ended)
		s->in.ended = false;
	sim_use(sim, me);
	if (ended && s->connected)
		sim_lose(sim, me, "closed by the peer");
}

static inline struct mono sim_next(const struct sim *sim)
{
	struct mono at = sim->connect_at;

	for (int i = 0; i < 2; i++) {
		at = mono_min(at, sim->side[i].in.due);
		at = mono_min(at, bgp_session_deadline(&sim->side[i].s));
	}
	return at;
}

static inline void sim_step(struct sim *sim)
{
	if (!mono_before(sim->now, sim->connect_at))
		sim_connect(sim);
	for (int i = 0; i < 2; i++) {
		struct sim_side *s = &sim->side[i];

		if (!mono_before(sim->now, s->in.due))
			sim_arrive(sim, i);
		if (!mono_before(sim->now, bgp_session_deadline(&s->s))) {
			bgp_session_tick(&s->s, sim->now);
			sim_drain(sim, i);
		}
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
