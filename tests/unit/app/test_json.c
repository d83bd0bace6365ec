#include "app/json.h"

#include <string.h>

#include "support.h"

static void items_leave_out_what_is_empty(void **state)
{
	json_t *bare = json_item("web", NULL, (struct mono){ 0 });
	json_t *never = json_item("web", "", MONO_NEVER);
	json_t *full = json_item("web", "up", mono_clock());

	(void)state;
	assert_int_equal(json_object_size(bare), 1);
	assert_int_equal(json_object_size(never), 1);
	assert_int_equal(json_object_size(full), 3);
	assert_string_equal(json_string_value(json_object_get(full, "state")), "up");
	const char *since = json_string_value(json_object_get(full, "since"));
	assert_true(strlen(since) > 20 && since[10] == 'T');
	json_decref(bare);
	json_decref(never);
	json_decref(full);
}

static void counts_are_never_negative(void **state)
{
	json_t *o = json_object();

	(void)state;
	json_set_u64(o, "small", 7);
	json_set_u64(o, "most", INT64_MAX);
	json_set_u64(o, "more", UINT64_MAX); /* addresses of an IPv6 pool */
	assert_int_equal(json_integer_value(json_object_get(o, "small")), 7);
	assert_true(json_integer_value(json_object_get(o, "most")) == INT64_MAX);
	assert_true(json_number_value(json_object_get(o, "more")) > 1.8e19);
	json_decref(o);
}

static void lower_case_fits_its_buffer(void **state)
{
	char buf[5];

	(void)state;
	assert_string_equal(json_lower("UP", buf, sizeof(buf)), "up");
	assert_string_equal(json_lower("AdminDown", buf, sizeof(buf)), "admi");
	assert_string_equal(json_lower("", buf, 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_leave_out_what_is_empty),
		cmocka_unit_test(counts_are_never_negative),
		cmocka_unit_test(lower_case_fits_its_buffer),
	};

	return cmocka_run_group_tests_name("app/json", tests, NULL, NULL);
}
