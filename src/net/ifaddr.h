/**
 * Addresses that crier adds to a link of this host: always /32 or /128, without a route of their
 * own (`noprefixroute`), without duplicate address detection (`nodad`: who owns a service address
 * is decided before it gets here), with a finite lifetime after which the kernel takes them away,
 * and marked with crier's own address protocol (IFA_PROTO, Linux 5.18).
 *
 * IPv6 addresses are deprecated from the start: they answer, but are never chosen as the source of
 * a new connection, which an address that may move would break.
 *
 * Calls wait for the kernel.
 */
#ifndef NET_IFADDR_H
#define NET_IFADDR_H

#include "net/link.h"
#include "net/netlink.h"

/** IFA_PROTO of what crier adds; the kernel's own stop at 3. */
#define IFADDR_PROTO 0xc1

enum {
	IFADDR_EXISTS = 1, /* somebody has added this very address already */
	IFADDR_ABSENT = 2, /* it was not there */
};

/**
 * Add @a for @valid_s seconds to link @ifindex.
 * Returns 0, IFADDR_EXISTS, or -ERR_SYSTEM with the reason.
 */
NODISCARD int ifaddr_add(struct netlink *nl, int ifindex, const struct addr *a, uint32_t valid_s,
			 struct err *e);

/** Start the lifetime of one of ours anew; adds it where it has gone. 0 or -ERR_SYSTEM. */
NODISCARD int ifaddr_renew(struct netlink *nl, int ifindex, const struct addr *a, uint32_t valid_s,
			   struct err *e);

/** Returns 0, IFADDR_ABSENT (the link may be gone, too), or -ERR_SYSTEM. */
NODISCARD int ifaddr_remove(struct netlink *nl, int ifindex, const struct addr *a, struct err *e);

/** All addresses of this host. *out is the caller's, free() it. 0 or -ERR_SYSTEM. */
NODISCARD int ifaddr_list(struct netlink *nl, struct net_addr **out, size_t *n, struct err *e);

/** True when this kernel keeps IFA_PROTO. */
bool ifaddr_proto_kept(void);

#endif
