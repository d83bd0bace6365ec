#include "bgp/table.h"

#include <assert.h>
#include <string.h>

/*
 * Slots stand in blocks, so that growing copies nothing and wastes no half. The first one begins small: a table of what has
 * changed is made for a single prefix, and goes when that is told.
 */
enum { FIRST_SLOTS = 16, BLOCK_SLOTS = 4096, INDEX_MIN = 64, MOVE_STEP = 16 };

#define FREE_END UINT32_MAX

/** The fixed part of a slot; the bytes of the prefix follow, 4 or 16. */
struct slot {
	uint32_t value; /* free: the next free slot */
	uint8_t len;
	bool used;
	uint16_t unused;
	uint8_t bytes[];
};

/** Open addressing with linear probing; entries are slot numbers + 1. */
struct hash_index {
	uint32_t *v;
	size_t cap; /* power of two; 0: none */
	size_t n;
};

struct bgp_table {
	enum family family;
	size_t stride;
	uint64_t seed;
	uint8_t **blocks;
	size_t n_blocks, cap_blocks;
	uint32_t room; /* slots that the blocks have */
	uint32_t slots;
	uint32_t free;
	size_t n;
	struct hash_index index;
	/*
	 * While the index grows, the old one: entries from @moved on may be in it alone. What it says is
	 * believed only where the slot agrees, so nothing is ever taken out of it.
	 */
	struct hash_index old;
	size_t moved;
};

static size_t addr_bytes(enum family family)
{
	return family == FAMILY_V4 ? 4 : 16;
}

struct bgp_table *bgp_table_new(enum family family, uint64_t seed)
{
	struct bgp_table *t = mem_new(struct bgp_table);

	t->family = family;
	t->stride = sizeof(struct slot) + addr_bytes(family);
	t->seed = seed;
	t->free = FREE_END;
	return t;
}

struct bgp_table *bgp_table_free(struct bgp_table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_blocks; i++)
		free(t->blocks[i]);
	free(t->blocks);
	free(t->index.v);
	free(t->old.v);
	free(t);
	return NULL;
}

static struct slot *slot_at(const struct bgp_table *t, uint32_t i)
{
	return (struct slot *)(void *)(t->blocks[i / BLOCK_SLOTS] + i % BLOCK_SLOTS * t->stride);
}

/* Two rounds of a multiply and fold, seeded: whoever chooses prefixes can't make them pile up. */
static uint64_t mix(uint64_t x, uint64_t seed)
{
	__uint128_t m = (__uint128_t)(x ^ seed) * 0x9e3779b97f4a7c15u;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static size_t hash_of(const struct bgp_table *t, uint8_t len, const uint8_t *bytes)
{
	uint64_t a = 0, b = 0;

	if (t->family == FAMILY_V4) {
		memcpy(&a, bytes, 4);
		return mix(a << 8 | len, t->seed);
	}
	memcpy(&a, bytes, 8);
	memcpy(&b, bytes + 8, 8);
	return mix(mix(a, t->seed) ^ b ^ (uint64_t)len << 56, t->seed + len);
}

static bool slot_is(const struct bgp_table *t, uint32_t i, const struct prefix *p)
{
	const struct slot *s = slot_at(t, i);

	return s->used && s->len == p->len &&
	       memcmp(s->bytes, p->addr.b, addr_bytes(t->family)) == 0;
}

/* The position in @index that holds the prefix, or the free one where it would go. */
static size_t index_find(const struct bgp_table *t, const struct hash_index *index,
			 const struct prefix *p)
{
	size_t i = hash_of(t, p->len, p->addr.b) & (index->cap - 1);

	while (index->v[i] && !slot_is(t, index->v[i] - 1, p))
		i = (i + 1) & (index->cap - 1);
	return i;
}

static uint32_t index_get(const struct bgp_table *t, const struct hash_index *index,
			  const struct prefix *p)
{
	if (index->cap == 0)
		return BGP_SLOT_NONE;
	uint32_t found = index->v[index_find(t, index, p)];
	return found ? found - 1 : BGP_SLOT_NONE;
}

uint32_t bgp_table_find(const struct bgp_table *t, const struct prefix *p)
{
	uint32_t slot = index_get(t, &t->index, p);

	return slot == BGP_SLOT_NONE ? index_get(t, &t->old, p) : slot;
}

static void index_put(struct bgp_table *t, uint32_t slot)
{
	const struct prefix p = bgp_table_prefix(t, slot);
	uint32_t *at = &t->index.v[index_find(t, &t->index, &p)];

	t->index.n += *at == 0;
	*at = slot + 1;
}

static void move_some(struct bgp_table *t, size_t n)
{
	for (; n > 0 && t->moved < t->old.cap; n--, t->moved++) {
		uint32_t slot = t->old.v[t->moved];

		if (slot && slot_at(t, slot - 1)->used)
			index_put(t, slot - 1);
	}
	if (t->moved == t->old.cap) {
		free(t->old.v);
		t->old = (struct hash_index){ 0 };
		t->moved = 0;
	}
}

static void index_reserve(struct bgp_table *t)
{
	if (t->old.cap)
		move_some(t, MOVE_STEP);
	if (t->index.n < t->index.cap / 4 * 3)
		return;
	move_some(t, t->old.cap);
	t->old = t->index;
	t->index.cap = MAX(t->old.cap * 2, (size_t)INDEX_MIN);
	t->index.v = mem_new_n(uint32_t, t->index.cap);
	t->index.n = 0;
}

static void grow(struct bgp_table *t)
{
	bool first = t->room < BLOCK_SLOTS;
	uint32_t size = first ? MAX(t->room * 4, (uint32_t)FIRST_SLOTS) : BLOCK_SLOTS;

	if (!first || t->n_blocks == 0) {
		mem_grow(t->blocks, t->n_blocks, t->cap_blocks);
		t->blocks[t->n_blocks++] = NULL;
	}
	uint8_t **last = &t->blocks[t->n_blocks - 1];
	*last = mem_resize(*last, size, t->stride);
	t->room = first ? size : t->room + size;
}

static uint32_t slot_take(struct bgp_table *t)
{
	uint32_t i = t->free;

	if (i != FREE_END) {
		t->free = slot_at(t, i)->value;
		return i;
	}
	if (t->slots == t->room)
		grow(t);
	return t->slots++;
}

uint32_t bgp_table_add(struct bgp_table *t, const struct prefix *p, uint32_t value)
{
	assert(p->addr.family == t->family);
	index_reserve(t);
	uint32_t i = slot_take(t);
	struct slot *s = slot_at(t, i);

	*s = (struct slot){ .value = value, .len = p->len, .used = true };
	memcpy(s->bytes, p->addr.b, addr_bytes(t->family));
	index_put(t, i);
	t->n++;
	return i;
}

/* Close the gap at @hole, so that no probe ends too early (Knuth 6.4, algorithm R). */
static void index_close(struct bgp_table *t, size_t hole)
{
	struct hash_index *index = &t->index;
	size_t mask = index->cap - 1;

	for (size_t i = (hole + 1) & mask; index->v[i]; i = (i + 1) & mask) {
		const struct slot *s = slot_at(t, index->v[i] - 1);
		size_t home = hash_of(t, s->len, s->bytes) & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		index->v[hole] = index->v[i];
		hole = i;
	}
	index->v[hole] = 0;
	index->n--;
}

void bgp_table_del(struct bgp_table *t, uint32_t slot)
{
	const struct prefix p = bgp_table_prefix(t, slot);
	size_t at = index_find(t, &t->index, &p);
	bool indexed = t->index.v[at] != 0;
	struct slot *s = slot_at(t, slot);

	if (indexed)
		index_close(t, at);
	s->used = false;
	s->value = t->free;
	t->free = slot;
	t->n--;
}

uint32_t bgp_table_value(const struct bgp_table *t, uint32_t slot)
{
	return slot_at(t, slot)->value;
}

void bgp_table_set(struct bgp_table *t, uint32_t slot, uint32_t value)
{
	slot_at(t, slot)->value = value;
}

struct prefix bgp_table_prefix(const struct bgp_table *t, uint32_t slot)
{
	const struct slot *s = slot_at(t, slot);
	struct prefix p = { .addr.family = t->family, .len = s->len };

	memcpy(p.addr.b, s->bytes, addr_bytes(t->family));
	return p;
}

size_t bgp_table_len(const struct bgp_table *t)
{
	return t->n;
}

uint32_t bgp_table_slots(const struct bgp_table *t)
{
	return t->slots;
}

bool bgp_table_entry(const struct bgp_table *t, uint32_t slot, struct bgp_entry *out)
{
	const struct slot *s = slot_at(t, slot);

	*out = (struct bgp_entry){ .value = s->value, .len = s->len, .bytes = s->bytes };
	return s->used;
}
