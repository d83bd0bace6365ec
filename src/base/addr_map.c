#include "base/addr_map.h"

#include <assert.h>

#define SLOTS_MIN 16u

/* Linear probing; at most three quarters full. */
struct addr_map {
	void **slots;
	size_t mask;
	size_t n;
};

struct addr_map *addr_map_new(void)
{
	struct addr_map *m = mem_new(struct addr_map);

	m->slots = mem_new_n(void *, SLOTS_MIN);
	m->mask = SLOTS_MIN - 1;
	return m;
}

struct addr_map *addr_map_free(struct addr_map *m)
{
	if (!m)
		return NULL;
	free(m->slots);
	free(m);
	return NULL;
}

size_t addr_map_len(const struct addr_map *m)
{
	return m->n;
}

static size_t home_of(const struct addr_map *m, const struct addr *a)
{
	return (size_t)addr_hash(a) & m->mask;
}

/* Where the address is, or the empty slot where it would go. */
static size_t slot_of(const struct addr_map *m, const struct addr *a)
{
	size_t slot = home_of(m, a);

	while (m->slots[slot] && !addr_eq(m->slots[slot], a))
		slot = (slot + 1) & m->mask;
	return slot;
}

void *addr_map_get(const struct addr_map *m, const struct addr *a)
{
	return m->slots[slot_of(m, a)];
}

static void resize(struct addr_map *m, size_t size)
{
	struct addr_map bigger = { .slots = mem_new_n(void *, size), .mask = size - 1, .n = m->n };

	for (size_t i = 0; i <= m->mask; i++) {
		if (m->slots[i])
			bigger.slots[slot_of(&bigger, m->slots[i])] = m->slots[i];
	}
	free(m->slots);
	*m = bigger;
}

void addr_map_put(struct addr_map *m, void *record)
{
	if ((m->n + 1) * 4 > (m->mask + 1) * 3)
		resize(m, (m->mask + 1) * 2);
	size_t slot = slot_of(m, record);

	assert(!m->slots[slot]);
	m->slots[slot] = record;
	m->n++;
}

/* Close the gap, so that probing needs no tombstones. */
static void close_gap(struct addr_map *m, size_t gap)
{
	for (size_t slot = (gap + 1) & m->mask; m->slots[slot]; slot = (slot + 1) & m->mask) {
		size_t home = home_of(m, m->slots[slot]);

		if (((slot - home) & m->mask) < ((slot - gap) & m->mask))
			continue; /* it would stand in front of where its probing starts */
		m->slots[gap] = m->slots[slot];
		gap = slot;
	}
	m->slots[gap] = NULL;
}

void *addr_map_del(struct addr_map *m, const struct addr *a)
{
	size_t slot = slot_of(m, a);
	void *record = m->slots[slot];

	if (!record)
		return NULL;
	close_gap(m, slot);
	m->n--;
	return record;
}

void *addr_map_next(const struct addr_map *m, size_t *at)
{
	while (*at <= m->mask) {
		void *record = m->slots[(*at)++];

		if (record)
			return record;
	}
	return NULL;
}
