/**
 * A heap of places by address: those of one key that are occupied alike, out of one segment. Each
 * place knows where in the heap it stands.
 */
#ifndef ALLOC_CROWD_H
#define ALLOC_CROWD_H

#include "alloc/slab.h"
#include "base/addr.h"

struct segment;

/** An address whose holders share it. */
struct place {
	struct addr addr;
	uint32_t profile; /* of all its holders together */
	uint32_t crowd;	  /* 0: none, it is outside every pool */
	uint32_t at;	  /* in the heap */
	uint32_t n;
	uint32_t cap; /* 0: the holders stand in the record itself */
	union {
		uint32_t few[2];
		uint32_t *many;
	} terms;
};

/** A place, and how far from the segment's first address it is, up to what fits. */
struct crowd_rank {
	uint32_t distance;
	uint32_t place;
};

struct crowd {
	struct segment *segment;
	uint32_t next;	  /* under the same key */
	uint32_t profile; /* of each of them, which keep it */
	uint32_t n, cap;
	union {
		struct crowd_rank one; /* while cap is 0 */
		struct crowd_rank *many;
	} places;
};

/* @places: where the places of a heap stand */
void crowd_fini(struct crowd *c);
uint32_t crowd_top(const struct crowd *c);
void crowd_add(struct crowd *c, const struct slab *places, struct crowd_rank rank);
void crowd_del(struct crowd *c, const struct slab *places, uint32_t place);

#endif
