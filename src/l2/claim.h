/**
 * A claim: a packet of another machine that says, by ARP or NDP, where an address is.
 */
#ifndef L2_CLAIM_H
#define L2_CLAIM_H

#include "base/addr.h"

struct l2_claim {
	struct addr addr;
	struct mac mac;
};

#endif
