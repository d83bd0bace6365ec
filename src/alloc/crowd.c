#include "alloc/crowd.h"

enum { BRANCHES = 4 }; /* a node's children stand together: a step down is one look at memory */

void crowd_fini(struct crowd *c)
{
	if (c->cap)
		free(c->places.many);
}

static const struct crowd_rank *heap_of(const struct crowd *c)
{
	return c->cap ? c->places.many : &c->places.one;
}

uint32_t crowd_top(const struct crowd *c)
{
	return heap_of(c)[0].place;
}

static void put(struct crowd *c, const struct slab *places, uint32_t at, struct crowd_rank rank)
{
	struct place *p = slab_at(places, rank.place);

	if (c->cap)
		c->places.many[at] = rank;
	else
		c->places.one = rank;
	p->at = at;
}

static bool is_lower(const struct slab *places, struct crowd_rank l, struct crowd_rank r)
{
	const struct place *a = slab_at(places, l.place), *b = slab_at(places, r.place);

	if (l.distance != r.distance)
		return l.distance < r.distance;
	return addr_cmp(&a->addr, &b->addr) < 0;
}

/* Put a place where there is a hole, or above it. */
static void rise(struct crowd *c, const struct slab *places, uint32_t at, struct crowd_rank rank)
{
	while (at > 0 && is_lower(places, rank, heap_of(c)[(at - 1) / BRANCHES])) {
		put(c, places, at, heap_of(c)[(at - 1) / BRANCHES]);
		at = (at - 1) / BRANCHES;
	}
	put(c, places, at, rank);
}

static uint32_t lowest_child(const struct crowd *c, const struct slab *places, uint32_t at)
{
	const struct crowd_rank *v = heap_of(c);
	uint32_t first = BRANCHES * at + 1, lowest = first;

	for (uint32_t i = first + 1; i < first + BRANCHES && i < c->n; i++)
		if (is_lower(places, v[i], v[lowest]))
			lowest = i;
	return lowest;
}

/* Let a hole sink to the bottom. */
static uint32_t sink(struct crowd *c, const struct slab *places, uint32_t at)
{
	for (uint32_t child; BRANCHES * at + 1 < c->n; at = child) {
		child = lowest_child(c, places, at);
		put(c, places, at, heap_of(c)[child]);
	}
	return at;
}

static void make_room(struct crowd *c)
{
	struct crowd_rank *old = c->cap ? c->places.many : NULL, one = c->places.one;

	if (c->n == 0 || c->n < c->cap)
		return;
	c->cap = c->cap ? c->cap * 2 : BRANCHES;
	c->places.many = mem_resize(old, c->cap, sizeof(*old));
	if (!old)
		c->places.many[0] = one;
}

void crowd_add(struct crowd *c, const struct slab *places, struct crowd_rank rank)
{
	make_room(c);
	rise(c, places, c->n++, rank);
}

void crowd_del(struct crowd *c, const struct slab *places, uint32_t place)
{
	const struct place *p = slab_at(places, place);
	struct crowd_rank last = heap_of(c)[--c->n];
	uint32_t hole = p->at;

	if (last.place != place)
		rise(c, places, sink(c, places, hole), last);
}
