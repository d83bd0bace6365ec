/* Our own spelling of what custom resources can say: what it takes, refuses and means, and that a
 * configuration of resources is printed in it without a loss. */
#include "resource_test.h"

#define NONE(more)  "address-pools:\n- {name: p, protocol: none, addresses: [10.5.0.0/24]" more "}\n"
#define L2(more)    NONE("") "l2-advertisements:\n- {name: a" more "}\n"
#define BGP(more)   NONE("") PEER("") "bgp-advertisements:\n- {name: a" more "}\n"
#define OWN(fields) "peers:\n- {my-asn: 64512, peer-address: 10.0.0.1" fields "}\n"
#define TWO_POOLS                                                                               \
	"address-pools:\n- {name: p, protocol: none, addresses: [10.5.0.0/24], labels: {zone: " \
	"a}}\n- {name: q, protocol: layer2, addresses: [10.6.0.0/24], labels: {zone: a}}\n"

static const struct refusal refused[] = {
	{ "advertisements of a pool without protocol", NONE(", bgp-advertisements: [{}]"),
	  "address-pools[0].bgp-advertisements", "protocol: none", "protocol: bgp" },
	{ "a label's name", NONE(", labels: {a b: c}"), "address-pools[0].labels.a b",
	  "not a label's name" },
	{ "service-allocation, spelled as in resources",
	  NONE(", service-allocation: {namespaceSelectors: []}"),
	  "address-pools[0].service-allocation.namespaceSelectors", "no key",
	  "'namespace-selectors'" },
	{ "a namespace twice", NONE(", service-allocation: {namespaces: [a, a]}"),
	  "address-pools[0].service-allocation.namespaces[1]", "given twice" },
	{ "a negative priority", NONE(", service-allocation: {priority: -1}"),
	  "address-pools[0].service-allocation.priority", "out of range" },

	{ "an advertisement without a name", "l2-advertisements: [{}]\n", "l2-advertisements[0]",
	  "name is missing" },
	{ "two of one name", "l2-advertisements: [{name: a}, {name: a}]\n",
	  "l2-advertisements[1].name", "a second Layer 2 advertisement 'a'" },
	{ "a pool twice", L2(", address-pools: [p, p]"), "l2-advertisements[0].address-pools[1]",
	  "given twice" },
	{ "no link's name", L2(", interfaces: [a/b]"), "l2-advertisements[0].interfaces[0]",
	  "not a link's name" },
	{ "a preference without a weight",
	  L2(", preferred-node-selectors: [{preference: {match-labels: {a: b}}}]"),
	  "l2-advertisements[0].preferred-node-selectors[0]", "weight is missing" },
	{ "a weight of 101", L2(", preferred-node-selectors: [{weight: 101, preference: {}}]"),
	  "l2-advertisements[0].preferred-node-selectors[0].weight", "out of range" },
	{ "a key of the other kind", L2(", peers: [x]"), "l2-advertisements[0].peers", "no key" },

	{ "two by BGP of one name", "bgp-advertisements: [{name: a}, {name: a}]\n",
	  "bgp-advertisements[1].name", "a second BGP advertisement 'a'" },
	{ "aggregation wider than the pool", BGP(", aggregation-length: 23"),
	  "bgp-advertisements[0].aggregation-length", "wider" },
	{ "aggregation for some services only",
	  BGP(", aggregation-length: 24, service-selectors: [{match-labels: {a: b}}]"),
	  "bgp-advertisements[0].service-selectors", "for some services only" },
	{ "local preferences that disagree", BGP(", localpref: 1}\n- {name: b, localpref: 2"),
	  "bgp-advertisements[1].localpref", "different local preferences" },
	{ "a local preference in words", BGP(", localpref: high"),
	  "bgp-advertisements[0].localpref", "a number is wanted" },
	{ "a community that nobody defines", BGP(", communities: [backup]"),
	  "bgp-advertisements[0].communities[0]", "not a community" },

	{ "peers: neither AS", OWN(""), "peers[0]", "peer-asn is missing", "add peer-asn" },
	{ "peers: both", OWN(", peer-asn: 1, dynamic-asn: external"), "peers[0].dynamic-asn",
	  "both given" },
	{ "peers: dynamic-asn", OWN(", dynamic-asn: any"), "peers[0].dynamic-asn", "not known here",
	  "internal, external" },
	{ "peers: ebgp-multihop within an AS", OWN(", dynamic-asn: internal, ebgp-multihop: true"),
	  "peers[0].ebgp-multihop", "our own AS" },
	{ "peers: local-asn 0", OWN(", peer-asn: 1, local-asn: 0"), "peers[0].local-asn",
	  "out of range" },
	{ "peers: a VRF with the mark of a footnote", OWN(", peer-asn: 1, vrf: red 1"),
	  "peers[0].vrf", "not a VRF's name", "'red'" },
	{ "peers: connect-time in parts of a second", OWN(", peer-asn: 1, connect-time: 1500ms"),
	  "peers[0].connect-time", "not whole seconds" },
	{ "peers: connect-time 0", OWN(", peer-asn: 1, connect-time: 0s"), "peers[0].connect-time",
	  "out of range" },
	{ "peers: ttl 0", OWN(", peer-asn: 1, ttl: 0"), "peers[0].ttl", "out of range" },
};

static const struct acceptance accepted[] = {
	{ "a pool without protocol", NONE(""), "address-pools.0.protocol", "none",
	  "no advertisement is for pool 'p'" },
	{ "labels", TWO_POOLS "l2-advertisements: [{name: a}]\n", "address-pools.1.labels",
	  "{\"zone\":\"a\"}" },
	{ "service-allocation",
	  POOL(", addresses: [10.5.0.0/24], service-allocation: {priority: 2, namespaces: [b, a], "
	       "namespace-selectors: [{match-labels: {team: x}}], service-selectors: "
	       "[{match-expressions: [{key: y, operator: Exists}]}]}"),
	  "address-pools.0.service-allocation",
	  "{\"priority\":2,\"namespaces\":[\"b\",\"a\"],"
	  "\"namespace-selectors\":[{\"match-expressions\":[{\"key\":\"team\",\"operator\":\"In\","
	  "\"values\":[\"x\"]}]}],\"service-selectors\":[{\"match-expressions\":[{\"key\":\"y\","
	  "\"operator\":\"Exists\"}]}]}" },
	{ "an empty service-allocation", POOL(", addresses: [10.5.0.0/24], service-allocation: {}"),
	  "address-pools.0.service-allocation", "{\"priority\":0}" },
	{ "a Layer 2 advertisement in full",
	  L2(", address-pools: [p], address-pool-selectors: [{match-expressions: [{key: zone, "
	     "operator: DoesNotExist}]}], node-selectors: [{match-labels: {a: b}}], interfaces: "
	     "[eth0], service-selectors: [{match-labels: {c: d}}], preferred-node-selectors: "
	     "[{weight: 7, preference: {match-labels: {e: f}}}]"),
	  "l2-advertisements.0",
	  "{\"name\":\"a\",\"address-pools\":[\"p\"],\"address-pool-selectors\":["
	  "{\"match-expressions\":[{\"key\":\"zone\",\"operator\":\"DoesNotExist\"}]}],"
	  "\"node-selectors\":[{\"match-expressions\":[{\"key\":\"a\",\"operator\":\"In\","
	  "\"values\":[\"b\"]}]}],\"interfaces\":[\"eth0\"],\"service-selectors\":["
	  "{\"match-expressions\":[{\"key\":\"c\",\"operator\":\"In\",\"values\":[\"d\"]}]}],"
	  "\"preferred-node-selectors\":[{\"weight\":7,\"preference\":{\"match-expressions\":["
	  "{\"key\":\"e\",\"operator\":\"In\",\"values\":[\"f\"]}]}}]}" },
	{ "a BGP advertisement with defaults", BGP(""), "bgp-advertisements.0",
	  "{\"name\":\"a\",\"aggregation-length\":32,\"aggregation-length-v6\":128,"
	  "\"localpref\":\"none\",\"communities\":[],\"as-path-prepend\":0}" },
	{ "a BGP advertisement in full",
	  BGP(", address-pools: [p], aggregation-length: 24, communities: [1:2], med: 5, "
	      "large-communities: ['1:2:3'], as-path-prepend: 2, peers: [10.0.0.1]"),
	  "bgp-advertisements.0",
	  "{\"name\":\"a\",\"address-pools\":[\"p\"],\"aggregation-length\":24,"
	  "\"aggregation-length-v6\":128,\"localpref\":\"none\",\"communities\":[\"1:2\"],"
	  "\"as-path-prepend\":2,\"med\":5,\"large-communities\":[\"1:2:3\"],\"peers\":["
	  "\"10.0.0.1\"]}" },
	{ "a local preference of 0", BGP(", localpref: 0"), "bgp-advertisements.0.localpref", "0" },
	{ "no local preference of a pool's advertisement",
	  BGP_POOL(", bgp-advertisements: [{localpref: none}]"),
	  "address-pools.0.bgp-advertisements.0.localpref", "none" },
	{ "a pool that does not exist", L2(", address-pools: [p, q]"),
	  "l2-advertisements.0.address-pools.1", "q", "there is no pool 'q'" },
	{ "dynamic-asn", OWN(", dynamic-asn: external"), "peers.0.dynamic-asn", "external" },
	{ "local-asn", OWN(", peer-asn: 1, local-asn: 65000"), "peers.0.local-asn", "65000" },
	{ "vrf", OWN(", peer-asn: 1, vrf: red"), "peers.0.vrf", "red" },
	{ "connect-time", OWN(", peer-asn: 1, connect-time: 90s"), "peers.0.connect-time",
	  "1m30s" },
	{ "ttl", OWN(", peer-asn: 1, ttl: 3"), "peers.0.ttl", "3" },
};

static bool l2_covers(const struct cfg *c, const char *pool)
{
	return cfg_l2_adv_covers(&c->l2_advs[c->n_l2_advs - 2], cfg_pool_find(c, pool));
}

MEANS(only_p, l2_covers(c, "p") && !l2_covers(c, "q"))
MEANS(only_q, !l2_covers(c, "p") && l2_covers(c, "q"))
MEANS(not_sent, !c->bgp_advs[0].has_local_pref)
MEANS(sent_as_0, c->bgp_advs[0].has_local_pref && c->bgp_advs[0].local_pref == 0)

static const struct meaning meanings[] = {
	{ "all pools are those of protocol: none", TWO_POOLS "l2-advertisements: [{name: a}]\n",
	  only_p },
	{ "selectors see those of protocol: none",
	  TWO_POOLS "l2-advertisements: [{name: a, address-pool-selectors: [{match-labels: {zone: "
		    "a}}]}]\n",
	  only_p },
	{ "any pool can be named",
	  TWO_POOLS "l2-advertisements: [{name: a, address-pools: [q]}, {name: b}, {name: c, "
		    "address-pools: [q]}]\n",
	  only_q },
	{ "a standing advertisement sends no local preference by itself", BGP(""), not_sent },
	{ "unless it says 0", BGP(", localpref: 0"), sent_as_0 },
	{ "that of a pool sends 0, as v0.12 does", BGP_POOL(""), sent_as_0 },
	{ "unless it says none", BGP_POOL(", bgp-advertisements: [{localpref: none}]"), not_sent },
};

/* Documents that are printed and read again. */
struct sample {
	const char *name;
	const char *text;
};

static const struct sample samples[] = {
	{ "pools", R_LAN R_LAN6 R_L2("") },
	{ "labels and selectors",
	  R_LAN R_LAN6 R_L2(
		  "ipAddressPools: [lan6], ipAddressPoolSelectors: [{matchLabels: {zone: a}}]") },
	{ "names that nobody has", R_LAN R_L2("ipAddressPools: [nope, lan]") },
	{ "for no pool at all", R_LAN R_L2("ipAddressPools: [nope]") },
	{ "an AddressPool beside all pools",
	  R_LAN R_OLD_POOL("protocol: layer2, addresses: [10.7.0.0/24]") R_L2("") },
	{ "an AddressPool by BGP",
	  R_IBGP R_OLD_POOL("protocol: bgp, addresses: [10.7.0.0/24], bgpAdvertisements: "
			    "[{localPref: 7, aggregationLength: 24}, {}]") },
	{ "serviceAllocation",
	  R_POOL("p",
		 "addresses: [10.8.0.0/24], autoAssign: false, serviceAllocation: {priority: 3, "
		 "namespaces: [n], namespaceSelectors: [{}], serviceSelectors: "
		 "[{matchExpressions: [{key: a, operator: In, values: [b, c]}]}]}")
		  R_L2("nodeSelectors: [{}], serviceSelectors: [{}]") },
	{ "preferences and interfaces",
	  R_LAN R_L2("interfaces: [eth0], preferredNodeSelectors: [{weight: 9, preference: {}}, "
		     "{weight: 1, preference: {matchLabels: {a: b}}}]") },
	{ "everything of a BGPAdvertisement",
	  R_LAN R_LAN6 R_IBGP R_COMMUNITY("c", "{name: near, value: '1:2'}, {name: far, value: "
					       "'large:1:2:3'}")
		  R_BGP("one", "aggregationLength: 24, localPref: 50, communities: [near, far], "
			       "peers: [tor], ipAddressPools: [lan]")
			  R_BGP("two", "serviceSelectors: [{matchLabels: {a: b}}], ipAddressPools: "
				       "[lan6]") },
	{ "annotations",
	  R_LAN R_IBGP RESOURCE("v1beta1", "BGPAdvertisement",
				"a, annotations: {crier/med: '0', crier/as-path-prepend: '2', "
				"crier/localpref: '0', crier/large-communities: '[\"1:2:3\"]'}",
				"") },
	{ "peers",
	  R_PEER(", dynamicASN: external, ebgpMultiHop: true, localASN: 65000, vrf: red, "
		 "connectTime: 10s, dualStackAddressFamily: true, keepaliveTime: 5s")
		  R_PEER_OF("b", "myASN: 1, peerASN: 2, peerAddress: 'fe80::1%eth0', password: x, "
				 "nodeSelectors: [{matchLabels: {a: b}}]") },
	{ "BFD", R_BFD("receiveInterval: 50, passiveMode: true")
			 R_PEER(", peerASN: 1, bfdProfile: fast") },
	{ "ours beside theirs",
	  R_LAN R_L2("") "services: [{name: web, address-pool: lan}]\n---\n" POOL(
		  ", addresses: [10.9.0.0/24]") },
};

static void assert_same_pools(const struct cfg_pools *a, const struct cfg_pools *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->v[i]->name, b->v[i]->name);
}

static void assert_same_meaning(const struct cfg *a, const struct cfg *b)
{
	assert_true(a->hash == b->hash);
	assert_int_equal(a->n_l2_advs, b->n_l2_advs);
	for (size_t i = 0; i < a->n_l2_advs; i++)
		assert_same_pools(&a->l2_advs[i].pools, &b->l2_advs[i].pools);
	assert_int_equal(a->n_bgp_advs, b->n_bgp_advs);
	for (size_t i = 0; i < a->n_bgp_advs; i++) {
		assert_same_pools(&a->bgp_advs[i].pools, &b->bgp_advs[i].pools);
		assert_int_equal(a->bgp_advs[i].has_local_pref, b->bgp_advs[i].has_local_pref);
	}
	for (size_t i = 0; i < a->n_peers; i++) {
		assert_true(a->peers[i].keepalive.ns == b->peers[i].keepalive.ns);
		assert_int_equal(a->peers[i].ttl, b->peers[i].ttl);
	}
}

static void print_again(const struct cfg *c)
{
	json_t *first = cfg_to_json(c, true);
	char *text = json_dumps(first, JSON_INDENT(1));
	struct loaded again = load_good(text);
	json_t *second = cfg_to_json(again.c, true);

	if (!json_equal(first, second))
		fail_msg("printed again it is something else:\n%s", text);
	assert_same_meaning(c, again.c);
	json_decref(first);
	json_decref(second);
	free(text);
	loaded_fini(&again);
}

static void prints_and_loads(void **state)
{
	const struct sample *s = *state;
	struct loaded l = load_good(s->text);

	print_again(l.c);
	loaded_fini(&l);
}

static void seeds_print_and_load(void **state)
{
	(void)state;
	assert_true(each_loadable(TEST_SEEDS "/legacy", "host", print_again) > 2);
	assert_true(each_loadable(TEST_SEEDS "/resources", "host", print_again) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds_print_and_load) };

	return RUN_TABLE("refused", refused, refuses) + RUN_TABLE("accepted", accepted, accepts) +
	       RUN_TABLE("means", meanings, means) +
	       RUN_TABLE("fixed point", samples, prints_and_loads) +
	       cmocka_run_group_tests_name("seeds", tests, NULL, NULL);
}
