/**
 * Routes that are announced by hand or by program, without a service behind them: kept by the million, so routes
 * with the same attributes for the same peers are one kind, and a route costs the number of its kind's spread.
 *
 * Driven by speaker.c.
 */
#ifndef BGP_HAND_H
#define BGP_HAND_H

#include "base/map.h"
#include "bgp/rib.h"

struct bgp_hand {
	struct bgp_rib *rib;
	struct map *kinds; /* by what makes them differ */
	char **peers;	   /* names by number; NULL: nobody */
	size_t n_peers;
};

/** Whom a route is for, and whose it is. */
struct bgp_audience {
	const char *const *peers; /* names; none: all, also those to come */
	size_t n_peers;
	uint32_t owner; /* 0: nobody's, else who may take all of it back at once */
};

void bgp_hand_init(struct bgp_hand *h, struct bgp_rib *rib);
void bgp_hand_fini(struct bgp_hand *h);

/** Returns 0, or -ERR_STATE when a service announces the prefix. */
NODISCARD int bgp_hand_set(struct bgp_hand *h, const struct prefix *p, struct bgp_attr *attr,
			   const struct bgp_audience *to);
/** False when it was not announced by hand. */
bool bgp_hand_del(struct bgp_hand *h, const struct prefix *p);
/** Take back all that is @owner's. */
void bgp_hand_drop(struct bgp_hand *h, uint32_t owner);

/** A peer appears, or goes; its session is down. */
void bgp_hand_peer(struct bgp_hand *h, const char *name, unsigned number, bool here);

#endif
