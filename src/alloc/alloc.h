/**
 * The allocator: which service has which addresses. A core without clock or input of its own; the
 * same requests in the same order give the same addresses.
 *
 * Rules of MetalLB: an explicit request must lie in one pool, an explicit pool must exist, else
 * pools are tried in the order of the configuration; inside a pool the lowest usable address in the
 * order of writing. Usable is what nobody has, or what its holders share with the service: the same
 * non-empty key, no port in common, the same backend. Freed addresses are used again at once.
 *
 * Cost: used addresses are runs of neighbours (alloc/runs.h), so the size of a pool does not
 * matter.
 */
#ifndef ALLOC_ALLOC_H
#define ALLOC_ALLOC_H

#include "base/buf.h"
#include "config/cfg.h"

struct alloc_request {
	const char *service;
	const char *namespace; /* NULL: a standalone service, which no namespace rule lets in */
	const struct labels *namespace_labels; /* may be NULL: none */
	const struct labels *labels;	       /* the service's own; may be NULL: none */
	const struct addr *addresses;	       /* asked for by name; none: the allocator chooses */
	size_t n_addresses;
	bool by_hand;	  /* these may lie outside every pool, and be any number */
	const char *pool; /* or NULL: any that assigns automatically */

	bool want_v4, want_v6; /* neither: one address of any family */
	enum cfg_family_policy policy;
	bool v6_first; /* which family PreferDualStack falls back to first */

	const char *sharing_key; /* NULL or "": not shared */
	const struct cfg_port *ports;
	size_t n_ports;
	const char *backend;
};

/** What a service has; lent until the next change of its claim. */
struct alloc_grant {
	const char *pool; /* NULL: outside every pool */
	const struct addr *addresses;
	size_t n; /* IPv4 first where the allocator chose */
};

struct alloc;

/** @c is borrowed as long as the allocator lives. */
NODISCARD struct alloc *alloc_new(const struct cfg *c);
struct alloc *alloc_free(struct alloc *a);
void alloc_freep(struct alloc **a);

/**
 * Give the service what it asks for. What it has already stays wherever the request still allows
 * it, and a single address that would rather be a pair is completed out of its pool.
 * @why: where it is refused, what was tried and why not, appended; may be NULL
 *
 * Returns 0, or -1: then the service holds nothing.
 */
NODISCARD int alloc_assign(struct alloc *a, const struct alloc_request *r, struct buf *why);

/**
 * The service had @held before: it has them again, unless its request or the configuration forbid
 * it by now.
 * Returns 0, or -1 with a reason: then the service holds nothing.
 */
NODISCARD int alloc_hold(struct alloc *a, const struct alloc_request *r, const struct addr *held,
			 size_t n_held, struct buf *why);

/** Give back all that a service has; nothing held is nothing to do. */
void alloc_release(struct alloc *a, const char *service);

/** False when it holds nothing. */
bool alloc_find(const struct alloc *a, const char *service, struct alloc_grant *out);

/**
 * Capacity and use of one pool, per family; sizes saturate at 2^63 - 1. Distinct addresses, not
 * services.
 */
struct alloc_usage {
	uint64_t total_v4, used_v4;
	uint64_t total_v6, used_v6;
};
/** False when there is no such pool. */
bool alloc_usage(const struct alloc *a, const char *pool, struct alloc_usage *out);

#endif
