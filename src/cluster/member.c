#include "base/text.h"
#include "cluster/gossip_priv.h"

static const uint8_t own_vsn[WIRE_VSN_LEN] = { 1, 5, 2, 0, 0, 0 };

/* The table. */

struct member *members_find(const struct gossip *g, const char *name)
{
	return map_get(g->by_name, name);
}

static struct member *member_add(struct gossip *g, const char *name)
{
	struct member *m = NULL;

	if (g->n_members < GOSSIP_MEMBERS_MAX)
		m = mem_try(1, sizeof(*m));
	if (!m) {
		g->stats.dropped_limit++;
		return NULL;
	}
	m->name = mem_strdup(name);
	m->pub = (struct gossip_member){ .name = m->name, .meta = m->meta, .state = GOSSIP_DEAD };
	map_put(g->by_name, name, m);
	mem_grow(g->members, g->n_members, g->cap_members);
	/* At a random place, so that not everybody probes a newcomer at the same time. */
	size_t at = (size_t)rng_below(g->conf.rng, ++g->n_members);
	g->members[g->n_members - 1] = g->members[at];
	g->members[at] = m;
	return m;
}

static void suspicion_end(struct gossip *g, struct member *m)
{
	if (!m->suspicion)
		return;
	free(m->suspicion);
	m->suspicion = NULL;
	g->n_suspects--;
}

static void member_free(struct gossip *g, struct member *m)
{
	suspicion_end(g, m);
	map_del(g->by_name, m->name);
	free(m->name);
	free(m);
}

void members_init(struct gossip *g, struct mono now)
{
	g->by_name = map_new();
	g->self = member_add(g, g->conf.name);
	struct member *m = g->self;
	m->pub.self = true;
	m->pub.addr = g->conf.addr;
	m->pub.port = g->conf.port;
	m->pub.since = now;
	m->pub.state = GOSSIP_ALIVE;
	memcpy(m->vsn, own_vsn, sizeof(own_vsn));
	/* Callers check the length; what does not fit is left out rather than cut. */
	if (gossip_set_meta(g, g->conf.meta, g->conf.meta_len, now) < 0)
		g->stats.dropped_limit++;
	g->conf.meta = NULL;
}

void members_fini(struct gossip *g)
{
	for (size_t i = 0; i < g->n_members; i++)
		member_free(g, g->members[i]);
	free(g->members);
	map_free(g->by_name);
}

bool members_has_endpoint(const struct gossip *g, const struct gossip_endpoint *to, bool live)
{
	for (size_t i = 0; i < g->n_members; i++) {
		const struct gossip_member *m = &g->members[i]->pub;

		if (m->port == to->port && addr_eq(&m->addr, &to->addr) &&
		    (!live || gossip_member_is_live(m)))
			return true;
	}
	return false;
}

size_t members_pick(struct gossip *g, size_t n, struct member **out, member_filter *wanted,
		    const void *arg)
{
	size_t seen = 0;

	for (size_t i = 0; i < g->n_members; i++) {
		if (!wanted(g, g->members[i], arg))
			continue;
		/*
		 * The k-th to come takes a place with probability n/k: all are as likely in the
		 * end.
		 */
		size_t at = seen < n ? seen : (size_t)rng_below(g->conf.rng, seen + 1);
		if (at < n)
			out[at] = g->members[i];
		seen++;
	}
	return MIN(n, seen);
}

static bool is_forgotten(const struct gossip *g, const struct member *m, struct mono now)
{
	if (m->pub.self || gossip_member_is_live(&m->pub))
		return false;
	return mono_sub(now, m->pub.since).ns > g->conf.timing.dead_gossip_time.ns;
}

void members_refresh(struct gossip *g, struct mono now)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->n_members; i++) {
		struct member *m = g->members[i];

		/* What waits to be drained may point at members. */
		if (list_empty(&g->outs) && is_forgotten(g, m, now))
			member_free(g, m);
		else
			g->members[kept++] = m;
	}
	g->n_members = kept;
	for (size_t i = kept; i > 1; i--) {
		size_t j = (size_t)rng_below(g->conf.rng, i);
		struct member *m = g->members[i - 1];

		g->members[i - 1] = g->members[j];
		g->members[j] = m;
	}
}

bool gossip_member_next(const struct gossip *g, size_t *at, const struct gossip_member **out)
{
	const char *name;
	void *value;

	if (!map_next(g->by_name, at, &name, &value))
		return false;
	*out = &((struct member *)value)->pub;
	return true;
}

const struct gossip_member *gossip_member_find(const struct gossip *g, const char *name)
{
	struct member *m = members_find(g, name);

	return m ? &m->pub : NULL;
}

/* Telling. */

void member_describe(const struct member *m, struct wire_node *out)
{
	*out = (struct wire_node){
		.incarnation = m->pub.incarnation,
		.addr = m->pub.addr,
		.port = m->pub.port,
		.has_vsn = true,
		.state = (int32_t)m->pub.state,
	};
	name_copy(out->name, m->name);
	if (m->has_meta)
		out->meta = (struct msgpack_raw){ m->meta, m->pub.meta_len };
	memcpy(out->vsn, m->vsn, sizeof(out->vsn));
}

static void tell(struct gossip *g, const char *about, const struct wr *w, struct mono now)
{
	if (w->bad || !queue_put(&g->queue, about, rd_from(w->p, w->len)))
		g->stats.dropped_limit++;
	gossip_wake(g, now);
}

static void tell_alive(struct gossip *g, const struct member *m, struct mono now)
{
	uint8_t room[PACKET_BUDGET];
	struct wr w = wr_to(room, sizeof(room));
	struct wire_node node;

	member_describe(m, &node);
	wr_u8(&w, WIRE_ALIVE);
	wire_alive_encode(&w, &node);
	tell(g, m->name, &w, now);
}

static void tell_accusation(struct gossip *g, enum wire_type type, const struct wire_accusation *a,
			    struct mono now)
{
	uint8_t room[PACKET_BUDGET];
	struct wr w = wr_to(room, sizeof(room));

	wr_u8(&w, (uint8_t)type);
	wire_accusation_encode(&w, a);
	tell(g, a->node, &w, now);
}

void member_reintroduce(struct gossip *g, uint32_t accused, struct mono now)
{
	/* Incarnations do not wrap: at the very end there is nothing left to say. */
	if (g->incarnation < UINT32_MAX)
		g->incarnation++;
	if (g->incarnation <= accused && accused < UINT32_MAX)
		g->incarnation = accused + 1;
	g->self->pub.incarnation = g->incarnation;
	tell_alive(g, g->self, now);
}

static void refute(struct gossip *g, uint32_t accused, struct mono now)
{
	if (g->leaving)
		return;
	g->stats.refutes++;
	gossip_health(g, 1);
	member_reintroduce(g, accused, now);
}

int gossip_set_meta(struct gossip *g, const void *meta, size_t len, struct mono now)
{
	struct member *m = g->self;

	if (len > GOSSIP_META_MAX)
		return -1;
	m->has_meta = meta != NULL;
	m->pub.meta_len = meta ? len : 0;
	if (m->pub.meta_len)
		memcpy(m->meta, meta, len);
	if (!g->leaving)
		member_reintroduce(g, 0, now);
	return 0;
}

/* What is heard. */

static void enter(struct member *m, enum gossip_state state, struct mono now)
{
	if (m->pub.state != state)
		m->pub.since = now;
	m->pub.state = state;
}

static bool is_sane(const struct wire_node *node)
{
	return node->name[0] && text_is_printable(node->name) && node->incarnation &&
	       node->has_vsn && addr_is_set(&node->addr) && node->meta.len <= GOSSIP_META_MAX &&
	       node->vsn[VSN_MIN] && node->vsn[VSN_MAX] && node->vsn[VSN_MIN] <= node->vsn[VSN_MAX];
}

static bool same_meta(const struct member *m, const struct wire_node *node)
{
	return m->pub.meta_len == node->meta.len &&
	       (node->meta.len == 0 || memcmp(m->meta, node->meta.p, node->meta.len) == 0);
}

static bool is_same(const struct gossip_endpoint *a, const struct gossip_endpoint *b)
{
	return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

/* Another address under a known name: report each rival once, as long as it goes on. */
static void conflict(struct gossip *g, struct member *m, const struct gossip_endpoint *claimed,
		     struct mono now)
{
	bool goes_on = is_same(&m->pub.rival, claimed) &&
		       mono_sub(now, m->pub.rival_at).ns < GOSSIP_RIVAL_FOR.ns;

	g->stats.conflicts++;
	m->pub.rival = *claimed;
	m->pub.rival_at = now;
	if (goes_on)
		return;
	struct gossip_out *o = gossip_emit(g, GOSSIP_OUT_CONFLICT, rd_from(NULL, 0));
	if (!o)
		return;
	o->member = &m->pub;
	o->addr = claimed->addr;
	o->port = claimed->port;
}

static void alive_self(struct gossip *g, const struct wire_node *node, struct mono now)
{
	const struct member *m = g->self;
	bool same = same_meta(m, node) && memcmp(m->vsn, node->vsn, sizeof(m->vsn)) == 0;

	if (node->incarnation > m->pub.incarnation ||
	    (node->incarnation == m->pub.incarnation && !same))
		refute(g, node->incarnation, now);
}

static void adopt(struct gossip *g, struct member *m, const struct wire_node *node,
		  const struct gossip_endpoint *at, struct mono now)
{
	bool was_live = gossip_member_is_live(&m->pub);
	bool changed = !same_meta(m, node);

	suspicion_end(g, m);
	m->pub.addr = at->addr;
	m->pub.port = at->port;
	m->pub.incarnation = node->incarnation;
	m->pub.meta_len = node->meta.len;
	m->has_meta = node->meta.p != NULL;
	if (node->meta.p)
		memcpy(m->meta, node->meta.p, node->meta.len);
	memcpy(m->vsn, node->vsn, sizeof(m->vsn));
	if (is_same(&m->pub.rival, at)) /* it has moved there */
		m->pub.rival = (struct gossip_endpoint){ 0 };
	enter(m, GOSSIP_ALIVE, now);
	tell_alive(g, m, now);
	if (!was_live)
		gossip_emit_member(g, GOSSIP_OUT_JOIN, m);
	else if (changed)
		gossip_emit_member(g, GOSSIP_OUT_UPDATE, m);
}

void member_alive(struct gossip *g, const struct wire_node *node, struct mono now)
{
	struct gossip_endpoint at = { node->addr, node->port ? node->port : g->conf.port };
	struct member *m = members_find(g, node->name);
	bool taken_over = false;

	if (!is_sane(node)) {
		g->stats.dropped_malformed++;
		return;
	}
	if (!m)
		m = member_add(g, node->name);
	else if (m->pub.port != at.port || !addr_eq(&m->pub.addr, &at.addr))
		taken_over = true;
	if (!m || (m->pub.self && g->leaving))
		return;
	if (taken_over && m->pub.state != GOSSIP_LEFT)
		conflict(g, m, &at, now);
	else if (m->pub.self)
		alive_self(g, node, now);
	else if (node->incarnation > m->pub.incarnation || taken_over)
		adopt(g, m, node, &at, now);
}

static void start_suspicion(struct gossip *g, struct member *m, const char *from, struct mono now)
{
	const struct gossip_timing *t = &g->conf.timing;

	m->suspicion = mem_new(struct suspicion);
	suspicion_start(m->suspicion, from, g->n_members, t->suspicion_mult, t->suspicion_max_mult,
			t->probe_interval, now);
	g->n_suspects++;
	g->stats.suspicions++;
}

void member_suspect(struct gossip *g, const struct wire_accusation *a, struct mono now)
{
	struct member *m = members_find(g, a->node);

	if (!m || a->incarnation < m->pub.incarnation)
		return;
	if (m->suspicion) {
		if (suspicion_confirm(m->suspicion, a->from))
			tell_accusation(g, WIRE_SUSPECT, a, now);
		return;
	}
	if (m->pub.state != GOSSIP_ALIVE)
		return;
	if (m->pub.self) {
		refute(g, a->incarnation, now);
		return;
	}
	tell_accusation(g, WIRE_SUSPECT, a, now);
	m->pub.incarnation = a->incarnation;
	enter(m, GOSSIP_SUSPECT, now);
	start_suspicion(g, m, a->from, now);
}

void member_dead(struct gossip *g, const struct wire_accusation *a, struct mono now)
{
	struct member *m = members_find(g, a->node);

	if (!m || a->incarnation < m->pub.incarnation)
		return;
	suspicion_end(g, m);
	if (!gossip_member_is_live(&m->pub))
		return;
	if (m->pub.self && !g->leaving) {
		refute(g, a->incarnation, now);
		return;
	}
	bool left = strcmp(a->from, a->node) == 0;
	tell_accusation(g, WIRE_DEAD, a, now);
	m->pub.incarnation = a->incarnation;
	enter(m, left ? GOSSIP_LEFT : GOSSIP_DEAD, now);
	if (m->pub.self)
		return;
	g->stats.deaths += !left;
	gossip_emit_member(g, GOSSIP_OUT_LEAVE, m);
}

void suspicions_tick(struct gossip *g, struct mono now)
{
	struct wire_accusation a;

	for (size_t i = 0; g->n_suspects && i < g->n_members; i++) {
		struct member *m = g->members[i];

		if (!m->suspicion || mono_before(now, m->suspicion->at))
			continue;
		a.incarnation = m->pub.incarnation;
		name_copy(a.node, m->name);
		name_copy(a.from, g->conf.name);
		member_dead(g, &a, now);
	}
}

struct mono suspicions_deadline(const struct gossip *g)
{
	struct mono at = MONO_NEVER;

	for (size_t i = 0; g->n_suspects && i < g->n_members; i++) {
		if (g->members[i]->suspicion)
			at = mono_min(at, g->members[i]->suspicion->at);
	}
	return at;
}
