/**
 * Who counts when a part of a divided cluster asks whether it is the larger one: every member that was ever seen and has not
 * left by its own word, alive or not, and every node that the configuration names and that was never seen.
 *
 * Who died and is not named by the configuration counts for QUORUM_MEMORY more, in the larger part; in
 * the smaller one nobody is ever forgotten, for from there nobody can know who lives.
 *
 * Exactly one half is the larger one when the member with the lowest name is in it; but only where nobody is missing who
 * was never seen, since his name is not known.
 */
#ifndef APP_QUORUM_H
#define APP_QUORUM_H

#include "base/addr.h"
#include "config/cfg.h"
#include "world/world.h"

#define QUORUM_MEMORY DUR_S(3600)

struct quorum;

NODISCARD struct quorum *quorum_new(void);
struct quorum *quorum_free(struct quorum *q); /* takes NULL, returns NULL */

/** A live member, ourselves too. */
void quorum_member(struct quorum *q, const char *node, const struct addr *addr);
/** It died, or @left by its own word: then it counts no more until it is back. */
void quorum_gone(struct quorum *q, const char *node, bool left, struct mono now);

/** This is the larger part: forget those whose time is up. */
void quorum_forget(struct quorum *q, const struct cfg_cluster *c, struct mono now);
/** When that is worth while next; MONO_NEVER: not before somebody dies. */
struct mono quorum_forgets_at(const struct quorum *q, const struct cfg_cluster *c);

/**
 * Count.
 * @is_ours: whether an address is one of this host
 * The name of the tie lives until the next member comes or goes.
 */
struct world_quorum quorum_count(const struct quorum *q, const struct cfg_cluster *c,
				 bool (*is_ours)(void *ctx, const struct addr *a), void *ctx);

#endif
