/**
 * The packet filters of a set of addresses: one for ARP requests, one for neighbour solicitations,
 * and two for echo requests.
 *
 * Each lets through every request for an address of the set, and where that is wanted also what
 * claims one (see l2/conflict.c). While the set needs no more than
 * L2_FILTER_TERMS prefixes it lets nothing else through; beyond that, requests for addresses in
 * between too, which the announcer sorts out.
 */
#ifndef L2_FILTER_H
#define L2_FILTER_H

#include "base/addr.h"
#include "net/pcap.h"

/** libpcap takes a millisecond for so many, and quadratically more for more. */
enum { L2_FILTER_TERMS = 256 };

/** What one socket hears. */
enum l2_proto { L2_ARP, L2_NDP, L2_PING4, L2_PING6, L2_PROTO_COUNT };

/** Zero-initialised: lets nothing through. */
struct l2_filter {
	struct prefix *prefixes;
	size_t n_prefixes;
	bool claims; /* lets through what claims an address, too */
	struct pcap_prog prog;
};

/**
 * Make the filter of @addrs, ascending and of the protocol's family.
 * @known: a filter to take the program from when its prefixes are the same; may be NULL
 * Returns 0 or a negative error; @out is then empty.
 */
NODISCARD int l2_filter_make(enum l2_proto proto, const struct addr *addrs, size_t n, bool claims,
			     const struct l2_filter *known, struct l2_filter *out, struct err *e);
void l2_filter_fini(struct l2_filter *f);

#endif
