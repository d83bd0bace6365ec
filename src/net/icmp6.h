/**
 * ICMPv6 on one link, raw: what neighbours say to everybody. Non-blocking; CAP_NET_RAW.
 *
 * Driven by protocol shells; no state of its own. The kernel fills in and looks at checksums.
 */
#ifndef NET_ICMP6_H
#define NET_ICMP6_H

#include "base/addr.h"
#include "base/bytes.h"

enum icmp6_group { ICMP6_ALL_NODES = 1, ICMP6_ALL_ROUTERS = 2 };

/**
 * Open a socket that hears messages of these types on this link, also those to all routers.
 * @types: ends with 0
 * Returns the descriptor (the caller closes it) or -kind.
 */
NODISCARD int icmp6_open(const char *ifname, const uint8_t *types, struct err *e);

/** To ff02::1 or ff02::2, from our link-local address, with hop limit 255. False where it could not be sent. */
bool icmp6_send(int fd, enum icmp6_group to, const void *msg, size_t len);

/** One message: its length, or 0 when none waits. What is longer than @cap is cut. */
size_t icmp6_recv(int fd, void *msg, size_t cap, struct addr *from, uint8_t *hops);

#endif
