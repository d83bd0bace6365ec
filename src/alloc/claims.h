/**
 * Who holds what: the claims of services and the addresses in use. Knows nothing of what a service
 * may ask for.
 */
#ifndef ALLOC_CLAIMS_H
#define ALLOC_CLAIMS_H

#include "alloc/sharing.h"
#include "alloc/space.h"

/*
 * A claim is one record: its terms, the addresses in 4 or 16 bytes each, the name. Who finds one of
 * them has all at hand. Records differ in size, by CLAIM_STEP bytes. More than CLAIM_ADDRESSES_MAX
 * addresses are a chain of records.
 */
enum {
	CLAIM_STEP = 16,
	CLAIM_ADDRESSES_MAX = 16,
	CLAIM_SIZES = (16 * CLAIM_ADDRESSES_MAX + ALLOC_SERVICE_MAX + CLAIM_STEP) / CLAIM_STEP,
};

struct claims {
	struct slab by_size[CLAIM_SIZES];
	struct index by_service; /* claims */
	struct index by_addr;	 /* owners: claims, or places for those that share */
	struct sharing sharing;
	uint64_t seed;
};

void claims_init(struct claims *c);
void claims_fini(struct claims *c);

/** The claim of a service, or 0. */
uint32_t claims_find(const struct claims *c, const char *service);
/** How many addresses a claim has. */
size_t claims_count(const struct claims *c, uint32_t claim);
/** All of them, in the order in which they were asked for. */
void claims_addresses(const struct claims *c, uint32_t claim, struct addr *out);
/** The first one. */
struct addr claims_first(const struct claims *c, uint32_t claim);
bool claims_in_use(const struct claims *c, const struct addr *a);

/** Record what a service (that holds nothing) has from now on: addresses that it may have. */
void claims_add(struct claims *c, const struct space *s, const struct alloc_request *r,
		const struct addr *addresses, size_t n);
void claims_remove(struct claims *c, const struct space *s, uint32_t claim);

/**
 * May the service of @r have this address as far as its holders go? If not, and @why: why not,
 * appended.
 */
bool claims_shareable(const struct claims *c, const struct addr *a, const struct alloc_request *r,
		      struct buf *why);

#endif
