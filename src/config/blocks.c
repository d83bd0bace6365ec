#include "config/blocks.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "config/value.h"

#define END_TEXT_MAX 64

/* One end of a range, with the spaces around it. */
static bool end_parse(const char *text, size_t len, struct addr *out)
{
	char copy[END_TEXT_MAX];

	while (len && isspace((unsigned char)*text))
		text++, len--;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (addr_parse(copy, out) < 0)
		return false;
	*out = addr_unmapped(*out);
	return true;
}

static enum blocks_result range_parse(const char *text, const char *dash, struct range *out)
{
	struct range r;

	if (!end_parse(text, (size_t)(dash - text), &r.first) ||
	    !end_parse(dash + 1, strlen(dash + 1), &r.last))
		return BLOCKS_BAD_END;
	if (r.first.family != r.last.family)
		return BLOCKS_FAMILIES;
	if (addr_cmp(&r.first, &r.last) > 0)
		return BLOCKS_ORDER;
	*out = r;
	return BLOCKS_OK;
}

enum blocks_result blocks_parse(const char *text, struct range *out)
{
	const char *dash = strchr(text, '-');
	struct prefix p;
	struct addr a;

	if (dash)
		return range_parse(text, dash, out);
	if (prefix_parse(text, &p) < 0)
		return addr_parse(text, &a) == 0 ? BLOCKS_NO_MASK : BLOCKS_BAD;
	*out = prefix_range(&p);
	struct addr first = addr_unmapped(out->first), last = addr_unmapped(out->last);
	if (first.family == FAMILY_V4 && last.family == FAMILY_V4)
		*out = (struct range){ .first = first, .last = last };
	return BLOCKS_OK;
}

size_t blocks_split(const struct range *r, struct prefix out[static BLOCKS_MAX])
{
	struct range rest = *r;
	size_t n = 0;

	while (n < BLOCKS_MAX && range_next_prefix(&rest, &out[n]))
		n++;
	return n;
}
