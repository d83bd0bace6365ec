/**
 * Adj-RIB-Out of all peers: what each is to be told, what it has been told, and the difference as UPDATE messages.
 * Pure.
 *
 * A route stands here once, whoever hears it (bgp/table.h, bgp/spread.h). Peers whose sessions have the same
 * format, who hear the same of everything and have been told the same so far are an update group: messages are
 * written once and sent by all of them. A group forms when sessions come up together or catch up with each
 * other, and parts when they differ; nobody sees it but in what it costs.
 *
 * What was said equals what is wanted, but for the prefixes that changed since (they are remembered with what
 * they were), and those that the first walk over all routes has not come to. So changes that undo each
 * other before they are sent are never sent. Announcements go before withdrawals, so that a prefix that moves
 * between lengths is never without cover.
 *
 * A peer that does not read keeps what was written for it (a reference to shared bytes); when that grows too
 * much it becomes a group of its own, and then what it will hear is what is true when it reads again.
 *
 * What is wanted outlives the session. Routes of a family that the session does not carry stay unsent.
 *
 * Covered: RFC 4271 §9.2 (no timers), RFC 4760 for IPv6 unicast, RFC 4724 §2 (End-of-RIB), RFC 2918 (the answer
 * to a request).
 */
#ifndef BGP_RIB_H
#define BGP_RIB_H

#include "bgp/spread.h"
#include "bgp/writer.h"

struct bgp_rib;

struct bgp_rib_conf {
	uint64_t seed;
	uint32_t chunk;	  /* routes to look at for one batch; 0: 32768 */
	size_t queue_max; /* bytes; a peer with more unread goes alone; 0: 1 MiB */
	/** @peer has something to take, and had nothing before. Must not call the rib. */
	void (*wake)(void *ctx, unsigned peer);
	void *ctx;
};

NODISCARD struct bgp_rib *bgp_rib_new(const struct bgp_rib_conf *conf);
struct bgp_rib *bgp_rib_free(struct bgp_rib *r); /* takes NULL, returns NULL */

/** A number for a new peer, below BGP_PEERS_MAX; -ERR_LIMIT when there are too many. */
NODISCARD int bgp_rib_peer_add(struct bgp_rib *r, unsigned *out);
/** Forget a peer, with all that it was to hear; its session is down. */
void bgp_rib_peer_del(struct bgp_rib *r, unsigned peer);

/**
 * Want @p with @attr for @peer (the rib takes references of its own). False when it was wanted so. A route by
 * spread gives way: nobody hears it any more.
 */
bool bgp_rib_set(struct bgp_rib *r, unsigned peer, const struct prefix *p, struct bgp_attr *attr);
/** Want @p no more; false when it was not wanted. */
bool bgp_rib_del(struct bgp_rib *r, unsigned peer, const struct prefix *p);

/*
 * Routes by spread: those of one spread are told to whom it says (bgp_spread_own()). A prefix has either such a
 * spread or what was set for single peers, which comes before.
 */

/** For making spreads. */
struct bgp_spreads *bgp_rib_spreads(struct bgp_rib *r);
/**
 * Spread @p like this from now on (BGP_SPREAD_NONE: no more).
 * Returns 0, or -ERR_STATE when it was set for single peers: then nothing changes.
 */
NODISCARD int bgp_rib_spread(struct bgp_rib *r, const struct prefix *p, uint32_t spread);
/** The spread of a prefix, or BGP_SPREAD_NONE. */
uint32_t bgp_rib_spread_of(const struct bgp_rib *r, const struct prefix *p);
/** Withdraw every route that has this spread. */
void bgp_rib_spread_drop(struct bgp_rib *r, uint32_t spread);

/**
 * The session will be established soon, in all likelihood: write now what it is to hear first. To whoever asks it is
 * still down, and there is nothing to take. What changes before it is up makes this void.
 */
void bgp_rib_prepare(struct bgp_rib *r, unsigned peer, const struct bgp_format *format);
/**
 * The session is established: all that is wanted will be sent, then End-of-RIB for each family.
 * @format: NULL: as prepared
 */
void bgp_rib_up(struct bgp_rib *r, unsigned peer, const struct bgp_format *format);
/** The session is gone, and with it all that was sent or prepared. */
void bgp_rib_down(struct bgp_rib *r, unsigned peer);
/** Send everything of these families (set of BGP_V4, BGP_V6) again. */
void bgp_rib_refresh(struct bgp_rib *r, unsigned peer, uint8_t families);

/** Hold End-of-RIB back until what is to be announced is known, or let it go (as at first). */
void bgp_rib_hold_marks(struct bgp_rib *r, bool hold);
/** The format of a running session changes: everything is sent again. Its families stay. */
void bgp_rib_reformat(struct bgp_rib *r, unsigned peer, const struct bgp_format *format);

/** Whether bgp_rib_take() has something to say. */
bool bgp_rib_pending(const struct bgp_rib *r, unsigned peer);
/**
 * Whole messages for the peer's connection, some ten to a few hundred kilobytes; they count as sent. NULL when
 * there is nothing. The caller holds a reference.
 */
NODISCARD struct bgp_batch *bgp_rib_take(struct bgp_rib *r, unsigned peer);
/** Give back what is only kept for peers that come up together: nothing came up for a while. */
void bgp_rib_rest(struct bgp_rib *r);

struct bgp_rib_counts {
	size_t wanted;
	size_t sent; /* told to the peer, or on the way */
	size_t pending; /* prefixes to look at before it is up to date; when it is down, all that is wanted */
	size_t silent;	     /* wanted, but of a family that the session does not carry */
	size_t queued_bytes; /* written, and not yet taken */
};
struct bgp_rib_counts bgp_rib_count(const struct bgp_rib *r, unsigned peer);

struct bgp_rib_route {
	struct prefix prefix;
	const struct bgp_attr *want; /* NULL: a withdrawal is due */
	const struct bgp_attr *sent; /* NULL: the peer does not have it */
};

/**
 * Walk, in no order that matters: start with *at = 0. A walk may pause and go on later: routes that come and go
 * meanwhile may be missed, the others are found once.
 * @budget: places to look at, counted down
 * False at the end, or when the budget is 0.
 */
bool bgp_rib_next(const struct bgp_rib *r, unsigned peer, uint64_t *at, size_t *budget,
		  struct bgp_rib_route *out);
/** One route; false when there is none. */
bool bgp_rib_find(const struct bgp_rib *r, unsigned peer, const struct prefix *p,
		  struct bgp_rib_route *out);

/** The format of the running session, or NULL. */
const struct bgp_format *bgp_rib_format(const struct bgp_rib *r, unsigned peer);
/** Update groups now: for tests and for people. */
size_t bgp_rib_groups(const struct bgp_rib *r);

#endif
