/**
 * Path attributes of what we announce: sets that are stored once and shared by all routes that carry them, and
 * their encoding in the format that a session negotiated. Pure.
 *
 * A set is equal to another when it would be sent equally: communities are kept sorted and without doubles.
 *
 * Covered: RFC 4271 §5.1 (ORIGIN, AS_PATH, NEXT_HOP, MULTI_EXIT_DISC, LOCAL_PREF), RFC 1997, RFC 4360, RFC 8092, RFC 6793
 * towards speakers with two-octet AS numbers, RFC 4760, RFC 2545 and RFC 8950 next hops, RFC 9234 (Only to Customer).
 */
#ifndef BGP_ATTR_H
#define BGP_ATTR_H

#include "base/err.h"
#include "bgp/msg.h"

enum bgp_origin { BGP_ORIGIN_IGP, BGP_ORIGIN_EGP, BGP_ORIGIN_INCOMPLETE };

struct bgp_large {
	uint32_t global;
	uint32_t local1;
	uint32_t local2;
};

/** What a caller asks for; arrays are borrowed for the call, in any order. Zero-initialised is valid. */
struct bgp_route_attrs {
	uint8_t origin;	 /* enum bgp_origin */
	uint8_t prepend; /* own AS so many times more, to external peers */
	bool has_local_pref;
	bool has_med;
	uint32_t local_pref; /* internal peers only; 100 when not given */
	uint32_t med;
	struct addr next_hop;	 /* unset, or of the other family: ourselves */
	const uint32_t *as_path; /* behind our own AS */
	size_t n_as_path;
	const uint32_t *communities;
	size_t n_communities;
	const struct bgp_large *large;
	size_t n_large;
	const uint64_t *ext; /* extended communities, their 8 bytes in host order */
	size_t n_ext;
};

/** An interned set. Equal sets of one table are the same pointer. */
struct bgp_attr;
struct bgp_attr_table;

NODISCARD struct bgp_attr_table *bgp_attr_table_new(void);
/** All sets must have been given back. Takes NULL, returns NULL. */
struct bgp_attr_table *bgp_attr_table_free(struct bgp_attr_table *t);
size_t bgp_attr_table_len(const struct bgp_attr_table *t);

/**
 * Find or make the set; the caller holds one reference afterwards.
 * Returns 0, or -ERR_LIMIT when the set would not leave room for a prefix in one message.
 */
NODISCARD int bgp_attr_intern(struct bgp_attr_table *t, const struct bgp_route_attrs *want,
			      struct bgp_attr **out, struct err *e);
struct bgp_attr *bgp_attr_ref(struct bgp_attr *a); /* NULL is fine */
void bgp_attr_unref(struct bgp_attr *a);	   /* NULL is fine */

/** The set in canonical order; lives as long as @a. */
const struct bgp_route_attrs *bgp_attr_get(const struct bgp_attr *a);

/** What a session makes of attributes: fixed from OPEN until it ends. */
struct bgp_format {
	bool ibgp;
	bool as4;
	bool extended_message; /* messages may have 65535 bytes */
	bool enhanced_refresh; /* what answers a request for a refresh is marked */
	bool leaving;	       /* RFC 8326: GRACEFUL_SHUTDOWN, and the lowest preference */
	bool otc;	       /* RFC 9234 §5: routes carry Only to Customer, with local_as */
	uint8_t families;      /* set of BGP_V4, BGP_V6: negotiated, wanted, and with a next hop */
	uint32_t local_as;
	uint32_t real_as;    /* behind local_as in paths, where that is another; 0: it is not */
	struct addr hop4;    /* ourselves, as the peer reaches us; an IPv6 address by RFC 8950 */
	struct addr hop6;    /* global, or link-local when there is nothing else */
	struct addr hop6_ll; /* set on sessions between link-local addresses */
};

bool bgp_format_eq(const struct bgp_format *a, const struct bgp_format *b);

/** All attributes of an IPv4 route, NEXT_HOP included, in the order of their codes. */
void bgp_attr_encode_v4(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f);

/** Whether routes of this family and attributes stand in MP_REACH_NLRI: IPv6, and IPv4 with an IPv6 next hop. */
bool bgp_attr_is_mp(const struct bgp_attr *a, const struct bgp_format *f, uint8_t family);

/** All attributes but MP_REACH_NLRI, which stands in front of them (RFC 7606 §5.1). */
void bgp_attr_encode_mp(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f);

/** The next hop field of MP_REACH_NLRI, its length byte included: 16 or 32 bytes. */
void bgp_attr_encode_mp_hop(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f,
			    uint8_t family);

/** The next hop that a route of @family gets. */
struct addr bgp_attr_hop(const struct bgp_attr *a, const struct bgp_format *f, uint8_t family);

/** LOCAL_PREF as sent: true and the value on internal sessions. */
bool bgp_attr_local_pref(const struct bgp_attr *a, const struct bgp_format *f, uint32_t *out);

#endif
