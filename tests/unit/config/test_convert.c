/* A configuration in the other format: what comes out word by word, and that nothing is lost on the
 * way there and back. */
#include "convert_test.h"
#include "resource_test.h"

struct written {
	const char *name;
	const char *text;
	size_t n; /* documents */
	size_t at;
	const char *doc; /* number @at, as compact JSON */
};

#define META(name)    "\"metadata\":{\"name\":\"" name "\",\"namespace\":\"metallb-system\"}"
#define V1BETA1(kind) "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"" kind "\","
#define V1BETA2(kind) "{\"apiVersion\":\"metallb.io/v1beta2\",\"kind\":\"" kind "\","

#define MANY                                                                                       \
	PEER(", keepalive-time: 10s, hold-time: 40s, node-selectors: [{match-labels: {rack: r1}, " \
	     "match-expressions: [{key: role, operator: NotIn, values: [storage]}]}, "             \
	     "{match-labels: {edge: true}}]")                                                      \
	"- {" PEER_BASE ", peer-port: 1179, router-id: 10.0.0.9, password: x, ebgp-multihop: "     \
	"true, bfd-profile: fast, source-address: 10.0.0.8}\n"                                     \
	"bgp-communities: {keep-local: 65535:65281, always: 1:2}\n"                                \
	"bfd-profiles: [{name: fast, receive-interval: 100, detect-multiplier: 5}]\n"              \
	"address-pools:\n"                                                                         \
	"- {name: My_Pool, protocol: bgp, addresses: [203.0.113.0/26, "                            \
	"203.0.113.128-203.0.113.159], avoid-buggy-ips: true, auto-assign: false, "                \
	"bgp-advertisements: [{aggregation-length: 32, localpref: 120, communities: [keep-local, " \
	"64512:77]}, {aggregation-length: 27}]}\n"                                                 \
	"- {name: plain, protocol: bgp, addresses: [10.8.0.0/24]}\n"                               \
	"- {name: lan, protocol: layer2, addresses: [10.9.0.0/24]}\n"

static const struct written as_resources[] = {
	{ "nothing", "", 0, 0, NULL },
	{ "a pool by Layer 2", LAN, 2, 0,
	  V1BETA1("IPAddressPool") META("lan") ",\"spec\":{\"addresses\":[\"10.5.0.0/24\"]}}" },
	{ "its advertisement", LAN, 2, 1,
	  V1BETA1("L2Advertisement") META("l2advertisement1") ",\"spec\":{\"ipAddressPools\":["
							      "\"lan\"]}}" },
	{ "a peer", MANY, 11, 0,
	  V1BETA2("BGPPeer") META("peer1") ",\"spec\":{\"myASN\":64512,\"peerASN\":64513,"
					   "\"peerAddress\":\"10.0.0.1\",\"holdTime\":\"40s\","
					   "\"keepaliveTime\":\"10s\","
					   "\"nodeSelectors\":[{\"matchLabels\":{\"rack\":\"r1\"},"
					   "\"matchExpressions\":[{\"key\":"
					   "\"role\",\"operator\":\"NotIn\",\"values\":["
					   "\"storage\"]}]},{\"matchLabels\":{\"edge\":"
					   "\"true\"}}]}}" },
	{ "a second peer", MANY, 11, 1,
	  V1BETA2("BGPPeer") META(
		  "peer2") ",\"spec\":{\"myASN\":64512,\"peerASN\":64513,"
			   "\"peerAddress\":\"10.0.0.1\",\"sourceAddress\":\"10.0.0.8\","
			   "\"peerPort\":1179,"
			   "\"holdTime\":\"1m30s\",\"routerID\":\"10.0.0.9\",\"password\":\"x\","
			   "\"bfdProfile\":\"fast\",\"ebgpMultiHop\":true}}" },
	{ "a pool whose name is none", MANY, 11, 2,
	  V1BETA1("IPAddressPool")
		  META("my-pool") ",\"spec\":{\"addresses\":[\"203.0.113.0/26\","
				  "\"203.0.113.128-203.0.113.159\"],\"autoAssign\":false,"
				  "\"avoidBuggyIPs\":true}}" },
	{ "an advertisement", MANY, 11, 5,
	  V1BETA1("BGPAdvertisement")
		  META("bgpadvertisement1") ",\"spec\":{\"localPref\":120,"
					    "\"communities\":[\"keep-local\",\"64512:77\"],"
					    "\"ipAddressPools\":[\"my-pool\"]}}" },
	{ "its second", MANY, 11, 6,
	  V1BETA1("BGPAdvertisement")
		  META("bgpadvertisement2") ",\"spec\":{\"aggregationLength\":"
					    "27,\"ipAddressPools\":[\"my-pool\"]}}" },
	{ "the one of a pool that asks for none", MANY, 11, 7,
	  V1BETA1("BGPAdvertisement") META("bgpadvertisement3") ",\"spec\":{\"ipAddressPools\":["
								"\"plain\"]}}" },
	{ "by Layer 2 after BGP", MANY, 11, 8,
	  V1BETA1("L2Advertisement") META("l2advertisement1") ",\"spec\":{\"ipAddressPools\":["
							      "\"lan\"]}}" },
	{ "a BFD profile", MANY, 11, 9,
	  V1BETA1("BFDProfile") META("fast") ",\"spec\":{\"receiveInterval\":100,"
					     "\"detectMultiplier\":5}}" },
	{ "communities, sorted", MANY, 11, 10,
	  V1BETA1("Community") META("communities") ",\"spec\":{\"communities\":[{\"name\":"
						   "\"always\",\"value\":\"1:2\"},{\"name\":\"keep-"
						   "local\",\"value\":\"65535:65281\"}]}}" },

	{ "the namespace of the ConfigMap",
	  "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: lb, name: config}, data: "
	  "{config: '"
	  "address-pools: [{name: lan, protocol: layer2, addresses: "
	  "[10.5.0.0/24]}]"
	  "'}}\n",
	  2, 1,
	  V1BETA1("L2Advertisement") "\"metadata\":{\"name\":\"l2advertisement1\",\"namespace\":"
				     "\"lb\"},\"spec\":{\"ipAddressPools\":[\"lan\"]}}" },
	{ "LOCAL_PREF 0 that a peer of our AS hears",
	  "peers: [{my-asn: 1, peer-asn: 1, peer-address: 10.0.0.1}]\n"
	  "address-pools: [{name: pp, protocol: bgp, addresses: [10.8.0.0/24]}]\n",
	  3, 2,
	  V1BETA1("BGPAdvertisement") "\"metadata\":{\"name\":\"bgpadvertisement1\",\"namespace\":"
				      "\"metallb-system\",\"annotations\":{\"crier/"
				      "localpref\":\"0\"}},\"spec\":{"
				      "\"ipAddressPools\":[\"pp\"]}}" },
	{ "fields of a peer that BGPPeer has not",
	  PEER(", name: tor, password-file: /k, ttl: 9, interface: eth0, peer-port: 20000, "
	       "connect-time: 5s, vrf: red, local-asn: 7, dual-stack: true"),
	  1, 0,
	  V1BETA2("BGPPeer") "\"metadata\":{\"name\":\"tor\",\"namespace\":\"metallb-system\","
			     "\"annotations\":{\"crier/peer-port\":\"20000\",\"crier/"
			     "password-file\":\"/k\","
			     "\"crier/interface\":\"eth0\",\"crier/"
			     "ttl\":\"9\"}},\"spec\":{\"myASN\":64512,\"peerASN\":"
			     "64513,\"localASN\":7,\"peerAddress\":\"10.0.0.1\",\"holdTime\":"
			     "\"1m30s\","
			     "\"connectTime\":\"5s\",\"vrf\":\"red\",\"dualStackAddressFamily\":"
			     "true}}" },
	{ "fields of an advertisement that BGPAdvertisement has not",
	  PEER("") "address-pools: [{name: pp, protocol: none, addresses: [10.8.0.0/24]}]\n"
		   "bgp-advertisements: [{name: a, med: 0, as-path-prepend: 2, large-communities: "
		   "['1:2:3'], peers: [10.0.0.1]}]\n",
	  3, 2,
	  V1BETA1("BGPAdvertisement") "\"metadata\":{\"name\":\"a\",\"namespace\":\"metallb-"
				      "system\","
				      "\"annotations\":{\"crier/as-path-prepend\":\"2\",\"crier/"
				      "med\":\"0\"}},\"spec\":{"
				      "\"communities\":[\"large:1:2:3\"],\"peers\":[\"peer1\"]}}" },
	{ "intervals that BFDProfile can't say",
	  "bfd-profiles: [{name: fast, receive-interval: 3.3ms, transmit-interval: 20}]\n", 1, 0,
	  V1BETA1("BFDProfile") "\"metadata\":{\"name\":\"fast\",\"namespace\":\"metallb-system\","
				"\"annotations\":{\"crier/"
				"receive-interval\":\"3.3ms\"}},\"spec\":{\"transmitInterval\":"
				"20}}" },
	{ "what no resource is for",
	  LAN "services: [{name: web, address-pool: lan}]\nlog: {level: warn}\n", 3, 2,
	  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"," META(
		  "config") ",\"data\":{\"config\":"
			    "\"{\\n \\\"log\\\": {\\n  \\\"level\\\": \\\"warn\\\"\\n },\\n "
			    "\\\"services\\\": [\\n  {\\n"
			    "   \\\"name\\\": \\\"web\\\",\\n   \\\"address-pool\\\": "
			    "\\\"lan\\\"\\n  }\\n ]\\n}\"}}" },
	{ "a Secret",
	  R_PEER(", peerASN: 1, passwordSecret: {name: s}")
		  R_SECRET("type: kubernetes.io/basic-auth, data: {password: aHVudGVyMg==}"),
	  2, 1,
	  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\",\"namespace\":"
	  "\"m\"},\"type\":\"kubernetes.io/"
	  "basic-auth\",\"stringData\":{\"password\":\"hunter2\"}}" },
	{ "an AddressPool beside an advertisement of all others",
	  R_LAN R_OLD_POOL("protocol: layer2, addresses: [10.7.0.0/24]") R_L2(""), 4, 3,
	  V1BETA1("L2Advertisement") "\"metadata\":{\"name\":\"l2\",\"namespace\":\"m\"},\"spec\":{"
				     "\"ipAddressPools\":[\"lan\"]}}" },
	{ "v1beta1 becomes v1beta2",
	  RESOURCE("v1beta1", "BGPPeer", "tor", "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1"), 1,
	  0,
	  V1BETA2("BGPPeer") "\"metadata\":{\"name\":\"tor\",\"namespace\":\"m\"},\"spec\":{"
			     "\"myASN\":"
			     "1,\"peerASN\":2,\"peerAddress\":\"10.0.0.1\",\"holdTime\":\"1m30s\"}"
			     "}" },
};

static void writes_resources(void **state)
{
	const struct written *w = *state;
	struct loaded l = load_nameless(w->text);
	struct converted d = { 0 };
	struct err e = { 0 };

	assert_int_equal(convert_resources(l.c, as_json, &d, &e), 0);
	assert_int_equal(d.n, w->n);
	if (w->doc) {
		char *doc = json_dumps(d.docs[w->at].value, JSON_COMPACT);

		assert_string_equal(doc, w->doc);
		free(doc);
	}
	converted_fini(&d);
	loaded_fini(&l);
}

static const struct written as_native[] = {
	{ "nothing", "", 1, 0, "{}" },
	{ "a legacy document stays what it is", LAN, 1, 0,
	  "{\"address-pools\":[{\"name\":\"lan\",\"protocol\":\"layer2\",\"addresses\":["
	  "\"10.5.0.0/24\"]}]}" },
	{ "resources", R_LAN R_EBGP R_L2("nodeSelectors: [{matchLabels: {a: b}}]"), 1, 0,
	  "{\"peers\":[{\"name\":\"tor\",\"my-asn\":64512,\"peer-asn\":64513,\"peer-address\":"
	  "\"10.0.0.1\",\"ttl\":1}],\"address-pools\":[{\"name\":\"lan\",\"protocol\":\"none\","
	  "\"addresses\":[\"10.5.0.0/24\"],\"labels\":{\"zone\":\"a\"}}],\"l2-advertisements\":[{"
	  "\"name\":\"l2\",\"node-selectors\":[{\"match-labels\":{\"a\":\"b\"}}]}]}" },
	{ "an AddressPool by BGP", R_EBGP R_OLD_POOL("protocol: bgp, addresses: [10.7.0.0/24]"), 1,
	  0,
	  "{\"peers\":[{\"name\":\"tor\",\"my-asn\":64512,\"peer-asn\":64513,\"peer-address\":"
	  "\"10.0.0.1\",\"ttl\":1}],\"address-pools\":[{\"name\":\"old\",\"protocol\":\"bgp\","
	  "\"addresses\":[\"10.7.0.0/24\"],\"bgp-advertisements\":[{\"localpref\":\"none\"}]}]}" },
	{ "names of communities",
	  R_LAN R_EBGP R_COMMUNITY("c", "{name: near, value: '1:2'}, {name: far, value: "
					"'large:1:2:3'}")
		  R_BGP("a", "communities: [far, near, '3:4']"),
	  1, 0,
	  "{\"bgp-communities\":{\"near\":\"1:2\"},\"peers\":[{\"name\":\"tor\",\"my-asn\":64512,"
	  "\"peer-asn\":64513,\"peer-address\":\"10.0.0.1\",\"ttl\":1}],\"address-pools\":[{"
	  "\"name\":"
	  "\"lan\",\"protocol\":\"none\",\"addresses\":[\"10.5.0.0/"
	  "24\"],\"labels\":{\"zone\":\"a\"}}]"
	  ",\"bgp-advertisements\":[{\"name\":\"a\",\"communities\":[\"near\",\"3:4\"],"
	  "\"large-communities\":[\"1:2:3\"]}]}" },
};

static void writes_native(void **state)
{
	const struct written *w = *state;
	struct loaded l = load_nameless(w->text);
	struct converted d;

	convert_native(l.c, &d);
	char *doc = json_dumps(d.docs[0].value, JSON_COMPACT);
	assert_int_equal(d.n, w->n);
	assert_string_equal(doc, w->doc);
	free(doc);
	converted_fini(&d);
	loaded_fini(&l);
}

struct unnameable {
	const char *name;
	const char *text;
	const char *says;
};

static const struct unnameable unnameables[] = {
	{ "two pools of one name",
	  "address-pools:\n- {name: a_b, protocol: layer2, addresses: [10.1.0.0/24]}\n"
	  "- {name: A-B, protocol: layer2, addresses: [10.2.0.0/24]}\n",
	  "would both be called 'a-b'" },
	{ "a pool of digits",
	  "address-pools: [{name: '12', protocol: layer2, addresses: "
	  "[10.1.0.0/24]}]\n",
	  "pool '12'" },
	{ "a pool of two words",
	  "address-pools: [{name: a b, protocol: layer2, addresses: "
	  "[10.1.0.0/24]}]\n",
	  "pool 'a b'" },
};

static void says_which_name(void **state)
{
	const struct unnameable *u = *state;
	struct loaded l = load_nameless(u->text);
	struct converted d = { 0 };
	struct err e = { 0 };

	assert_int_equal(convert_resources(l.c, as_json, &d, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, u->says));
	loaded_fini(&l);
}

/* What resources say is a fixed point: written again, and by way of our own format, it is the same. */
static void resources_stay(const struct cfg *c)
{
	char *first = to_resources(c);
	struct loaded once = load_nameless(first);
	char *second = to_resources(once.c);
	char *native = to_native(once.c);
	struct loaded back = load_nameless(native);
	char *third = to_resources(back.c);
	struct loaded last = load_nameless(third);

	assert_string_equal(first, second);
	assert_equal_documents(back.c, once.c, native);
	assert_int_equal(last.c->n_bgp_advs, once.c->n_bgp_advs);
	assert_int_equal(last.c->n_l2_advs, once.c->n_l2_advs);
	free(first);
	free(second);
	free(third);
	free(native);
	loaded_fini(&once);
	loaded_fini(&back);
	loaded_fini(&last);
}

struct sample {
	const char *name;
	const char *text;
};

static const struct sample samples[] = {
	{ "many", MANY },
	{ "services", LAN
	  "services: [{name: web, address-pool: lan, ports: [80/tcp], health-check: "
	  "{tcp: '127.0.0.1:80'}, node-selectors: [{match-labels: {a: b}}], preferred-nodes: {x: "
	  "3}}]\ncluster: {}\nnode: {name: n, labels: {a: b}}\n" },
	{ "sections",
	  "bgp: {router-id: 1.2.3.4}\nl2: {exclude-interfaces: ['^x']}\nhttp: {listen: "
	  "none}\ncontrol: {group: g}\nlog: {level: warn}\nkubernetes: {lb-class: a/b}\ncluster: "
	  "{join: [10.0.0.1]}\n" PEER("") },
	{ "everything of resources",
	  R_LAN R_LAN6 R_POOL("pinned",
			      "addresses: [10.8.0.0/24], autoAssign: false, avoidBuggyIPs: "
			      "true, serviceAllocation: {priority: 3, namespaces: [n], "
			      "namespaceSelectors: [{}], serviceSelectors: [{matchExpressions: "
			      "[{key: a, operator: In, values: [b, c]}]}]}")
		  R_L2("ipAddressPoolSelectors: [{matchLabels: {zone: a}}], ipAddressPools: [lan6, "
		       "nope], "
		       "interfaces: [eth0], nodeSelectors: [{matchLabels: {a: b}}, "
		       "{matchExpressions: [{key: "
		       "x, operator: Exists}]}], serviceSelectors: [{}], preferredNodeSelectors: "
		       "[{weight: "
		       "9, preference: {matchLabels: {a: b}}}]")
			  R_PEER(", dynamicASN: external, ebgpMultiHop: true, localASN: 65000, "
				 "vrf: red, connectTime: "
				 "10s, dualStackAddressFamily: true, keepaliveTime: 5s")
				  R_PEER_OF("b", "myASN: 1, peerASN: 1, peerAddress: 10.0.0.2, "
						 "password: x")
					  R_BGP("one", "aggregationLength: 24, localPref: 50, "
						       "communities: ['large:1:2:3', '1:2'], "
						       "peers: [tor], ipAddressPools: [lan]")
						  R_BGP("two", "serviceSelectors: [{matchLabels: "
							       "{a: b}}], "
							       "ipAddressPools: [lan6]") },
	{ "an AddressPool by BGP",
	  R_PEER(", peerASN: 64512")
		  R_OLD_POOL("protocol: bgp, addresses: [10.7.0.0/24], "
			     "bgpAdvertisements: [{localPref: 7, aggregationLength: 24}, {}]")
			  R_LAN R_L2("") },
	{ "our own beside resources",
	  R_LAN R_L2(
		  "") "address-pools: [{name: q, protocol: layer2, addresses: [10.9.0.0/24]}]\n" },
	{ "a community twice, by its own name and by its resource's",
	  R_LAN R_EBGP R_COMMUNITY("c", "{name: near, value: '1:2'}, {name: far, value: "
					"'large:1:2:3'}")
		  R_BGP("a", "communities: [near, c, no-export, '65535:65281']") },
	{ "networks", PEER("") "bgp-communities: {near: '1:2'}\nnetworks: [{prefix: "
			       "198.51.100.0/24, peers: [10.0.0.1], communities: [near, '3:4']}, "
			       "{prefix: 'fd00::/48', localpref: 0}]\n" },
	{ "a TTL of one for a peer far away",
	  PEER(", ttl: 1, ebgp-multihop: true") "- {" PEER_BASE ", ttl: 1, name: b}\n" },
	{ "BFD in full",
	  "bfd-profiles: [{name: f, receive-interval: 3.3ms, demand-mode: true, hold-down: 5s, "
	  "authentication: {type: keyed-sha1, keys: [{id: 3, secret: 'a: b'}]}}]\n" PEER(
		  ", bfd-profile: f, bfd-strict: true") },
};

static void goes_there_and_stays(const struct cfg *c)
{
	native_is_the_same(c);
	resources_stay(c);
}

static void goes_there_and_back(void **state)
{
	const struct sample *s = *state;
	struct loaded l = load_nameless(s->text);

	goes_there_and_stays(l.c);
	loaded_fini(&l);
}

static void seeds_go_there_and_back(void **state)
{
	(void)state;
	assert_true(each_loadable(TEST_SEEDS "/legacy", "", goes_there_and_stays) > 2);
	assert_true(each_loadable(TEST_SEEDS "/resources", "", goes_there_and_stays) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds_go_there_and_back) };

	return RUN_TABLE("resources", as_resources, writes_resources) +
	       RUN_TABLE("native", as_native, writes_native) +
	       RUN_TABLE("names", unnameables, says_which_name) +
	       RUN_TABLE("there and back", samples, goes_there_and_back) +
	       cmocka_run_group_tests_name("seeds", tests, NULL, NULL);
}
