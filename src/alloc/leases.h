/**
 * The addresses in use, each with its owner. Families apart: 8 bytes for one of IPv4, 20 for one of
 * IPv6, and their share of the index.
 */
#ifndef ALLOC_LEASES_H
#define ALLOC_LEASES_H

#include "alloc/index.h"
#include "alloc/slab.h"
#include "base/addr.h"

struct leases {
	struct slab v4, v6;
	struct index by_addr;
	uint64_t seed;
};

void leases_init(struct leases *l);
void leases_fini(struct leases *l);

/** The lease of an address, or 0. */
uint32_t leases_find(const struct leases *l, const struct addr *a);
/** A lease of an address that has none. */
NODISCARD uint32_t leases_open(struct leases *l, const struct addr *a);
void leases_close(struct leases *l, uint32_t lease);

struct addr lease_addr(const struct leases *l, uint32_t lease);
/** Whose it is: for the users of leases to say. */
uint32_t *lease_owner(const struct leases *l, uint32_t lease);

#endif
