#include "bgp/spread.h"

#include "bgp_test.h"

struct fixture {
	struct bgp_attr_table *attrs;
	struct bgp_spreads *t;
	struct bgp_attr *a, *b;
};

static struct bgp_attr *attr(struct fixture *f, uint32_t med)
{
	const struct bgp_route_attrs v = { .has_med = true, .med = med };
	struct bgp_attr *out;
	struct err e;

	assert_int_equal(bgp_attr_intern(f->attrs, &v, &out, &e), 0);
	return out;
}

static int setup(void **state)
{
	struct fixture *f = mem_new(struct fixture);

	f->attrs = bgp_attr_table_new();
	f->t = bgp_spreads_new();
	f->a = attr(f, 1);
	f->b = attr(f, 2);
	*state = f;
	return 0;
}

/* Also proves that every reference was given back. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	bgp_attr_unref(f->a);
	bgp_attr_unref(f->b);
	int leaked = bgp_spreads_len(f->t) != 0 || bgp_attr_table_len(f->attrs) != 0;
	bgp_spreads_free(f->t);
	bgp_attr_table_free(f->attrs);
	free(f);
	return leaked;
}

/* @spread with another peer, which takes over its reference. */
static uint32_t with(struct fixture *f, uint32_t spread, unsigned peer, struct bgp_attr *attr)
{
	uint32_t next = bgp_spread_with(f->t, spread, peer, attr);

	bgp_spread_unref(f->t, spread);
	return next;
}

static void one_meaning_is_one_number(void **state)
{
	struct fixture *f = *state;
	uint32_t x = BGP_SPREAD_NONE, y = BGP_SPREAD_NONE;

	x = with(f, x, 3, f->a);
	x = with(f, x, 700, f->b);
	x = with(f, x, 4, f->a);
	y = with(f, y, 4, f->a);
	y = with(f, y, 4000, f->b); /* wider for a while */
	y = with(f, y, 700, f->b);
	y = with(f, y, 4000, NULL);
	y = with(f, y, 3, f->b);
	assert_int_not_equal(x, y);
	y = with(f, y, 3, f->a);
	assert_int_equal(x, y);
	assert_ptr_equal(bgp_spread_attr(f->t, x, 3), f->a);
	assert_ptr_equal(bgp_spread_attr(f->t, x, 700), f->b);
	assert_null(bgp_spread_attr(f->t, x, 5));
	assert_null(bgp_spread_attr(f->t, x, 4000));
	assert_int_equal(bgp_spreads_len(f->t), 1);
	bgp_spread_unref(f->t, x);
	bgp_spread_unref(f->t, y);
}

static void nobody_is_no_spread(void **state)
{
	struct fixture *f = *state;
	uint32_t x = with(f, BGP_SPREAD_NONE, 9, f->a);

	assert_int_equal(with(f, x, 9, NULL), BGP_SPREAD_NONE);
	assert_int_equal(bgp_spread_with(f->t, BGP_SPREAD_NONE, 1, NULL), BGP_SPREAD_NONE);
	assert_null(bgp_spread_attr(f->t, BGP_SPREAD_NONE, 1));
}

static void peers_are_compared(void **state)
{
	struct fixture *f = *state;
	uint32_t x = with(f, with(f, BGP_SPREAD_NONE, 1, f->a), 2, f->a);
	uint64_t then = bgp_spreads_births(f->t);
	uint32_t y = bgp_spread_with(f->t, x, 2, f->b);

	assert_true(bgp_spreads_alike(f->t, 5, 6, 0));
	assert_false(bgp_spreads_alike(f->t, 1, 2, then));
	bgp_spread_unref(f->t, y);
	assert_true(bgp_spreads_alike(f->t, 1, 2, 0));
	bgp_spread_unref(f->t, x);
}

static void routes_are_counted(void **state)
{
	struct fixture *f = *state;
	uint32_t x = with(f, BGP_SPREAD_NONE, 1, f->a);
	uint32_t y = bgp_spread_with(f->t, x, 2, f->b);

	bgp_spread_count(f->t, x, FAMILY_V4, 1);
	bgp_spread_count(f->t, y, FAMILY_V4, 1);
	bgp_spread_count(f->t, y, FAMILY_V6, 1);
	assert_int_equal(bgp_spreads_wanted(f->t, 1, FAMILY_V4), 2);
	assert_int_equal(bgp_spreads_wanted(f->t, 2, FAMILY_V4), 1);
	assert_int_equal(bgp_spreads_wanted(f->t, 2, FAMILY_V6), 1);
	bgp_spread_count(f->t, x, FAMILY_V4, -1);
	assert_int_equal(bgp_spreads_wanted(f->t, 1, FAMILY_V4), 1);
	bgp_spread_unref(f->t, x);
	bgp_spread_unref(f->t, y);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_meaning_is_one_number),
		TEST(nobody_is_no_spread),
		TEST(peers_are_compared),
		TEST(routes_are_counted),
	};

	return cmocka_run_group_tests_name("spreads", tests, NULL, NULL);
}
