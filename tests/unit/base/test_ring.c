#include "base/ring.h"

#include <pthread.h>
#include <sched.h>

#include "support.h"

static void first_in_first_out(void **state)
{
	struct ring r;
	int v;

	(void)state;
	ring_init(&r, 4, sizeof(int));
	assert_false(ring_pop(&r, &v));
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			assert_true(ring_push(&r, &i));
		v = 99;
		assert_false(ring_push(&r, &v));
		for (int i = 0; i < 4; i++) {
			assert_true(ring_pop(&r, &v));
			assert_int_equal(v, i);
		}
		assert_false(ring_pop(&r, &v));
	}
	assert_int_equal(atomic_load(&r.refused), 5);
	ring_fini(&r);
}

static void survives_the_counters_wrap(void **state)
{
	struct ring r;
	int v;

	(void)state;
	ring_init(&r, 2, sizeof(int));
	atomic_store(&r.head, UINT32_MAX - 1);
	atomic_store(&r.tail, UINT32_MAX - 1);
	for (int i = 0; i < 8; i++) {
		assert_true(ring_push(&r, &i));
		assert_true(ring_pop(&r, &v));
		assert_int_equal(v, i);
	}
	ring_fini(&r);
}

struct sample {
	uint64_t n;
	uint64_t check;
};

#define SAMPLES 200000

static void *produce(void *arg)
{
	struct ring *r = arg;

	for (uint64_t n = 0; n < SAMPLES;) {
		struct sample s = { n, ~n };

		if (ring_push(r, &s))
			n++;
		else
			sched_yield();
	}
	return NULL;
}

static void two_threads(void **state)
{
	struct ring r;
	pthread_t producer;

	(void)state;
	ring_init(&r, 64, sizeof(struct sample));
	assert_int_equal(pthread_create(&producer, NULL, produce, &r), 0);
	for (uint64_t want = 0; want < SAMPLES;) {
		struct sample s;

		if (!ring_pop(&r, &s)) {
			sched_yield();
			continue;
		}
		assert_true(s.n == want && s.check == ~want);
		want++;
	}
	pthread_join(producer, NULL);
	ring_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(survives_the_counters_wrap),
		cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
