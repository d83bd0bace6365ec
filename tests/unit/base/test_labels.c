#include "support.h"

#include <stdbool.h>
#include <string.h>

#include "base/labels.h"

#define VALUES(...)           \
	(const char *const[]) \
	{                     \
		__VA_ARGS__   \
	}
#define IN(k, n, ...)                                  \
	{                                              \
		k, SELECTOR_IN, VALUES(__VA_ARGS__), n \
	}
#define NOT_IN(k, n, ...)                                  \
	{                                                  \
		k, SELECTOR_NOT_IN, VALUES(__VA_ARGS__), n \
	}
#define EXISTS(k)                           \
	{                                   \
		k, SELECTOR_EXISTS, NULL, 0 \
	}
#define NOT_EXISTS(k)                               \
	{                                           \
		k, SELECTOR_DOES_NOT_EXIST, NULL, 0 \
	}

static const struct label node_labels[] = {
	{ "env", "prod" },
	{ "kubernetes.io/hostname", "a" },
	{ "rack", "1" },
	{ "spare", "" },
};
static const struct labels node = { node_labels, ARRAY_LEN(node_labels) };
static const struct labels bare = { 0 };

static void gets(void **state)
{
	(void)state;
	for (size_t i = 0; i < node.n; i++)
		assert_string_equal(labels_get(&node, node.v[i].key), node.v[i].value);
	assert_null(labels_get(&node, "aaa"));
	assert_null(labels_get(&node, "rac"));
	assert_null(labels_get(&node, "zzz"));
	assert_null(labels_get(&bare, "env"));
}

static const struct term_case {
	const char *name;
	struct selector_term term;
	bool on_node;
	bool on_bare;
} terms[] = {
	{ "in, one", IN("rack", 1, "1"), true, false },
	{ "in, several", IN("rack", 3, "0", "1", "2"), true, false },
	{ "in, other", IN("rack", 1, "2"), false, false },
	{ "in, empty value", IN("spare", 1, ""), true, false },
	{ "in, absent key", IN("zone", 1, ""), false, false },
	{ "not in, holds it", NOT_IN("rack", 1, "1"), false, true },
	{ "not in, holds another", NOT_IN("rack", 1, "2"), true, true },
	{ "not in, absent key", NOT_IN("zone", 1, "x"), true, true },
	{ "exists", EXISTS("rack"), true, false },
	{ "exists, empty value", EXISTS("spare"), true, false },
	{ "exists, absent", EXISTS("zone"), false, false },
	{ "does not exist", NOT_EXISTS("rack"), false, true },
	{ "does not exist, absent", NOT_EXISTS("zone"), true, true },
};

static void term_matches_labels(void **state)
{
	const struct term_case *c = *state;
	struct selector s = { &c->term, 1 };

	assert_int_equal(selector_matches(&s, &node), c->on_node);
	assert_int_equal(selector_matches(&s, &bare), c->on_bare);
}

static void all_terms_must_hold(void **state)
{
	const struct selector_term both[] = { IN("rack", 1, "1"), IN("env", 1, "test") };
	struct selector s = { both, 2 };

	(void)state;
	assert_false(selector_matches(&s, &node));
	s.n = 1;
	assert_true(selector_matches(&s, &node));
	s.n = 0;
	assert_true(selector_matches(&s, &node));
	assert_true(selector_matches(&s, &bare));
}

static void a_list_is_a_choice(void **state)
{
	const struct selector_term no = IN("rack", 1, "9");
	const struct selector_term yes = EXISTS("env");
	const struct selector both[] = { { &no, 1 }, { &yes, 1 } };
	struct selectors list = { both, 2 };

	(void)state;
	assert_true(selectors_match(&list, &node));
	assert_false(selectors_match(&list, &bare));
	list.n = 1;
	assert_false(selectors_match(&list, &node));
	list.n = 0;
	assert_true(selectors_match(&list, &node));
}

static void equality_ignores_order(void **state)
{
	const struct selector_term ab[] = { IN("rack", 2, "1", "2"), EXISTS("env") };
	const struct selector_term ba[] = { EXISTS("env"), IN("rack", 2, "2", "1") };
	const struct selector_term other[] = { EXISTS("env"), IN("rack", 1, "1") };
	const struct selector_term not_in[] = { EXISTS("env"), NOT_IN("rack", 2, "1", "2") };
	const struct selector a = { ab, 2 };
	const struct selector b = { ba, 2 };
	const struct selector c = { other, 2 };
	const struct selector d = { not_in, 2 };
	const struct selector shorter = { ba, 1 };

	(void)state;
	assert_true(selector_eq(&a, &b));
	assert_false(selector_eq(&a, &c));
	assert_false(selector_eq(&c, &a));
	assert_false(selector_eq(&a, &d));
	assert_false(selector_eq(&a, &shorter));
	assert_false(selector_eq(&shorter, &a));
}

static void operators(void **state)
{
	static const char *const names[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	enum selector_op op = SELECTOR_IN;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(selector_op_parse(names[i], &op), 0);
		assert_int_equal(op, i);
		assert_string_equal(selector_op_name(op), names[i]);
	}
	assert_int_equal(selector_op_parse("in", &op), -1);
	assert_int_equal(selector_op_parse("Gt", &op), -1);
}

static const struct check_case {
	const char *name;
	struct selector_term term;
	const char *want; /* a part of the text; NULL: good */
} checks[] = {
	{ "in with a value", IN("rack", 1, "1"), NULL },
	{ "in without values", { "rack", SELECTOR_IN, NULL, 0 }, "at least one value" },
	{ "not in without values", { "rack", SELECTOR_NOT_IN, NULL, 0 }, "at least one value" },
	{ "exists", EXISTS("rack"), NULL },
	{ "exists with a value", { "rack", SELECTOR_EXISTS, VALUES("1"), 1 }, "no values" },
	{ "absent with a value", { "rack", SELECTOR_DOES_NOT_EXIST, VALUES("1"), 1 }, "no values" },
	{ "value twice", IN("rack", 3, "1", "2", "1"), "listed twice" },
	{ "bad value", IN("rack", 1, "a b"), "label value" },
	{ "bad key", EXISTS("-rack"), "label key" },
};

static void term_checks(void **state)
{
	const struct check_case *c = *state;
	struct err e = { 0 };
	int rc = selector_term_check(&c->term, &e);

	if (!c->want) {
		assert_int_equal(rc, 0);
		return;
	}
	assert_int_equal(rc, -ERR_CONFIG);
	assert_non_null(strstr(e.text, c->want));
}

#define A63  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A253 A63 "." A63 "." A63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct form_case {
	const char *name;
	const char *text;
	bool key;
	bool value;
} forms[] = {
	{ "word", "rack", true, true },
	{ "digits", "1", true, true },
	{ "all kinds inside", "a-B_c.9", true, true },
	{ "empty", "", false, true },
	{ "63 letters", A63, true, true },
	{ "64 letters", A63 "a", false, false },
	{ "dash first", "-a", false, false },
	{ "dot last", "a.", false, false },
	{ "underscore first", "_a", false, false },
	{ "blank inside", "a b", false, false },
	{ "not ASCII",
	  "r\xc3\xa4"
	  "ck",
	  false, false },
	{ "with a prefix", "kubernetes.io/hostname", true, false },
	{ "prefix of 253", A253 "/a", true, false },
	{ "prefix of 254", A253 "a/a", false, false },
	{ "empty prefix", "/a", false, false },
	{ "empty name", "example.org/", false, false },
	{ "two slashes", "a/b/c", false, false },
	{ "prefix in capitals", "Example.org/a", false, false },
	{ "prefix with an empty part", "a..b/c", false, false },
	{ "prefix part ends in a dash", "a-.b/c", false, false },
	{ "prefix with an underscore", "a_b/c", false, false },
};

static void form(void **state)
{
	const struct form_case *c = *state;

	assert_int_equal(label_key_valid(c->text), c->key);
	assert_int_equal(label_value_valid(c->text), c->value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets),
		cmocka_unit_test(all_terms_must_hold),
		cmocka_unit_test(a_list_is_a_choice),
		cmocka_unit_test(equality_ignores_order),
		cmocka_unit_test(operators),
	};
	int failed = RUN_TABLE("selector terms", terms, term_matches_labels);

	failed += RUN_TABLE("term checks", checks, term_checks);
	failed += RUN_TABLE("label forms", forms, form);
	return failed + cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
