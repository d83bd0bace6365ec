/* A map by address beside a plain table of what should be in it. */
#include "support.h"

#include <string.h>

#include "base/addr_map.h"
#include "base/rng.h"

enum { SPOTS = 600, STEPS = 200000 };

struct record {
	struct addr addr;
	bool in;
	unsigned seen;
};

static struct record records[SPOTS];

static void random_walk(void **state)
{
	struct addr_map *m = addr_map_new();
	struct rng rng;
	size_t n = 0;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t i = 0; i < SPOTS; i++)
		records[i].addr = addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);
	for (size_t step = 0; step < STEPS; step++) {
		struct record *r = &records[rng_below(&rng, SPOTS)];

		assert_ptr_equal(addr_map_get(m, &r->addr), r->in ? r : NULL);
		if (r->in)
			assert_ptr_equal(addr_map_del(m, &r->addr), r);
		else if (rng_below(&rng, 3))
			addr_map_put(m, r);
		else
			continue;
		r->in = !r->in;
		n += r->in ? 1 : (size_t)-1;
		assert_int_equal(addr_map_len(m), n);
	}
	addr_map_free(m);
}

/* Whatever is taken out on the way, all that were there are seen. */
static void a_walk_that_takes_out(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (unsigned round = 0; round < 200; round++) {
		struct addr_map *m = addr_map_new();
		struct record *r;

		for (size_t i = 0; i < SPOTS; i++) {
			records[i].addr = addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);
			records[i].seen = 0;
			records[i].in = rng_below(&rng, 4);
			if (records[i].in)
				addr_map_put(m, &records[i]);
		}
		for (size_t at = 0; (r = addr_map_next(m, &at));) {
			r->seen++;
			if (rng_below(&rng, 2)) {
				assert_ptr_equal(addr_map_del(m, &r->addr), r);
				at--;
			}
		}
		for (size_t i = 0; i < SPOTS; i++)
			assert_int_equal(records[i].seen > 0, records[i].in);
		addr_map_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_walk),
					    cmocka_unit_test(a_walk_that_takes_out) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
