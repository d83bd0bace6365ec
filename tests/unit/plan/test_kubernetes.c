/*
 * Who announces a Kubernetes service, rule by rule, out of the documents that people have: the
 * reference's ordered tests for Layer 2 and for BGP, and what comes before both.
 */
#include "unit/plan/documents.h"

/* --- a plan as text: "node-b" or "node-a tor 10.0.0.1/32"; "node-a!notOwner" --- */

static void add_announcement(struct buf *out, const json_t *x)
{
	const char *peer = json_string_value(json_object_get(x, "peer"));
	const char *communities[] = { "communities", "interfaces" };
	const json_t *pref = json_object_get(x, "local-pref");

	buf_printf(out, "%s%s", out->len ? "; " : "",
		   json_string_value(json_object_get(x, "node")));
	if (peer)
		buf_printf(out, " %s %s", peer, json_string_value(json_object_get(x, "prefix")));
	if (pref)
		buf_printf(out, " pref %d", (int)json_integer_value(pref));
	for (size_t i = 0; i < ARRAY_LEN(communities); i++) {
		const json_t *list = json_object_get(x, communities[i]);

		for (size_t j = 0; j < json_array_size(list); j++) {
			const char *one = json_string_value(json_array_get(list, j));

			if (strcmp(one, "*") != 0)
				buf_printf(out, " %s", one);
		}
	}
}

static void add_silence(struct buf *out, const json_t *x)
{
	const char *peer = json_string_value(json_object_get(x, "peer"));

	buf_printf(out, "%s%s%s%s!%s", out->len ? "; " : "",
		   json_string_value(json_object_get(x, "node")), peer ? " " : "", peer ? peer : "",
		   json_string_value(json_object_get(x, "reason")));
}

static bool is_of(const json_t *x, const char *mode, const char *service)
{
	return strcmp(json_string_value(json_object_get(x, "mode")), mode) == 0 &&
	       strcmp(json_string_value(json_object_get(x, "service")), service) == 0;
}

static char *plan_as_text(const json_t *plan, const char *mode)
{
	struct buf out = { 0 };
	json_t *x;
	size_t i;

	json_array_foreach(json_object_get(plan, "announcements"), i, x)
	{
		if (is_of(x, mode, "shop/web"))
			add_announcement(&out, x);
	}
	json_array_foreach(json_object_get(plan, "silent"), i, x)
	{
		if (is_of(x, mode, "shop/web"))
			add_silence(&out, x);
	}
	char *text = mem_strdup(buf_text(&out));
	buf_fini(&out);
	return text;
}

static void decides(void **state, const char *mode)
{
	const struct rule *r = *state;
	json_t *plan = plan_of(r);
	char *text = plan_as_text(plan, mode);

	assert_string_equal(text, r->want);
	free(text);
	json_decref(plan);
}

static void decides_layer2(void **state)
{
	decides(state, "layer2");
}

static void decides_bgp(void **state)
{
	decides(state, "bgp");
}

/* --- Layer 2 (10.0.0.1: node-b, node-a, node-c) --- */

#define OWNER_B	    "node-b; node-a!notOwner; node-c!notOwner"
#define NOBODY(why) "node-a!" why "; node-b!" why "; node-c!" why

static const struct rule layer2_rules[] = {
	{ "the first in rank announces", L2 NODES WEB SERVED, OWNER_B },
	{ "another type is not announced",
	  L2 NODES DOC("v1", "Service") "metadata: {name: web, namespace: shop}\n"
					"spec: {type: NodePort}\n" SERVED,
	  NOBODY("notLoadBalancer") },
	{ "a service of a class is another's",
	  L2 NODES SERVICE("", ", loadBalancerClass: other") SERVED,
	  NOBODY("otherLoadBalancerClass") },
	{ "a service of our class is ours",
	  "kubernetes: {lb-class: mine}\n" L2 NODES SERVICE("", ", loadBalancerClass: mine") SERVED,
	  OWNER_B },
	{ "without a class it is not ours where we have one",
	  "kubernetes: {lb-class: mine}\n" L2 NODES WEB SERVED, NOBODY("otherLoadBalancerClass") },
	{ "without an address there is nothing to announce",
	  POOL_OF("10.0.0.1/32") L2_ADV("l2", "") NODES SERVICE("", ", loadBalancerIP: 10.0.0.2")
		  SERVED,
	  NOBODY("noIPAllocated") },

	/* 1: endpoints */
	{ "no endpoints object: not owner", L2 NODES WEB, NOBODY("notOwner") },
	{ "an empty slice: not owner", L2 NODES WEB SLICE(""), NOBODY("notOwner") },
	{ "no ready endpoint: not owner", L2 NODES WEB SLICE(UNREADY("node-a")),
	  NOBODY("notOwner") },
	{ "nothing said of ready: ready", L2 NODES WEB SLICE("{addresses: [10.1.0.1]}"), OWNER_B },
	{ "ready null: ready", L2 NODES WEB SLICE(POD("node-a", "ready: null")), OWNER_B },
	{ "terminating and serving: servable",
	  L2 NODES WEB SLICE(POD("node-a", "ready: false, serving: true, terminating: true")),
	  OWNER_B },
	{ "terminating, not serving: not servable",
	  L2 NODES WEB SLICE(POD("node-a", "ready: false, serving: false, terminating: true")),
	  NOBODY("notOwner") },
	{ "any slice of several",
	  L2 NODES WEB SLICE(UNREADY("node-a")) SLICE_OF("web-2", "web", READY("node-c")),
	  OWNER_B },
	{ "a slice of another service does not count",
	  L2 NODES WEB SLICE_OF("other", "other", READY("node-a")), NOBODY("notOwner") },
	{ "Endpoints alone: ready addresses", L2 NODES WEB ENDPOINTS(ADDRESS("node-a"), ""),
	  OWNER_B },
	{ "Endpoints alone: notReadyAddresses", L2 NODES WEB ENDPOINTS("", ADDRESS("node-a")),
	  NOBODY("notOwner") },
	{ "slices count before Endpoints",
	  L2 NODES WEB ENDPOINTS(ADDRESS("node-a"), "") SLICE(UNREADY("node-a")),
	  NOBODY("notOwner") },
	{ "Cluster: the owner need not run any", L2 NODES WEB SLICE(READY("node-c")), OWNER_B },

	/* 2 to 4: advertisements */
	{ "no advertisement of the pool", POOL NODES WEB SERVED,
	  NOBODY("noMatchingAdvertisement") },
	{ "none whose serviceSelectors match",
	  POOL L2_ADV("l2", "serviceSelectors: [" SELECTS("tier", "back") "]")
		  NODES SERVICE(LABELLED, "") SERVED,
	  NOBODY("noMatchingAdvertisement") },
	{ "one whose serviceSelectors match",
	  POOL L2_ADV("l2", "serviceSelectors: [" SELECTS("tier", "front") "]")
		  NODES SERVICE(LABELLED, "") SERVED,
	  OWNER_B },
	{ "sharing and serviceSelectors do not go together",
	  POOL L2_ADV("l2", "serviceSelectors: [" SELECTS("tier", "front") "]")
		  NODES SERVICE(LABELLED SHARED, "") SERVED,
	  NOBODY("sharedIPWithServiceSelector") },
	{ "nor with the old prefix, nor with an empty key",
	  POOL L2_ADV("l2", "serviceSelectors: [" SELECTS("tier", "front") "]") NODES SERVICE(
		  LABELLED ", annotations: {metallb.universe.tf/allow-shared-ip: \"\"}", "") SERVED,
	  NOBODY("sharedIPWithServiceSelector") },
	{ "sharing and serviceSelectors of an advertisement that is for others",
	  POOL L2_ADV("l2", "serviceSelectors: [" SELECTS("tier", "back") "]") L2_ADV("all", "")
		  NODES SERVICE(LABELLED SHARED, "") SERVED,
	  OWNER_B },
	{ "endpoints are looked at before sharing",
	  POOL L2_ADV("l2", "serviceSelectors: [" SELECTS("tier", "front") "]")
		  NODES SERVICE(LABELLED SHARED, ""),
	  NOBODY("notOwner") },
	{ "nodes that no advertisement selects",
	  POOL L2_ADV("l2", "nodeSelectors: [" SELECTS("rack", "one") "]")
		  NODE_WITH("node-a", "rack: one") NODE("node-b") WEB SERVED,
	  "node-a; node-b!noMatchingAdvertisement" },
	{ "advertisements are united in nodes",
	  POOL L2_ADV("l2", "nodeSelectors: [" SELECTS("rack", "one") "]")
		  L2_ADV("l3", "nodeSelectors: [" SELECTS("rack", "two") "]")
			  NODE_WITH("node-a", "rack: one") NODE_WITH("node-c", "rack: two")
				  NODE("node-b") WEB SERVED,
	  "node-a; node-b!noMatchingAdvertisement; node-c!notOwner" },

	/* 5: candidates */
	{ "members that are not live are none",
	  L2 NODES WEB SERVED,
	  "node-a; node-c!notOwner",
	  { "node-a", "node-c" } },
	{ "NetworkUnavailable is none",
	  L2 NODE("node-a") NODE_OUT("node-b", "NetworkUnavailable", "True") NODE("node-c")
		  WEB SERVED,
	  "node-a; node-b!notOwner; node-c!notOwner" },
	{ "NetworkUnavailable=False is one",
	  L2 NODE("node-a") NODE_OUT("node-b", "NetworkUnavailable", "False") NODE("node-c")
		  WEB SERVED,
	  OWNER_B },
	{ "not Ready, or cordoned, does not matter",
	  L2 NODE("node-a") NODE_OUT("node-b", "Ready",
				     "False") "spec: {unschedulable: true}\n" NODE("node-c")
		  WEB SERVED,
	  OWNER_B },
	{ "the exclude label, of any value",
	  L2 NODE("node-a") NODE_WITH("node-b", EXCLUDED) NODE("node-c") WEB SERVED,
	  "node-a; node-b!notOwner; node-c!notOwner" },
	{ "the exclude label, ignored",
	  "kubernetes: {ignore-exclude-lb: true}\n" L2 NODE("node-a") NODE_WITH("node-b", EXCLUDED)
		  NODE("node-c") WEB SERVED,
	  OWNER_B },
	{ "Local: only where an endpoint is servable",
	  L2 NODES SERVICE("", LOCAL) SLICE(READY("node-a") "," UNREADY("node-b")),
	  "node-a; node-b!notOwner; node-c!notOwner" },
	{ "Local: serving is enough",
	  L2 NODES SERVICE("", LOCAL)
		  SLICE(READY("node-a") "," POD("node-b", "ready: false, serving: true")),
	  OWNER_B },
	{ "Local: an endpoint that names no node is on none",
	  L2 NODES SERVICE("", LOCAL) SLICE("{addresses: [10.1.0.1]}"), NOBODY("notOwner") },
	{ "Local: several slices, several nodes",
	  L2 NODES SERVICE("", LOCAL) SLICE(READY("node-c"))
		  SLICE_OF("web-2", "web", READY("node-a") "," READY("node-a")),
	  "node-a; node-b!notOwner; node-c!notOwner" },
	{ "Local: Endpoints",
	  L2 NODES SERVICE("", LOCAL) ENDPOINTS(ADDRESS("node-c"), ADDRESS("node-b")),
	  "node-c; node-a!notOwner; node-b!notOwner" },
	{ "a member without a Node object is never selected",
	  L2 NODE("node-a") WEB SERVED,
	  "node-a; node-b!noMatchingAdvertisement",
	  { "node-a", "node-b" } },
	{ "where there are no Node objects, members need none",
	  L2 WEB SERVED,
	  OWNER_B,
	  { "node-a", "node-b", "node-c" } },
	{ "without members and Node objects it is this host", L2 WEB SERVED, "host" },

	/* 6: the election */
	{ "by the first address of two",
	  POOL_OF("10.0.0.2/32, \"2001:db8::10/128\"") L2_ADV("l2", "") NODES DOC(
		  "v1",
		  "Service") "metadata: {name: web, namespace: shop}\n"
			     "spec: {type: LoadBalancer, clusterIPs: [10.96.0.1, \"fd00::1\"],\n"
			     "  ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}\n" SERVED,
	  "node-b; node-b; node-a!notOwner; node-c!notOwner" },
	{ "preferred nodes first",
	  POOL L2_ADV("l2", "preferredNodeSelectors: [{weight: 5, preference: " SELECTS("rack",
											"one") "}]")
		  NODE("node-a") NODE("node-b") NODE_WITH("node-c", "rack: one") WEB SERVED,
	  "node-c; node-a!notOwner; node-b!notOwner" },
	{ "weights of several advertisements add up",
	  POOL L2_ADV("l2", "preferredNodeSelectors: [{weight: 5, preference: " SELECTS("rack",
											"one") "}]")
		  L2_ADV("l3",
			 "preferredNodeSelectors: [{weight: 3, preference: " SELECTS(
				 "rack", "two") "}, {weight: 3, preference: " SELECTS("rack",
										      "two") "}]")
			  NODE_WITH("node-a", "rack: two") NODE("node-b")
				  NODE_WITH("node-c", "rack: one") WEB SERVED,
	  "node-a; node-b!notOwner; node-c!notOwner" },
	{ "weights count only where the advertisement selects the node",
	  POOL L2_ADV("l2", "nodeSelectors: [" SELECTS(
				    "rack", "one") "], preferredNodeSelectors: [{weight: 5, "
						   "preference: " SELECTS("ssd", "fast") "}]")
		  L2_ADV("l3", "") NODE_WITH("node-a", "ssd: fast") NODE("node-b")
			  NODE_WITH("node-c", "rack: one") WEB SERVED,
	  OWNER_B },

	/* a shared address is answered by one node, whoever serves what: not so in the reference */
	{ "sharers go together where one node can serve all", SHARERS("node-b", "node-c"),
	  "node-c; node-a!notOwner; node-b!notOwner" },
	{ "to the letter each goes for itself",
	  SHARERS("node-b", "node-c"),
	  "node-a; node-b!notOwner; node-c!notOwner",
	  { NULL },
	  true },
	{ "where no node can serve all, the first one is the only one", SHARERS("node-b", "node-b"),
	  NOBODY("notOwner") },

	/* the legacy document */
	{ "legacy: a pool has its own advertisement", LEGACY("layer2") NODES WEB SERVED, OWNER_B },
	{ "legacy: a pool for BGP has none for Layer 2", LEGACY("bgp") NODES WEB SERVED,
	  NOBODY("noMatchingAdvertisement") },
	{ "legacy: an advertisement for all pools is for those of resources",
	  LEGACY("bgp") L2_ADV("l2", "") NODES WEB SERVED, NOBODY("noMatchingAdvertisement") },
	{ "legacy: an advertisement by its name reaches it",
	  LEGACY("bgp") L2_ADV("l2", "ipAddressPools: [old]") NODES WEB SERVED, OWNER_B },
	{ "legacy: endpoints and nodes count as in main",
	  LEGACY("layer2") NODE("node-a") NODE_WITH("node-b", EXCLUDED)
		  WEB SLICE(POD("node-a", "ready: false, serving: true")),
	  "node-a; node-b!notOwner" },

	/* interfaces */
	{ "interfaces of all advertisements that select the node, none twice",
	  POOL L2_ADV("l2", "interfaces: [eth0, eth1]") L2_ADV("l3", "interfaces: [eth1, eth2]")
		  NODE("node-b") WEB SERVED,
	  "node-b eth0 eth1 eth2" },
	{ "not those of one that selects others",
	  POOL L2_ADV("l2", "interfaces: [eth0]")
		  L2_ADV("l3", "interfaces: [eth2], nodeSelectors: [" SELECTS("rack", "one") "]")
			  NODE("node-b") WEB SERVED,
	  "node-b eth0" },
	{ "one that names none opens all",
	  POOL L2_ADV("l2", "interfaces: [eth0]") L2_ADV("l3", "") NODE("node-b") WEB SERVED,
	  "node-b" },
	{ "one that is for other services opens nothing",
	  POOL L2_ADV("l2", "interfaces: [eth0]")
		  L2_ADV("l3", "serviceSelectors: [" SELECTS("tier", "back") "]") NODE("node-b")
			  SERVICE(LABELLED, "") SERVED,
	  "node-b eth0" },
};

/* --- BGP --- */

#define ALL_NODES(what) "node-a " what "; node-b " what "; node-c " what

static const struct rule bgp_rules[] = {
	{ "every node announces", BGP NODES WEB SERVED, ALL_NODES("tor 10.0.0.1/32") },
	{ "another type is not announced",
	  BGP NODES DOC("v1", "Service") "metadata: {name: web, namespace: shop}\n" SERVED,
	  NOBODY("notLoadBalancer") },

	{ "1: no advertisement of the pool", POOL TOR NODES WEB SERVED, NOBODY("notOwner") },
	{ "1: none selects the node",
	  POOL TOR BGP_ADV("bgp", "nodeSelectors: [" SELECTS("rack", "one") "]")
		  NODE_WITH("node-a", "rack: one") NODE("node-b") WEB SERVED,
	  "node-a tor 10.0.0.1/32; node-b!notOwner" },
	{ "1: a member without a Node object",
	  BGP NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.1/32; node-b!notOwner",
	  { "node-a", "node-b" } },
	{ "2: none of these is for the service",
	  POOL TOR BGP_ADV("bgp", "serviceSelectors: [" SELECTS("tier", "back") "]")
		  NODES SERVICE(LABELLED, "") SERVED,
	  NOBODY("noMatchingAdvertisement") },
	{ "2: one of these is for the service",
	  POOL TOR BGP_ADV("bgp", "serviceSelectors: [" SELECTS("tier", "front") "]") NODE("node-a")
		  SERVICE(LABELLED, "") SERVED,
	  "node-a tor 10.0.0.1/32" },
	{ "3: local preferences differ",
	  POOL TOR BGP_ADV("one",
			   "localPref: 100, serviceSelectors: [" SELECTS("tier", "front") "]")
		  BGP_ADV("two", "localPref: 200") NODE("node-a") SERVICE(LABELLED, "") SERVED,
	  "node-a!conflictingAdvertisements" },
	{ "3: of one that says none, too",
	  POOL TOR BGP_ADV("one", "serviceSelectors: [" SELECTS("tier", "front") "]")
		  BGP_ADV("two", "localPref: 200") NODE("node-a") SERVICE(LABELLED, "") SERVED,
	  "node-a!conflictingAdvertisements" },
	{ "3: not where the other is for other services",
	  POOL TOR BGP_ADV("one", "localPref: 100, serviceSelectors: [" SELECTS("tier", "back") "]")
		  BGP_ADV("two", "localPref: 200") NODE("node-a") SERVICE(LABELLED, "") SERVED,
	  "node-a tor 10.0.0.1/32" },
	{ "3: not where the peers are others",
	  POOL TOR IBGP BGP_ADV("one", "peers: [tor], localPref: 100, serviceSelectors: [" SELECTS(
					       "tier", "front") "]")
		  BGP_ADV("two", "peers: [core], localPref: 200") NODE("node-a")
			  SERVICE(LABELLED, "") SERVED,
	  "node-a tor 10.0.0.1/32; node-a core 10.0.0.1/32 pref 200" },
	{ "4: NetworkUnavailable",
	  BGP NODE("node-a") NODE_OUT("node-b", "NetworkUnavailable", "True") WEB SERVED,
	  "node-a tor 10.0.0.1/32; node-b!nodeNetworkUnavailable" },
	{ "5: the exclude label", BGP NODE("node-a") NODE_WITH("node-b", EXCLUDED) WEB SERVED,
	  "node-a tor 10.0.0.1/32; node-b!nodeLabeledExcludeBalancers" },
	{ "5: the exclude label, ignored",
	  "kubernetes: {ignore-exclude-lb: true}\n" BGP NODE_WITH("node-b", EXCLUDED) WEB SERVED,
	  "node-b tor 10.0.0.1/32" },
	{ "6: Local, and no endpoint on the node",
	  BGP NODES SERVICE("", LOCAL) SLICE(READY("node-a") "," UNREADY("node-b")),
	  "node-a tor 10.0.0.1/32; node-b!noLocalEndpoints; node-c!noLocalEndpoints" },
	{ "6: Local comes before anywhere", BGP NODES SERVICE("", LOCAL),
	  NOBODY("noLocalEndpoints") },
	{ "6: Cluster needs no endpoint on the node", BGP NODES WEB SLICE(READY("node-a")),
	  ALL_NODES("tor 10.0.0.1/32") },
	{ "7: no endpoint anywhere", BGP NODES WEB SLICE(UNREADY("node-a")),
	  NOBODY("noEndpoints") },
	{ "7: no endpoints object", BGP NODES WEB, NOBODY("noEndpoints") },
	{ "7: terminating and serving",
	  BGP NODE("node-a") WEB SLICE(POD("node-b", "ready: false, serving: true")),
	  "node-a tor 10.0.0.1/32" },

	/* what is sent */
	{ "aggregation",
	  WIDE_POOL TOR BGP_ADV("bgp", "aggregationLength: 24") NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.0/24" },
	{ "an aggregate where any service inside has a local endpoint",
	  POOL_OF("10.0.0.0/24") TOR BGP_ADV("bgp", "aggregationLength: 24")
		  NODES SERVICE("", LOCAL) SLICE(READY("node-c")),
	  "node-c tor 10.0.0.0/24; node-a!noLocalEndpoints; node-b!noLocalEndpoints" },
	{ "several advertisements: a prefix each",
	  WIDE_POOL TOR BGP_ADV("a", "aggregationLength: 24, communities: [\"64512:1\"]")
		  BGP_ADV("b", "communities: [\"64512:2\"]") NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.0/24 64512:1; node-a tor 10.0.0.0/32 64512:2" },
	{ "several of one prefix: communities are united, sorted, none twice",
	  POOL TOR BGP_ADV("a", "communities: [\"64512:9\", \"64512:3\", \"large:1:2:3\"]")
		  BGP_ADV("b", "communities: [\"64512:3\", \"64512:1\"]") NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.1/32 64512:1 64512:3 64512:9 1:2:3" },
	{ "local preference towards iBGP alone",
	  POOL TOR IBGP BGP_ADV("a", "localPref: 50") NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.1/32; node-a core 10.0.0.1/32 pref 50" },
	{ "local preference of resources, not said",
	  POOL IBGP BGP_ADV("a", "") NODE("node-a") WEB SERVED,
	  "node-a core 10.0.0.1/32 pref 100" },
	{ "peers of the advertisement",
	  POOL TOR IBGP BGP_ADV("a", "peers: [tor]") NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.1/32" },
	{ "communities by the peer",
	  POOL TOR IBGP BGP_ADV("a", "peers: [tor], communities: [\"64512:1\"]") BGP_ADV(
		  "b", "peers: [core], communities: [\"64512:2\"]") NODE("node-a") WEB SERVED,
	  "node-a tor 10.0.0.1/32 64512:1; node-a core 10.0.0.1/32 pref 100 64512:2" },
	{ "peers by the node",
	  POOL PEER("tor", "192.0.2.1, nodeSelectors: [" SELECTS("rack", "one") "]")
		  BGP_ADV("a", "") NODE_WITH("node-a", "rack: one") NODE("node-b") WEB SERVED,
	  "node-a tor 10.0.0.1/32; node-b!noPeers" },
	{ "a family that the session does not carry",
	  POOL_OF("10.0.0.1/32, \"2001:db8::1/128\"") TOR BGP_ADV("a", "") NODE("node-a") DOC(
		  "v1",
		  "Service") "metadata: {name: web, namespace: shop}\n"
			     "spec: {type: LoadBalancer, clusterIPs: [10.96.0.1, \"fd00::1\"],\n"
			     "  ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}\n" SERVED,
	  "node-a tor 10.0.0.1/32; node-a tor!familyNotOnSession" },
	{ "a session that carries both families",
	  POOL_OF("10.0.0.1/32, \"2001:db8::1/128\"") PEER(
		  "tor", "192.0.2.1, dualStackAddressFamily: true") BGP_ADV("a", "") NODE("node-a")
		  DOC("v1", "Service") "metadata: {name: web, namespace: shop}\n"
				       "spec: {type: LoadBalancer, clusterIPs: [10.96.0.1, "
				       "\"fd00::1\"],\n"
				       "  ipFamilyPolicy: RequireDualStack, ports: [{port: "
				       "80}]}\n" SERVED,
	  "node-a tor 10.0.0.1/32; node-a tor 2001:db8::1/128" },
	{ "legacy: a pool for Layer 2 has no advertisement for BGP",
	  LEGACY("layer2") NODES WEB SERVED, NOBODY("notOwner") },
	{ "legacy: LOCAL_PREF 0, and the pool's own advertisements",
	  "peers: [{my-asn: 64512, peer-asn: 64512, peer-address: 192.0.2.2}]\n"
	  "address-pools: [{name: p, protocol: bgp, addresses: [10.0.0.1/32]}]\n" NODE("node-a")
		  WEB SERVED,
	  "node-a 192.0.2.2 10.0.0.1/32 pref 0" },
};

/* --- what people are told --- */

static const char *detail_of(const json_t *plan, size_t i)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(plan, "silent"), i), "detail"));
}

static void details_name_what_is_missing(void **state)
{
	static const struct rule rules[] = {
		{ "", L2 NODE("node-a") WEB,
		  "there is no EndpointSlice and no Endpoints of the service" },
		{ "", L2 NODE("node-a") WEB SLICE(""), "the service has no endpoints" },
		{ "", L2 NODE("node-a") WEB SLICE(UNREADY("node-a") "," UNREADY("node-b")),
		  "endpoints: 2; ready or serving: none" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		json_t *plan = plan_of(&rules[i]);

		assert_string_equal(detail_of(plan, 0), rules[i].want);
		json_decref(plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(details_name_what_is_missing),
	};
	int failed = RUN_TABLE("Layer 2, by the rule", layer2_rules, decides_layer2);

	failed += RUN_TABLE("BGP, by the rule", bgp_rules, decides_bgp);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
