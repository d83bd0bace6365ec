#include "base/map.h"

#include <string.h>

#include "base/rng.h"

#define INDEX_MIN 16u

struct entry {
	char *key; /* terminated; NULL once deleted */
	size_t len;
	uint64_t hash;
	void *value;
};

/* Entries stand in the order of insertion; the index finds them: linear probing over entry numbers + 1. */
struct map {
	struct entry *entries;
	size_t n; /* entries, the deleted ones included */
	size_t cap;
	size_t live;
	uint32_t *index;
	size_t index_mask;
	uint64_t seed;
};

struct map *map_new(void)
{
	struct map *m = mem_new(struct map);

	m->index = mem_new_n(uint32_t, INDEX_MIN);
	m->index_mask = INDEX_MIN - 1;
	rng_secure(&m->seed, sizeof(m->seed));
	return m;
}

struct map *map_free(struct map *m)
{
	if (!m)
		return NULL;
	map_clear(m, NULL);
	free(m->entries);
	free(m->index);
	free(m);
	return NULL;
}

void map_freep(struct map **m)
{
	*m = map_free(*m);
}

size_t map_len(const struct map *m)
{
	return m->live;
}

/* Multiply to 128 bits and fold: every bit of the input reaches every bit of the result. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 x = (unsigned __int128)a * b;

	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

static uint64_t hash_of(uint64_t seed, const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t h = fold(seed ^ len, 0x9fb21c651e98df25u);

	for (size_t left = len; left > 0;) {
		uint64_t word = 0;
		size_t n = MIN(left, sizeof(word));

		memcpy(&word, p, n);
		h = fold(h ^ word ^ seed, 0xd6e8feb86659fd93u) + seed;
		p += n;
		left -= n;
	}
	return fold(h, 0xa0761d6478bd642fu ^ seed);
}

static bool entry_is(const struct entry *en, uint64_t hash, const void *key, size_t len)
{
	return en->hash == hash && en->len == len && memcmp(en->key, key, len) == 0;
}

/* The index slot of the key, or the empty one where it would go. */
static size_t slot_of(const struct map *m, uint64_t hash, const void *key, size_t len)
{
	size_t slot = hash & m->index_mask;

	while (m->index[slot] && !entry_is(&m->entries[m->index[slot] - 1], hash, key, len))
		slot = (slot + 1) & m->index_mask;
	return slot;
}

static void index_add(struct map *m, size_t entry)
{
	size_t slot = m->entries[entry].hash & m->index_mask;

	while (m->index[slot])
		slot = (slot + 1) & m->index_mask;
	m->index[slot] = (uint32_t)entry + 1;
}

/* Close the gap of a deleted slot, so that probing never needs tombstones. */
static void index_remove(struct map *m, size_t gap)
{
	for (size_t slot = (gap + 1) & m->index_mask; m->index[slot];
	     slot = (slot + 1) & m->index_mask) {
		size_t home = m->entries[m->index[slot] - 1].hash & m->index_mask;
		size_t from_home = (slot - home) & m->index_mask;
		size_t from_gap = (slot - gap) & m->index_mask;

		if (from_home < from_gap)
			continue; /* it would move in front of where its probing starts */
		m->index[gap] = m->index[slot];
		gap = slot;
	}
	m->index[gap] = 0;
}

static void index_rebuild(struct map *m, size_t slots)
{
	if (slots == m->index_mask + 1) {
		memset(m->index, 0, slots * sizeof(*m->index));
	} else {
		free(m->index);
		m->index = mem_new_n(uint32_t, slots);
		m->index_mask = slots - 1;
	}
	for (size_t i = 0; i < m->n; i++)
		index_add(m, i);
}

static void squeeze(struct map *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->entries[i].key)
			m->entries[n++] = m->entries[i];
	}
	m->n = n;
}

/* Room for one more. Only here do entries move: a walk may delete, but not insert. */
static void make_room(struct map *m)
{
	size_t slots = m->index_mask + 1;

	if (m->n < m->cap && m->live + 1 <= slots / 4 * 3)
		return;
	if (m->live + 1 > slots / 4 * 3)
		slots *= 2;
	if (m->n > m->live) {
		squeeze(m);
		index_rebuild(m, slots);
	} else if (slots != m->index_mask + 1) {
		index_rebuild(m, slots);
	}
	if (m->n > m->cap / 2)
		m->cap = m->cap ? m->cap * 2 : 8;
	m->entries = mem_resize(m->entries, m->cap, sizeof(*m->entries));
}

static char *key_copy(const void *key, size_t len)
{
	char *copy = mem_zero(1, len + 1);

	if (len)
		memcpy(copy, key, len);
	return copy;
}

void *map_get_bytes(const struct map *m, const void *key, size_t len)
{
	uint32_t at = m->index[slot_of(m, hash_of(m->seed, key, len), key, len)];

	return at ? m->entries[at - 1].value : NULL;
}

void *map_put_bytes(struct map *m, const void *key, size_t len, void *value)
{
	uint64_t hash = hash_of(m->seed, key, len);
	uint32_t at = m->index[slot_of(m, hash, key, len)];

	if (at) {
		void *old = m->entries[at - 1].value;
		m->entries[at - 1].value = value;
		return old;
	}
	make_room(m);
	m->entries[m->n] = (struct entry){
		.key = key_copy(key, len),
		.len = len,
		.hash = hash,
		.value = value,
	};
	index_add(m, m->n);
	m->n++;
	m->live++;
	return NULL;
}

void *map_del_bytes(struct map *m, const void *key, size_t len)
{
	size_t slot = slot_of(m, hash_of(m->seed, key, len), key, len);
	uint32_t at = m->index[slot];

	if (!at)
		return NULL;
	struct entry *en = &m->entries[at - 1];
	index_remove(m, slot);
	free(en->key); /* last: @key may be this very copy, lent by map_next() */
	en->key = NULL;
	m->live--;
	return en->value;
}

void *map_get(const struct map *m, const char *key)
{
	return map_get_bytes(m, key, strlen(key));
}

void *map_put(struct map *m, const char *key, void *value)
{
	return map_put_bytes(m, key, strlen(key), value);
}

void *map_del(struct map *m, const char *key)
{
	return map_del_bytes(m, key, strlen(key));
}

bool map_next(const struct map *m, size_t *at, const char **key, void **value)
{
	while (*at < m->n && !m->entries[*at].key)
		(*at)++;
	if (*at >= m->n)
		return false;
	const struct entry *en = &m->entries[(*at)++];
	if (key)
		*key = en->key;
	*value = en->value;
	return true;
}

void map_clear(struct map *m, void (*free_value)(void *))
{
	for (size_t i = 0; i < m->n; i++) {
		struct entry *en = &m->entries[i];

		if (!en->key)
			continue;
		free(en->key);
		if (free_value)
			free_value(en->value);
	}
	m->n = 0;
	m->live = 0;
	memset(m->index, 0, (m->index_mask + 1) * sizeof(*m->index));
}
