/**
 * What a request may have: are these addresses allowed, and which would it be given? Looks only;
 * nothing changes hands.
 */
#ifndef ALLOC_CHOOSE_H
#define ALLOC_CHOOSE_H

#include <stdarg.h>

#include "alloc/claims.h"
#include "alloc/past.h"

struct alloc {
	struct space space;
	struct claims claims;
	struct past past;
	struct addr *lent; /* of the last grant that somebody looked at */
	size_t cap_lent;
	int64_t now_s;
};

/** What would be handed out: one address, or one of each family. */
struct pick {
	struct addr v[2];
	size_t n;
};

/** May the service have exactly these? If not, and @why: why not, appended. */
bool choose_allows(struct alloc *a, const struct alloc_request *r, const struct addr *v, size_t n,
		   struct buf *why);

/** The same addresses in order; to be freed. */
NODISCARD struct addr *choose_sorted(const struct addr *v, size_t n);

/** May it be given addresses of that pool, as far as that is up to the pool? */
bool choose_offers(const struct pool_space *p, const struct alloc_request *r);

/** All that it asks for, from the first pool that has it. */
bool choose_any(struct alloc *a, const struct alloc_request *r, struct pick *out, struct buf *why);

/** The other half of a pair of which the service has one address, out of that pool. */
bool choose_other_half(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
		       const struct addr *one, struct pick *out);

#endif
