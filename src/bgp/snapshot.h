/**
 * What may be read of the speaker: peers and routes as they are now. Plain values; strings and arrays are borrowed
 * and valid until the loop turns.
 */
#ifndef BGP_SNAPSHOT_H
#define BGP_SNAPSHOT_H

#include "bgp/rib.h"
#include "bgp/session.h"

struct bgp_peer_status {
	const char *name;
	enum bgp_state state;
	struct mono since;
	const char *reason; /* of the last change of state */
	bool held;	    /* back, until somebody lets it go */
	bool admin_down;    /* by `crier peer NAME down` or a shutdown */

	struct addr addr;
	uint16_t port;
	const char *zone;   /* interface of a link-local peer, or NULL */
	const char *device; /* interface or VRF that the session is bound to, or NULL */
	struct addr local;  /* of the connection; unset when there is none */
	uint16_t local_port;

	uint32_t local_as;
	uint32_t peer_as; /* as configured; 0 when a rule decides */
	enum bgp_asn_rule asn_rule;
	uint32_t router_id; /* that we sent last; 0 before */

	bool open_seen; /* the peer's OPEN has arrived: what follows is valid */
	struct bgp_agreed
		agreed;	  /* hold and keepalive, families, the peer's OPEN with its capabilities */
	uint8_t families; /* announced on this session: set of BGP_V4, BGP_V6 */

	struct bgp_rib_counts routes;
	uint64_t announced_in; /* prefixes in received UPDATEs: counted, not kept */
	uint64_t withdrawn_in;
	uint64_t refused_in; /* UPDATEs treated as withdrawal, RFC 7606 */

	const uint64_t *msgs_in; /* by enum bgp_type */
	const uint64_t *msgs_out;
	uint64_t flaps; /* times that an established session ended */
	size_t queued_bytes;

	struct bgp_note note_in; /* last NOTIFICATION of each direction; .set tells */
	struct bgp_note note_out;
	const char *last_error; /* "" when there was none since the last success */
	struct mono last_error_at;
};

struct bgp_listen_status {
	struct addr addr;
	uint16_t port;
	const char *device; /* the link or VRF whose connections are meant; NULL: all others */
	const char *error;  /* why it does not listen; NULL: it does */
};

struct bgp_route_status {
	struct prefix prefix;
	bool sent;	      /* the peer has it; the attributes below are those it was sent with */
	bool pending;	      /* a change or withdrawal waits to be sent */
	bool silent;	      /* the running session does not carry this family */
	struct addr next_hop; /* unset while not known */
	bool has_local_pref;
	uint32_t local_pref;
	size_t own_path; /* times that our own AS stands in front of the path: first_as, then own_as */
	uint32_t first_as, own_as;
	bool by_hand; /* announced by bgp_speaker_announce(), for: */
	uint32_t owner;
	const struct bgp_route_attrs *attrs;
};

#endif
