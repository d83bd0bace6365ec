/* What users paste, with the verdict that they get: tests/seeds/legacy. */
#include "config_test.h"

struct verdict {
	const char *path, *message;
};

struct seed {
	const char *name;
	size_t peers, pools;	      /* of a good one */
	const struct verdict *errors; /* NULL: it is good; else all of them, in order */
	size_t n_errors, n_warnings, n_notes;
};

static const struct verdict placeholders[] = {
	{ "peers[0]", "my-asn is missing" },
	{ "peers[0].peer-address", "replace this placeholder: <vyos-router-ip>" },
	{ "peers[0].peer-asn", "replace this placeholder: <vyos-asn>" },
	{ "address-pools[0].addresses[0]", "replace this placeholder: <start-ip>-<end-ip>" },
};
static const struct verdict too_wide[] = {
	{ "address-pools[0].bgp-advertisements[0].aggregation-length", "widest prefix is /27" },
};
static const struct verdict data_only[] = { { "", "without apiVersion" } };

#define ERRORS(v) .errors = (v), .n_errors = ARRAY_LEN(v)

static const struct seed seeds[] = {
	{ "placeholders.yaml", ERRORS(placeholders) },
	{ "one-peer.yaml", .peers = 1, .pools = 1 },
	{ "minimal-layer2.yaml", .pools = 1 },
	{ "most-keys.yaml", .peers = 1, .pools = 1 },
	{ "too-wide.yaml", ERRORS(too_wide) },
	{ "data-only.yaml", ERRORS(data_only) },
	{ "as-a-deployment.yaml", .n_notes = 2 },
	{ "with-namespace.yaml", .pools = 1, .n_notes = 1 },
};

static void gives_the_verdict(void **state)
{
	const struct seed *s = *state;
	char *path = mem_printf(TEST_SEEDS "/legacy/%s", s->name);
	const char *paths[] = { path };
	struct loaded l = { 0 };
	int rc = cfg_load(paths, 1, "host", &l.c, &l.report);

	if ((rc == 0) != !s->errors || l.report.errors.n != s->n_errors ||
	    l.report.warnings.n != s->n_warnings || l.report.notes.n != s->n_notes)
		fail_with_report(&l, "another verdict");
	for (size_t i = 0; i < s->n_errors; i++) {
		assert_string_equal(l.report.errors.v[i].path, s->errors[i].path);
		assert_non_null(strstr(l.report.errors.v[i].message, s->errors[i].message));
		assert_non_null(l.report.errors.v[i].hint);
	}
	if (l.c) {
		assert_int_equal(l.c->n_peers, s->peers);
		assert_int_equal(l.c->n_pools, s->pools);
	}
	loaded_fini(&l);
	free(path);
}

/* The samples that are shipped load, without a word. */
static void sample_loads(void **state)
{
	(void)state;
	const char *paths[] = { TEST_SAMPLES "/crier.yaml" };
	struct loaded l = { 0 };

	if (cfg_load(paths, 1, "host", &l.c, &l.report) < 0 || l.report.warnings.n)
		fail_with_report(&l, "the sample must load");
	loaded_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sample_loads) };

	return RUN_TABLE("seeds", seeds, gives_the_verdict) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
