#include "bgp/update.h"

#include "bgp/notify.h"

/* RFC 4271 §4.3, RFC 5065 §3: AS_SET is 1, AS_CONFED_SEQUENCE 3. */
enum { SEGMENT_SEQUENCE = 2, SEGMENT_CONFED_SET = 4 };

struct context {
	bool as4;
	bool ibgp;
	bool seen[256];
	struct bgp_update *out;
	struct bgp_fault *fault;
};

bool bgp_nlri_next(struct rd *r, enum family family, struct prefix *out)
{
	struct addr a = { .family = (uint8_t)family };

	if (r->bad || r->left == 0)
		return false;
	uint8_t len = rd_u8(r);
	if (len > addr_bits(&a)) {
		r->bad = true;
		return false;
	}
	rd_copy(r, a.b, (len + 7U) / 8);
	if (r->bad)
		return false;
	*out = prefix_of(&a, len); /* trailing bits are irrelevant, RFC 4271 §4.3 */
	return true;
}

bool bgp_attr_next(struct rd *r, struct bgp_attr_view *out)
{
	if (r->bad || r->left == 0)
		return false;
	out->start = r->p;
	out->flags = rd_u8(r);
	out->code = rd_u8(r);
	size_t len = out->flags & BGP_FLAG_EXTENDED ? rd_u16(r) : rd_u8(r);
	out->value = rd_sub(r, len);
	return !r->bad;
}

static int count_nlri(struct rd r, enum family family, uint32_t *n)
{
	struct prefix p;

	while (bgp_nlri_next(&r, family, &p))
		(*n)++;
	return r.bad ? -1 : 0;
}

static int count_multiprotocol(struct rd r, uint16_t afi, uint8_t safi, uint32_t *n)
{
	uint8_t family = bgp_afi_bit(afi, safi);

	if (family == 0)
		return 0; /* a family that we do not know is not ours to judge */
	return count_nlri(r, family == BGP_V4 ? FAMILY_V4 : FAMILY_V6, n);
}

/* @last: the last type of segment that may stand there */
static bool path_is_good(struct rd r, unsigned as_size, uint8_t last)
{
	while (r.left > 0) {
		uint8_t type = rd_u8(&r);
		uint8_t n = rd_u8(&r);

		rd_skip(&r, (size_t)n * as_size);
		if (r.bad || n == 0 || type < 1 || type > last)
			return false;
	}
	return true;
}

static enum bgp_verdict reset_list(struct context *c)
{
	(void)bgp_fault_set(c->fault, BGP_ERR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST, NULL, 0);
	return BGP_SESSION_RESET;
}

static enum bgp_verdict reset_attr(struct context *c, uint8_t subcode,
				   const struct bgp_attr_view *a)
{
	size_t len = (size_t)(a->value.p - a->start) + a->value.left;

	(void)bgp_fault_set(c->fault, BGP_ERR_UPDATE, subcode, a->start, len);
	return BGP_SESSION_RESET;
}

typedef enum bgp_verdict (*check_fn)(struct context *c, const struct bgp_attr_view *a);

static enum bgp_verdict check_origin(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return a->value.left == 1 && a->value.p[0] <= 2 ? BGP_VERDICT_OK : BGP_TREAT_AS_WITHDRAW;
}

static enum bgp_verdict check_as_path(struct context *c, const struct bgp_attr_view *a)
{
	/* RFC 5065 §5: segments of a confederation are none of an outsider's, and we are in none with other ASes. */
	uint8_t last = c->ibgp ? SEGMENT_CONFED_SET : SEGMENT_SEQUENCE;

	return path_is_good(a->value, c->as4 ? 4 : 2, last) ? BGP_VERDICT_OK
							    : BGP_TREAT_AS_WITHDRAW;
}

static enum bgp_verdict check_as4_path(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	/* RFC 6793 §6: here such segments are to be ignored. */
	return path_is_good(a->value, 4, SEGMENT_CONFED_SET) ? BGP_VERDICT_OK
							     : BGP_ATTRIBUTE_DISCARD;
}

static enum bgp_verdict check_four(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return a->value.left == 4 ? BGP_VERDICT_OK : BGP_TREAT_AS_WITHDRAW;
}

/* RFC 7606 §7.5, §7.9, §7.10: from an external neighbour these mean nothing, so they are ignored there. */
static enum bgp_verdict check_internal_four(struct context *c, const struct bgp_attr_view *a)
{
	return c->ibgp ? check_four(c, a) : BGP_ATTRIBUTE_DISCARD;
}

static enum bgp_verdict check_cluster_list(struct context *c, const struct bgp_attr_view *a)
{
	if (!c->ibgp)
		return BGP_ATTRIBUTE_DISCARD;
	return a->value.left && a->value.left % 4 == 0 ? BGP_VERDICT_OK : BGP_TREAT_AS_WITHDRAW;
}

static enum bgp_verdict check_empty(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return a->value.left == 0 ? BGP_VERDICT_OK : BGP_ATTRIBUTE_DISCARD;
}

static enum bgp_verdict check_aggregator(struct context *c, const struct bgp_attr_view *a)
{
	return a->value.left == (c->as4 ? 8 : 6) ? BGP_VERDICT_OK : BGP_ATTRIBUTE_DISCARD;
}

static enum bgp_verdict check_as4_aggregator(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return a->value.left == 8 ? BGP_VERDICT_OK : BGP_ATTRIBUTE_DISCARD;
}

static enum bgp_verdict check_multiple(const struct bgp_attr_view *a, size_t of)
{
	return a->value.left && a->value.left % of == 0 ? BGP_VERDICT_OK : BGP_TREAT_AS_WITHDRAW;
}

static enum bgp_verdict check_communities(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return check_multiple(a, 4);
}

static enum bgp_verdict check_ext_communities(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return check_multiple(a, 8);
}

static enum bgp_verdict check_ipv6_ext_communities(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return check_multiple(a, 20);
}

static enum bgp_verdict check_large_communities(struct context *c, const struct bgp_attr_view *a)
{
	(void)c;
	return check_multiple(a, 12);
}

/* RFC 7606 §5.3 and §7.11: when the routes of the message cannot be found, the session has to go. */
static enum bgp_verdict check_reach(struct context *c, const struct bgp_attr_view *a)
{
	struct bgp_update *u = c->out;
	struct rd r = a->value;

	u->reach_afi = rd_u16(&r);
	u->reach_safi = rd_u8(&r);
	u->reach_hop = rd_sub(&r, rd_u8(&r));
	rd_skip(&r, 1);
	u->reach_nlri = r;
	if (r.bad ||
	    count_multiprotocol(u->reach_nlri, u->reach_afi, u->reach_safi, &u->announced) < 0)
		return reset_attr(c, BGP_UPDATE_OPTIONAL_ATTRIBUTE, a);
	size_t hop = u->reach_hop.left;
	bool known = bgp_afi_bit(u->reach_afi, u->reach_safi) != 0;
	return !known || hop == 4 || hop == 16 || hop == 32
		       ? BGP_VERDICT_OK
		       : reset_attr(c, BGP_UPDATE_OPTIONAL_ATTRIBUTE, a);
}

static enum bgp_verdict check_unreach(struct context *c, const struct bgp_attr_view *a)
{
	struct bgp_update *u = c->out;
	struct rd r = a->value;

	u->unreach_afi = rd_u16(&r);
	u->unreach_safi = rd_u8(&r);
	u->unreach_nlri = r;
	if (r.bad ||
	    count_multiprotocol(u->unreach_nlri, u->unreach_afi, u->unreach_safi, &u->withdrew) < 0)
		return reset_attr(c, BGP_UPDATE_OPTIONAL_ATTRIBUTE, a);
	return BGP_VERDICT_OK;
}

#define WELL_KNOWN	    BGP_FLAG_TRANSITIVE
#define OPTIONAL_TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)

static const struct attr_rule {
	check_fn check;
	uint8_t flags; /* the optional and transitive bits that it must have */
} rules[] = {
	[BGP_ATTR_ORIGIN] = { check_origin, WELL_KNOWN },
	[BGP_ATTR_AS_PATH] = { check_as_path, WELL_KNOWN },
	[BGP_ATTR_NEXT_HOP] = { check_four, WELL_KNOWN },
	[BGP_ATTR_MED] = { check_four, BGP_FLAG_OPTIONAL },
	[BGP_ATTR_LOCAL_PREF] = { check_internal_four, WELL_KNOWN },
	[BGP_ATTR_ATOMIC_AGGREGATE] = { check_empty, WELL_KNOWN },
	[BGP_ATTR_AGGREGATOR] = { check_aggregator, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_COMMUNITIES] = { check_communities, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_ORIGINATOR_ID] = { check_internal_four, BGP_FLAG_OPTIONAL },
	[BGP_ATTR_CLUSTER_LIST] = { check_cluster_list, BGP_FLAG_OPTIONAL },
	[BGP_ATTR_MP_REACH] = { check_reach, BGP_FLAG_OPTIONAL },
	[BGP_ATTR_MP_UNREACH] = { check_unreach, BGP_FLAG_OPTIONAL },
	[BGP_ATTR_EXT_COMMUNITIES] = { check_ext_communities, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_AS4_PATH] = { check_as4_path, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_AS4_AGGREGATOR] = { check_as4_aggregator, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_IPV6_EXT_COMMUNITIES] = { check_ipv6_ext_communities, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_LARGE_COMMUNITIES] = { check_large_communities, OPTIONAL_TRANSITIVE },
	[BGP_ATTR_OTC] = { check_four, OPTIONAL_TRANSITIVE },
};

static enum bgp_verdict check_unknown(struct context *c, const struct bgp_attr_view *a)
{
	if (a->flags & BGP_FLAG_OPTIONAL)
		return BGP_VERDICT_OK;
	return reset_attr(c, BGP_UPDATE_UNKNOWN_WELL_KNOWN, a);
}

static enum bgp_verdict check_attr(struct context *c, const struct bgp_attr_view *a)
{
	const struct attr_rule *rule = a->code < ARRAY_LEN(rules) ? &rules[a->code] : NULL;

	if (!rule || !rule->check)
		return check_unknown(c, a);
	if (c->seen[a->code]) /* RFC 7606 §3 (g): the first counts */
		return a->code == BGP_ATTR_MP_REACH || a->code == BGP_ATTR_MP_UNREACH
			       ? reset_list(c)
			       : BGP_ATTRIBUTE_DISCARD;
	c->seen[a->code] = true;
	enum bgp_verdict v = rule->check(c, a);
	/* RFC 7606 §3 (c), whatever the attribute; the routes in it are still those that go. */
	if ((a->flags & OPTIONAL_TRANSITIVE) != rule->flags)
		v = MAX(v, BGP_TREAT_AS_WITHDRAW);
	return v;
}

static enum bgp_verdict check_attrs(struct context *c)
{
	enum bgp_verdict worst = BGP_VERDICT_OK;
	struct rd r = c->out->attrs;
	struct bgp_attr_view a;

	while (bgp_attr_next(&r, &a)) {
		enum bgp_verdict v = check_attr(c, &a);

		if (v == BGP_SESSION_RESET)
			return v;
		worst = MAX(worst, v);
	}
	/* RFC 7606 §4: an attribute that runs past the end; the routes before it are still known. */
	return r.bad ? MAX(worst, BGP_TREAT_AS_WITHDRAW) : worst;
}

static bool has_routes(const struct bgp_update *u)
{
	return u->nlri.left || u->reach_nlri.left;
}

static enum bgp_verdict check_mandatory(const struct context *c)
{
	const struct bgp_update *u = c->out;

	if (!has_routes(u))
		return BGP_VERDICT_OK;
	bool missing = !c->seen[BGP_ATTR_ORIGIN] || !c->seen[BGP_ATTR_AS_PATH] ||
		       (u->nlri.left && !c->seen[BGP_ATTR_NEXT_HOP]) ||
		       (c->ibgp && !c->seen[BGP_ATTR_LOCAL_PREF]);
	return missing ? BGP_TREAT_AS_WITHDRAW : BGP_VERDICT_OK;
}

enum bgp_verdict bgp_update_decode(struct rd body, bool as4, bool ibgp, struct bgp_update *out,
				   struct bgp_fault *fault)
{
	struct context c = { .as4 = as4, .ibgp = ibgp, .out = out, .fault = fault };

	*out = (struct bgp_update){ 0 };
	out->withdrawn = rd_sub(&body, rd_u16(&body));
	out->attrs = rd_sub(&body, rd_u16(&body));
	out->nlri = body;
	if (body.bad)
		return reset_list(&c);
	if (count_nlri(out->withdrawn, FAMILY_V4, &out->withdrew) < 0 ||
	    count_nlri(out->nlri, FAMILY_V4, &out->announced) < 0) {
		(void)bgp_fault_set(fault, BGP_ERR_UPDATE, BGP_UPDATE_NETWORK_FIELD, NULL, 0);
		return BGP_SESSION_RESET;
	}
	enum bgp_verdict v = check_attrs(&c);
	if (v == BGP_SESSION_RESET)
		return v;
	enum bgp_verdict missing = check_mandatory(&c);
	v = MAX(v, missing);
	/*
	 * RFC 7606 §5.2: what is wrong may have hidden the routes that it is about, so that it is not known which
	 * ones to withdraw.
	 */
	if (v == BGP_TREAT_AS_WITHDRAW && !has_routes(out))
		return reset_list(&c);
	return v;
}
