/*
 * The whole loader. Whatever comes in: a report or a configuration, and a configuration that is
 * printed loads again, as the same.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/print.h"

static void print_then_load(const struct cfg *c)
{
	struct cfg_report report;
	const struct cfg *again = NULL;
	json_t *tree = cfg_to_json(c, true);
	char *text = json_dumps(tree, 0);

	assert(text);
	assert(cfg_load_text("again", text, strlen(text), "fuzz", &again, &report) == 0);
	json_t *second = cfg_to_json(again, true);
	assert(json_equal(tree, second));
	assert(c->hash == again->hash);
	json_decref(second);
	json_decref(tree);
	free(text);
	cfg_free(again);
	cfg_report_fini(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_report report;
	const struct cfg *c = NULL;
	struct buf text = { 0 };
	int rc = cfg_load_text("fuzz", (const char *)data, size, "fuzz", &c, &report);

	assert((rc == 0) == (report.errors.n == 0));
	cfg_report_text(&report, false, &text);
	json_decref(cfg_report_json(&report, c));
	if (rc == 0)
		print_then_load(c);
	cfg_free(c);
	cfg_report_fini(&report);
	buf_fini(&text);
	return 0;
}

FUZZ_MAIN;
