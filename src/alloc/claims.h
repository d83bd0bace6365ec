/**
 * Who holds what: the claims of services, the addresses in use, and the rules of sharing one. Knows
 * nothing of free space.
 */
#ifndef ALLOC_CLAIMS_H
#define ALLOC_CLAIMS_H

#include "alloc/space.h"
#include "base/map.h"

/** What one service holds, and on which terms. */
struct claim {
	char *service;
	struct pool_space *pool; /* NULL: outside every pool */
	struct addr *addresses;
	size_t n;
	char *sharing_key; /* NULL: not shared */
	struct cfg_port *ports;
	size_t n_ports;
	char *backend;
};

/** An address in use. */
struct lease {
	struct addr addr;
	struct segment *segment; /* NULL: outside every pool */
	struct claim **claims;	 /* at least one */
	size_t n;
};

struct claims {
	struct map *by_service; /* struct claim */
	struct map *by_addr;	/* struct lease */
	struct map *by_key;	/* sharing key -> struct key_leases */
};

void claims_init(struct claims *c);
void claims_fini(struct claims *c);

struct claim *claims_find(const struct claims *c, const char *service);
struct lease *claims_lease(const struct claims *c, const struct addr *a);

/** Record what a service (that holds nothing) has from now on. */
void claims_add(struct claims *c, const struct space *s, const struct alloc_request *r,
		const struct addr *addresses, size_t n);
void claims_remove(struct claims *c, struct claim *claim);

/** May the service of @r use this address in use, too? If not, and @why: why not, appended. */
bool claims_shareable(const struct lease *l, const struct alloc_request *r, struct buf *why);

/**
 * The first leased address of the family in that pool, in the order of writing, that @r may share;
 * or NULL.
 */
const struct lease *claims_lowest_shareable(const struct claims *c, const struct alloc_request *r,
					    const struct pool_space *p, enum family family);

#endif
