#include "alloc/index.h"

#include <assert.h>
#include <string.h>

#include "alloc/slab.h"
#include "base/rng.h"

/* Slots behind the last home: more than the longest crowd that chance will ever make. */
enum { HOMES_MIN = 8, ROOM_BEHIND = 64 };

void index_fini(struct index *x)
{
	free(x->slots);
	*x = (struct index){ 0 };
}

static size_t home_of(const struct index *x, uint32_t hash)
{
	return (size_t)((uint64_t)hash * x->homes >> 32);
}

/* The last slot of all is always free, and so ends every walk. */
static size_t last_slot(const struct index *x)
{
	return x->homes + ROOM_BEHIND;
}

/* The first slot of that hash, or else where it would go. */
static size_t slot_of(const struct index *x, uint32_t hash)
{
	size_t at = home_of(x, hash);

	while (x->slots[at].handle && x->slots[at].hash < hash)
		at++;
	return at;
}

static void resize(struct index *x, size_t homes)
{
	struct index fresh = { .homes = homes, .n = x->n };
	size_t end = 0;

	fresh.slots = table_new(last_slot(&fresh) + 1, sizeof(*fresh.slots));
	for (size_t i = 0; x->slots && i < last_slot(x); i++) {
		if (!x->slots[i].handle)
			continue;
		end = MAX(end, home_of(&fresh, x->slots[i].hash));
		assert(end < last_slot(&fresh));
		fresh.slots[end++] = x->slots[i];
	}
	free(x->slots);
	*x = fresh;
}

/* By a quarter: memory follows the number closely, and each handle moves four times all in all. */
static void make_room(struct index *x)
{
	if (x->n >= x->homes - x->homes / 4)
		resize(x, MAX(x->homes + x->homes / 4, (size_t)HOMES_MIN));
}

static size_t end_of_crowd(const struct index *x, size_t at)
{
	while (x->slots[at].handle)
		at++;
	return at;
}

void index_add(struct index *x, uint32_t hash, uint32_t handle)
{
	make_room(x);
	size_t at = slot_of(x, hash), end = end_of_crowd(x, at);
	while (end == last_slot(x)) {
		resize(x, x->homes + x->homes / 4);
		at = slot_of(x, hash);
		end = end_of_crowd(x, at);
	}
	memmove(x->slots + at + 1, x->slots + at, (end - at) * sizeof(*x->slots));
	x->slots[at] = (struct index_slot){ .hash = hash, .handle = handle };
	x->n++;
}

void index_del(struct index *x, uint32_t hash, uint32_t handle)
{
	size_t at = slot_of(x, hash), end;

	while (x->slots[at].handle != handle)
		at++;
	/* Those behind it move up, as far as none passes its home. */
	for (end = at + 1; x->slots[end].handle && home_of(x, x->slots[end].hash) < end;)
		end++;
	memmove(x->slots + at, x->slots + at + 1, (end - 1 - at) * sizeof(*x->slots));
	x->slots[end - 1] = (struct index_slot){ 0 };
	x->n--;
	if (x->homes > HOMES_MIN && x->n < x->homes / 4)
		resize(x, MAX(x->homes / 2, (size_t)HOMES_MIN));
}

struct index_walk index_find(const struct index *x, uint32_t hash)
{
	struct index_walk w = { .hash = hash };

	if (x->n) {
		w.at = x->slots + slot_of(x, hash);
		if (!w.at->handle)
			w.at = NULL;
	}
	return w;
}

uint32_t index_each(const struct index *x, size_t *at)
{
	uint32_t handle = 0;

	while (x->slots && !handle && *at < last_slot(x))
		handle = x->slots[(*at)++].handle;
	return handle;
}

uint64_t index_seed(void)
{
	uint64_t seed;

	rng_secure(&seed, sizeof(seed));
	return seed;
}

uint32_t index_hash(uint64_t seed, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t hash = index_mix(seed, n), word;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = index_mix(hash, word);
	}
	word = 0;
	memcpy(&word, p, n);
	return (uint32_t)(index_mix(hash, word) >> 32);
}
