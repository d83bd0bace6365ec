/**
 * Adj-RIB-Out: what one peer is to be told, what it has been told, and the difference as UPDATE messages. Pure.
 *
 * A route has a wanted and a sent set of attributes; it is queued exactly while they differ, so changes that undo
 * each other before they are sent are never sent. Queued routes wait beside those with the same
 * attributes: a message is filled with them up to its full size. Announcements go before
 * withdrawals, so that a prefix that moves between lengths is never without cover.
 *
 * What is wanted outlives the session. Routes of a family that the session does not carry stay queued, unsent.
 *
 * Covered: RFC 4271 §9.2 (one table to one peer, no timers), RFC 4760 for IPv6 unicast, RFC 4724 §2
 * (End-of-RIB), RFC 2918 (the answer to a request).
 */
#ifndef BGP_RIB_H
#define BGP_RIB_H

#include "bgp/attr.h"

struct bgp_rib;

NODISCARD struct bgp_rib *bgp_rib_new(void);
struct bgp_rib *bgp_rib_free(struct bgp_rib *r); /* takes NULL, returns NULL */

/** Want @p with @attr (the rib takes a reference of its own). Returns true when something is to be sent for it. */
bool bgp_rib_set(struct bgp_rib *r, const struct prefix *p, struct bgp_attr *attr);
/** Want @p no more; false when it was not wanted. */
bool bgp_rib_del(struct bgp_rib *r, const struct prefix *p);

/** The session is established: all that is wanted will be sent, then End-of-RIB for each family. */
void bgp_rib_up(struct bgp_rib *r, const struct bgp_format *format);
/** The session is gone, and with it all that was sent. */
void bgp_rib_down(struct bgp_rib *r);
/** Send everything of these families (set of BGP_V4, BGP_V6) again. */
void bgp_rib_refresh(struct bgp_rib *r, uint8_t families);

/** Whether bgp_rib_encode() has something to say. */
bool bgp_rib_pending(const struct bgp_rib *r);

/**
 * Append one UPDATE to @w, which has room for BGP_MSG_MAX bytes; what it holds counts as sent.
 * Returns false when there is nothing to send.
 */
NODISCARD bool bgp_rib_encode(struct bgp_rib *r, struct wr *w);

struct bgp_rib_counts {
	size_t wanted;
	size_t sent; /* announced to the peer now */
	size_t pending; /* changes to send, of families that the session carries (all when it is down) */
	size_t silent; /* wanted, but of a family that the session does not carry */
};
struct bgp_rib_counts bgp_rib_count(const struct bgp_rib *r);

struct bgp_rib_route {
	struct prefix prefix;
	const struct bgp_attr *want; /* NULL: a withdrawal is due */
	const struct bgp_attr *sent; /* NULL: the peer does not have it */
};

/** Walk in order of first insertion: start with *at = 0; false at the end. Change nothing meanwhile. */
bool bgp_rib_next(const struct bgp_rib *r, size_t *at, struct bgp_rib_route *out);
/** One route; false when there is none. */
bool bgp_rib_find(const struct bgp_rib *r, const struct prefix *p, struct bgp_rib_route *out);

/** The format of the running session, or NULL. */
const struct bgp_format *bgp_rib_format(const struct bgp_rib *r);

#endif
