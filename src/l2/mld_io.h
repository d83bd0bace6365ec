/**
 * The listener's shell on one interface: a packet socket that hears the queries, those for one
 * group too, which the kernel would drop, and sends the reports.
 *
 * As long as groups are listened to it has the card let all multicast in. What fails is tried again
 * every second.
 */
#ifndef L2_MLD_IO_H
#define L2_MLD_IO_H

#include "base/loop.h"
#include "l2/mld.h"

struct mld_io;

/** @stats: lent for its lifetime */
NODISCARD struct mld_io *mld_io_new(struct loop *loop, int ifindex, struct mld_stats *stats);

/** Leaves its groups, telling each once. Takes NULL, returns NULL. */
struct mld_io *mld_io_free(struct mld_io *io);

/** How the interface is now: see mld_set_link(). Before the first groups. */
void mld_io_set_link(struct mld_io *io, const struct mld_link *link);

/** Listen to these groups, ascending, and to no others. */
void mld_io_listen(struct mld_io *io, const uint32_t *groups, size_t n);

/** The kernel holds a group from now on. */
void mld_io_forget(struct mld_io *io, uint32_t group);

/** Groups that are listened to, whether they are heard or not. */
size_t mld_io_groups(const struct mld_io *io);
/** False while there is no socket. */
bool mld_io_hears(const struct mld_io *io);
bool mld_io_is_idle(const struct mld_io *io);

#endif
