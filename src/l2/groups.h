/**
 * Memberships of the solicited-node groups (RFC 4291 §2.7.1), so that solicitations for our
 * addresses reach this host: the network card lets them in, and switches that listen are told (MLD).
 *
 * Groups are listened to for every address that could become ours, on every interface where it may
 * be announced: a takeover then has nothing to wait for. A group is held once on each interface,
 * however many addresses share it.
 *
 * Who holds a group: the kernel, while an interface needs few. For each multicast packet that comes
 * in the kernel walks the list of the groups that it holds, so with thousands the announcements of
 * another node's takeover would keep this host busy for seconds. From L2_GROUPS_KERNEL on, further
 * groups are therefore ours: all multicast is let in, and we speak for them (l2/mld.h). Such groups
 * are not in /proc/net/igmp6. A group does not change hands while it is held, but for when few are left:
 * then the kernel takes them, and we are silent about them. So nobody is ever told that a group was
 * left which is still listened to.
 *
 * One socket holds a few hundred memberships of the kernel, so they are spread over as many sockets
 * as are needed. Joining waits for a kernel lock that others hold for long: this belongs to the
 * control thread. Large changes are worked off in slices, from a timer.
 */
#ifndef L2_GROUPS_H
#define L2_GROUPS_H

#include "base/loop.h"
#include "l2/mld.h"
#include "l2/table.h"

/** On each interface: all are the kernel's up to so many, and again when so few are left. */
enum { L2_GROUPS_KERNEL = 256, L2_GROUPS_FEW = 192 };

struct l2_groups;

NODISCARD struct l2_groups *l2_groups_new(struct loop *loop);
/** Leaves all groups. Takes NULL, returns NULL. */
struct l2_groups *l2_groups_free(struct l2_groups *g);

/**
 * Make the memberships those that @table needs, now and in the next turns of the loop. @table is
 * not kept. What could not be joined (an interface without IPv6) is tried again every second.
 */
void l2_groups_apply(struct l2_groups *g, const struct l2_table *table);

enum l2_holder { L2_HOLDER_NONE, L2_HOLDER_KERNEL, L2_HOLDER_OURS };

/** Who holds the group of an IPv6 address on an interface. */
enum l2_holder l2_groups_holder(const struct l2_groups *g, int ifindex, const struct addr *a);

struct l2_groups_count {
	size_t kernel;
	size_t ours;
	size_t missing; /* wanted, but not heard yet */
};

struct l2_groups_count l2_groups_count(const struct l2_groups *g);

/** What was said and heard about groups of ours. */
const struct mld_stats *l2_groups_stats(const struct l2_groups *g);

#endif
