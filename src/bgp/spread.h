/**
 * How one route is spread over the peers: which attributes each of them hears. Peers are small numbers. Spreads
 * are interned, so a route of the table costs the number of its spread, however many peers hear it, and a
 * thousand peers that hear the same cost one bit each.
 */
#ifndef BGP_SPREAD_H
#define BGP_SPREAD_H

#include "bgp/attr.h"

/** "Nobody hears it"; never a spread of the table. */
#define BGP_SPREAD_NONE UINT32_MAX

/** Numbers of peers are below it. */
#define BGP_PEERS_MAX 4096

struct bgp_spreads;

NODISCARD struct bgp_spreads *bgp_spreads_new(void);
struct bgp_spreads *bgp_spreads_free(struct bgp_spreads *t); /* takes NULL, returns NULL */

/** What @peer hears; NULL: nothing. @spread may be BGP_SPREAD_NONE. */
struct bgp_attr *bgp_spread_attr(const struct bgp_spreads *t, uint32_t spread, unsigned peer);

/**
 * The spread that differs from @spread in what @peer hears: @attr, or nothing (NULL).
 * Returns it with a reference for the caller, or BGP_SPREAD_NONE when nobody is left to hear.
 */
uint32_t bgp_spread_with(struct bgp_spreads *t, uint32_t spread, unsigned peer,
			 struct bgp_attr *attr);

/**
 * A spread by itself: @attr for those peers that bgp_spread_own_set() says, now and later. It is like no other,
 * and changes under the routes that have it; so only peers whose session is down may come and go.
 * Returns it with a reference.
 */
uint32_t bgp_spread_own(struct bgp_spreads *t, struct bgp_attr *attr, void *owner);
void bgp_spread_own_set(struct bgp_spreads *t, uint32_t spread, unsigned peer, bool hears);
/** Who made it by bgp_spread_own(); NULL for the others. */
void *bgp_spread_owner(const struct bgp_spreads *t, uint32_t spread);
uint32_t bgp_spread_refs(const struct bgp_spreads *t, uint32_t spread);

/* References keep a spread; BGP_SPREAD_NONE is fine. */
void bgp_spread_ref(struct bgp_spreads *t, uint32_t spread);
void bgp_spread_unref(struct bgp_spreads *t, uint32_t spread);

/** A route of the family began (+1) or ceased (-1) to be spread like this: for counting. */
void bgp_spread_count(struct bgp_spreads *t, uint32_t spread, enum family family, int change);
/** How many routes of the family @peer is to hear. */
size_t bgp_spreads_wanted(const struct bgp_spreads *t, unsigned peer, enum family family);

/** Spreads are born in order; how many were until now. */
uint64_t bgp_spreads_births(const struct bgp_spreads *t);
/** Do these two peers hear the same by all spreads that were born after the first @since? */
bool bgp_spreads_alike(const struct bgp_spreads *t, unsigned a, unsigned b, uint64_t since);

/** Spreads alive. */
size_t bgp_spreads_len(const struct bgp_spreads *t);

#endif
