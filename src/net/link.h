/**
 * The table of this host's links and their addresses, kept true by the kernel's events: no polling.
 * When events were lost (ENOBUFS) the whole table is read again.
 *
 * Readers look at the table at any time between two turns of the loop; what they are lent is void
 * when the loop has turned. Whoever wants to know about changes hangs a struct net_watch on it.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "base/addr.h"
#include "base/list.h"
#include "base/loop.h"

#define NET_NAME_MAX  16
#define NET_LIFE_EVER UINT32_MAX

/** An address of a link. */
struct net_addr {
	int ifindex;
	struct addr addr;
	struct prefix subnet; /* what is reached directly: of the peer, where the link has one */
	uint8_t prefix_len;   /* bits */
	uint8_t scope;	      /* RT_SCOPE_… */
	uint8_t proto;	      /* IFAPROT_…; 0 on kernels before 5.18 */
	uint32_t flags;	      /* IFA_F_… */
	uint32_t valid_s;     /* when it was last told; NET_LIFE_EVER has no end */
};

struct net_link {
	int ifindex;
	char name[NET_NAME_MAX];
	char kind[NET_NAME_MAX]; /* "bridge", "vlan", …; "" for hardware */
	struct mac mac;
	bool has_mac; /* an Ethernet address */
	bool up;      /* by the administrator */
	bool running; /* has a carrier */
	bool broadcast;
	bool noarp;
	bool loopback;
	int master; /* index of the bridge, bond or VRF that it belongs to; 0: none */
	int lower;  /* index of the link that it stands on, or of its other end; 0: none here */
	unsigned mtu;
	struct net_addr *addrs; /* in order of addr, then prefix_len */
	size_t n_addrs;
	size_t cap_addrs;
	/* The subnets of these that are more than one address, in no order: few, where host addresses may be many. */
	struct prefix *nets;
	size_t n_nets;
	size_t cap_nets;
};

struct net_links;
struct nlmsghdr;

/** Someone who is told when links, or addresses other than their lifetimes, have changed. */
struct net_watch {
	struct list in;
	void (*changed)(struct net_watch *w);
	/**
	 * Besides, at once, and for each: a host address (/32, /128; not link-local) has come, has changed or has gone. May be NULL.
	 * Void when net_links_layout() has another value than before.
	 */
	void (*host_changed)(struct net_watch *w, const struct addr *a);
};

/**
 * Read the table and keep it true on @loop.
 * @changed: the first one to be told of changes; may be NULL
 */
NODISCARD int net_links_new(struct loop *loop, void (*changed)(void *ctx), void *ctx,
			    struct net_links **out, struct err *e);
struct net_links *net_links_free(struct net_links *t); /* takes NULL, returns NULL */
void net_links_freep(struct net_links **t);

/** Called once after each burst of changes, from the loop. @w may be taken off from inside. */
void net_links_watch(struct net_links *t, struct net_watch *w);
void net_links_unwatch(struct net_watch *w);

/** Take in what the kernel has said so far, for those who are about to act on the table. */
void net_links_catch_up(struct net_links *t);

/** Walk in order of ifindex: start with *at = 0; NULL at the end. */
const struct net_link *net_links_next(const struct net_links *t, size_t *at);
const struct net_link *net_links_by_name(const struct net_links *t, const char *name);
const struct net_link *net_links_by_index(const struct net_links *t, int ifindex);

/** The same as an array. */
/** Does some VLAN stand on the link? */
bool net_links_has_vlans(const struct net_links *t, int ifindex);
const struct net_link *net_links_all(const struct net_links *t, size_t *n);

/**
 * The link on whose connected network @a is (longest prefix, then lowest index), or NULL. Host
 * prefixes do not count.
 */
const struct net_link *net_links_connected(const struct net_links *t, const struct addr *a);

/** Length of the link's longest network that holds @a; 0: none. Host prefixes do not count. */
unsigned net_link_holds(const struct net_link *l, const struct addr *a);

/** Walk the links that have this very address: start with *at = 0; NULL at the end. */
const struct net_link *net_links_holder(const struct net_links *t, const struct addr *a,
					size_t *at);

/** The link of the default route; 0 when there is none. Asks the kernel. */
int net_links_default(const struct net_links *t, enum family family);

/** Has another value when something else than host addresses may have changed. */
uint64_t net_links_layout(const struct net_links *t);

/** Times that the table had to be read again because events were lost. */
uint64_t net_links_resyncs(const struct net_links *t);

/** Decode RTM_NEWADDR or RTM_DELADDR; false when it is neither, or not of IPv4 or IPv6. */
bool net_addr_decode(struct nlmsghdr *h, struct net_addr *out);

#endif
