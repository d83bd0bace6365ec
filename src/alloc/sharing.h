/**
 * Addresses that several services may have at once: the same non-empty key, no port in common, the
 * same backend.
 *
 * What a service brings along are its terms; an address whose holders share is a place. Under each
 * key the places that are occupied alike, out of the same element of a pool, stand in one crowd,
 * the lowest address on top. So the search for the lowest address that a newcomer fits into looks
 * at one of each crowd, be there ever so many addresses under the key.
 */
#ifndef ALLOC_SHARING_H
#define ALLOC_SHARING_H

#include "alloc/profile.h"
#include "alloc/space.h"

/** One service under a key. */
struct terms {
	uint32_t claim; /* whose */
	uint32_t key;
	uint32_t profile;
};

struct sharing {
	struct profiles profiles;
	struct slab keys, terms, places, crowds;
	struct index by_key;
	uint64_t seed;
};

void sharing_init(struct sharing *s);
/** All that is in it but the places, which are dropped before, one by one. */
void sharing_fini(struct sharing *s);

/** Does it ask for an address that it would share? */
static inline bool sharing_wanted(const struct alloc_request *r)
{
	return r->sharing_key && *r->sharing_key;
}

/** The terms of a request with a key. */
NODISCARD uint32_t sharing_terms_new(struct sharing *s, const struct alloc_request *r,
				     uint32_t claim);
/** They are at no place any more. */
void sharing_terms_free(struct sharing *s, uint32_t terms);

/** @seg: where the address is from; NULL: outside every pool, where nobody searches. */
NODISCARD uint32_t place_open(struct sharing *s, const struct addr *a, struct segment *seg,
			      uint32_t terms);
const struct addr *place_addr(const struct sharing *s, uint32_t place);
/** They fit in. */
void place_join(struct sharing *s, uint32_t place, uint32_t terms);
/** True: those were the last, and the place is no more. */
bool place_leave(struct sharing *s, uint32_t place, uint32_t terms);

void place_drop(const struct sharing *s, uint32_t place);

/** Why a request doesn't fit into a place; the holder on which it fails, and the port. */
enum place_refusal { PLACE_FITS, PLACE_NO_KEY, PLACE_OTHER_KEY, PLACE_OTHER_BACKEND, PLACE_PORT };
enum place_refusal place_fits(const struct sharing *s, uint32_t place,
			      const struct alloc_request *r, uint32_t *claim,
			      const struct cfg_port **port);

/**
 * The first address of the family in that pool, in the order of writing, that the request may
 * share; false: none.
 */
bool sharing_lowest(const struct sharing *s, const struct alloc_request *r,
		    const struct pool_space *p, enum family family, struct segment **seg,
		    struct addr *out);

#endif
