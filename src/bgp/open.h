/**
 * The OPEN message and its capabilities. Pure.
 *
 * Covered: RFC 4271 §4.2 and §6.2 (syntax; what a session expects is checked in session.c), RFC 5492, RFC 4760
 * for IPv4 and IPv6 unicast, RFC 6793, RFC 2918, RFC 4724 and RFC 8538 (graceful restart), RFC 7313 (enhanced refresh),
 * RFC 8654 (extended messages), RFC 8950 (IPv4 over an IPv6 next hop), RFC 9072, RFC 9234 (roles), FQDN
 * (draft-walton-bgp-hostname-capability), RFC 9494 (long-lived graceful restart; we say it, and learn no routes that could be stale).
 * Capabilities that we do not know are remembered by number and tolerated.
 *
 * Our own OPEN has at most 133 bytes of parameters (two families, the longest name, all else: there is a test), so RFC 9072's longer
 * form, which is for more than 255, is read and never written.
 */
#ifndef BGP_OPEN_H
#define BGP_OPEN_H

#include "bgp/msg.h"

enum {
	BGP_CAP_MULTIPROTOCOL = 1,
	BGP_CAP_ROUTE_REFRESH = 2,
	BGP_CAP_EXTENDED_HOP = 5,
	BGP_CAP_EXTENDED_MESSAGE = 6,
	BGP_CAP_ROLE = 9,
	BGP_CAP_RESTART = 64,
	BGP_CAP_AS4 = 65,
	BGP_CAP_ENHANCED_REFRESH = 70,
	BGP_CAP_LONG_LIVED = 71,
	BGP_CAP_FQDN = 73,
};

/** RFC 9234 §4.1, by their numbers on the wire plus one. */
enum bgp_role {
	BGP_ROLE_NONE,
	BGP_ROLE_PROVIDER,
	BGP_ROLE_RS,
	BGP_ROLE_RS_CLIENT,
	BGP_ROLE_CUSTOMER,
	BGP_ROLE_PEER,
	BGP_ROLE_OTHER, /* a number that we do not know, or several roles */
};

/** RFC 4724 §3, and RFC 9494 §3 beside it. */
struct bgp_restart {
	bool on;	    /* the capability is there */
	bool restarting;    /* R: the sender comes from a restart */
	bool notifications; /* N: RFC 8538 */
	uint16_t time_s;    /* 12 bits */
	uint8_t families;   /* named */
	uint8_t forwarding; /* of these, whose forwarding was kept */
	uint32_t stale_s;   /* beyond time_s, as the last choice: 24 bits; ours only, 0: not said */
};

#define BGP_HOST_MAX 65

struct bgp_open {
	uint32_t as; /* of the 4-octet capability when there is one, else of the fixed field */
	uint32_t id; /* router id */
	uint16_t hold_s;
	uint8_t families; /* set of BGP_V4, BGP_V6; V4 when no multiprotocol capability was sent */
	bool as4;	  /* 4-octet AS numbers (capability 65) */
	bool refresh;	  /* route refresh (capability 2) */
	bool enhanced_refresh;
	bool extended_message;
	uint8_t extended_hop; /* families whose next hop may be an IPv6 address: BGP_V4 */
	uint8_t role;	      /* enum bgp_role */
	struct bgp_restart restart;
	char host[BGP_HOST_MAX]; /* longer names are cut; "" when none */
	uint8_t n_caps;		 /* received: distinct capability codes, in order of arrival */
	uint8_t caps[64];	 /* later ones are not remembered */
};

/** Encode with the capabilities that @open names; AS_TRANS where the AS needs four octets. */
void bgp_open_encode(struct wr *w, const struct bgp_open *open);

/** Returns 0, or BGP_REFUSED with @fault (RFC 4271 §6.2). @body was framed, its minimal length is given. */
NODISCARD int bgp_open_decode(struct rd body, struct bgp_open *out, struct bgp_fault *fault);

/** The registry's name of a capability, or NULL. */
const char *bgp_cap_name(uint8_t code);

#endif
