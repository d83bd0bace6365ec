/**
 * Memberships of the solicited-node groups (RFC 4291 §2.7.1), so that solicitations for our
 * addresses reach this host: the network card lets them in, and the kernel reports them (MLD) to
 * switches that listen.
 *
 * Groups are joined for every address that could become ours, on every interface where it may be
 * announced: a takeover then has nothing to wait for. A group is held once on each interface,
 * however many addresses share it. One socket holds a few hundred memberships, so they are spread
 * over as many sockets as are needed.
 *
 * Joining waits for a kernel lock that others hold for long: this belongs to the control thread.
 * Large changes are worked off in slices, from a timer.
 */
#ifndef L2_GROUPS_H
#define L2_GROUPS_H

#include "base/loop.h"
#include "l2/table.h"

struct l2_groups;

NODISCARD struct l2_groups *l2_groups_new(struct loop *loop);
/** Leaves all groups. Takes NULL, returns NULL. */
struct l2_groups *l2_groups_free(struct l2_groups *g);

/**
 * Make the memberships those that @table needs, now and in the next turns of the loop. @table is
 * not kept. What could not be joined (an interface without IPv6) is tried again every second.
 */
void l2_groups_apply(struct l2_groups *g, const struct l2_table *table);

/** Memberships held, and wanted but not held. */
size_t l2_groups_joined(const struct l2_groups *g);
size_t l2_groups_missing(const struct l2_groups *g);

#endif
