/**
 * Configurations written in the other format, as texts that load again.
 */
#ifndef TESTS_CONVERT_TEST_H
#define TESTS_CONVERT_TEST_H

#include "config_test.h"

#include "config/convert.h"

static inline char *as_json(const json_t *value)
{
	return json_dumps(value, JSON_INDENT(1));
}

/* Loaded as the command does: without a name of the host. */
static inline struct loaded load_nameless(const char *text)
{
	struct loaded l = { 0 };

	if (cfg_load_text("t.yaml", text, strlen(text), "", &l.c, &l.report) < 0)
		fail_with_report(&l, text);
	return l;
}

/* The documents as one text: JSON is YAML. */
static inline char *text_of(const struct converted *d)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < d->n; i++) {
		char *doc = as_json(d->docs[i].value);

		buf_printf(&text, "---\n%s\n", doc);
		free(doc);
	}
	return text.p ? text.p : mem_strdup("");
}

static inline char *to_native(const struct cfg *c)
{
	struct converted d;

	convert_native(c, &d);
	char *text = text_of(&d);
	converted_fini(&d);
	return text;
}

static inline char *to_resources(const struct cfg *c)
{
	struct converted d = { 0 };
	struct err e = { 0 };

	if (convert_resources(c, as_json, &d, &e) < 0)
		fail_msg("%s", e.text);
	char *text = text_of(&d);
	converted_fini(&d);
	return text;
}

static inline void assert_equal_documents(const struct cfg *a, const struct cfg *b,
					  const char *text)
{
	json_t *x = cfg_to_json(a, true), *y = cfg_to_json(b, true);

	if (!json_equal(x, y)) {
		char *xs = json_dumps(x, JSON_INDENT(1) | JSON_SORT_KEYS);
		char *ys = json_dumps(y, JSON_INDENT(1) | JSON_SORT_KEYS);

		printf("%s\n---\n%s\n---\n%s\n", text, xs, ys);
		free(xs);
		free(ys);
		fail_msg("not the same");
	}
	json_decref(x);
	json_decref(y);
}

/* Into our own format nothing at all may change. */
static inline void native_is_the_same(const struct cfg *c)
{
	char *text = to_native(c);
	struct loaded again = load_nameless(text);

	assert_equal_documents(c, again.c, text);
	char *twice = to_native(again.c);
	assert_string_equal(text, twice);
	free(twice);
	free(text);
	loaded_fini(&again);
}

#endif
