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

/* All numbers given out, each to "node-<number>". */
static struct node_ids *full(void)
{
	struct node_ids *ids = node_ids_new();
	uint16_t id;
	char name[32];

	for (int i = 0; i < NODE_IDS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "node-%d", i);
		assert_int_equal(node_ids_of(ids, name, &id), 0);
		assert_int_equal(id, i);
	}
	return ids;
}

static void there_is_a_last_number(void **state)
{
	struct node_ids *ids = full();
	uint16_t id = NODE_IDS_MAX - 1;

	(void)state;
	for (uint16_t i = 0; i < NODE_IDS_MAX; i++)
		node_ids_set_living(ids, i, true);
	assert_int_equal(node_ids_of(ids, "one more", &id), -ERR_LIMIT);
	assert_int_equal(id, NODE_IDS_MAX - 1); /* untouched */
	assert_int_equal(node_ids_of(ids, "node-0", &id), 0);
	assert_int_equal(id, 0);
	node_ids_free(ids);
}

/* Neither the living nor those that a table names lose theirs; the others do, in turn. */
static void a_number_that_nobody_needs_is_given_away(void **state)
{
	struct node_ids *ids = full();
	uint16_t id;

	(void)state;
	node_ids_set_living(ids, 0, true);
	node_ids_hold(ids, 1);
	node_ids_hold(ids, 1);
	assert_int_equal(node_ids_of(ids, "new", &id), 0);
	assert_int_equal(id, 2);
	assert_string_equal(node_ids_name(ids, 2), "new");
	assert_false(node_ids_find(ids, "node-2", &id));
	assert_int_equal(node_ids_of(ids, "newer", &id), 0);
	assert_int_equal(id, 3);
	for (uint16_t i = 2; i < NODE_IDS_MAX; i++)
		node_ids_hold(ids, i);
	node_ids_release(ids, 1);
	assert_int_equal(node_ids_of(ids, "newest", &id), -ERR_LIMIT);
	node_ids_release(ids, 1);
	assert_int_equal(node_ids_of(ids, "newest", &id), 0);
	assert_int_equal(id, 1);
	assert_true(node_ids_find(ids, "new", &id));
	assert_int_equal(id, 2);
	node_ids_free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_number),
		cmocka_unit_test(there_is_a_last_number),
		cmocka_unit_test(a_number_that_nobody_needs_is_given_away),
	};

	return cmocka_run_group_tests_name("app/ids", tests, NULL, NULL);
}
