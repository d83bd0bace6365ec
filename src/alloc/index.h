/**
 * From a hash to the handles that were put in under it: the reader compares what they stand for.
 *
 * Slots stand in the order of their hashes, each at its home or a little behind (linear probing):
 * so a look-up in vain ends early even when three of four slots are taken, and growing is one
 * pass through memory. 11 to 13 bytes for each handle.
 */
#ifndef ALLOC_INDEX_H
#define ALLOC_INDEX_H

#include <stdbool.h>

#include "base/mem.h"

struct index_slot {
	uint32_t hash;
	uint32_t handle; /* 0: a free slot */
};

/** Zero-initialised is valid and empty. */
struct index {
	struct index_slot *slots;
	size_t homes; /* slots that are somebody's home; behind them stands some more room */
	size_t n;
};

void index_fini(struct index *x);
void index_add(struct index *x, uint32_t hash, uint32_t handle);
/** It is in. */
void index_del(struct index *x, uint32_t hash, uint32_t handle);

/** A walk through the handles of one hash. */
struct index_walk {
	const struct index_slot *at;
	uint32_t hash;
};

/** That hash is going to be looked for in a moment: memory may begin to fetch what is there. */
static inline void index_prefetch(const struct index *x, uint32_t hash)
{
	__builtin_prefetch(x->slots + ((uint64_t)hash * x->homes >> 32));
}

struct index_walk index_find(const struct index *x, uint32_t hash);
/** The next one, or 0. */
static inline uint32_t index_next(struct index_walk *w)
{
	if (!w->at || w->at->hash != w->hash)
		return 0;
	return (w->at++)->handle;
}

/** Walk through all handles; start with *at = 0; 0 at the end. Nothing may change meanwhile. */
uint32_t index_each(const struct index *x, size_t *at);

/** Unlike in each process, so that names which a peer chooses can't be made to meet. */
uint64_t index_seed(void);

static inline uint64_t index_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccd;
	return hash ^ hash >> 32;
}

/** Of any bytes. */
uint32_t index_hash(uint64_t seed, const void *bytes, size_t n);

#endif
