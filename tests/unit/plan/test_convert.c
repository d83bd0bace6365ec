/* A configuration that is written in the other format, and back, plans the same. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "config/convert.h"
#include "config/print.h"
#include "plan/report.h"
#include "support.h"

/* What is planned for: services of several labels and namespaces, on nodes of several racks. */
static const char cluster[] =
	"---\n{apiVersion: v1, kind: Node, metadata: {name: a, labels: {rack: r1}}}\n"
	"---\n{apiVersion: v1, kind: Node, metadata: {name: b, labels: {rack: r2}}}\n"
	"---\n{apiVersion: v1, kind: Namespace, metadata: {name: red, labels: {team: x}}}\n";

static const char service_form[] =
	"---\n{apiVersion: v1, kind: Service, metadata: {name: s%u, namespace: %s, labels: {tier: "
	"%s}}, spec: {type: LoadBalancer, ipFamilyPolicy: PreferDualStack, clusterIPs: "
	"[10.96.0.%u, 'fd96::%u'], ports: [{port: 80}]}}\n"
	"---\n{apiVersion: v1, kind: Endpoints, metadata: {name: s%u, namespace: %s}, subsets: "
	"[{addresses: [{ip: 10.244.0.1, nodeName: a}, {ip: 10.244.0.2, nodeName: b}], ports: "
	"[{port: 80}]}]}\n";

static void add_cluster(struct buf *text)
{
	static const char *const namespaces[] = { "default", "red" };
	static const char *const tiers[] = { "front", "back", "edge" };

	buf_puts(text, cluster);
	for (unsigned i = 0; i < 12; i++)
		buf_printf(text, service_form, i, namespaces[i % 2], tiers[i % 3], i + 1, i + 1, i,
			   namespaces[i % 2]);
}

/* v0.12 lets a pool's advertisements disagree; resources may not, and are refused. */
#define CONTRADICTION "different local preferences"

struct loaded {
	const struct cfg *c; /* NULL: a contradiction */
	struct object_set *objects;
};

static struct loaded load(const char *text)
{
	struct loaded l = { .objects = object_set_new() };
	struct cfg_sink sink = object_set_sink(l.objects);
	struct buf all = { 0 }, said = { 0 };
	struct cfg_report report;

	buf_puts(&all, text);
	add_cluster(&all);
	int rc = cfg_load_text_with("t.yaml", buf_text(&all), all.len, "", &sink, &l.c, &report);
	cfg_report_text(&report, false, &said);
	if (rc < 0 && !strstr(buf_text(&said), CONTRADICTION))
		fail_msg("%s\n%s", text, buf_text(&said));
	cfg_report_fini(&report);
	buf_fini(&said);
	buf_fini(&all);
	return l;
}

/* Peers and pools may get other names, in the same order: each goes by its number. */
static void number(const struct cfg *c, json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *peer = json_string_value(json_object_get(item, "peer"));
		const char *pool = json_string_value(json_object_get(item, "pool"));
		const struct cfg_peer *p = peer ? cfg_peer_find(c, peer) : NULL;
		const struct cfg_pool *q = pool ? cfg_pool_find(c, pool) : NULL;

		json_object_del(item, "detail"); /* words about names */
		if (p)
			json_object_set_new(item, "peer", json_integer(p - c->peers));
		if (q)
			json_object_set_new(item, "pool", json_integer(q - c->pools));
	}
}

static json_t *plan_of(struct loaded *l)
{
	static const char *const nodes[] = { "a", "b" };
	struct offline_conf conf = { .objects = l->objects, .nodes = nodes, .n_nodes = 2 };
	struct offline *o = offline_new(l->c, &conf);
	json_t *plan = plan_report(o, &(struct plan_report_options){ .all = true }), *item;
	size_t i;

	number(l->c, json_object_get(plan, "allocations"));
	number(l->c, json_object_get(plan, "announcements"));
	number(l->c, json_object_get(plan, "silent"));
	json_array_foreach(json_object_get(plan, "unallocated"), i, item)
		json_object_del(item, "reason"); /* words about names, too */
	offline_free(o);
	object_set_free(l->objects);
	l->objects = NULL;
	return plan;
}

static char *as_json(const json_t *value)
{
	return json_dumps(value, JSON_COMPACT);
}

static char *text_of(struct converted *d)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < d->n; i++) {
		char *doc = as_json(d->docs[i].value);

		buf_printf(&text, "---\n%s\n", doc);
		free(doc);
	}
	converted_fini(d);
	return text.p ? text.p : mem_strdup("");
}

static char *to_native(const struct cfg *c)
{
	struct converted d;

	convert_native(c, &d);
	return text_of(&d);
}

static char *to_resources(const struct cfg *c)
{
	struct converted d = { 0 };
	struct err e = { 0 };

	if (convert_resources(c, as_json, &d, &e) < 0)
		fail_msg("%s", e.text);
	return text_of(&d);
}

/* Returns the text that was loaded, written again. */
static char *plans_the_same(const char *text, const json_t *plan, char *write(const struct cfg *))
{
	struct loaded l = load(text);

	if (!l.c) {
		object_set_free(l.objects);
		return NULL;
	}
	json_t *now = plan_of(&l);
	char *next = write ? write(l.c) : NULL;

	if (!json_equal(plan, now)) {
		char *was = json_dumps(plan, JSON_INDENT(1) | JSON_SORT_KEYS);
		char *is = json_dumps(now, JSON_INDENT(1) | JSON_SORT_KEYS);

		printf("%s\nwas:\n%s\nis:\n%s\n", text, was, is);
		fail_msg("another plan");
	}
	json_decref(now);
	cfg_free(l.c);
	return next;
}

/* False where resources could not say it. */
static bool check(const char *text)
{
	struct loaded l = load(text);
	json_t *plan = plan_of(&l);
	char *native = to_native(l.c), *resources = to_resources(l.c);
	char *there = plans_the_same(native, plan, to_resources);
	char *back = plans_the_same(resources, plan, to_native);

	if (there)
		plans_the_same(there, plan, NULL);
	if (back)
		plans_the_same(back, plan, NULL);
	bool whole = there && back;

	free(native);
	free(resources);
	free(there);
	free(back);
	json_decref(plan);
	cfg_free(l.c);
	return whole;
}

struct sample {
	const char *name;
	const char *text;
};

#define EBGP "- {my-asn: 64512, peer-asn: 64513, peer-address: 10.0.0.1}\n"
#define IBGP "- {my-asn: 64512, peer-asn: 64512, peer-address: 10.0.0.2, dual-stack: true}\n"

static const struct sample samples[] = {
	{ "Layer 2", "address-pools: [{name: lan, protocol: layer2, addresses: [10.5.0.0/24, "
		     "'fd00::/120']}]\n" },
	{ "LOCAL_PREF that nobody chose",
	  "peers:\n" EBGP IBGP
	  "address-pools: [{name: pp, protocol: bgp, addresses: [10.5.0.0/24]}]\n" },
	{ "LOCAL_PREF, communities, aggregation",
	  "peers:\n" EBGP IBGP "bgp-communities: {x: '1:2'}\n"
	  "address-pools: [{name: pp, protocol: bgp, addresses: [10.5.0.0/24, 'fd00::/120'], "
	  "bgp-advertisements: [{localpref: 50, communities: [x, '3:4']}, {aggregation-length: 24, "
	  "aggregation-length-v6: 120, "
	  "med: 3, large-communities: ['1:2:3'], peers: [10.0.0.2]}]}]\n" },
	{ "names that resources can't have",
	  "peers:\n" EBGP "- {name: Tor_1, my-asn: 1, peer-asn: 1, peer-address: 10.0.0.3}\n"
	  "address-pools: [{name: pool, protocol: bgp, addresses: [10.5.0.0/24], "
	  "bgp-advertisements: [{peers: [Tor_1]}]}]\n" },
	{ "standalone services",
	  "address-pools:\n- {name: lan, protocol: layer2, addresses: [10.5.0.0/24]}\n"
	  "- {name: other, protocol: layer2, addresses: [10.6.0.0/24]}\n"
	  "services: [{name: web, address-pool: other}, {name: out, address: 10.9.0.1, protocol: "
	  "layer2, node-selectors: [{match-labels: {a: b}}]}]\n" },
	{ "pools of all kinds",
	  "peers:\n" EBGP IBGP "address-pools:\n"
	  "- {name: old, protocol: bgp, addresses: [10.5.0.0/29]}\n"
	  "- {name: open, protocol: none, addresses: [10.6.0.0/29, 'fd06::/125'], labels: {zone: "
	  "x}}\n"
	  "- {name: pinned, protocol: none, addresses: [10.7.0.0/24, 'fd07::/120'], "
	  "service-allocation: {priority: 1, namespaces: [red]}}\n"
	  "l2-advertisements:\n- {name: some, address-pool-selectors: [{match-labels: {zone: x}}], "
	  "node-selectors: [{match-labels: {rack: r1}}]}\n"
	  "bgp-advertisements:\n- {name: all, localpref: none}\n"
	  "- {name: fronts, service-selectors: [{match-labels: {tier: front}}], localpref: 7, "
	  "peers: "
	  "[10.0.0.2]}\n" },
};

static void there_and_back(void **state)
{
	assert_true(check(((const struct sample *)*state)->text));
}

/* Without the objects of a cluster that a file may hold besides. */
static void check_file(const char *path)
{
	const struct cfg *c = NULL;
	struct cfg_report report;

	if (cfg_load(&path, 1, "", &c, &report) == 0) {
		char *native = to_native(c), *resources = to_resources(c);

		(void)check(native); /* legacy ones may contradict themselves */
		assert_true(check(resources));
		free(native);
		free(resources);
	}
	cfg_report_fini(&report);
	cfg_free(c);
}

static void folder(const char *name)
{
	DIR *d = opendir(name);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) {
		char *path = mem_printf("%s/%s", name, e->d_name);

		if (e->d_name[0] != '.')
			check_file(path);
		free(path);
	}
	closedir(d);
}

static void seeds(void **state)
{
	(void)state;
	folder(TEST_SEEDS "/legacy");
	folder(TEST_SEEDS "/resources");
}

static const char *one_of(struct rng *rng, const char *const *words, size_t n)
{
	return words[rng_below(rng, n)];
}

#define ONE_OF(rng, ...)                                             \
	({                                                           \
		static const char *const words_[] = { __VA_ARGS__ }; \
		one_of((rng), words_, ARRAY_LEN(words_));            \
	})

static const char *adv_fields(struct rng *rng)
{
	return ONE_OF(rng, "", ", communities: [x]", ", aggregation-length: 24", ", med: 5",
		      ", as-path-prepend: 2", ", peers: [10.0.0.2]",
		      ", node-selectors: [{match-labels: {rack: r1}}]",
		      ", large-communities: ['1:2:3']", ", communities: ['3:4', x]");
}

static void random_pools(struct rng *rng, struct buf *text)
{
	buf_puts(text, "address-pools:\n");
	for (unsigned i = 0, n = 1 + (unsigned)rng_below(rng, 4); i < n; i++) {
		const char *protocol = ONE_OF(rng, "layer2", "bgp", "none");

		buf_printf(
			text, "- {name: %s%u, protocol: %s, addresses: [10.%u.0.0/24]%s%s%s",
			ONE_OF(rng, "pool", "My_"), i, protocol, i + 10,
			ONE_OF(rng, "", ", auto-assign: false", ", avoid-buggy-ips: true"),
			ONE_OF(rng, "", ", labels: {zone: x}", ", labels: {zone: y}"),
			ONE_OF(rng, "", ", service-allocation: {priority: 2}",
			       ", service-allocation: {namespaces: [red]}",
			       ", service-allocation: {service-selectors: [{match-labels: {tier: "
			       "front}}]}"));
		if (strcmp(protocol, "bgp") == 0 && rng_below(rng, 2))
			buf_printf(text, ", bgp-advertisements: [{localpref: %s%s}]",
				   ONE_OF(rng, "0", "none", "7"), adv_fields(rng));
		buf_puts(text, "}\n");
	}
}

static const char *targets(struct rng *rng)
{
	return ONE_OF(rng, "", "", ", address-pools: [pool0]", ", address-pools: [pool1, nope]",
		      ", address-pool-selectors: [{match-labels: {zone: x}}]");
}

static void random_advs(struct rng *rng, struct buf *text)
{
	if (rng_below(rng, 2))
		buf_printf(text, "l2-advertisements:\n- {name: some%s%s}\n", targets(rng),
			   ONE_OF(rng, "", ", interfaces: [eth0]",
				  ", node-selectors: [{match-labels: {rack: r2}}]",
				  ", service-selectors: [{match-labels: {tier: back}}]",
				  ", preferred-node-selectors: [{weight: 3, preference: "
				  "{match-labels: {rack: r2}}}]"));
	if (rng_below(rng, 2))
		buf_printf(text, "bgp-advertisements:\n- {name: one%s%s, localpref: %s}\n",
			   targets(rng), adv_fields(rng), ONE_OF(rng, "none", "0", "9"));
}

#define RANDOM_RUNS 60

static void random_configurations(void **state)
{
	struct rng rng;
	int whole = 0;

	(void)state;
	rng_seed(&rng, test_seed());
	for (int i = 0; i < RANDOM_RUNS; i++) {
		struct buf text = { 0 };

		buf_puts(&text, "bgp-communities: {x: '1:2'}\npeers:\n" EBGP IBGP);
		random_pools(&rng, &text);
		random_advs(&rng, &text);
		whole += check(buf_text(&text));
		buf_fini(&text);
	}
	assert_true(whole > RANDOM_RUNS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds),
					    cmocka_unit_test(random_configurations) };

	return RUN_TABLE("samples", samples, there_and_back) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
