/**
 * The interface table: which links this host has, and which addresses stand on them, kept up to date by the
 * kernel's events. Nothing polls; events that come together are read together.
 *
 * An event is a reason to read the tables again, not news by itself: so a lost event (a full socket buffer)
 * costs nothing but one more reading.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>

#include "base/addr.h"
#include "base/loop.h"

struct net_addr {
	struct addr addr;
	uint8_t prefix_len;
};

struct net_link {
	int ifindex;
	char name[IF_NAMESIZE];
	struct mac mac;
	bool up;      /* administratively */
	bool running; /* has a carrier */
	bool broadcast;
	bool noarp;
	bool loopback;
	int master; /* ifindex of the bond, bridge or VRF that it is part of; 0: none */
	const struct net_addr *addrs;
	size_t n_addrs;
};

struct net_links;

/** @changed is called after the table has changed, in the loop; it may be called without a visible difference. */
NODISCARD int net_links_new(struct loop *l, void (*changed)(void *ctx), void *ctx,
			    struct net_links **out, struct err *e);
struct net_links *net_links_free(struct net_links *n); /* takes NULL, returns NULL */

/* The table's links are borrowed until the next change. */

/** Walk in order of ifindex: start with *at = 0; NULL at the end. */
const struct net_link *net_links_next(const struct net_links *n, size_t *at);
const struct net_link *net_links_by_name(const struct net_links *n, const char *name);
const struct net_link *net_links_by_index(const struct net_links *n, int ifindex);

/** The link on whose connected network @a is (longest prefix, then lowest index), or NULL. Host prefixes do not count. */
const struct net_link *net_links_connected(const struct net_links *n, const struct addr *a);

#endif
