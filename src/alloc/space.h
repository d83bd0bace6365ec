/**
 * The free space of all pools. Each element of a pool's `addresses` is one segment of neighbours;
 * segments keep the order of writing.
 */
#ifndef ALLOC_SPACE_H
#define ALLOC_SPACE_H

#include "alloc/alloc.h"
#include "alloc/numset.h"

/** An address as a number. */
#define space_num __uint128_t

struct segment {
	struct pool_space *pool;
	size_t order; /* among the pool's */
	uint8_t family;
	space_num first, last;
	/*
	 * Distances from the first address: of those in use, of those at rest, and of those that
	 * must never be handed out, once we stumbled upon them. What is farther away than 64 bits
	 * can count is not kept: nothing is ever handed out there unasked.
	 */
	struct numset taken;
};

struct pool_space {
	const struct cfg_pool *cfg;
	bool selected; /* there is a namespace that its reservation's selectors match */
	struct segment *segments;
	size_t n;
	/* By family, v4 and v6: */
	size_t maybe_free[2]; /* the first segment that may have a free address */
	uint64_t used[2];
	uint64_t resting[2];
};

struct space {
	struct pool_space *pools; /* in the order of the configuration */
	size_t n;
	struct pool_space **ranked; /* in the order in which they are tried */
	struct segment **by_first;  /* of all pools, by family and address */
	size_t n_segments;
};

void space_init(struct space *s, const struct cfg *c);
void space_fini(struct space *s);

struct pool_space *space_pool(const struct space *s, const char *name);
/** The segment that holds the address, or NULL. */
struct segment *space_find(const struct space *s, const struct addr *a);
/** Does the pool have addresses of that family at all? */
bool space_has_family(const struct pool_space *p, enum family family);
/** Would the pool rather not hand that address out (avoid-buggy-ips)? */
bool space_avoids(const struct pool_space *p, const struct addr *a);

/** How far an address of it is from its first one; what is more than 2^32 - 1 counts as that. */
uint32_t space_distance(const struct segment *seg, const struct addr *a);

/** The address is in use now, and not any more. */
void space_take(struct segment *seg, const struct addr *a);
void space_give(struct segment *seg, const struct addr *a);
/** The address, which is not in use, is not to be handed out for a while; and the end of that. */
void space_rest(struct segment *seg, const struct addr *a);
void space_wake(struct segment *seg, const struct addr *a);

/** The first free address of the family in the order of writing. */
bool space_lowest(struct pool_space *p, enum family family, struct segment **seg, struct addr *out);
/** Number of addresses that may be handed out. */
uint64_t space_total(const struct pool_space *p, enum family family);

#endif
