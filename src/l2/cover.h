/**
 * A set of addresses as a short list of prefixes, and that list as a packet filter's text.
 *
 * The list is exact while it is short enough. Beyond that neighbours are merged, nearest first, so
 * that it covers every address of the set and as few others as possible.
 */
#ifndef L2_COVER_H
#define L2_COVER_H

#include "base/addr.h"
#include "base/buf.h"

/**
 * Cover @addrs (one family, ascending, no address twice) with at most @max prefixes (at least 1),
 * ascending and disjoint.
 * @out: room for @max prefixes
 * Returns how many there are.
 */
size_t l2_cover(const struct addr *addrs, size_t n, size_t max, struct prefix *out);

/**
 * Append the text of a filter for ARP requests whose target lies in @prefixes (IPv4, ascending,
 * disjoint, @n > 0).
 * @claims: also for everything by ARP whose sender does
 */
void l2_cover_arp_text(struct buf *b, const struct prefix *prefixes, size_t n, bool claims);

/**
 * The same for neighbour solicitations (IPv6).
 * @claims: also for advertisements of such targets, and for all solicitations of such a sender
 */
void l2_cover_ndp_text(struct buf *b, const struct prefix *prefixes, size_t n, bool claims);

/** The same for echo requests, of the prefixes' family. */
void l2_cover_ping_text(struct buf *b, const struct prefix *prefixes, size_t n);

#endif
