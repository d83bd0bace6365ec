#include "bfd/engine.h"

#include <errno.h>

#include "base/list.h"
#include "base/map.h"
#include "bfd/io.h"

#define RETRY_AFTER DUR_S(1)

/** A session with its socket and its timer. */
struct conn {
	struct bfd_engine *engine;
	struct list link;
	struct conn *same_peer; /* the next one in by_peer */
	struct loop_timer timer;
	struct bfd_target target;
	struct bfd_session session;
	struct bfd_sender sender;
	uint64_t generation; /* of the last table that named it */
	bool leaving;
	unsigned goodbyes_left;
	struct dur goodbye_gap;
	uint8_t last_sent[BFD_PKT_LEN];
};

struct bfd_engine {
	struct bfd_engine_conf conf;
	struct bfd_io io;
	struct rng rng;
	const struct bfd_table *table;
	uint64_t generation;
	struct list conns;
	struct list leaving;
	struct map *by_id;
	struct map *by_disc;
	struct map *by_peer;
	struct loop_timer retry;
	struct mono drained_turn; /* the wake-up whose expiries have already seen empty sockets */
	struct bfd_counters counters;
};

/* No padding: the key's bytes are compared. */
struct peer_key {
	struct addr addr;
	uint8_t multihop;
};

static struct peer_key key_of(const struct addr *peer, bool multihop)
{
	return (struct peer_key){ .addr = *peer, .multihop = multihop };
}

#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static void conn_publish(struct conn *c)
{
	const struct bfd_session *s = &c->session;
	struct bfd_session_status *st = c->target.status;

	if (!st)
		return;
	STORE(st->state, s->state);
	STORE(st->remote_state, s->remote_state);
	STORE(st->local_diag, s->local_diag);
	STORE(st->remote_diag, s->remote_diag);
	STORE(st->remote_detect_mult, s->remote_detect_mult);
	STORE(st->local_disc, s->local_disc);
	STORE(st->remote_disc, s->remote_disc);
	STORE(st->tx_us, s->tx_interval_us);
	STORE(st->rx_us, bfd_session_rx_interval_us(s));
	STORE(st->detect_us, (uint64_t)bfd_session_detect_time(s).ns / 1000);
	STORE(st->source_port, c->sender.port);
}

/* ---- sending ---- */

static void conn_send_bytes(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	struct bfd_session_status *st = c->target.status;
	const struct bfd_target *t = &c->target;

	if (c->sender.fd < 0) { /* the status says why since the socket was asked for */
		bfd_count(&e->counters.send_failed);
		return;
	}
	int ret = bfd_io_send(&c->sender, &t->peer, t->ifindex, t->multihop, c->last_sent,
			      sizeof(c->last_sent));
	bfd_count(ret < 0 ? &e->counters.send_failed : &e->counters.packets_out);
	if (!st)
		return;
	STORE(st->send_errno, -ret);
	if (ret == 0)
		bfd_count(&st->packets_out);
}

static void conn_send(struct conn *c, const struct bfd_pkt *pkt)
{
	struct wr w = wr_to(c->last_sent, sizeof(c->last_sent));

	bfd_pkt_encode(pkt, &w);
	conn_send_bytes(c);
}

static void count_up(struct bfd_engine *e, int by)
{
	uint32_t n = atomic_load_explicit(&e->counters.sessions_up, memory_order_relaxed);

	STORE(e->counters.sessions_up, n + (uint32_t)by);
}

static void conn_changed(struct conn *c, const struct bfd_change *change)
{
	struct bfd_engine *e = c->engine;
	struct bfd_session_status *st = c->target.status;
	bool up = change->new_state == BFD_UP;
	bool was_up = change->old_state == BFD_UP;

	count_up(e, up - was_up);
	if (c->leaving)
		return;
	if (st) {
		STORE(st->changed_ns, change->at.ns);
		if (up && !was_up)
			bfd_count(&st->up_events);
		if (was_up && !up)
			bfd_count(&st->down_events);
	}
	struct bfd_event ev = { .id = c->target.id, .change = *change };
	e->conf.event(e->conf.ctx, &ev);
}

/* Do what the session asks for, and set the timer to its next deadline. */
static void conn_flush(struct conn *c, struct mono now)
{
	struct bfd_out out;

	while (bfd_session_next(&c->session, now, &out)) {
		if (out.kind == BFD_OUT_SEND) {
			conn_send(c, &out.pkt);
			continue;
		}
		conn_publish(c); /* who is told of the change finds it in the status */
		conn_changed(c, &out.change);
	}
	conn_publish(c);
	struct mono at = bfd_session_deadline(&c->session);
	if (!loop_timer_active(&c->timer) || c->timer.at.ns != at.ns)
		loop_timer_set(&c->timer, at);
}

/* ---- receiving ---- */

static bool target_takes(const struct bfd_target *t, const struct bfd_rx *rx)
{
	return !addr_is_set(&t->local) || addr_eq(&t->local, &rx->local);
}

static bool interface_fits(const struct bfd_target *t, const struct bfd_rx *rx)
{
	return t->ifindex == 0 || t->ifindex == rx->ifindex;
}

/* Your Discriminator is zero: RFC 5881 §3, 5883 §4. The session that names most of the packet's
 * path wins. */
static struct conn *find_by_path(const struct bfd_engine *e, const struct bfd_rx *rx)
{
	struct peer_key key = key_of(&rx->peer, rx->multihop);
	struct conn *best = NULL;
	int best_score = -1;

	for (struct conn *c = map_get_bytes(e->by_peer, &key, sizeof(key)); c; c = c->same_peer) {
		const struct bfd_target *t = &c->target;
		int score =
			4 * interface_fits(t, rx) + 2 * addr_is_set(&t->local) + (t->ifindex != 0);

		if (target_takes(t, rx) && score > best_score) {
			best = c;
			best_score = score;
		}
	}
	return best;
}

#define ACCEPTED (-1)

/* Does the packet come from where the session's peer is? ACCEPTED or an enum bfd_drop. */
static int check_path(const struct conn *c, const struct bfd_rx *rx)
{
	const struct bfd_target *t = &c->target;

	if (t->multihop != rx->multihop)
		return BFD_DROP_HOPS;
	if (!addr_eq(&t->peer, &rx->peer) || !target_takes(t, rx))
		return BFD_DROP_PEER;
	if (!interface_fits(t, rx))
		return BFD_DROP_INTERFACE;
	if (t->multihop && rx->ttl < t->min_ttl)
		return BFD_DROP_TTL;
	return ACCEPTED;
}

/* All checks on the way from the socket to the session. @found is set as soon as the session is
 * known. */
static int check(struct bfd_engine *e, const struct bfd_rx *rx, struct bfd_pkt *pkt,
		 struct conn **found)
{
	if (rx->cut)
		return BFD_DROP_CUT;
	if (!rx->multihop && rx->ttl != 255) /* RFC 5881 §5 */
		return BFD_DROP_TTL;
	enum bfd_decode outcome = bfd_pkt_decode(rx->bytes, pkt);
	if (outcome != BFD_PKT_OK)
		return BFD_DROP_SHORT + (int)(outcome - BFD_PKT_SHORT); /* same rows, same order */

	if (pkt->your_disc)
		*found = map_get_bytes(e->by_disc, &pkt->your_disc, sizeof(pkt->your_disc));
	else
		*found = find_by_path(e, rx);
	if (!*found)
		return pkt->your_disc ? BFD_DROP_UNKNOWN_DISC : BFD_DROP_UNKNOWN_PEER;
	return check_path(*found, rx);
}

static void count_drop(struct bfd_engine *e, struct conn *c, int why)
{
	bfd_count(&e->counters.dropped[why]);
	if (c && c->target.status)
		bfd_count(&c->target.status->packets_dropped);
}

static void engine_received(void *ctx, const struct bfd_rx *rx)
{
	struct bfd_engine *e = ctx;
	struct conn *c = NULL;
	struct bfd_pkt pkt;
	int why = check(e, rx, &pkt, &c);

	if (why != ACCEPTED) {
		count_drop(e, c, why);
		return;
	}
	if (bfd_session_rx(&c->session, &pkt, rx->at) == BFD_RX_IGNORED) {
		count_drop(e, c, BFD_DROP_HELD_DOWN);
	} else {
		bfd_count(&e->counters.packets_in);
		if (c->target.status)
			bfd_count(&c->target.status->packets_in);
	}
	conn_flush(c, loop_now(e->conf.loop));
}

/* ---- timers ---- */

/* Once in a wake-up, before the first expiry is believed. */
static void drain_before_expiry(struct bfd_engine *e, struct mono now)
{
	if (e->drained_turn.ns == now.ns)
		return;
	e->drained_turn = now;
	bfd_io_drain(&e->io);
}

static void conn_fire(struct loop_timer *t, struct mono now)
{
	struct conn *c = CONTAINER_OF(t, struct conn, timer);

	if (!mono_before(now, c->session.detect_at))
		drain_before_expiry(c->engine, now);
	bfd_session_tick(&c->session, now);
	conn_flush(c, now);
}

/* ---- the life of a session ---- */

static uint32_t fresh_disc(const struct bfd_engine *e)
{
	uint32_t disc;

	do {
		rng_secure(&disc, sizeof(disc));
	} while (disc == 0 || map_get_bytes(e->by_disc, &disc, sizeof(disc)));
	return disc;
}

static void index_add(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	struct peer_key key = key_of(&c->target.peer, c->target.multihop);

	map_put_bytes(e->by_id, &c->target.id, sizeof(c->target.id), c);
	map_put_bytes(e->by_disc, &c->session.local_disc, sizeof(c->session.local_disc), c);
	c->same_peer = map_put_bytes(e->by_peer, &key, sizeof(key), c);
}

static void index_del(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	struct peer_key key = key_of(&c->target.peer, c->target.multihop);
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

static void conn_free(struct conn *c)
{
	list_remove(&c->link);
	loop_timer_stop(&c->timer);
	bfd_io_sender_close(&c->engine->io, &c->sender);
	free(c);
}

/* True when the socket is open. */
static bool conn_open(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	const struct bfd_target *t = &c->target;

	if (c->sender.fd >= 0)
		return true;
	errno = 0;
	int ret = bfd_io_sender_open(&e->io, &e->rng, t->peer.family, &t->local, t->ifindex,
				     &c->sender, NULL);
	STORE(t->status->send_errno, ret < 0 ? errno : 0);
	return ret == 0;
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
	c->sender.fd = -1;
	c->generation = e->generation;
	loop_timer_init(&c->timer, e->conf.loop, conn_fire);
	list_append(&e->conns, &c->link);
	bfd_session_init(&c->session, &t->session, fresh_disc(e), &e->rng, now);
	index_add(c);
	conn_open(c);
	conn_publish(c);
	loop_timer_set(&c->timer, bfd_session_deadline(&c->session));
}

static void conn_update(struct conn *c, const struct bfd_target *t, struct mono now)
{
	c->target = *t;
	bfd_session_apply(&c->session, &t->session, now);
	conn_flush(c, now);
}

static void goodbye_fire(struct loop_timer *t, struct mono now)
{
	struct conn *c = CONTAINER_OF(t, struct conn, timer);

	conn_send_bytes(c);
	if (--c->goodbyes_left == 0)
		conn_free(c);
	else
		loop_timer_set(t, mono_add(now, c->goodbye_gap));
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

	index_del(c);
	c->leaving = true;
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
	loop_timer_stop(&c->timer);
	loop_timer_init(&c->timer, c->engine->conf.loop, goodbye_fire);
	loop_timer_set(&c->timer, mono_add(now, c->goodbye_gap));
}

/* ---- the table ---- */

static bool same_session(const struct bfd_target *a, const struct bfd_target *b)
{
	return addr_eq(&a->peer, &b->peer) && addr_eq(&a->local, &b->local) &&
	       a->ifindex == b->ifindex && a->multihop == b->multihop;
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
		if (bfd_io_listen(&e->io, t->peer.family, t->multihop, NULL) < 0)
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

const struct bfd_table *bfd_engine_apply(struct bfd_engine *e, const struct bfd_table *t)
{
	static const struct bfd_table none;
	const struct bfd_table *wanted = t ? t : &none;
	const struct bfd_table *before = e->table;
	struct mono now = loop_now(e->conf.loop);

	e->generation++;
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
	retry_fire(&e->retry, now);
	return before;
}

struct bfd_engine *bfd_engine_new(const struct bfd_engine_conf *conf)
{
	struct bfd_engine *e = mem_new(struct bfd_engine);
	uint64_t seed;

	e->conf = *conf;
	rng_secure(&seed, sizeof(seed));
	rng_seed(&e->rng, seed);
	bfd_io_init(&e->io, conf->loop, engine_received, e);
	list_init(&e->conns);
	list_init(&e->leaving);
	e->by_id = map_new();
	e->by_disc = map_new();
	e->by_peer = map_new();
	e->drained_turn = MONO_NEVER;
	loop_timer_init(&e->retry, conf->loop, retry_fire);
	return e;
}

struct bfd_engine *bfd_engine_free(struct bfd_engine *e)
{
	struct conn *c;

	if (!e)
		return NULL;
	loop_timer_stop(&e->retry);
	LIST_EACH (c, &e->conns, link)
		conn_free(c);
	LIST_EACH (c, &e->leaving, link)
		conn_free(c);
	bfd_io_fini(&e->io);
	map_free(e->by_id);
	map_free(e->by_disc);
	map_free(e->by_peer);
	free(e);
	return NULL;
}

bool bfd_engine_is_idle(const struct bfd_engine *e)
{
	return list_empty(&e->conns) && list_empty(&e->leaving);
}

const struct bfd_counters *bfd_engine_counters(const struct bfd_engine *e)
{
	return &e->counters;
}
