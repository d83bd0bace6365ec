/**
 * What the two halves of the rib share: the routes (rib.c), and the update groups that tell them (group.c).
 */
#ifndef BGP_RIB_PRIV_H
#define BGP_RIB_PRIV_H

#include "base/list.h"
#include "bgp/rib.h"
#include "bgp/table.h"

enum { RIB_V4, RIB_V6, RIB_FAMILIES };

static inline int rib_index(enum family family)
{
	return family == FAMILY_V6 ? RIB_V6 : RIB_V4;
}

static inline enum family rib_family(int i)
{
	return i == RIB_V6 ? FAMILY_V6 : FAMILY_V4;
}

static inline uint8_t rib_bit(int i)
{
	return i == RIB_V6 ? BGP_V6 : BGP_V4;
}

/** Batches in order; each a reference. */
struct batch_queue {
	struct bgp_batch **v;
	size_t at, n, cap; /* v[at] to v[n - 1] */
	size_t bytes;
};

/** One peer. */
struct member {
	bool used;
	struct group *group; /* NULL: its session is down */
	bool up;	     /* or it is only prepared */
	struct batch_queue queue;
};

/** Peers who have been told the same, and will be. */
struct group {
	struct list link;
	struct bgp_rib *rib;
	struct bgp_format format;
	unsigned *members; /* numbers; the first one stands for all */
	size_t n, cap;
	uint64_t checked; /* all hear the same of every spread up to this one */
	uint64_t alone;	  /* nobody could be joined when the spreads were so many */

	/* The walk over all routes: slots below the cursor have been told. */
	uint8_t walking; /* set of BGP_V4, BGP_V6 */
	bool again;	 /* a repetition: the others have been told as well */
	uint8_t repeat;	 /* set of families: to be walked again after that */
	uint32_t cursor[RIB_FAMILIES];
	uint8_t marks;	/* End-of-RIB to send */
	uint8_t begins; /* BoRR to send (RFC 7313) */
	uint8_t ends;	/* EoRR */

	/* Prefixes that changed since they were told, with the spread as it was then (a reference). */
	struct bgp_table *dirty[RIB_FAMILIES];
	uint32_t scan[RIB_FAMILIES]; /* slots of dirty below it have nothing to announce */
	size_t sent[RIB_FAMILIES];
	bool prepared; /* written, but nobody could take it yet */

	/* All that was written since the first byte, for those who come up a moment later. */
	bool keeps_history;
	struct batch_queue history;
};

struct bgp_rib {
	struct bgp_rib_conf conf;
	struct bgp_spreads *spreads;
	struct bgp_table *routes[RIB_FAMILIES]; /* value: the spread (a reference) */
	struct member *members;
	size_t n_members, cap_members;
	bool marks_held;
	struct list groups;
	size_t n_groups;
};

void batch_queue_push(struct batch_queue *q, struct bgp_batch *b); /* takes a reference */
struct bgp_batch *batch_queue_pop(struct batch_queue *q);	   /* gives one, or NULL */
void batch_queue_clear(struct batch_queue *q);

/* group.c */
/** The peer comes up: into a group of its own, or into one that began just now. */
void group_join(struct bgp_rib *r, unsigned peer, const struct bgp_format *format);
void group_leave(struct bgp_rib *r, unsigned peer);
/** Some of it was written for who is not up yet. A change before anybody is makes that void. */
void group_wrote_ahead(struct group *g);
/** Tell everything of these families again, to this peer. */
void group_repeat(struct bgp_rib *r, unsigned peer, uint8_t families);
/** Send again in this format. */
void group_reformat(struct bgp_rib *r, unsigned peer, const struct bgp_format *format);
/** End-of-RIB may be sent now. */
void group_release(struct group *g);
bool group_pending(const struct group *g);
/** Write the next batch, and queue it for all members. */
void group_write(struct group *g, unsigned puller);
/**
 * What @peer hears of a prefix changes. @slot: where the route stands, or stood
 * @was: its spread until now
 */
void group_changed(struct group *g, const struct prefix *p, uint32_t slot, uint32_t was);
/** What the group's members have been told of a prefix whose route stands in @slot (or nowhere). */
struct bgp_attr *group_told(const struct group *g, const struct prefix *p, uint32_t slot);
/** Prefixes that have to be looked at. */
size_t group_backlog(const struct group *g);
void group_forget_history(struct group *g);
void group_free(struct group *g);

#endif
