#include "bgp/rib.h"

#include <assert.h>

#include "base/err.h"
#include "bgp/rib_priv.h"

enum { CHUNK = 32 * 1024, QUEUE_MAX = 1024 * 1024 };

struct bgp_rib *bgp_rib_new(const struct bgp_rib_conf *conf)
{
	struct bgp_rib *r = mem_new(struct bgp_rib);

	r->conf = *conf;
	r->conf.chunk = conf->chunk ? conf->chunk : CHUNK;
	r->conf.queue_max = conf->queue_max ? conf->queue_max : QUEUE_MAX;
	r->spreads = bgp_spreads_new();
	for (int i = 0; i < RIB_FAMILIES; i++)
		r->routes[i] = bgp_table_new(rib_family(i), conf->seed + (uint64_t)i);
	list_init(&r->groups);
	return r;
}

struct bgp_rib *bgp_rib_free(struct bgp_rib *r)
{
	struct group *g;
	struct bgp_entry e;

	if (!r)
		return NULL;
	LIST_EACH (g, &r->groups, link)
		group_free(g);
	for (int i = 0; i < RIB_FAMILIES; i++) {
		for (uint32_t s = 0; s < bgp_table_slots(r->routes[i]); s++)
			if (bgp_table_entry(r->routes[i], s, &e))
				bgp_spread_unref(r->spreads, e.value);
		bgp_table_free(r->routes[i]);
	}
	for (size_t i = 0; i < r->n_members; i++)
		batch_queue_clear(&r->members[i].queue);
	free(r->members);
	bgp_spreads_free(r->spreads);
	free(r);
	return NULL;
}

/* --- batches that wait --- */

void batch_queue_push(struct batch_queue *q, struct bgp_batch *b)
{
	if (q->at == q->n)
		q->at = q->n = 0;
	mem_grow(q->v, q->n, q->cap);
	q->v[q->n++] = bgp_batch_ref(b);
	q->bytes += b->len;
}

struct bgp_batch *batch_queue_pop(struct batch_queue *q)
{
	if (q->at == q->n)
		return NULL;
	struct bgp_batch *b = q->v[q->at++];
	q->bytes -= b->len;
	if (q->at == q->n) { /* an idle peer costs nothing */
		free(q->v);
		*q = (struct batch_queue){ 0 };
	}
	return b;
}

void batch_queue_clear(struct batch_queue *q)
{
	for (size_t i = q->at; i < q->n; i++)
		bgp_batch_unref(q->v[i]);
	free(q->v);
	*q = (struct batch_queue){ 0 };
}

/* --- peers --- */

int bgp_rib_peer_add(struct bgp_rib *r, unsigned *out)
{
	size_t i = 0;

	while (i < r->n_members && r->members[i].used)
		i++;
	if (i == BGP_PEERS_MAX)
		return -ERR_LIMIT;
	if (i == r->n_members) {
		mem_grow(r->members, r->n_members, r->cap_members);
		r->n_members++;
	}
	r->members[i] = (struct member){ .used = true };
	*out = (unsigned)i;
	return 0;
}

/* A table's routes without this peer. Its session is down, so nobody has to be told. */
static void table_forget(struct bgp_rib *r, struct bgp_table *t, enum family family, unsigned peer)
{
	struct bgp_entry e;

	for (uint32_t slot = 0; slot < bgp_table_slots(t); slot++) {
		if (!bgp_table_entry(t, slot, &e) || !bgp_spread_attr(r->spreads, e.value, peer))
			continue;
		uint32_t rest = bgp_spread_with(r->spreads, e.value, peer, NULL);

		bgp_spread_count(r->spreads, e.value, family, -1);
		bgp_spread_count(r->spreads, rest, family, 1);
		bgp_spread_unref(r->spreads, e.value);
		if (rest == BGP_SPREAD_NONE)
			bgp_table_del(t, slot);
		else
			bgp_table_set(t, slot, rest);
	}
}

void bgp_rib_peer_del(struct bgp_rib *r, unsigned peer)
{
	bgp_rib_down(r, peer);
	for (int i = 0; i < RIB_FAMILIES; i++)
		table_forget(r, r->routes[i], rib_family(i), peer);
	r->members[peer].used = false;
}

/* --- routes --- */

/* Put a route's spread in force; @now comes with its reference. Returns where it stands, or stood. */
static uint32_t route_respread(struct bgp_rib *r, const struct prefix *p, uint32_t slot,
			       uint32_t was, uint32_t now)
{
	struct bgp_table *t = r->routes[rib_index(p->addr.family)];

	bgp_spread_count(r->spreads, was, p->addr.family, -1);
	bgp_spread_count(r->spreads, now, p->addr.family, 1);
	if (slot == BGP_SLOT_NONE)
		return bgp_table_add(t, p, now);
	if (now == BGP_SPREAD_NONE)
		bgp_table_del(t, slot);
	else
		bgp_table_set(t, slot, now);
	return slot;
}

/* Change what everybody hears; @now comes with its reference. */
static void route_replace(struct bgp_rib *r, const struct prefix *p, uint32_t slot, uint32_t was,
			  uint32_t now)
{
	struct group *g;

	slot = route_respread(r, p, slot, was, now);
	LIST_EACH (g, &r->groups, link)
		group_changed(g, p, slot, was);
	bgp_spread_unref(r->spreads, was);
}

static uint32_t spread_at(const struct bgp_table *t, uint32_t slot)
{
	return slot == BGP_SLOT_NONE ? BGP_SPREAD_NONE : bgp_table_value(t, slot);
}

uint32_t bgp_rib_spread_of(const struct bgp_rib *r, const struct prefix *p)
{
	const struct bgp_table *t = r->routes[rib_index(p->addr.family)];

	return spread_at(t, bgp_table_find(t, p));
}

int bgp_rib_spread(struct bgp_rib *r, const struct prefix *p, uint32_t spread)
{
	const struct bgp_table *t = r->routes[rib_index(p->addr.family)];
	uint32_t slot = bgp_table_find(t, p);
	uint32_t was = spread_at(t, slot);

	if (was != BGP_SPREAD_NONE && !bgp_spread_owner(r->spreads, was))
		return -ERR_STATE;
	if (was == spread)
		return 0;
	bgp_spread_ref(r->spreads, spread);
	route_replace(r, p, slot, was, spread);
	return 0;
}

void bgp_rib_spread_drop(struct bgp_rib *r, uint32_t spread)
{
	struct bgp_entry e;

	for (int i = 0; i < RIB_FAMILIES; i++)
		for (uint32_t slot = 0; slot < bgp_table_slots(r->routes[i]); slot++) {
			if (!bgp_table_entry(r->routes[i], slot, &e) || e.value != spread)
				continue;
			const struct prefix p = bgp_table_prefix(r->routes[i], slot);

			route_replace(r, &p, slot, spread, BGP_SPREAD_NONE);
		}
}

struct bgp_spreads *bgp_rib_spreads(struct bgp_rib *r)
{
	return r->spreads;
}

static bool route_change(struct bgp_rib *r, unsigned peer, const struct prefix *p,
			 struct bgp_attr *attr)
{
	struct bgp_table *t = r->routes[rib_index(p->addr.family)];
	struct group *g = r->members[peer].group;
	uint32_t slot = bgp_table_find(t, p);
	uint32_t was = spread_at(t, slot);

	if (bgp_spread_owner(r->spreads, was)) {
		if (attr)
			route_replace(r, p, slot, was,
				      bgp_spread_with(r->spreads, BGP_SPREAD_NONE, peer, attr));
		return attr != NULL;
	}
	if (bgp_spread_attr(r->spreads, was, peer) == attr)
		return false;
	slot = route_respread(r, p, slot, was, bgp_spread_with(r->spreads, was, peer, attr));
	if (g)
		group_changed(g, p, slot, was);
	bgp_spread_unref(r->spreads, was);
	return true;
}

bool bgp_rib_set(struct bgp_rib *r, unsigned peer, const struct prefix *p, struct bgp_attr *attr)
{
	assert(attr);
	return route_change(r, peer, p, attr);
}

bool bgp_rib_del(struct bgp_rib *r, unsigned peer, const struct prefix *p)
{
	return route_change(r, peer, p, NULL);
}

/* --- sessions --- */

void bgp_rib_prepare(struct bgp_rib *r, unsigned peer, const struct bgp_format *format)
{
	const struct member *m = &r->members[peer];

	bgp_rib_down(r, peer);
	group_join(r, peer, format);
	if (m->queue.bytes == 0 && group_pending(m->group))
		group_write(m->group, peer);
	group_wrote_ahead(m->group); /* which may be another, that it has met */
}

void bgp_rib_up(struct bgp_rib *r, unsigned peer, const struct bgp_format *format)
{
	if (format) {
		bgp_rib_down(r, peer);
		group_join(r, peer, format);
	}
	r->members[peer].up = true;
	r->members[peer].group->prepared = false;
}

void bgp_rib_down(struct bgp_rib *r, unsigned peer)
{
	group_leave(r, peer);
	batch_queue_clear(&r->members[peer].queue);
	r->members[peer].up = false;
}

/* The group of a peer whose session is up, or NULL. */
static struct group *group_of(const struct bgp_rib *r, unsigned peer)
{
	return r->members[peer].up ? r->members[peer].group : NULL;
}

void bgp_rib_refresh(struct bgp_rib *r, unsigned peer, uint8_t families)
{
	const struct group *g = group_of(r, peer);

	if (g && (families & g->format.families))
		group_repeat(r, peer, families & g->format.families);
}

void bgp_rib_hold_marks(struct bgp_rib *r, bool hold)
{
	struct group *g;

	r->marks_held = hold;
	if (hold)
		return;
	LIST_EACH (g, &r->groups, link)
		group_release(g);
}

void bgp_rib_reformat(struct bgp_rib *r, unsigned peer, const struct bgp_format *format)
{
	const struct group *g = r->members[peer].group;

	if (g && !bgp_format_eq(&g->format, format))
		group_reformat(r, peer, format);
}

bool bgp_rib_pending(const struct bgp_rib *r, unsigned peer)
{
	const struct group *g = group_of(r, peer);

	return g && (r->members[peer].queue.bytes > 0 || group_pending(g));
}

struct bgp_batch *bgp_rib_take(struct bgp_rib *r, unsigned peer)
{
	struct member *m = &r->members[peer];

	if (!m->up)
		return NULL;
	while (m->queue.bytes == 0 && group_pending(m->group))
		group_write(m->group, peer);
	return batch_queue_pop(&m->queue);
}

void bgp_rib_rest(struct bgp_rib *r)
{
	struct group *g;

	LIST_EACH (g, &r->groups, link)
		if (!group_pending(g))
			group_forget_history(g);
}

/* --- what is so --- */

struct bgp_rib_counts bgp_rib_count(const struct bgp_rib *r, unsigned peer)
{
	const struct group *g = group_of(r, peer);
	struct bgp_rib_counts c = { .queued_bytes = g ? r->members[peer].queue.bytes : 0 };

	for (int i = 0; i < RIB_FAMILIES; i++) {
		size_t wanted = bgp_spreads_wanted(r->spreads, peer, rib_family(i));

		c.wanted += wanted;
		if (!g)
			c.pending += wanted;
		else if (!(g->format.families & rib_bit(i)))
			c.silent += wanted;
		else
			c.sent += g->sent[i];
	}
	if (g)
		c.pending = group_backlog(g);
	return c;
}

static struct bgp_attr *told(const struct bgp_rib *r, unsigned peer, const struct prefix *p,
			     uint32_t slot)
{
	const struct group *g = group_of(r, peer);

	return g && (g->format.families & rib_bit(rib_index(p->addr.family)))
		       ? group_told(g, p, slot)
		       : NULL;
}

bool bgp_rib_find(const struct bgp_rib *r, unsigned peer, const struct prefix *p,
		  struct bgp_rib_route *out)
{
	const struct bgp_table *t = r->routes[rib_index(p->addr.family)];
	uint32_t slot = bgp_table_find(t, p);

	*out = (struct bgp_rib_route){
		.prefix = *p,
		.want = bgp_spread_attr(r->spreads, spread_at(t, slot), peer),
		.sent = told(r, peer, p, slot),
	};
	return out->want || out->sent;
}

/* One place of a walk: what stands in it, if it is the peer's. What is gone from the routes but still has to be
 * withdrawn stands in the second half of the tables, beside changes of routes that are there. */
static bool walk_place(const struct bgp_rib *r, unsigned peer, const struct bgp_table *t,
		       uint32_t slot, const struct bgp_table *but_in, struct bgp_rib_route *out)
{
	struct bgp_entry e;

	if (!bgp_table_entry(t, slot, &e))
		return false;
	const struct prefix p = bgp_table_prefix(t, slot);
	if (but_in && bgp_table_find(but_in, &p) != BGP_SLOT_NONE)
		return false;
	return bgp_rib_find(r, peer, &p, out);
}

/* Table and slot in one number. */
static uint64_t place_of(uint32_t table, uint32_t slot)
{
	return table * ((uint64_t)UINT32_MAX + 1) + slot;
}

bool bgp_rib_next(const struct bgp_rib *r, unsigned peer, uint64_t *at, size_t *budget,
		  struct bgp_rib_route *out)
{
	const struct group *g = group_of(r, peer);
	const struct bgp_table *all[2 * RIB_FAMILIES] = {
		r->routes[RIB_V4],
		r->routes[RIB_V6],
		g ? g->dirty[RIB_V4] : NULL,
		g ? g->dirty[RIB_V6] : NULL,
	};
	uint32_t i = (uint32_t)(*at >> 32), slot = (uint32_t)*at;

	for (; i < ARRAY_LEN(all); i++, slot = 0) {
		const struct bgp_table *but_in = i < RIB_FAMILIES ? NULL : all[i - RIB_FAMILIES];

		while (all[i] && slot < bgp_table_slots(all[i])) {
			if (*budget == 0) {
				*at = place_of(i, slot);
				return false;
			}
			--*budget;
			if (walk_place(r, peer, all[i], slot++, but_in, out)) {
				*at = place_of(i, slot);
				return true;
			}
		}
	}
	*at = place_of(i, 0);
	return false;
}

const struct bgp_format *bgp_rib_format(const struct bgp_rib *r, unsigned peer)
{
	const struct group *g = group_of(r, peer);

	return g ? &g->format : NULL;
}

size_t bgp_rib_groups(const struct bgp_rib *r)
{
	return r->n_groups;
}
