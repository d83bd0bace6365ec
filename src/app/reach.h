/**
 * Where each node can announce by Layer 2, and from which Ethernet addresses it speaks: what this host's links are like
 * is said to the other members (app/share.h), and what they say of theirs goes into the world and to Layer 2. So an
 * address moves at once from a node whose link has lost its carrier, and claims of members are known as such.
 *
 * A link that has lost its carrier counts as lost for a second at least, so that a bad cable moves nothing back and
 * forth.
 */
#ifndef APP_REACH_H
#define APP_REACH_H

#include "app/layer2.h"
#include "app/share.h"

struct reach;

struct reach_conf {
	struct loop *loop;
	struct world *world;
	struct layer2 *layer2;
	struct net_links *links;
	struct share *share;
};

NODISCARD struct reach *reach_new(const struct reach_conf *conf);
struct reach *reach_free(struct reach *r); /* takes NULL, returns NULL */

/** Links, or the configuration, have changed. */
void reach_settle(struct reach *r);

/** What a member says of its host; NULL: nothing any more. */
void reach_heard(struct reach *r, const char *node, const json_t *host);
/** A member has joined: what it said before it was known as one counts now. */
void reach_joined(struct reach *r, const char *node);

#endif
