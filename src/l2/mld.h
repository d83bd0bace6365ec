/**
 * A multicast listener on one interface, for more solicited-node groups than the kernel should hold
 * (l2/groups.h says why). Pure: groups, queries and the present time in, reports and a deadline
 * out.
 *
 * Driven by l2/mld_io.h. A change is told at once and again (RFC 9777 §6.1, as often as the querier
 * asks for), queries are answered after a random time (§6.2), and all of it is packed into few
 * packets and paced: whatever is asked, no more than MLD_PACE_PACKETS leave in MLD_PACE, and an
 * answer about all groups is spread over a second or more. Once a querier of version 1 is heard
 * all is said in its language (§8.2.1), until none was for long.
 *
 * A query costs the same however many groups there are; a packet that answers it may cost a walk
 * around them. What differs from the RFC: who asks
 * for certain sources is told that all are wanted (§6.3 has them listed), and in version 1 another
 * listener's report does not keep ours back (RFC 2710 §4): switches that look inside want to hear
 * both.
 */
#ifndef L2_MLD_H
#define L2_MLD_H

#include "base/metric.h"
#include "base/time.h"
#include "l2/mld_pkt.h"

enum { MLD_PACE_PACKETS = 10 };
#define MLD_PACE DUR_MS(10)

#define MLD_METRICS(X, S)                                                            \
	X(S, COUNTER, reports, "Reports about groups that the kernel does not hold") \
	X(S, COUNTER, records, "Records in them")                                    \
	X(S, COUNTER, lost, "Such reports that the kernel did not take")             \
	X(S, COUNTER, socket_errors, "Errors of the sockets that hear queries, and retries")

struct mld_stats {
	MLD_METRICS(METRIC_FIELD, )
	uint64_t rx[MLD_RX_COUNT]; /* queries by outcome */
};

extern const struct metric_row mld_metric_rows[];
extern const size_t mld_metric_rows_n;

struct mld;

/** @stats: counts for several listeners; outlives this one */
NODISCARD struct mld *mld_new(uint64_t seed, struct mld_stats *stats);
struct mld *mld_free(struct mld *m); /* takes NULL, returns NULL */

/**
 * How the interface is now. With another address to speak from all groups are told anew, and when
 * the carrier comes back: there may be another switch.
 */
void mld_set_link(struct mld *m, const struct mld_link *link, struct mono now);

/** Listen to these groups, ascending, and to no others. */
void mld_listen(struct mld *m, const uint32_t *groups, size_t n, struct mono now);

/** Somebody else on this host holds a group from now on: no word more about it. */
void mld_forget(struct mld *m, uint32_t group);

/** Leave all groups; each is told once, and nothing else is. */
void mld_end(struct mld *m, struct mono now);

/** Feed a frame. What came of it is also counted. */
enum mld_rx mld_input(struct mld *m, struct rd frame, struct mono now);

/** Write the next packet that is due: true. Call until false, then again at the deadline. */
NODISCARD bool mld_next(struct mld *m, struct mono now, struct wr *out);
struct mono mld_deadline(const struct mld *m);

/** Groups that are listened to. */
size_t mld_groups(const struct mld *m);
/** Nothing is listened to, nor left to say. */
bool mld_is_idle(const struct mld *m);

#endif
