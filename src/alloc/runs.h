/**
 * A set of numbers, kept as ordered runs of neighbours. What it costs follows from the number of
 * runs, never from the range that the numbers are of: the allocator's used addresses, mostly one
 * run from the bottom of a pool.
 *
 * Runs stand in short sorted chunks, chunks in one sorted array: a change moves a few hundred
 * bytes.
 */
#ifndef ALLOC_RUNS_H
#define ALLOC_RUNS_H

#include <stdbool.h>

#include "base/mem.h"

/** An address as a number. */
#define runs_num __uint128_t

struct run {
	runs_num first, last;
};

struct runs_chunk {
	struct run *v;
	size_t n, cap;
};

/** Zero-initialised is valid and empty. */
struct runs {
	struct runs_chunk *chunks; /* none of them empty */
	size_t n, cap;
};

void runs_fini(struct runs *r);
bool runs_has(const struct runs *r, runs_num x);
/** Put a number in; one that is there already stays. */
void runs_add(struct runs *r, runs_num x);
/** Take a number out; one that is not there is no matter. */
void runs_del(struct runs *r, runs_num x);
/**
 * The lowest number in [first, last] that is not in the set, which holds none below @first; false:
 * none.
 */
bool runs_lowest_free(const struct runs *r, runs_num first, runs_num last, runs_num *out);
/** Number of runs: for tests, and for knowing what it costs. */
size_t runs_count(const struct runs *r);

#endif
