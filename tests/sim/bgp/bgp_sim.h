/**
 * Two sessions, each of which may connect to the other, and the network between them in simulated time. Bytes of one
 * direction arrive in order after a random delay and in random pieces. Connections are as many as are opened: what is left of one that
 * its opener gave up or forgot is there beside the next.
 */
#ifndef TESTS_BGP_SIM_H
#define TESTS_BGP_SIM_H

#include "base/buf.h"
#include "bgp/notify.h"
#include "bgp/session.h"
#include "support.h"

/** One end of a connection: what comes to it over the wire, and what it has of that. */
struct sim_end {
	bool connected;
	struct buf rx;	  /* arrived, not used up */
	struct buf bytes; /* on the wire; arrives whole, in order, at due */
	struct mono due;
	bool ended; /* the other end closed; told after the bytes */
};

/* So many connections at once: two that are meant, and what is left of others. */
enum { SIM_CONNS = 32 };

/** Of one that was opened by nobody's leg, or is one no more, an end may stay behind: half-open. */
struct sim_conn {
	int opener;
	struct sim_end end[2]; /* by side */
};

struct sim {
	struct rng rng;
	struct mono now;
	struct bgp_session s[2];
	struct sim_conn conn[SIM_CONNS];
	int of[2][BGP_LEGS];	   /* [side][leg]: its connection, or -1 */
	struct mono connect_at[2]; /* an attempt is under way */
	struct mono stray_at[2];   /* one that was given up is still under way */
	bool deaf[2];		   /* this side hears nothing, and the other does not learn of it */
	bool refuse;		   /* connects are refused */
	bool black_hole;	   /* connects are not answered */
};

static inline void sim_drain(struct sim *sim, int me);

/** The leg that a connection is to a side, or -1. */
static inline int sim_leg(const struct sim *sim, int conn, int me)
{
	for (int leg = 0; leg < BGP_LEGS; leg++)
		if (sim->of[me][leg] == conn)
			return leg;
	return -1;
}

static inline bool sim_is_free(const struct sim_conn *c)
{
	return !c->end[0].connected && !c->end[1].connected && !c->end[0].ended && !c->end[1].ended;
}

static inline int sim_conn_new(struct sim *sim, int opener)
{
	int i = 0;

	while (!sim_is_free(&sim->conn[i]))
		assert_int_not_equal(++i, SIM_CONNS);
	sim->conn[i].opener = opener;
	return i;
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
	for (int i = 0; i < SIM_CONNS; i++)
		sim->conn[i].end[0].due = sim->conn[i].end[1].due = MONO_NEVER;
	for (int i = 0; i < 2; i++) {
		bgp_session_init(&sim->s[i], &confs[i], rng_u64(&sim->rng), sim->now);
		sim->connect_at[i] = sim->stray_at[i] = MONO_NEVER;
		sim->of[i][BGP_OURS] = sim->of[i][BGP_THEIRS] = -1;
	}
}

static inline void sim_fini(struct sim *sim)
{
	for (int i = 0; i < 2 * SIM_CONNS; i++) {
		buf_fini(&sim->conn[i / 2].end[i % 2].rx);
		buf_fini(&sim->conn[i / 2].end[i % 2].bytes);
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

/** The connection that stands for the session to this side. */
static inline int sim_lead(const struct sim *sim, int me)
{
	return sim->of[me][sim->s[me].lead];
}

/** Both sides stand on the same connection, and there is no other. */
static inline bool sim_agrees(const struct sim *sim)
{
	int conn = sim_lead(sim, 0);

	for (int i = 0; i < SIM_CONNS; i++)
		if (i != conn && (sim->conn[i].end[0].connected || sim->conn[i].end[1].connected))
			return false;
	return conn >= 0 && conn == sim_lead(sim, 1);
}

static inline struct dur sim_delay(struct sim *sim)
{
	return DUR_US(50 + (int64_t)rng_below(&sim->rng, 5000));
}

static inline void sim_end(struct sim *sim, int conn, int to)
{
	struct sim_end *e = &sim->conn[conn].end[to];

	e->ended = true;
	if (mono_is_never(e->due))
		e->due = mono_add(sim->now, sim_delay(sim));
}

static inline void sim_transmit(struct sim *sim, int conn, int to, const uint8_t *bytes, size_t len)
{
	struct sim_end *e = &sim->conn[conn].end[to];

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
	struct sim_end *e = &sim->conn[conn].end[me];
	int leg = sim_leg(sim, conn, me);

	if (leg >= 0)
		sim->of[me][leg] = -1;
	if (!e->connected)
		return;
	e->connected = false;
	buf_clear(&e->rx);
	buf_clear(&e->bytes);
	e->due = MONO_NEVER;
	e->ended = false;
	if (!sim->deaf[!me] && sim->conn[conn].end[!me].connected)
		sim_end(sim, conn, !me);
}

/* The attempt is given up; its SYN may arrive all the same. */
static inline void sim_give_up(struct sim *sim, int me)
{
	if (!mono_is_never(sim->connect_at[me]) && rng_below(&sim->rng, 2))
		sim->stray_at[me] = sim->connect_at[me];
	sim->connect_at[me] = MONO_NEVER;
}

static inline void sim_drain(struct sim *sim, int me)
{
	struct bgp_out out;

	while (bgp_session_next(&sim->s[me], &out)) {
		int conn = sim->of[me][out.leg];

		if (out.type == BGP_OUT_SEND && conn >= 0)
			sim_transmit(sim, conn, !me, out.bytes, out.len);
		if (out.type == BGP_OUT_CLOSE && out.leg == BGP_OURS)
			sim_give_up(sim, me);
		if (out.type == BGP_OUT_CLOSE && conn >= 0)
			sim_close(sim, conn, me);
		if (out.type == BGP_OUT_CONNECT)
			sim->connect_at[me] = mono_add(sim->now, sim_delay(sim));
	}
}

static inline void sim_lose(struct sim *sim, int conn, int me, const char *why)
{
	int leg = sim_leg(sim, conn, me);

	sim_close(sim, conn, me);
	if (leg < 0)
		return;
	bgp_session_closed(&sim->s[me], (enum bgp_leg_id)leg, why, sim->now);
	sim_drain(sim, me);
}

/** The connections break, and both sides learn of it at once. */
static inline void sim_cut(struct sim *sim)
{
	for (int i = 0; i < 2 * SIM_CONNS; i++)
		if (sim->conn[i / 2].end[i % 2].connected)
			sim_lose(sim, i / 2, i % 2, "cut");
}

/** One side starts anew with nothing in its memory; its kernel resets the connections. */
static inline void sim_crash(struct sim *sim, int me)
{
	struct bgp_session_conf conf = sim->s[me].conf;

	for (int i = 0; i < SIM_CONNS; i++)
		sim_close(sim, i, me);
	sim->connect_at[me] = sim->stray_at[me] = MONO_NEVER;
	bgp_session_init(&sim->s[me], &conf, rng_u64(&sim->rng), sim->now);
	bgp_session_start(&sim->s[me], sim->now);
	sim_drain(sim, me);
}

/** A byte on its way is not what was sent (checksums are weak). */
static inline void sim_corrupt(struct sim *sim)
{
	int side = (int)rng_below(&sim->rng, 2);
	int conn = sim_lead(sim, side);

	if (conn < 0)
		return;
	struct buf *b = &sim->conn[conn].end[side].bytes;
	if (b->len)
		b->p[rng_below(&sim->rng, b->len)] ^= (char)(1 + rng_below(&sim->rng, 255));
}

/* A connection from @me arrives at the other side, which takes it or sends it away. */
static inline void sim_arrives(struct sim *sim, int conn, int me)
{
	struct sim_end *e = &sim->conn[conn].end[!me];
	bool taken = bgp_session_offer(&sim->s[!me], sim->now);

	e->connected = true;
	sim_drain(sim, !me);
	if (taken) {
		sim->of[!me][BGP_THEIRS] = conn;
		bgp_session_accepted(&sim->s[!me], 0x0a000001 + !me, sim->now);
		sim_drain(sim, !me);
		return;
	}
	uint8_t wire[BGP_HEADER_LEN + 2 + BGP_FAULT_DATA_MAX];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_fault fault;
	bool other = sim->s[!me].state >= BGP_OPEN_CONFIRM;
	bgp_cease_set(&fault, other ? BGP_CEASE_COLLISION : BGP_CEASE_REJECTED, NULL);
	bgp_notification_encode(&w, &fault);
	sim_transmit(sim, conn, me, wire, w.len);
	sim_close(sim, conn, !me);
}

/**
 * A connection from @me's address that no leg of it knows: an attempt that was given up, or a process that is gone. @ends: the
 * other side hears that, else it has only half a connection until it says something.
 */
static inline void sim_stray(struct sim *sim, int me, bool ends)
{
	int conn = sim_conn_new(sim, me);

	if (sim->black_hole || sim->refuse)
		return;
	sim_arrives(sim, conn, me);
	if (ends && sim->conn[conn].end[!me].connected)
		sim_end(sim, conn, !me);
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
	int conn = sim_conn_new(sim, me);
	sim->conn[conn].end[me].connected = true;
	sim->of[me][BGP_OURS] = conn;
	sim_arrives(sim, conn, me);
	if (sim->of[me][BGP_OURS] != conn)
		return;
	bgp_session_connected(&sim->s[me], 0x0a000001 + (uint32_t)me, sim->now);
	sim_drain(sim, me);
}

static inline void sim_use(struct sim *sim, int conn, int me)
{
	struct sim_end *e = &sim->conn[conn].end[me];

	while (e->connected && sim_leg(sim, conn, me) >= 0) {
		size_t used =
			bgp_session_input(&sim->s[me], (enum bgp_leg_id)sim_leg(sim, conn, me),
					  rd_from(e->rx.p, e->rx.len), sim->now);

		if (used == 0)
			return;
		buf_consume(&e->rx, used);
		sim_drain(sim, me);
	}
}

static inline void sim_arrive(struct sim *sim, int conn, int me)
{
	struct sim_end *e = &sim->conn[conn].end[me];
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
		at = mono_min(at, mono_min(sim->connect_at[i], sim->stray_at[i]));
		at = mono_min(at, bgp_session_deadline(&sim->s[i]));
	}
	for (int i = 0; i < 2 * SIM_CONNS; i++)
		at = mono_min(at, sim->conn[i / 2].end[i % 2].due);
	return at;
}

static inline void sim_step_side(struct sim *sim, int me)
{
	if (!mono_before(sim->now, sim->connect_at[me]))
		sim_connect(sim, me);
	if (!mono_before(sim->now, sim->stray_at[me])) {
		sim->stray_at[me] = MONO_NEVER;
		sim_stray(sim, me, rng_below(&sim->rng, 2));
	}
}

static inline void sim_step(struct sim *sim)
{
	for (int i = 0; i < 2; i++)
		sim_step_side(sim, i);
	for (int i = 0; i < 2 * SIM_CONNS; i++)
		if (!mono_before(sim->now, sim->conn[i / 2].end[i % 2].due))
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
