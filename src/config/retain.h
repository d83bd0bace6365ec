/**
 * Objects of a configuration in force that the next one has as well. At first only their places in
 * the lists are kept; config/amend.h mostly needs no more. Where it does, they are unfolded as if
 * they had been loaded again, and the rules between objects look at them like at all others.
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
/** How many of them a configuration has. */
size_t retain_count(const struct cfg *c, enum retain_kind k);

/** Objects [first, first + n) of the configuration before, from place @at on of the loader's list. */
struct retained {
	enum retain_kind kind;
	size_t at, first, n;
};

/** As if those of l->before from number @first to before @end had been loaded. */
void retain_load(struct loader *l, enum retain_kind k, size_t first, size_t end);
/** Number @i of l->before is one of those. */
bool retain_has(const struct loader *l, enum retain_kind k, size_t i);
/** Make objects of the loader of all that are retained. What they point to is not copied. */
void retain_unfold(struct loader *l);

/* Of number @i of l->before. */
struct raw_pool *retain_pool(struct loader *l, size_t i);
struct raw_service *retain_service(struct loader *l, size_t i);
struct raw_network *retain_network(struct loader *l, size_t i);

#endif
