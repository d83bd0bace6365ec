/**
 * The OPEN message and its capabilities. Pure.
 *
 * Covered: RFC 4271 §4.2 and §6.2 (syntax; what a session expects is checked in session.c), RFC 5492, RFC 4760
 * for IPv4 and IPv6 unicast, RFC 6793, RFC 2918, RFC 9072 on receive. Capabilities that we do not know are
 * remembered by number and tolerated.
 */
#ifndef BGP_OPEN_H
#define BGP_OPEN_H

#include "bgp/msg.h"

enum {
	BGP_CAP_MULTIPROTOCOL = 1,
	BGP_CAP_ROUTE_REFRESH = 2,
	BGP_CAP_AS4 = 65,
};

struct bgp_open {
	uint32_t as; /* of the 4-octet capability when there is one, else of the fixed field */
	uint32_t id; /* router id */
	uint16_t hold_s;
	uint8_t families; /* set of BGP_V4, BGP_V6; V4 when no multiprotocol capability was sent */
	bool as4;	  /* 4-octet AS numbers (capability 65) */
	bool refresh;	  /* route refresh (capability 2) */
	uint8_t n_caps;	  /* received: distinct capability codes, in order of arrival */
	uint8_t caps[64]; /* later ones are not remembered */
};

/** Encode with the capabilities that @open names; AS_TRANS where the AS needs four octets. */
void bgp_open_encode(struct wr *w, const struct bgp_open *open);

/** Returns 0, or BGP_REFUSED with @fault (RFC 4271 §6.2). @body was framed, its minimal length is given. */
NODISCARD int bgp_open_decode(struct rd body, struct bgp_open *out, struct bgp_fault *fault);

/** The registry's name of a capability, or NULL. */
const char *bgp_cap_name(uint8_t code);

#endif
