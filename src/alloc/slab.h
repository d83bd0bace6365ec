/**
 * Records of one size under handles of 32 bits: half of a pointer, and without malloc's overhead. A
 * record stays where it is as long as it lives; handles of freed ones are used again, latest first.
 */
#ifndef ALLOC_SLAB_H
#define ALLOC_SLAB_H

#include "base/mem.h"

/** Records of one slab: their users keep the upper bits of a handle for themselves. */
enum { SLAB_MAX = 1 << 25 };

struct slab {
	uint8_t **chunks;
	size_t n_chunks, cap_chunks;
	uint8_t **blocks; /* each of one chunk, or of very many */
	size_t n_blocks, cap_blocks;
	uint32_t record; /* bytes */
	uint32_t shift;	 /* a chunk has 1 << shift records */
	uint32_t n;	 /* handles ever given out */
	uint32_t free;	 /* the latest freed handle; a freed record holds the one before */
};

/** @record: bytes of each, at least 4. */
void slab_init(struct slab *s, size_t record);
void slab_fini(struct slab *s);

/** A zeroed record; its handle is never 0. */
NODISCARD uint32_t slab_new(struct slab *s);
void slab_free(struct slab *s, uint32_t handle);

static inline void *slab_at(const struct slab *s, uint32_t handle)
{
	uint32_t at = handle - 1;

	return s->chunks[at >> s->shift] + (size_t)(at & ((1U << s->shift) - 1)) * s->record;
}

/**
 * Zeroed memory like mem_zero()'s. A large table that look-ups go all over stands in huge pages,
 * where the kernel has them: there each look-up costs half as much.
 */
NODISCARD void *table_new(size_t n, size_t size);

#endif
