#include "plan/report.h"

#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "support.h"

static const char *const abc[] = { "a", "b", "c" };

static const struct cfg *sample(void)
{
	const char *path = TEST_VECTORS "/plan/sample.yaml";
	const struct cfg *c = NULL;
	struct cfg_report report;
	int rc = cfg_load(&path, 1, "host", &c, &report);

	cfg_report_fini(&report);
	assert_int_equal(rc, 0);
	return c;
}

static json_t *report(const struct offline_conf *conf, const struct plan_report_options *how)
{
	const struct cfg *c = sample();
	struct offline *o = offline_new(c, conf);
	json_t *plan = plan_report(o, how);

	offline_free(o);
	cfg_free(c);
	return plan;
}

static json_t *report_abc(const struct plan_report_options *how)
{
	return report(&(struct offline_conf){ .nodes = abc, .n_nodes = 3 }, how);
}

/* How many items of a list have that text under that key. */
static size_t count(const json_t *plan, const char *list, const char *key, const char *text)
{
	size_t i, n = 0;
	json_t *item;

	json_array_foreach(json_object_get(plan, list), i, item)
	{
		const char *value = json_string_value(json_object_get(item, key));

		n += value && strcmp(value, text) == 0;
	}
	return n;
}

static void golden(void **state)
{
	json_t *want = json_load_file(TEST_VECTORS "/plan/sample.json", 0, NULL);
	json_t *got = report_abc(&(struct plan_report_options){ 0 });

	(void)state;
	assert_non_null(want);
	if (!json_equal(want, got)) {
		char *text = json_dumps(got, JSON_INDENT(2));
		print_message("%s\n", text);
		free(text);
		fail_msg("the plan of the sample is another one");
	}
	json_decref(want);
	json_decref(got);
}

static void losers_are_shown_when_asked_for(void **state)
{
	struct plan_report_options how = { .all = true };
	json_t *plan = report_abc(&how);
	size_t all = count(plan, "silent", "service", "mail");

	(void)state;
	json_decref(plan);
	how.all = false;
	plan = report_abc(&how);
	assert_int_equal(all, count(plan, "silent", "service", "mail") + 2);
	json_decref(plan);
}

static void brief_leaves_out_what_goes_without_saying(void **state)
{
	json_t *plan = report_abc(&(struct plan_report_options){ .brief = true });

	(void)state;
	assert_int_equal(count(plan, "silent", "service", "late"), 0);
	assert_int_equal(count(plan, "silent", "service", "mail"), 0);
	assert_int_equal(count(plan, "silent", "service", "rack"), 2);
	assert_int_equal(count(plan, "silent", "reason", "familyNotOnSession"), 6);
	json_decref(plan);
}

static void without_nodes_it_is_this_one(void **state)
{
	json_t *plan = report(&(struct offline_conf){ .reference = true },
			      &(struct plan_report_options){ 0 });

	(void)state;
	assert_int_equal(count(plan, "announcements", "mode", "layer2"), 5);
	assert_int_equal(count(plan, "announcements", "node", "a"), 8);
	assert_int_equal(json_array_size(json_object_get(plan, "announcements")), 8);
	json_decref(plan);
}

/* Labels of the file are those of its own node, not of whoever comes first. */
static void another_node_has_no_labels(void **state)
{
	static const char *const names[] = { "x" };
	json_t *plan = report(&(struct offline_conf){ .nodes = names, .n_nodes = 1 },
			      &(struct plan_report_options){ 0 });

	(void)state;
	assert_int_equal(count(plan, "announcements", "service", "rack"), 0);
	json_decref(plan);
}

static void communities(void **state)
{
	char text[PLAN_COMMUNITY_MAX];
	struct large_community large = { 4294967295u, 4294967294u, 4294967293u };

	(void)state;
	assert_string_equal(community_text(64512u << 16 | 100, text), "64512:100");
	assert_string_equal(community_text(UINT32_MAX, text), "65535:65535");
	assert_string_equal(large_community_text(&large, text), "4294967295:4294967294:4294967293");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(losers_are_shown_when_asked_for),
		cmocka_unit_test(brief_leaves_out_what_goes_without_saying),
		cmocka_unit_test(without_nodes_it_is_this_one),
		cmocka_unit_test(another_node_has_no_labels),
		cmocka_unit_test(communities),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
