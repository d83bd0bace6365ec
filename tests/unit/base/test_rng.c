#include "base/rng.h"

#include <stdbool.h>
#include <string.h>

#include "support.h"

/* From a state of 1, 2, 3, 4: computed by hand from the definition of xoshiro256**. */
static void first_outputs(void **state)
{
	struct rng r = { .s = { 1, 2, 3, 4 } };

	(void)state;
	assert_true(rng_u64(&r) == 11520);
	assert_true(rng_u64(&r) == 0);
	assert_true(rng_u64(&r) == 1509978240);
	assert_true(rng_u64(&r) == UINT64_C(1215971899390074240));
}

static void a_seed_repeats(void **state)
{
	struct rng a, b, c;

	(void)state;
	rng_seed(&a, 42);
	rng_seed(&b, 42);
	rng_seed(&c, 43);
	int same = 0;
	for (int i = 0; i < 100; i++) {
		uint64_t x = rng_u64(&a);
		assert_true(x == rng_u64(&b));
		same += x == rng_u64(&c);
	}
	assert_int_equal(same, 0);
}

static void zero_is_a_seed_too(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, 0);
	assert_true(r.s[0] | r.s[1] | r.s[2] | r.s[3]);
}

static void bounds_hold_and_are_reached(void **state)
{
	struct rng r;
	unsigned hits[7] = { 0 };

	(void)state;
	rng_seed(&r, test_seed());
	assert_true(rng_below(&r, 0) == 0);
	assert_true(rng_below(&r, 1) == 0);
	for (int i = 0; i < 70000; i++)
		hits[rng_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(hits[i], 9000, 11000);
	for (int i = 0; i < 1000; i++)
		assert_true(rng_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
}

static void between_is_inclusive(void **state)
{
	struct rng r;
	bool low = false, high = false;

	(void)state;
	rng_seed(&r, test_seed());
	for (int i = 0; i < 1000; i++) {
		int64_t v = rng_between(&r, -3, 3);
		assert_true(v >= -3 && v <= 3);
		low |= v == -3;
		high |= v == 3;
	}
	assert_true(low && high);
	assert_true(rng_between(&r, 5, 5) == 5);
	(void)rng_between(&r, INT64_MIN, INT64_MAX);
}

static void secure_bytes_differ(void **state)
{
	uint8_t a[512] = { 0 }, b[512] = { 0 };

	(void)state;
	rng_secure(a, sizeof(a));
	rng_secure(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 480, (uint8_t[32]){ 0 }, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_outputs),
		cmocka_unit_test(a_seed_repeats),
		cmocka_unit_test(zero_is_a_seed_too),
		cmocka_unit_test(bounds_hold_and_are_reached),
		cmocka_unit_test(between_is_inclusive),
		cmocka_unit_test(secure_bytes_differ),
	};

	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
