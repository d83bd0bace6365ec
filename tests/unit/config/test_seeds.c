/* What users paste, with the verdict that they get: tests/seeds. */
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

/* Fragments of resources, alone and as they belong together. */
struct fragment {
	const char *name; /* of files, with a space between them */
	const struct verdict *errors;
	size_t n_errors;
	const struct verdict *warnings; /* in order */
	size_t n_warnings, n_notes;
};

#define NOTHING_ANNOUNCES                               \
	{                                               \
		"metadata.name", "nothing announces it" \
	}
#define NOBODY_HEARS                            \
	{                                       \
		"metadata.name", "nobody hears" \
	}
#define NO_POOL(name)                                                   \
	{                                                               \
		"spec.ipAddressPools[0]", "there is no pool '" name "'" \
	}
#define NO_PEER(name)                                          \
	{                                                      \
		"spec.peers[0]", "there is no peer '" name "'" \
	}
#define NO_EFFECT(peer)                                                   \
	{                                                                 \
		"spec.localPref", "no effect on the eBGP peer '" peer "'" \
	}
#define ALL_VALUES(i)                                                 \
	{                                                             \
		"spec.communities[" #i "]", "the name of a Community" \
	}
#define NOT_COMMUNITY(i)                                         \
	{                                                        \
		"spec.communities[" #i "]", "is not a community" \
	}
#define LITERAL                                                  \
	{                                                        \
		"spec.password", "taken for the password itself" \
	}
#define PUBLIC                                          \
	{                                               \
		"spec.addresses[0]", "public addresses" \
	}
#define NO_IPV6                              \
	{                                    \
		"spec.peers", "carries IPv6" \
	}
#define BY_NAME(what)                                                 \
	{                                                             \
		"spec.communities[1].value", "by the name '" what "'" \
	}
#define STRAY_VRF                                             \
	{                                                     \
		"spec.vrf", "'ens4vrf 1' is not a VRF's name" \
	}

static const struct verdict unannounced[] = { NOTHING_ANNOUNCES, NOTHING_ANNOUNCES };
static const struct verdict literal[] = { LITERAL };
static const struct verdict secret_name[] = { { "spec.password", "whose password is used" },
					      { "spec.password", "of type Opaque" } };
static const struct verdict lone_adv[] = { NOBODY_HEARS, NO_POOL("production-pool"),
					   NO_PEER("router-primary") };
static const struct verdict lone_aggregated[] = { NOBODY_HEARS, NO_POOL("production-pool") };
static const struct verdict no_effect[] = { NO_EFFECT("router-primary") };
static const struct verdict lone_communities[] = { NOT_COMMUNITY(0), NOT_COMMUNITY(1) };
static const struct verdict lone_pool[] = { NO_POOL("production-pool") };
static const struct verdict by_name[] = { BY_NAME("no-export"), BY_NAME("no-advertise") };
static const struct verdict with_communities[] = { BY_NAME("no-export"), BY_NAME("no-advertise"),
						   ALL_VALUES(0), ALL_VALUES(1),
						   NO_EFFECT("router-primary") };
static const struct verdict lone_paths[] = { NOT_COMMUNITY(0), NOT_COMMUNITY(0) };
static const struct verdict lone_paths_warned[] = { NO_POOL("production-pool"),
						    NO_PEER("router-primary"),
						    NO_POOL("production-pool"),
						    NO_PEER("router-backup") };
static const struct verdict both_paths[] = { BY_NAME("no-export"),	  BY_NAME("no-advertise"),
					     NO_EFFECT("router-primary"), ALL_VALUES(0),
					     NO_PEER("router-backup"),	  ALL_VALUES(0) };
static const struct verdict multi_router[] = {
	LITERAL,
	LITERAL,
	LITERAL,
	LITERAL,
	NO_EFFECT("dc1-router-primary"),
	ALL_VALUES(0),
	NO_EFFECT("dc1-router-secondary"),
	ALL_VALUES(0),
	NO_EFFECT("dc2-router-primary"),
	ALL_VALUES(0),
	NO_EFFECT("dc2-router-secondary"),
	ALL_VALUES(0),
};
static const struct verdict lone_public[] = { NOTHING_ANNOUNCES, PUBLIC };
static const struct verdict lone_adv1[] = { NOBODY_HEARS, NO_POOL("pool1"), NO_PEER("peer1") };
static const struct verdict lone_adv2[] = { NOBODY_HEARS, NO_POOL("pool2"), NO_PEER("peer2") };
static const struct verdict peers_of_pools[] = { PUBLIC,  PUBLIC,
						 NO_IPV6, NO_EFFECT("peer1"),
						 NO_IPV6, NO_EFFECT("peer2") };
static const struct verdict stray_vrf[] = { STRAY_VRF };
static const struct verdict stray_peer[] = { NO_PEER("frrviavrf 1") };
static const struct verdict lone_vrf_adv[] = { NO_POOL("first-pool") };
static const struct verdict vrf[] = { STRAY_VRF, NO_PEER("frrviavrf 1") };
static const struct verdict vrf_warned[] = { PUBLIC };
static const struct verdict no_profile[] = { { "spec.bfdProfile", "there is no BFD profile" } };

#define WARNS(v) .warnings = (v), .n_warnings = ARRAY_LEN(v)

static const struct fragment fragments[] = {
	{ "calico.yaml", .n_notes = 1 },
	{ "small-network.yaml" },
	{ "pool.yaml", .warnings = unannounced, .n_warnings = 1 },
	{ "two-pools.yaml", WARNS(unannounced) },
	{ "peer.yaml" },
	{ "peer-with-secret.yaml", WARNS(literal) },
	{ "secret.yaml", .n_notes = 1 },
	{ "peer-with-secret.yaml secret.yaml", WARNS(secret_name) },
	{ "peer-of-some-nodes.yaml" },
	{ "advertisement.yaml", WARNS(lone_adv) },
	{ "pool.yaml peer.yaml advertisement.yaml", WARNS(no_effect) },
	{ "aggregated.yaml", WARNS(lone_aggregated) },
	{ "pool.yaml peer.yaml aggregated.yaml", WARNS(no_effect) },
	{ "with-communities.yaml", ERRORS(lone_communities), WARNS(lone_pool) },
	{ "communities.yaml", WARNS(by_name) },
	{ "pool.yaml peer.yaml communities.yaml with-communities.yaml", WARNS(with_communities) },
	{ "env-communities.yaml" },
	{ "primary-and-backup.yaml", ERRORS(lone_paths), WARNS(lone_paths_warned) },
	{ "pool.yaml peer.yaml communities.yaml primary-and-backup.yaml", WARNS(both_paths) },
	{ "multi-router.yaml", WARNS(multi_router) },
	{ "test-service.yaml", .n_notes = 2 },
	{ "service-monitor.yaml", .n_notes = 1 },
	{ "example-peer.yaml" },
	{ "pool1.yaml", WARNS(lone_public) },
	{ "pool2.yaml", WARNS(lone_public) },
	{ "peer1.yaml" },
	{ "peer2.yaml" },
	{ "advertisement-1.yaml", WARNS(lone_adv1) },
	{ "advertisement-2.yaml", WARNS(lone_adv2) },
	{ "pool1.yaml pool2.yaml peer1.yaml peer2.yaml advertisement-1.yaml advertisement-2.yaml",
	  WARNS(peers_of_pools) },
	{ "vrf-peer.yaml", ERRORS(stray_vrf) },
	{ "vrf-pool.yaml", WARNS(lone_public) },
	{ "vrf-advertisement.yaml", ERRORS(stray_peer), WARNS(lone_vrf_adv) },
	{ "vrf-service.yaml", .n_notes = 3 },
	{ "vrf-peer.yaml vrf-pool.yaml vrf-advertisement.yaml vrf-service.yaml", ERRORS(vrf),
	  WARNS(vrf_warned), .n_notes = 3 },
	{ "peer-of-named-nodes.yaml" },
	{ "peer-with-bfd.yaml", ERRORS(no_profile) },
	{ "peers-of-both-families.yaml" },
};

static void issues_are(const struct loaded *l, const struct cfg_issues *is,
		       const struct verdict *wanted, size_t n)
{
	if (is->n != n)
		fail_with_report(l, "more or less of it than wanted");
	for (size_t i = 0; i < n; i++)
		if (strcmp(is->v[i].path, wanted[i].path) != 0 ||
		    !strstr(is->v[i].message, wanted[i].message))
			fail_with_report(l, wanted[i].message);
}

static void fragment_verdict(void **state)
{
	const struct fragment *f = *state;
	char *names = mem_strdup(f->name), *rest = names, *name;
	char *files[8];
	struct loaded l = { 0 };
	size_t n = 0;

	while ((name = strsep(&rest, " ")))
		files[n++] = mem_printf(TEST_SEEDS "/resources/%s", name);
	int rc = cfg_load((const char *const *)files, n, "host", &l.c, &l.report);
	assert_int_equal(rc == 0, f->n_errors == 0);
	issues_are(&l, &l.report.errors, f->errors, f->n_errors);
	issues_are(&l, &l.report.warnings, f->warnings, f->n_warnings);
	assert_int_equal(l.report.notes.n, f->n_notes);
	loaded_fini(&l);
	while (n)
		free(files[--n]);
	free(names);
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
	       RUN_TABLE("fragments", fragments, fragment_verdict) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
