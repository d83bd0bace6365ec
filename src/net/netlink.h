/**
 * Requests to the kernel's routing netlink, for the rest of this room: links and their addresses
 * are asked for, and addresses changed, through a socket that waits for the answer.
 *
 * A call may wait for a lock of the kernel's; callers that must not wait call it from a thread of
 * their own. One struct netlink belongs to one thread.
 */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include "base/addr.h"

struct netlink;
struct nl_msg;
struct nlmsghdr;

NODISCARD int netlink_open(struct netlink **out, struct err *e);
struct netlink *netlink_close(struct netlink *nl); /* takes NULL, returns NULL */
void netlink_closep(struct netlink **nl);

/**
 * Send one request and wait for its acknowledgement.
 * @m: freed here; NULL stands for "no memory"
 * Returns 0 or -errno as the kernel gave it.
 */
int netlink_request(struct netlink *nl, struct nl_msg *m);

/** Where the messages of a dump go. */
struct netlink_sink {
	void (*restart)(
		void *ctx); /* what came so far is void: the kernel's table changed meanwhile */
	void (*message)(void *ctx, struct nlmsghdr *h);
	void *ctx;
};

/** Ask for all of @type (RTM_GET…), with @header as the request's fixed part. 0 or -errno. */
int netlink_dump(struct netlink *nl, int type, const void *header, size_t len,
		 const struct netlink_sink *sink);

/** The addresses that the kernel has for this Ethernet address; how many, at most @max. */
size_t netlink_neighbours(struct netlink *nl, const struct mac *mac, struct addr *out, size_t max);

/** The Ethernet address that the kernel has for an address on a link; false when it has none. */
bool netlink_neighbour(struct netlink *nl, uint32_t ifindex, const struct addr *addr,
		       struct mac *out);

/** What the kernel's table says of an address on one link. */
struct netlink_entry {
	int ifindex;
	bool known; /* @mac holds */
	bool asked_in_vain;
	struct mac mac;
};

/** Those of @addr, on all links; how many, at most @max. Asks the kernel for the whole table of its family. */
size_t netlink_neighbour_entries(struct netlink *nl, const struct addr *addr,
				 struct netlink_entry *out, size_t max);

/** Have the kernel forget what it knows of @addr on a link. 0 or -errno. */
int netlink_neighbour_forget(struct netlink *nl, int ifindex, const struct addr *addr);

/** Have the kernel send to @mac, and find out by itself whether @addr is still there. 0 or -errno. */
int netlink_neighbour_try(struct netlink *nl, int ifindex, const struct addr *addr,
			  const struct mac *mac);

/** The link that the default route of a family points to; 0 when there is none. */
int netlink_default_link(struct netlink *nl, enum family family);

#endif
