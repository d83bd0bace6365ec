/**
 * An element of a pool's `addresses`: a prefix, or a range of either family, as the aligned
 * prefixes it stands for.
 */
#ifndef CONFIG_BLOCKS_H
#define CONFIG_BLOCKS_H

#include "base/addr.h"

/** Most prefixes that one range can need. */
#define BLOCKS_MAX 254

enum blocks_result {
	BLOCKS_OK,
	BLOCKS_NO_MASK,	 /* a single address */
	BLOCKS_BAD,	 /* neither a prefix nor a range */
	BLOCKS_BAD_END,	 /* one end of the range is no address */
	BLOCKS_ORDER,	 /* start after end */
	BLOCKS_FAMILIES, /* start and end of different families */
};

enum blocks_result blocks_parse(const char *text, struct range *out);

/** The minimal list of prefixes of a range, ascending; returns their number. */
size_t blocks_split(const struct range *r, struct prefix out[static BLOCKS_MAX]);

#endif
