#include "app/iface_filter.h"

#include <string.h>

#include "support.h"

struct filter_case {
	const char *name;
	const char *own[2];   /* the configuration's patterns */
	const char *named[2]; /* links that an advertisement names */
	const char *link;
	bool excluded;
};

static const struct filter_case cases[] = {
	{ "an ordinary link", { 0 }, { 0 }, "eth0", false },
	{ "loopback", { 0 }, { 0 }, "lo", true },
	{ "only begins like it", { 0 }, { 0 }, "lo1", false },
	{ "docker", { 0 }, { 0 }, "docker0", true },
	{ "begins otherwise", { 0 }, { 0 }, "mydocker0", false },
	{ "a pod's end", { 0 }, { 0 }, "veth12ab", true },
	{ "a bridge of the user", { 0 }, { 0 }, "br0", false },
	{ "cni", { 0 }, { 0 }, "cni0", true },
	{ "kube-ipvs", { 0 }, { 0 }, "kube-ipvs0", true },
	{ "own pattern", { "^wg" }, { 0 }, "wg0", true },
	{ "own ones are not anchored", { "g0" }, { 0 }, "wg0", true },
	{ "own ones add to the built-in", { "^wg" }, { 0 }, "docker0", true },
	{ "the second own one", { "^wg", "^(tap|tun)[0-9]+$" }, { 0 }, "tap12", true },
	{ "not quite the second", { "^wg", "^(tap|tun)[0-9]+$" }, { 0 }, "tapx", false },
	{ "named: no default stops it", { 0 }, { "dummy0" }, "dummy0", false },
	{ "named second", { 0 }, { "eth0", "veth7" }, "veth7", false },
	{ "another is named", { 0 }, { "dummy0" }, "dummy1", true },
	{ "named, but the user excludes it", { "^dummy" }, { "dummy0" }, "dummy0", true },
};

static size_t count(const char *const v[2])
{
	return (v[0] != NULL) + (v[1] != NULL);
}

static void excludes(void **state)
{
	const struct filter_case *c = *state;
	/* The second of two advertisements names them. */
	const struct cfg_l2_adv advs[2] = {
		{ .name = "all" },
		{ .name = "some", .interfaces = { .v = c->named, .n = count(c->named) } },
	};
	const struct cfg cfg = {
		.l2.exclude_interfaces = { .v = c->own, .n = count(c->own) },
		.l2_advs = advs,
		.n_l2_advs = 2,
	};
	struct iface_filter *f = NULL;
	struct err e = { 0 };

	assert_int_equal(iface_filter_new(&cfg, &f, &e), 0);
	assert_int_equal(iface_filter_excludes(f, c->link), c->excluded);
	iface_filter_free(f);
}

static void a_bad_pattern_is_named(void **state)
{
	static const char *const own[] = { "^good", "bad(" };
	const struct cfg cfg = { .l2.exclude_interfaces = { .v = own, .n = 2 } };
	struct iface_filter *f = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(iface_filter_new(&cfg, &f, &e), -ERR_CONFIG);
	assert_null(f);
	assert_non_null(strstr(e.text, "bad("));
}

static void no_filter_excludes_nothing(void **state)
{
	(void)state;
	assert_false(iface_filter_excludes(NULL, "lo"));
	assert_null(iface_filter_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_pattern_is_named),
		cmocka_unit_test(no_filter_excludes_nothing),
	};

	return RUN_TABLE("app/iface_filter excludes", cases, excludes) +
	       cmocka_run_group_tests_name("app/iface_filter", tests, NULL, NULL);
}
