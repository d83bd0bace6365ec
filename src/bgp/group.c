/*
 * Update groups: peers who have been told the same. What they are told next is written once.
 */
#include <string.h>

#include "bgp/rib_priv.h"

enum {
	HISTORY_MAX = 64 * 1024 * 1024,
	SLOTS_FOR_A_ROUTE = 8,
	KEPT_SLOTS = 16, /* of a table of changes, for the next one */
};

/* --- groups and their members --- */

static struct group *group_new(struct bgp_rib *r, const struct bgp_format *format)
{
	struct group *g = mem_new(struct group);

	g->rib = r;
	g->format = *format;
	list_append(&r->groups, &g->link);
	r->n_groups++;
	return g;
}

static bool has_changes(const struct group *g, int family)
{
	return g->dirty[family] && bgp_table_len(g->dirty[family]) > 0;
}

static void dirty_drop(struct group *g, int family, uint32_t slot)
{
	struct bgp_table *t = g->dirty[family];

	bgp_spread_unref(g->rib->spreads, bgp_table_value(t, slot));
	bgp_table_del(t, slot);
	if (bgp_table_len(t) > 0)
		return;
	g->scan[family] = 0;
	if (bgp_table_slots(t) > KEPT_SLOTS) /* a walk over it costs what it once held */
		g->dirty[family] = bgp_table_free(t);
}

static void dirty_clear(struct group *g, int family)
{
	struct bgp_entry e;

	for (uint32_t slot = 0; g->dirty[family] && slot < bgp_table_slots(g->dirty[family]);
	     slot++)
		if (bgp_table_entry(g->dirty[family], slot, &e))
			dirty_drop(g, family, slot);
	g->dirty[family] = bgp_table_free(g->dirty[family]);
}

void group_forget_history(struct group *g)
{
	batch_queue_clear(&g->history);
	g->keeps_history = false;
}

void group_free(struct group *g)
{
	for (int i = 0; i < RIB_FAMILIES; i++)
		dirty_clear(g, i);
	group_forget_history(g);
	list_remove(&g->link);
	g->rib->n_groups--;
	free(g->members);
	free(g);
}

static void member_add(struct group *g, unsigned peer)
{
	mem_grow(g->members, g->n, g->cap);
	g->members[g->n++] = peer;
	g->rib->members[peer].group = g;
}

/* The group lives on, even empty. */
static void member_remove(struct group *g, unsigned peer)
{
	size_t i = 0;

	while (g->members[i] != peer)
		i++;
	g->members[i] = g->members[--g->n];
	g->rib->members[peer].group = NULL;
}

void group_leave(struct bgp_rib *r, unsigned peer)
{
	struct group *g = r->members[peer].group;

	if (!g)
		return;
	member_remove(g, peer);
	if (g->n == 0)
		group_free(g);
}

static void wake(struct group *g, unsigned peer)
{
	g->rib->conf.wake(g->rib->conf.ctx, peer);
}

static void wake_all(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		wake(g, g->members[i]);
}

bool group_pending(const struct group *g)
{
	return g->walking || (g->marks && !g->rib->marks_held) || g->ends ||
	       has_changes(g, RIB_V4) || has_changes(g, RIB_V6);
}

/* --- coming up --- */

/* Nothing has been told yet. */
static void begin_anew(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		batch_queue_clear(&g->rib->members[g->members[i]].queue);
	for (int i = 0; i < RIB_FAMILIES; i++) {
		dirty_clear(g, i);
		g->cursor[i] = 0;
		g->sent[i] = 0;
	}
	batch_queue_clear(&g->history);
	g->keeps_history = true;
	g->prepared = false;
	g->walking = g->marks = g->format.families;
	g->again = false;
	g->repeat = g->begins = g->ends = 0;
}

static struct group *find_beginner(struct bgp_rib *r, unsigned peer,
				   const struct bgp_format *format)
{
	struct group *g;

	LIST_EACH (g, &r->groups, link)
		if (g->keeps_history && bgp_format_eq(&g->format, format) &&
		    bgp_spreads_alike(r->spreads, peer, g->members[0], 0))
			return g;
	return NULL;
}

void group_join(struct bgp_rib *r, unsigned peer, const struct bgp_format *format)
{
	struct group *g = find_beginner(r, peer, format);

	if (!g) {
		g = group_new(r, format);
		begin_anew(g);
		g->checked = bgp_spreads_births(r->spreads);
	}
	member_add(g, peer);
	for (size_t i = g->history.at; i < g->history.n; i++)
		batch_queue_push(&r->members[peer].queue, g->history.v[i]);
	wake(g, peer);
}

static bool is_anybody_up(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->rib->members[g->members[i]].up)
			return true;
	return false;
}

void group_wrote_ahead(struct group *g)
{
	g->prepared = !is_anybody_up(g);
}

/* --- parting and meeting --- */

static void dirty_copy(struct group *to, const struct group *from, int family)
{
	struct bgp_entry e;

	if (!has_changes(from, family))
		return;
	to->dirty[family] = bgp_table_new(rib_family(family), to->rib->conf.seed);
	for (uint32_t slot = 0; slot < bgp_table_slots(from->dirty[family]); slot++) {
		if (!bgp_table_entry(from->dirty[family], slot, &e))
			continue;
		const struct prefix p = bgp_table_prefix(from->dirty[family], slot);

		bgp_spread_ref(to->rib->spreads, e.value);
		(void)bgp_table_add(to->dirty[family], &p, e.value);
	}
}

/* A group that has been told the same, without members. */
static struct group *group_clone(const struct group *g)
{
	struct group *c = group_new(g->rib, &g->format);

	c->checked = g->checked;
	c->walking = g->walking;
	c->again = g->again;
	c->repeat = g->repeat;
	c->marks = g->marks;
	c->begins = g->begins;
	c->ends = g->ends;
	for (int i = 0; i < RIB_FAMILIES; i++) {
		c->cursor[i] = g->cursor[i];
		c->sent[i] = g->sent[i];
		dirty_copy(c, g, i);
	}
	return c;
}

static struct group *part(struct group *g, unsigned peer)
{
	struct group *c = group_clone(g);

	member_remove(g, peer);
	member_add(c, peer);
	return c;
}

/* Who no longer hears what @puller hears goes; those who still hear the same as each other, together. */
static void part_different(struct group *g, unsigned puller)
{
	const struct bgp_spreads *spreads = g->rib->spreads;
	uint64_t births = bgp_spreads_births(spreads);
	struct group *parted = NULL;

	for (size_t i = g->n; g->checked < births && i-- > 0;) {
		unsigned peer = g->members[i];

		if (bgp_spreads_alike(spreads, puller, peer, g->checked))
			continue;
		if (parted && bgp_spreads_alike(spreads, parted->members[0], peer, g->checked)) {
			member_remove(g, peer);
			member_add(parted, peer);
		} else {
			parted = part(g, peer);
			parted->checked = births;
		}
		wake(g, peer);
	}
	g->checked = births;
}

static void part_slow(struct group *g, unsigned puller)
{
	for (size_t i = g->n; i-- > 0;)
		if (g->members[i] != puller &&
		    g->rib->members[g->members[i]].queue.bytes > g->rib->conf.queue_max)
			(void)part(g, g->members[i]);
}

/* Up to date: whoever else is, and hears the same, is told the same from now on. */
static void meet(struct group *g)
{
	struct bgp_rib *r = g->rib;
	uint64_t births = bgp_spreads_births(r->spreads);
	struct group *other;

	if (r->n_groups == 1 || g->alone == births)
		return;
	g->alone = births;
	LIST_EACH (other, &r->groups, link) {
		if (other == g || group_pending(other) ||
		    !bgp_format_eq(&g->format, &other->format) ||
		    !bgp_spreads_alike(r->spreads, g->members[0], other->members[0], 0))
			continue;
		other->prepared = false; /* some of ours may be up */
		while (g->n > 0) {
			unsigned peer = g->members[0];

			member_remove(g, peer);
			member_add(other, peer);
		}
		group_free(g);
		return;
	}
}

/* What was asked for meanwhile waits for the first walk: until then not all has been told. */
static void walk_again(struct group *g)
{
	for (int i = 0; i < RIB_FAMILIES; i++)
		if (g->repeat & rib_bit(i))
			g->cursor[i] = 0;
	if (g->format.enhanced_refresh) {
		g->begins |= g->repeat;
		g->ends |= g->repeat;
	}
	g->walking |= g->repeat;
	g->again = g->walking != 0;
	g->repeat = 0;
}

void group_repeat(struct bgp_rib *r, unsigned peer, uint8_t families)
{
	struct group *g = r->members[peer].group;

	if (g->n > 1)
		g = part(g, peer);
	group_forget_history(g);
	g->repeat |= families;
	if (!g->walking || g->again)
		walk_again(g);
	wake(g, peer);
}

void group_reformat(struct bgp_rib *r, unsigned peer, const struct bgp_format *format)
{
	struct group *g = r->members[peer].group;

	if (g->n > 1)
		g = part(g, peer);
	g->format = *format;
	group_repeat(r, peer, format->families);
}

void group_release(struct group *g)
{
	if (g->marks)
		wake_all(g);
}

/* --- changes --- */

static bool untold(const struct group *g, int family, uint32_t slot)
{
	return (g->walking & rib_bit(family)) && slot >= g->cursor[family];
}

void group_changed(struct group *g, const struct prefix *p, uint32_t slot, uint32_t was)
{
	int i = rib_index(p->addr.family);
	bool quiet = !group_pending(g);

	if (!(g->format.families & rib_bit(i)))
		return;
	if (g->prepared)
		begin_anew(g);
	uint32_t known = g->dirty[i] ? bgp_table_find(g->dirty[i], p) : BGP_SLOT_NONE;
	if (known == BGP_SLOT_NONE) {
		if (untold(g, i, slot) && !g->again)
			return; /* the walk will see it as it is then */
		if (!g->dirty[i])
			g->dirty[i] = bgp_table_new(p->addr.family, g->rib->conf.seed);
		bgp_spread_ref(g->rib->spreads, was);
		known = bgp_table_add(g->dirty[i], p, was);
	}
	g->scan[i] = MIN(g->scan[i], known);
	if (quiet)
		wake_all(g);
}

struct bgp_attr *group_told(const struct group *g, const struct prefix *p, uint32_t slot)
{
	const struct bgp_spreads *spreads = g->rib->spreads;
	int i = rib_index(p->addr.family);
	uint32_t known = g->dirty[i] ? bgp_table_find(g->dirty[i], p) : BGP_SLOT_NONE;

	if (known != BGP_SLOT_NONE)
		return bgp_spread_attr(spreads, bgp_table_value(g->dirty[i], known), g->members[0]);
	if (slot == BGP_SLOT_NONE || (untold(g, i, slot) && !g->again))
		return NULL;
	return bgp_spread_attr(spreads, bgp_table_value(g->rib->routes[i], slot), g->members[0]);
}

size_t group_backlog(const struct group *g)
{
	size_t n = 0;

	for (int i = 0; i < RIB_FAMILIES; i++) {
		if (g->walking & rib_bit(i))
			n += bgp_table_slots(g->rib->routes[i]) - g->cursor[i];
		n += g->dirty[i] ? bgp_table_len(g->dirty[i]) : 0;
	}
	return n;
}

/* --- writing --- */

/** Routes to announce, in slots of one table; sorted by what is to be said of them. */
struct choice {
	uint32_t spread;
	uint32_t slot;
};

/** One batch in the making. */
struct draft {
	struct group *g;
	unsigned peer; /* that stands for all */
	struct bgp_writer w;
	struct choice *v;
	size_t n, cap;
};

/* By spread, stable: a counting sort, since spreads are small numbers. */
static void choices_sort(struct draft *d)
{
	uint32_t top = 0, least = UINT32_MAX;

	for (size_t i = 0; i < d->n; i++) {
		top = MAX(top, d->v[i].spread);
		least = MIN(least, d->v[i].spread);
	}
	if (d->n == 0 || top == least)
		return;
	uint32_t *at = mem_new_n(uint32_t, (size_t)(top - least) + 2);
	struct choice *out = mem_resize(NULL, d->n, sizeof(*out));
	for (size_t i = 0; i < d->n; i++)
		at[d->v[i].spread - least + 1]++;
	for (size_t i = 1; i <= top - least; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < d->n; i++)
		out[at[d->v[i].spread - least]++] = d->v[i];
	free(at);
	free(d->v);
	d->v = out;
	d->cap = d->n;
}

static void choices_write(struct draft *d, int family)
{
	const struct bgp_table *routes = d->g->rib->routes[family];
	uint32_t spread = BGP_SPREAD_NONE;
	const struct bgp_attr *attr = NULL;
	struct bgp_entry e;

	choices_sort(d);
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].spread != spread)
			attr = bgp_spread_attr(d->g->rib->spreads, d->v[i].spread, d->peer);
		spread = d->v[i].spread;
		(void)bgp_table_entry(routes, d->v[i].slot, &e);
		bgp_writer_reach(&d->w, rib_family(family), attr, e.len, e.bytes);
	}
	d->n = 0;
}

static void choose(struct draft *d, uint32_t spread, uint32_t slot)
{
	mem_grow(d->v, d->n, d->cap);
	d->v[d->n++] = (struct choice){ spread, slot };
}

/* A route that the walk has come to: to be announced, unless they know it just so. */
static void walk_route(struct draft *d, int family, uint32_t slot, uint32_t spread)
{
	struct group *g = d->g;
	const struct bgp_spreads *spreads = g->rib->spreads;
	struct bgp_attr *want = bgp_spread_attr(spreads, spread, d->peer);
	struct bgp_attr *told = g->again ? want : NULL;

	if (has_changes(g, family)) {
		const struct prefix p = bgp_table_prefix(g->rib->routes[family], slot);
		uint32_t known = bgp_table_find(g->dirty[family], &p);

		if (known != BGP_SLOT_NONE) {
			told = bgp_spread_attr(spreads, bgp_table_value(g->dirty[family], known),
					       d->peer);
			if (!want && told)
				return; /* a withdrawal: after the walk */
			dirty_drop(g, family, known);
		}
	}
	if (!want || (told == want && !g->again))
		return;
	g->sent[family] += !told;
	choose(d, spread, slot);
}

static void walk_on(struct draft *d, int family)
{
	struct group *g = d->g;
	const struct bgp_table *routes = g->rib->routes[family];
	uint32_t slots = bgp_table_slots(routes);
	uint32_t end = MIN(slots, g->cursor[family] + g->rib->conf.chunk * SLOTS_FOR_A_ROUTE);
	uint32_t slot = g->cursor[family];
	struct bgp_entry e;

	for (; slot < end && d->n < g->rib->conf.chunk; slot++)
		if (bgp_table_entry(routes, slot, &e))
			walk_route(d, family, slot, e.value);
	g->cursor[family] = slot;
	choices_write(d, family);
	if (slot < slots)
		return;
	g->walking &= (uint8_t)~rib_bit(family);
	if (!g->walking)
		walk_again(g);
}

/** A prefix that changed: what they know, and what they are to know. */
struct change {
	struct prefix prefix;
	uint32_t slot; /* of the route, if there is one */
	uint32_t spread;
	const struct bgp_attr *told, *want;
};

static bool change_at(const struct draft *d, int family, uint32_t at, struct change *out)
{
	const struct bgp_rib *r = d->g->rib;
	struct bgp_entry e;

	if (!bgp_table_entry(d->g->dirty[family], at, &e))
		return false;
	out->prefix = bgp_table_prefix(d->g->dirty[family], at);
	out->told = bgp_spread_attr(r->spreads, e.value, d->peer);
	out->slot = bgp_table_find(r->routes[family], &out->prefix);
	out->spread = out->slot == BGP_SLOT_NONE ? BGP_SPREAD_NONE
						 : bgp_table_value(r->routes[family], out->slot);
	out->want = bgp_spread_attr(r->spreads, out->spread, d->peer);
	return true;
}

/* Changed prefixes that are to be announced; those that are as they were are forgotten. */
static void announce_changes(struct draft *d, int family)
{
	struct group *g = d->g;
	struct change c;

	while (g->dirty[family] && g->scan[family] < bgp_table_slots(g->dirty[family]) &&
	       d->n < g->rib->conf.chunk) {
		uint32_t at = g->scan[family]++;

		if (!change_at(d, family, at, &c))
			continue;
		if (c.told != c.want) {
			if (!c.want || untold(g, family, c.slot))
				continue;
			g->sent[family] += !c.told;
			choose(d, c.spread, c.slot);
		} else if (c.slot != BGP_SLOT_NONE && untold(g, family, c.slot)) {
			continue; /* the walk must not tell it once more */
		}
		dirty_drop(g, family, at);
	}
	choices_write(d, family);
}

static void withdraw_changes(struct draft *d, int family)
{
	struct group *g = d->g;
	struct change c;
	size_t n = 0;

	for (uint32_t at = 0; g->dirty[family] && at < bgp_table_slots(g->dirty[family]); at++) {
		if (!change_at(d, family, at, &c))
			continue;
		if (n++ == g->rib->conf.chunk)
			return;
		if (c.told) {
			g->sent[family]--;
			bgp_writer_unreach(&d->w, rib_family(family), c.prefix.len,
					   c.prefix.addr.b);
		}
		dirty_drop(g, family, at);
	}
}

static void begin_refresh(struct draft *d)
{
	for (int i = 0; i < RIB_FAMILIES; i++)
		if (d->g->begins & rib_bit(i))
			bgp_writer_refresh(&d->w, rib_family(i), BGP_REFRESH_BEGIN);
	d->g->begins = 0;
}

/* Nothing else waits: what was begun is complete. */
static void write_marks(struct draft *d)
{
	struct group *g = d->g;

	for (int i = 0; i < RIB_FAMILIES; i++) {
		if (g->ends & rib_bit(i))
			bgp_writer_refresh(&d->w, rib_family(i), BGP_REFRESH_END);
		if ((g->marks & rib_bit(i)) && !g->rib->marks_held)
			bgp_writer_mark(&d->w, rib_family(i));
	}
	g->ends = 0;
	if (!g->rib->marks_held)
		g->marks = 0;
}

/* Announcements, the walk among them; then withdrawals; then the marks. */
static void write_all(struct draft *d)
{
	struct group *g = d->g;

	begin_refresh(d);
	for (int i = 0; i < RIB_FAMILIES; i++)
		announce_changes(d, i);
	for (int i = 0; i < RIB_FAMILIES; i++)
		if (g->walking & rib_bit(i)) {
			walk_on(d, i);
			break;
		}
	if (g->walking)
		return;
	for (int i = 0; i < RIB_FAMILIES; i++)
		if (has_changes(g, i) && g->scan[i] < bgp_table_slots(g->dirty[i]))
			return; /* more to announce */
	for (int i = 0; i < RIB_FAMILIES; i++)
		withdraw_changes(d, i);
	if (!has_changes(g, RIB_V4) && !has_changes(g, RIB_V6))
		write_marks(d);
}

static void hand_out(struct group *g, struct bgp_batch *b, unsigned puller)
{
	for (size_t i = 0; i < g->n; i++) {
		struct batch_queue *q = &g->rib->members[g->members[i]].queue;
		bool idle = q->bytes == 0;

		batch_queue_push(q, b);
		if (idle && g->members[i] != puller)
			wake(g, g->members[i]);
	}
	if (!g->keeps_history)
		return;
	batch_queue_push(&g->history, b);
	if (g->history.bytes > HISTORY_MAX)
		group_forget_history(g);
}

void group_write(struct group *g, unsigned puller)
{
	if (g->n > 1) {
		part_different(g, puller);
		part_slow(g, puller);
	}
	struct draft d = { .g = g, .peer = puller, .w.format = &g->format };

	write_all(&d);
	free(d.v);
	struct bgp_batch *b = bgp_writer_finish(&d.w);
	if (b)
		hand_out(g, b, puller);
	bgp_batch_unref(b);
	if (!group_pending(g))
		meet(g);
}
