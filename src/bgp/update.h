/**
 * UPDATE as received: cut into its fields and judged by RFC 7606. What the peer announces is only counted, never
 * kept, so the judgement is about one question: may the session go on? Pure.
 *
 * Covered: RFC 4271 §4.3 and §6.3 as revised by RFC 7606, RFC 4760 fields for IPv4 and IPv6 unicast, RFC 5065 §5 for a speaker whose
 * external neighbours are in no confederation with it.
 */
#ifndef BGP_UPDATE_H
#define BGP_UPDATE_H

#include "bgp/msg.h"

enum bgp_attr_code {
	BGP_ATTR_ORIGIN = 1,
	BGP_ATTR_AS_PATH = 2,
	BGP_ATTR_NEXT_HOP = 3,
	BGP_ATTR_MED = 4,
	BGP_ATTR_LOCAL_PREF = 5,
	BGP_ATTR_ATOMIC_AGGREGATE = 6,
	BGP_ATTR_AGGREGATOR = 7,
	BGP_ATTR_COMMUNITIES = 8,
	BGP_ATTR_ORIGINATOR_ID = 9,
	BGP_ATTR_CLUSTER_LIST = 10,
	BGP_ATTR_MP_REACH = 14,
	BGP_ATTR_MP_UNREACH = 15,
	BGP_ATTR_EXT_COMMUNITIES = 16,
	BGP_ATTR_AS4_PATH = 17,
	BGP_ATTR_AS4_AGGREGATOR = 18,
	BGP_ATTR_IPV6_EXT_COMMUNITIES = 25,
	BGP_ATTR_LARGE_COMMUNITIES = 32,
	BGP_ATTR_OTC = 35,
};

enum {
	BGP_FLAG_OPTIONAL = 0x80,
	BGP_FLAG_TRANSITIVE = 0x40,
	BGP_FLAG_PARTIAL = 0x20,
	BGP_FLAG_EXTENDED = 0x10,
};

/** RFC 7606's outcomes, from mild to hard; the hardest one found is the message's. */
enum bgp_verdict {
	BGP_VERDICT_OK,
	BGP_ATTRIBUTE_DISCARD,
	BGP_TREAT_AS_WITHDRAW,
	BGP_SESSION_RESET
};

/** Where the parts of a message lie; cursors borrow from the message. */
struct bgp_update {
	struct rd withdrawn; /* IPv4 */
	struct rd attrs;     /* all path attributes */
	struct rd nlri;	     /* IPv4 */
	uint16_t reach_afi;  /* of MP_REACH_NLRI; 0: none */
	uint8_t reach_safi;
	struct rd reach_hop;
	struct rd reach_nlri;
	uint16_t unreach_afi; /* of MP_UNREACH_NLRI; 0: none */
	uint8_t unreach_safi;
	struct rd unreach_nlri;
	uint32_t announced; /* prefixes, of families that we know */
	uint32_t withdrew;
};

/**
 * Cut and judge. @as4: AS numbers have four octets on this session; @ibgp: the peer is internal.
 * BGP_SESSION_RESET fills @fault; else @out is filled.
 */
enum bgp_verdict bgp_update_decode(struct rd body, bool as4, bool ibgp, struct bgp_update *out,
				   struct bgp_fault *fault);

/** Take one prefix from an NLRI field. False at its end, or (r->bad) when it is malformed. */
bool bgp_nlri_next(struct rd *r, enum family family, struct prefix *out);

struct bgp_attr_view {
	uint8_t flags;
	uint8_t code;
	const uint8_t *start; /* of the attribute's header */
	struct rd value;
};

/** Take one path attribute. False at the end, or (r->bad) when it runs past it. */
bool bgp_attr_next(struct rd *r, struct bgp_attr_view *out);

#endif
