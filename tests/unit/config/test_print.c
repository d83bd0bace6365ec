/* What comes out of a configuration and of its problems. */
#include "config_test.h"

#include "base/doc.h"
#include "config/issue.h"
#include "config/resource.h"

static char *report_text(const struct loaded *l, bool colour)
{
	struct buf out = { 0 };

	cfg_report_text(&l->report, colour, &out);
	return out.p ? out.p : mem_strdup("");
}

static void text_has_line_and_caret(void **state)
{
	(void)state;
	struct loaded l = load_text("address-pools:\n"
				    "- name: a\n"
				    "\n"
				    "  addresses: [10.0.0.0/24]\n"
				    "  protocol: arp\n");
	char *text = report_text(&l, false);

	assert_string_equal(text, "t.yaml:5:13: error: address-pools[0].protocol: 'arp' is not "
				  "known here\n"
				  "     5 |   protocol: arp\n"
				  "       |             ^\n"
				  "        hint: one of layer2, bgp, none\n");
	free(text);
	loaded_fini(&l);
}

static void text_names_the_other_place(void **state)
{
	(void)state;
	struct loaded l = load_text(POOL(", addresses: [10.0.0.0/24, 10.0.0.7/32]"));
	char *text = report_text(&l, false);

	assert_non_null(strstr(text, "the other: t.yaml:2:43\n"));
	free(text);
	loaded_fini(&l);
}

/* The caret stands below what it means, whatever stands before it. */
static void caret_minds_wide_characters(void **state)
{
	(void)state;
	struct loaded l = load_text("log: {format: \"äöü\", level: x}\n");
	char *text = report_text(&l, false);

	assert_non_null(strstr(text, "     1 | log: {format: \"äöü\", level: x}\n"
				     "       |                             ^\n"));
	free(text);
	loaded_fini(&l);
}

static void long_lines_are_cut(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "l2: {exclude-interfaces: [");
	for (int i = 0; i < 60; i++)
		buf_puts(&text, "\"aäa\", ");
	buf_puts(&text, "\"(\"]}\n");
	struct loaded l = load_text(buf_text(&text));
	char *out = report_text(&l, false);
	char *excerpt = strstr(out, "     1 |");

	assert_non_null(excerpt);
	assert_true(strcspn(excerpt, "\n") < 160);
	assert_non_null(strstr(excerpt, "…"));
	free(out);
	loaded_fini(&l);
	buf_fini(&text);
}

static void colour_only_when_asked(void **state)
{
	(void)state;
	struct loaded l = load_text("nope: 1\n");
	char *plain = report_text(&l, false), *colour = report_text(&l, true);

	assert_null(strchr(plain, '\033'));
	assert_non_null(strchr(colour, '\033'));
	free(plain);
	free(colour);
	loaded_fini(&l);
}

/* Control characters of a file never reach the terminal. */
static void reports_are_clean(void **state)
{
	(void)state;
	struct loaded l = load_text("\"\\e[31m\\u0085\": 1\n");
	char *text = report_text(&l, false);

	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "no key '?[31m"));
	free(text);
	loaded_fini(&l);
}

static void secrets_are_hidden(void **state)
{
	static const char *const texts[] = {
		"peers: [{my-asn: 1, peer-address: 1.1.1.1, password: hunter2, x: 1}]\n",
		"peers: [{\"password\": \"hunter2 , hunter2\", x: 1}]\n",
		"peers:\n- {x: 1, password: 'hunter2'}\n",
		"services: [{name: w, health-check: {http: \"http://me:hunter2@host\"}, x: 1}]\n",
		"services: [{name: w, health-check: {http: http://me:hunter2/@@host}, x: 1}]\n",
		"services: [{name: w, health-check: {interval: http://me:hunter2@host}, x: 1}]\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct loaded l = load_text(texts[i]);
		char *text = report_text(&l, false);
		json_t *o = cfg_report_json(&l.report, NULL);
		char *json = json_dumps(o, 0);

		assert_non_null(strstr(text, "'x'"));
		assert_null(strstr(text, "hunter2"));
		assert_null(strstr(json, "hunter2"));
		free(json);
		json_decref(o);
		free(text);
		loaded_fini(&l);
	}
}

/* However the value is written, nothing of it stands in the line that is shown. */
static void whole_values_are_hidden(void **state)
{
	static const char *const lines[] = {
		"password: a,hunter2",		"password: a}hunter2",
		"password: a#hunter2",		"password: 'it''s hunter2'",
		"password: \"a\\\" hunter2\"",	"x: {password: a#hunter2}",
		"x: {password: 'a'' hunter2'}", "secret: a # hunter2",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct doc_file file = { .name = "t.yaml",
					 .source = lines[i],
					 .source_len = strlen(lines[i]) };
		struct cfg_report report;
		struct issues is;

		issues_init(&is);
		(void)issue_at(&is, ISSUE_ERROR, &file, (struct doc_pos){ 1, 1 }, "", NULL,
			       "wrong");
		issues_finish(&is, &report);
		assert_non_null(report.errors.v[0].line);
		assert_null(strstr(report.errors.v[0].line, "hunter2"));
		cfg_report_fini(&report);
	}
}

static void json_of_a_good_one(void **state)
{
	(void)state;
	struct loaded l = load_good(PEER(", password: hunter2"));
	json_t *o = cfg_report_json(&l.report, l.c);

	assert_true(json_is_true(json_object_get(o, "valid")));
	assert_int_equal(json_array_size(json_object_get(o, "errors")), 0);
	char *password = tree_at(o, "config.peers.0.password");
	assert_string_equal(password, "(hidden)");
	free(password);
	json_decref(o);
	loaded_fini(&l);
}

/* A URL that names a user and a password keeps them; the printed one does not. */
static void urls_hide_who_asks(void **state)
{
	static const char *const urls[][2] = {
		{ "http://me:hunter2@127.0.0.1:80/a?b=c@d",
		  "http://(hidden)@127.0.0.1:80/a?b=c@d" },
		{ "HTTPS://me:hunter2@x@[::1]", "HTTPS://(hidden)@[::1]" },
		{ "http://token@host", "http://(hidden)@host" },
		{ "http://host/a@b", "http://host/a@b" },
		{ "http://host?a@b", "http://host?a@b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			 "services: [{name: w, address: 192.0.2.1, protocol: bgp, health-check: "
			 "{http: \"%s\"}}]\n",
			 urls[i][0]);
		struct loaded l = load_good(text);
		json_t *o = cfg_report_json(&l.report, l.c), *all = cfg_to_json(l.c, true);
		char *shown = tree_at(o, "config.services.0.health-check.http");
		char *kept = tree_at(all, "services.0.health-check.http");

		assert_string_equal(shown, urls[i][1]);
		assert_string_equal(kept, urls[i][0]);
		free(shown);
		free(kept);
		json_decref(o);
		json_decref(all);
		loaded_fini(&l);
	}
}

static void json_of_a_bad_one(void **state)
{
	(void)state;
	struct loaded l = load_text("log: {level: inof}\n");
	json_t *o = cfg_report_json(&l.report, l.c);
	json_t *error = json_array_get(json_object_get(o, "errors"), 0);
	char *text = json_dumps(error, JSON_SORT_KEYS | JSON_COMPACT);

	assert_false(json_is_true(json_object_get(o, "valid")));
	assert_null(json_object_get(o, "config"));
	assert_string_equal(text, "{\"column\":14,\"file\":\"t.yaml\",\"hint\":\"did you mean "
				  "'info'?\",\"line\":1,\"message\":\"'inof' is not known "
				  "here\",\"path\":\"log.level\"}");
	free(text);
	json_decref(o);
	loaded_fini(&l);
}

/* Everything that a configuration can hold, spelled in unusual ways. */
static const char everything[] =
	"node: {name: n1, labels: {b: 2, a: 1}}\n"
	"cluster: {bind: 10.0.0.1, join: [10.0.0.2, \"[2001:db8::2]:99\"], secret-file: /k}\n"
	"bgp: {router-id: 10.0.0.1}\n"
	"l2: {exclude-interfaces: [\"^docker.*\"]}\n"
	"control: {socket: /tmp/s, group: g}\n"
	"http: {listen: none}\n"
	"log: {format: text, level: error}\n"
	"bgp-communities: {backup: 64512:7}\n"
	"bfd-profiles:\n"
	"- {name: fast, receive-interval: 3.3ms, transmit-interval: 15, detect-multiplier: 5, "
	"passive-mode: true, minimum-ttl: 250}\n"
	"- {name: default}\n"
	"peers:\n"
	"- {my-asn: 4200000000, peer-asn: 2, peer-address: \"fe80::1%eth0\", hold-time: 10s, "
	"bfd-profile: fast}\n"
	"- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, password: \"p \\\" '\", "
	"source-address: "
	"10.0.0.9, router-id: 9.9.9.9, ebgp-multihop: true, dual-stack: true, interface: vrf-red}\n"
	"- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, hold-time: 0s, password-file: /p}\n"
	"- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, peer-port: 1179, keepalive-time: 7s, "
	"node-selectors: [{match-labels: {rack: r1}, match-expressions: [{key: x, operator: "
	"DoesNotExist}]}, {match-expressions: [{key: y, operator: NotIn, values: [b, a]}]}]}\n"
	"address-pools:\n"
	"- {name: lan, protocol: layer2, addresses: [192.168.1.77/24, \"10.1.0.1 - 10.1.0.9\"], "
	"auto-assign: false, avoid-buggy-ips: true}\n"
	"- {name: plain, protocol: bgp, addresses: [\"2001:db8::/112\", 10.2.0.0/24]}\n"
	"- name: rich\n"
	"  protocol: bgp\n"
	"  addresses: [10.3.0.0/24]\n"
	"  bgp-advertisements:\n"
	"  - {aggregation-length: 24, localpref: 120, communities: [backup, 1:2], med: 0, "
	"as-path-prepend: 2, large-communities: [\"1:2:3\"], peers: [\"10.0.0.1:179\"], "
	"node-selectors: [{match-labels: {a: b}}], service-selectors: [{match-labels: {c: d}}]}\n"
	"  - {}\n"
	"services:\n"
	"- {name: a, address-pool: lan, labels: {tier: front}, ports: [80/tcp], health-check: "
	"{http: "
	"\"http://127.0.0.1/\", interval: 2s, timeout: 1500ms, rise: 9, fall: 8}}\n"
	"- {name: b, addresses: [10.9.0.1, \"2001:db8:9::1\"], protocol: bgp, allow-shared-ip: k, "
	"bind: "
	"none, preferred-nodes: {n1: 3}, node-selectors: [{match-labels: {a: b}}]}\n"
	"- {name: c, ip-families: [IPv4, IPv6], bind: eth1, health-check: {tcp: \"[::1]:80\"}}\n"
	"networks:\n"
	"- {prefix: 203.0.113.0/24, communities: [\"64512:1\"], med: 3, localpref: 9, next-hop: "
	"10.0.0.7, peers: [\"10.0.0.1:179\"], health-check: {http: \"http://127.0.0.1/\"}}\n"
	"- {prefix: 2001:db8:7::/48}\n";

static void print_then_load_is_the_same(void **state)
{
	(void)state;
	struct loaded a = load_good(everything);
	json_t *first = cfg_to_json(a.c, true);
	char *text = json_dumps(first, JSON_INDENT(1));
	struct loaded b = load_good(text);
	json_t *second = cfg_to_json(b.c, true);

	assert_true(json_equal(first, second));
	assert_true(a.c->hash == b.c->hash);
	for (size_t i = 0; i < a.c->n_peers; i++)
		assert_true(a.c->peers[i].keepalive.ns == b.c->peers[i].keepalive.ns);
	assert_int_equal(a.c->n_bgp_advs, b.c->n_bgp_advs);
	assert_int_equal(a.c->n_l2_advs, b.c->n_l2_advs);
	free(text);
	json_decref(first);
	json_decref(second);
	loaded_fini(&a);
	loaded_fini(&b);
}

static void hash_is_of_pools_and_services(void **state)
{
	(void)state;
	struct loaded a = load_good(SERVICE("")), b = load_good(SERVICE("") "log: {level: warn}\n"),
		      c = load_good(SERVICE(", ports: [80/tcp]"));

	assert_true(a.c->hash == b.c->hash);
	assert_true(a.c->hash != c.c->hash);
	loaded_fini(&a);
	loaded_fini(&b);
	loaded_fini(&c);
}

static void reference_is_committed(void **state)
{
	(void)state;
	struct buf now = { 0 };
	char *committed = read_file(TEST_SAMPLES "/../docs/configuration.md", NULL);

	cfg_reference(&now);
	if (strcmp(committed, buf_text(&now)) != 0 && getenv("UPDATE_REFERENCE")) {
		FILE *out = fopen(TEST_SAMPLES "/../docs/configuration.md", "w");

		fputs(buf_text(&now), out);
		fclose(out);
	} else {
		assert_string_equal(committed, buf_text(&now));
	}
	free(committed);
	buf_fini(&now);
}

/* Annotations name keys of our own document. */
static void annotations_are_keys(void **state)
{
	(void)state;
	static const struct resource_kind *const kinds[] = { &resource_bgp_advertisement,
							     &resource_bgp_peer,
							     &resource_bgp_peer_v1beta1,
							     &resource_bfd_profile };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (size_t j = 0; kinds[i]->own_fields[j]; j++)
			assert_non_null(level_field(kinds[i]->own, kinds[i]->own_fields[j]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_line_and_caret),
		cmocka_unit_test(text_names_the_other_place),
		cmocka_unit_test(caret_minds_wide_characters),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(colour_only_when_asked),
		cmocka_unit_test(reports_are_clean),
		cmocka_unit_test(secrets_are_hidden),
		cmocka_unit_test(whole_values_are_hidden),
		cmocka_unit_test(urls_hide_who_asks),
		cmocka_unit_test(json_of_a_good_one),
		cmocka_unit_test(json_of_a_bad_one),
		cmocka_unit_test(print_then_load_is_the_same),
		cmocka_unit_test(hash_is_of_pools_and_services),
		cmocka_unit_test(reference_is_committed),
		cmocka_unit_test(annotations_are_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
