/**
 * Objects of a configuration in force that the next one has as well, as if they had been loaded
 * again: the rules between objects look at them like at all others.
 *
 * They stand nowhere: whatever has to be said of one of them has no place, so a load that has
 * anything to say is for a reader of the whole text (config/reread.h).
 */
#ifndef CONFIG_RETAIN_H
#define CONFIG_RETAIN_H

#include "config/loader.h"

/** The lists of a document that may be long. */
enum retain_kind {
	RETAIN_POOLS,
	RETAIN_L2_ADVS,
	RETAIN_BGP_ADVS,
	RETAIN_SERVICES,
	RETAIN_NETWORKS,
	RETAIN_COUNT,
};

/** Under which key of the root they stand. */
const char *retain_key(enum retain_kind k);
/** How many of such objects have been loaded so far. */
size_t retain_loaded(const struct loader *l, enum retain_kind k);
/**
 * Load those of @c from number @first to before @end, of those that stood in such lists. What they
 * point to is not copied.
 */
void retain_load(struct loader *l, enum retain_kind k, const struct cfg *c, size_t first,
		 size_t end);

#endif
