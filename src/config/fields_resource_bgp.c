/* BGPPeer and BFDProfile. */
#include <string.h>

#include "config/fields.h"
#include "config/resource.h"
#include "config/value.h"

static void disable_mp_load(struct loader *l, const struct place *p, void *object)
{
	bool off;

	(void)object;
	if (value_bool(l, p, &off) && off)
		load_warning(l, p, "leave it away", "disableMP has no effect, as in MetalLB v0.15");
}

static const struct field secret_ref_fields[] = {
	{ "name", FIELD_TEXT, "the Secret's name", AT(struct raw_secret_ref, name),
	  .required = true },
	{ "namespace", FIELD_TEXT, "its namespace", AT(struct raw_secret_ref, namespace),
	  .preset_text = "the peer's" },
};

static const struct level level_secret_ref = {
	.noun = "passwordSecret",
	.fields = secret_ref_fields,
	.n = ARRAY_LEN(secret_ref_fields),
	.object_size = sizeof(struct raw_secret_ref),
};

/* Those of v1beta1 come first. */
#define PEER_V1BETA1_FIELDS 12

static void resource_restart_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_peer *c = &((struct raw_peer *)object)->c;
	bool on;

	if (!value_bool(l, p, &on))
		return;
	c->restart = on ? DUR_S(120) : DUR_S(0);
	c->restart_given = true;
}

static const struct field peer_fields[] = {
	{ "myASN", FIELD_UINT, "our AS number", AT(struct raw_peer, c.my_asn), .min = 1,
	  .max = UINT32_MAX, .exact = true, .required = true },
	{ "peerASN", FIELD_UINT, "the peer's AS number", AT(struct raw_peer, c.peer_asn),
	  .max = UINT32_MAX, .exact = true, .preset_text = "this or dynamicASN is required" },
	{ "peerAddress", FIELD_OWN, "the peer's address", AT(struct raw_peer, c.addr),
	  .shape = "IP address; a link-local one names its link: `fe80::1%eth0`",
	  .preset_text = "this or interface is required", .load = peer_address_load },
	{ "sourceAddress", FIELD_ADDRESS, "the address that we connect from",
	  AT(struct raw_peer, c.source), .preset_text = "the kernel's choice" },
	{ "peerPort", FIELD_UINT, "the peer's TCP port", AT(struct raw_peer, c.port), .min = 1,
	  .max = 16384, .preset = "179" },
	{ "holdTime", FIELD_DURATION,
	  "silence after which the session is lost; whole seconds, 0 or at least 3s",
	  AT(struct raw_peer, c.hold), .preset = "90s", .load = peer_hold_check },
	{ "keepaliveTime", FIELD_DURATION,
	  "pace of keepalives; whole seconds, at most holdTime. Alone, it makes holdTime three "
	  "times as long",
	  AT(struct raw_peer, c.keepalive), .preset_text = "a third of holdTime",
	  .load = peer_keepalive_check },
	{ "routerID", FIELD_ADDRESS, "our BGP identifier; IPv4", AT(struct raw_peer, c.router_id),
	  .preset_text = "bgp.router-id, else from the session's address",
	  .load = peer_router_id_check },
	{ "nodeSelectors", FIELD_SELECTORS, "nodes that run this session",
	  AT(struct raw_peer, c.node_selectors), .level = &level_label_selector,
	  .preset_text = "all nodes" },
	{ "password", FIELD_TEXT, "TCP MD5 password", AT(struct raw_peer, c.password),
	  .any_text = true, .load = peer_password_check },
	{ "bfdProfile", FIELD_TEXT, "watch the peer by BFD, with this profile",
	  AT(struct raw_peer, bfd_profile) },
	{ "ebgpMultiHop", FIELD_BOOL, "the peer is more than one hop away",
	  AT(struct raw_peer, c.ebgp_multihop), .preset = "false" },
	{ "passwordSecret", FIELD_MAP, "the Secret that holds the password under `password`",
	  AT(struct raw_peer, secret), .level = &level_secret_ref },
	{ "dynamicASN", FIELD_WORD, "take the peer's AS number from what it says",
	  AT(struct raw_peer, c.dynamic_asn), .words = peer_dynamic_words },
	{ "localASN", FIELD_UINT, "what the peer takes our AS for",
	  AT(struct raw_peer, c.local_asn), .min = 1, .max = UINT32_MAX, .exact = true,
	  .preset_text = "myASN" },
	{ "interface", FIELD_TEXT, "the peer is the router at the other end of this link",
	  AT(struct raw_peer, c.interface), .load = peer_interface_check },
	{ "connectTime", FIELD_DURATION, "pause between attempts to connect; whole seconds",
	  AT(struct raw_peer, c.connect_time), .min = 1000000000, .max = 65535000000000,
	  .preset_text = "the session's own schedule", .load = peer_connect_time_check },
	{ "vrf", FIELD_TEXT, "the VRF that the session runs in", AT(struct raw_peer, c.vrf),
	  .load = peer_vrf_check },
	{ "dualStackAddressFamily", FIELD_BOOL, "carry both address families on this session",
	  AT(struct raw_peer, c.dual_stack), .preset = "false" },
	{ "enableGracefulRestart", FIELD_OWN, "routes outlive a restart of crier",
	  .shape = "`true` or `false`", .preset_text = "bgp.graceful-restart",
	  .load = resource_restart_load },
	{ "disableMP", FIELD_OWN, "has no effect", .shape = "`true` or `false`",
	  .load = disable_mp_load },
};

static bool is_given(const struct place *p, const char *key)
{
	const char *text = doc_get_text(p->at, key);

	return text && *text;
}

/* Neither: as FRR mode is set up by MetalLB. One of them gives the other. */
static void peer_timers(struct loader *l, const struct place *p, struct cfg_peer *c)
{
	bool hold = is_given(p, "holdTime"), keepalive = is_given(p, "keepaliveTime");

	if (hold && keepalive)
		peer_keepalive_rules(l, p, c);
	else if (keepalive)
		c->hold = DUR_NS(c->keepalive.ns * 3);
	else
		c->keepalive = DUR_NS(c->hold.ns / 3);
}

/* Go's zero value is an absent one. */
static bool is_zero(const struct doc *d)
{
	return !d || (d->kind == DOC_INT && d->integer == 0) ||
	       (d->kind == DOC_STRING && !*d->text);
}

/* Of two fields exactly one. */
static void either(struct loader *l, const struct place *p, const char *a, const char *b)
{
	struct place at = place_field(p, b);
	bool has_a = !is_zero(doc_get(p->at, a)), has_b = !is_zero(doc_get(p->at, b));

	if (has_a && has_b)
		load_error(l, &at, "keep one of them", "%s and %s are both given", a, b);
	else if (!has_a && !has_b)
		load_error(l, p, issues_text(&l->issues, "add %s", a), "%s is missing", a);
}

static void peer_choices(struct loader *l, const struct place *p, const struct raw_peer *raw)
{
	struct place secret = place_field(p, "passwordSecret");

	if (p->at->kind != DOC_MAP)
		return;
	either(l, p, "peerASN", "dynamicASN");
	either(l, p, "peerAddress", "interface");
	if (is_given(p, "password") && doc_get(p->at, "passwordSecret"))
		load_error(l, &secret, "keep one of them",
			   "password and passwordSecret are both given");
	if (raw->c.password_file && (raw->c.password || raw->secret.name))
		load_error(l, p, "keep one of them",
			   "crier/password-file and another password are both given");
}

static void peer_done(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;

	peer_timers(l, p, &raw->c);
	peer_choices(l, p, raw);
	peer_common_rules(l, p, &raw->c);
	/* FRR reaches peers of other ASes on the same wire only, unless it is told otherwise. */
	if (!raw->c.ttl && peer_is_external(&raw->c) && !raw->c.ebgp_multihop &&
	    !raw->c.ttl_security)
		raw->c.ttl = 1;
}

static void peer_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	const struct resource *r = parent;
	struct raw_peer *raw = object;

	raw->at = p;
	raw->c.name = r->name;
	raw->c.format = CFG_RESOURCE;
	raw->namespace = r->namespace;
	peer_keep(l, raw);
}

static const struct level level_peer_v1beta2 = {
	.noun = "a BGPPeer",
	.fields = peer_fields,
	.n = ARRAY_LEN(peer_fields),
	.object_size = sizeof(struct raw_peer),
	.done = peer_done,
	.take = peer_take,
};

static const struct level level_peer_v1beta1 = {
	.noun = "a BGPPeer of v1beta1 (v1beta2 has more keys)",
	.fields = peer_fields,
	.n = PEER_V1BETA1_FIELDS,
	.object_size = sizeof(struct raw_peer),
	.done = peer_done,
	.take = peer_take,
};

static const char *const peer_own[] = {
	"password-file", "interface",  "passive",
	"ttl-security",	 "tcp-ao",     "max-prefix",
	"delay-open",	 "role",       "graceful-restart",
	"next-hop",	 "bfd-strict", "peer-port",
	"ttl",		 NULL,
};

const struct resource_kind resource_bgp_peer = {
	.name = "BGPPeer",
	.about = "a BGP neighbour; v1beta1 has the keys down to `ebgpMultiHop`",
	.spec = &level_peer_v1beta2,
	.own = &level_peer,
	.own_fields = peer_own,
};

const struct resource_kind resource_bgp_peer_v1beta1 = {
	.name = "BGPPeer",
	.spec = &level_peer_v1beta1,
	.own = &level_peer,
	.own_fields = peer_own,
};

static const struct field bfd_fields[] = {
	{ "receiveInterval", FIELD_OWN, "how often we can take a packet",
	  .shape = "integer, 10 to 60000 ms", .preset_text = "300", .load = bfd_receive_load },
	{ "transmitInterval", FIELD_OWN, "how often we want to send one",
	  .shape = "integer, 10 to 60000 ms", .preset_text = "300", .load = bfd_transmit_load },
	{ "detectMultiplier", FIELD_UINT, "packets in a row whose loss means that the path is down",
	  AT(struct raw_bfd, c.detect_mult), .min = 2, .max = 255, .preset = "3" },
	{ "echoInterval", FIELD_OWN, "pace of echo packets", .shape = "integer, 10 to 60000 ms",
	  .preset_text = "50", .load = bfd_echo_interval_load },
	{ "echoMode", FIELD_BOOL, "packets that the neighbour loops back; single hop",
	  AT(struct raw_bfd, c.echo), .preset = "false" },
	{ "passiveMode", FIELD_BOOL, "wait for the neighbour's first packet",
	  AT(struct raw_bfd, c.passive), .preset = "false" },
	{ "minimumTtl", FIELD_UINT, "lowest TTL that is accepted on a multihop session",
	  AT(struct raw_bfd, c.min_ttl), .min = 1, .max = 254, .preset = "254" },
};

static void bfd_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_bfd *raw = object;

	raw->at = p;
	raw->c.name = ((const struct resource *)parent)->name;
	bfd_keep(l, raw);
}

static const struct level level_bfd = {
	.noun = "a BFDProfile",
	.fields = bfd_fields,
	.n = ARRAY_LEN(bfd_fields),
	.object_size = sizeof(struct raw_bfd),
	.preset = bfd_preset,
	.take = bfd_take,
};

static const char *const bfd_own[] = { "receive-interval", "transmit-interval", "demand-mode",
				       "hold-down",	   "authentication",	NULL };

const struct resource_kind resource_bfd_profile = {
	.name = "BFDProfile",
	.about = "a set of BFD parameters",
	.spec = &level_bfd,
	.own = &level_bfd_profile,
	.own_fields = bfd_own,
};
