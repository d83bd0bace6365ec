/**
 * Records of one size under handles of 32 bits: half of a pointer, and without malloc's overhead. A
 * record stays where it is as long as it lives; handles of freed ones are used again, latest first.
 */
#ifndef ALLOC_SLAB_H
#define ALLOC_SLAB_H

#include "base/mem.h"

/** Records in one piece of memory. */
#define SLAB_CHUNK 256u

struct slab {
	uint8_t **chunks;
	size_t n_chunks, cap_chunks;
	uint32_t record; /* bytes */
	uint32_t n;	 /* handles ever given out */
	uint32_t free;	 /* the latest freed handle; a freed record holds the one before */
};

/** @record: bytes of each, at least 4. */
#define SLAB_OF(type) ((struct slab){ .record = sizeof(type) })

void slab_fini(struct slab *s);

/** A zeroed record; its handle is never 0. */
NODISCARD uint32_t slab_new(struct slab *s);
void slab_free(struct slab *s, uint32_t handle);

static inline void *slab_at(const struct slab *s, uint32_t handle)
{
	uint32_t at = handle - 1;

	return s->chunks[at / SLAB_CHUNK] + (size_t)(at % SLAB_CHUNK) * s->record;
}

#endif
