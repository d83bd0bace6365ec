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
	bool to_come;	/* peers that are not here are no mistake: they may come */
};

void bgp_hand_init(struct bgp_hand *h, struct bgp_rib *rib);
void bgp_hand_fini(struct bgp_hand *h);

/** Returns 0, or -ERR_STATE when a service announces the prefix. */
NODISCARD int bgp_hand_set(struct bgp_hand *h, const struct prefix *p, struct bgp_attr *attr,
			   const struct bgp_audience *to);
/**
 * The same, and whoever hears it now goes on. Returns also -ERR_LIMIT when that is somebody else, and with other
 * attributes: a prefix has one set.
 */
NODISCARD int bgp_hand_add(struct bgp_hand *h, const struct prefix *p, struct bgp_attr *attr,
			   const struct bgp_audience *to);
/** False when it was not announced by hand. */
bool bgp_hand_del(struct bgp_hand *h, const struct prefix *p);
/** Take it back from these peers. Returns 0, -ERR_NOT_FOUND, or -ERR_STATE when all peers hear it. */
NODISCARD int bgp_hand_cut(struct bgp_hand *h, const struct prefix *p,
			   const struct bgp_audience *from);
/** For whom it is announced, borrowed until something changes; false when it is not. */
bool bgp_hand_find(const struct bgp_hand *h, const struct prefix *p, struct bgp_audience *out);
/** Take back all that is @owner's. */
void bgp_hand_drop(struct bgp_hand *h, uint32_t owner);

/** Whether anything is, or was, announced for other owners than this one. */
bool bgp_hand_is_used(const struct bgp_hand *h, uint32_t but);

/** A peer appears, or goes; its session is down. */
void bgp_hand_peer(struct bgp_hand *h, const char *name, unsigned number, bool here);

#endif
