#include "bfd/hist.h"

#include "support.h"

struct value_case {
	const char *name;
	int64_t ns;
	uint64_t least, most; /* what a quantile may say, in µs */
};

static const struct value_case value_cases[] = {
	{ "before its time", -5000, 0, 0 },
	{ "zero", 0, 0, 0 },
	{ "7 µs", 7999, 7, 7 },
	{ "8 µs", 8000, 8, 8 },
	{ "100 µs", 100000, 93, 107 },
	{ "8.75 ms", 8750000, 8140, 9360 },
	{ "1 s", 1000000000, 930000, 1070000 },
	{ "an hour counts as 16 s", 3600000000000, 15000000, 17000000 },
};

static void value_is_kept(void **state)
{
	const struct value_case *c = *state;
	static struct bfd_hist h;

	bfd_hist_clear(&h);
	assert_int_equal(bfd_hist_quantile(&h, 500), 0);
	bfd_hist_add(&h, DUR_NS(c->ns));
	bfd_hist_add(&h, DUR_NS(c->ns));
	assert_int_equal(bfd_hist_count(&h), 2);
	assert_in_range(bfd_hist_quantile(&h, 500), c->least, c->most);
	assert_in_range(bfd_hist_quantile(&h, 1000), c->least, c->most);
}

static void quantiles_and_bounds(void **state)
{
	(void)state;
	static struct bfd_hist h;

	for (int us = 1; us <= 10000; us++)
		bfd_hist_add(&h, DUR_US(us));
	assert_in_range(bfd_hist_quantile(&h, 500), 4650, 5350);
	assert_in_range(bfd_hist_quantile(&h, 990), 9200, 10000);
	assert_int_equal(h.max_us, 10000);
	assert_int_equal(h.sum_us, 10000 * 10001 / 2);
	for (uint64_t us = 1; us <= 8192; us *= 2)
		assert_int_equal(bfd_hist_below(&h, us), us - 1);
	assert_int_equal(bfd_hist_below(&h, UINT64_C(1) << 40), 10000);
}

int main(void)
{
	const struct CMUnitTest plain[] = { cmocka_unit_test(quantiles_and_bounds) };

	return RUN_TABLE("bfd histogram", value_cases, value_is_kept) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
