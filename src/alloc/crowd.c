#include "alloc/crowd.h"

void crowd_fini(struct crowd *c)
{
	if (c->cap)
		free(c->places.many);
}

static const uint32_t *heap_of(const struct crowd *c)
{
	return c->cap ? c->places.many : &c->places.one;
}

uint32_t crowd_top(const struct crowd *c)
{
	return heap_of(c)[0];
}

static void put(struct crowd *c, const struct crowd_ground *g, uint32_t at, uint32_t place)
{
	struct place *p = slab_at(g->places, place);

	if (c->cap)
		c->places.many[at] = place;
	else
		c->places.one = place;
	p->at = at;
}

static struct addr addr_of(const struct crowd_ground *g, uint32_t place)
{
	const struct place *p = slab_at(g->places, place);

	return lease_addr(g->leases, p->lease);
}

static bool is_lower(const struct crowd_ground *g, uint32_t a, uint32_t b)
{
	struct addr l = addr_of(g, a), r = addr_of(g, b);

	return addr_cmp(&l, &r) < 0;
}

/* Put a place where there is a hole, or above it. */
static void rise(struct crowd *c, const struct crowd_ground *g, uint32_t at, uint32_t place)
{
	while (at > 0 && is_lower(g, place, heap_of(c)[(at - 1) / 2])) {
		put(c, g, at, heap_of(c)[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(c, g, at, place);
}

/* Let a hole sink to the bottom. */
static uint32_t sink(struct crowd *c, const struct crowd_ground *g, uint32_t at)
{
	for (uint32_t child; (child = 2 * at + 1) < c->n; at = child) {
		const uint32_t *v = heap_of(c);

		if (child + 1 < c->n && is_lower(g, v[child + 1], v[child]))
			child++;
		put(c, g, at, v[child]);
	}
	return at;
}

static void make_room(struct crowd *c)
{
	if (c->n == 0 || c->n < c->cap)
		return;
	uint32_t *old = c->cap ? c->places.many : NULL, one = c->places.one;
	c->cap = c->cap ? c->cap * 2 : 4;
	c->places.many = mem_resize(old, c->cap, sizeof(*old));
	if (!old)
		c->places.many[0] = one;
}

void crowd_add(struct crowd *c, const struct crowd_ground *g, uint32_t place)
{
	make_room(c);
	rise(c, g, c->n++, place);
}

void crowd_del(struct crowd *c, const struct crowd_ground *g, uint32_t place)
{
	const struct place *p = slab_at(g->places, place);
	uint32_t last = heap_of(c)[--c->n], hole = p->at;

	if (last != place)
		rise(c, g, sink(c, g, hole), last);
}
