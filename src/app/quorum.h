/**
 * Who counts when a part of a divided cluster asks whether it is the larger one: every member that was ever seen and has not
 * left by its own word, alive or not, and every node that the configuration names and that was never seen.
 *
 * Exactly one half is the larger one when the member with the lowest name is in it; but only where nobody is missing who
 * was never seen, since his name is not known.
 */
#ifndef APP_QUORUM_H
#define APP_QUORUM_H

#include "base/addr.h"
#include "config/cfg.h"
#include "world/world.h"

struct quorum;

NODISCARD struct quorum *quorum_new(void);
struct quorum *quorum_free(struct quorum *q); /* takes NULL, returns NULL */

/** A live member, ourselves too. */
void quorum_member(struct quorum *q, const char *node, const struct addr *addr);
/** It died, or @left by its own word: then it counts no more until it is back. */
void quorum_gone(struct quorum *q, const char *node, bool left);

/**
 * Count.
 * @is_ours: whether an address is one of this host
 * The name of the tie lives until the next member comes or goes.
 */
struct world_quorum quorum_count(const struct quorum *q, const struct cfg_cluster *c,
				 bool (*is_ours)(void *ctx, const struct addr *a), void *ctx);

#endif
