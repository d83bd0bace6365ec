/*
 * Who gets which address, out of the documents that people have: Kubernetes and standalone services
 * side by side. The rules of each kind alone are tested in the room of the allocator.
 */
#include "unit/plan/documents.h"

/* --- who gets which address: "web=10.0.0.1 dns=-" in the order of the report --- */

#define NAMED(name, meta, spec)                                 \
	DOC("v1", "Service")                                    \
	"metadata: {name: " name ", namespace: shop" meta "}\n" \
	"spec: {type: LoadBalancer, ports: [{port: 80}]" spec "}\n"

static const struct rule address_rules[] = {
	{ "in the order given", POOL NAMED("b", "", "") NAMED("a", "", ""),
	  "shop/b=10.0.0.1 shop/a=10.0.0.2" },
	{ "who has one keeps it, whatever the order",
	  POOL NAMED("b", "", "") NAMED("a", "", "") STATUS("{ip: 10.0.0.1}"),
	  "shop/b=10.0.0.2 shop/a=10.0.0.1" },
	{ "what no pool holds any more is replaced",
	  POOL NAMED("a", "", "") STATUS("{ip: 10.9.0.1}"), "shop/a=10.0.0.1" },
	{ "what is in a status is nobody's to choose, standalone neither",
	  "services: [{name: own}]\n" POOL NAMED("a", "", "") STATUS("{ip: 10.0.0.1}"),
	  "own=10.0.0.2 shop/a=10.0.0.1" },
	{ "standalone services come before newcomers",
	  "services: [{name: own}]\n" POOL NAMED("a", "", ""), "own=10.0.0.1 shop/a=10.0.0.2" },
	{ "what is chosen by hand is nobody else's",
	  "services: [{name: own, address: 10.0.0.1}]\n" POOL NAMED("a", "", ""),
	  "own=10.0.0.1 shop/a=10.0.0.2" },
	{ "an address by the field", POOL NAMED("a", "", ", loadBalancerIP: 10.0.0.5"),
	  "shop/a=10.0.0.5" },
	{ "an address by the annotation",
	  POOL NAMED("a", ", annotations: {metallb.io/loadBalancerIPs: 10.0.0.5}", ""),
	  "shop/a=10.0.0.5" },
	{ "the new prefix counts even if empty",
	  POOL NAMED("a",
		     ", annotations: {metallb.io/loadBalancerIPs: \"\", "
		     "metallb.universe.tf/loadBalancerIPs: 10.0.0.5}",
		     ""),
	  "shop/a=10.0.0.1" },
	{ "a pool by the annotation of the old prefix",
	  POOL METALLB("IPAddressPool", "v1beta1", "zoo", "addresses: [10.7.0.1/32]")
		  NAMED("a", ", annotations: {metallb.universe.tf/address-pool: zoo}", ""),
	  "shop/a=10.7.0.1" },
	{ "two that share",
	  POOL NAMED("a", SHARED, "")
		  DOC("v1",
		      "Service") "metadata: {name: b, namespace: shop" SHARED "}\n"
				 "spec: {type: LoadBalancer, ports: [{port: 53, protocol: UDP}]}\n",
	  "shop/a=10.0.0.1 shop/b=10.0.0.1" },
	{ "two that share a key and a port", POOL NAMED("a", SHARED, "") NAMED("b", SHARED, ""),
	  "shop/a=10.0.0.1 shop/b=10.0.0.2" },
	{ "Local and another selector: no sharing",
	  POOL NAMED("a", SHARED, LOCAL ", selector: {app: a}")
		  DOC("v1", "Service") "metadata: {name: b, namespace: shop" SHARED "}\n"
				       "spec: {type: LoadBalancer, ports: [{port: 53}], "
				       "externalTrafficPolicy: Local, "
				       "selector: {app: b}}\n",
	  "shop/a=10.0.0.1 shop/b=10.0.0.2" },
	{ "Local and the same selector, written in another order",
	  POOL NAMED("a", SHARED, LOCAL ", selector: {app: a, b: c}")
		  DOC("v1", "Service") "metadata: {name: b, namespace: shop" SHARED "}\n"
				       "spec: {type: LoadBalancer, ports: [{port: 53}], "
				       "externalTrafficPolicy: Local, "
				       "selector: {b: c, app: a}}\n",
	  "shop/a=10.0.0.1 shop/b=10.0.0.1" },
	{ "a pool for a namespace, by a label that goes without saying",
	  METALLB("IPAddressPool", "v1beta1", "zoo",
		  "addresses: [10.7.0.1/32], serviceAllocation: {namespaceSelectors: [" SELECTS(
			  "kubernetes.io/metadata.name", "shop") "]}") POOL NAMED("a", "", ""),
	  "shop/a=10.7.0.1" },
	{ "a pool for a namespace, by a label of its object",
	  METALLB("IPAddressPool", "v1beta1", "zoo",
		  "addresses: [10.7.0.1/32], serviceAllocation: {namespaceSelectors: [" SELECTS(
			  "team", "red") "]}")
		  POOL DOC("v1", "Namespace") "metadata: {name: shop, labels: {team: red}}\n" NAMED(
			  "a", "", ""),
	  "shop/a=10.7.0.1" },
	{ "a pool for another namespace",
	  METALLB("IPAddressPool", "v1beta1", "zoo",
		  "addresses: [10.7.0.1/32], serviceAllocation: {namespaces: [zoo]}")
		  NAMED("a", "", ""),
	  "shop/a=-" },
	{ "no pools at all: what it has goes", NAMED("a", "", "") STATUS("{ip: 10.0.0.1}"),
	  "shop/a=-" },
	{ "a class of another is left to it",
	  POOL NAMED("a", "", ", loadBalancerClass: x") STATUS("{ip: 10.0.0.1}") NAMED("b", "", ""),
	  "shop/b=10.0.0.1" },
	{ "no cluster IPs yet: the family that it names",
	  POOL_OF("10.0.0.1/32, \"2001:db8::1/128\"") NAMED("a", "", ", ipFamilies: [IPv6]"),
	  "shop/a=2001:db8::1" },
	{ "no cluster IPs yet: both for two",
	  POOL_OF("10.0.0.1/32, \"2001:db8::1/128\"")
		  NAMED("a", "", ", ipFamilyPolicy: RequireDualStack"),
	  "shop/a=10.0.0.1,2001:db8::1" },
	{ "no cluster IPs yet: the family that it asks for",
	  POOL_OF("10.0.0.1/32, \"2001:db8::1/128\"")
		  NAMED("a", "", ", loadBalancerIP: \"2001:db8::1\""),
	  "shop/a=2001:db8::1" },
	{ "no cluster IPs yet: the family that it has",
	  POOL_OF("10.0.0.1/32, \"2001:db8::1/128\"") NAMED("a", "", "")
		  STATUS("{ip: \"2001:db8::1\"}"),
	  "shop/a=2001:db8::1" },
	{ "no cluster IPs yet: the family of the pools",
	  POOL_OF("\"2001:db8::1/128\"") NAMED("a", "", ""), "shop/a=2001:db8::1" },
	{ "headless: nothing", POOL NAMED("a", "", ", clusterIP: None"), "shop/a=-" },
};

static void add_grants(struct buf *out, const json_t *plan)
{
	json_t *x, *address;
	size_t i, j;

	json_array_foreach(json_object_get(plan, "allocations"), i, x)
	{
		buf_printf(out, "%s%s=", out->len ? " " : "",
			   json_string_value(json_object_get(x, "service")));
		json_array_foreach(json_object_get(x, "addresses"), j, address)
		{
			buf_printf(out, "%s%s", j ? "," : "", json_string_value(address));
		}
	}
	json_array_foreach(json_object_get(plan, "unallocated"), i, x)
	{
		buf_printf(out, "%s%s=-", out->len ? " " : "",
			   json_string_value(json_object_get(x, "service")));
		assert_true(*json_string_value(json_object_get(x, "reason")));
	}
}

static void allocates(void **state)
{
	const struct rule *r = *state;
	json_t *plan = plan_of(r);
	struct buf out = { 0 };

	add_grants(&out, plan);
	assert_string_equal(buf_text(&out), r->want);
	buf_fini(&out);
	json_decref(plan);
}

/* What one outcome gave is held by the next, as by a daemon whose configuration changes. */
static void held_addresses_stay(void **state)
{
	static const char before[] = "services: [{name: own}]\n" POOL NAMED("a", "", "");
	static const char after[] =
		"services: [{name: new}, {name: own}]\n" POOL NAMED("z", "", "") NAMED("a", "", "");
	CLEANUP(object_set_freep) struct object_set *old_set = object_set_new();
	CLEANUP(object_set_freep) struct object_set *new_set = object_set_new();
	const struct cfg *old_cfg = load(before, old_set), *new_cfg = load(after, new_set);
	struct offline *was = offline_new(old_cfg, &(struct offline_conf){ .objects = old_set });
	struct offline *is =
		offline_new(new_cfg, &(struct offline_conf){ .objects = new_set, .held = was });
	json_t *plan = plan_report(is, &(struct plan_report_options){ 0 });
	struct buf out = { 0 };

	(void)state;
	add_grants(&out, plan);
	assert_string_equal(buf_text(&out),
			    "new=10.0.0.3 own=10.0.0.1 shop/z=10.0.0.4 shop/a=10.0.0.2");
	buf_fini(&out);
	json_decref(plan);
	offline_free(is);
	offline_free(was);
	cfg_free(old_cfg);
	cfg_free(new_cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_addresses_stay),
	};
	int failed = RUN_TABLE("addresses, by the rule", address_rules, allocates);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
