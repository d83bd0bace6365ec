/* Which services are shown: selectors as kubectl takes them. */
#include "cli/select.h"

#include <string.h>

#include "support.h"

static const struct select_case {
	const char *name, *selector;
	const char *shown; /* "abc": of the three items below; NULL: it is refused */
} cases[] = {
	{ "equal", "tier=front", "a" },
	{ "equal twice", " tier == front , zone = 1 ", "a" },
	{ "not equal also where it is not", "tier!=front", "bc" },
	{ "one of", "tier in (front, back)", "ab" },
	{ "none of", "tier notin (front),zone", "b" },
	{ "without a blank", "tier in(back)", "b" },
	{ "exists", "zone", "ab" },
	{ "exists not", "!zone", "c" },
	{ "empty value", "note=", "c" },
	{ "both", "tier,!note", "ab" },
	{ "no key", "=front", NULL },
	{ "no condition", "tier,,zone", NULL },
	{ "bracket missing", "tier in (front", NULL },
	{ "no word", "tier (front)", NULL },
	{ "other word", "tier of (front)", NULL },
	{ "only brackets", "(front)", NULL },
	{ "bad key", "a b=c", NULL },
	{ "value twice", "tier in (x, x)", NULL },
};

static json_t *items(void)
{
	return json_pack("[{s:s, s:{s:s, s:s}}, {s:s, s:{s:s, s:s}}, {s:s, s:{s:s}}]", "name",
			 "x/a", "labels", "zone", "1", "tier", "front", "name", "x/b", "labels",
			 "tier", "back", "zone", "2", "name", "y/c", "labels", "note", "");
}

static void expect(json_t *have, const char *shown)
{
	assert_int_equal(json_array_size(have), strlen(shown));
	for (size_t i = 0; i < json_array_size(have); i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(have, i), "name"));

		assert_int_equal(name[2], shown[i]);
	}
	json_decref(have);
}

static void selects(void **state)
{
	const struct select_case *c = *state;
	struct arena *a = arena_new();
	struct cli_selection s = { 0 };
	struct err e = { 0 };
	int status = cli_selector_parse(c->selector, a, &s.labels, &e);

	assert_int_equal(status < 0, c->shown == NULL);
	if (c->shown) {
		json_t *have = items();

		cli_select(&s, have);
		expect(have, c->shown);
	}
	arena_free(a);
}

static void by_namespace(void **state)
{
	json_t *have = items();

	(void)state;
	cli_select(&(struct cli_selection){ .namespace = "x" }, have);
	cli_split_names(have);
	assert_int_equal(json_array_size(have), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(have, 1), "namespace")), "x");
	assert_string_equal(json_string_value(json_object_get(json_array_get(have, 1), "name")),
			    "b");
	json_decref(have);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(cases) + 1];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = selects,
						.initial_state = (void *)(uintptr_t)&cases[i] };
	tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(by_namespace);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
