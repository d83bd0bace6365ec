/**
 * Echo for addresses that no kernel here answers for: reading a request, writing the reply. Pure.
 *
 * Covered: RFC 792 echo, RFC 4443 §4.1 and §4.2. A reply goes back to the Ethernet address that the
 * request came from. Left out: requests in fragments, or behind IPv6 extension headers.
 */
#ifndef L2_PING_H
#define L2_PING_H

#include "base/addr.h"
#include "base/bytes.h"
#include "l2/stats.h"

enum {
	PING_ETHERTYPE_V4 = 0x0800,
	PING_ETHERTYPE_V6 = 0x86dd,
	PING_FRAME_MAX = 9216, /* what large frames are on most switches */
};

struct ping_request {
	struct mac ether_dst;
	struct mac source_mac;
	struct addr source;
	struct addr target;
	uint8_t traffic_class;
	uint32_t ident;	   /* IPv4: identification, and whether it may be fragmented */
	struct rd content; /* identifier, number and data: the frame's own bytes */
};

/**
 * Read a whole Ethernet frame. Returns L2_RX_OK and sets @out, or the reason why it is no request
 * that can be answered. Whose address it was sent to is the caller's to judge.
 */
enum l2_rx ping_request_decode(struct rd frame, struct ping_request *out);

/** Write the reply, sent by @mac; it is no longer than the request. */
void ping_reply_build(struct wr *w, const struct mac *mac, const struct ping_request *request);

#endif
