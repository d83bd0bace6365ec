/**
 * ARP for IPv4 over Ethernet (RFC 826): reading requests, writing replies and announcements. Pure.
 *
 * Covered: RFC 826 requests and replies; RFC 5227 §1.1 probes (sender 0.0.0.0), which are answered
 * like any request, and probes of our own; which packets claim an address (RFC 5227 §2.4). Left
 * out: other hardware and protocol types.
 */
#ifndef L2_ARP_H
#define L2_ARP_H

#include "base/addr.h"
#include "base/bytes.h"
#include "l2/claim.h"
#include "l2/stats.h"

enum {
	ARP_ETHERTYPE = 0x0806,
	ARP_FRAME_LEN = 60, /* Ethernet's minimum without its check sum; the end is zeroes */
};

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_request {
	struct mac ether_dst;
	struct mac sender_mac;
	struct addr sender; /* 0.0.0.0 in a probe */
	struct addr target;
};

/**
 * Read a whole Ethernet frame. Returns L2_RX_OK and sets @out, or the reason why it is no request
 * that can be answered. Who it was sent to and whose address it asks for is the caller's to judge.
 */
enum l2_rx arp_request_decode(struct rd frame, struct arp_request *out);

/** Does the frame say where its sender's address is? Then true, and *out; any operation does. */
bool arp_claim_decode(struct rd frame, struct l2_claim *out);

/** Write a broadcast that asks whether @addr is free, without claiming it; ARP_FRAME_LEN bytes. */
void arp_probe_build(struct wr *w, const struct mac *mac, const struct addr *addr);

/** Write the reply to @request, sent by @mac, to the machine that asked; ARP_FRAME_LEN bytes. */
void arp_reply_build(struct wr *w, const struct mac *mac, const struct arp_request *request);

/** Write a broadcast that says, in either form, that @addr is at @mac; ARP_FRAME_LEN bytes. */
void arp_gratuitous_build(struct wr *w, enum arp_op op, const struct mac *mac,
			  const struct addr *addr);

#endif
