#include "cluster/keys.h"
#include "support.h"

static struct addr at(uint8_t last)
{
	return addr_v4(192, 0, 2, last);
}

static void speaks_as_spoken_to(void **state)
{
	struct keys k = { 0 };

	(void)state;
	assert_int_equal(keys_for(&k, &(struct addr){ 0 }), 0);
	keys_heard(&k, (struct addr[]){ at(1) }, 1);
	assert_int_equal(keys_for(&k, (struct addr[]){ at(1) }), 1);
	assert_int_equal(keys_for(&k, (struct addr[]){ at(2) }), 0);
	keys_heard(&k, (struct addr[]){ at(1) }, 0);
	assert_int_equal(keys_for(&k, (struct addr[]){ at(1) }), 0);
	keys_fini(&k);
	assert_int_equal(k.n, 0);
}

static void tries_one_after_the_other(void **state)
{
	struct keys k = { 0 };
	struct addr a = at(1);

	(void)state;
	keys_failed(&k, &a, 2);
	assert_int_equal(keys_for(&k, &a), 1);
	keys_failed(&k, &a, 2);
	assert_int_equal(keys_for(&k, &a), 0);
	keys_failed(&k, &a, 2);
	keys_heard(&k, &a, 1);
	keys_failed(&k, &a, 2); /* away, but its key is known */
	assert_int_equal(keys_for(&k, &a), 1);
	keys_fini(&k);
}

static void one_key_has_no_other(void **state)
{
	struct keys k = { 0 };
	struct addr a = at(1);

	(void)state;
	keys_failed(&k, &a, 1);
	keys_failed(&k, &a, 0);
	assert_int_equal(keys_for(&k, &a), 0);
	assert_int_equal(k.n, 0);
	keys_fini(&k);
}

static void a_new_secret_is_tried_once(void **state)
{
	struct keys k = { 0 };
	struct addr before = at(1), after = at(2), unknown = at(3), shorter = at(4);

	(void)state;
	keys_heard(&k, &before, 0);
	keys_heard(&k, &after, 0);
	keys_heard(&k, &shorter, 1);
	keys_renewed(&k, 2);
	assert_int_equal(keys_for(&k, &before), 2); /* what it spoke stands behind the new ones */
	assert_int_equal(keys_for_stream(&k, &before), 0);
	keys_failed(&k, &before, 4);
	assert_int_equal(keys_for_stream(&k, &before), 2); /* it has not got it yet */
	assert_int_equal(keys_for(&k, &shorter), 3);
	assert_int_equal(keys_for_stream(&k, &shorter), 1);
	keys_heard(&k, &after, 0);
	assert_int_equal(keys_for(&k, &after), 0);
	assert_int_equal(keys_for_stream(&k, &unknown), 0);

	keys_renewed(&k, 2); /* and again: the keys of the first secret are gone */
	assert_int_equal(keys_for(&k, &after), 2);
	assert_int_equal(keys_for(&k, &before), 0);
	keys_fini(&k);
}

static void is_bounded(void **state)
{
	struct keys k = { 0 };

	(void)state;
	for (unsigned i = 0; i < KEYS_ADDRESSES_MAX + 10; i++) {
		struct addr a = addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);

		keys_heard(&k, &a, 1);
		assert_int_equal(keys_for(&k, &a), i < KEYS_ADDRESSES_MAX ? 1 : 0);
	}
	keys_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_as_spoken_to),
		cmocka_unit_test(tries_one_after_the_other),
		cmocka_unit_test(one_key_has_no_other),
		cmocka_unit_test(a_new_secret_is_tried_once),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
