#include "plan/compare.h"

#include <string.h>

#include "base/buf.h"
#include "config/load.h"
#include "plan/offline.h"
#include "support.h"

/*
 * Two answers in short, an item a line:
 *   has SERVICE POOL ADDRESS,…
 *   waits SERVICE REASON
 *   l2 SERVICE ADDRESS NODE INTERFACE
 *   bgp SERVICE ADDRESS NODE PEER PREFIX LOCAL-PREF COMMUNITY
 *   mute SERVICE MODE NODE REASON
 * and what plan_compare() says of them, one item a line, too.
 */
struct compare_case {
	const char *name;
	const char *before, *after;
	const char *want;
};

static const struct compare_case cases[] = {
	{ "the same", "has a p 10.0.0.1\nl2 a 10.0.0.1 n1 *\n",
	  "has a p 10.0.0.1\nl2 a 10.0.0.1 n1 *\n", "" },
	{ "in another order", "has a p 10.0.0.1\nhas b p 10.0.0.2\n",
	  "has b p 10.0.0.2\nhas a p 10.0.0.1\n", "" },
	{ "a service gets an address", "waits a full\n", "has a p 10.0.0.1\n",
	  "addresses a added - p:10.0.0.1\n" },
	{ "a service loses its address", "has a p 10.0.0.1\n", "waits a full\n",
	  "addresses a removed p:10.0.0.1 - full\n" },
	{ "a service goes", "has a p 10.0.0.1\nl2 a 10.0.0.1 n1 *\nbgp a 10.0.0.1 n1 t x/32 1 c\n",
	  "",
	  "addresses a removed p:10.0.0.1 - serviceDeleted\n"
	  "layer2 a/10.0.0.1 removed n1/* - serviceDeleted\n"
	  "bgp n1/t/x/32 a removed 1/c - serviceDeleted\n" },
	{ "a service that waits goes", "waits a full\n", "", "" },
	{ "a new service waits", "", "waits a full\n", "addresses a waiting - - full\n" },
	{ "a service waits for another reason", "waits a full\n", "waits a other\n", "" },
	{ "a service has another address",
	  "has a p 10.0.0.1\nl2 a 10.0.0.1 n1 *\nbgp a 10.0.0.1 n1 t x/32 1 c\n",
	  "has a p 10.0.0.2\nl2 a 10.0.0.2 n2 *\nbgp a 10.0.0.2 n1 t y/32 1 c\n",
	  "addresses a changed p:10.0.0.1 p:10.0.0.2\n"
	  "layer2 a/10.0.0.1 removed n1/* - otherAddress\nlayer2 a/10.0.0.2 added - n2/*\n"
	  "bgp n1/t/x/32 a removed 1/c - otherAddress\nbgp n1/t/y/32 a added - 1/c\n" },
	{ "a service gets a second address", "has a p 10.0.0.1\n", "has a p 10.0.0.1,2001:db8::\n",
	  "addresses a changed p:10.0.0.1 p:10.0.0.1,2001:db8::\n" },
	{ "the pool has another name", "has a p 10.0.0.1\n", "has a q 10.0.0.1\n",
	  "addresses a changed p:10.0.0.1 q:10.0.0.1\n" },
	{ "another node takes over", "has a p 10.0.0.1\nl2 a 10.0.0.1 n1 *\n",
	  "has a p 10.0.0.1\nl2 a 10.0.0.1 n2 *\n", "layer2 a/10.0.0.1 changed n1/* n2/*\n" },
	{ "the same node on another link", "l2 a 10.0.0.1 n1 *\n", "l2 a 10.0.0.1 n1 eth0\n",
	  "layer2 a/10.0.0.1 changed n1/* n1/eth0\n" },
	{ "nobody owns it any more", "has a p 10.0.0.1\nl2 a 10.0.0.1 n1 *\n",
	  "has a p 10.0.0.1\nmute a bgp n1 no\nmute a layer2 n2 no\nmute a layer2 n1 why\n",
	  "layer2 a/10.0.0.1 removed n1/* - why\n" },
	{ "a route says something else", "bgp a 10.0.0.1 n1 t x/32 1 c\n",
	  "bgp a 10.0.0.1 n1 t x/32 2 c\n", "bgp n1/t/x/32 a changed 1/c 2/c\n" },
	{ "a route to one peer of two",
	  "has a p 10.0.0.1\nbgp a 10.0.0.1 n1 t x/32 1 c\nbgp a 10.0.0.1 n1 u x/32 1 c\n",
	  "has a p 10.0.0.1\nbgp a 10.0.0.1 n1 t x/32 1 c\nmute a bgp n1 why\n",
	  "bgp n1/u/x/32 a removed 1/c - why\n" },
	{ "a route stands as long as one service is behind it",
	  "bgp a 10.0.0.1 n1 t x/24 1 c\nbgp b 10.0.0.2 n1 t x/24 1 c\n",
	  "bgp b 10.0.0.2 n1 t x/24 1 c\n", "" },
	{ "a route of several services goes once",
	  "bgp a 10.0.0.1 n1 t x/24 1 c\nbgp a 10.0.0.3 n1 t x/24 1 c\nbgp b 10.0.0.2 n1 t x/24 1 "
	  "c\n",
	  "", "bgp n1/t/x/24 a,b removed 1/c - serviceDeleted\n" },
};

static char *word(char **rest)
{
	char *w = strsep(rest, " ");

	return w ? w : "";
}

static void add_item(json_t *report, const char *list, json_t *item)
{
	assert_non_null(item);
	json_array_append_new(json_object_get(report, list), item);
}

static json_t *addresses(char *list)
{
	json_t *v = json_array();

	for (char *one; (one = strsep(&list, ","));)
		json_array_append_new(v, json_string(one));
	return v;
}

static void add_line(json_t *report, char *line)
{
	const char *verb = word(&line);
	char *w[8];

	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		w[i] = word(&line);
	if (strcmp(verb, "has") == 0)
		add_item(report, "allocations",
			 json_pack("{s:s, s:s, s:o}", "service", w[0], "pool", w[1], "addresses",
				   addresses(w[2])));
	else if (strcmp(verb, "waits") == 0)
		add_item(report, "unallocated",
			 json_pack("{s:s, s:s}", "service", w[0], "reason", w[1]));
	else if (strcmp(verb, "l2") == 0)
		add_item(report, "announcements",
			 json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "service", w[0], "address", w[1],
				   "mode", "layer2", "node", w[2], "interfaces", w[3]));
	else if (strcmp(verb, "bgp") == 0)
		add_item(report, "announcements",
			 json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s]}", "service", w[0],
				   "address", w[1], "mode", "bgp", "node", w[2], "peer", w[3],
				   "prefix", w[4], "local-pref", w[5], "communities", w[6]));
	else if (strcmp(verb, "mute") == 0)
		add_item(report, "silent",
			 json_pack("{s:s, s:s, s:s, s:s}", "service", w[0], "mode", w[1], "node",
				   w[2], "reason", w[3]));
	else
		fail_msg("unknown line %s", verb);
}

static json_t *report_of(const char *text)
{
	json_t *report = json_pack("{s:[], s:[], s:[], s:[]}", "allocations", "unallocated",
				   "announcements", "silent");
	char *copy = mem_strdup(text), *rest = copy;

	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			add_line(report, line);
	free(copy);
	return report;
}

static void put_texts(struct buf *out, const json_t *value, const char *between)
{
	json_t *one;
	size_t i;

	if (json_is_string(value))
		buf_puts(out, json_string_value(value));
	json_array_foreach(value, i, one)
	{
		buf_puts(out, i ? between : "");
		put_texts(out, one, between);
	}
}

/* "a/b" of some members. */
static void put_members(struct buf *out, const json_t *o, const char *const *keys, size_t n,
			const char *between)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(o, keys[i]);

		if (value)
			buf_puts(out, any ? between : "");
		put_texts(out, value, ",");
		any |= value != NULL;
	}
	buf_puts(out, any ? "" : "-");
}

static void put_list(struct buf *out, const json_t *difference, const char *list)
{
	static const char *const identity[] = { "node",	    "peer",    "prefix",
						"services", "service", "address" };
	static const char *const state[] = { "pool",	   "addresses",	 "node",
					     "interfaces", "local-pref", "communities" };
	bool is_bgp = strcmp(list, "bgp") == 0, is_addresses = strcmp(list, "addresses") == 0;
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(difference, list), i, item)
	{
		buf_printf(out, "%s ", list);
		put_members(out, item, identity, is_bgp ? 3 : 6, "/");
		if (is_bgp) {
			buf_puts(out, " ");
			put_members(out, item, identity + 3, 1, "/");
		}
		buf_printf(out, " %s ", json_string_value(json_object_get(item, "change")));
		put_members(out, json_object_get(item, "from"), state, 6, is_addresses ? ":" : "/");
		buf_puts(out, " ");
		put_members(out, json_object_get(item, "to"), state, 6, is_addresses ? ":" : "/");
		if (json_object_get(item, "reason"))
			buf_printf(out, " %s", json_string_value(json_object_get(item, "reason")));
		buf_puts(out, "\n");
	}
}

static void compares(void **state)
{
	const struct compare_case *c = *state;
	json_t *before = report_of(c->before), *after = report_of(c->after);
	json_t *difference = plan_compare(before, after);
	struct buf got = { 0 };

	put_list(&got, difference, "addresses");
	put_list(&got, difference, "layer2");
	put_list(&got, difference, "bgp");
	assert_string_equal(buf_text(&got), c->want);
	assert_int_equal(plan_compare_is_same(difference), c->want[0] == '\0');
	buf_fini(&got);
	json_decref(difference);
	json_decref(after);
	json_decref(before);
}

/* Two configurations, and who has what under the second, after the first. */
struct before_case {
	const char *name;
	const char *old, *new;
	const char *want;    /* "service=address…" of the second, in its order; "-": none */
	const char *refused; /* by a daemon, for the sake of these; NULL: no */
};

#define POOL(range) \
	"address-pools: [{name: p, protocol: layer2, addresses: [" range "]}]\nservices:\n"

#define PARTS(ranges)                                                                      \
	"apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: " \
	"{addresses: [" ranges "]}\n"
#define SERVICE(name, ip, more)                                                           \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: ns}\n" \
	"spec: {type: LoadBalancer, clusterIP: 10.96.0.1" more "}\n"                      \
	"status: {loadBalancer: {ingress: [" ip "]}}\n"

static const struct before_case reloads[] = {
	{ "what is in use stays, whatever the order", POOL("10.0.0.0/29") "- name: a\n- name: b\n",
	  POOL("10.0.0.0/29") "- name: n\n- name: b\n- name: a\n",
	  "n=10.0.0.2 b=10.0.0.1 a=10.0.0.0", NULL },
	{ "what goes makes room at the end, not in between",
	  POOL("10.0.0.0/30") "- name: a\n- name: b\n",
	  POOL("10.0.0.0/30") "- name: b\n- name: n\n", "b=10.0.0.1 n=10.0.0.2", NULL },
	{ "a full pool: what goes makes room", POOL("10.0.0.0/31") "- name: a\n- name: b\n",
	  POOL("10.0.0.0/31") "- name: b\n- name: n\n", "b=10.0.0.1 n=10.0.0.0", NULL },
	{ "a pool that shrinks takes an address: refused, and what force would do",
	  POOL("10.0.0.0/30") "- name: a\n- name: b\n",
	  POOL("10.0.0.1-10.0.0.3") "- name: a\n- name: b\n", "a=10.0.0.2 b=10.0.0.1",
	  "a (10.0.0.0)" },
	{ "a pool that vanishes", POOL("10.0.0.0/30") "- name: a\n",
	  "address-pools: [{name: q, protocol: layer2, addresses: [10.9.0.0/30]}]\n"
	  "services: [{name: a}]\n",
	  "a=10.9.0.0", "a (10.0.0.0)" },
	{ "a pool of another name", POOL("10.0.0.0/30") "- name: a\n- name: b\n",
	  "address-pools: [{name: q, protocol: layer2, addresses: [10.0.0.0/24]}]\n"
	  "services: [{name: b}]\n",
	  "b=10.0.0.1", NULL },
	{ "an address by hand moves its service", POOL("10.0.0.0/30") "- name: a\n",
	  POOL("10.0.0.0/30") "- {name: a, addresses: [10.0.0.3]}\n", "a=10.0.0.3", NULL },
	{ "a cluster's service stays where it was, not where its status has it",
	  PARTS("10.0.0.0/29") SERVICE("a", "", ", loadBalancerIP: 10.0.0.1"),
	  PARTS("10.0.0.0/29") SERVICE("new", "", "") SERVICE("a", "{ip: 10.0.0.6}", ""),
	  "ns/new=10.0.0.0 ns/a=10.0.0.1", NULL },
	{ "a cluster's service that waited has nothing, whatever its status says",
	  PARTS("10.0.0.0/32") SERVICE("b", "", "") SERVICE("a", "{ip: 10.0.0.9}", ""),
	  PARTS("10.0.0.0/28") SERVICE("b", "", "") SERVICE("a", "{ip: 10.0.0.9}", ""),
	  "ns/b=10.0.0.1 ns/a=10.0.0.0", NULL },
	{ "a cluster's service that is new has what its status says",
	  PARTS("10.0.0.0/29") SERVICE("a", "", ""),
	  PARTS("10.0.0.0/29") SERVICE("a", "", "") SERVICE("new", "{ip: 10.0.0.6}", ""),
	  "ns/a=10.0.0.0 ns/new=10.0.0.6", NULL },
	{ "a cluster's service moves where the pool leaves it, and nobody refuses",
	  PARTS("10.0.0.0/29") SERVICE("a", "", "") SERVICE("b", "", ""),
	  PARTS("10.0.0.1-10.0.0.7") SERVICE("a", "", "") SERVICE("b", "", ""),
	  "ns/a=10.0.0.2 ns/b=10.0.0.1", NULL },
	{ "a standalone service takes nothing that a cluster's has",
	  PARTS("10.0.0.0/29") SERVICE("a", "", ""),
	  PARTS("10.0.0.0/29") "---\nservices: [{name: n}]\n" SERVICE("a", "", ""),
	  "n=10.0.0.1 ns/a=10.0.0.0", NULL },
	{ "a sharing key of its own", POOL("10.0.0.0/30") "- {name: a, allow-shared-ip: k}\n",
	  POOL("10.0.0.0/30") "- {name: a, allow-shared-ip: l}\n", "a=10.0.0.0", NULL },
};

static const struct cfg *load(const char *text, struct object_set *objects)
{
	struct cfg_sink sink = object_set_sink(objects);
	const struct cfg *c = NULL;
	struct cfg_report report;
	int rc = cfg_load_text_with("test", text, strlen(text), "host", &sink, &c, &report);

	cfg_report_fini(&report);
	assert_int_equal(rc, 0);
	return c;
}

static void put_grants(struct buf *out, const struct offline *o)
{
	size_t n;
	const struct offline_grant *g = offline_grants(o, &n);

	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s=", i ? " " : "", g[i].service);
		for (size_t j = 0; j < g[i].n; j++)
			buf_printf(out, "%s%s", j ? "," : "", ADDR_TEXT(&g[i].addresses[j]));
		buf_puts(out, g[i].n ? "" : "-");
	}
}

static void follows(void **state)
{
	const struct before_case *t = *state;
	CLEANUP(object_set_freep) struct object_set *had = object_set_new();
	CLEANUP(object_set_freep) struct object_set *has = object_set_new();
	const struct cfg *old = load(t->old, had), *new = load(t->new, has);
	struct offline *before = offline_new(old, &(struct offline_conf){ .objects = had });
	struct offline *after =
		offline_new(new, &(struct offline_conf){ .objects = has, .held = before });
	struct buf got = { 0 };
	struct err e = { 0 };

	put_grants(&got, after);
	assert_string_equal(buf_text(&got), t->want);
	int rc = offline_check(before, new, &e);
	assert_int_equal(rc < 0, t->refused != NULL);
	if (t->refused)
		assert_non_null(strstr(e.text, t->refused));
	buf_fini(&got);
	offline_free(after);
	offline_free(before);
	cfg_free(old);
	cfg_free(new);
}

int main(void)
{
	return RUN_TABLE("compare", cases, compares) + RUN_TABLE("before", reloads, follows);
}
