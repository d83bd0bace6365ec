/**
 * The announcer's shell: packet sockets, their filters and timers on a loop (the packet thread's).
 *
 * On each interface of the table there is one socket for ARP and one for IPv6, with a filter that
 * lets through requests for what is owned and nothing else, so that nothing else wakes the process.
 * While the owner of some address is not the one that the table predicted, the filter is that of
 * all addresses that could be ours.
 *
 * With a struct fast the filters are programs over its map of addresses, which this keeps: what is
 * owned is in it, to be answered in the driver where that is attached, and what this node waits
 * for. When that fails (the map is full) nothing is answered in drivers any more, and L2_MAP_FAILED
 * asks for a table that brings filters.
 *
 * Trouble on one interface stays there: its sockets are opened again later, the others go on.
 *
 * IPv6 also needs memberships of groups: l2/groups.h, on the control thread.
 */
#ifndef L2_IO_H
#define L2_IO_H

#include "base/loop.h"
#include "l2/announcer.h"
#include "net/fast.h"

struct l2_io_conf {
	struct loop *loop;
	struct l2_announcer_conf announcer;
	struct fast *fast;				     /* lent; NULL: none */
	void (*event)(void *ctx, const struct l2_event *ev); /* must not call back into l2_io */
	void *ctx;
};

struct l2_io;

NODISCARD struct l2_io *l2_io_new(const struct l2_io_conf *conf);

/** Put a table in force; returns the one before (NULL at first), which is the caller's again. */
struct l2_table *l2_io_apply(struct l2_io *io, struct l2_table *table);

/** A node died or came back. */
void l2_io_set_alive(struct l2_io *io, uint16_t node, bool alive);
/** See l2_announcer_bar(). */
void l2_io_bar(struct l2_io *io, uint16_t node, bool barred);
/** See l2_announcer_remind(). */
void l2_io_remind(struct l2_io *io, uint16_t node);
/** See l2_announcer_yield(). */
void l2_io_yield(struct l2_io *io, bool yields);

/**
 * Fall silent on all interfaces, without events.
 * Returns the table that was in force, the caller's again. Nothing but l2_io_free() may follow.
 */
struct l2_table *l2_io_stop(struct l2_io *io);

/** After l2_io_stop(), or when there never was a table. Takes NULL, returns NULL. */
struct l2_io *l2_io_free(struct l2_io *io);

/** For l2_stats_read(), from any thread. */
const struct l2_stats *l2_io_stats(const struct l2_io *io);

#endif
