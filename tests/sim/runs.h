/**
 * Random runs of a simulation, each with a seed of its own, and a program for them.
 *
 *   TEST_SEED=n   the first seed; the runs after it have the next ones
 *   SIM_TIMES=n   so many times as many runs as usual
 *   SIM_TEST=x    only the kinds of this name (* and ? are understood)
 *   SIM_SEED=n    of each kind only the run of this seed
 *
 * A run that fails, in whatever way, prints the command that repeats it and nothing else.
 */
#ifndef TESTS_SIM_RUNS_H
#define TESTS_SIM_RUNS_H

#include <stdbool.h>

#include "support.h"

struct sim_kind {
	const char *name;
	void (*run)(uint64_t seed, unsigned nodes);
	unsigned nodes;
	unsigned usual; /* so many runs, times SIM_TIMES */
	bool once;	/* SIM_TIMES does not count */
};

#define SIM(fn, n, runs)                                                        \
	{                                                                       \
		.name = #fn "_" #n, .run = (fn), .nodes = (n), .usual = (runs), \
	}
#define SIM_ONCE(fn, n)                                                                  \
	{                                                                                \
		.name = #fn "_" #n, .run = (fn), .nodes = (n), .usual = 1, .once = true, \
	}

/** A run has settled: the longest of each kind is printed. */
void sim_settled(double after_s, double bound_s);

/** For main(): run the kinds; returns how many failed. */
#define SIM_MAIN(group, kinds) sim_main((group), (kinds), ARRAY_LEN(kinds))
int sim_main(const char *group, const struct sim_kind *kinds, size_t n);

#endif
