/**
 * What the control thread tells the packet thread: interfaces, addresses, who would own each, and
 * the filters for them.
 *
 * A table is built by the control thread, handed over, replaced whole and handed back to be freed.
 * It never changes, but for `slots`, the packet thread's memory of each address, and `retired`,
 * descriptors that it no longer wants; both stand here so that it need not allocate, nor close
 * (which can take milliseconds).
 */
#ifndef L2_TABLE_H
#define L2_TABLE_H

#include <net/if.h>

#include "l2/filter.h"
#include "l2/schedule.h"
#include "l2/stats.h"
#include "l2/succession.h"

struct l2_iface {
	int ifindex;
	char name[IF_NAMESIZE];
	struct mac mac;
	bool arp;      /* answer and announce IPv4 addresses here */
	bool ndp;      /* the same for IPv6 */
	bool ping;     /* answer echo requests, where they are answered for an address */
	bool allmulti; /* its card loses solicitations unless told to let all multicast in */
	int below;     /* a link here that hears what this one hears from outside; 0: none */
	bool carrier;
	unsigned mtu;
	struct addr
		link_local; /* where unasked advertisements come from; unset: from the announced address */
};

enum l2_on_conflict { L2_CONFLICT_KEEP, L2_CONFLICT_YIELD };
enum l2_probe { L2_PROBE_NEVER, L2_PROBE_FIRST, L2_PROBE_ALWAYS };

/** What is decided for all addresses. Zero-initialised: say each once, look at nobody. */
struct l2_policy {
	struct dur refresh; /* each owned address is announced again so often; 0: never */
	uint64_t rate;	    /* announcements a second, at most; 0: as fast as they go */
	bool detect;	    /* claims of other machines */
	enum l2_on_conflict on_conflict; /* with a machine that is no member */
	enum l2_probe probe;		 /* before an address is claimed */
};

/** A member's Ethernet address. */
struct l2_member {
	struct mac mac;
	uint16_t node;
};

/** What many addresses have in common: who may own them, and where. */
struct l2_rule {
	const uint16_t *nodes; /* candidates in ranking order */
	size_t n_nodes;
	bool all_ifaces;
	const int *ifindexes; /* where they may be announced, unless all_ifaces */
	size_t n_ifindexes;
};

struct l2_address {
	struct addr addr;
	bool going;	/* see l2_address_conf */
	bool predicted; /* owned by this node if the table's alive set is right */
	bool pings;	/* echo requests are ours to answer: no kernel here does */
	const struct l2_rule *rule;
	struct l2_address_stats *stats;
};

/** Which addresses a filter lets through. */
enum l2_filter_set {
	L2_FILTER_OWNED,      /* those that are predicted ours */
	L2_FILTER_CANDIDATES, /* those that could become ours */
	L2_FILTER_SET_COUNT
};

struct l2_table {
	uint16_t self;
	struct l2_policy policy;
	struct l2_quorum quorum;
	struct l2_nodes alive;
	const struct l2_member *members; /* ascending by mac */
	size_t n_members;
	const struct l2_iface *ifaces; /* ascending by ifindex */
	size_t n_ifaces;
	bool twins;			    /* one of them has a link below it */
	const struct l2_address *addresses; /* ascending */
	uint32_t n_addresses;
	uint32_t *index; /* hash of address to its place */
	uint32_t index_mask;
	struct l2_filter filters[L2_FILTER_SET_COUNT][L2_PROTO_COUNT];
	struct arena *arena;

	struct l2_slot *slots;
	int *retired;
	size_t n_retired;
	size_t cap_retired;
};

struct l2_address_conf {
	struct addr addr;
	bool all_ifaces;
	bool pings; /* answer echo requests */
	bool going; /* if it is owned it stays so, without a word, until another machine claims it */
	const uint16_t *nodes; /* candidates in ranking order */
	size_t n_nodes;
	const int *ifindexes; /* where it may be announced, unless all_ifaces */
	size_t n_ifindexes;
	struct l2_address_stats *stats;
};

struct l2_table_conf {
	uint16_t self;
	struct l2_policy policy;
	struct l2_quorum quorum;
	const struct l2_member *members; /* in any order */
	size_t n_members;
	const struct l2_nodes *alive; /* as the control thread knows it; `self` need not be in it */
	const struct l2_iface *ifaces;
	size_t n_ifaces;
	const struct l2_address_conf *addresses; /* in any order; none twice */
	size_t n_addresses;
	const struct l2_table *previous; /* takes over filters that stay the same; may be NULL */
	bool by_map; /* sockets ask a map in the kernel: filters for ARP and NDP are not made */
};

/**
 * Build a table; everything is copied but the stats, which must outlive it. Takes as long as
 * libpcap needs for up to eight filters: some milliseconds at worst.
 * Returns 0; -ERR_CONFIG when an address or interface is there twice or a list is too long; other
 * errors of filters.
 */
NODISCARD int l2_table_new(const struct l2_table_conf *conf, struct l2_table **out, struct err *e);

/** Also closes the retired descriptors. Takes NULL, returns NULL. */
struct l2_table *l2_table_free(struct l2_table *t);
void l2_table_freep(struct l2_table **t);

/** Leave a descriptor to be closed with the table, where there is time. */
void l2_table_retire(struct l2_table *t, int fd);

/** The place of an address in `addresses`, or L2_NONE. */
uint32_t l2_table_find(const struct l2_table *t, const struct addr *addr);
const struct l2_iface *l2_table_iface(const struct l2_table *t, int ifindex); /* NULL: none */
/** Whose Ethernet address it is; false: no member's that is known. */
bool l2_table_member(const struct l2_table *t, const struct mac *mac, uint16_t *node);
/** Is it the address of one of our own interfaces? */
bool l2_table_is_own_mac(const struct l2_table *t, const struct mac *mac);

/** May both be announced on the same interfaces? */
bool l2_rule_same_choice(const struct l2_rule *a, const struct l2_rule *b);

/** May this address be announced, and requests for it be answered, on this interface? */
bool l2_address_allows(const struct l2_address *a, const struct l2_iface *iface);

static inline enum l2_proto l2_proto_of(const struct addr *a)
{
	return a->family == FAMILY_V4 ? L2_ARP : L2_NDP;
}

static inline bool l2_iface_speaks(const struct l2_iface *i, enum l2_proto proto)
{
	bool of_family = proto == L2_ARP || proto == L2_PING4 ? i->arp : i->ndp;

	return of_family && (i->ping || proto == L2_ARP || proto == L2_NDP);
}

#endif
