/*
 * Elements of `addresses`: whatever is accepted is split into prefixes that follow each other, and
 * cover the range exactly.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/blocks.h"

static void split_is_exact(const struct range *r)
{
	struct prefix v[BLOCKS_MAX];
	size_t n = blocks_split(r, v);
	struct addr next = r->first;

	assert(n > 0);
	for (size_t i = 0; i < n; i++) {
		struct range part = prefix_range(&v[i]);

		assert(addr_eq(&part.first, &next));
		assert(addr_cmp(&part.last, &r->last) <= 0);
		next = part.last;
		assert(addr_next(&next) || i + 1 == n);
	}
	struct range last = prefix_range(&v[n - 1]);
	assert(addr_eq(&last.last, &r->last));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct range r = { 0 };

	if (blocks_parse(text, &r) == BLOCKS_OK) {
		assert(r.first.family == r.last.family && addr_cmp(&r.first, &r.last) <= 0);
		split_is_exact(&r);
	}
	free(text);
	return 0;
}

FUZZ_MAIN;
