#include "support.h"

#include <string.h>

#include "base/text.h"

static const struct distance_case {
	const char *name;
	const char *a;
	const char *b;
	unsigned want;
} distances[] = {
	{ "same", "peers", "peers", 0 },
	{ "case is ignored", "Peers", "pEERS", 0 },
	{ "one missing", "peer", "peers", 1 },
	{ "one too many", "peerss", "peers", 1 },
	{ "one wrong", "pears", "peers", 1 },
	{ "neighbours swapped, one edit", "peres", "peers", 1 },
	{ "to the empty word", "", "abc", 3 },
	{ "from the empty word", "abc", "", 3 },
	{ "both empty", "", "", 0 },
	{ "nothing in common", "abc", "xyz", 3 },
	{ "camel case", "addressPools", "address-pools", 1 },
	{ "swap at the end", "listen", "listne", 1 },
};

static void distance(void **state)
{
	const struct distance_case *c = *state;

	assert_int_equal(text_distance(c->a, c->b), c->want);
	assert_int_equal(text_distance(c->b, c->a), c->want);
}

static void long_words_are_far(void **state)
{
	char word[200];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(text_distance(word, word), 0);
	assert_int_equal(text_distance(word, "a"), sizeof(word) - 1);
}

static const struct nearest_case {
	const char *name;
	const char *word;
	const char *want;
} nearests[] = {
	{ "a letter lost", "addres-pools", "address-pools" },
	{ "underscore", "bgp_communities", "bgp-communities" },
	{ "camel", "addressPools", "address-pools" },
	{ "short", "peer", "peers" },
	{ "two near, the nearer wins", "peer-asm", "peer-asn" },
	{ "nothing near", "frobnicate", NULL },
	{ "one letter means nothing", "x", NULL },
	{ "empty", "", NULL },
};

static void nearest(void **state)
{
	static const char *const words[] = { "peers",	  "bgp-communities", "address-pools",
					     "peer-port", "peer-asn",	     "n" };
	const struct nearest_case *c = *state;
	const char *got = text_nearest(c->word, words, ARRAY_LEN(words));

	if (c->want)
		assert_string_equal(got, c->want);
	else
		assert_null(got);
}

static void ends(void **state)
{
	(void)state;
	assert_true(text_starts_with("node.name", "node."));
	assert_true(text_starts_with("node", ""));
	assert_false(text_starts_with("nod", "node"));
	assert_true(text_ends_with("crier.yaml", ".yaml"));
	assert_false(text_ends_with("yaml", ".yaml"));
	assert_true(text_ends_with("", ""));
}

static void what_a_terminal_would_obey_is_not_printable(void **state)
{
	static const struct {
		const char *text, *calm;
		bool printable;
	} cases[] = {
		{ "", "", true },
		{ "node-a.example", "node-a.example", true },
		{ "K\xc3\xb6ln", "K\xc3\xb6ln", true },
		{ "\xe2\x82\xac \xf0\x9f\x90\xa7", "\xe2\x82\xac \xf0\x9f\x90\xa7", true },
		{ "\033[2J", "?[2J", false },
		{ "a\x7f", "a?", false },
		{ "a\tb\nc", "a\tb\nc", false },
		{ "a\rb", "a?b", false },
		{ "\xc2\x9b"
		  "31m",
		  "??31m", false },		  /* CSI as a C1 control */
		{ "\xc0\xaf", "??", false },	  /* overlong */
		{ "\xed\xa0\x80", "???", false }, /* a surrogate */
		{ "\xe2\x82", "??", false },
		{ "\xff", "?", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = mem_strdup(cases[i].text);

		assert_int_equal(text_is_printable(text), cases[i].printable);
		text_calm(text);
		assert_string_equal(text, cases[i].calm);
		free(text);
	}
}

static const char *word_at(const void *ctx, size_t i)
{
	return ((const char *const *)ctx)[i];
}

static void found_or_where_it_belongs(void **state)
{
	static const char *const words[] = { "b", "d", "f" };
	static const char *const asked[] = { "a", "b", "c", "d", "e", "f", "g" };
	static const size_t belongs[] = { 0, 0, 1, 1, 2, 2, 3 };
	size_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		assert_int_equal(text_search(asked[i], ARRAY_LEN(words), word_at, words, &at),
				 i % 2);
		assert_int_equal(at, belongs[i]);
	}
	assert_false(text_search("a", 0, word_at, words, &at));
	assert_int_equal(at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_would_obey_is_not_printable),
		cmocka_unit_test(long_words_are_far),
		cmocka_unit_test(ends),
		cmocka_unit_test(found_or_where_it_belongs),
	};
	int failed = RUN_TABLE("text_distance", distances, distance);

	failed += RUN_TABLE("text_nearest", nearests, nearest);
	return failed + cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
