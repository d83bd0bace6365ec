#include <math.h>

#include "cluster/gossip_priv.h"

#define JOIN_WAIT_FIRST DUR_S(1)
#define JOIN_WAIT_MAX	DUR_S(60)
#define JOIN_CHECK	DUR_S(1)
#define SYNCS_AT_ONCE	3			 /* with one member */
#define SCALE_FROM	32			 /* members from which on push/pulls become rarer */
#define NODES_MAX	(4 * GOSSIP_MEMBERS_MAX) /* in one push/pull: work has an end */

/* Streams that we ask for. */

uint32_t sync_dial(struct gossip *g, const struct gossip_endpoint *to, bool sync, struct dur within,
		   struct rd request)
{
	if (g->n_dials == DIALS_MAX) {
		g->stats.dropped_limit++;
		return 0;
	}
	struct gossip_out *o = gossip_emit(g, GOSSIP_OUT_DIAL, request);
	if (!o)
		return 0;
	g->last_dial += g->last_dial == UINT32_MAX ? 2 : 1;
	g->dials[g->n_dials++] = (struct dial){ .id = g->last_dial, .sync = sync, .to = *to };
	o->stream = g->last_dial;
	o->addr = to->addr;
	o->port = to->port;
	o->within = within;
	return g->last_dial;
}

static bool dial_end(struct gossip *g, uint32_t id, struct dial *out)
{
	for (size_t i = 0; i < g->n_dials; i++) {
		if (g->dials[i].id != id)
			continue;
		*out = g->dials[i];
		g->dials[i] = g->dials[--g->n_dials];
		return true;
	}
	return false;
}

static unsigned dials_to(const struct gossip *g, const struct gossip_endpoint *to)
{
	unsigned n = 0;

	for (size_t i = 0; i < g->n_dials; i++) {
		const struct dial *d = &g->dials[i];

		n += d->sync && d->to.port == to->port && addr_eq(&d->to.addr, &to->addr);
	}
	return n;
}

/* Push/pull. */

/* All that we know: every member of any state, and the application's state. */
static void build(struct gossip *g, bool join, struct buf *out)
{
	struct buf state = { 0 };
	uint8_t room[PACKET_BUDGET];
	struct wr w = wr_to(room, sizeof(room));
	struct wire_node node;

	if (g->conf.local_state)
		g->conf.local_state(g->conf.ctx, &state);
	if (state.len > GOSSIP_STATE_MAX) {
		g->stats.dropped_limit++;
		buf_clear(&state);
	}
	wr_u8(&w, WIRE_SYNC);
	wire_sync_encode(&w, &(struct wire_sync){ .nodes = (int32_t)g->n_members,
						  .user_len = (int32_t)state.len,
						  .join = join });
	buf_append(out, w.p, w.len);
	for (size_t i = 0; i < g->n_members; i++) {
		w = wr_to(room, sizeof(room));
		member_describe(g->members[i], &node);
		wire_sync_node_encode(&w, &node);
		buf_append(out, w.p, w.len);
	}
	if (state.len)
		buf_append(out, state.p, state.len);
	buf_fini(&state);
}

void sync_start(struct gossip *g, const struct gossip_endpoint *to, bool join)
{
	struct buf request = { 0 };

	build(g, join, &request);
	sync_dial(g, to, true, g->conf.timing.stream_timeout, rd_from(request.p, request.len));
	buf_fini(&request);
}

/* The versions that all who are alive understand. */
struct versions {
	uint8_t min, max, app_min, app_max;
};

static void versions_narrow(struct versions *v, const uint8_t *vsn)
{
	v->min = MAX(v->min, vsn[VSN_MIN]);
	v->max = MIN(v->max, vsn[VSN_MAX]);
	v->app_min = MAX(v->app_min, vsn[VSN_APP_MIN]);
	v->app_max = MIN(v->app_max, vsn[VSN_APP_MAX]);
}

static bool versions_allow(const struct versions *v, const uint8_t *vsn)
{
	return vsn[VSN_CUR] >= v->min && vsn[VSN_CUR] <= v->max && vsn[VSN_APP_CUR] >= v->app_min &&
	       vsn[VSN_APP_CUR] <= v->app_max;
}

/* What all understand who are alive here or there. */
static struct versions versions_common(const struct gossip *g, struct rd nodes, int32_t n)
{
	struct versions v = { .max = UINT8_MAX, .app_max = UINT8_MAX };
	struct wire_node node;

	for (size_t i = 0; i < g->n_members; i++) {
		if (g->members[i]->pub.state == GOSSIP_ALIVE)
			versions_narrow(&v, g->members[i]->vsn);
	}
	for (int32_t i = 0; i < n; i++) {
		if (wire_sync_node_decode(&nodes, &node) && node.has_vsn &&
		    node.state == WIRE_STATE_ALIVE)
			versions_narrow(&v, node.vsn);
	}
	return v;
}

/* One who does not speak what the others understand spoils the whole exchange: who it is. */
static bool find_offender(const struct gossip *g, struct rd nodes, int32_t n,
			  char name[static WIRE_NAME_MAX + 1])
{
	struct versions v = versions_common(g, nodes, n);
	struct wire_node node;

	for (size_t i = 0; i < g->n_members; i++) {
		if (versions_allow(&v, g->members[i]->vsn))
			continue;
		name_copy(name, g->members[i]->name);
		return true;
	}
	for (int32_t i = 0; i < n; i++) {
		if (!wire_sync_node_decode(&nodes, &node) || versions_allow(&v, node.vsn))
			continue;
		name_copy(name, node.name);
		return true;
	}
	return false;
}

/* It comes with every exchange, until it is gone: telling once is enough. */
static void refuse_for(struct gossip *g, const char *offender)
{
	g->stats.syncs_failed++;
	if (strcmp(g->incompatible, offender) == 0)
		return;
	name_copy(g->incompatible, offender);
	gossip_emit(g, GOSSIP_OUT_INCOMPATIBLE, rd_from(offender, strlen(offender)));
}

/* A remote "dead" kills nobody: it is a suspicion of ours, so that the accused can answer it. */
static void merge_node(struct gossip *g, const struct wire_node *node, struct mono now)
{
	struct wire_accusation a = { .incarnation = node->incarnation };

	name_copy(a.node, node->name);
	name_copy(a.from, node->state == WIRE_STATE_LEFT ? node->name : g->conf.name);
	switch (node->state) {
	case WIRE_STATE_ALIVE:
		member_alive(g, node, now);
		break;
	case WIRE_STATE_LEFT:
		member_dead(g, &a, now);
		break;
	case WIRE_STATE_SUSPECT:
	case WIRE_STATE_DEAD:
		member_suspect(g, &a, now);
		break;
	default:
		g->stats.dropped_malformed++;
	}
}

/* A push/pull taken apart, nothing of it applied yet. */
struct remote {
	struct wire_sync head;
	struct rd nodes;
	struct rd user;
};

static bool remote_decode(struct rd r, struct remote *out)
{
	struct wire_node node;

	if (!wire_sync_decode(&r, &out->head) || out->head.nodes > NODES_MAX)
		return false;
	out->nodes = r;
	for (int32_t i = 0; i < out->head.nodes; i++) {
		if (!wire_sync_node_decode(&r, &node))
			return false;
	}
	out->user = rd_sub(&r, (size_t)out->head.user_len);
	return !out->user.bad;
}

static void merge(struct gossip *g, const struct remote *in, struct mono now)
{
	char offender[WIRE_NAME_MAX + 1];
	struct rd nodes = in->nodes;
	struct wire_node node;

	if (find_offender(g, nodes, in->head.nodes, offender)) {
		refuse_for(g, offender);
		return;
	}
	for (int32_t i = 0; i < in->head.nodes; i++) {
		if (wire_sync_node_decode(&nodes, &node))
			merge_node(g, &node, now);
	}
	g->stats.syncs++;
	if (in->user.left)
		gossip_emit(g, GOSSIP_OUT_USER_STATE, in->user);
}

/* Requests of others. */

static void respond(struct gossip *g, uint32_t id, enum gossip_out_type type, struct rd bytes)
{
	struct gossip_out *o = gossip_emit(g, type, bytes);

	if (o)
		o->stream = id;
}

static bool answer_ping(struct gossip *g, uint32_t id, struct rd r)
{
	struct wire_ping ping;
	uint8_t room[64];
	struct wr w = wr_to(room, sizeof(room));

	if (!wire_ping_decode(&r, &ping)) {
		g->stats.dropped_malformed++;
		return false;
	}
	if (ping.node[0] && strcmp(ping.node, g->conf.name) != 0) {
		g->stats.dropped_name++;
		return false;
	}
	wr_u8(&w, WIRE_ACK);
	wire_ack_encode(&w, &(struct wire_ack){ .seq = ping.seq });
	respond(g, id, GOSSIP_OUT_REPLY, rd_from(w.p, w.len));
	return true;
}

/* Who believes us dead is convinced by a greater incarnation alone: it stands in the answer. */
static void refute_first(struct gossip *g, const struct remote *in, struct mono now)
{
	struct rd nodes = in->nodes;
	struct wire_node node;

	for (int32_t i = 0; i < in->head.nodes; i++)
		if (wire_sync_node_decode(&nodes, &node) && node.state != WIRE_STATE_ALIVE &&
		    strcmp(node.name, g->conf.name) == 0)
			merge_node(g, &node, now);
}

/* The answer goes out first, so that whoever sent what we refuse still gets it. */
static bool answer_sync(struct gossip *g, uint32_t id, struct rd r, struct mono now)
{
	struct buf reply = { 0 };
	struct remote in;

	if (!remote_decode(r, &in)) {
		g->stats.dropped_malformed++;
		return false;
	}
	refute_first(g, &in, now);
	build(g, in.head.join, &reply);
	respond(g, id, GOSSIP_OUT_REPLY, rd_from(reply.p, reply.len));
	buf_fini(&reply);
	merge(g, &in, now);
	return true;
}

static void take_user(struct gossip *g, struct rd r)
{
	struct wire_user user;
	bool good = wire_user_decode(&r, &user);
	struct rd bytes = rd_sub(&r, (size_t)user.len);

	if (good && !bytes.bad)
		gossip_emit(g, GOSSIP_OUT_USER_MESSAGE, bytes);
	else
		g->stats.dropped_malformed++;
}

void gossip_stream_request(struct gossip *g, uint32_t id, struct rd message, struct mono now)
{
	uint8_t type = message.left ? message.p[0] : UINT8_MAX;
	bool answered = false;

	rd_skip(&message, 1);
	switch (type) {
	case WIRE_PING:
		answered = answer_ping(g, id, message);
		break;
	case WIRE_SYNC:
		answered = answer_sync(g, id, message, now);
		break;
	case WIRE_USER:
		take_user(g, message);
		break;
	default:
		g->stats.dropped_type++;
	}
	if (!answered)
		respond(g, id, GOSSIP_OUT_CLOSE, rd_from(NULL, 0));
}

/* Answers to us. */

static void take_error(struct gossip *g, const struct dial *d, struct rd r)
{
	struct wire_error error;

	if (!wire_error_decode(&r, &error)) {
		g->stats.dropped_malformed++;
		return;
	}
	struct gossip_out *o =
		gossip_emit(g, GOSSIP_OUT_REMOTE_ERROR, rd_from(error.text.p, error.text.len));
	if (!o)
		return;
	o->addr = d->to.addr;
	o->port = d->to.port;
}

static void take_sync(struct gossip *g, const struct dial *d, struct rd message, struct mono now)
{
	struct remote in;
	uint8_t type = rd_u8(&message);

	if (type == WIRE_SYNC && remote_decode(message, &in)) {
		merge(g, &in, now);
		return;
	}
	g->stats.syncs_failed++;
	if (type == WIRE_ERROR)
		take_error(g, d, message);
}

void gossip_stream_answer(struct gossip *g, uint32_t id, struct rd message, struct mono now)
{
	struct dial d;

	if (!dial_end(g, id, &d))
		return;
	if (d.sync)
		take_sync(g, &d, message, now);
	else
		probe_tcp_answer(g, id, message);
}

void gossip_stream_failed(struct gossip *g, uint32_t id)
{
	struct dial d;

	if (dial_end(g, id, &d) && d.sync)
		g->stats.syncs_failed++;
}

/* Joining. */

void gossip_join(struct gossip *g, const struct gossip_endpoint *v, size_t n, struct mono now)
{
	if (n > JOINS_MAX)
		g->stats.dropped_limit += n - JOINS_MAX;
	g->n_joins = MIN(n, JOINS_MAX);
	for (size_t i = 0; i < g->n_joins; i++)
		g->joins[i] = (struct join){ .to = v[i], .wait = JOIN_WAIT_FIRST, .at = now };
	g->joins_at = g->n_joins ? now : MONO_NEVER;
}

/* One that began on a broken path hangs until its time is out: others begin all the same. */
void gossip_sync(struct gossip *g, const char *name, const struct addr *at)
{
	const struct member *m = members_find(g, name);

	if ((m ? m->pub.self : !at) || g->leaving)
		return;
	const struct gossip_endpoint to = { m ? m->pub.addr : *at, m ? m->pub.port : g->conf.port };

	if (dials_to(g, &to) < SYNCS_AT_ONCE)
		sync_start(g, &to, false);
}

/*
 * Dial who is not there, at first each second and in the end each minute; begin anew when one goes.
 */
static void join_tick(struct gossip *g, struct join *j, struct mono now)
{
	bool was_present = j->present;

	j->present = members_has_endpoint(g, &j->to, true);
	if (j->present)
		return;
	if (was_present) {
		j->wait = JOIN_WAIT_FIRST;
		j->at = mono_add(now, j->wait);
	}
	if (mono_before(now, j->at) || dials_to(g, &j->to))
		return;
	sync_start(g, &j->to, true);
	/*
	 * The two sides of a split began to wait together: the first of them all shall not take its
	 * full time.
	 */
	j->at = mono_add(now, DUR_NS(rng_between(g->conf.rng, j->wait.ns / 2, j->wait.ns)));
	j->wait = DUR_NS(MIN(2 * j->wait.ns, JOIN_WAIT_MAX.ns));
}

static bool is_partner(const struct gossip *g, const struct member *m, const void *arg)
{
	(void)g, (void)arg;
	return !m->pub.self && m->pub.state == GOSSIP_ALIVE;
}

static struct dur sync_interval(const struct gossip *g)
{
	double n = (double)g->n_members;
	double scale = n <= SCALE_FROM ? 1 : ceil(log2(n) - log2(SCALE_FROM)) + 1;

	return DUR_NS((int64_t)((double)g->conf.timing.sync_interval.ns * scale));
}

void sync_tick(struct gossip *g, struct mono now)
{
	struct member *partner;

	if (g->leaving)
		return;
	/* With whatever else ticks by then: alone it would wake the process once a second for nothing. */
	if (!mono_before(mono_add(now, DUR_NS(JOIN_CHECK.ns / 2)), g->joins_at)) {
		for (size_t i = 0; i < g->n_joins; i++)
			join_tick(g, &g->joins[i], now);
		g->joins_at = mono_add(now, JOIN_CHECK);
	}
	if (mono_before(now, g->sync_at))
		return;
	g->sync_at = mono_add(now, sync_interval(g));
	if (members_pick(g, 1, &partner, is_partner, NULL) == 1)
		gossip_sync(g, partner->name, NULL);
}

struct mono sync_deadline(const struct gossip *g)
{
	return g->leaving ? MONO_NEVER : mono_min(g->joins_at, g->sync_at);
}
