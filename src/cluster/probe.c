#include "cluster/gossip_priv.h"

#define TCP_PING_VSN 3 /* what a peer's highest protocol version unlocks */
#define NACK_VSN     4

static struct gossip_endpoint endpoint_of(const struct member *m)
{
	return (struct gossip_endpoint){ m->pub.addr, m->pub.port };
}

static struct wr message_start(uint8_t *room, size_t cap, enum wire_type type)
{
	struct wr w = wr_to(room, cap);

	wr_u8(&w, (uint8_t)type);
	return w;
}

static struct wr ping_message(const struct gossip *g, uint8_t *room, size_t cap, uint32_t seq,
			      const char *node)
{
	struct wr w = message_start(room, cap, WIRE_PING);
	struct wire_ping ping = {
		.seq = seq,
		.source = g->conf.addr,
		.source_port = g->conf.port,
	};

	name_copy(ping.node, node);
	name_copy(ping.source_node, g->conf.name);
	wire_ping_encode(&w, &ping);
	return w;
}

/* Our own probes. */

static bool needs_probe(const struct member *m)
{
	return !m->pub.self && gossip_member_is_live(&m->pub);
}

static struct member *next_target(struct gossip *g, struct mono now)
{
	for (size_t tried = 0; tried <= g->n_members; tried++) {
		if (g->probe_index >= g->n_members) {
			members_refresh(g, now);
			g->probe_index = 0;
		}
		struct member *m = g->members[g->probe_index++];
		if (needs_probe(m))
			return m;
	}
	return NULL;
}

/* A suspected one is told so along with the ping, so that it can refute at once. */
static void send_probe(struct gossip *g, const struct member *m)
{
	uint8_t ping_room[PACKET_BUDGET];
	uint8_t suspect_room[PACKET_BUDGET];
	struct wr ping = ping_message(g, ping_room, sizeof(ping_room), g->probe.seq, m->name);
	struct gossip_endpoint to = endpoint_of(m);

	if (m->pub.state == GOSSIP_ALIVE) {
		gossip_send(g, &to, rd_from(ping.p, ping.len));
		return;
	}
	struct wr suspect = message_start(suspect_room, sizeof(suspect_room), WIRE_SUSPECT);
	struct wire_accusation a = { .incarnation = m->pub.incarnation };
	name_copy(a.node, m->name);
	name_copy(a.from, g->conf.name);
	wire_accusation_encode(&suspect, &a);
	gossip_send_pair(g, m, rd_from(ping.p, ping.len), rd_from(suspect.p, suspect.len));
}

static void probe_start(struct gossip *g, struct mono now)
{
	const struct gossip_timing *t = &g->conf.timing;
	struct mono next = mono_add(g->probe_at, t->probe_interval);

	g->probe_at = mono_before(now, next) ? next : mono_add(now, t->probe_interval);
	struct member *m = next_target(g, now);
	if (!m)
		return;
	g->stats.probes++;
	g->probe = (struct probe){
		.target = m,
		.seq = ++g->last_seq,
		.indirect_at = mono_add(now, t->probe_timeout),
		.ends_at = mono_add(now, DUR_NS(t->probe_interval.ns * (g->health + 1))),
	};
	send_probe(g, m);
}

static bool is_helper(const struct gossip *g, const struct member *m, const void *target)
{
	(void)g;
	return !m->pub.self && m != target && m->pub.state == GOSSIP_ALIVE;
}

static void ask_helper(struct gossip *g, const struct member *helper, const struct member *target)
{
	uint8_t room[PACKET_BUDGET];
	struct wr w = message_start(room, sizeof(room), WIRE_INDIRECT_PING);
	struct gossip_endpoint to = endpoint_of(helper);
	struct wire_indirect ask = {
		.seq = g->probe.seq,
		.target = target->pub.addr,
		.port = target->pub.port,
		.nack = helper->vsn[VSN_MAX] >= NACK_VSN,
		.source = g->conf.addr,
		.source_port = g->conf.port,
	};

	name_copy(ask.node, target->name);
	name_copy(ask.source_node, g->conf.name);
	wire_indirect_encode(&w, &ask);
	g->probe.nacks_expected += ask.nack;
	gossip_send(g, &to, rd_from(w.p, w.len));
}

static void probe_indirectly(struct gossip *g, struct mono now)
{
	struct probe *p = &g->probe;
	struct member *helpers[PICK_MAX];
	struct gossip_endpoint to = endpoint_of(p->target);
	uint8_t room[PACKET_BUDGET];

	p->indirect = true;
	size_t n = members_pick(g, MIN(g->conf.timing.indirect_checks, PICK_MAX), helpers,
				is_helper, p->target);
	for (size_t i = 0; i < n; i++)
		ask_helper(g, helpers[i], p->target);
	if (p->target->vsn[VSN_MAX] < TCP_PING_VSN)
		return;
	struct wr ping = ping_message(g, room, sizeof(room), p->seq, p->target->name);
	p->dial = sync_dial(g, &to, false, mono_sub(p->ends_at, now), rd_from(ping.p, ping.len));
}

/* Helpers that did not even say no make us doubt ourselves rather than the target. */
static void probe_failed(struct gossip *g, struct mono now)
{
	struct probe *p = &g->probe;
	struct wire_accusation a = { .incarnation = p->target->pub.incarnation };

	g->stats.probes_failed++;
	if (p->nacks_expected)
		gossip_health(g, (int)p->nacks_expected - (int)p->nacks);
	else
		gossip_health(g, 1);
	name_copy(a.node, p->target->name);
	name_copy(a.from, g->conf.name);
	p->target = NULL;
	member_suspect(g, &a, now);
}

static void probe_end(struct gossip *g, struct mono now)
{
	struct probe *p = &g->probe;

	if (!p->answered_tcp) {
		probe_failed(g, now);
		return;
	}
	g->stats.probes_tcp_only++;
	gossip_health(g, -1);
	p->target = NULL;
}

void probe_unsent(struct gossip *g, const struct gossip_endpoint *to, struct mono now)
{
	const struct probe *p = &g->probe;

	if (p->target && !p->indirect && p->target->pub.port == to->port &&
	    addr_eq(&p->target->pub.addr, &to->addr))
		probe_indirectly(g, now);
}

void probe_tcp_answer(struct gossip *g, uint32_t dial, struct rd r)
{
	struct wire_ack ack;

	if (!g->probe.target || dial != g->probe.dial || rd_u8(&r) != WIRE_ACK)
		return;
	if (wire_ack_decode(&r, &ack) && ack.seq == g->probe.seq)
		g->probe.answered_tcp = true;
}

/* Helping others. */

static void relay_drop(struct gossip *g, size_t i)
{
	g->relays[i] = g->relays[--g->n_relays];
}

static void send_ack(struct gossip *g, const struct gossip_endpoint *to, uint32_t seq)
{
	uint8_t room[64];
	struct wr w = message_start(room, sizeof(room), WIRE_ACK);

	wire_ack_encode(&w, &(struct wire_ack){ .seq = seq });
	gossip_send(g, to, rd_from(w.p, w.len));
}

static void send_nack(struct gossip *g, const struct gossip_endpoint *to, uint32_t seq)
{
	uint8_t room[64];
	struct wr w = message_start(room, sizeof(room), WIRE_NACK);

	wire_nack_encode(&w, &(struct wire_nack){ .seq = seq });
	gossip_send(g, to, rd_from(w.p, w.len));
}

static void relays_tick(struct gossip *g, struct mono now)
{
	for (size_t i = 0; i < g->n_relays;) {
		struct relay r = g->relays[i];

		if (mono_before(now, r.ends_at)) {
			i++;
			continue;
		}
		relay_drop(g, i);
		if (r.nack)
			send_nack(g, &r.asker, r.asked_seq);
	}
}

static bool relay_answered(struct gossip *g, uint32_t seq)
{
	for (size_t i = 0; i < g->n_relays; i++) {
		struct relay r = g->relays[i];

		if (r.seq != seq)
			continue;
		relay_drop(g, i);
		send_ack(g, &r.asker, r.asked_seq);
		return true;
	}
	return false;
}

/*
 * Where the answer goes: what the message says, else where it came from. Only members may name
 * another place.
 */
static bool answer_to(struct gossip *g, const struct gossip_endpoint *from,
		      const struct addr *source, uint16_t source_port, struct mono now,
		      struct gossip_endpoint *out)
{
	*out = *from;
	if (!addr_is_set(source) || source_port == 0)
		return true;
	*out = (struct gossip_endpoint){ *source, source_port };
	return (addr_eq(source, &from->addr) && source_port == from->port) ||
	       gossip_may_send(g, out, now);
}

void probe_indirect_ping(struct gossip *g, const struct gossip_endpoint *from, struct rd r,
			 struct mono now)
{
	struct wire_indirect ask;
	struct gossip_endpoint asker;
	uint8_t room[PACKET_BUDGET];

	if (!wire_indirect_decode(&r, &ask) || !addr_is_set(&ask.target)) {
		g->stats.dropped_malformed++;
		return;
	}
	struct gossip_endpoint target = { ask.target, ask.port ? ask.port : g->conf.port };
	if (!answer_to(g, from, &ask.source, ask.source_port, now, &asker) ||
	    !gossip_may_send(g, &target, now))
		return;
	if (g->n_relays == RELAYS_MAX) {
		g->stats.dropped_limit++;
		return;
	}
	struct relay *relay = &g->relays[g->n_relays++];
	*relay = (struct relay){
		.seq = ++g->last_seq,
		.asked_seq = ask.seq,
		.asker = asker,
		.nack = ask.nack,
		.ends_at = mono_add(now, g->conf.timing.probe_timeout),
	};
	struct wr ping = ping_message(g, room, sizeof(room), relay->seq, ask.node);
	gossip_send(g, &target, rd_from(ping.p, ping.len));
}

/* Messages of the probing. */

void probe_ping(struct gossip *g, const struct gossip_endpoint *from, struct rd r, struct mono now)
{
	struct wire_ping ping;
	struct gossip_endpoint to;

	if (!wire_ping_decode(&r, &ping)) {
		g->stats.dropped_malformed++;
		return;
	}
	if (ping.node[0] && strcmp(ping.node, g->conf.name) != 0) {
		g->stats.dropped_name++;
		return;
	}
	if (answer_to(g, from, &ping.source, ping.source_port, now, &to))
		send_ack(g, &to, ping.seq);
}

void probe_ack(struct gossip *g, struct rd r)
{
	struct wire_ack ack;

	if (!wire_ack_decode(&r, &ack)) {
		g->stats.dropped_malformed++;
		return;
	}
	if (g->probe.target && ack.seq == g->probe.seq) {
		g->probe.target = NULL;
		gossip_health(g, -1);
		return;
	}
	relay_answered(g, ack.seq);
}

void probe_nack(struct gossip *g, struct rd r)
{
	struct wire_nack nack;
	struct probe *p = &g->probe;

	if (!wire_nack_decode(&r, &nack))
		g->stats.dropped_malformed++;
	else if (p->target && nack.seq == p->seq && p->nacks < p->nacks_expected)
		p->nacks++;
}

/* Time. */

void probe_tick(struct gossip *g, struct mono now)
{
	struct probe *p = &g->probe;

	relays_tick(g, now);
	if (p->target && !p->indirect && !mono_before(now, p->indirect_at))
		probe_indirectly(g, now);
	if (p->target && !mono_before(now, p->ends_at))
		probe_end(g, now);
	if (!p->target && !mono_before(now, g->probe_at))
		probe_start(g, now);
}

struct mono probe_deadline(const struct gossip *g)
{
	const struct probe *p = &g->probe;
	struct mono at = g->probe_at;

	if (p->target)
		at = p->indirect ? p->ends_at : mono_min(p->indirect_at, p->ends_at);
	for (size_t i = 0; i < g->n_relays; i++)
		at = mono_min(at, g->relays[i].ends_at);
	return at;
}
