#include "bfd/hist.h"

#define LOAD(field)	    atomic_load_explicit(&(field), memory_order_relaxed)
#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

#define STEP_BITS	    3 /* eight steps for each doubling */
#define STEPS		    (1u << STEP_BITS)
#define LONGEST		    ((UINT64_C(1) << 24) - 1)

/* Below eight each value has a cell of its own. */
static unsigned cell_of(uint64_t us)
{
	if (us > LONGEST)
		us = LONGEST;
	if (us < STEPS)
		return (unsigned)us;
	unsigned octave = 63u - (unsigned)__builtin_clzll(us) - STEP_BITS;
	return octave * STEPS + (unsigned)(us >> octave);
}

/* The least value of a cell. */
static uint64_t cell_start(unsigned cell)
{
	if (cell < 2 * STEPS)
		return cell;
	unsigned octave = cell / STEPS - 1;
	return (uint64_t)(cell % STEPS + STEPS) << octave;
}

_Static_assert(BFD_HIST_CELLS == (24 - STEP_BITS + 1) * STEPS, "a cell for each step to 2^24 µs");

void bfd_hist_add(struct bfd_hist *h, struct dur value)
{
	uint64_t us = value.ns > 0 ? (uint64_t)value.ns / 1000 : 0;
	_Atomic uint32_t *cell = &h->cells[cell_of(us)];

	STORE(*cell, LOAD(*cell) + 1);
	STORE(h->sum_us, LOAD(h->sum_us) + us);
	if (us > LOAD(h->max_us))
		STORE(h->max_us, us);
}

void bfd_hist_clear(struct bfd_hist *h)
{
	for (unsigned c = 0; c < BFD_HIST_CELLS; c++)
		STORE(h->cells[c], 0);
	STORE(h->sum_us, 0);
	STORE(h->max_us, 0);
}

static uint64_t count_to(const struct bfd_hist *h, unsigned end)
{
	uint64_t n = 0;

	for (unsigned c = 0; c < end; c++)
		n += LOAD(h->cells[c]);
	return n;
}

uint64_t bfd_hist_count(const struct bfd_hist *h)
{
	return count_to(h, BFD_HIST_CELLS);
}

uint64_t bfd_hist_below(const struct bfd_hist *h, uint64_t us)
{
	return us > LONGEST ? bfd_hist_count(h) : count_to(h, cell_of(us));
}

uint64_t bfd_hist_quantile(const struct bfd_hist *h, unsigned per_mille)
{
	uint64_t wanted = (bfd_hist_count(h) * per_mille + 999) / 1000, n = 0;
	uint64_t max = LOAD(h->max_us);

	for (unsigned c = 0; c < BFD_HIST_CELLS && wanted; c++) {
		n += LOAD(h->cells[c]);
		if (n >= wanted) /* the middle of the cell */
			return MIN((cell_start(c) + cell_start(c + 1)) / 2, max);
	}
	return 0;
}
