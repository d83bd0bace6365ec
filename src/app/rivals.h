/**
 * Other machines that claim our addresses, for people and for the packet thread: whose Ethernet
 * address it was, what is logged, what `status`, `explain` and `get l2` tell of it.
 *
 * The packet thread judges claims by the Ethernet addresses of members that its table holds. One
 * that it does not know is looked up here in the kernel's neighbour table: a member's when the
 * kernel has it for an address of a member.
 */
#ifndef APP_RIVALS_H
#define APP_RIVALS_H

#include <jansson.h>

#include "l2/announcer.h"
#include "net/link.h"

/** A conflict is news for so long after the other machine was heard last. */
#define RIVALS_NEWS DUR_S(300)

struct rivals;

struct rivals_hooks {
	void *ctx;
	/** Which member has this address, NULL for none. */
	const char *(*member_at)(void *ctx, const struct addr *a);
	/** A member claims addresses of ours; or it has not for half a minute. */
	void (*heard)(void *ctx, const char *node, bool heard);
};

NODISCARD struct rivals *rivals_new(struct loop *loop, const struct rivals_hooks *hooks);
struct rivals *rivals_free(struct rivals *r);

/** A member speaks from this Ethernet address. True when that is news. */
bool rivals_know(struct rivals *r, const struct mac *mac, const char *node);

/** Walk what is known: start with *at = 0. */
bool rivals_next(const struct rivals *r, size_t *at, struct mac *mac, const char **node);

/**
 * Log a conflict. True when the machine was found to be a member just now, so that the packet
 * thread should hear of it.
 */
bool rivals_conflict(struct rivals *r, const struct l2_event *ev, const struct net_links *links);

/** Add the conflict of an address, if there is one at @now, to its item of `get l2`. */
void rivals_json(const struct rivals *r, const struct l2_address_stats *stats,
		 const struct net_links *links, struct mono now, json_t *item);

/** Is there a conflict about the address that people should know of? Who claims it, and what this node does; to be freed. */
char *rivals_problem(const struct rivals *r, const struct l2_address_stats *stats,
		     const struct net_links *links, struct mono now);

#endif
