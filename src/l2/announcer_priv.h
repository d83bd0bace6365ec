/**
 * What the announcer's files share: announcer.c decides who owns what and says so unasked,
 * conflict.c judges the claims of other machines, answer.c answers.
 */
#ifndef L2_ANNOUNCER_PRIV_H
#define L2_ANNOUNCER_PRIV_H

#include "base/rng.h"
#include "l2/announcer.h"

/** A request that was answered where other links here may hear it, too. */
struct l2_heard {
	struct mac sender;
	struct addr target;
	struct mono at;
};

enum { L2_HEARD_MAX = 32 };

struct l2_announcer {
	struct l2_announcer_conf conf;
	struct l2_table *table;
	const struct l2_table
		*leaving; /* the table before: some of its addresses are lost, untold */
	uint32_t leaving_at;
	struct mono leaving_since;
	struct l2_nodes alive;
	struct l2_nodes barred;
	bool yields;
	struct mono yields_since;
	struct l2_schedule schedule;
	struct l2_queue changed; /* addresses whose event is due */
	struct mono changed_since;
	size_t owned;
	size_t unpredicted; /* addresses whose owner is not the one that the table predicted */
	struct mono paced_until;
	struct mono refresh_at;
	struct mono pings_until; /* so much of their share is used up */
	uint32_t refresh_next;
	struct l2_heard heard[L2_HEARD_MAX];
	size_t heard_next;
	struct rng rng;
	struct l2_stats stats;
};

/* announcer.c */

/** Take address @i or give it up; an event and announcements follow. */
void l2_own(struct l2_announcer *a, uint32_t i, bool owned, struct mono now);
/** Start the announcement of address @i from its first step; on @only_ifindex, or 0: on all. */
void l2_announce(struct l2_announcer *a, uint32_t i, int only_ifindex, struct mono now);
/** An event about address @i is due. */
void l2_changed(struct l2_announcer *a, uint32_t i);

/* conflict.c */

/** The ranking says that address @i is, or is not, this node's. */
void l2_claim_decide(struct l2_announcer *a, uint32_t i, bool mine, struct mono now);
/** What waits for an answer, or for an address to be free, and is due. */
void l2_claim_tick(struct l2_announcer *a, struct mono now);
/** Members, or the policy, have changed: judge again what was judged lately. */
void l2_claim_rejudge(struct l2_announcer *a, struct mono now);
/**
 * Look at a frame for claims. Returns L2_RX_CLAIM, L2_RX_ECHO for one of our own, or L2_RX_OK when
 * it says nothing about an address that is ours, or would be.
 */
enum l2_rx l2_claim_rx(struct l2_announcer *a, const struct l2_iface *iface, enum l2_proto proto,
		       struct rd frame, struct mono now);
/** A member is out that may have had the last word about what is ours. */
void l2_claim_barred(struct l2_announcer *a, uint16_t node, struct mono now);
/** A member is out that addresses were left to: they wait for it no longer. */
void l2_claim_release(struct l2_announcer *a, uint16_t node);
/** This node does not leave any more: what it left to members after it is theirs no longer. */
void l2_claim_resume(struct l2_announcer *a);
/** The event that is due about claims to address @i. */
void l2_claim_event(const struct l2_announcer *a, uint32_t i, struct l2_event *out);

#endif
