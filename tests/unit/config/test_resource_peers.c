/* Custom resources: BGPPeer, BFDProfile and the Secrets of passwords. Each rule by its name. */
#include "resource_test.h"

#define V1BETA1(spec) \
	RESOURCE("v1beta1", "BGPPeer", "tor", "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1" spec)
#define SECRET_PEER R_PEER(", peerASN: 64513, passwordSecret: {name: s}")
#define BASIC_AUTH  "type: kubernetes.io/basic-auth, "
#define LONG_PASSWORD \
	"123456789012345678901234567890123456789012345678901234567890123456789012345678901"
#define PEER_IN(ns, spec)                                                                      \
	"{apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: {name: tor" ns "}, spec: {" \
	"myASN: 1, peerASN: 2, peerAddress: 10.0.0.1" spec "}}\n---\n"

static const struct refusal refused[] = {
	{ "no myASN", R_PEER_OF("tor", "peerASN: 1, peerAddress: 10.0.0.1"), "spec",
	  "myASN is missing" },
	{ "myASN 0", R_PEER_OF("tor", "myASN: 0, peerASN: 1, peerAddress: 10.0.0.1"), "spec.myASN",
	  "out of range" },
	{ "myASN in dots", R_PEER_OF("tor", "myASN: 1.10, peerASN: 1, peerAddress: 10.0.0.1"),
	  "spec.myASN", "not a whole number", "65546" },
	{ "neither peerASN nor dynamicASN", R_PEER(""), "spec", "peerASN is missing" },
	{ "peerASN 0", R_PEER(", peerASN: 0"), "spec", "peerASN is missing" },
	{ "peerASN and dynamicASN", R_PEER(", peerASN: 1, dynamicASN: internal"), "spec.dynamicASN",
	  "both given" },
	{ "dynamicASN of another word", R_PEER(", dynamicASN: extern"), "spec.dynamicASN",
	  "'extern' is not known", "'external'" },
	{ "localASN 0", R_PEER(", peerASN: 1, localASN: 0"), "spec.localASN", "out of range" },
	{ "neither peerAddress nor interface", R_PEER_OF("tor", "myASN: 1, peerASN: 1"), "spec",
	  "peerAddress is missing" },
	{ "peerAddress that is none", R_PEER_OF("tor", "myASN: 1, peerASN: 1, peerAddress: tor"),
	  "spec.peerAddress", "not an IP address" },
	{ "peerAddress as a placeholder",
	  R_PEER_OF("tor", "myASN: 1, peerASN: 1, peerAddress: <router>"), "spec.peerAddress",
	  "replace this placeholder" },
	{ "peerAddress and interface", R_PEER(", peerASN: 1, interface: eth0"), "spec.interface",
	  "both given" },
	{ "interface that cannot be", R_PEER_OF("tor", "myASN: 1, peerASN: 1, interface: a/b"),
	  "spec.interface", "not a link's name" },
	{ "sourceAddress that is none", R_PEER(", peerASN: 1, sourceAddress: x"),
	  "spec.sourceAddress", "not an IP address" },
	{ "peerPort above 16384", R_PEER(", peerASN: 1, peerPort: 16385"), "spec.peerPort",
	  "out of range", "1 to 16384" },
	{ "peerPort 0", R_PEER(", peerASN: 1, peerPort: 0"), "spec.peerPort", "out of range" },
	{ "holdTime without unit", R_PEER(", peerASN: 1, holdTime: 90"), "spec.holdTime",
	  "not a duration", "90s" },
	{ "holdTime below 3s", R_PEER(", peerASN: 1, holdTime: 2s"), "spec.holdTime",
	  "under 3 seconds" },
	{ "holdTime cut below 3s", R_PEER(", peerASN: 1, holdTime: 2900ms"), "spec.holdTime",
	  "under 3 seconds" },
	{ "holdTime below a second", R_PEER(", peerASN: 1, holdTime: 500ms"), "spec.holdTime",
	  "under a second" },
	{ "keepaliveTime above holdTime", R_PEER(", peerASN: 1, holdTime: 30s, keepaliveTime: 31s"),
	  "spec.keepaliveTime", "above the hold time" },
	{ "connectTime below a second", R_PEER(", peerASN: 1, connectTime: 900ms"),
	  "spec.connectTime", "out of range" },
	{ "connectTime above 65535s", R_PEER(", peerASN: 1, connectTime: 65536s"),
	  "spec.connectTime", "out of range" },
	{ "connectTime of no whole seconds", R_PEER(", peerASN: 1, connectTime: 1500ms"),
	  "spec.connectTime", "not whole seconds" },
	{ "routerID of IPv6", R_PEER(", peerASN: 1, routerID: 'fd00::1'"), "spec.routerID",
	  "has 4 bytes" },
	{ "password and passwordSecret",
	  R_PEER(", peerASN: 1, password: x, passwordSecret: {name: s}"), "spec.passwordSecret",
	  "both given" },
	{ "ebgpMultiHop within an AS", R_PEER(", peerASN: 64512, ebgpMultiHop: true"),
	  "spec.ebgpMultiHop", "our own AS" },
	{ "ebgpMultiHop with dynamicASN internal",
	  R_PEER(", dynamicASN: internal, ebgpMultiHop: true"), "spec.ebgpMultiHop", "our own AS" },
	{ "a BFD profile that nobody defines", R_BFD("") R_PEER(", peerASN: 1, bfdProfile: fats"),
	  "spec.bfdProfile", "no BFD profile 'fats'", "'fast'" },
	{ "a BFD profile with the mark of a footnote",
	  R_BFD("") R_PEER(", peerASN: 1, bfdProfile: fast 1"), "spec.bfdProfile",
	  "no BFD profile 'fast 1'", "'fast'" },
	{ "a VRF with the mark of a footnote", R_PEER(", peerASN: 1, vrf: ens4vrf 1"), "spec.vrf",
	  "'ens4vrf 1' is not a VRF's name", "did you mean 'ens4vrf'?" },
	{ "a VRF that cannot be", R_PEER(", peerASN: 1, vrf: a/b"), "spec.vrf",
	  "not a link's name" },
	{ "enableGracefulRestart of a time", R_PEER(", peerASN: 1, enableGracefulRestart: 60s"),
	  "spec.enableGracefulRestart", "true or false" },
	{ "the legacy spelling", R_PEER(", peerASN: 1, hold-time: 90s"), "spec.hold-time", "no key",
	  "'holdTime'" },
	{ "a node selector twice", R_PEER(", peerASN: 1, nodeSelectors: [{}, {}]"),
	  "spec.nodeSelectors[1]", "given twice" },
	{ "two equal peers",
	  R_EBGP R_PEER_OF("tor2", "myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1"), "spec",
	  "already exists" },
	{ "two peers of one name", R_EBGP R_IBGP, "metadata.name", "a second peer 'tor'" },
	{ "TCP-AO by annotation, without keys",
	  R_PEER_OF("tor, annotations: {crier/tcp-ao: '{key: x}'}",
		    "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1"),
	  "metadata.annotations.crier/tcp-ao.key", "no key 'key'" },
	{ "TCP-AO by annotation, and a password",
	  R_SECRET(BASIC_AUTH "stringData: {password: x}") R_PEER_OF(
		  "tor, annotations: {crier/tcp-ao: '{keys: [{send-id: 1, receive-id: 1, "
		  "secret: x}]}'}",
		  "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1, passwordSecret: {name: s}"),
	  "metadata.annotations.crier/tcp-ao", "both given" },
	{ "two passwords, one by annotation",
	  R_SECRET(BASIC_AUTH "stringData: {password: x}")
		  R_PEER_OF("tor, annotations: {crier/password-file: /x}",
			    "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1, passwordSecret: {name: "
			    "s}"),
	  "spec", "crier/password-file" },

	/* v1beta1 */
	{ "v1beta1 has no vrf", V1BETA1(", vrf: red"), "spec.vrf", "v1beta2 has more" },
	{ "v1beta1 has no passwordSecret", V1BETA1(", passwordSecret: {name: s}"),
	  "spec.passwordSecret", "v1beta2 has more" },
	{ "v1beta1 checks holdTime", V1BETA1(", holdTime: 1s"), "spec.holdTime",
	  "under 3 seconds" },

	/* BFDProfile */
	{ "receiveInterval below 10", R_BFD("receiveInterval: 9"), "spec.receiveInterval",
	  "out of range", "10 to 60000 ms" },
	{ "transmitInterval above 60000", R_BFD("transmitInterval: 60001"), "spec.transmitInterval",
	  "out of range" },
	{ "echoInterval below 10", R_BFD("echoInterval: 9"), "spec.echoInterval", "out of range" },
	{ "detectMultiplier 1", R_BFD("detectMultiplier: 1"), "spec.detectMultiplier",
	  "out of range", "2 to 255" },
	{ "minimumTtl 0", R_BFD("minimumTtl: 0"), "spec.minimumTtl", "out of range" },
	{ "minimumTtl 255", R_BFD("minimumTtl: 255"), "spec.minimumTtl", "out of range" },
	{ "minimumTTL in another spelling", R_BFD("minimumTTL: 1"), "spec.minimumTTL", "no key",
	  "'minimumTtl'" },
	{ "IPv6 to a peer with echo mode",
	  R_LAN6 RESOURCE("v1beta1", "BGPAdvertisement", "adv", "ipAddressPools: [lan6]")
		  R_PEER(", peerASN: 1, bfdProfile: fast") R_BFD("echoMode: true"),
	  "spec", "has echo mode", "echoMode off" },
	{ "two profiles of one name", R_BFD("") R_BFD(""), "metadata.name",
	  "a second BFD profile 'fast'" },

	/* Secrets */
	{ "a Secret that is not there", SECRET_PEER, "spec.passwordSecret.name",
	  "no Secret 's' in namespace m, whose key 'password'", "kubernetes.io/basic-auth" },
	{ "a Secret that is nearly there",
	  R_PEER(", peerASN: 1, passwordSecret: {name: bgp-auht}") "{apiVersion: v1, kind: Secret, "
								   "metadata: {name: bgp-auth}}\n",
	  "spec.passwordSecret.name", "no Secret 'bgp-auht'", "'bgp-auth'" },
	{ "a Secret of another namespace",
	  R_PEER(", peerASN: 1, passwordSecret: {name: s, namespace: n}")
		  R_SECRET(BASIC_AUTH "stringData: {password: x}"),
	  "spec.passwordSecret.name", "no Secret 's' in namespace n" },
	{ "a Secret of another type",
	  SECRET_PEER R_SECRET("type: kubernetes.io/tls, stringData: {password: x}"),
	  "spec.passwordSecret.name", "of type 'kubernetes.io/tls'", "basic-auth" },
	{ "a Secret without the key", SECRET_PEER R_SECRET(BASIC_AUTH "data: {username: eA==}"),
	  "spec.passwordSecret.name", "no key 'password'" },
	{ "a Secret without anything", SECRET_PEER R_SECRET("type: Opaque"),
	  "spec.passwordSecret.name", "no key 'password'" },
	{ "a Secret that is not base64",
	  SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: s3cret!}"), "data.password",
	  "Secret s: this is not base64", "stringData" },
	{ "base64 that is cut off", SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: czNjcmV}"),
	  "data.password", "not base64" },
	{ "base64 with padding inside",
	  SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: cz==cmV0}"), "data.password",
	  "not base64" },
	{ "an empty password", SECRET_PEER R_SECRET(BASIC_AUTH "stringData: {password: \"\"}"),
	  "stringData.password", "1 to 80 bytes" },
	{ "a password with a zero byte", SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: YQBi}"),
	  "data.password", "1 to 80 bytes" },
	{ "a password that is too long",
	  SECRET_PEER R_SECRET(BASIC_AUTH "stringData: {password: '" LONG_PASSWORD "'}"),
	  "stringData.password", "1 to 80 bytes" },
	{ "passwordSecret without a name", R_PEER(", peerASN: 1, passwordSecret: {}"),
	  "spec.passwordSecret", "name is missing" },
};

#define P0(c) (&(c)->peers[0])

static bool hold_is(const struct cfg *c, int hold_s, int keepalive_s)
{
	return P0(c)->hold.ns == DUR_S(hold_s).ns && P0(c)->keepalive.ns == DUR_S(keepalive_s).ns;
}

static bool password_is(const struct cfg *c, const char *password)
{
	return P0(c)->password && strcmp(P0(c)->password, password) == 0;
}

MEANS(defaults, strcmp(P0(c)->name, "tor") == 0 && P0(c)->port == 179 && hold_is(c, 90, 30) &&
			P0(c)->format == CFG_RESOURCE && !P0(c)->dual_stack && !P0(c)->password &&
			!P0(c)->bfd && !P0(c)->connect_time.ns && !P0(c)->local_asn)
MEANS(ao_secret, P0(c)->tcp_ao.n_keys == 1 && P0(c)->tcp_ao.keys[0].receive_id == 2 &&
			 strcmp(P0(c)->tcp_ao.keys[0].secret, "s3cret") == 0)
MEANS(ttl_of_ebgp, P0(c)->ttl == 1)
MEANS(ttl_of_others, P0(c)->ttl == 0)
MEANS(hold_alone, hold_is(c, 30, 10))
MEANS(keepalive_alone, hold_is(c, 15, 5))
MEANS(both_timers, hold_is(c, 20, 5))
MEANS(no_timers, hold_is(c, 0, 0))
MEANS(dynamic_internal, P0(c)->dynamic_asn == CFG_ASN_INTERNAL && P0(c)->peer_asn == 0)
MEANS(dynamic_external, P0(c)->dynamic_asn == CFG_ASN_EXTERNAL && P0(c)->ttl == 1)
MEANS(local_asn, P0(c)->local_asn == 4294967295)
MEANS(connect_time, P0(c)->connect_time.ns == DUR_S(65535).ns)
MEANS(unnumbered, cfg_peer_is_unnumbered(P0(c)) && strcmp(P0(c)->interface, "eth0") == 0)
MEANS(restarts, P0(c)->restart.ns == DUR_S(120).ns)
MEANS(vrf, strcmp(P0(c)->vrf, "ens4vrf") == 0)
MEANS(dual_stack, P0(c)->dual_stack)
MEANS(port, P0(c)->port == 16384)
MEANS(multihop, P0(c)->ebgp_multihop)
MEANS(router_id, addr_eq(&P0(c)->router_id, &(struct addr){ FAMILY_V4, { 10, 0, 0, 9 } }))
MEANS(source, addr_eq(&P0(c)->source, &(struct addr){ FAMILY_V4, { 10, 0, 0, 9 } }))
MEANS(nodes, P0(c)->node_selectors.n == 2)
MEANS(bfd, strcmp(P0(c)->bfd->name, "fast") == 0 && P0(c)->bfd->receive_us == 300000 &&
		   P0(c)->bfd->transmit_us == 300000 && P0(c)->bfd->detect_mult == 3 &&
		   P0(c)->bfd->min_ttl == 254 && !P0(c)->bfd->passive)
MEANS(bfd_fields, c->bfd_profiles[0].receive_us == 10000 &&
			  c->bfd_profiles[0].transmit_us == 60000000 &&
			  c->bfd_profiles[0].detect_mult == 255 &&
			  c->bfd_profiles[0].min_ttl == 1 && c->bfd_profiles[0].passive)
MEANS(bfd_fine, c->bfd_profiles[0].receive_us == 3300)
MEANS(password, password_is(c, "s3cret"))
MEANS(password_file, strcmp(P0(c)->password_file, "/etc/secret") == 0)
MEANS(two_sessions, c->n_peers == 2)

static const struct meaning meanings[] = {
	{ "defaults", R_EBGP, defaults },
	{ "TTL 1 towards another AS", R_EBGP, ttl_of_ebgp },
	{ "TTL with ebgpMultiHop", R_PEER(", peerASN: 1, ebgpMultiHop: true"), ttl_of_others },
	{ "TTL within our AS", R_IBGP, ttl_of_others },
	{ "only holdTime: keepalive is a third", R_PEER(", peerASN: 1, holdTime: 30s"),
	  hold_alone },
	{ "only keepaliveTime: hold is three times", R_PEER(", peerASN: 1, keepaliveTime: 5s"),
	  keepalive_alone },
	{ "both timers", R_PEER(", peerASN: 1, holdTime: 20s, keepaliveTime: 5s"), both_timers },
	{ "holdTime 0s", R_PEER(", peerASN: 1, holdTime: 0s"), no_timers },
	{ "dynamicASN: internal", R_PEER(", dynamicASN: internal"), dynamic_internal },
	{ "dynamicASN: external", R_PEER(", dynamicASN: external"), dynamic_external },
	{ "localASN", R_PEER(", peerASN: 1, localASN: 4294967295"), local_asn },
	{ "connectTime", R_PEER(", peerASN: 1, connectTime: 65535s"), connect_time },
	{ "vrf", R_PEER(", peerASN: 1, vrf: ens4vrf"), vrf },
	{ "dualStackAddressFamily", R_PEER(", peerASN: 1, dualStackAddressFamily: true"),
	  dual_stack },
	{ "peerPort 16384", R_PEER(", peerASN: 1, peerPort: 16384"), port },
	{ "ebgpMultiHop", R_PEER(", peerASN: 1, ebgpMultiHop: true"), multihop },
	{ "routerID", R_PEER(", peerASN: 1, routerID: 10.0.0.9"), router_id },
	{ "sourceAddress", R_PEER(", peerASN: 1, sourceAddress: 10.0.0.9"), source },
	{ "nodeSelectors",
	  R_PEER(", peerASN: 1, nodeSelectors: [{matchLabels: {a: b}}, {matchExpressions: [{key: "
		 "a, "
		 "operator: DoesNotExist}]}]"),
	  nodes },
	{ "interface", R_PEER_OF("tor", "myASN: 1, peerASN: 1, interface: eth0"), unnumbered },
	{ "enableGracefulRestart", R_PEER(", peerASN: 64513, enableGracefulRestart: true"),
	  restarts },
	{ "enableGracefulRestart: false is the way it is",
	  R_PEER(", peerASN: 1, enableGracefulRestart: false, disableMP: false"), defaults },
	{ "v1beta1", V1BETA1(", holdTime: 30s, ebgpMultiHop: false, bfdProfile: ''"), hold_alone },
	{ "two sessions to one address",
	  R_EBGP R_PEER_OF("tor2", "myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, routerID: "
				   "10.0.0.9"),
	  two_sessions },
	{ "one address in two VRFs",
	  R_EBGP R_PEER_OF("tor2", "myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, vrf: red"),
	  two_sessions },
	{ "two sessions with AS numbers of their own",
	  R_EBGP R_PEER_OF("tor2", "myASN: 1, peerASN: 2, peerAddress: 10.0.0.2"), two_sessions },

	{ "bfdProfile with every default", R_BFD("") R_PEER(", peerASN: 1, bfdProfile: fast"),
	  bfd },
	{ "a profile after its peer",
	  R_PEER(", peerASN: 1, bfdProfile: fast") R_BFD("echoMode: "
							 "false"),
	  bfd },
	{ "a profile of a legacy document",
	  R_PEER(", peerASN: 1, bfdProfile: fast") "bfd-profiles: [{name: fast}]\n", bfd },
	{ "BFDProfile",
	  R_BFD("receiveInterval: 10, transmitInterval: 60000, detectMultiplier: 255, minimumTtl: "
		"1, passiveMode: true"),
	  bfd_fields },
	{ "BFDProfile: a finer interval by annotation",
	  R_POOL("lan", "addresses: [10.0.0.0/24]") R_L2("")
		  RESOURCE("v1beta1", "BFDProfile",
			   "fast, annotations: {crier/receive-interval: 3.3ms}", ""),
	  bfd_fine },

	{ "a Secret in base64", SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: czNjcmV0}"),
	  password },
	{ "a TCP-AO key out of a Secret",
	  R_SECRET("type: Opaque, stringData: {password: s3cret}")
		  R_PEER_OF("tor, annotations: {crier/tcp-ao: '{keys: [{send-id: 1, "
			    "receive-id: 2, secret-name: s}]}'}",
			    "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1"),
	  ao_secret },
	{ "a Secret before its peer", R_SECRET(BASIC_AUTH "data: {password: czNjcmV0}") SECRET_PEER,
	  password },
	{ "a Secret with stringData, which wins",
	  SECRET_PEER R_SECRET(BASIC_AUTH "stringData: {password: s3cret}, data: {password: eA==}"),
	  password },
	{ "a Secret over several lines",
	  SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: \"czNj\\ncmV0\\n\"}"), password },
	{ "the namespace of the Secret, in words",
	  R_PEER(", peerASN: 1, passwordSecret: {name: s, namespace: m}")
		  R_SECRET(BASIC_AUTH "stringData: {password: s3cret}"),
	  password },
	{ "a peer without a namespace",
	  PEER_IN("", ", passwordSecret: {name: s}")
		  R_SECRET(BASIC_AUTH "stringData: {password: s3cret}"),
	  password },
	{ "of two Secrets of one name, that of the namespace",
	  PEER_IN(", namespace: m",
		  ", passwordSecret: {name: s}") "{apiVersion: v1, kind: Secret, metadata: {name: "
						 "s, namespace: n}, " BASIC_AUTH
						 "stringData: {password: x}}\n---\n" R_SECRET(
							 BASIC_AUTH
							 "stringData: {password: s3cret}"),
	  password },
	{ "other Secrets are nobody's business",
	  R_EBGP "{apiVersion: v1, kind: Secret, metadata: {name: t, namespace: other}, type: "
		 "kubernetes.io/tls, data: {tls.crt: '!'}, immutable: true}\n",
	  defaults },
	{ "a password in a file, by annotation",
	  R_PEER_OF("tor, annotations: {crier/password-file: /etc/secret}",
		    "myASN: 1, peerASN: 2, peerAddress: 10.0.0.1"),
	  password_file },
};

static bool literal(const struct cfg *c)
{
	return password_is(c, "hunter2");
}

static const struct slip slips[] = {
	{ "a password that is the name of a Secret",
	  R_PEER(", peerASN: 1, password: s") R_SECRET("data: {password: czNjcmV0}"),
	  "spec.password", "name of a Secret, whose password is used", "passwordSecret: {name: s}",
	  password },
	{ "a password that is nobody's name",
	  R_PEER(", peerASN: 1, password: hunter2") R_SECRET("data: {password: czNjcmV0}"),
	  "spec.password", "taken for the password itself", "passwordSecret", literal },
	{ "a password that is the name of a Secret elsewhere",
	  R_PEER(", peerASN: 1, password: hunter2") "{apiVersion: v1, kind: Secret, metadata: "
						    "{name: hunter2, namespace: n}}\n",
	  "spec.password", "taken for the password itself", NULL, literal },
	{ "a Secret of type Opaque",
	  SECRET_PEER R_SECRET("type: Opaque, stringData: {password: s3cret}"),
	  "spec.passwordSecret.name", "of type Opaque", "basic-auth", password },
	{ "a Secret of no type", SECRET_PEER R_SECRET("stringData: {password: s3cret}"),
	  "spec.passwordSecret.name", "of type Opaque", NULL, password },
	{ "a line end after the password",
	  SECRET_PEER R_SECRET(BASIC_AUTH "data: {password: czNjcmV0Cg==}"), "data.password",
	  "no part of it", "printf", password },
	{ "disableMP", R_PEER(", peerASN: 1, disableMP: true"), "spec.disableMP", "no effect" },
	{ "echoInterval without echoMode", R_BFD("echoInterval: 50"), "spec.echoInterval",
	  "no effect" },
	{ "sourceAddress of another family", R_PEER(", peerASN: 1, sourceAddress: 'fd00::1'"),
	  "spec.sourceAddress", "different families" },
};

/* Whatever is said about them, secrets are not. */
static void secrets_are_not_told(void **state)
{
	(void)state;
	struct buf said = { 0 };
	struct loaded l = load_text(R_PEER(", peerASN: 1, password: hunter2, foo: 1") R_SECRET(
		"data: {password: 'hunter2!'}") R_PEER_OF("b", "passwordSecret: {name: s}"));

	cfg_report_text(&l.report, false, &said);
	assert_null(strstr(buf_text(&said), "hunter"));
	buf_fini(&said);
	loaded_fini(&l);
}

/* A Secret that no peer wants is passed over, and that is said. */
static void notes_idle_secrets(void **state)
{
	(void)state;
	struct loaded l = load_good(R_SECRET(""));

	assert_int_equal(l.report.notes.n, 1);
	assert_non_null(strstr(l.report.notes.v[0].message, "no peer refers"));
	loaded_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(secrets_are_not_told),
					    cmocka_unit_test(notes_idle_secrets) };

	return RUN_TABLE("refused", refused, refuses) + RUN_TABLE("meanings", meanings, means) +
	       RUN_TABLE("slips", slips, warns) + cmocka_run_group_tests(tests, NULL, NULL);
}
