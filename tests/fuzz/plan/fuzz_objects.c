/*
 * Objects of Kubernetes, and what is planned for them. Whatever comes in: a report, or a world of
 * which every question has an answer; and what it gives is what it goes on giving.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "plan/report.h"

static json_t *plan_of(const struct cfg *c, struct object_set *objects, const struct offline *held,
		       struct offline **out)
{
	struct offline_conf conf = { .objects = objects, .held = held };

	*out = offline_new(c, &conf);
	return plan_report(*out, &(struct plan_report_options){ .all = true });
}

static void load_and_plan(const uint8_t *data, size_t size, const struct offline *held)
{
	struct object_set *objects = object_set_new();
	struct cfg_sink sink = object_set_sink(objects);
	struct cfg_report report;
	const struct cfg *c = NULL;

	if (cfg_load_text_with("fuzz", (const char *)data, size, "fuzz", &sink, &c, &report) == 0) {
		struct offline *o;
		json_t *plan = plan_of(c, objects, held, &o);

		assert(json_object_size(plan) == 4);
		if (!held)
			load_and_plan(data, size, o);
		json_decref(plan);
		offline_free(o);
	}
	cfg_free(c);
	cfg_report_fini(&report);
	object_set_free(objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	load_and_plan(data, size, NULL);
	return 0;
}

FUZZ_MAIN;
