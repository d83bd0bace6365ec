/**
 * Which endpoints objects speak for which service, as they come and go in any order, the service
 * itself included.
 *
 * Where a service has slices, an Endpoints object of its name is left aside: it says the same
 * again, and MetalLB looks at slices alone.
 */
#ifndef WORLD_BACKING_H
#define WORLD_BACKING_H

#include "world/object_endpoints.h"

struct backing;

NODISCARD struct backing *backing_new(void);
struct backing *backing_free(struct backing *b);

/**
 * Put the object in the place of the one of its kind and name.
 * Returns the one that was there, no longer known here and the caller's to free, or NULL.
 */
NODISCARD struct object_endpoints *backing_put(struct backing *b, struct object_endpoints *take);
/** Returns what was there, as above. */
NODISCARD struct object_endpoints *backing_del(struct backing *b, bool is_slice, const char *key);

/** What speaks for a service; *n is 0 where nothing does. Lent until the next change. */
const struct object_endpoints *const *backing_of(const struct backing *b, const char *service,
						 size_t *n);

#endif
