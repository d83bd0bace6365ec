/* The table of sessions, and the life of each. */
#include "bfd/engine_priv.h"

#include <errno.h>

#define RETRY_AFTER DUR_S(1)

/* ---- the life of a session ---- */

static uint32_t fresh_disc(const struct bfd_engine *e)
{
	uint32_t random, disc;

	do {
		rng_secure(&random, sizeof(random));
		disc = bfd_io_disc(&e->io, random);
	} while (map_get_bytes(e->by_disc, &disc, sizeof(disc)));
	return disc;
}

static void index_add(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	struct bfd_peer_key key = key_of(&c->target.peer, c->target.multihop);

	map_put_bytes(e->by_id, &c->target.id, sizeof(c->target.id), c);
	map_put_bytes(e->by_disc, &c->session.local_disc, sizeof(c->session.local_disc), c);
	c->same_peer = map_put_bytes(e->by_peer, &key, sizeof(key), c);
}

static void index_del(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	struct bfd_peer_key key = key_of(&c->target.peer, c->target.multihop);
	struct conn *first = map_get_bytes(e->by_peer, &key, sizeof(key));

	map_del_bytes(e->by_id, &c->target.id, sizeof(c->target.id));
	map_del_bytes(e->by_disc, &c->session.local_disc, sizeof(c->session.local_disc));
	if (first != c) {
		while (first->same_peer != c)
			first = first->same_peer;
		first->same_peer = c->same_peer;
	} else if (c->same_peer) {
		map_put_bytes(e->by_peer, &key, sizeof(key), c->same_peer);
	} else {
		map_del_bytes(e->by_peer, &key, sizeof(key));
	}
}

void conn_free(struct conn *c)
{
	struct bfd_engine *e = c->engine;

	list_remove(&c->link);
	bfd_queue_set(&e->queue, &c->due, MONO_NEVER);
	bfd_tx_close(&e->tx, &c->sender);
	e->n_conns--;
	e->n_half_up -= c->half_up;
	conn_note_close(c);
	bfd_auth_free(c->own_auth);
	free(c);
}

/* A session that still says goodbye to this peer must not talk into its successor's start. */
static void hush_leaving(struct bfd_engine *e, const struct bfd_target *t)
{
	struct conn *c;

	LIST_EACH (c, &e->leaving, link) {
		if (addr_eq(&c->target.peer, &t->peer) && c->target.multihop == t->multihop)
			conn_free(c);
	}
}

static void conn_start(struct bfd_engine *e, const struct bfd_target *t, struct mono now)
{
	struct conn *c = mem_new(struct conn);

	hush_leaving(e, t);
	c->engine = e;
	c->target = *t;
	c->path = (struct bfd_path){ .peer = t->peer,
				     .local = t->local,
				     .ifindex = t->ifindex,
				     .vrf = t->vrf,
				     .multihop = t->multihop };
	c->generation = e->generation;
	c->sender_checked = now;
	list_append(&e->conns, &c->link);
	bfd_queue_reserve(&e->queue, ++e->n_conns);
	bfd_session_init(&c->session, &t->session, fresh_disc(e), &e->rng, now);
	bfd_echo_init(&c->echo, c->session.local_disc, &e->rng);
	index_add(c);
	conn_open(c);
	conn_publish(c);
	conn_await(c, conn_deadline(c));
}

static void conn_update(struct conn *c, const struct bfd_target *t, struct mono now)
{
	conn_note_end(
		c); /* links and addresses may be others now: let packets come the whole way */
	c->target = *t;
	if (!t->noted)
		conn_note_close(c);
	bfd_session_apply(&c->session, &t->session, now);
	conn_flush(c, now);
}

/*
 * RFC 5880 §6.8.16 wants AdminDown to be sent for a detection time. At one packet a second (§6.8.3)
 * that would be one packet; as many as the multiplier, at the pace of before, survive the losses
 * that a session does. Who is not up has nothing to lose, and hears it once.
 */
static void conn_leave(struct conn *c, struct mono now)
{
	struct bfd_session_conf held = c->session.conf;
	bool was_up = c->session.state == BFD_UP;
	uint32_t pace_us = MIN(c->session.tx_interval_us, BFD_SLOW_TX_US);

	conn_note_close(c);
	index_del(c);
	c->leaving = true;
	c->own_auth = bfd_auth_dup(held.auth);
	held.auth = c->own_auth;
	held.admin_down = true;
	bfd_session_apply(&c->session, &held, now);
	conn_flush(c, now);
	c->target.status = NULL;
	c->goodbyes_left = held.detect_mult - 1u;
	if (!was_up || c->goodbyes_left == 0) {
		conn_free(c);
		return;
	}
	list_remove(&c->link);
	list_append(&c->engine->leaving, &c->link);
	c->goodbye_gap = DUR_US(pace_us);
	conn_await(c, mono_add(now, c->goodbye_gap));
}

/* ---- the table ---- */

static bool same_session(const struct bfd_target *a, const struct bfd_target *b)
{
	return addr_eq(&a->peer, &b->peer) && addr_eq(&a->local, &b->local) &&
	       a->ifindex == b->ifindex && a->vrf == b->vrf && a->multihop == b->multihop;
}

/* Open what is not open yet; true when nothing is missing. */
static bool open_missing(struct bfd_engine *e)
{
	bool complete = true;
	int why = 0;
	struct conn *c;

	LIST_EACH (c, &e->conns, link) {
		const struct bfd_target *t = &c->target;

		complete &= conn_open(c);
		if (bfd_io_listen(&e->io, t->peer.family, t->multihop, t->vrf, NULL) < 0)
			why = errno;
		if (t->session.required_min_echo_us && !t->multihop && t->ifindex &&
		    bfd_echo_io_open(&e->echo_io, t->ifindex, t->peer.family, NULL) < 0)
			why = errno;
	}
	STORE(e->counters.listen_errno, why);
	return complete && why == 0;
}

static void retry_fire(struct loop_timer *t, struct mono now)
{
	struct bfd_engine *e = CONTAINER_OF(t, struct bfd_engine, retry);

	if (!open_missing(e))
		loop_timer_set(t, mono_add(now, RETRY_AFTER));
}

static struct conn *find_wanted(const struct bfd_engine *e, const struct bfd_target *t)
{
	struct conn *c = map_get_bytes(e->by_id, &t->id, sizeof(t->id));

	return c && same_session(&c->target, t) ? c : NULL;
}

/* First what goes, so that a peer that moves to another id starts cleanly. */
static void remove_unwanted(struct bfd_engine *e, const struct bfd_table *t, struct mono now)
{
	struct conn *c;

	for (size_t i = 0; i < t->n; i++) {
		c = find_wanted(e, &t->v[i]);
		if (c)
			c->generation = e->generation;
	}
	LIST_EACH (c, &e->conns, link) {
		if (c->generation != e->generation)
			conn_leave(c, now);
	}
}

static bool vrf_is_wanted(void *ctx, uint32_t vrf)
{
	struct bfd_engine *e = ctx;
	struct conn *c;

	LIST_EACH (c, &e->conns, link) {
		if (c->target.vrf == vrf)
			return true;
	}
	return false;
}

/* Who is up goes on with another source port. */
static void choose_sockets(struct bfd_engine *e, bool udp_only)
{
	struct conn *c;

	if (e->tx.udp_only == udp_only)
		return;
	e->tx.udp_only = udp_only;
	LIST_EACH (c, &e->conns, link)
		bfd_tx_close(&e->tx, &c->sender);
}

const struct bfd_table *bfd_engine_apply(struct bfd_engine *e, const struct bfd_table *t)
{
	static const struct bfd_table none;
	const struct bfd_table *wanted = t ? t : &none;
	const struct bfd_table *before = e->table;
	struct mono now = loop_now(e->conf.loop);

	e->generation++;
	choose_sockets(e, wanted->udp_only);
	remove_unwanted(e, wanted, now);
	for (size_t i = 0; i < wanted->n; i++) {
		struct conn *c = find_wanted(e, &wanted->v[i]);

		if (c)
			conn_update(c, &wanted->v[i], now);
		else
			conn_start(e, &wanted->v[i], now);
	}
	e->table = t;
	STORE(e->counters.sessions, (uint32_t)wanted->n);
	bfd_io_prune(&e->io, vrf_is_wanted, e);
	retry_fire(&e->retry, now);
	e->pace_stale = true;
	loop_task_queue(&e->turn_end);
	return before;
}

static void alarm_fire(struct loop_timer *t, struct mono now)
{
	engine_run(CONTAINER_OF(t, struct bfd_engine, alarm), now);
}

static void turn_ends(struct loop_task *t)
{
	engine_end_turn(CONTAINER_OF(t, struct bfd_engine, turn_end));
}

struct bfd_engine *bfd_engine_new(const struct bfd_engine_conf *conf)
{
	struct bfd_engine *e = mem_new(struct bfd_engine);
	uint64_t seed;

	e->conf = *conf;
	rng_secure(&seed, sizeof(seed));
	rng_seed(&e->rng, seed);
	bfd_io_init(&e->io, conf->loop, conf->port, engine_received, e);
	bfd_echo_io_init(&e->echo_io, conf->loop, engine_echo_received, e);
	bfd_tx_init(&e->tx, &e->rng, conf->port, engine_sent);
	list_init(&e->conns);
	list_init(&e->leaving);
	e->by_id = map_new();
	e->by_disc = map_new();
	e->by_peer = map_new();
	loop_timer_init(&e->retry, conf->loop, retry_fire);
	loop_timer_init(&e->alarm, conf->loop, alarm_fire);
	loop_task_init(&e->turn_end, conf->loop, turn_ends);
	return e;
}

struct bfd_engine *bfd_engine_free(struct bfd_engine *e)
{
	struct conn *c;

	if (!e)
		return NULL;
	loop_timer_stop(&e->retry);
	loop_timer_stop(&e->alarm);
	loop_task_cancel(&e->turn_end);
	LIST_EACH (c, &e->conns, link)
		conn_free(c);
	LIST_EACH (c, &e->leaving, link)
		conn_free(c);
	bfd_io_fini(&e->io);
	bfd_echo_io_fini(&e->echo_io);
	bfd_tx_fini(&e->tx);
	bfd_queue_fini(&e->queue);
	map_free(e->by_id);
	map_free(e->by_disc);
	map_free(e->by_peer);
	free(e);
	return NULL;
}

bool bfd_engine_heard(struct bfd_engine *e, uint32_t id, struct mono *out)
{
	struct conn *c = map_get_bytes(e->by_id, &id, sizeof(id));

	bfd_io_drain(&e->io); /* what prolongs a session wakes nobody */
	if (c)
		conn_note_read(c);
	if (!c || c->session.remote_disc == 0)
		return false;
	*out = c->session.rx_last;
	return true;
}

bool bfd_engine_is_idle(const struct bfd_engine *e)
{
	return list_empty(&e->conns) && list_empty(&e->leaving);
}

const struct bfd_counters *bfd_engine_counters(const struct bfd_engine *e)
{
	return &e->counters;
}
