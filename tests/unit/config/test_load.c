/* Whole documents and files: what counts as configuration, and where problems point. */
#include "config_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/place.h"

#define CONFIG_MAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"

static const struct refusal refused[] = {
	{ "own key in two documents",
	  "log: {level: info}\n---\nlog: {format: text}\n",
	  "log",
	  "given twice",
	  "keep one",
	  { 3, 1 } },
	{ "two services of one name in two documents",
	  LAN "services: [{name: a}]\n---\nservices: [{name: a}]\n", "services[0].name",
	  "second service 'a'" },
	{ "an alias in two documents",
	  "bgp-communities: {a: 1:1}\n---\nbgp-communities: {a: 1:1}\n",
	  "bgp-communities.a",
	  "named twice",
	  NULL,
	  { 3, 22 } },
	{ "syntax", "peers: [\n", "", "" },
	{ "a tab", "peers:\n\t- a\n", "", "tab", NULL, { 2, 1 } },
	{ "data.config as a mapping", CONFIG_MAP "data: {config: {peers: []}}\n", "data.config",
	  "text that holds a document", "config: |" },
	{ "data as a list", CONFIG_MAP "data: []\n", "data", "a mapping is wanted" },
	{ "position inside data.config",
	  CONFIG_MAP "data:\n  config: |\n    peers:\n    - foo: 1\n",
	  "peers[0].foo",
	  "no key",
	  NULL,
	  { 7, 7 } },
	{ "syntax inside data.config", CONFIG_MAP "data:\n  config: |\n    peers: [\n", "", "" },
	{ "a duplicate key inside data.config",
	  CONFIG_MAP "data:\n  config: |\n    peers: []\n    peers: []\n",
	  "",
	  "peers",
	  NULL,
	  { 7, 5 } },
	{ "an object without kind", "apiVersion: v1\n", "", "without kind" },
	{ "an object without apiVersion", "kind: ConfigMap\n", "", "without apiVersion" },
	{ "an unknown kind of metallb.io", "apiVersion: metallb.io/v1beta1\nkind: IPAdressPool\n",
	  "kind", "no kind 'IPAdressPool'", "'IPAddressPool'" },
	{ "an element of a List",
	  "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: metallb.io/v1beta1, kind: Pool}\n",
	  "items[0].kind", "no kind 'Pool'" },
	{ "items of a List as a mapping", "apiVersion: v1\nkind: List\nitems: {}\n", "items",
	  "a list is wanted" },
	{ "an element of a List without its kind",
	  "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]\n", "items[0]",
	  "without apiVersion" },
	{ "a version that nobody serves", "apiVersion: metallb.io/v1\nkind: BGPPeer\n",
	  "apiVersion", "no BGPPeer of metallb.io/v1",
	  "served: metallb.io/v1beta1, metallb.io/v1beta2" },
};

static const struct acceptance accepted[] = {
	{ "lists add up over documents",
	  "peers: [{" PEER_BASE "}]\n---\npeers: [{name: b, my-asn: 1, "
	  "peer-asn: 2, peer-address: 10.0.0.2}]\n",
	  "peers.1.name", "b" },
	{ "communities of another document",
	  BGP_POOL(", bgp-advertisements: [{communities: [a]}]") "---\nbgp-communities: {a: 7:7}\n",
	  "address-pools.0.bgp-advertisements.0.communities.0", "7:7" },
	{ "a ConfigMap",
	  CONFIG_MAP "data:\n  config: |\n    address-pools:\n    - {name: lan, "
		     "protocol: layer2, addresses: [10.0.0.0/24]}\n",
	  "address-pools.0.name", "lan" },
	{ "a ConfigMap and own keys beside it",
	  CONFIG_MAP
	  "data:\n  other: x\n  config: |\n    address-pools:\n    - {name: lan, protocol: "
	  "layer2, addresses: [10.0.0.0/24]}\n---\nservices: [{name: web}]\n",
	  "services.0.name", "web" },
	{ "an empty data.config", CONFIG_MAP "data: {config: \"\"}\n", "peers", "[]" },
	{ "a ConfigMap of somebody else", CONFIG_MAP "data: {a: b}\n", "peers", "[]" },
	{ "a quoted data.config", CONFIG_MAP "data: {config: \"log: {level: warn}\"}\n",
	  "log.level", "warn" },
	{ "several documents inside data.config",
	  CONFIG_MAP
	  "data:\n  config: |\n    log: {level: warn}\n    ---\n    http: {listen: none}\n",
	  "http.listen", "none" },
	{ "objects of others are skipped",
	  "apiVersion: apps/v1\nkind: Deployment\n---\napiVersion: monitoring.coreos.com/v1\n"
	  "kind: ServiceMonitor\n---\napiVersion: v1\nkind: Pod\n---\nlog: {level: warn}\n",
	  "log.level", "warn" },
	{ "JSON is YAML", "{\"log\": {\"level\": \"warn\"}}", "log.level", "warn" },
	{ "documents between documents", "---\n---\nlog: {level: warn}\n---\n", "log.level",
	  "warn" },
};

/* What a sink was given: "Service t.yaml:1:1, …". */
static bool sink_note(void *ctx, struct loader *l, const struct place *p, const char *kind)
{
	struct buf *b = ctx;

	(void)l;
	buf_printf(b, "%s%s %s:%u", b->len ? ", " : "", kind, p->at->file->name, p->at->pos.line);
	return strcmp(kind, "Node") != 0;
}

static void gives_objects_to_the_sink(void **state)
{
	(void)state;
	static const char text[] = "{apiVersion: v1, kind: Service}\n---\n"
				   "apiVersion: v1\nkind: List\nitems:\n"
				   "- {apiVersion: v1, kind: Node}\n"
				   "- {apiVersion: v1, kind: Namespace}\n---\n"
				   "apiVersion: discovery.k8s.io/v1\nkind: EndpointSliceList\n"
				   "items: [{metadata: {name: a}}]\n---\n"
				   "{apiVersion: v1, kind: Endpoints}\n---\n"
				   "{apiVersion: v1, kind: Pod}\n";
	struct buf seen = { 0 };
	const struct cfg_sink sink = { .take = sink_note, .ctx = &seen };
	struct loaded l = { 0 };

	assert_int_equal(
		cfg_load_text_with("t.yaml", text, strlen(text), "host", &sink, &l.c, &l.report),
		0);
	assert_string_equal(buf_text(&seen), "Service t.yaml:1, Node t.yaml:6, Namespace t.yaml:7, "
					     "EndpointSlice t.yaml:11, Endpoints t.yaml:13");
	assert_int_equal(l.report.notes.n, 2); /* the Node, which it did not want, and the Pod */
	buf_fini(&seen);
	loaded_fini(&l);
}

static void skips_objects_without_a_sink(void **state)
{
	(void)state;
	struct loaded l = load_good("{apiVersion: v1, kind: Service}\n---\n"
				    "{apiVersion: metallb.io/v1beta1, kind: ServiceL2Status}\n");

	assert_int_equal(l.report.notes.n, 2);
	loaded_fini(&l);
}

static void notes_what_it_skips(void **state)
{
	(void)state;
	struct loaded l = load_good("apiVersion: apps/v1\nkind: Deployment\n");

	assert_int_equal(l.report.notes.n, 1);
	assert_non_null(strstr(l.report.notes.v[0].message, "Deployment"));
	loaded_fini(&l);
}

/* A folder of files, and files by name; each test has its own. */
struct folder {
	char path[64];
};

static int folder_new(void **state)
{
	struct folder *f = mem_new(struct folder);

	snprintf(f->path, sizeof(f->path), "/tmp/crier-load-XXXXXX");
	*state = f;
	return mkdtemp(f->path) ? 0 : -1;
}

static int folder_free(void **state)
{
	struct folder *f = *state;
	const char *names[] = { "a.yaml", "b.yml", "c.json", "d.txt", ".e.yaml" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->path, names[i]);
		unlink(path);
	}
	rmdir(f->path);
	free(f);
	return 0;
}

static const char *folder_put(struct folder *f, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", f->path, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return path;
}

static void reads_a_folder(void **state)
{
	struct folder *f = *state;
	const char *paths[] = { f->path };
	struct loaded l = { 0 };

	free((void *)folder_put(f, "b.yml", "services: [{name: second, address-pool: lan}]\n"));
	free((void *)folder_put(f, "a.yaml", LAN "services: [{name: first}]\n"));
	free((void *)folder_put(f, "c.json", "{\"services\": [{\"name\": \"third\"}]}"));
	free((void *)folder_put(f, "d.txt", "nonsense: true\n"));
	free((void *)folder_put(f, ".e.yaml", "nonsense: true\n"));
	assert_int_equal(cfg_load(paths, 1, "host", &l.c, &l.report), 0);
	assert_int_equal(l.c->n_services, 3);
	assert_string_equal(l.c->services[0].name, "first");
	assert_string_equal(l.c->services[1].name, "second");
	assert_string_equal(l.c->services[2].name, "third");
	loaded_fini(&l);
}

/* Errors of several files come in the files' order, and one that does not parse hides none of
 * the others. */
static void reports_over_files(void **state)
{
	struct folder *f = *state;
	const char *paths[3] = {
		folder_put(f, "b.yml", "peers: [\n"),
		"/nonexistent/x.yaml",
		folder_put(f, "a.yaml", "log: {level: x}\n"),
	};
	struct loaded l = { 0 };

	assert_int_equal(cfg_load(paths, 3, "host", &l.c, &l.report), -ERR_CONFIG);
	assert_null(l.c);
	assert_int_equal(l.report.errors.n, 3);
	assert_string_equal(l.report.errors.v[0].file, paths[0]);
	assert_string_equal(l.report.errors.v[1].file, paths[1]);
	assert_int_equal(l.report.errors.v[1].pos.line, 0);
	assert_string_equal(l.report.errors.v[2].file, paths[2]);
	loaded_fini(&l);
	free((void *)paths[0]);
	free((void *)paths[2]);
}

static void says_both_places_over_files(void **state)
{
	struct folder *f = *state;
	const char *paths[2] = {
		folder_put(f, "a.yaml", "\nnode: {name: a}\n"),
		folder_put(f, "b.yml", "node: {name: b}\n"),
	};
	struct loaded l = { 0 };

	assert_int_equal(cfg_load(paths, 2, "host", &l.c, &l.report), -ERR_CONFIG);
	assert_int_equal(l.report.errors.n, 1);
	assert_string_equal(l.report.errors.v[0].file, paths[1]);
	assert_string_equal(l.report.errors.v[0].other.file, paths[0]);
	assert_int_equal(l.report.errors.v[0].other.pos.line, 2);
	loaded_fini(&l);
	free((void *)paths[0]);
	free((void *)paths[1]);
}

static void an_empty_folder_is_an_error(void **state)
{
	struct folder *f = *state;
	const char *paths[] = { f->path };
	struct loaded l = { 0 };

	assert_int_equal(cfg_load(paths, 1, "host", &l.c, &l.report), -ERR_CONFIG);
	assert_non_null(strstr(l.report.errors.v[0].message, "folder without"));
	loaded_fini(&l);
}

/* A file that is wrong everywhere has a report of bounded length. */
static void errors_are_bounded(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "peers:\n");
	for (int i = 0; i < 3000; i++)
		buf_puts(&text, "- {x: 1}\n");
	struct loaded l = load_text(buf_text(&text));
	assert_int_equal(l.report.errors.n, 1001);
	assert_non_null(strstr(l.report.errors.v[1000].message, "more are not shown"));
	loaded_fini(&l);
	buf_fini(&text);
}

/* Thousands of objects load in a moment: no rule compares each with each. */
static void is_not_quadratic(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "address-pools:\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "- {name: p%d, protocol: bgp, addresses: [10.%d.%d.%d/32]}\n", i,
			   i >> 16, i >> 8 & 255, i & 255);
	buf_puts(&text, "peers:\n");
	for (int i = 0; i < 2500; i++)
		buf_printf(&text,
			   "- {my-asn: 1, peer-asn: 2, peer-address: 10.0.%d.%d, peer-port: %d}\n",
			   i >> 8, i & 255, i + 1);
	buf_puts(&text, "services:\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "- {name: s%d, address-pool: p%d}\n", i, i);
	struct loaded l = load_good(buf_text(&text));
	assert_int_equal(l.c->n_pools, 10000);
	for (size_t i = 0; i < l.c->n_services; i++)
		assert_ptr_equal(cfg_service_find(l.c, l.c->services[i].name), &l.c->services[i]);
	assert_null(cfg_service_find(l.c, "s10000"));
	loaded_fini(&l);
	buf_fini(&text);
}

/* Nor does looking for the nearest name, however many are wrong. */
static void mistakes_are_cheap(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "address-pools:\n");
	for (int i = 0; i < 3000; i++)
		buf_printf(&text, "- {name: p%d, protocol: layer2, addresses: [10.0.%d.%d/32]}\n",
			   i, i >> 8, i & 255);
	buf_puts(&text, "services:\n");
	for (int i = 0; i < 3000; i++)
		buf_printf(&text, "- {name: s%d, address-pool: q%d}\n", i, i);
	struct loaded l = load_text(buf_text(&text));
	assert_non_null(strstr(l.report.errors.v[0].hint, "did you mean"));
	assert_int_equal(l.report.errors.n, 1001);
	loaded_fini(&l);
	buf_fini(&text);
}

/* Sessions to one router that differ in their settings all get names of their own. */
static void many_sessions_to_one_address(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "peers:\n");
	for (int i = 0; i < 2000; i++)
		buf_printf(&text, "- {my-asn: %d, peer-asn: 1, peer-address: 10.0.0.1}\n", i + 2);
	buf_puts(&text,
		 "- {name: \"10.0.0.1:179#3\", my-asn: 1, peer-asn: 1, peer-address: 10.0.0.2}\n");
	struct loaded l = load_good(buf_text(&text));
	assert_string_equal(l.c->peers[0].name, "10.0.0.1:179");
	assert_string_equal(l.c->peers[1].name, "10.0.0.1:179#2");
	assert_string_equal(l.c->peers[2].name, "10.0.0.1:179#4");
	assert_string_equal(l.c->peers[3].name, "10.0.0.1:179#5");
	assert_string_equal(l.c->peers[1999].name, "10.0.0.1:179#2001");
	loaded_fini(&l);
	buf_fini(&text);
}

/* A line is shown whole, with whatever stands in it. */
static void shows_a_line_with_zeros(void **state)
{
	(void)state;
	static const char text[] = "log: {}\nx: \0\0\0 y\n";
	const struct cfg *c = NULL;
	struct cfg_report report;

	assert_int_equal(cfg_load_text("t", text, sizeof(text) - 1, "host", &c, &report),
			 -ERR_CONFIG);
	assert_string_equal(report.errors.v[0].line, "x: ??? y");
	cfg_report_fini(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_a_line_with_zeros),
		cmocka_unit_test(notes_what_it_skips),
		cmocka_unit_test(gives_objects_to_the_sink),
		cmocka_unit_test(skips_objects_without_a_sink),
		cmocka_unit_test_setup_teardown(reads_a_folder, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(reports_over_files, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(says_both_places_over_files, folder_new,
						folder_free),
		cmocka_unit_test_setup_teardown(an_empty_folder_is_an_error, folder_new,
						folder_free),
		cmocka_unit_test(errors_are_bounded),
		cmocka_unit_test(is_not_quadratic),
		cmocka_unit_test(mistakes_are_cheap),
		cmocka_unit_test(many_sessions_to_one_address),
	};

	return RUN_TABLE("refused", refused, refuses) + RUN_TABLE("accepted", accepted, accepts) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
