#include "sim/runs.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the run that is under way; file scope, because a signal may end it. */
static char how_to_repeat[512];
static size_t how_len;

/* Of the kind that is under way. */
static double longest_s, longest_bound_s;

/* There where a sanitizer is built in. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

static void tell_failure(void)
{
	size_t len = how_len;

	how_len = 0;
	if (len && write(STDERR_FILENO, how_to_repeat, len) < 0)
		return;
}

static void on_abort(int signal_number)
{
	tell_failure();
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}

static void begin(const char *kind, uint64_t seed)
{
	int n = snprintf(how_to_repeat, sizeof(how_to_repeat),
			 "this run again: SIM_SEED=%llu SIM_TEST=%s %s\n", (unsigned long long)seed,
			 kind, program_invocation_name);

	how_len = MIN((size_t)n, sizeof(how_to_repeat) - 1);
}

static unsigned times(void)
{
	const char *given = getenv("SIM_TIMES");

	return given ? (unsigned)strtoul(given, NULL, 10) : 1;
}

void sim_settled(double after_s, double bound_s)
{
	longest_s = fmax(longest_s, after_s);
	longest_bound_s = fmax(longest_bound_s, bound_s);
}

static void run_kind(void **state)
{
	const struct sim_kind *k = *state;
	const char *given = getenv("SIM_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : test_seed();
	unsigned runs = given ? 1 : k->usual * (k->once ? 1 : times());

	longest_s = longest_bound_s = 0;
	for (unsigned i = 0; i < runs; i++) {
		begin(k->name, seed + i);
		k->run(seed + i, k->nodes);
		how_len = 0;
	}
	printf("%s: %u runs", k->name, runs);
	if (longest_bound_s > 0)
		printf(", settled after %.3f s at the latest, %.3f s allowed", longest_s,
		       longest_bound_s);
	printf("\n");
}

/* A failed assertion has jumped over the end of its run. */
static int kind_ends(void **state)
{
	(void)state;
	tell_failure();
	return 0;
}

int sim_main(const char *group, const struct sim_kind *kinds, size_t n)
{
	struct CMUnitTest *tests = mem_new_n(struct CMUnitTest, n);
	const char *only = getenv("SIM_TEST");

	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){
			.name = kinds[i].name,
			.test_func = run_kind,
			.teardown_func = kind_ends,
			.initial_state = (void *)(uintptr_t)&kinds[i],
		};
	if (only)
		cmocka_set_test_filter(only);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(tell_failure);
	(void)signal(SIGABRT, on_abort);
	int failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
	free(tests);
	return failed;
}
