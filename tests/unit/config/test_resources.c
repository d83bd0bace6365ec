/* Custom resources: the envelope, pools and advertisements. Each rule by its name. */
#include "resource_test.h"

#define POOLS_TWICE "ipAddressPools: [lan, lan]"
#define PAIR(a, b)  R_LAN R_IBGP R_BGP("a", a) R_BGP("b", b)

static const struct refusal refused[] = {
	/* metadata */
	{ "no metadata", "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement}\n", "",
	  "metadata is missing" },
	{ "no name", "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {}}\n",
	  "metadata", "name is missing" },
	{ "a name that Kubernetes refuses", R_POOL("Lan_1", "addresses: [10.0.0.0/24]"),
	  "metadata.name", "'Lan_1' is no name" },
	{ "a name with the mark of a footnote", R_POOL("lan 1", "addresses: [10.0.0.0/24]"),
	  "metadata.name", "'lan 1'", "did you mean 'lan'?" },
	{ "an unknown key beside spec",
	  "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: a}, sepc: "
	  "{}}\n",
	  "sepc", "no key 'sepc'", "'spec'" },
	{ "an unknown key of metadata", R_POOL("lan, label: {}", "addresses: [10.0.0.0/24]"),
	  "metadata.label", "no key 'label'", "'labels'" },
	{ "two namespaces",
	  R_LAN "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: a, "
		"namespace: other}}\n",
	  "metadata.namespace", "in namespace 'other', and the configuration in 'm'" },
	{ "two objects of a kind and name", R_LAN R_LAN, "metadata.name", "a second pool 'lan'" },
	{ "one name in both formats",
	  R_LAN "address-pools: [{name: lan, protocol: layer2, addresses: [10.6.0.0/24]}]\n",
	  "address-pools[0].name", "a second pool 'lan'" },
	{ "the message names the object", R_POOL("lan", "addresses: [x]"), "spec.addresses[0]",
	  "IPAddressPool lan: 'x'" },
	{ "an object in a List",
	  "apiVersion: v1\nkind: List\nitems:\n- apiVersion: metallb.io/v1beta1\n  kind: "
	  "IPAddressPool\n  metadata: {name: lan}\n  spec: {addresses: [x]}\n",
	  "items[0].spec.addresses[0]",
	  "IPAddressPool lan: 'x'",
	  NULL,
	  { 7, 22 } },
	{ "an object in a list of its kind",
	  "apiVersion: metallb.io/v1beta1\nkind: IPAddressPoolList\nitems:\n- metadata: {name: "
	  "lan}\n  spec: {addresses: [x]}\n",
	  "items[0].spec.addresses[0]", "IPAddressPool lan: 'x'" },

	/* annotations */
	{ "an annotation of ours that there is not", R_BGP("a, annotations: {crier/mde: '1'}", ""),
	  "metadata.annotations.crier/mde", "no field 'mde' of crier's own", "'med'" },
	{ "an annotation on a kind without own fields",
	  R_POOL("a, annotations: {crier/x: '1'}", "addresses: [10.0.0.0/24]"),
	  "metadata.annotations.crier/x", "IPAddressPool has no field 'x'" },
	{ "an annotation of a wrong type", R_BGP("a, annotations: {crier/med: x}", ""),
	  "metadata.annotations.crier/med", "a number is wanted" },
	{ "an annotation that is no text", R_BGP("a, annotations: {crier/med: [1]}", ""),
	  "metadata.annotations.crier/med", "an annotation is text" },
	{ "an annotation that is no YAML", R_BGP("a, annotations: {crier/med: '[1'}", ""), "", "" },

	/* IPAddressPool */
	{ "no spec", "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: a}}\n",
	  "spec", "addresses is missing" },
	{ "a key twice",
	  "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\nspec:\n"
	  "  autoAssign: true\n  autoAssign: false\n",
	  "",
	  "autoAssign",
	  NULL,
	  { 6, 3 } },
	{ "no addresses", R_POOL("a", ""), "spec", "addresses is missing" },
	{ "an empty list of addresses", R_POOL("a", "addresses: []"), "spec.addresses",
	  "without addresses" },
	{ "a single address", R_POOL("a", "addresses: [10.0.0.1]"), "spec.addresses[0]",
	  "needs its mask", "10.0.0.1/32" },
	{ "a range that starts after its end", R_POOL("a", "addresses: [10.0.0.9-10.0.0.3]"),
	  "spec.addresses[0]", "starts after its end", "swap" },
	{ "a range of both families", R_POOL("a", "addresses: ['10.0.0.1-fd00::1']"),
	  "spec.addresses[0]", "starts in one address family" },
	{ "overlap with another pool", R_LAN R_POOL("b", "addresses: [10.5.0.9-10.5.0.12]"),
	  "spec.addresses[0]", "overlaps '10.5.0.0/24' of pool 'lan'" },
	{ "overlap with a legacy pool",
	  R_LAN "address-pools: [{name: b, protocol: layer2, addresses: [10.5.0.0/30]}]\n",
	  "address-pools[0].addresses[0]", "overlaps '10.5.0.0/24' of pool 'lan'" },
	{ "the legacy spelling of a key", R_POOL("a", "addresses: [10.0.0.0/24], auto-assign: no"),
	  "spec.auto-assign", "no key 'auto-assign'", "'autoAssign'" },
	{ "a negative priority",
	  R_POOL("a", "addresses: [10.0.0.0/24], serviceAllocation: {priority: -1}"),
	  "spec.serviceAllocation.priority", "out of range" },
	{ "a namespace twice",
	  R_POOL("a", "addresses: [10.0.0.0/24], serviceAllocation: {namespaces: [a, b, a]}"),
	  "spec.serviceAllocation.namespaces[2]", "'a' is given twice" },

	/* selectors */
	{ "a selector twice",
	  R_L2("nodeSelectors: [{matchLabels: {a: b}}, {}, {matchLabels: {a: b}}]"),
	  "spec.nodeSelectors[2]", "selector is given twice" },
	{ "an expression twice",
	  R_L2("nodeSelectors: [{matchExpressions: [{key: a, operator: Exists}, {key: a, operator: "
	       "Exists}]}]"),
	  "spec.nodeSelectors[0]", "condition is given twice" },
	{ "a value twice",
	  R_L2("nodeSelectors: [{matchExpressions: [{key: a, operator: In, values: [b, b]}]}]"),
	  "spec.nodeSelectors[0].matchExpressions[0].values", "value is given twice" },
	{ "In without values",
	  R_L2("nodeSelectors: [{matchExpressions: [{key: a, operator: In}]}]"),
	  "spec.nodeSelectors[0].matchExpressions[0]", "" },
	{ "the legacy spelling of a selector", R_L2("nodeSelectors: [{match-labels: {a: b}}]"),
	  "spec.nodeSelectors[0].match-labels", "no key", "'matchLabels'" },
	{ "the native annotation's list where an object is wanted",
	  R_L2("nodeSelectors: {matchLabels: {a: b}}"), "spec.nodeSelectors", "a list is wanted" },

	/* L2Advertisement */
	{ "L2: a pool twice", R_LAN R_L2(POOLS_TWICE), "spec.ipAddressPools[1]",
	  "'lan' is given twice" },
	{ "a preference without weight", R_L2("preferredNodeSelectors: [{preference: {}}]"),
	  "spec.preferredNodeSelectors[0]", "weight is missing" },
	{ "a preference without preference", R_L2("preferredNodeSelectors: [{weight: 1}]"),
	  "spec.preferredNodeSelectors[0]", "preference is missing" },
	{ "a weight of zero", R_L2("preferredNodeSelectors: [{weight: 0, preference: {}}]"),
	  "spec.preferredNodeSelectors[0].weight", "out of range", "1 to 100" },
	{ "a weight above 100", R_L2("preferredNodeSelectors: [{weight: 101, preference: {}}]"),
	  "spec.preferredNodeSelectors[0].weight", "out of range" },
	{ "an interface that cannot be", R_L2("interfaces: ['a b']"), "spec.interfaces[0]",
	  "not a link's name" },
	{ "a pool with the mark of a footnote", R_LAN R_L2("ipAddressPools: [lan 1]"),
	  "spec.ipAddressPools[0]", "no pool 'lan 1'", "'lan'" },

	/* BGPAdvertisement */
	{ "BGP: a pool twice", R_LAN R_BGP("a", POOLS_TWICE), "spec.ipAddressPools[1]",
	  "'lan' is given twice" },
	{ "a peer twice", R_EBGP R_BGP("a", "peers: [tor, tor]"), "spec.peers[1]",
	  "'tor' is given twice" },
	{ "a peer with the mark of a footnote", R_EBGP R_BGP("a", "peers: [tor 1]"),
	  "spec.peers[0]", "no peer 'tor 1'", "'tor'" },
	{ "a community twice", R_BGP("a", "communities: ['1:1', '1:1']"), "spec.communities[1]",
	  "'1:1' is given twice" },
	{ "a community that nobody defines", R_BGP("a", "communities: [x]"), "spec.communities[0]",
	  "'x' is not a community" },
	{ "a community that is nearly an alias",
	  R_COMMUNITY("c", "{name: customers, value: '1:1'}") R_BGP("a", "communities: [custmers]"),
	  "spec.communities[0]", "'custmers' is not", "'customers'" },
	{ "a large community without its word", R_BGP("a", "communities: ['1:2:3']"),
	  "spec.communities[0]", "'1:2:3' is not", "large:1:2:3" },
	{ "a number of a community above 65535", R_BGP("a", "communities: ['1:65536']"),
	  "spec.communities[0]", "is not a community" },
	{ "aggregation of zero", R_BGP("a", "aggregationLength: 0"), "spec.aggregationLength",
	  "out of range" },
	{ "aggregation above 32", R_BGP("a", "aggregationLength: 33"), "spec.aggregationLength",
	  "out of range" },
	{ "IPv6 aggregation above 128", R_BGP("a", "aggregationLengthV6: 129"),
	  "spec.aggregationLengthV6", "out of range" },
	{ "aggregation wider than a pool by name",
	  R_LAN R_BGP("a", "aggregationLength: 23, ipAddressPools: [lan]"),
	  "spec.aggregationLength", "23 is wider than '10.5.0.0/24'", "24 to 32" },
	{ "aggregation wider than one of all pools", R_LAN R_BGP("a", "aggregationLength: 23"),
	  "spec.aggregationLength", "23 is wider than '10.5.0.0/24'" },
	{ "aggregation wider than a pool by selector",
	  R_LAN R_BGP("a", "aggregationLength: 23, ipAddressPoolSelectors: [{matchLabels: {zone: "
			   "a}}]"),
	  "spec.aggregationLength", "23 is wider than '10.5.0.0/24'" },
	{ "aggregation wider than an IPv6 pool", R_LAN6 R_BGP("a", "aggregationLengthV6: 119"),
	  "spec.aggregationLengthV6", "119 is wider than 'fd00::/120'" },
	{ "service selectors with aggregation",
	  R_BGP("a", "aggregationLength: 31, serviceSelectors: [{}]"), "spec.serviceSelectors",
	  "for some services only" },
	{ "service selectors with IPv6 aggregation",
	  R_BGP("a", "aggregationLengthV6: 127, serviceSelectors: [{}]"), "spec.serviceSelectors",
	  "for some services only" },

	/* Local preference: the conflict rule. */
	{ "two local preferences", PAIR("localPref: 100", "localPref: 200"), "spec.localPref",
	  "different local preferences, 100 and 200", "nodeSelectors" },
	{ "a local preference and none", PAIR("localPref: 100", ""), "spec",
	  "different local preferences" },
	{ "two local preferences, by name and by selector",
	  PAIR("localPref: 1, ipAddressPools: [lan]",
	       "localPref: 2, ipAddressPoolSelectors: [{matchLabels: {zone: a}}]"),
	  "spec.localPref", "different local preferences" },
	{ "two local preferences, and another length of the family that the pool has not",
	  PAIR("localPref: 1", "localPref: 2, aggregationLengthV6: 64"), "spec.localPref",
	  "different local preferences" },
	{ "two local preferences on a pool of both families, one length differs",
	  R_POOL("both", "addresses: [10.5.0.0/24, 'fd00::/120']") R_IBGP R_BGP("a", "localPref: 1")
		  R_BGP("b", "localPref: 2, aggregationLength: 24"),
	  "spec.localPref", "different local preferences" },
	{ "two local preferences, one list of peers",
	  PAIR("localPref: 1, peers: [tor]", "localPref: 2"), "spec.localPref",
	  "different local preferences" },
	{ "two local preferences, lists of peers that meet",
	  PAIR("localPref: 1, peers: [tor, x]", "localPref: 2, peers: [y, tor]"), "spec.localPref",
	  "different local preferences" },
	{ "two local preferences, equal nodes",
	  PAIR("localPref: 1, nodeSelectors: [{matchLabels: {a: b}}]",
	       "localPref: 2, nodeSelectors: [{matchLabels: {a: b}}]"),
	  "spec.localPref", "different local preferences" },
	{ "two local preferences, all nodes and some",
	  PAIR("localPref: 1, nodeSelectors: [{matchLabels: {a: b}}]", "localPref: 2"),
	  "spec.localPref", "different local preferences" },

	/* Community */
	{ "a community without value", R_COMMUNITY("c", "{name: a}"), "spec.communities[0]",
	  "value is missing" },
	{ "a community of three numbers", R_COMMUNITY("c", "{name: a, value: '1:2:3'}"),
	  "spec.communities[0].value", "'1:2:3' is not a community", "large:1:2:3" },
	{ "a community of words", R_COMMUNITY("c", "{name: a, value: b}"),
	  "spec.communities[0].value", "'b' is not a community", "64512:77" },
	{ "an alias twice", R_COMMUNITY("c", "{name: a, value: '1:1'}, {name: a, value: '1:1'}"),
	  "spec.communities[1].name", "'a' is named twice" },
	{ "an alias in two resources",
	  R_COMMUNITY("c", "{name: a, value: '1:1'}") R_COMMUNITY("d", "{name: a, value: '1:1'}"),
	  "spec.communities[0].name", "'a' is named twice" },
	{ "an alias in both formats",
	  "bgp-communities: {a: '1:1'}\n---\n" R_COMMUNITY("c", "{name: a, value: '1:1'}"),
	  "spec.communities[0].name", "'a' is named twice" },

	/* AddressPool */
	{ "AddressPool without protocol", R_OLD_POOL("addresses: [10.0.0.0/24]"), "spec",
	  "protocol is missing" },
	{ "AddressPool of another protocol", R_OLD_POOL("protocol: arp, addresses: [10.0.0.0/24]"),
	  "spec.protocol", "'arp' is not known" },
	{ "AddressPool: advertisements by Layer 2",
	  R_OLD_POOL("protocol: layer2, addresses: [10.0.0.0/24], bgpAdvertisements: [{}]"),
	  "spec.bgpAdvertisements", "on a layer2 pool" },
	{ "AddressPool: an advertisement twice",
	  R_OLD_POOL("protocol: bgp, addresses: [10.0.0.0/24], bgpAdvertisements: [{localPref: 1}, "
		     "{localPref: 1}]"),
	  "spec.bgpAdvertisements[1]", "the same as the one before" },
	{ "AddressPool: two local preferences",
	  R_IBGP R_OLD_POOL("protocol: bgp, addresses: [10.0.0.0/24], bgpAdvertisements: "
			    "[{localPref: 1}, {localPref: 2}]"),
	  "spec.bgpAdvertisements[1].localPref", "different local preferences" },
	{ "AddressPool: aggregation",
	  R_OLD_POOL("protocol: bgp, addresses: [10.0.0.0/24], bgpAdvertisements: "
		     "[{aggregationLength: 23}]"),
	  "spec.bgpAdvertisements[0].aggregationLength", "23 is wider" },
	{ "a pool with the placeholder of a manual", R_POOL("a", "addresses: [<cidr>]"),
	  "spec.addresses[0]", "replace this placeholder" },
};

/* The advertisement of this name. */
static const struct cfg_bgp_adv *bgp(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->n_bgp_advs; i++)
		if (strcmp(c->bgp_advs[i].name, name) == 0)
			return &c->bgp_advs[i];
	fail_msg("no advertisement %s", name);
	return NULL;
}

static const struct cfg_l2_adv *l2(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->n_l2_advs; i++)
		if (strcmp(c->l2_advs[i].name, name) == 0)
			return &c->l2_advs[i];
	fail_msg("no advertisement %s", name);
	return NULL;
}

/* The names of pools, as "a b". */
static bool pools_are(const struct cfg_pools *pools, const char *wanted)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < pools->n; i++)
		buf_printf(&b, "%s%s", i ? " " : "", pools->v[i]->name);
	bool same = strcmp(buf_text(&b), wanted) == 0;
	buf_fini(&b);
	return same;
}

#define P0(c) (&(c)->pools[0])

MEANS(pool_defaults, P0(c)->auto_assign && !P0(c)->avoid_buggy_ips && !P0(c)->reserved &&
			     P0(c)->format == CFG_RESOURCE && strcmp(P0(c)->name, "lan") == 0)
MEANS(pool_labels, P0(c)->labels.n == 1 && strcmp(labels_get(&P0(c)->labels, "zone"), "a") == 0)
MEANS(pool_flags, !P0(c)->auto_assign && P0(c)->avoid_buggy_ips)
MEANS(pool_blocks, P0(c)->n_addresses == 3 && P0(c)->addresses[1].n == 2)
MEANS(pool_reserved, P0(c)->reserved->priority == 7 && P0(c)->reserved->namespaces.n == 2 &&
			     P0(c)->reserved->namespace_selectors.n == 1 &&
			     P0(c)->reserved->service_selectors.n == 2)
MEANS(pool_reserved_empty, P0(c)->reserved &&P0(c)->reserved->priority == 0)
MEANS(pool_selects_everything, P0(c)->reserved->namespace_selectors.n == 1 &&
				       P0(c)->reserved->namespace_selectors.v[0].n == 0)
MEANS(l2_all, pools_are(&l2(c, "l2")->pools, "lan lan6") && !l2(c, "l2")->outside_pools)
MEANS(l2_named, pools_are(&l2(c, "l2")->pools, "lan6"))
MEANS(l2_selected, pools_are(&l2(c, "l2")->pools, "lan"))
MEANS(l2_union, pools_are(&l2(c, "l2")->pools, "lan6 lan"))
MEANS(l2_legacy, pools_are(&l2(c, "l2")->pools, "lan") && pools_are(&l2(c, "p")->pools, "p"))
MEANS(l2_legacy_named, pools_are(&l2(c, "l2")->pools, "p"))
MEANS(l2_fields, l2(c, "l2")->node_selectors.n == 1 && l2(c, "l2")->interfaces.n == 2 &&
			 l2(c, "l2")->service_selectors.n == 1)
MEANS(l2_preferred, l2(c, "l2")->n_preferred == 2 && l2(c, "l2")->preferred[1].weight == 100 &&
			    l2(c, "l2")->preferred[0].nodes.n == 1 &&
			    l2(c, "l2")->preferred[1].nodes.n == 0)
MEANS(bgp_defaults, bgp(c, "a")->aggregation_v4 == 32 && bgp(c, "a")->aggregation_v6 == 128 &&
			    !bgp(c, "a")->has_local_pref && !bgp(c, "a")->has_med &&
			    pools_are(&bgp(c, "a")->pools, "lan"))
MEANS(bgp_pref, bgp(c, "a")->has_local_pref &&bgp(c, "a")->local_pref == 4294967295)
MEANS(bgp_no_pref, !bgp(c, "a")->has_local_pref)
MEANS(bgp_own, bgp(c, "a")->has_med &&bgp(c, "a")->med == 50 && bgp(c, "a")->as_path_prepend == 2 &&
		       bgp(c, "a")->n_large_communities == 2)
MEANS(bgp_communities, bgp(c, "a")->n_communities == 2 &&
			       bgp(c, "a")->communities[0] == (1u << 16 | 5) &&
			       bgp(c, "a")->communities[1] == (64512u << 16 | 77))
MEANS(bgp_large, bgp(c, "a")->n_large_communities == 2 && !bgp(c, "a")->n_communities &&
			 bgp(c, "a")->large_communities[1].local2 == 9)
MEANS(bgp_aggregated, bgp(c, "a")->aggregation_v4 == 24 && bgp(c, "a")->aggregation_v6 == 120)
MEANS(bgp_two, c->n_bgp_advs == 3)
MEANS(old_layer2, pools_are(&l2(c, "old")->pools, "old") && c->n_bgp_advs == 1)
MEANS(old_default, !bgp(c, "old")->has_local_pref && pools_are(&bgp(c, "old")->pools, "old"))
MEANS(old_two, bgp(c, "old")->local_pref == 7 && bgp(c, "old/2")->aggregation_v4 == 26)

static const struct meaning meanings[] = {
	{ "IPAddressPool: defaults", R_LAN R_L2(""), pool_defaults },
	{ "labels of a pool", R_LAN R_L2(""), pool_labels },
	{ "autoAssign and avoidBuggyIPs",
	  R_POOL("a", "addresses: [10.0.0.0/24], autoAssign: false, avoidBuggyIPs: true") R_L2(""),
	  pool_flags },
	{ "prefixes, ranges and both families",
	  R_POOL("a", "addresses: [10.0.0.7/24, 10.1.0.1 - 10.1.0.3, 'fd00::/64']") R_L2(""),
	  pool_blocks },
	{ "serviceAllocation",
	  R_POOL("a", "addresses: [10.0.0.0/24], serviceAllocation: {priority: 7, namespaces: [x, "
		      "y], namespaceSelectors: [{matchLabels: {a: b}}], serviceSelectors: [{}, "
		      "{matchExpressions: [{key: a, operator: In, values: [b, c]}]}]}") R_L2(""),
	  pool_reserved },
	{ "an empty serviceAllocation",
	  R_POOL("a", "addresses: [10.0.0.0/24], serviceAllocation: {}") R_L2(""),
	  pool_reserved_empty },
	{ "a selector of every namespace stays one",
	  R_POOL("a", "addresses: [10.0.0.0/24], serviceAllocation: {namespaceSelectors: [{}]}")
		  R_L2(""),
	  pool_selects_everything },
	{ "status is left alone",
	  "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: lan, uid: x, "
	  "creationTimestamp: 2024-01-01T00:00:00Z, resourceVersion: '7', annotations: {a/b: c}}, "
	  "spec: {addresses: [10.5.0.0/24]}, status: {assignedIPv4: 1}}\n---\n" R_L2(""),
	  pool_defaults },
	{ "a List",
	  "{apiVersion: v1, kind: List, metadata: {resourceVersion: ''}, items: "
	  "[{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: lan}, spec: "
	  "{addresses: [10.5.0.0/24]}}, {apiVersion: metallb.io/v1beta1, kind: L2Advertisement, "
	  "metadata: {name: l2}}]}\n",
	  pool_defaults },
	{ "an anchor and a merge key",
	  "apiVersion: v1\nkind: List\nitems:\n"
	  "- {apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: lan}, spec: &s "
	  "{addresses: [10.5.0.0/24]}}\n"
	  "- {apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: b}, spec: {<<: "
	  "*s, addresses: [10.6.0.0/24], autoAssign: false}}\n---\n" R_L2(""),
	  pool_defaults },
	{ "L2Advertisement without spec is for all pools",
	  R_LAN R_LAN6 "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: "
		       "l2}}\n",
	  l2_all },
	{ "L2Advertisement of named pools", R_LAN6 R_L2("ipAddressPools: [lan6]"), l2_named },
	{ "L2Advertisement by selector",
	  R_LAN R_L2("ipAddressPoolSelectors: [{matchLabels: {zone: a}}]"), l2_selected },
	{ "names and selectors are one set, and a pool is in it once",
	  R_LAN R_LAN6 R_L2("ipAddressPools: [lan6, lan], ipAddressPoolSelectors: [{}]"),
	  l2_union },
	{ "all pools are those of resources",
	  R_LAN POOL(", addresses: [10.9.0.0/24]") "---\n" R_L2(""), l2_legacy },
	{ "a legacy pool by its name",
	  POOL(", addresses: [10.9.0.0/24]") "---\n" R_L2("ipAddressPools: [p]"), l2_legacy_named },
	{ "nodes, interfaces and services",
	  R_LAN R_L2("nodeSelectors: [{matchLabels: {a: b}}], interfaces: [eth0, br0.7], "
		     "serviceSelectors: [{matchLabels: {c: d}}]"),
	  l2_fields },
	{ "preferred nodes",
	  R_LAN R_L2("preferredNodeSelectors: [{weight: 1, preference: {matchLabels: {a: b}}}, "
		     "{weight: 100, preference: {}}]"),
	  l2_preferred },
	{ "BGPAdvertisement: defaults", R_LAN R_IBGP R_BGP("a", ""), bgp_defaults },
	{ "localPref", R_LAN R_IBGP R_BGP("a", "localPref: 4294967295"), bgp_pref },
	{ "localPref 0 is none", R_LAN R_IBGP R_BGP("a", "localPref: 0"), bgp_no_pref },
	{ "fields of our own by annotation",
	  R_LAN R_IBGP R_BGP("a, annotations: {crier/med: '50', crier/as-path-prepend: 2, "
			     "crier/large-communities: '[\"1:2:3\", \"1:2:4\"]', x/y: z}",
			     ""),
	  bgp_own },
	{ "communities by number and by alias",
	  R_LAN R_IBGP R_COMMUNITY("c", "{name: customers, value: '64512:77'}")
		  R_BGP("a", "communities: [customers, '1:5', '64512:77']"),
	  bgp_communities },
	{ "an alias of a legacy document",
	  R_LAN R_IBGP "bgp-communities: {customers: '64512:77'}\n---\n" R_BGP(
		  "a", "communities: [customers, '1:5']"),
	  bgp_communities },
	{ "large communities by number and by alias",
	  R_LAN R_IBGP R_COMMUNITY("c", "{name: customers, value: 'large:7:8:9'}")
		  R_BGP("a", "communities: [customers, 'large:1:2:3', 'large:7:8:9']"),
	  bgp_large },
	{ "aggregation down to the pool",
	  R_POOL("both", "addresses: [10.5.0.0/24, 'fd00::/120']")
		  R_PEER(", peerASN: 64512, dualStackAddressFamily: true")
			  R_BGP("a", "aggregationLength: 24, aggregationLengthV6: 120"),
	  bgp_aggregated },
	{ "local preferences for other lengths",
	  PAIR("localPref: 1", "localPref: 2, aggregationLength: 24"), bgp_two },
	{ "local preferences for other lengths of IPv6",
	  R_LAN6 R_PEER(", peerASN: 64512, dualStackAddressFamily: true") R_BGP("a", "localPref: 1")
		  R_BGP("b", "localPref: 2, aggregationLengthV6: 120"),
	  bgp_two },
	{ "local preferences for other peers",
	  R_LAN R_IBGP R_PEER_OF("tor2", "myASN: 1, peerASN: 1, peerAddress: 10.0.0.2") R_BGP(
		  "a", "localPref: 1, peers: [tor]") R_BGP("b", "localPref: 2, peers: [tor2]"),
	  bgp_two },
	{ "local preferences for other nodes: the plan knows them",
	  PAIR("localPref: 1, nodeSelectors: [{matchLabels: {a: b}}]",
	       "localPref: 2, nodeSelectors: [{matchLabels: {a: c}}]"),
	  bgp_two },
	{ "local preferences for some services: the plan knows them",
	  PAIR("localPref: 1, serviceSelectors: [{}]", "localPref: 2"), bgp_two },
	{ "local preferences for other pools",
	  R_LAN R_POOL("b", "addresses: [10.6.0.0/24]")
		  R_IBGP R_BGP("a", "localPref: 1, ipAddressPools: [lan]")
			  R_BGP("b", "localPref: 2, ipAddressPools: [b]"),
	  bgp_two },
	{ "equal local preferences", PAIR("localPref: 1", "localPref: 1"), bgp_two },
	{ "AddressPool by Layer 2", R_OLD_POOL("protocol: layer2, addresses: [10.0.0.0/24]"),
	  old_layer2 },
	{ "AddressPool by BGP", R_IBGP R_OLD_POOL("protocol: bgp, addresses: [10.0.0.0/24]"),
	  old_default },
	{ "AddressPool of v1beta2 with advertisements",
	  R_IBGP RESOURCE(
		  "v1beta2", "AddressPool", "old",
		  "protocol: bgp, addresses: [10.0.0.0/24], bgpAdvertisements: [{localPref: "
		  "7}, {aggregationLength: 26}]"),
	  old_two },
};

static const struct slip slips[] = {
	{ "a pool that nobody defines", R_LAN R_L2("ipAddressPools: [lan, lann]"),
	  "spec.ipAddressPools[1]", "no pool 'lann'", "'lan'" },
	{ "a selector that selects no pool",
	  R_LAN R_L2("ipAddressPools: [lan], ipAddressPoolSelectors: [{matchLabels: {zone: b}}]"),
	  "spec.ipAddressPoolSelectors", "no pool has such labels" },
	{ "a peer that nobody defines", R_LAN R_EBGP R_BGP("a", "peers: [tor, torr]"),
	  "spec.peers[1]", "no peer 'torr'", "'tor'" },
	{ "no peer at all", R_LAN R_BGP("a", ""), "metadata.name", "nobody hears" },
	{ "a pool that nothing announces", R_LAN, "metadata.name", "nothing announces it",
	  "L2Advertisement" },
	{ "a pool that only others are announced beside",
	  R_LAN R_LAN6 R_L2("ipAddressPools: [lan6]"), "metadata.name", "for pool 'lan'" },
	{ "IPv6 without a peer that carries it", R_LAN6 R_EBGP R_BGP("a", ""), "spec",
	  "carries IPv6" },
	{ "IPv6 without a peer of the list that carries it",
	  R_LAN6 R_EBGP R_PEER_OF("six", "myASN: 1, peerASN: 2, peerAddress: 'fd00::1'")
		  R_BGP("a", "peers: [tor]"),
	  "spec.peers", "carries IPv6" },
	{ "IPv4 without a peer that carries it",
	  R_LAN R_PEER_OF("six", "myASN: 1, peerASN: 2, peerAddress: 'fd00::1'") R_BGP("a", ""),
	  "spec", "carries IPv4" },
	{ "local preference towards another AS", R_LAN R_EBGP R_BGP("a", "localPref: 7"),
	  "spec.localPref", "no effect on the eBGP peer 'tor'", "crier/med" },
	{ "local preference towards any other AS",
	  R_LAN R_PEER(", dynamicASN: external") R_BGP("a", "localPref: 7"), "spec.localPref",
	  "no effect" },
	{ "public IPv4", R_POOL("a", "addresses: [10.0.0.0/24, 4.4.4.100-4.4.4.200]") R_L2(""),
	  "spec.addresses[1]", "public addresses" },
	{ "public IPv6", R_POOL("a", "addresses: ['2620:1::/120']") R_L2(""), "spec.addresses[0]",
	  "public addresses" },
	{ "a mistyped private prefix", R_POOL("a", "addresses: [192.169.10.0/32]") R_L2(""),
	  "spec.addresses[0]", "public addresses", "192.168.0.0/16" },
	{ "public addresses in a legacy pool",
	  "address-pools: [{name: a, protocol: layer2, addresses: [4.4.4.0/24]}]\n",
	  "address-pools[0].addresses[0]", "public addresses" },
};

/* One warning for a pool, however many of its entries are public; none for those of manuals. */
static void public_is_said_once(void **state)
{
	(void)state;
	struct loaded l = load_good(R_POOL(
		"a", "addresses: [4.4.4.0/24, 5.5.5.0/24, 192.0.2.0/24, 198.51.100.0/24, "
		     "203.0.113.0/24, 100.64.0.0/24, '2001:db8::/120', 'fd00::/120']") R_L2(""));

	assert_int_equal(l.report.warnings.n, 1);
	loaded_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(public_is_said_once) };

	return RUN_TABLE("refused", refused, refuses) + RUN_TABLE("meanings", meanings, means) +
	       RUN_TABLE("slips", slips, warns) + cmocka_run_group_tests(tests, NULL, NULL);
}
