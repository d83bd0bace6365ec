/* Peers and BFD profiles: what one object may say. The rules between objects are in
 * resolve_bgp.c. */
#include <string.h>

#include "config/fields.h"
#include "config/resource.h"
#include "config/value.h"

#define PASSWORD_MAX 80 /* TCP_MD5SIG_MAXKEYLEN */
#define NAME_LEN_MAX 253

void bfd_keep(struct loader *l, struct raw_bfd *bfd)
{
	bfd->c.auth = bfd->auth.c;
	if (bfd->echo_interval_at && !bfd->c.echo)
		load_warning(l, bfd->echo_interval_at, NULL, "%s has no effect without echo mode",
			     bfd->echo_interval_at->key);
	mem_grow(l->bfds, l->n_bfds, l->cap_bfds);
	l->bfds[l->n_bfds++] = bfd;
}

static void profile_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_bfd *raw = object;

	(void)parent;
	raw->at = p;
	bfd_keep(l, raw);
}

/* A bare number is milliseconds within MetalLB's range; a duration is ours and goes lower. */
static void interval_load(struct loader *l, const struct place *p, uint32_t *us)
{
	static const struct field ms = { .min = 10, .max = 60000, .unit = "ms" };
	struct dur d;
	uint64_t v;

	if (p->at->kind != DOC_STRING || !strpbrk(p->at->text, "smhun")) {
		if (value_uint(l, p, &ms, &v))
			*us = (uint32_t)v * 1000;
		return;
	}
	if (!value_duration(l, p, &d))
		return;
	if (d.ns < DUR_MS(1).ns || d.ns > DUR_S(60).ns)
		load_error(l, p, "1ms to 1m0s", "%s is out of range", DUR_TEXT(d));
	else
		*us = (uint32_t)(d.ns / 1000);
}

void bfd_receive_load(struct loader *l, const struct place *p, void *object)
{
	interval_load(l, p, &((struct raw_bfd *)object)->c.receive_us);
}

void bfd_transmit_load(struct loader *l, const struct place *p, void *object)
{
	interval_load(l, p, &((struct raw_bfd *)object)->c.transmit_us);
}

void bfd_echo_interval_load(struct loader *l, const struct place *p, void *object)
{
	static const struct field ms = { .min = 10, .max = 60000, .unit = "ms" };
	uint64_t v;

	if (!value_uint(l, p, &ms, &v))
		return;
	struct raw_bfd *raw = object;
	raw->c.echo_us = (uint32_t)v * 1000;
	raw->echo_interval_at = place_keep(l->scratch, p);
}

static const struct field bfd_fields[] = {
	{ "name", FIELD_TEXT, "the name that peers refer to", AT(struct raw_bfd, c.name),
	  .required = true },
	{ "receive-interval", FIELD_OWN, "how often we can take a packet",
	  .shape = "integer, 10 to 60000 ms; or a duration, 1ms to 1m0s", .preset_text = "300",
	  .load = bfd_receive_load },
	{ "transmit-interval", FIELD_OWN, "how often we want to send one",
	  .shape = "integer, 10 to 60000 ms; or a duration, 1ms to 1m0s", .preset_text = "300",
	  .load = bfd_transmit_load },
	{ "detect-multiplier", FIELD_UINT,
	  "packets in a row whose loss means that the path is down",
	  AT(struct raw_bfd, c.detect_mult), .min = 2, .max = 255, .preset = "3" },
	{ "echo-interval", FIELD_OWN, "pace of echo packets", .shape = "integer, 10 to 60000 ms",
	  .preset_text = "50", .load = bfd_echo_interval_load },
	{ "echo-mode", FIELD_BOOL,
	  "packets that the neighbour loops back, and looping back its own; single hop",
	  AT(struct raw_bfd, c.echo), .preset = "false" },
	{ "passive-mode", FIELD_BOOL, "wait for the neighbour's first packet",
	  AT(struct raw_bfd, c.passive), .preset = "false" },
	{ "minimum-ttl", FIELD_UINT, "lowest TTL that is accepted on a multihop session",
	  AT(struct raw_bfd, c.min_ttl), .min = 1, .max = 254, .preset = "254" },
	{ "demand-mode", FIELD_BOOL, "ask the neighbour to be quiet while all is well, and poll it",
	  AT(struct raw_bfd, c.demand), .preset = "false" },
	{ "hold-down", FIELD_DURATION, "a session that was lost stays down for so long",
	  AT(struct raw_bfd, c.hold_down), .preset = "0s", .max = 3600000000000 },
	{ "authentication", FIELD_MAP, "how control packets are proven genuine",
	  AT(struct raw_bfd, auth), .level = &level_bfd_auth },
};

/* Intervals have two spellings, so their default is not one of the rows'. */
void bfd_preset(void *object)
{
	struct cfg_bfd_profile *c = &((struct raw_bfd *)object)->c;

	c->receive_us = 300000;
	c->transmit_us = 300000;
	c->echo_us = 50000;
}

const struct level level_bfd_profile = {
	.noun = "a BFD profile",
	.fields = bfd_fields,
	.n = ARRAY_LEN(bfd_fields),
	.object_size = sizeof(struct raw_bfd),
	.preset = bfd_preset,
	.take = profile_take,
};

/* A name goes into logs, metrics and command lines: one word. */
static void peer_name_check(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;
	const char *name = raw->c.name;

	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f) {
			load_error(l, p, "a name is one word", "'%.60s' holds a space", name);
			return;
		}
	if (strlen(name) > NAME_LEN_MAX)
		load_error(l, p, NULL, "a name has at most %d characters", NAME_LEN_MAX);
}

/* "fe80::1%eth0": the link that a link-local address belongs to is part of the address. */
void peer_address_load(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;
	const char *text, *zone = NULL;

	if (!value_peek(l, p, &text))
		return;
	const char *percent = strchr(text, '%');
	if (!percent) {
		(void)value_address(l, p, &raw->c.addr);
		return;
	}
	char *address = arena_strndup(l->scratch, text, (size_t)(percent - text));
	zone = percent + 1;
	if (addr_parse(address, &raw->c.addr) < 0 || !addr_is_link_local(&raw->c.addr) ||
	    raw->c.addr.family != FAMILY_V6) {
		load_error(l, p, "only an IPv6 link-local address names its link, as fe80::1%eth0",
			   "'%.60s' is not an IP address", text);
		raw->c.addr = (struct addr){ 0 };
		return;
	}
	if (check_link_name(l, p, zone))
		raw->c.zone = arena_strdup(l->arena, zone);
}

void peer_interface_check(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;

	if (!check_link_name(l, p, raw->c.interface))
		raw->c.interface = NULL;
}

/* Whole seconds, as MetalLB cuts them; what would come out as "no hold time" by accident is an
 * error. */
void peer_hold_check(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;
	struct dur asked = raw->c.hold;

	raw->c.hold = DUR_S(asked.ns / DUR_S(1).ns);
	if (asked.ns && raw->c.hold.ns == 0)
		load_error(l, p, "0s switches the timer off; otherwise 3s or more",
			   "a hold time of %s is under a second", DUR_TEXT(asked));
	else if (raw->c.hold.ns && raw->c.hold.ns < DUR_S(3).ns)
		load_error(l, p, "0s switches the timer off; otherwise 3s or more",
			   "a hold time of %s is under 3 seconds", DUR_TEXT(asked));
	else if (raw->c.hold.ns > DUR_S(UINT16_MAX).ns) {
		load_warning(l, p, NULL, "a hold time fits into 16 bits: %d seconds are used",
			     UINT16_MAX);
		raw->c.hold = DUR_S(UINT16_MAX);
	}
}

void peer_keepalive_check(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;

	if (raw->c.keepalive.ns < 0)
		load_error(l, p, NULL, "%s is negative", DUR_TEXT(raw->c.keepalive));
	raw->c.keepalive = DUR_S(raw->c.keepalive.ns / DUR_S(1).ns);
}

void peer_router_id_check(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;

	check_router_id(l, p, &raw->c.router_id);
}

void peer_password_check(struct loader *l, const struct place *p, void *object)
{
	struct raw_peer *raw = object;

	if (strlen(raw->c.password) > PASSWORD_MAX)
		load_error(l, p, NULL, "TCP MD5 takes a password of at most %d bytes",
			   PASSWORD_MAX);
	if (!*raw->c.password)
		raw->c.password = NULL;
}

void peer_vrf_check(struct loader *l, const struct place *p, void *object)
{
	struct cfg_peer *c = &((struct raw_peer *)object)->c;
	const char *base = unmarked(l, c->vrf);

	if (base)
		load_error(l, p, issues_text(&l->issues, "did you mean '%.60s'?", base),
			   "'%.60s' is not a VRF's name", c->vrf);
	else
		(void)check_link_name(l, p, c->vrf);
}

void peer_connect_time_check(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_peer *c = &((struct raw_peer *)object)->c;

	if (c->connect_time.ns % DUR_S(1).ns)
		load_error(l, p, "1s to 65535s", "%s is not whole seconds",
			   DUR_TEXT(c->connect_time));
}

const struct word peer_dynamic_words[] = {
	{ "internal", CFG_ASN_INTERNAL },
	{ "external", CFG_ASN_EXTERNAL },
	{ 0 },
};

void peer_ttl_security_load(struct loader *l, const struct place *p, void *object)
{
	static const struct field range = { .min = 1, .max = 254 };
	struct cfg_peer *c = &((struct raw_peer *)object)->c;
	uint64_t hops;

	if (p->at->text && strcmp(p->at->text, "off") == 0)
		return;
	if (value_uint(l, p, &range, &hops))
		c->ttl_security = (uint8_t)hops;
}

/* RFC 4724 §3: 12 bits. What `on` means is FRR's default. */
bool restart_value(struct loader *l, const struct place *p, struct dur *out)
{
	static const char *const off[] = { "off", "false", "no", "0" };
	static const char *const on[] = { "on", "true", "yes" };
	const char *text;

	if (!value_peek(l, p, &text))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(off); i++)
		if (strcmp(text, off[i]) == 0) {
			*out = DUR_S(0);
			return true;
		}
	*out = DUR_S(120);
	for (size_t i = 0; i < ARRAY_LEN(on); i++)
		if (strcmp(text, on[i]) == 0)
			return true;
	if (!value_duration(l, p, out))
		return false;
	if (out->ns >= 0 && out->ns <= DUR_S(4095).ns && out->ns % DUR_S(1).ns == 0)
		return true;
	load_error(l, p, "on is 120s", "%s is not whole seconds up to 4095s", DUR_TEXT(*out));
	return false;
}

void peer_restart_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_peer *c = &((struct raw_peer *)object)->c;

	c->restart_given = restart_value(l, p, &c->restart);
}

static void next_hop_put(struct loader *l, const struct place *p, struct cfg_peer *c)
{
	struct addr a;

	if (!value_address(l, p, &a))
		return;
	struct addr *slot = a.family == FAMILY_V4 ? &c->next_hop4 : &c->next_hop6;
	if (addr_is_set(slot))
		load_error(l, p, "one for IPv4, one for IPv6", "a second next hop of one family");
	else if (addr_is_unspecified(&a))
		load_error(l, p, "write self", "%s is no next hop", ADDR_TEXT(&a));
	else
		*slot = a;
}

/* "self", an address, or one of each family. */
void peer_next_hop_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_peer *c = &((struct raw_peer *)object)->c;

	if (p->at->text && (!*p->at->text || strcmp(p->at->text, "self") == 0))
		return;
	if (p->at->kind != DOC_LIST) {
		next_hop_put(l, p, c);
		return;
	}
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		next_hop_put(l, &at, c);
	}
}

static const struct word role_words[] = {
	{ "provider", CFG_ROLE_PROVIDER },   { "rs", CFG_ROLE_RS },
	{ "rs-client", CFG_ROLE_RS_CLIENT }, { "customer", CFG_ROLE_CUSTOMER },
	{ "peer", CFG_ROLE_PEER },	     { 0 },
};

static const struct field peer_fields[] = {
	{ "name", FIELD_TEXT, "what logs and commands call the peer", AT(struct raw_peer, c.name),
	  .preset_text = "peer-address, with the port where two peers share it",
	  .load = peer_name_check },
	{ "my-asn", FIELD_UINT, "our AS number", AT(struct raw_peer, c.my_asn), .min = 1,
	  .max = UINT32_MAX, .exact = true, .required = true },
	{ "peer-asn", FIELD_UINT, "the peer's AS number", AT(struct raw_peer, c.peer_asn), .min = 1,
	  .max = UINT32_MAX, .exact = true, .preset_text = "this or dynamic-asn is required" },
	{ "dynamic-asn", FIELD_WORD, "take the peer's AS number from what it says",
	  AT(struct raw_peer, c.dynamic_asn), .words = peer_dynamic_words },
	{ "local-asn", FIELD_UINT, "what the peer takes our AS for",
	  AT(struct raw_peer, c.local_asn), .min = 1, .max = UINT32_MAX, .exact = true,
	  .preset_text = "my-asn" },
	{ "peer-address", FIELD_OWN, "the peer's address", AT(struct raw_peer, c.addr),
	  .shape = "IP address; a link-local one names its link: `fe80::1%eth0`",
	  .preset_text = "this or interface is required", .load = peer_address_load },
	{ "peer-port", FIELD_UINT, "the peer's TCP port; 0 is 179", AT(struct raw_peer, c.port),
	  .max = UINT16_MAX, .preset = "179" },
	{ "source-address", FIELD_ADDRESS, "the address that we connect from",
	  AT(struct raw_peer, c.source), .preset_text = "the kernel's choice" },
	{ "hold-time", FIELD_DURATION,
	  "silence after which the session is lost; whole seconds, 0 or at least 3s",
	  AT(struct raw_peer, c.hold), .preset = "90s", .load = peer_hold_check },
	{ "keepalive-time", FIELD_DURATION, "pace of keepalives; whole seconds, at most hold-time",
	  AT(struct raw_peer, c.keepalive), .preset_text = "a third of hold-time",
	  .load = peer_keepalive_check },
	{ "router-id", FIELD_ADDRESS, "our BGP identifier; IPv4", AT(struct raw_peer, c.router_id),
	  .preset_text = "bgp.router-id, else from the session's address",
	  .load = peer_router_id_check },
	{ "node-selectors", FIELD_SELECTORS, "nodes that run this session",
	  AT(struct raw_peer, c.node_selectors), .preset_text = "all nodes" },
	{ "password", FIELD_TEXT, "TCP MD5 password", AT(struct raw_peer, c.password),
	  .any_text = true, .load = peer_password_check },
	{ "password-file", FIELD_TEXT, "a file that holds the password",
	  AT(struct raw_peer, c.password_file) },
	{ "bfd-profile", FIELD_TEXT, "watch the peer by BFD, with this profile",
	  AT(struct raw_peer, bfd_profile) },
	{ "ebgp-multihop", FIELD_BOOL, "the peer is more than one hop away",
	  AT(struct raw_peer, c.ebgp_multihop), .preset = "false" },
	{ "dual-stack", FIELD_BOOL, "carry both address families on this session",
	  AT(struct raw_peer, c.dual_stack), .preset = "false" },
	{ "interface", FIELD_TEXT,
	  "bind the session to this link or VRF device. Without a peer-address, the peer is the "
	  "router at the other end of the link",
	  AT(struct raw_peer, c.interface), .load = peer_interface_check },
	{ "passive", FIELD_BOOL, "wait for the peer to connect, at `bgp.listen`",
	  AT(struct raw_peer, c.passive), .preset = "false" },
	{ "ttl-security", FIELD_OWN,
	  "send with TTL 255, and accept packets from this many hops away only (RFC 5082); the "
	  "peer "
	  "has to do so too",
	  .shape = "integer, 1 to 254, or `off`", .preset_text = "off",
	  .load = peer_ttl_security_load },
	{ "delay-open", FIELD_DURATION, "wait so long for the peer's OPEN before ours is sent",
	  AT(struct raw_peer, c.delay_open), .preset = "0s", .max = 240000000000 },
	{ "vrf", FIELD_TEXT, "the VRF that the session runs in", AT(struct raw_peer, c.vrf),
	  .load = peer_vrf_check },
	{ "connect-time", FIELD_DURATION, "pause between attempts to connect; whole seconds",
	  AT(struct raw_peer, c.connect_time), .min = 1000000000, .max = 65535000000000,
	  .preset_text = "the session's own schedule", .load = peer_connect_time_check },
	{ "ttl", FIELD_UINT, "TTL of what we send to a peer of another AS",
	  AT(struct raw_peer, c.ttl), .min = 1, .max = 255, .preset_text = "the system's" },
	{ "tcp-ao", FIELD_MAP,
	  "keys of the TCP authentication option (RFC 5925), instead of a password; Linux 6.7 or "
	  "later with CONFIG_TCP_AO",
	  AT(struct raw_peer, tcp_ao), .level = &level_tcp_ao },
	{ "graceful-restart", FIELD_OWN,
	  "how long the peer keeps our routes while we restart (RFC 4724)",
	  .shape = "`off`, `on` (120s), or whole seconds up to 4095s",
	  .preset_text = "bgp.graceful-restart", .load = peer_restart_load },
	{ "role", FIELD_WORD,
	  "what we are to the peer (RFC 9234): told to it, and what does not fit its own is "
	  "refused",
	  AT(struct raw_peer, c.role), .words = role_words, .preset_text = "none is told" },
	{ "max-prefix", FIELD_UINT,
	  "a peer that announces more than so many prefixes is closed, and tried again a minute "
	  "later; 0 is any number",
	  AT(struct raw_peer, c.max_prefix), .max = 10000000, .preset = "0" },
	{ "next-hop", FIELD_OWN, "the next hop of what is announced",
	  .shape = "`self`, an address, or a list with one of each family", .preset_text = "self",
	  .load = peer_next_hop_load },
	{ "bfd-strict", FIELD_BOOL, "no BGP session before BFD is up",
	  AT(struct raw_peer, c.bfd_strict), .preset = "false" },
};

void peer_keepalive_rules(struct loader *l, const struct place *p, struct cfg_peer *c)
{
	struct place at = place_either(p, "keepalive-time", "keepaliveTime");

	if (c->keepalive.ns > c->hold.ns)
		load_error(l, &at, "leave it away for a third of the hold time",
			   "a keepalive time of %s is above the hold time of %s",
			   DUR_TEXT(c->keepalive), DUR_TEXT(c->hold));
	else if (c->keepalive.ns == 0 && c->hold.ns)
		load_warning(l, &at, "leave it away for a third of the hold time",
			     "without keepalives the peer's hold timer ends the session");
}

static void address_rules(struct loader *l, const struct place *p, const struct cfg_peer *c)
{
	if (addr_is_set(&c->source) && addr_is_set(&c->addr) &&
	    c->source.family != c->addr.family) {
		struct place at = place_either(p, "source-address", "sourceAddress");

		load_warning(l, &at, NULL, "the source and the peer are of different families");
	}
	if (c->addr.family == FAMILY_V6 && addr_is_link_local(&c->addr) && !c->zone &&
	    !c->interface) {
		struct place at = place_either(p, "peer-address", "peerAddress");

		load_warning(l, &at, "write it as fe80::1%eth0",
			     "a link-local address without its link");
	}
}

bool peer_is_external(const struct cfg_peer *c)
{
	if (c->dynamic_asn)
		return c->dynamic_asn == CFG_ASN_EXTERNAL;
	return c->my_asn != c->peer_asn;
}

void peer_common_rules(struct loader *l, const struct place *p, const struct cfg_peer *c)
{
	address_rules(l, p, c);
	if (c->role && c->my_asn && !peer_is_external(c)) {
		struct place at = place_field(p, "role");

		load_error(l, &at, "leave it away", "a role on a peer of our own AS %u", c->my_asn);
	}
	if (c->ttl_security && (c->ttl || c->ebgp_multihop)) {
		struct place at = place_field(p, "ttl-security");

		load_error(l, &at, "it says how far away the peer is",
			   "ttl-security and %s are both given", c->ttl ? "ttl" : "ebgp-multihop");
	}
	if (c->ebgp_multihop && c->my_asn && !peer_is_external(c)) {
		struct place at = place_either(p, "ebgp-multihop", "ebgpMultiHop");

		load_error(l, &at, "it is for peers of another AS", "%s on a peer of our own AS %u",
			   at.key, c->my_asn);
	}
}

/* One of the two; a null is an absent key, and so is a text without any. */
static void peer_asn_rule(struct loader *l, const struct place *p)
{
	const char *dynamic = doc_get_text(p->at, "dynamic-asn");
	struct place at = place_field(p, "dynamic-asn");
	bool is_dynamic = dynamic && *dynamic;

	if (!doc_get(p->at, "peer-asn") && !is_dynamic)
		load_error(l, p, "add peer-asn: the peer's AS number", "peer-asn is missing");
	else if (doc_get(p->at, "peer-asn") && is_dynamic)
		load_error(l, &at, "keep one of them", "peer-asn and dynamic-asn are both given");
}

/* Who has no address is found on the interface. */
static void peer_place_rule(struct loader *l, const struct place *p)
{
	const char *address = doc_get_text(p->at, "peer-address");
	const char *interface = doc_get_text(p->at, "interface");

	if (!(address && *address) && !(interface && *interface))
		load_error(l, p, "add it, or the interface of a peer that is found by itself",
			   "peer-address is missing");
}

static void peer_done(struct loader *l, const struct place *p, void *object)
{
	struct cfg_peer *c = &((struct raw_peer *)object)->c;
	const char *keepalive = doc_get_text(p->at, "keepalive-time");

	if (c->port == 0)
		c->port = 179;
	peer_asn_rule(l, p);
	peer_place_rule(l, p);
	if (keepalive && *keepalive)
		peer_keepalive_rules(l, p, c);
	else
		c->keepalive = DUR_NS(c->hold.ns / 3);
	peer_common_rules(l, p, c);
	if (c->password && c->password_file) {
		struct place at = place_field(p, "password-file");

		load_error(l, &at, "keep one of them", "password and password-file are both given");
	}
}

void peer_keep(struct loader *l, struct raw_peer *peer)
{
	mem_grow(l->peers, l->n_peers, l->cap_peers);
	l->peers[l->n_peers++] = peer;
}

static void peer_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_peer *raw = object;

	(void)parent;
	raw->at = p;
	peer_keep(l, raw);
}

const struct level level_peer = {
	.noun = "a peer",
	.fields = peer_fields,
	.n = ARRAY_LEN(peer_fields),
	.object_size = sizeof(struct raw_peer),
	.done = peer_done,
	.take = peer_take,
};
