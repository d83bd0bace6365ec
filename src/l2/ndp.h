/**
 * IPv6 neighbour discovery, the part that speaks for an address: reading solicitations, writing
 * advertisements. Pure.
 *
 * Covered: RFC 4861 §7.1.1, §7.1.2 (which messages are valid), §7.2.4 (solicited advertisements),
 * §7.2.6 (unsolicited ones), §4.6.1 (link-layer options); RFC 4862 §5.4.3 as the address's holder:
 * a duplicate-address probe is answered to all nodes; §5.4.2 such probes of our own, and which
 * packets claim an address. Left out: router discovery, redirects, SEND,
 * solicitations behind extension headers.
 */
#ifndef L2_NDP_H
#define L2_NDP_H

#include "base/addr.h"
#include "base/bytes.h"
#include "l2/claim.h"
#include "l2/stats.h"

enum {
	NDP_ETHERTYPE = 0x86dd,
	NDP_ADVERT_LEN = 86, /* Ethernet, IPv6, ICMPv6 with one link-layer option */
	NDP_PROBE_LEN = 78,  /* without the option */
};

struct ndp_solicit {
	struct mac ether_dst;
	struct mac source_mac; /* of the option when there is one, else of the frame */
	struct addr source;    /* :: in a duplicate-address probe */
	struct addr target;
};

/**
 * Read a whole Ethernet frame. Returns L2_RX_OK and sets @out, or the reason why it is no
 * solicitation that can be answered. Who it was sent to and whose address it asks for is the
 * caller's to judge.
 */
enum l2_rx ndp_solicit_decode(struct rd frame, struct ndp_solicit *out);

/**
 * Does the frame say where an address is: an advertisement of its target, or a solicitation of its
 * sender? Then true, and *out.
 */
bool ndp_claim_decode(struct rd frame, struct l2_claim *out);

/** Write a question to the target's group whether it is free; NDP_PROBE_LEN bytes. */
void ndp_probe_build(struct wr *w, const struct mac *mac, const struct addr *target);

/**
 * Write the advertisement that answers @solicit: solicited and override flags set, router flag
 * clear; to all nodes and not marked as solicited when it answers a probe. NDP_ADVERT_LEN bytes.
 * @source: an address of the interface it leaves by
 */
void ndp_reply_build(struct wr *w, const struct mac *mac, const struct addr *source,
		     const struct ndp_solicit *solicit);

/**
 * Write an unsolicited advertisement of @target to all nodes: override flag alone. NDP_ADVERT_LEN
 * bytes.
 */
void ndp_unsolicited_build(struct wr *w, const struct mac *mac, const struct addr *source,
			   const struct addr *target);

#endif
