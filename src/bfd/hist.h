/**
 * A histogram of lengths of time with steps that grow with the value: eight for each doubling, so
 * that any quantile is right within 7 %. Fixed size; from 1 µs to 16 s, what is longer counts as 16 s.
 *
 * One thread writes, any thread reads: all cells are atomics, and a reader may miss the last value.
 */
#ifndef BFD_HIST_H
#define BFD_HIST_H

#include <stdatomic.h>

#include "base/time.h"

#define BFD_HIST_CELLS 176

struct bfd_hist {
	_Atomic uint32_t cells[BFD_HIST_CELLS];
	_Atomic uint64_t sum_us;
	_Atomic uint64_t max_us;
};

void bfd_hist_add(struct bfd_hist *h, struct dur value);

/** Forget everything; the writer's. */
void bfd_hist_clear(struct bfd_hist *h);

uint64_t bfd_hist_count(const struct bfd_hist *h);

/** How many values were less than @us (exact for powers of two). */
uint64_t bfd_hist_below(const struct bfd_hist *h, uint64_t us);

/** The value, in µs, that @per_mille of all do not exceed; 0 when there is none. */
uint64_t bfd_hist_quantile(const struct bfd_hist *h, unsigned per_mille);

#endif
