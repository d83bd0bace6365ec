/**
 * The Layer 2 side of the daemon: turns decisions and links into tables for the packet thread, keeps what it
 * says about each address, and joins the multicast groups that IPv6 needs.
 */
#ifndef APP_LAYER2_H
#define APP_LAYER2_H

#include <jansson.h>

#include "app/fastpath.h"
#include "app/packet.h"
#include "app/planner.h"
#include "app/rivals.h"
#include "base/addr_map.h"
#include "base/metric.h"
#include "l2/groups.h"
#include "net/link.h"

/** An address that this node owns or could own. Lives as long as a table names it. */
struct l2_entry {
	struct addr addr;
	bool owned : 1;	     /* by the packet thread's word */
	bool pings : 1;	     /* while it is owned, echo requests are answered for it */
	bool listed : 1;     /* in the table that was handed over last */
	bool all_ifaces : 1; /* where it was announced last */
	uint16_t n_ifindexes;
	uint32_t refs; /* one while listed or owned, one for each table */
	int *ifindexes;
	struct mono since; /* of owned, or of not being owned */
	struct mono
		going_until; /* another node shall have it, and we go on till then; 0: no such thing */
	struct l2_address_stats stats;
};

struct mesh;

struct layer2 {
	struct loop *loop;
	const struct world *world;
	const struct planner *planner;
	struct net_links *links;
	struct packet *packet;
	struct node_ids *ids;
	struct l2_groups *groups;
	struct addr_map *entries; /* struct l2_entry */
	struct loop_task rebuild;
	/* app/moves.h */
	const struct mesh *mesh; /* NULL: nothing is handed over */
	struct loop_timer later; /* another look at addresses that come or go */
	struct loop_timer spare; /* what building a large table took is given back */
	struct mono later_at;
	struct mono coming_until; /* for these nobody waits longer than so; 0: there are none */
	struct iface_filter *filter;
	struct l2_policy policy;
	bool answer_ping;
	enum cfg_allmulti allmulti;
	struct rivals *rivals;
	struct fastpath *fastpath;
	bool groups_ours;	   /* the kernel does not hold all groups, and that was logged */
	struct loop_timer hearing; /* a look whether anybody hears of what is owned */
	bool unheard;		   /* nobody does of some, and that was logged */
	bool held;		   /* says nothing yet: see layer2_release() */
	/** An address was taken or given up. */
	void (*on_owner)(void *ctx, const struct addr *addr, bool owned);
	/** A table went out: what this node owns, it answers for. */
	void (*on_table)(void *ctx);
	/** An address comes here soon: is all done for it? */
	bool (*in_place)(void *ctx, const struct addr *a);
	/** Which member has this address, NULL for none. */
	const char *(*member_at)(void *ctx, const struct addr *a);
	/** A member claims addresses that this node owns; or it has not for a while. */
	void (*on_heard)(void *ctx, const char *node, bool heard);
	void *ctx;
};

void layer2_init(struct layer2 *l, struct loop *loop, const struct world *world,
		 const struct planner *planner, struct net_links *links, struct node_ids *ids);
/** @mesh may be NULL. */
void layer2_attach(struct layer2 *l, struct packet *packet, const struct mesh *mesh);
void layer2_fini(struct layer2 *l);

/** This node knows who else is alive: from now on it may claim addresses. */
void layer2_release(struct layer2 *l);

/** Say at once, before any table, whether this node lives. */
void layer2_node(struct layer2 *l, const char *name);

/** Decisions, nodes or links have changed: a new table follows at the end of the turn. */
void layer2_touch(struct layer2 *l);
/** Host addresses have come or gone, and nothing else on the links has changed. */
void layer2_hosts_changed(struct layer2 *l);

/** Put the exclusion patterns of a configuration in force. */
NODISCARD int layer2_configure(struct layer2 *l, const struct cfg *c, struct err *e);

bool layer2_owns(const struct layer2 *l, const struct addr *a);
/** May Layer 2 use a link of this name? */
bool layer2_link_allowed(const struct layer2 *l, const char *name);
/** May Layer 2 speak on this link, once it is up? */
bool layer2_suits(const struct layer2 *l, const struct net_link *link);
/** Does Layer 2 speak on this link? */
bool layer2_uses(const struct layer2 *l, const struct net_link *link);
/** Walk the addresses that are or could become this node's: start with *at = 0. */
bool layer2_next_address(const struct layer2 *l, size_t *at, struct addr *out);

/** From the packet thread. */
void layer2_on_event(struct layer2 *l, const struct l2_event *ev);
/** Events were lost: compare what is believed with the latest states. */
void layer2_reconcile(struct layer2 *l);
void layer2_retired(struct layer2 *l, struct l2_table *t);

/** A member speaks from this Ethernet address: its claims are judged by ranking. */
void layer2_member_mac(struct layer2 *l, const char *node, const struct mac *mac);

/** Is an address, if it is owned, announced on a link that has a carrier? */
bool layer2_is_heard(const struct layer2 *l, const struct addr *a);
/** Why this node does not answer for an address that is none of its own now. */
const char *layer2_why_silent(const struct layer2 *l, const struct addr *a);
/** Which owned addresses nobody can hear of, as text; NULL: none, else to be freed. */
char *layer2_unheard(const struct layer2 *l);

/** What other machines do about an address; NULL: nothing, else to be freed. */
char *layer2_problem(const struct layer2 *l, const struct addr *a);
/** Walk such problems of all addresses: start with *at = 0; each is to be freed; NULL at the end. */
char *layer2_next_problem(const struct layer2 *l, size_t *at, struct addr *which);

NODISCARD json_t *layer2_json(const struct layer2 *l);
void layer2_collect(const struct layer2 *l, struct metric_writer *w);

#endif
