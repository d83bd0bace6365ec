#include "alloc/numset.h"

enum { DIGIT = 6, BITS = 1 << DIGIT, LEVEL_SHIFT = 58 };

/** Bit i of word k of level 0 stands for the number 64 k + i; above, for word 64 k + i below. */
struct word {
	uint64_t key; /* level and k */
	uint64_t bits;
};

static const uint64_t FULL = UINT64_MAX;

void numset_init(struct numset *s)
{
	*s = (struct numset){ 0 };
	slab_init(&s->words, sizeof(struct word));
}

void numset_fini(struct numset *s)
{
	slab_fini(&s->words);
	index_fini(&s->by_key);
}

static uint64_t key_of(unsigned level, uint64_t k)
{
	return (uint64_t)level << LEVEL_SHIFT | k;
}

/* Nobody chooses where in a pool services come to stand so freely that a seed were needed. */
static uint32_t hash_of(uint64_t key)
{
	return (uint32_t)(index_mix(0x9e3779b97f4a7c15, key) >> 32);
}

static uint64_t bit_of(uint64_t x)
{
	return (uint64_t)1 << x % BITS;
}

static uint32_t find(const struct numset *s, uint64_t key)
{
	struct index_walk w = index_find(&s->by_key, hash_of(key));
	uint32_t handle;

	while ((handle = index_next(&w)))
		if (((struct word *)slab_at(&s->words, handle))->key == key)
			break;
	return handle;
}

static uint64_t bits_at(const struct numset *s, unsigned level, uint64_t k)
{
	uint32_t handle = find(s, key_of(level, k));

	return handle ? ((struct word *)slab_at(&s->words, handle))->bits : 0;
}

static struct word *word_to_fill(struct numset *s, uint64_t key)
{
	uint32_t handle = find(s, key);

	if (!handle) {
		handle = slab_new(&s->words);
		((struct word *)slab_at(&s->words, handle))->key = key;
		index_add(&s->by_key, hash_of(key), handle);
	}
	return slab_at(&s->words, handle);
}

bool numset_has(const struct numset *s, uint64_t x)
{
	return bits_at(s, 0, x / BITS) & bit_of(x);
}

void numset_add(struct numset *s, uint64_t x)
{
	for (unsigned level = 0;; level++, x /= BITS) {
		struct word *w = word_to_fill(s, key_of(level, x / BITS));

		w->bits |= bit_of(x);
		if (w->bits != FULL)
			break;
	}
}

void numset_del(struct numset *s, uint64_t x)
{
	for (unsigned level = 0;; level++, x /= BITS) {
		uint64_t key = key_of(level, x / BITS);
		uint32_t handle = find(s, key);

		if (!handle)
			break;
		struct word *w = slab_at(&s->words, handle);
		bool was_full = w->bits == FULL;
		w->bits &= ~bit_of(x);
		if (w->bits == 0) {
			index_del(&s->by_key, hash_of(key), handle);
			slab_free(&s->words, handle);
		}
		if (!was_full)
			break;
	}
}

uint64_t numset_gap(const struct numset *s)
{
	unsigned level = 0;
	uint64_t bits, x = 0;

	while ((bits = bits_at(s, level, 0)) == FULL)
		level++;
	for (;; bits = bits_at(s, --level, x)) {
		x = x * BITS + (uint64_t)__builtin_ctzll(~bits);
		if (level == 0)
			return x;
	}
}

size_t numset_words(const struct numset *s)
{
	return s->by_key.n;
}
