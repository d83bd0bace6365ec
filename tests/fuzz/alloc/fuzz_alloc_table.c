#include "fuzz.h"

#include <assert.h>

#include "alloc/table.h"

/* What a member or a disk says: refused, or read, written and read again to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(alloc_table_freep) struct alloc_table *t = NULL;
	CLEANUP(alloc_table_freep) struct alloc_table *again = NULL;
	struct err e;

	if (alloc_table_parse(data, size, &t, &e) < 0)
		return 0;
	json_t *json = alloc_table_encode(t);
	int rc = alloc_table_decode(json, &again, &e);
	json_decref(json);
	assert(rc == 0 && alloc_table_eq(t, again));
	assert(alloc_table_merge(t, again) == 0);
	return 0;
}

FUZZ_MAIN;
