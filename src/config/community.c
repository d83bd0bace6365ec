#include "config/community.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decimal digits up to @max; NULL when there are none, or more than fit. */
static const char *number_parse(const char *text, uint64_t max, uint32_t *out)
{
	uint64_t v = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		v = v * 10 + (uint64_t)(*at - '0');
		if (v > max)
			return NULL;
	}
	*out = (uint32_t)v;
	return at > text ? at : NULL;
}

static bool numbers_parse(const char *text, uint64_t max, uint32_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text = number_parse(text, max, &out[i]);
		if (!text || *text != (i + 1 < n ? ':' : '\0'))
			return false;
		text++;
	}
	return true;
}

bool community_parse(const char *text, uint32_t *out)
{
	uint32_t v[2];

	if (!numbers_parse(text, UINT16_MAX, v, 2))
		return false;
	*out = v[0] << 16 | v[1];
	return true;
}

bool large_community_parse(const char *text, struct large_community *out)
{
	static const char kind[] = "large:";
	uint32_t v[3];

	if (strncmp(text, kind, strlen(kind)) == 0)
		text += strlen(kind);
	if (!numbers_parse(text, UINT32_MAX, v, 3))
		return false;
	*out = (struct large_community){ .global = v[0], .local1 = v[1], .local2 = v[2] };
	return true;
}

static const struct ext_kind {
	const char *name;
	uint8_t subtype;
} ext_kinds[] = {
	{ "rt", 2 },	 { "ro", 3 }, { "soo", 3 }, { "target", 2 }, /* ExaBGP's words */
	{ "origin", 3 },
};

enum { EXT_AS2, EXT_IPV4, EXT_AS4 }; /* the first byte: what administers it */

static uint64_t ext_make(uint8_t type, uint8_t subtype, uint64_t value)
{
	return (uint64_t)type << 56 | (uint64_t)subtype << 48 | value;
}

/* What stands behind "rt:": an AS number or an address, and a number that fits beside it. */
static bool ext_value_parse(const char *text, uint8_t subtype, uint64_t *out)
{
	const char *colon = strchr(text, ':');
	char head[ADDR_TEXT_MAX];
	struct addr a;
	uint32_t v[2];

	if (!colon || (size_t)(colon - text) >= sizeof(head))
		return false;
	memcpy(head, text, (size_t)(colon - text));
	head[colon - text] = '\0';
	if (addr_parse(head, &a) == 0 && a.family == FAMILY_V4) {
		uint64_t value = (uint64_t)a.b[0] << 40 | (uint64_t)a.b[1] << 32 |
				 (uint64_t)a.b[2] << 24 | (uint64_t)a.b[3] << 16;

		if (!numbers_parse(colon + 1, UINT16_MAX, v, 1))
			return false;
		*out = ext_make(EXT_IPV4, subtype, value | v[0]);
		return true;
	}
	if (!numbers_parse(text, UINT32_MAX, v, 2) || (v[0] > UINT16_MAX && v[1] > UINT16_MAX))
		return false;
	if (v[0] > UINT16_MAX) /* RFC 5668 */
		*out = ext_make(EXT_AS4, subtype, (uint64_t)v[0] << 16 | v[1]);
	else
		*out = ext_make(EXT_AS2, subtype, (uint64_t)v[0] << 32 | v[1]);
	return true;
}

bool ext_community_parse(const char *text, uint64_t *out)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *colon = strchr(text, ':');

	if (strncmp(text, "0x", 2) == 0 && strlen(text) == 18 && strspn(text + 2, digits) == 16) {
		*out = strtoull(text + 2, NULL, 16);
		return true;
	}
	for (size_t i = 0; colon && i < sizeof(ext_kinds) / sizeof(ext_kinds[0]); i++) {
		size_t len = strlen(ext_kinds[i].name);

		if ((size_t)(colon - text) == len && strncmp(text, ext_kinds[i].name, len) == 0)
			return ext_value_parse(colon + 1, ext_kinds[i].subtype, out);
	}
	return false;
}

const char *ext_community_format(uint64_t c, char buf[static EXT_COMMUNITY_TEXT_MAX])
{
	uint8_t type = (uint8_t)(c >> 56), subtype = c >> 48 & 0xff;
	const char *kind = subtype == 2 ? "rt" : "ro";
	uint32_t as4 = (uint32_t)(c >> 16);

	if ((subtype != 2 && subtype != 3) || type > EXT_AS4 ||
	    (type == EXT_AS4 && as4 <= UINT16_MAX)) /* which would be read as the other form */
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "0x%016" PRIx64, c);
	else if (type == EXT_AS2)
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "%s:%u:%" PRIu32, kind,
			 (unsigned)(c >> 32 & 0xffff), (uint32_t)c);
	else if (type == EXT_AS4)
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "%s:%" PRIu32 ":%u", kind, as4,
			 (unsigned)(c & 0xffff));
	else
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "%s:%u.%u.%u.%u:%u", kind, as4 >> 24,
			 as4 >> 16 & 0xff, as4 >> 8 & 0xff, as4 & 0xff, (unsigned)(c & 0xffff));
	return buf;
}

const char *community_well_known(const char *name)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{ "graceful-shutdown", "65535:0" }, /* RFC 8326 */
		{ "accept-own", "65535:1" },	    /* RFC 7611 */
		{ "llgr-stale", "65535:6" },	    /* RFC 9494 */
		{ "no-llgr", "65535:7" },
		{ "blackhole", "65535:666" },	/* RFC 7999 */
		{ "no-export", "65535:65281" }, /* RFC 1997 */
		{ "no-advertise", "65535:65282" },
		{ "local-as", "65535:65283" },
		{ "no-export-subconfed", "65535:65283" },
		{ "no-peer", "65535:65284" }, /* RFC 3765 */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].value;
	return NULL;
}

const char *community_format(uint32_t c, char buf[static COMMUNITY_TEXT_MAX])
{
	snprintf(buf, COMMUNITY_TEXT_MAX, "%u:%u", c >> 16 & 0xffff, c & 0xffff);
	return buf;
}

const char *large_community_format(const struct large_community *c,
				   char buf[static LARGE_COMMUNITY_TEXT_MAX])
{
	snprintf(buf, LARGE_COMMUNITY_TEXT_MAX, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, c->global,
		 c->local1, c->local2);
	return buf;
}

static int community_cmp(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

static int large_cmp(const void *x, const void *y)
{
	const struct large_community *a = x, *b = y;
	int c = community_cmp(&a->global, &b->global);

	if (!c)
		c = community_cmp(&a->local1, &b->local1);
	return c ? c : community_cmp(&a->local2, &b->local2);
}

static int ext_cmp(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

size_t ext_communities_unique(uint64_t *v, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(v, n, sizeof(*v), ext_cmp);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || v[i] != v[kept - 1])
			v[kept++] = v[i];
	return kept;
}

size_t communities_unique(uint32_t *v, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(v, n, sizeof(*v), community_cmp);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || v[i] != v[kept - 1])
			v[kept++] = v[i];
	return kept;
}

size_t large_communities_unique(struct large_community *v, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(v, n, sizeof(*v), large_cmp);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || large_cmp(&v[i], &v[kept - 1]) != 0)
			v[kept++] = v[i];
	return kept;
}
