/*
 * Conversions: whatever loads is written in our own format without a change, and as resources that
 * load again, unless a name or a contradiction stands in the way.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/convert.h"
#include "config/print.h"

static char *as_json(const json_t *value)
{
	return json_dumps(value, JSON_COMPACT);
}

static void text_of(const struct converted *d, struct buf *text)
{
	for (size_t i = 0; i < d->n; i++) {
		char *doc = as_json(d->docs[i].value);

		assert(doc);
		buf_printf(text, "---\n%s\n", doc);
		free(doc);
	}
}

/* What resources are held to and a legacy document is not. */
static bool is_stricter(const char *message)
{
	static const char *const rules[] = {
		"different local preferences", "for some services only",
		"0 is out of range", /* aggregationLength */
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strstr(message, rules[i]))
			return true;
	return false;
}

static const struct cfg *load(const struct buf *text, bool *refused)
{
	struct cfg_report report;
	const struct cfg *c = NULL;

	*refused = cfg_load_text("again", buf_text(text), text->len, "", &c, &report) < 0;
	for (size_t i = 0; i < report.errors.n; i++)
		if (!is_stricter(report.errors.v[i].message)) {
			fprintf(stderr, "%s: %s\n%s", report.errors.v[i].path,
				report.errors.v[i].message, buf_text(text));
			abort();
		}
	cfg_report_fini(&report);
	return c;
}

static void native_is_the_same(const struct cfg *c)
{
	struct converted d;
	struct buf text = { 0 };
	bool refused;

	convert_native(c, &d);
	text_of(&d, &text);
	const struct cfg *again = load(&text, &refused);
	assert(again);
	json_t *x = cfg_to_json(c, true), *y = cfg_to_json(again, true);
	assert(json_equal(x, y));
	json_decref(x);
	json_decref(y);
	cfg_free(again);
	buf_fini(&text);
	converted_fini(&d);
}

static void resources_load(const struct cfg *c)
{
	struct converted d = { 0 };
	struct buf text = { 0 };
	bool refused;

	if (convert_resources(c, as_json, &d, NULL) < 0)
		return;
	text_of(&d, &text);
	const struct cfg *again = load(&text, &refused);
	assert(again || refused);
	if (again) {
		assert(again->n_peers == c->n_peers && again->n_pools == c->n_pools);
		native_is_the_same(again);
	}
	cfg_free(again);
	buf_fini(&text);
	converted_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_report report;
	const struct cfg *c = NULL;

	if (cfg_load_text("fuzz", (const char *)data, size, "", &c, &report) == 0) {
		native_is_the_same(c);
		resources_load(c);
	}
	cfg_free(c);
	cfg_report_fini(&report);
	return 0;
}

FUZZ_MAIN;
