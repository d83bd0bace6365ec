#include "unit/world/fixture.h"
#include "unit/world/objects.h"

/* --- services --- */

static const char full[] = "apiVersion: v1\n"
			   "kind: Service\n"
			   "metadata:\n"
			   "  name: web\n"
			   "  namespace: shop\n"
			   "  uid: 1234\n"
			   "  labels: {tier: front, app: web}\n"
			   "  annotations:\n"
			   "    metallb.io/address-pool: ''\n"
			   "    metallb.universe.tf/address-pool: old\n"
			   "    metallb.universe.tf/allow-shared-ip: key\n"
			   "    metallb.io/loadBalancerIPs: 10.0.0.1, 10.0.0.2\n"
			   "    metallb.io/ip-allocated-from-pool: lan\n"
			   "spec:\n"
			   "  type: LoadBalancer\n"
			   "  allocateLoadBalancerNodePorts: true\n"
			   "  loadBalancerClass: example.org/mine\n"
			   "  loadBalancerIP: 10.0.0.1\n"
			   "  clusterIP: 10.96.0.1\n"
			   "  clusterIPs: [10.96.0.1, 'fd00::1']\n"
			   "  ipFamilies: [IPv4, IPv6]\n"
			   "  ipFamilyPolicy: PreferDualStack\n"
			   "  externalTrafficPolicy: Local\n"
			   "  selector: {b: two, a: one}\n"
			   "  ports:\n"
			   "  - {name: http, port: 80, targetPort: http}\n"
			   "  - {port: 53, protocol: UDP, targetPort: 53}\n"
			   "  - {port: 132, protocol: SCTP}\n"
			   "status:\n"
			   "  loadBalancer:\n"
			   "    ingress:\n"
			   "    - {ip: 10.0.0.1}\n"
			   "    - {hostname: lb.example.org}\n"
			   "    - {ip: '', ipMode: Proxy}\n";

static void a_service_has_all_that_matters(void **state)
{
	struct object_service *s = fx_object_service(full);

	(void)state;
	assert_string_equal(s->key, "shop/web");
	assert_string_equal(s->namespace, "shop");
	assert_string_equal(labels_get(&s->labels, "app"), "web");
	assert_true(s->is_load_balancer);
	assert_string_equal(s->lb_class, "example.org/mine");
	assert_string_equal(s->load_balancer_ip, "10.0.0.1");
	assert_int_equal(s->n_cluster_ips, 2);
	assert_string_equal(s->cluster_ips[1], "fd00::1");
	assert_int_equal(s->n_families, 2);
	assert_int_equal(s->families[1], FAMILY_V6);
	assert_int_equal(s->family_policy, CFG_PREFER_DUAL_STACK);
	assert_int_equal(s->traffic_policy, CFG_TRAFFIC_LOCAL);
	assert_string_equal(s->backend, "a=one,b=two");
	assert_int_equal(s->n_ports, 3);
	assert_int_equal(s->ports[0].protocol, CFG_TCP);
	assert_int_equal(s->ports[1].protocol, CFG_UDP);
	assert_int_equal(s->ports[2].port, 132);
	object_service_free(s);
}

static void annotations_of_both_prefixes(void **state)
{
	struct object_service *s = fx_object_service(full);

	(void)state;
	assert_string_equal(s->address_pool.current, "");
	assert_string_equal(s->address_pool.deprecated, "old");
	assert_null(s->allow_shared_ip.current);
	assert_string_equal(object_service_sharing_key(s), "key");
	assert_string_equal(s->load_balancer_ips.current, "10.0.0.1, 10.0.0.2");
	assert_null(s->load_balancer_ips.deprecated);
	assert_string_equal(s->allocated_from.current, "lan");
	object_service_free(s);
}

static void a_status_is_kept_as_it_stands(void **state)
{
	struct object_service *s = fx_object_service(full);

	(void)state;
	assert_int_equal(s->n_ingress, 3);
	assert_string_equal(s->ingress[0].ip, "10.0.0.1");
	assert_false(s->ingress[0].has_more);
	assert_null(s->ingress[1].ip);
	assert_true(s->ingress[1].has_more);
	assert_string_equal(s->ingress[2].ip, "");
	assert_false(s->ingress[2].has_more);
	assert_string_equal(s->ingress[2].ip_mode, "Proxy");
	assert_null(s->ingress[0].ip_mode);
	object_service_free(s);
}

static void what_a_service_does_not_say(void **state)
{
	struct object_service *s = fx_object_service(
		"metadata: {name: web, namespace: null, labels: null}\n"
		"spec: {type: LoadBalancer, clusterIP: 10.96.0.1, clusterIPs: [], "
		"externalTrafficPolicy: '', selector: {a: b}}\n"
		"status: {loadBalancer: {}}\n");

	(void)state;
	assert_string_equal(s->key, "default/web");
	assert_int_equal(s->n_cluster_ips, 1);
	assert_string_equal(s->cluster_ips[0], "10.96.0.1");
	assert_int_equal(s->family_policy, CFG_SINGLE_STACK);
	assert_int_equal(s->traffic_policy, CFG_TRAFFIC_CLUSTER);
	assert_string_equal(s->backend, "");
	assert_null(s->lb_class);
	assert_null(object_service_sharing_key(s));
	assert_int_equal(s->n_ports + s->n_ingress + s->n_families, 0);
	object_service_free(s);
}

/* It may be anything: only that it is none matters. */
static void another_type_is_only_a_name(void **state)
{
	struct object_service *s = fx_object_service("metadata: {name: db, labels: {a: b}}\nspec: "
						     "{type: ExternalName, ports: nothing}\n");

	(void)state;
	assert_string_equal(s->key, "default/db");
	assert_false(s->is_load_balancer);
	assert_int_equal(s->labels.n, 0);
	object_service_free(s);
}

#define LB(more) "metadata: {name: web}\nspec: {type: LoadBalancer" more "}\n"

static const struct difference {
	const char *name;
	const char *text;
} differences[] = {
	{ "type", "metadata: {name: web}\nspec: {type: NodePort}\n" },
	{ "class", LB(", loadBalancerClass: x") },
	{ "policy", LB(", ipFamilyPolicy: RequireDualStack") },
	{ "families", LB(", ipFamilies: [IPv4]") },
	{ "cluster IPs", LB(", clusterIP: 10.96.0.1") },
	{ "ports", LB(", ports: [{port: 80}]") },
	{ "traffic policy", LB(", externalTrafficPolicy: Local") },
	{ "address", LB(", loadBalancerIP: 10.0.0.1") },
	{ "labels", "metadata: {name: web, labels: {a: b}}\nspec: {type: LoadBalancer}\n" },
	{ "annotation", "metadata: {name: web, annotations: {metallb.io/allow-shared-ip: ''}}\n"
			"spec: {type: LoadBalancer}\n" },
	{ "status", LB("") "status: {loadBalancer: {ingress: [{}]}}\n" },
};

static void differs(void **state)
{
	const struct difference *d = *state;
	struct object_service *plain = fx_object_service(LB(""));
	struct object_service *a = fx_object_service(d->text), *b = fx_object_service(d->text);

	assert_false(object_service_eq(plain, a));
	assert_true(object_service_eq(a, b));
	object_service_free(plain);
	object_service_free(a);
	object_service_free(b);
}

/* --- nodes, namespaces, endpoints --- */

static void a_node(void **state)
{
	struct parsed p = fx_parse("metadata: {name: a, labels: {z: '1', "
				   "node.kubernetes.io/exclude-from-external-load-balancers: ''}}\n"
				   "spec: {unschedulable: true}\n"
				   "status: {conditions: [{type: Ready, status: 'False'}, "
				   "{type: NetworkUnavailable, status: 'True'}]}\n");
	struct arena *a = arena_new();
	struct world_node node;

	(void)state;
	assert_true(object_node_read(&p.issues, &p.at, a, &node));
	assert_string_equal(node.name, "a");
	assert_true(node.has_object && node.excluded && node.network_unavailable);
	assert_false(node.alive);
	assert_string_equal(labels_get(&node.labels, "z"), "1");
	struct cfg_report report = fx_parsed_fini(&p);
	cfg_report_fini(&report);
	arena_free(a);
}

static const struct namespace_case {
	const char *name;
	const char *text;
	const char *labels;
} namespace_cases[] = {
	{ "without labels: its name is one", "metadata: {name: shop}\n",
	  "kubernetes.io/metadata.name=shop" },
	{ "in its place, first", "metadata: {name: shop, labels: {team: red}}\n",
	  "kubernetes.io/metadata.name=shop team=red" },
	{ "in its place, last", "metadata: {name: shop, labels: {a: b}}\n",
	  "a=b kubernetes.io/metadata.name=shop" },
	{ "in its place, between", "metadata: {name: shop, labels: {z: w, a: b}}\n",
	  "a=b kubernetes.io/metadata.name=shop z=w" },
	{ "it says so itself", "metadata: {name: shop, labels: {kubernetes.io/metadata.name: x}}\n",
	  "kubernetes.io/metadata.name=x" },
};

static void namespace_labels(void **state)
{
	const struct namespace_case *c = *state;
	struct parsed p = fx_parse(c->text);
	struct arena *a = arena_new();
	struct object_namespace ns;
	const char *text = "";

	assert_true(object_namespace_read(&p.issues, &p.at, a, &ns));
	for (size_t i = 0; i < ns.labels.n; i++)
		text = arena_printf(a, "%s%s%s=%s", text, i ? " " : "", ns.labels.v[i].key,
				    ns.labels.v[i].value);
	assert_string_equal(text, c->labels);
	struct cfg_report report = fx_parsed_fini(&p);
	cfg_report_fini(&report);
	arena_free(a);
}

#define SLICE(endpoints)                                                                        \
	"metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}\n" \
	"endpoints: [" endpoints "]\n"
#define ON(node, conditions) "{nodeName: " node ", conditions: {" conditions "}}"

static const struct endpoints_case {
	const char *name;
	const char *text;
	const char *want; /* nodes with a servable endpoint; "-": one that names none */
	size_t n;
} endpoints_cases[] = {
	{ "nodes, sorted, none twice",
	  SLICE(ON("b", "ready: true") "," ON("a", "ready: true") "," ON("b", "ready: true")),
	  "a b", 3 },
	{ "no conditions at all", SLICE("{nodeName: a}"), "a", 1 },
	{ "ready false", SLICE(ON("a", "ready: false")), "", 1 },
	{ "ready null", SLICE(ON("a", "ready: null")), "a", 1 },
	{ "serving while it terminates", SLICE(ON("a", "ready: false, serving: true")), "a", 1 },
	{ "not serving any more", SLICE(ON("a", "ready: false, serving: false")), "", 1 },
	{ "ready and not serving", SLICE(ON("a", "ready: true, serving: false")), "a", 1 },
	{ "on no node", SLICE("{addresses: [10.1.0.1]}, {nodeName: ''}"), "-", 2 },
	{ "null for none", "metadata: {name: x}\nendpoints: null\n", "", 0 },
	{ "Endpoints",
	  "metadata: {name: web}\nsubsets: [{addresses: [{ip: 10.1.0.1, nodeName: b}], "
	  "notReadyAddresses: [{ip: 10.1.0.2, nodeName: c}]}, {addresses: [{ip: 10.1.0.3}]}]\n",
	  "b -", 3 },
	{ "Endpoints without subsets", "metadata: {name: web}\n", "", 0 },
};

static void serves(void **state)
{
	const struct endpoints_case *c = *state;
	struct object_endpoints *e = fx_object_endpoints(c->text);
	struct arena *a = arena_new();
	const char *text = "";

	for (size_t i = 0; i < e->nodes.n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? " " : "", e->nodes.v[i]);
	if (e->on_no_node)
		text = arena_printf(a, "%s%s-", text, *text ? " " : "");
	assert_string_equal(text, c->want);
	assert_int_equal(e->n_endpoints, c->n);
	object_endpoints_free(e);
	arena_free(a);
}

static void slices_name_their_service(void **state)
{
	struct object_endpoints *e = fx_object_endpoints(SLICE(""));

	(void)state;
	assert_true(e->is_slice);
	assert_string_equal(e->key, "shop/web-1");
	assert_string_equal(e->service, "shop/web");
	object_endpoints_free(e);
	e = fx_object_endpoints("metadata: {name: x}\nendpoints: []\n");
	assert_null(e->service);
	object_endpoints_free(e);
	e = fx_object_endpoints("metadata: {name: web, namespace: shop}\n");
	assert_false(e->is_slice);
	assert_string_equal(e->service, "shop/web");
	object_endpoints_free(e);
}

/* --- refusals --- */

enum kind { SERVICE, SLICES, ENDPOINTS, NODE, NAMESPACE };

static const struct wrong {
	const char *name;
	enum kind kind;
	const char *text;
	const char *path;
	const char *message;
} wrongs[] = {
	{ "no metadata", SERVICE, "spec: {}\n", "", "without metadata" },
	{ "metadata of another type", NODE, "metadata: [a]\n", "metadata", "a mapping is wanted" },
	{ "no name", NAMESPACE, "metadata: {}\n", "metadata", "without a name" },
	{ "an empty name", NODE, "metadata: {name: ''}\n", "metadata.name", "is no name" },
	{ "a name of two parts", SLICES, "metadata: {name: a/b}\nendpoints: []\n", "metadata.name",
	  "is no name" },
	{ "a namespace of two parts", SERVICE, "metadata: {name: a, namespace: b/c}\n",
	  "metadata.namespace", "is no name" },
	{ "a number for a name", NODE, "metadata: {name: 7}\n", "metadata.name", "text is wanted" },
	{ "a label that is a number", NODE, "metadata: {name: a, labels: {rack: 1}}\n",
	  "metadata.labels.rack", "text is wanted" },
	{ "an unknown type", SERVICE, "metadata: {name: a}\nspec: {type: Loadbalancer}\n",
	  "spec.type", "none of the words" },
	{ "an unknown policy", SERVICE, LB(", externalTrafficPolicy: local"),
	  "spec.externalTrafficPolicy", "none of the words" },
	{ "an unknown family", SERVICE, LB(", ipFamilies: [ipv4]"), "spec.ipFamilies[0]",
	  "none of the words" },
	{ "three families", SERVICE, LB(", ipFamilies: [IPv4, IPv6, IPv4]"), "spec.ipFamilies",
	  "two families at most" },
	{ "a port without its number", SERVICE, LB(", ports: [{name: x}]"), "spec.ports[0]",
	  "without its number" },
	{ "port 0", SERVICE, LB(", ports: [{port: 0}]"), "spec.ports[0].port", "is no port" },
	{ "a negative port", SERVICE, LB(", ports: [{port: -80}]"), "spec.ports[0].port",
	  "is no port" },
	{ "a port beyond the last", SERVICE, LB(", ports: [{port: 65536}]"), "spec.ports[0].port",
	  "is no port" },
	{ "a port in quotes", SERVICE, LB(", ports: [{port: '80'}]"), "spec.ports[0].port",
	  "a whole number is wanted" },
	{ "an unknown protocol", SERVICE, LB(", ports: [{port: 1, protocol: tcp}]"),
	  "spec.ports[0].protocol", "none of the words" },
	{ "an annotation that is a number", SERVICE,
	  "metadata: {name: a, annotations: {metallb.io/address-pool: 1}}\n"
	  "spec: {type: LoadBalancer}\n",
	  "metadata.annotations.metallb.io/address-pool", "text is wanted" },
	{ "ingress that is no list", SERVICE, LB("") "status: {loadBalancer: {ingress: {}}}\n",
	  "status.loadBalancer.ingress", "a list is wanted" },
	{ "an address that is a number", SERVICE,
	  LB("") "status: {loadBalancer: {ingress: [{ip: 1}]}}\n",
	  "status.loadBalancer.ingress[0].ip", "text is wanted" },
	{ "ready in quotes", SLICES,
	  "metadata: {name: a}\nendpoints: [{conditions: {ready: 'yes'}}]\n",
	  "endpoints[0].conditions.ready", "true or false is wanted" },
	{ "an endpoint that is none", SLICES, "metadata: {name: a}\nendpoints: [x]\n",
	  "endpoints[0]", "a mapping is wanted" },
	{ "subsets that are none", ENDPOINTS, "metadata: {name: a}\nsubsets: {}\n", "subsets",
	  "a list is wanted" },
	{ "conditions that are none", NODE, "metadata: {name: a}\nstatus: {conditions: x}\n",
	  "status.conditions", "a list is wanted" },
};

static bool is_read(enum kind kind, struct issues *is, const struct place *p, struct arena *a)
{
	struct object_service *s = kind == SERVICE ? object_service_read(is, p) : NULL;
	struct object_endpoints *e = kind == SLICES	 ? object_slice_read(is, p)
				     : kind == ENDPOINTS ? object_endpoints_read(is, p)
							 : NULL;
	struct world_node node;
	struct object_namespace ns;
	bool read = s || e || (kind == NODE && object_node_read(is, p, a, &node)) ||
		    (kind == NAMESPACE && object_namespace_read(is, p, a, &ns));

	object_service_free(s);
	object_endpoints_free(e);
	return read;
}

static void refuses(void **state)
{
	const struct wrong *w = *state;
	struct parsed p = fx_parse(w->text);
	struct arena *a = arena_new();

	assert_false(is_read(w->kind, &p.issues, &p.at, a));
	struct cfg_report report = fx_parsed_fini(&p);
	assert_int_equal(report.errors.n, 1);
	assert_string_equal(report.errors.v[0].path, w->path);
	if (!strstr(report.errors.v[0].message, w->message))
		fail_msg("it says: %s", report.errors.v[0].message);
	assert_true(report.errors.v[0].pos.line > 0);
	cfg_report_fini(&report);
	arena_free(a);
}

static void all_that_is_wrong_is_said(void **state)
{
	struct parsed p = fx_parse(LB(", ports: [{port: x}, {protocol: y}], ipFamilyPolicy: z"));

	(void)state;
	assert_null(object_service_read(&p.issues, &p.at));
	struct cfg_report report = fx_parsed_fini(&p);
	assert_int_equal(report.errors.n, 4);
	cfg_report_fini(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_has_all_that_matters),
		cmocka_unit_test(annotations_of_both_prefixes),
		cmocka_unit_test(a_status_is_kept_as_it_stands),
		cmocka_unit_test(what_a_service_does_not_say),
		cmocka_unit_test(another_type_is_only_a_name),
		cmocka_unit_test(a_node),
		cmocka_unit_test(slices_name_their_service),
		cmocka_unit_test(all_that_is_wrong_is_said),
	};
	int failed = RUN_TABLE("what makes two services differ", differences, differs);

	failed += RUN_TABLE("labels of a namespace", namespace_cases, namespace_labels);
	failed += RUN_TABLE("servable endpoints", endpoints_cases, serves);
	failed += RUN_TABLE("objects that are refused", wrongs, refuses);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
