#include "cluster/gossip.h"

#include <math.h>

#include "cluster/gossip_priv.h"

#define DEPTH_MAX   4
#define INFLATE_MAX PACK_INFLATED_MAX /* all that one packet may decompress to */

const struct gossip_timing gossip_lan = {
	.probe_interval = DUR_S(1),
	.probe_timeout = DUR_MS(500),
	.gossip_interval = DUR_MS(200),
	.sync_interval = DUR_S(30),
	.dead_gossip_time = DUR_S(30),
	.stream_timeout = DUR_S(10),
	.indirect_checks = 3,
	.retransmit_mult = 4,
	.suspicion_mult = 4,
	.suspicion_max_mult = 6,
	.gossip_nodes = 3,
};

const struct gossip_timing gossip_wan = {
	.probe_interval = DUR_S(5),
	.probe_timeout = DUR_S(3),
	.gossip_interval = DUR_MS(500),
	.sync_interval = DUR_S(60),
	.dead_gossip_time = DUR_S(60),
	.stream_timeout = DUR_S(30),
	.indirect_checks = 3,
	.retransmit_mult = 4,
	.suspicion_mult = 6,
	.suspicion_max_mult = 6,
	.gossip_nodes = 4,
};

const struct gossip_timing gossip_local = {
	.probe_interval = DUR_S(1),
	.probe_timeout = DUR_MS(200),
	.gossip_interval = DUR_MS(100),
	.sync_interval = DUR_S(15),
	.dead_gossip_time = DUR_S(15),
	.stream_timeout = DUR_S(1),
	.indirect_checks = 1,
	.retransmit_mult = 2,
	.suspicion_mult = 3,
	.suspicion_max_mult = 6,
	.gossip_nodes = 3,
};

struct out {
	struct list link;
	struct gossip_out pub;
	uint8_t bytes[];
};

const char *gossip_state_name(enum gossip_state s)
{
	static const char *const names[] = { "alive", "suspect", "dead", "left" };

	return names[s];
}

/* Making and ending. */

struct gossip *gossip_new(const struct gossip_conf *conf, struct mono now)
{
	struct gossip *g = mem_new(struct gossip);

	g->conf = *conf;
	g->conf.name = mem_strdup(conf->name);
	list_init(&g->outs);
	queue_init(&g->queue, GOSSIP_MEMBERS_MAX);
	queue_init(&g->user_queue, USER_QUEUE_MAX);
	g->incarnation = conf->incarnation;
	g->gossiped_at = mono_add(now, DUR_NS(-conf->timing.gossip_interval.ns)); /* one is due */
	g->gossip_at = MONO_NEVER;
	g->joins_at = MONO_NEVER;
	g->strangers = STRANGERS_BURST;
	g->strangers_at = now;
	/* Members that start together shall not work in step. */
	g->probe_at =
		mono_add(now, DUR_NS(rng_between(conf->rng, 0, conf->timing.probe_interval.ns)));
	g->sync_at =
		mono_add(now, DUR_NS(rng_between(conf->rng, 0, conf->timing.sync_interval.ns)));
	members_init(g, now);
	return g;
}

struct gossip *gossip_free(struct gossip *g)
{
	struct out *o;

	if (!g)
		return NULL;
	free(g->lent);
	LIST_EACH (o, &g->outs, link)
		free(o);
	members_fini(g);
	queue_fini(&g->queue);
	queue_fini(&g->user_queue);
	free((char *)g->conf.name);
	free(g);
	return NULL;
}

/* What leaves the core. */

struct gossip_out *gossip_emit(struct gossip *g, enum gossip_out_type type, struct rd bytes)
{
	struct out *o = NULL;

	/* Packets may be lost; what happened to members may not, and their number is capped. */
	if (type != GOSSIP_OUT_PACKET || g->n_outs < OUTS_MAX)
		o = mem_try(1, sizeof(*o) + bytes.left);
	if (!o) {
		g->stats.dropped_limit++;
		return NULL;
	}
	o->pub.type = type;
	o->pub.bytes = rd_from(o->bytes, bytes.left);
	if (bytes.left)
		memcpy(o->bytes, bytes.p, bytes.left);
	list_append(&g->outs, &o->link);
	g->n_outs++;
	return &o->pub;
}

void gossip_emit_member(struct gossip *g, enum gossip_out_type type, struct member *m)
{
	struct gossip_out *o = gossip_emit(g, type, rd_from(NULL, 0));

	if (o)
		o->member = &m->pub;
}

bool gossip_next(struct gossip *g, struct gossip_out *out)
{
	free(g->lent);
	g->lent = NULL;
	if (list_empty(&g->outs))
		return false;
	struct out *o = LIST_ENTRY(g->outs.next, struct out, link);
	list_remove(&o->link);
	g->n_outs--;
	g->lent = o;
	*out = o->pub;
	return true;
}

/* Wrap what was gathered and send it. */
static void send_batch(struct gossip *g, const struct gossip_endpoint *to,
		       const struct member *to_member, const struct pack_batch *b)
{
	uint8_t plain[2 * PACKET_BUDGET];
	uint8_t packed[sizeof(plain)]; /* not larger, else it is of no use */
	uint8_t checked[sizeof(plain) + 5];
	struct wr w = wr_to(plain, sizeof(plain));
	struct wr smaller = wr_to(packed, sizeof(packed));
	struct wr crc = wr_to(checked, sizeof(checked));

	pack_batch_write(b, &w);
	struct rd bytes = rd_from(w.p, w.len);
	if (g->conf.compress)
		pack_compress(&smaller, bytes);
	if (g->conf.compress && !smaller.bad && smaller.len < bytes.left)
		bytes = rd_from(smaller.p, smaller.len);
	if (to_member && to_member->vsn[VSN_MAX] >= 5) {
		pack_crc_write(&crc, bytes);
		bytes = rd_from(crc.p, crc.len);
	}
	struct gossip_out *o = gossip_emit(g, GOSSIP_OUT_PACKET, bytes);
	if (o) {
		o->addr = to->addr;
		o->port = to->port;
	}
}

static size_t packet_budget(const struct gossip *g)
{
	return PACKET_BUDGET - CRC_LEN - g->conf.packet_overhead;
}

/* Each message goes out so many times: more in a larger cluster. */
static unsigned transmit_limit(const struct gossip *g)
{
	double scale = ceil(log10((double)g->n_members + 1));

	return g->conf.timing.retransmit_mult * (unsigned)scale;
}

static void take_queued(struct gossip *g, struct pack_batch *b)
{
	queue_take(&g->queue, transmit_limit(g), b);
	queue_take(&g->user_queue, transmit_limit(g), b);
}

void gossip_send(struct gossip *g, const struct gossip_endpoint *to, struct rd message)
{
	uint8_t room[PACKET_BUDGET];
	struct pack_batch b;

	pack_batch_init(&b, wr_to(room, sizeof(room)), packet_budget(g));
	pack_batch_add(&b, message);
	take_queued(g, &b);
	send_batch(g, to, NULL, &b);
}

void gossip_send_pair(struct gossip *g, const struct member *to, struct rd first, struct rd second)
{
	struct gossip_endpoint at = { to->pub.addr, to->pub.port };
	uint8_t room[PACKET_BUDGET];
	struct pack_batch b;

	pack_batch_init(&b, wr_to(room, sizeof(room)), packet_budget(g));
	pack_batch_add(&b, first);
	pack_batch_add(&b, second);
	send_batch(g, &at, to, &b);
}

/* Gossip. */

static bool is_queued(const struct gossip *g)
{
	return g->queue.n || g->user_queue.n;
}

void gossip_wake(struct gossip *g, struct mono now)
{
	struct mono at = mono_add(g->gossiped_at, g->conf.timing.gossip_interval);

	if (mono_is_never(g->gossip_at) && is_queued(g))
		g->gossip_at = mono_before(at, now) ? now : at;
}

/*
 * Also the lately dead are told: they may be alive and refute. And those who left: one that has started again does not hear
 * otherwise that somebody remembers its leave for longer than those whom it joined, and spreads it.
 */
static bool hears_gossip(const struct gossip *g, const struct member *m, const void *now)
{
	struct dur age = mono_sub(*(const struct mono *)now, m->pub.since);

	if (m->pub.self)
		return false;
	return gossip_member_is_live(&m->pub) || age.ns < g->conf.timing.dead_gossip_time.ns;
}

static void gossip_to(struct gossip *g, const struct member *m)
{
	struct gossip_endpoint to = { m->pub.addr, m->pub.port };
	uint8_t room[PACKET_BUDGET];
	struct pack_batch b;

	pack_batch_init(&b, wr_to(room, sizeof(room)), packet_budget(g));
	take_queued(g, &b);
	if (b.n)
		send_batch(g, &to, m, &b);
}

static void gossip_round(struct gossip *g, struct mono now)
{
	struct member *picked[PICK_MAX];
	size_t n = members_pick(g, MIN(g->conf.timing.gossip_nodes, PICK_MAX), picked, hears_gossip,
				&now);

	for (size_t i = 0; i < n; i++)
		gossip_to(g, picked[i]);
	g->gossip_at = MONO_NEVER;
	if (n == 0) /* whoever comes next wakes us, and is told at once */
		return;
	g->gossiped_at = now;
	gossip_wake(g, now);
}

static bool is_other_live(const struct gossip *g, const struct member *m, const void *arg)
{
	(void)g, (void)arg;
	return !m->pub.self && gossip_member_is_live(&m->pub);
}

/* Our leave has been told when it has left the queue, or when nobody is there to listen. */
static void leave_check(struct gossip *g)
{
	struct member *listener;

	if (!g->leaving || g->left)
		return;
	if (queue_has(&g->queue, g->conf.name) &&
	    members_pick(g, 1, &listener, is_other_live, NULL) == 1)
		return;
	g->left = true;
	gossip_emit(g, GOSSIP_OUT_LEFT, rd_from(NULL, 0));
}

void gossip_leave(struct gossip *g, struct mono now)
{
	struct wire_accusation bye = { .incarnation = g->incarnation };

	if (g->leaving)
		return;
	g->leaving = true;
	name_copy(bye.node, g->conf.name);
	name_copy(bye.from, g->conf.name);
	member_dead(g, &bye, now);
	leave_check(g);
}

int gossip_broadcast(struct gossip *g, struct rd message, struct mono now)
{
	uint8_t room[1 + GOSSIP_USER_MAX];
	struct wr w = wr_to(room, sizeof(room));

	wr_u8(&w, WIRE_USER);
	wr_bytes(&w, message.p, message.left);
	if (w.bad || w.len + 4 > packet_budget(g) || g->leaving)
		return -1;
	if (!queue_put(&g->user_queue, NULL, rd_from(room, w.len)))
		return -1;
	gossip_wake(g, now);
	return 0;
}

void gossip_health(struct gossip *g, int change)
{
	int score = (int)g->health + change;

	g->health = (unsigned)MAX(0, MIN(HEALTH_MAX, score));
}

/* Packets in. */

struct unpack {
	const struct gossip_endpoint *from;
	struct mono now;
	unsigned depth;
	size_t inflated;
};

static void dispatch(struct gossip *g, struct unpack *u, struct rd message);

static void on_compound(struct gossip *g, struct unpack *u, struct rd r)
{
	struct pack_compound c;
	struct rd message;

	if (!pack_compound_open(r, &c)) {
		g->stats.dropped_malformed++;
		return;
	}
	while (pack_compound_next(&c, &message))
		dispatch(g, u, message);
	g->stats.dropped_malformed += c.missing;
}

static void on_compressed(struct gossip *g, struct unpack *u, struct rd r)
{
	CLEANUP(mem_freep)
	uint8_t *room = u->inflated < INFLATE_MAX ? mem_try(PACK_INFLATED_MAX, 1) : NULL;
	struct rd message;

	if (!room) {
		g->stats.dropped_depth++;
		return;
	}
	if (!pack_decompress(r, wr_to(room, PACK_INFLATED_MAX), &message)) {
		u->inflated += PACK_INFLATED_MAX;
		g->stats.dropped_malformed++;
		return;
	}
	u->inflated += message.left;
	dispatch(g, u, message);
}

static void on_accusation(struct gossip *g, struct unpack *u, struct rd r,
			  void (*act)(struct gossip *, const struct wire_accusation *, struct mono))
{
	struct wire_accusation a;

	if (wire_accusation_decode(&r, &a))
		act(g, &a, u->now);
	else
		g->stats.dropped_malformed++;
}

static void on_alive(struct gossip *g, struct unpack *u, struct rd r)
{
	struct wire_node node;

	if (wire_alive_decode(&r, &node))
		member_alive(g, &node, u->now);
	else
		g->stats.dropped_malformed++;
}

static void on_message(struct gossip *g, struct unpack *u, struct rd r)
{
	switch (rd_u8(&r)) {
	case WIRE_PING:
		probe_ping(g, u->from, r, u->now);
		break;
	case WIRE_INDIRECT_PING:
		probe_indirect_ping(g, u->from, r, u->now);
		break;
	case WIRE_ACK:
		probe_ack(g, r);
		break;
	case WIRE_NACK:
		probe_nack(g, r);
		break;
	case WIRE_SUSPECT:
		on_accusation(g, u, r, member_suspect);
		break;
	case WIRE_DEAD:
		on_accusation(g, u, r, member_dead);
		break;
	case WIRE_ALIVE:
		on_alive(g, u, r);
		break;
	case WIRE_USER:
		gossip_emit(g, GOSSIP_OUT_USER_MESSAGE, r);
		break;
	case WIRE_COMPOUND:
		on_compound(g, u, r);
		break;
	case WIRE_COMPRESSED:
		on_compressed(g, u, r);
		break;
	default: /* a checksum inside of something among them */
		g->stats.dropped_type++;
	}
}

static void dispatch(struct gossip *g, struct unpack *u, struct rd message)
{
	if (message.left == 0) {
		g->stats.dropped_malformed++;
	} else if (u->depth == DEPTH_MAX) {
		g->stats.dropped_depth++;
	} else {
		u->depth++;
		on_message(g, u, message);
		u->depth--;
	}
}

void gossip_packet(struct gossip *g, const struct addr *from, uint16_t port, struct rd bytes,
		   struct mono now)
{
	struct gossip_endpoint sender = { *from, port };
	struct unpack u = { .from = &sender, .now = now };

	if (bytes.left >= CRC_LEN && bytes.p[0] == WIRE_CRC) {
		rd_skip(&bytes, 1);
		if (!pack_crc_check(&bytes)) {
			g->stats.dropped_crc++;
			return;
		}
	}
	dispatch(g, &u, bytes);
	leave_check(g);
}

bool gossip_may_send(struct gossip *g, const struct gossip_endpoint *to, struct mono now)
{
	double gained = dur_seconds(mono_sub(now, g->strangers_at)) * STRANGERS_BURST;

	if (members_has_endpoint(g, to, false))
		return true;
	g->strangers = fmin(STRANGERS_BURST, g->strangers + gained);
	g->strangers_at = now;
	if (g->strangers < 1) {
		g->stats.dropped_unknown++;
		return false;
	}
	g->strangers--;
	return true;
}

void gossip_unsent(struct gossip *g, const struct addr *to, uint16_t port, struct mono now)
{
	probe_unsent(g, &(struct gossip_endpoint){ *to, port }, now);
}

/* Time. */

void gossip_tick(struct gossip *g, struct mono now)
{
	probe_tick(g, now);
	suspicions_tick(g, now);
	sync_tick(g, now);
	if (!mono_before(now, g->gossip_at))
		gossip_round(g, now);
	leave_check(g);
}

struct mono gossip_deadline(const struct gossip *g)
{
	struct mono at = mono_min(probe_deadline(g), suspicions_deadline(g));

	return mono_min(mono_min(at, sync_deadline(g)), g->gossip_at);
}

const struct gossip_stats *gossip_stats(struct gossip *g)
{
	g->stats.members = 0;
	for (size_t i = 0; i < g->n_members; i++)
		g->stats.members += gossip_member_is_live(&g->members[i]->pub);
	g->stats.members_known = g->n_members;
	g->stats.health = g->health;
	g->stats.queued = g->queue.n + g->user_queue.n;
	return &g->stats;
}
