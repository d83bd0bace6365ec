#include "alloc/runs.h"

#include "base/rng.h"
#include "support.h"

enum { NUMBERS = 3000 };

/* The naive twin: one flag for each number. */
struct twin {
	bool in[NUMBERS];
};

static size_t twin_runs(const struct twin *t)
{
	size_t n = 0;

	for (size_t i = 0; i < NUMBERS; i++)
		n += t->in[i] && (i == 0 || !t->in[i - 1]);
	return n;
}

static size_t twin_lowest_free(const struct twin *t)
{
	size_t i = 0;

	while (i < NUMBERS && t->in[i])
		i++;
	return i;
}

static void check(const struct runs *r, const struct twin *t)
{
	size_t lowest = twin_lowest_free(t);
	runs_num x = 0;

	assert_int_equal(runs_count(r), twin_runs(t));
	assert_int_equal(runs_lowest_free(r, 0, NUMBERS - 1, &x), lowest < NUMBERS);
	if (lowest < NUMBERS)
		assert_int_equal((size_t)x, lowest);
	for (size_t i = 0; i < NUMBERS; i++)
		assert_int_equal(runs_has(r, i), t->in[i]);
}

/* Between almost empty and almost full, so that runs are many, few, split and joined. */
static void same_as_the_twin(void **state)
{
	struct runs r = { 0 };
	struct twin t = { 0 };
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t step = 0; step < 200000; step++) {
		size_t x = rng_below(&rng, NUMBERS);
		bool fill = (step / 20000) % 2 == 0;
		bool add = rng_below(&rng, 100) < (fill ? 70 : 30);

		if (add)
			runs_add(&r, x);
		else
			runs_del(&r, x);
		t.in[x] = add;
		if (step % 10000 == 0)
			check(&r, &t);
	}
	check(&r, &t);
	runs_fini(&r);
}

static void ends_of_the_number_space(void **state)
{
	const runs_num top = ~(runs_num)0;
	struct runs r = { 0 };
	runs_num x;

	(void)state;
	runs_add(&r, top);
	runs_add(&r, top - 1);
	runs_add(&r, 0);
	assert_int_equal(runs_count(&r), 2);
	assert_false(runs_lowest_free(&r, 0, 0, &x));
	assert_true(runs_lowest_free(&r, 0, top, &x));
	assert_true(x == 1);
	runs_del(&r, 0);
	assert_false(runs_lowest_free(&r, top - 1, top, &x));
	runs_del(&r, top);
	runs_del(&r, 5);
	assert_true(runs_has(&r, top - 1) && !runs_has(&r, top));
	runs_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_twin),
		cmocka_unit_test(ends_of_the_number_space),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
