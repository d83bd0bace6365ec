/**
 * The free space of all pools. Each element of a pool's `addresses` is one segment of neighbours;
 * segments keep the order of writing.
 */
#ifndef ALLOC_SPACE_H
#define ALLOC_SPACE_H

#include "alloc/alloc.h"
#include "alloc/runs.h"

struct segment {
	struct pool_space *pool;
	size_t order; /* among the pool's */
	uint8_t family;
	runs_num first, last;
	/* With those that must never be handed out, once we stumbled upon them. */
	struct runs used;
};

struct pool_space {
	const struct cfg_pool *cfg;
	size_t order; /* among the pools */
	struct segment *segments;
	size_t n;
	size_t maybe_free
		[2]; /* the first segment of the family (v4, v6) that may have a free address */
	uint64_t used[2];
};

struct space {
	struct pool_space *pools; /* in the order of the configuration */
	size_t n;
	struct segment **by_first; /* of all pools, by family and address */
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

void space_take(struct segment *seg, const struct addr *a);
void space_give(struct segment *seg, const struct addr *a);

/** The first free address of the family in the order of writing. */
bool space_lowest(struct pool_space *p, enum family family, struct segment **seg, struct addr *out);
/** Number of addresses that may be handed out. */
uint64_t space_total(const struct pool_space *p, enum family family);

#endif
