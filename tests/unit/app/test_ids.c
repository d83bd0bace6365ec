#include "app/ids.h"

#include <stdio.h>

#include "base/err.h"
#include "support.h"

static void a_name_keeps_its_number(void **state)
{
	struct node_ids *ids = node_ids_new();
	char name[] = "a";
	uint16_t a, b, again;

	(void)state;
	assert_int_equal(node_ids_of(ids, name, &a), 0);
	assert_int_equal(node_ids_of(ids, "b", &b), 0);
	assert_int_not_equal(a, b);
	name[0] = 'x'; /* the caller's text is not kept */
	assert_string_equal(node_ids_name(ids, a), "a");
	assert_int_equal(node_ids_of(ids, "a", &again), 0);
	assert_int_equal(again, a);
	assert_null(node_ids_name(ids, 2));
	assert_null(node_ids_name(ids, UINT16_MAX));
	node_ids_free(ids);
	assert_null(node_ids_free(NULL));
}

static void there_is_a_last_number(void **state)
{
	struct node_ids *ids = node_ids_new();
	uint16_t id = 7;
	char name[32];

	(void)state;
	for (int i = 0; i < NODE_IDS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "node-%d", i);
		assert_int_equal(node_ids_of(ids, name, &id), 0);
		assert_int_equal(id, i);
	}
	assert_int_equal(node_ids_of(ids, "one more", &id), -ERR_LIMIT);
	assert_int_equal(id, NODE_IDS_MAX - 1); /* untouched */
	assert_int_equal(node_ids_of(ids, "node-0", &id), 0);
	assert_int_equal(id, 0);
	node_ids_free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_number),
		cmocka_unit_test(there_is_a_last_number),
	};

	return cmocka_run_group_tests_name("app/ids", tests, NULL, NULL);
}
