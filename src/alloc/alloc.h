/**
 * The allocator: which service has which addresses. A core without clock or input of its own; the
 * same requests in the same order give the same addresses.
 *
 * Rules of MetalLB: an explicit request must lie in one pool, an explicit pool must exist, and both
 * must be open to the service; else pools are tried one after the other, first those reserved
 * (serviceAllocation) by ascending priority, 0 last, then the others, all in the order of the
 * configuration; inside a pool the lowest usable address in the order of writing. Usable is what
 * nobody has, or what its holders share with the service: the same non-empty key, no port in
 * common, the same backend. Freed addresses are used again at once, unless the configuration says
 * otherwise (`allocation: {rest, sticky}`).
 *
 * Cost: each call takes well under a microsecond, however large the pools and however full, and an
 * address in use less than 100 bytes beside the service's name; figures in docs/performance.md.
 */
#ifndef ALLOC_ALLOC_H
#define ALLOC_ALLOC_H

#include "base/buf.h"
#include "config/cfg.h"

enum {
	ALLOC_ADDRESSES_MAX = 10240, /* of one service, chosen by hand; else a pair at most */
	ALLOC_SERVICE_MAX = 511,     /* bytes of its name */
	ALLOC_PAST_MAX = 16,	     /* addresses that are remembered of one that had them */
};

struct alloc_request {
	const char *service;
	const char *namespace; /* NULL: a standalone service, which no namespace rule lets in */
	const struct labels *namespace_labels; /* may be NULL: none */
	const struct labels *labels;	       /* the service's own; may be NULL: none */
	const struct addr *addresses;	       /* asked for by name; none: the allocator chooses */
	size_t n_addresses;
	bool by_hand;	  /* these may lie outside every pool, and be more than a pair */
	const char *pool; /* or NULL: any that assigns automatically */

	bool want_v4, want_v6; /* neither: one address of any family */
	enum cfg_family_policy policy;
	bool v6_first; /* which family PreferDualStack falls back to first */

	const char *sharing_key; /* NULL or "": not shared */
	const struct cfg_port *ports;
	size_t n_ports;
	const char *backend;
};

struct alloc_grant {
	const char *pool;	      /* NULL: outside every pool */
	const struct addr *addresses; /* lent until the next call */
	size_t n;		      /* IPv4 first where the allocator chose */
};

struct alloc;

/** The pools of @c are borrowed as long as the allocator lives. */
NODISCARD struct alloc *alloc_new(const struct cfg *c);
struct alloc *alloc_free(struct alloc *a);
void alloc_freep(struct alloc **a);

/**
 * Which namespaces there are, by their labels. To the reference a reservation whose selectors match
 * none of them restricts nobody who asks, and is offered to nobody. Until this is called there are
 * no others than those of requests. True: for some pool it is not as it was.
 */
bool alloc_set_namespaces(struct alloc *a, const struct labels *v, size_t n);

/**
 * The time in seconds, of any clock that goes on over restarts: addresses whose rest is over by now
 * are free again. It never goes back. Only `allocation: {rest}` depends on it.
 */
void alloc_advance(struct alloc *a, int64_t now_s);
/** When the next rest is over, so that somebody may fit who did not; INT64_MAX: nobody rests. */
int64_t alloc_next_wake(const struct alloc *a);

/**
 * The service gave these back at @at_s, before we began; for those who rest and those who return.
 * Of very many the first ALLOC_PAST_MAX.
 * To be called in the order of time. Addresses in use or in no pool are passed over.
 */
void alloc_remember(struct alloc *a, const char *service, const struct addr *v, size_t n,
		    int64_t at_s);

/**
 * Give the service what it asks for. What it has already stays wherever the request still allows
 * it, and a single address that would rather be a pair is completed out of its pool.
 * @why: where it is refused, what was tried and why not, appended; may be NULL. Pools stand in it as
 *       "pool NAME: WORD (text)", separated by "; ", those beyond some 2,000 bytes only as their
 *       number. Words: full, resting, no-family, manual, reserved.
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
bool alloc_find(struct alloc *a, const char *service, struct alloc_grant *out);

/** Distinct addresses, not services; sizes saturate at 2^63 - 1. */
struct alloc_family_usage {
	uint64_t total; /* those that may be handed out */
	uint64_t used;
	uint64_t resting;
	uint64_t free;
	struct addr next; /* who comes next gets this one; unset: none is free */
};

struct alloc_usage {
	struct alloc_family_usage v4, v6;
};

/** False when there is no such pool. Changes nothing that anyone can see. */
bool alloc_usage(struct alloc *a, const char *pool, struct alloc_usage *out);

#endif
