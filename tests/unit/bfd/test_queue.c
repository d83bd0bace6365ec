#include "bfd/queue.h"

#include "base/rng.h"
#include "support.h"

enum { N = 500 };

static void first_is_always_the_earliest(void **state)
{
	(void)state;
	struct bfd_queue q = { 0 };
	static struct bfd_due items[N];
	struct rng rng;

	rng_seed(&rng, test_seed());
	bfd_queue_reserve(&q, N);
	for (int step = 0; step < 20000; step++) {
		struct bfd_due *due = &items[rng_below(&rng, N)];
		bool out = rng_below(&rng, 4) == 0;

		bfd_queue_set(&q, due,
			      out ? MONO_NEVER : (struct mono){ rng_between(&rng, 0, 999) });
		assert_int_equal(due->slot == 0, out);
		if (step % 100)
			continue;
		size_t queued = 0;
		int64_t least = INT64_MAX;
		for (int i = 0; i < N; i++) {
			queued += items[i].slot != 0;
			least = items[i].slot ? MIN(least, items[i].at.ns) : least;
		}
		assert_int_equal(queued, q.n);
		assert_true(q.n == 0 || bfd_queue_first(&q)->at.ns == least);
	}
	int64_t before = 0;
	while (bfd_queue_first(&q)) {
		struct bfd_due *due = bfd_queue_first(&q);

		assert_true(due->at.ns >= before);
		before = due->at.ns;
		bfd_queue_set(&q, due, MONO_NEVER);
	}
	bfd_queue_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(first_is_always_the_earliest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
