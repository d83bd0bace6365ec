/* The table of addresses against a naive twin: an array of who is in it. */
#include "vip/table.h"

#include "base/rng.h"
#include "support.h"

#define MANY 3000

struct thing {
	struct addr addr;
	bool in;
};

static struct thing things[MANY];

static void number_them(void)
{
	for (size_t i = 0; i < MANY; i++)
		things[i] = (struct thing){
			.addr = addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i),
		};
}

static void is_as_it_should_be(const struct vip_table *t)
{
	size_t in = 0, walked = 0;
	const struct thing *x;

	for (size_t i = 0; i < MANY; i++) {
		assert_ptr_equal(vip_table_find(t, &things[i].addr),
				 things[i].in ? &things[i] : NULL);
		in += things[i].in;
	}
	for (size_t at = 0; (x = vip_table_next(t, &at)); walked++)
		assert_true(x->in);
	assert_int_equal(walked, in);
	assert_int_equal(t->live, in);
}

static void turn(struct vip_table *t, struct thing *x)
{
	if (x->in)
		vip_table_remove(t, &x->addr);
	else
		vip_table_add(t, x);
	x->in = !x->in;
}

static void any_order_of_changes(void **state)
{
	struct vip_table t;
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	number_them();
	vip_table_init(&t);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 700; i++)
			turn(&t, &things[rng_below(&r, MANY)]);
		is_as_it_should_be(&t);
	}
	vip_table_fini(&t);
}

static void a_walk_may_empty_it(void **state)
{
	struct vip_table t;
	struct thing *x;

	(void)state;
	number_them();
	vip_table_init(&t);
	for (size_t i = 0; i < MANY; i++)
		turn(&t, &things[i]);
	is_as_it_should_be(&t);
	for (size_t at = 0; (x = vip_table_next(&t, &at));)
		turn(&t, x);
	is_as_it_should_be(&t);
	/* What is added and removed in turn takes no more and more room. */
	for (size_t i = 0; i < (size_t)100 * MANY; i++)
		turn(&t, &things[i % 3]);
	is_as_it_should_be(&t);
	assert_in_range(t.cap, 1, 2 * MANY);
	vip_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_changes),
		cmocka_unit_test(a_walk_may_empty_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
