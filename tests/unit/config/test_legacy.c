/* The legacy document, rule by rule: what MetalLB v0.12 takes, refuses and means. */
#include "config_test.h"

static const struct refusal refused[] = {
	/* Scalars and keys. */
	{ "unknown key at the root",
	  "adress-pools: []\n",
	  "adress-pools",
	  "no key",
	  "'address-pools'",
	  { 1, 1 } },
	{ "unknown key of a peer",
	  PEER(", autoAssign: true"),
	  "peers[0].autoAssign",
	  "no key",
	  NULL,
	  { 2, 60 } },
	{ "auto_assign", POOL(", addresses: [10.0.0.0/24], auto_assign: true"),
	  "address-pools[0].auto_assign", "no key", "'auto-assign'" },
	{ "keys are case-sensitive", PEER(", Password: x"), "peers[0].Password", "no key",
	  "'password'" },
	{ "unknown key without a value", "peer:\n", "peer", "no key", "'peers'" },
	{ "the same key twice", "peers: []\npeers: []\n", "", "peers", NULL, { 2, 1 } },
	{ "an anchor's own key", "x-common: &c {a: 1}\n", "x-common", "no key" },
	{ "1 is no boolean", POOL(", addresses: [10.0.0.0/24], auto-assign: 1"),
	  "address-pools[0].auto-assign", "true or false" },
	{ "quoted true is no boolean", POOL(", addresses: [10.0.0.0/24], auto-assign: \"true\""),
	  "address-pools[0].auto-assign", "true or false", "without quotes" },
	{ "a quoted number",
	  "peers:\n- {my-asn: \"64512\", peer-asn: 1, peer-address: 10.0.0.1}\n",
	  "peers[0].my-asn",
	  "a number is wanted",
	  "quotes",
	  { 2, 12 } },
	{ "a negative number", PEER(", peer-port: -1"), "peers[0].peer-port", "out of range",
	  "0 to 65535" },
	{ "a number that is too big", PEER(", peer-port: 65536"), "peers[0].peer-port",
	  "out of range" },
	{ "AS number above 32 bits",
	  "peers:\n- {my-asn: 4294967296, peer-asn: 1, peer-address: 1.1.1.1}\n", "peers[0].my-asn",
	  "out of range" },
	{ "scalar where a list is wanted", POOL(", addresses: 10.0.0.0/24"),
	  "address-pools[0].addresses", "a list is wanted" },
	{ "mapping where a list is wanted", "peers: {}\n", "peers", "a list is wanted" },
	{ "list where text is wanted", POOL(", addresses: [[10.0.0.0/24]]"),
	  "address-pools[0].addresses[0]", "text is wanted" },
	{ "a document that is text", "hello\n", "", "a mapping is wanted" },
	{ "a document that is a list", "- a\n", "", "a mapping is wanted" },
	{ "placeholder for an address",
	  "peers:\n- {my-asn: 1, peer-asn: 2, peer-address: <router-ip>}\n",
	  "peers[0].peer-address", "replace this placeholder: <router-ip>" },
	{ "placeholder for a number",
	  "peers:\n- {my-asn: <asn>, peer-asn: 2, peer-address: 1.1.1.1}\n", "peers[0].my-asn",
	  "replace this placeholder: <asn>" },
	{ "placeholder for a range", POOL(", addresses: [<start-ip>-<end-ip>]"),
	  "address-pools[0].addresses[0]", "replace this placeholder: <start-ip>-<end-ip>" },

	/* Stricter than v0.12: the closed list. */
	{ "float as my-asn", "peers:\n- {my-asn: 1.10, peer-asn: 2, peer-address: 1.1.1.1}\n",
	  "peers[0].my-asn", "not a whole number", "65546" },
	{ "asdot as peer-asn", "peers:\n- {my-asn: 1, peer-asn: 64512.9, peer-address: 1.1.1.1}\n",
	  "peers[0].peer-asn", "not a whole number", "4227858441" },
	{ "hold time under a second", PEER(", hold-time: 500ms"), "peers[0].hold-time",
	  "under a second", "0s" },
	{ "range that mixes families", POOL(", addresses: [10.0.0.1-2001:db8::1]"),
	  "address-pools[0].addresses[0]", "one address family and ends in the other" },
	{ "router id that is IPv6", PEER(", router-id: \"2001:db8::1\""), "peers[0].router-id",
	  "4 bytes" },

	/* Peers. */
	{ "my-asn missing",
	  "peers:\n- {peer-asn: 1, peer-address: 10.0.0.1}\n",
	  "peers[0]",
	  "my-asn is missing",
	  NULL,
	  { 2, 3 } },
	{ "my-asn null", "peers:\n- {my-asn: ~, peer-asn: 1, peer-address: 10.0.0.1}\n", "peers[0]",
	  "my-asn is missing" },
	{ "my-asn 0", "peers:\n- {my-asn: 0, peer-asn: 1, peer-address: 10.0.0.1}\n",
	  "peers[0].my-asn", "out of range" },
	{ "peer-asn missing", "peers:\n- {my-asn: 1, peer-address: 10.0.0.1}\n", "peers[0]",
	  "peer-asn is missing" },
	{ "peer-asn 0", "peers:\n- {my-asn: 1, peer-asn: 0, peer-address: 10.0.0.1}\n",
	  "peers[0].peer-asn", "out of range" },
	{ "peer-address missing", "peers:\n- {my-asn: 1, peer-asn: 2}\n", "peers[0]",
	  "peer-address is missing" },
	{ "peer-address empty", "peers:\n- {my-asn: 1, peer-asn: 2, peer-address: \"\"}\n",
	  "peers[0].peer-address", "not an IP address" },
	{ "peer-address is a name", "peers:\n- {my-asn: 1, peer-asn: 2, peer-address: tor1}\n",
	  "peers[0].peer-address", "not an IP address" },
	{ "peer-address with a mask",
	  "peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1/24}\n",
	  "peers[0].peer-address", "not an IP address", "mask" },
	{ "a null element is an empty peer", "peers:\n- ~\n", "peers[0]", "my-asn is missing" },
	{ "source-address", PEER(", source-address: x"), "peers[0].source-address",
	  "not an IP address" },
	{ "router-id", PEER(", router-id: 10"), "peers[0].router-id", "not an IP address" },
	{ "hold time without a unit", PEER(", hold-time: 90"), "peers[0].hold-time",
	  "'90' is not a duration", "90s" },
	{ "hold time under 3 s", PEER(", hold-time: 2s"), "peers[0].hold-time", "under 3 seconds" },
	{ "hold time of 2900 ms", PEER(", hold-time: 2900ms"), "peers[0].hold-time",
	  "under 3 seconds" },
	{ "negative hold time", PEER(", hold-time: -5s"), "peers[0].hold-time", "under 3 seconds" },
	{ "hold time of words", PEER(", hold-time: long"), "peers[0].hold-time", "not a duration" },
	{ "keepalive above hold time", PEER(", hold-time: 30s, keepalive-time: 60s"),
	  "peers[0].keepalive-time", "above the hold time" },
	{ "keepalive above the default hold time", PEER(", keepalive-time: 91s"),
	  "peers[0].keepalive-time", "above the hold time" },
	{ "keepalive without a unit", PEER(", keepalive-time: 30"), "peers[0].keepalive-time",
	  "not a duration", "30s" },
	{ "ebgp-multihop within an AS",
	  "peers:\n- {my-asn: 1, peer-asn: 1, peer-address: 1.1.1.1, ebgp-multihop: true}\n",
	  "peers[0].ebgp-multihop", "our own AS 1" },
	{ "undefined BFD profile", PEER(", bfd-profile: x"), "peers[0].bfd-profile",
	  "no BFD profile 'x'" },
	{ "BFD profile with a slip", PEER(", bfd-profile: fats") "bfd-profiles: [{name: fast}]\n",
	  "peers[0].bfd-profile", "no BFD profile", "'fast'" },
	{ "equal peers", "peers:\n- {" PEER_BASE "}\n- {" PEER_BASE ", hold-time: 90s}\n",
	  "peers[1]", "already exists" },
	{ "operator unknown",
	  PEER(", node-selectors: [{match-expressions: [{key: a, operator: in, values: [b]}]}]"),
	  "peers[0].node-selectors[0].match-expressions[0].operator", "no operator", "'In'" },
	{ "In without values",
	  PEER(", node-selectors: [{match-expressions: [{key: a, operator: In}]}]"),
	  "peers[0].node-selectors[0].match-expressions[0]", "at least one value" },
	{ "Exists with values",
	  PEER(", node-selectors: [{match-expressions: [{key: a, operator: Exists, values: "
	       "[b]}]}]"),
	  "peers[0].node-selectors[0].match-expressions[0]", "takes no values" },
	{ "match-labels with a bad value", PEER(", node-selectors: [{match-labels: {a: \"b c\"}}]"),
	  "peers[0].node-selectors[0].match-labels.a", "not a label's value" },
	{ "unknown key of a selector", PEER(", node-selectors: [{matchLabels: {}}]"),
	  "peers[0].node-selectors[0].matchLabels", "no key", "'match-labels'" },

	/* Pools. */
	{ "pool without a name", "address-pools:\n- {protocol: layer2, addresses: [10.0.0.0/24]}\n",
	  "address-pools[0]", "name is missing" },
	{ "pool with an empty name",
	  "address-pools:\n- {name: \"\", protocol: layer2, addresses: [10.0.0.0/24]}\n",
	  "address-pools[0]", "name is missing" },
	{ "two pools of one name",
	  "address-pools:\n- {name: a, protocol: layer2, addresses: [10.0.0.0/24]}\n"
	  "- {name: a, protocol: layer2, addresses: [10.0.1.0/24]}\n",
	  "address-pools[1].name",
	  "second pool 'a'",
	  NULL,
	  { 3, 10 } },
	{ "no protocol", "address-pools:\n- {name: a, addresses: [10.0.0.0/24]}\n",
	  "address-pools[0]", "protocol is missing" },
	{ "protocol arp", "address-pools:\n- {name: a, protocol: arp, addresses: [10.0.0.0/24]}\n",
	  "address-pools[0].protocol", "'arp'", "layer2, bgp" },
	{ "no addresses", "address-pools:\n- {name: a, protocol: layer2}\n", "address-pools[0]",
	  "addresses is missing" },
	{ "an empty list of addresses", POOL(", addresses: []"), "address-pools[0].addresses",
	  "without addresses" },
	{ "single address without mask",
	  POOL(", addresses: [192.168.1.10]"),
	  "address-pools[0].addresses[0]",
	  "needs its mask",
	  "192.168.1.10/32",
	  { 2, 43 } },
	{ "single IPv6 address without mask", POOL(", addresses: [\"2001:db8::1\"]"),
	  "address-pools[0].addresses[0]", "needs its mask", "2001:db8::1/128" },
	{ "start after end", POOL(", addresses: [10.0.0.9-10.0.0.3]"),
	  "address-pools[0].addresses[0]", "starts after its end" },
	{ "bad start", POOL(", addresses: [10.0.0.x-10.0.0.3]"), "address-pools[0].addresses[0]",
	  "one end of the range" },
	{ "bad end", POOL(", addresses: [10.0.0.1-9]"), "address-pools[0].addresses[0]",
	  "one end of the range" },
	{ "mask too long", POOL(", addresses: [10.0.0.0/33]"), "address-pools[0].addresses[0]",
	  "neither a prefix nor a range" },
	{ "spaces around a prefix", POOL(", addresses: [\" 10.0.0.0/24\"]"),
	  "address-pools[0].addresses[0]", "neither a prefix nor a range" },
	{ "overlap in one pool", POOL(", addresses: [10.0.0.0/24, 10.0.0.5-10.0.0.7]"),
	  "address-pools[0].addresses[1]", "of the same pool" },
	{ "overlap across pools",
	  "address-pools:\n- {name: a, protocol: layer2, addresses: [10.0.0.128-10.0.0.140]}\n"
	  "- {name: b, protocol: layer2, addresses: [10.0.0.0/24]}\n",
	  "address-pools[1].addresses[0]", "'10.0.0.128-10.0.0.140' of pool 'a'" },
	{ "advertisements of a layer2 pool",
	  POOL(", addresses: [10.0.0.0/24], bgp-advertisements: [{}]"),
	  "address-pools[0].bgp-advertisements", "layer2 pool" },

	/* Advertisements. */
	{ "aggregation length above 32",
	  BGP_POOL(", bgp-advertisements: [{aggregation-length: 33}]"),
	  "address-pools[0].bgp-advertisements[0].aggregation-length", "out of range" },
	{ "aggregation length v6 above 128",
	  BGP_POOL(", bgp-advertisements: [{aggregation-length-v6: 129}]"),
	  "address-pools[0].bgp-advertisements[0].aggregation-length-v6", "out of range" },
	{ "aggregation wider than the prefix",
	  BGP_POOL(", bgp-advertisements: [{aggregation-length: 23}]"),
	  "address-pools[0].bgp-advertisements[0].aggregation-length", "wider", "24 to 32" },
	{ "aggregation wider than the range",
	  "address-pools:\n- {name: p, protocol: bgp, addresses: [203.0.113.0/26, "
	  "203.0.113.128-203.0.113.159], bgp-advertisements: [{aggregation-length: 26}]}\n",
	  "address-pools[0].bgp-advertisements[0].aggregation-length", "widest prefix is /27" },
	{ "default aggregation v6 is checked too",
	  "address-pools:\n- {name: p, protocol: bgp, addresses: [\"2001:db8::/64\"], "
	  "bgp-advertisements: [{aggregation-length-v6: 63}]}\n",
	  "address-pools[0].bgp-advertisements[0].aggregation-length-v6", "wider", "64 to 128" },
	{ "equal advertisements", BGP_POOL(", bgp-advertisements: [{}, {}]"),
	  "address-pools[0].bgp-advertisements[1]", "the same as the one before" },
	{ "equal advertisements, spelled differently",
	  BGP_POOL(", bgp-advertisements: [{localpref: 16}, {localpref: 0x10}]"),
	  "address-pools[0].bgp-advertisements[1]", "the same as the one before" },
	{ "local-pref with a dash", BGP_POOL(", bgp-advertisements: [{local-pref: 1}]"),
	  "address-pools[0].bgp-advertisements[0].local-pref", "no key", "'localpref'" },
	{ "no-export without alias", BGP_POOL(", bgp-advertisements: [{communities: [no-export]}]"),
	  "address-pools[0].bgp-advertisements[0].communities[0]", "not a community",
	  "65535:65281" },
	{ "a community twice",
	  "bgp-communities: {a: \"1:1\"}\n" BGP_POOL(
		  ", bgp-advertisements: [{communities: [a, a]}]"),
	  "address-pools[0].bgp-advertisements[0].communities[1]", "given twice" },
	{ "alias with a slip",
	  "bgp-communities: {backup: \"1:1\"}\n" BGP_POOL(
		  ", bgp-advertisements: [{communities: [bakcup]}]"),
	  "address-pools[0].bgp-advertisements[0].communities[0]", "not a community", "'backup'" },
	{ "community above 16 bits", BGP_POOL(", bgp-advertisements: [{communities: [65536:1]}]"),
	  "address-pools[0].bgp-advertisements[0].communities[0]", "not a community" },
	{ "large community among communities",
	  BGP_POOL(", bgp-advertisements: [{communities: [\"1:2:3\"]}]"),
	  "address-pools[0].bgp-advertisements[0].communities[0]", "not a community" },

	/* Names of communities. */
	{ "alias of one number", "bgp-communities: {a: 5}\n", "bgp-communities.a",
	  "not a community" },
	{ "alias in hex", "bgp-communities: {a: \"0x1:2\"}\n", "bgp-communities.a",
	  "not a community" },
	{ "alias of a well-known name", "bgp-communities: {a: no-export}\n", "bgp-communities.a",
	  "not a community", "65535:65281" },
	{ "alias of a large community", "bgp-communities: {a: \"1:2:3\"}\n", "bgp-communities.a",
	  "not a community" },

	/* BFD profiles. */
	{ "profile without a name", "bfd-profiles:\n- {}\n", "bfd-profiles[0]", "name is missing" },
	{ "two profiles of one name", "bfd-profiles: [{name: a}, {name: a}]\n",
	  "bfd-profiles[1].name", "second BFD profile 'a'" },
	{ "receive-interval 5", "bfd-profiles: [{name: a, receive-interval: 5}]\n",
	  "bfd-profiles[0].receive-interval", "out of range", "10 to 60000 ms" },
	{ "receive-interval 60001", "bfd-profiles: [{name: a, receive-interval: 60001}]\n",
	  "bfd-profiles[0].receive-interval", "out of range" },
	{ "transmit-interval 9", "bfd-profiles: [{name: a, transmit-interval: 9}]\n",
	  "bfd-profiles[0].transmit-interval", "out of range" },
	{ "a quoted interval", "bfd-profiles: [{name: a, transmit-interval: \"100\"}]\n",
	  "bfd-profiles[0].transmit-interval", "a number is wanted" },
	{ "detect-multiplier 1", "bfd-profiles: [{name: a, detect-multiplier: 1}]\n",
	  "bfd-profiles[0].detect-multiplier", "out of range", "2 to 255" },
	{ "detect-multiplier 256", "bfd-profiles: [{name: a, detect-multiplier: 256}]\n",
	  "bfd-profiles[0].detect-multiplier", "out of range" },
	{ "echo-interval 9", "bfd-profiles: [{name: a, echo-interval: 9}]\n",
	  "bfd-profiles[0].echo-interval", "out of range" },
	{ "minimum-ttl 0", "bfd-profiles: [{name: a, minimum-ttl: 0}]\n",
	  "bfd-profiles[0].minimum-ttl", "out of range", "1 to 254" },
	{ "minimum-ttl 255", "bfd-profiles: [{name: a, minimum-ttl: 255}]\n",
	  "bfd-profiles[0].minimum-ttl", "out of range" },
};

static const struct acceptance accepted[] = {
	{ "empty document", "", "peers", "[]" },
	{ "a null document", "~\n", "peers", "[]" },
	{ "only a comment", "# nothing\n", "address-pools", "[]" },
	{ "null sections", "peers: ~\naddress-pools:\nbgp-communities: null\n", "peers", "[]" },
	{ "YAML 1.1 booleans", POOL(", addresses: [10.0.0.0/24], auto-assign: off"),
	  "address-pools.0.auto-assign", "false" },
	{ "y is true", POOL(", addresses: [10.0.0.0/24], avoid-buggy-ips: y"),
	  "address-pools.0.avoid-buggy-ips", "true" },
	{ "hexadecimal", PEER(", peer-port: 0x10"), "peers.0.peer-port", "16" },
	{ "octal by a leading 0", PEER(", peer-port: 010"), "peers.0.peer-port", "8" },
	{ "octal by 0o", PEER(", peer-port: 0o17"), "peers.0.peer-port", "15" },
	{ "binary", PEER(", peer-port: 0b11"), "peers.0.peer-port", "3" },
	{ "underscores", PEER(", peer-port: 1_79"), "peers.0.peer-port", "179" },
	{ "1e3 is 1000", PEER(", peer-port: 1e3"), "peers.0.peer-port", "1000" },
	{ "1e3 as an AS number", "peers: [{my-asn: 1e3, peer-asn: 2, peer-address: 1.1.1.1}]\n",
	  "peers.0.my-asn", "1000" },
	{ "a float is cut", PEER(", peer-port: 179.9"), "peers.0.peer-port", "179",
	  "is cut to 179" },
	{ "anchors and merge keys",
	  "peers:\n- &a {" PEER_BASE "}\n- {<<: *a, peer-address: 10.0.0.2}\n", "peers.1.my-asn",
	  "64512" },
	{ "a bare number as text", PEER(", password: 123"), "peers.0.password", "123" },
	{ "a bare boolean as a label", PEER(", node-selectors: [{match-labels: {edge: true}}]"),
	  "peers.0.node-selectors.0.match-expressions.0.values.0", "true" },
	{ "angle brackets in a password", PEER(", password: <x>"), "peers.0.password", "<x>" },

	{ "peer-port by default", PEER(""), "peers.0.peer-port", "179" },
	{ "peer-port 0", PEER(", peer-port: 0"), "peers.0.peer-port", "179" },
	{ "hold time by default", PEER(""), "peers.0.hold-time", "1m30s" },
	{ "hold time empty", PEER(", hold-time: \"\""), "peers.0.hold-time", "1m30s" },
	{ "hold time 0s", PEER(", hold-time: 0s"), "peers.0.hold-time", "0s" },
	{ "hold time 0", PEER(", hold-time: 0"), "peers.0.hold-time", "0s" },
	{ "hold time of 3 s", PEER(", hold-time: 3s"), "peers.0.hold-time", "3s" },
	{ "hold time is cut to seconds", PEER(", hold-time: 3900ms"), "peers.0.hold-time", "3s" },
	{ "hold time in minutes", PEER(", hold-time: 1m30s"), "peers.0.hold-time", "1m30s" },
	{ "hold time beyond 16 bits", PEER(", hold-time: 20h"), "peers.0.hold-time", "18h12m15s",
	  "16 bits" },
	{ "keepalive is a third", PEER(""), "peers.0.keepalive-time", "30s" },
	{ "keepalive equal to hold time", PEER(", hold-time: 9s, keepalive-time: 9s"),
	  "peers.0.keepalive-time", "9s" },
	{ "keepalive is cut to seconds", PEER(", keepalive-time: 1500ms"), "peers.0.keepalive-time",
	  "1s" },
	{ "keepalive 0", PEER(", keepalive-time: 0s"), "peers.0.keepalive-time", "0s",
	  "hold timer" },
	{ "multihop to another AS", PEER(", ebgp-multihop: true"), "peers.0.ebgp-multihop",
	  "true" },
	{ "multihop false within an AS",
	  "peers: [{my-asn: 1, peer-asn: 1, peer-address: 1.1.1.1, ebgp-multihop: false}]\n",
	  "peers.0.ebgp-multihop", "false" },
	{ "IPv6 peer", "peers: [{my-asn: 1, peer-asn: 2, peer-address: \"2001:db8::0:1\"}]\n",
	  "peers.0.name", "2001:db8::1" },
	{ "IPv4 inside IPv6",
	  "peers: [{my-asn: 1, peer-asn: 2, peer-address: \"::ffff:10.0.0.1\"}]\n",
	  "peers.0.peer-address", "10.0.0.1" },
	{ "same address, another setting",
	  "peers:\n- {" PEER_BASE "}\n- {" PEER_BASE ", hold-time: 30s}\n", "peers.1.name",
	  "10.0.0.1:179#2" },
	{ "source of the other family", PEER(", source-address: \"2001:db8::1\""),
	  "peers.0.source-address", "2001:db8::1", "different families" },
	{ "router id 0.0.0.0", PEER(", router-id: 0.0.0.0"), "peers.0.router-id", "0.0.0.0",
	  "refuse" },
	{ "profile of a peer", PEER(", bfd-profile: f") "bfd-profiles: [{name: f}]\n",
	  "peers.0.bfd-profile", "f" },
	{ "an empty profile name is none", PEER(", bfd-profile: \"\", source-address: \"\""),
	  "peers.0.name", "10.0.0.1" },
	{ "no selectors", PEER(", node-selectors: []"), "peers.0.name", "10.0.0.1" },
	{ "labels and expressions",
	  PEER(", node-selectors: [{match-labels: {rack: r1}, match-expressions: [{key: role, "
	       "operator: NotIn, values: [storage, b, storage]}]}, {match-labels: {edge: "
	       "\"true\"}}]"),
	  "peers.0.node-selectors",
	  "[{\"match-expressions\":[{\"key\":\"rack\",\"operator\":\"In\",\"values\":[\"r1\"]},"
	  "{\"key\":\"role\",\"operator\":\"NotIn\",\"values\":[\"b\",\"storage\"]}]},"
	  "{\"match-expressions\":[{\"key\":\"edge\",\"operator\":\"In\",\"values\":[\"true\"]}]}"
	  "]" },
	{ "Exists", PEER(", node-selectors: [{match-expressions: [{key: a/b, operator: Exists}]}]"),
	  "peers.0.node-selectors.0.match-expressions.0.operator", "Exists" },

	{ "auto-assign by default", POOL(", addresses: [10.0.0.0/24]"),
	  "address-pools.0.auto-assign", "true" },
	{ "avoid-buggy-ips by default", POOL(", addresses: [10.0.0.0/24]"),
	  "address-pools.0.avoid-buggy-ips", "false" },
	{ "host bits are masked", POOL(", addresses: [192.168.1.77/24]"),
	  "address-pools.0.addresses.0", "192.168.1.77/24" },
	{ "range with spaces", POOL(", addresses: [\"10.0.0.1 - 10.0.0.3\"]"),
	  "address-pools.0.addresses.0", "10.0.0.1 - 10.0.0.3" },
	{ "a range of one", POOL(", addresses: [10.0.0.1-10.0.0.1]"), "address-pools.0.name", "p" },
	{ "both families in one pool", POOL(", addresses: [10.0.0.0/30, \"2001:db8::/112\"]"),
	  "address-pools.0.addresses.1", "2001:db8::/112" },
	{ "an empty list of advertisements on a layer2 pool",
	  POOL(", addresses: [10.0.0.0/30], bgp-advertisements: []"), "address-pools.0.protocol",
	  "layer2" },
	{ "no list is one advertisement", BGP_POOL(""), "address-pools.0.bgp-advertisements",
	  "[{\"aggregation-length\":32,\"aggregation-length-v6\":128,\"localpref\":0,"
	  "\"communities\":[],\"as-path-prepend\":0}]" },
	{ "an empty list is one advertisement", BGP_POOL(", bgp-advertisements: []"),
	  "address-pools.0.bgp-advertisements.0.localpref", "0" },
	{ "an explicit default makes a difference",
	  BGP_POOL(", bgp-advertisements: [{}, {aggregation-length: 32}]"),
	  "address-pools.0.bgp-advertisements.1.aggregation-length", "32" },
	{ "aggregation at the widest block of a range",
	  PEER("") "address-pools:\n- {name: p, protocol: bgp, addresses: [10.0.0.1-10.0.0.6], "
		   "bgp-advertisements: [{aggregation-length: 31}]}\n",
	  "address-pools.0.bgp-advertisements.0.aggregation-length", "31" },
	{ "aggregation of the other family is not looked at",
	  BGP_POOL(", bgp-advertisements: [{aggregation-length-v6: 1}]"),
	  "address-pools.0.bgp-advertisements.0.aggregation-length-v6", "1" },
	{ "alias and literal of one value merge",
	  "bgp-communities: {a: 1:1}\n" BGP_POOL(
		  ", bgp-advertisements: [{communities: [a, 1:1, 0:5]}]"),
	  "address-pools.0.bgp-advertisements.0.communities", "[\"0:5\",\"1:1\"]" },
	{ "communities need no quotes",
	  BGP_POOL(", bgp-advertisements: [{communities: [64512:1234]}]"),
	  "address-pools.0.bgp-advertisements.0.communities.0", "64512:1234" },
	{ "an unused alias", "bgp-communities: {no-export: \"65535:65281\"}\n", "peers", "[]" },
	{ "a bgp pool without peers",
	  "address-pools:\n- {name: p, protocol: bgp, addresses: [10.9.0.0/24]}\n",
	  "address-pools.0.protocol", "bgp", "nothing announces" },
	{ "an advertisement that restricts a layer2 pool in vain",
	  "address-pools:\n- {name: p, protocol: layer2, addresses: [10.9.0.0/24]}\n"
	  "l2-advertisements: [{name: a, address-pools: [p], interfaces: [eth0]}]\n",
	  "address-pools.0.protocol", "layer2", "every node and link already" },
	{ "an IPv6 pool without IPv6 peers",
	  PEER("") "address-pools:\n- {name: p, protocol: bgp, addresses: [\"2001:db8::/112\"]}\n",
	  "address-pools.0.protocol", "bgp", "no peer carries IPv6" },

	{ "profile defaults", "bfd-profiles: [{name: a}]\n", "bfd-profiles.0",
	  "{\"name\":\"a\",\"receive-interval\":300,\"transmit-interval\":300,"
	  "\"detect-multiplier\":3,\"passive-mode\":false,\"minimum-ttl\":254,"
	  "\"echo-mode\":false,\"echo-interval\":50,\"demand-mode\":false,\"hold-down\":\"0s\"}" },
	{ "profile limits",
	  "bfd-profiles: [{name: a, receive-interval: 10, transmit-interval: 60000, "
	  "detect-multiplier: 255, minimum-ttl: 1, passive-mode: true, echo-mode: false}]\n",
	  "bfd-profiles.0.transmit-interval", "60000" },
	{ "echo-interval without echo-mode", "bfd-profiles: [{name: a, echo-interval: 50}]\n",
	  "bfd-profiles.0.name", "a", "no effect" },
};

/* What does not show in the tree. */
static void fills_the_structs(void **state)
{
	(void)state;
	struct loaded l = load_good(
		PEER("") "address-pools:\n"
			 "- {name: lan, protocol: layer2, addresses: [192.168.1.77/24, "
			 "10.0.0.1-10.0.0.6]}\n"
			 "- {name: pub, protocol: bgp, addresses: [10.9.0.0/24], "
			 "bgp-advertisements: [{localpref: 7}, {aggregation-length: 24}]}\n");
	const struct cfg *c = l.c;
	const struct cfg_pool *lan = cfg_pool_find(c, "lan"), *pub = cfg_pool_find(c, "pub");
	struct addr in = addr_v4(192, 168, 1, 0), out = addr_v4(10, 0, 0, 7);

	assert_int_equal(c->peers[0].format, CFG_LEGACY);
	assert_int_equal(lan->format, CFG_LEGACY);
	assert_true(cfg_pool_of(c, &in) == lan);
	assert_null(cfg_pool_of(c, &out));
	assert_int_equal(lan->addresses[1].n, 4); /* .1/32 .2/31 .4/31 .6/32 */
	assert_int_equal(lan->addresses[1].v[1].len, 31);
	assert_int_equal(c->n_l2_advs, 2);
	assert_string_equal(c->l2_advs[0].name, "lan");
	assert_true(cfg_l2_adv_covers(&c->l2_advs[0], lan));
	assert_false(cfg_l2_adv_covers(&c->l2_advs[0], NULL));
	assert_true(cfg_l2_adv_covers(&c->l2_advs[1], NULL));
	assert_int_equal(c->n_bgp_advs, 3);
	assert_string_equal(c->bgp_advs[0].name, "pub");
	assert_string_equal(c->bgp_advs[1].name, "pub/2");
	assert_true(c->bgp_advs[0].has_local_pref && c->bgp_advs[1].has_local_pref);
	assert_true(cfg_bgp_adv_covers(&c->bgp_advs[1], pub));
	assert_false(cfg_bgp_adv_covers(&c->bgp_advs[1], lan));
	assert_true(c->bgp_advs[2].outside_pools);
	loaded_fini(&l);
}

/* An overlap names its other place, and everything wrong with a file is said at once, in order. */
static void tells_all_in_order(void **state)
{
	(void)state;
	struct loaded l = load_text("peers:\n"
				    "- {my-asn: x, peer-asn: 0}\n"
				    "address-pools:\n"
				    "- name: a\n"
				    "  protocol: layer2\n"
				    "  addresses: [10.0.0.0/24]\n"
				    "- {name: b, protocol: layer2, addresses: [10.0.0.7/32]}\n");
	const struct cfg_issues *is = &l.report.errors;

	assert_int_equal(is->n, 4);
	for (size_t i = 1; i < is->n; i++)
		assert_true(is->v[i - 1].pos.line < is->v[i].pos.line ||
			    is->v[i - 1].pos.col < is->v[i].pos.col);
	const struct cfg_issue *overlap = &is->v[3];
	assert_int_equal(overlap->pos.line, 7);
	assert_string_equal(overlap->other.file, "t.yaml");
	assert_int_equal(overlap->other.pos.line, 6);
	assert_int_equal(overlap->other.pos.col, 15);
	loaded_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_the_structs),
		cmocka_unit_test(tells_all_in_order),
	};

	return RUN_TABLE("refused", refused, refuses) + RUN_TABLE("accepted", accepted, accepts) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
