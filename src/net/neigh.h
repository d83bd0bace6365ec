/**
 * What the kernel knows of a neighbour on a link, and whether it forwards there. Each question is a few system calls; over
 * IPv6 they may wait for the lock of the kernel's that changes of links hold.
 */
#ifndef NET_NEIGH_H
#define NET_NEIGH_H

#include "base/addr.h"

/** The Ethernet address of @peer in the kernel's table; false when it is not known (yet). */
bool neigh_mac(uint32_t ifindex, const struct addr *peer, uint8_t out[static 6]);

/**
 * The addresses, of both families, that the kernel's table has for an Ethernet address; how many,
 * at most @max. Asks the kernel for the whole table.
 */
size_t neigh_addrs(const struct mac *mac, struct addr *out, size_t max);

/**
 * For whoever hears from @peer: where the kernel has asked for its Ethernet address in vain it asks again with the next packet to it,
 * and not when the second is over that it waits between two questions.
 */
void neigh_ask_again(const struct addr *peer);

/** Where a neighbour was: a link, and its Ethernet address there. Zero-initialised: nobody has seen it. */
struct neigh_place {
	int ifindex;
	struct mac mac;
};

/**
 * For whoever goes on talking to a @peer that is silent: after some seconds the kernel gives its Ethernet address up, and then sends a
 * question a second and nothing else, also when the peer is back. Call it once a second: while the kernel has the address this
 * notes in @at where; later it has the kernel try there again.
 */
void neigh_keep(const struct addr *peer, struct neigh_place *at);

/** Does the kernel forward packets that arrive on this interface? */
bool neigh_forwards(uint32_t ifindex, enum family family);

#endif
