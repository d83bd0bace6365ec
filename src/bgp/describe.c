#include "bgp/describe.h"

#include <stdio.h>

#include "bgp/notify.h"
#include "bgp/open.h"
#include "bgp/update.h"

enum { SHOWN_MAX = 8 }; /* of a list */

const char *bgp_describe_type(struct rd wire)
{
	rd_skip(&wire, BGP_HEADER_LEN - 1);
	uint8_t type = rd_u8(&wire);

	return wire.bad || type == 0 || type >= BGP_TYPE_COUNT ? "unknown" : bgp_type_name(type);
}

/* As much of a field as there is: the rest may have been cut away. */
static struct rd part(struct rd *r, size_t n)
{
	return rd_sub(r, MIN(n, r->left));
}

static void separate(struct buf *out, size_t begin, const char *mark)
{
	if (out->len > begin)
		buf_puts(out, mark);
}

/* --- UPDATE --- */

static void put_prefixes(struct buf *out, size_t begin, const char *verb, struct rd r,
			 enum family family)
{
	struct prefix p;
	size_t n = 0;

	if (r.left == 0)
		return;
	separate(out, begin, "; ");
	buf_puts(out, verb);
	for (; bgp_nlri_next(&r, family, &p); n++)
		if (n < SHOWN_MAX)
			buf_printf(out, "%s%s", n ? ", " : " ", PREFIX_TEXT(&p));
	if (n > SHOWN_MAX)
		buf_printf(out, " and %zu more", n - SHOWN_MAX);
	if (r.bad)
		buf_puts(out, " …");
}

/* Four octets for each AS number, or two: only one of them fits the lengths. */
static bool path_fits(struct rd r, size_t width)
{
	while (r.left > 0) {
		rd_skip(&r, 1);
		size_t n = rd_u8(&r);

		rd_skip(&r, n * width);
	}
	return !r.bad;
}

static void put_path(struct buf *out, struct rd r)
{
	size_t width = path_fits(r, 4) || !path_fits(r, 2) ? 4 : 2;

	buf_puts(out, r.left ? "as-path" : "as-path empty");
	while (r.left > 0) {
		bool set = rd_u8(&r) % 2 == 1; /* 1 and 3; sequences are 2 and 4 */
		size_t n = rd_u8(&r);

		buf_puts(out, set ? " {" : "");
		for (; n > 0 && r.left >= width; n--)
			buf_printf(out, " %u", width == 4 ? rd_u32(&r) : rd_u16(&r));
		buf_puts(out, set ? " }" : "");
		if (n > 0)
			break;
	}
	if (r.left > 0 || r.bad)
		buf_puts(out, " …");
}

static void put_communities(struct buf *out, struct rd r)
{
	buf_puts(out, "communities");
	for (size_t n = 0; r.left >= 4; n++) {
		uint16_t high = rd_u16(&r), low = rd_u16(&r);

		if (n < SHOWN_MAX)
			buf_printf(out, " %u:%u", high, low);
		else if (n == SHOWN_MAX)
			buf_puts(out, " …");
	}
}

/* The first byte says what the next ones are: an AS number of two bytes, an IPv4 address, an AS number of four. */
static void put_ext_one(struct buf *out, struct rd r)
{
	struct rd whole = r;
	uint8_t type = rd_u8(&r), subtype = rd_u8(&r);
	const char *kind = subtype == 2 ? "rt" : "ro";

	if ((subtype != 2 && subtype != 3) || type > 2) {
		uint32_t high = rd_u32(&whole), low = rd_u32(&whole);

		buf_printf(out, " 0x%08x%08x", high, low);
	} else if (type == 0) {
		uint16_t as = rd_u16(&r);

		buf_printf(out, " %s:%u:%u", kind, as, rd_u32(&r));
	} else if (type == 1) {
		struct addr a = { .family = FAMILY_V4 };

		rd_copy(&r, a.b, 4);
		buf_printf(out, " %s:%s:%u", kind, ADDR_TEXT(&a), rd_u16(&r));
	} else {
		uint32_t as = rd_u32(&r);

		buf_printf(out, " %s:%u:%u", kind, as, rd_u16(&r));
	}
}

static void put_ext(struct buf *out, struct rd r)
{
	buf_puts(out, "extended-communities");
	for (size_t n = 0; r.left >= 8; n++) {
		struct rd one = rd_sub(&r, 8);

		if (n < SHOWN_MAX)
			put_ext_one(out, one);
		else if (n == SHOWN_MAX)
			buf_puts(out, " …");
	}
}

static void put_large(struct buf *out, struct rd r)
{
	buf_puts(out, "large-communities");
	for (size_t n = 0; r.left >= 12; n++) {
		uint32_t global = rd_u32(&r), local1 = rd_u32(&r), local2 = rd_u32(&r);

		if (n < SHOWN_MAX)
			buf_printf(out, " %u:%u:%u", global, local1, local2);
		else if (n == SHOWN_MAX)
			buf_puts(out, " …");
	}
}

static void put_origin(struct buf *out, struct rd r)
{
	static const char *const names[] = { "igp", "egp", "incomplete" };
	uint8_t origin = rd_u8(&r);

	if (origin < ARRAY_LEN(names))
		buf_printf(out, "origin %s", names[origin]);
	else
		buf_printf(out, "origin %u", origin);
}

static void put_hop4(struct buf *out, struct rd r)
{
	struct addr hop = { .family = FAMILY_V4 };

	rd_copy(&r, hop.b, 4);
	buf_printf(out, "next-hop %s", ADDR_TEXT(&hop));
}

static const char *family_name(uint16_t afi, uint8_t safi, char *number, size_t cap)
{
	uint8_t bit = bgp_afi_bit(afi, safi);

	if (bit)
		return bit == BGP_V4 ? "IPv4 unicast" : "IPv6 unicast";
	snprintf(number, cap, "family %u/%u", afi, safi);
	return number;
}

/* MP_REACH_NLRI and MP_UNREACH_NLRI: what they announce and withdraw is told with the rest. */
static void put_reach(struct buf *out, struct rd r)
{
	char number[24];
	uint16_t afi = rd_u16(&r);
	uint8_t safi = rd_u8(&r);
	size_t len = rd_u8(&r);
	struct addr hop = { .family = len >= 16 ? FAMILY_V6 : FAMILY_V4 };
	struct rd field = part(&r, len);

	rd_copy(&field, hop.b, len >= 16 ? 16 : 4);
	buf_printf(out, "%s next-hop %s", family_name(afi, safi, number, sizeof(number)),
		   ADDR_TEXT(&hop));
}

static void put_unreach(struct buf *out, struct rd r)
{
	char number[24];
	uint16_t afi = rd_u16(&r);
	uint8_t safi = rd_u8(&r);

	buf_printf(out, "%s%s", family_name(afi, safi, number, sizeof(number)),
		   r.left == 0 && !r.bad ? " End-of-RIB" : "");
}

static void put_attr(struct buf *out, const struct bgp_attr_view *a)
{
	struct rd r = a->value;

	switch (a->code) {
	case BGP_ATTR_ORIGIN:
		return put_origin(out, r);
	case BGP_ATTR_AS_PATH:
		return put_path(out, r);
	case BGP_ATTR_NEXT_HOP:
		return put_hop4(out, r);
	case BGP_ATTR_MED:
		return buf_printf(out, "med %u", rd_u32(&r));
	case BGP_ATTR_LOCAL_PREF:
		return buf_printf(out, "local-pref %u", rd_u32(&r));
	case BGP_ATTR_COMMUNITIES:
		return put_communities(out, r);
	case BGP_ATTR_EXT_COMMUNITIES:
		return put_ext(out, r);
	case BGP_ATTR_LARGE_COMMUNITIES:
		return put_large(out, r);
	case BGP_ATTR_MP_REACH:
		return put_reach(out, r);
	case BGP_ATTR_MP_UNREACH:
		return put_unreach(out, r);
	default:
		buf_printf(out, "attribute %u of %zu bytes", a->code, r.left);
	}
}

/* The prefixes inside of a multiprotocol attribute, for families that we know. */
static void put_mp_prefixes(struct buf *out, size_t begin, const struct bgp_attr_view *a)
{
	struct rd r = a->value;
	uint16_t afi = rd_u16(&r);
	uint8_t safi = rd_u8(&r);
	uint8_t bit = bgp_afi_bit(afi, safi);

	if (a->code == BGP_ATTR_MP_REACH) {
		size_t hop = rd_u8(&r);

		rd_skip(&r, hop + 1);
	}
	if (bit && !r.bad)
		put_prefixes(out, begin, a->code == BGP_ATTR_MP_REACH ? "announces" : "withdraws",
			     r, bit == BGP_V4 ? FAMILY_V4 : FAMILY_V6);
}

/* As bgp_attr_next(), but the last one may be cut. */
static bool attr_next(struct rd *r, struct bgp_attr_view *out)
{
	if (r->left == 0)
		return false;
	out->flags = rd_u8(r);
	out->code = rd_u8(r);
	size_t len = out->flags & BGP_FLAG_EXTENDED ? rd_u16(r) : rd_u8(r);
	out->value = part(r, len);
	return !r->bad;
}

static void put_attrs(struct buf *out, size_t begin, struct rd attrs)
{
	struct bgp_attr_view a;

	for (struct rd r = attrs; attr_next(&r, &a);)
		if (a.code == BGP_ATTR_MP_REACH || a.code == BGP_ATTR_MP_UNREACH)
			put_mp_prefixes(out, begin, &a);
	for (struct rd r = attrs; attr_next(&r, &a);) {
		separate(out, begin, "; ");
		put_attr(out, &a);
	}
}

static void put_update(struct buf *out, struct rd body)
{
	size_t begin = out->len;
	struct rd withdrawn = part(&body, rd_u16(&body));
	struct rd attrs = part(&body, rd_u16(&body));

	if (!body.bad && withdrawn.left + attrs.left + body.left == 0) {
		buf_puts(out, "IPv4 unicast End-of-RIB");
		return;
	}
	put_prefixes(out, begin, "withdraws", withdrawn, FAMILY_V4);
	put_prefixes(out, begin, "announces", body, FAMILY_V4);
	put_attrs(out, begin, attrs);
}

/* --- the others --- */

static void put_open(struct buf *out, struct rd body)
{
	struct bgp_open open;
	struct bgp_fault fault;

	if (bgp_open_decode(body, &open, &fault) != 0) {
		char words[BGP_NOTE_TEXT_MAX];

		buf_printf(out, "not understood: %s",
			   bgp_note_words(fault.code, fault.subcode, words));
		return;
	}
	struct addr id = { .family = FAMILY_V4 };
	struct wr w = wr_to(id.b, 4);

	wr_u32(&w, open.id);
	buf_printf(out, "AS %u, id %s, hold time %u s", open.as, ADDR_TEXT(&id), open.hold_s);
	for (size_t i = 0; i < open.n_caps && i < sizeof(open.caps); i++) {
		const char *name = bgp_cap_name(open.caps[i]);

		buf_puts(out, i ? ", " : "; capabilities ");
		if (name)
			buf_puts(out, name);
		else
			buf_printf(out, "%u", open.caps[i]);
	}
}

static void put_notification(struct buf *out, struct rd body)
{
	struct bgp_note note = { 0 };
	char words[BGP_NOTE_TEXT_MAX];

	bgp_notification_decode(body, (struct mono){ 0 }, &note);
	buf_puts(out, bgp_note_words(note.code, note.subcode, words));
	if (note.text[0])
		buf_printf(out, ": %s", note.text);
}

static void put_refresh(struct buf *out, struct rd body)
{
	static const char *const what[] = { "request", "begin", "end" };
	struct bgp_refresh refresh;
	char number[24];

	bgp_refresh_decode(body, &refresh);
	buf_printf(out, "%s of %s",
		   refresh.subtype < ARRAY_LEN(what) ? what[refresh.subtype] : "unknown kind",
		   family_name(refresh.afi, refresh.safi, number, sizeof(number)));
}

void bgp_describe(struct rd wire, size_t len, struct buf *out)
{
	size_t had = wire.left;

	rd_skip(&wire, BGP_HEADER_LEN - 1);
	uint8_t type = rd_u8(&wire);
	if (wire.bad) {
		buf_puts(out, "not a whole header");
		return;
	}
	size_t begin = out->len;
	if (type == BGP_OPEN)
		put_open(out, wire);
	else if (type == BGP_UPDATE)
		put_update(out, wire);
	else if (type == BGP_NOTIFICATION && wire.left >= 2)
		put_notification(out, wire);
	else if (type == BGP_REFRESH)
		put_refresh(out, wire);
	if (had < len) {
		separate(out, begin, "; ");
		buf_printf(out, "cut after %zu of %zu bytes", had, len);
	}
}
