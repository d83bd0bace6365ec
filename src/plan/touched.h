/**
 * Which services' decisions for this node (world_me) a change can alter: planning these again
 * equals planning all.
 *
 *   a service   itself, and those that share its addresses, directly or through others (those that
 *               it left by giving an address up are named by the world)
 *   ourselves   every service that has an address
 *   a node      those that Layer 2 may announce: their candidates are all nodes; BGP looks at ours
 *   a namespace none: allocation alone looks at it
 *   everything  all services of the world; decisions about services that are gone are the caller's
 *               to drop
 */
#ifndef PLAN_TOUCHED_H
#define PLAN_TOUCHED_H

#include "world/world.h"

/** Call @touch for each, once; the order is stable. A service that is gone is touched too. */
void plan_touched(const struct world *w, enum world_change what, const char *name,
		  void (*touch)(void *ctx, const char *service), void *ctx);

#endif
