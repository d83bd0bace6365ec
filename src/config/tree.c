#include "config/tree.h"

#include <string.h>

#include "config/print.h"
#include "config/tree_priv.h"

#define HIDDEN "(hidden)"

json_t *tree_texts(const struct cfg_texts *t)
{
	json_t *a = json_array();

	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(a, json_string(t->v[i]));
	return a;
}

json_t *tree_labels(const struct labels *l)
{
	json_t *o = json_object();

	for (size_t i = 0; i < l->n; i++)
		json_object_set_new(o, l->v[i].key, json_string(l->v[i].value));
	return o;
}

static json_t *tree_dur(struct dur d)
{
	return json_string(DUR_TEXT(d));
}

void tree_set_text(json_t *o, const char *key, const char *text)
{
	if (text)
		json_object_set_new(o, key, json_string(text));
}

static void set_addr(json_t *o, const char *key, const struct addr *a)
{
	if (addr_is_set(a))
		json_object_set_new(o, key, json_string(ADDR_TEXT(a)));
}

static json_t *tree_endpoint(const struct cfg_endpoint *ep)
{
	char text[ADDR_PORT_TEXT_MAX];

	return json_string(addr_port_format(&ep->addr, ep->port, text));
}

static json_t *tree_term(const struct selector_term *t)
{
	const struct cfg_texts values = { .v = t->values, .n = t->n_values };
	json_t *o = json_pack("{s:s, s:s}", "key", t->key, "operator", selector_op_name(t->op));

	if (t->n_values)
		json_object_set_new(o, "values", tree_texts(&values));
	return o;
}

json_t *tree_selector(const struct selector *s)
{
	json_t *terms = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(terms, tree_term(&s->terms[i]));
	return json_pack("{s:o}", "match-expressions", terms);
}

void tree_set_selectors(json_t *o, const char *key, const struct selectors *s)
{
	/* One without conditions says of nodes what none says. */
	bool any_node = s->n == 1 && s->v[0].n == 0 && strcmp(key, "node-selectors") == 0;

	if (!s->n || any_node)
		return;
	json_t *list = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(list, tree_selector(&s->v[i]));
	json_object_set_new(o, key, list);
}

/* Milliseconds where MetalLB's spelling can say it. */
static json_t *tree_interval(uint32_t us)
{
	if (us % 1000 == 0 && us >= 10000)
		return json_integer(us / 1000);
	return tree_dur(DUR_US(us));
}

static json_t *tree_bfd_auth(const struct cfg_bfd_auth *a, bool secrets)
{
	static const char *const types[] = {
		[CFG_BFD_AUTH_NONE] = "none",
		[CFG_BFD_SIMPLE] = "simple",
		[CFG_BFD_KEYED_MD5] = "keyed-md5",
		[CFG_BFD_METICULOUS_MD5] = "meticulous-keyed-md5",
		[CFG_BFD_KEYED_SHA1] = "keyed-sha1",
		[CFG_BFD_METICULOUS_SHA1] = "meticulous-keyed-sha1",
	};
	json_t *keys = json_array();

	for (size_t i = 0; i < a->n_keys; i++) {
		const struct cfg_bfd_key *k = &a->keys[i];
		json_t *key = json_pack("{s:i}", "id", k->id);

		tree_set_text(key, "secret", k->secret && !secrets ? HIDDEN : k->secret);
		tree_set_text(key, "secret-file", k->secret_file);
		json_array_append_new(keys, key);
	}
	return json_pack("{s:s, s:o}", "type", types[a->type], "keys", keys);
}

json_t *tree_bfd_profile(const struct cfg_bfd_profile *b, bool secrets)
{
	json_t *o = json_pack("{s:s, s:o, s:o, s:i, s:b, s:i, s:b, s:i, s:b, s:o}", "name", b->name,
			      "receive-interval", tree_interval(b->receive_us), "transmit-interval",
			      tree_interval(b->transmit_us), "detect-multiplier", b->detect_mult,
			      "passive-mode", b->passive, "minimum-ttl", b->min_ttl, "echo-mode",
			      b->echo, "echo-interval", b->echo_us / 1000, "demand-mode", b->demand,
			      "hold-down", tree_dur(b->hold_down));

	if (b->auth.type != CFG_BFD_AUTH_NONE)
		json_object_set_new(o, "authentication", tree_bfd_auth(&b->auth, secrets));
	return o;
}

static void set_peer_address(json_t *o, const struct cfg_peer *p)
{
	if (p->zone)
		json_object_set_new(o, "peer-address",
				    json_sprintf("%s%%%s", ADDR_TEXT(&p->addr), p->zone));
	else
		set_addr(o, "peer-address", &p->addr);
}

static void set_peer_asn(json_t *o, const struct cfg_peer *p)
{
	static const char *const words[] = {
		[CFG_ASN_INTERNAL] = "internal",
		[CFG_ASN_EXTERNAL] = "external",
	};

	if (p->dynamic_asn == CFG_ASN_FIXED)
		json_object_set_new(o, "peer-asn", json_integer(p->peer_asn));
	else
		tree_set_text(o, "dynamic-asn", words[p->dynamic_asn]);
	if (p->local_asn)
		json_object_set_new(o, "local-asn", json_integer(p->local_asn));
}

static json_t *tree_restart(struct dur d)
{
	return d.ns ? tree_dur(d) : json_string("off");
}

static void set_next_hop(json_t *o, const struct cfg_peer *p)
{
	json_t *hops = json_array();

	if (addr_is_set(&p->next_hop4))
		json_array_append_new(hops, json_string(ADDR_TEXT(&p->next_hop4)));
	if (addr_is_set(&p->next_hop6))
		json_array_append_new(hops, json_string(ADDR_TEXT(&p->next_hop6)));
	if (json_array_size(hops))
		json_object_set(o, "next-hop", hops);
	json_decref(hops);
}

/* What MetalLB has no word for, where it is used. */
static json_t *tree_tcp_ao(const struct cfg_tcp_ao *ao, bool secrets)
{
	static const char *const algorithms[] = {
		[CFG_AO_HMAC_SHA1_96] = "hmac-sha1-96",
		[CFG_AO_AES_128_CMAC_96] = "aes-128-cmac-96",
	};
	json_t *keys = json_array();

	for (size_t i = 0; i < ao->n_keys; i++) {
		const struct cfg_ao_key *k = &ao->keys[i];
		json_t *key = json_pack("{s:i, s:i, s:s}", "send-id", k->send_id, "receive-id",
					k->receive_id, "algorithm", algorithms[k->algorithm]);

		tree_set_text(key, "secret", k->secret && !secrets ? HIDDEN : k->secret);
		tree_set_text(key, "secret-file", k->secret_file);
		json_array_append_new(keys, key);
	}
	return json_pack("{s:o}", "keys", keys);
}

static void set_peer_own(json_t *o, const struct cfg_peer *p)
{
	static const char *const roles[] = {
		[CFG_ROLE_PROVIDER] = "provider",   [CFG_ROLE_RS] = "rs",
		[CFG_ROLE_RS_CLIENT] = "rs-client", [CFG_ROLE_CUSTOMER] = "customer",
		[CFG_ROLE_PEER] = "peer",
	};

	if (p->ttl_security)
		json_object_set_new(o, "ttl-security", json_integer(p->ttl_security));
	if (p->passive)
		json_object_set_new(o, "passive", json_true());
	if (p->delay_open.ns)
		json_object_set_new(o, "delay-open", tree_dur(p->delay_open));
	tree_set_text(o, "role", roles[p->role]);
	if (p->restart_given)
		json_object_set_new(o, "graceful-restart", tree_restart(p->restart));
	if (p->max_prefix)
		json_object_set_new(o, "max-prefix", json_integer(p->max_prefix));
	set_next_hop(o, p);
}

json_t *tree_peer(const struct cfg_peer *p, bool secrets)
{
	json_t *o = json_pack("{s:s, s:I}", "name", p->name, "my-asn", (json_int_t)p->my_asn);

	set_peer_asn(o, p);
	set_peer_address(o, p);
	json_object_set_new(o, "peer-port", json_integer(p->port));
	json_object_set_new(o, "hold-time", tree_dur(p->hold));
	json_object_set_new(o, "ebgp-multihop", json_boolean(p->ebgp_multihop));
	json_object_set_new(o, "dual-stack", json_boolean(p->dual_stack));
	set_addr(o, "source-address", &p->source);
	set_addr(o, "router-id", &p->router_id);
	/* A third of the hold time need not be whole seconds; what is written is cut to them. */
	if (p->keepalive.ns % DUR_S(1).ns == 0)
		json_object_set_new(o, "keepalive-time", tree_dur(p->keepalive));
	tree_set_selectors(o, "node-selectors", &p->node_selectors);
	tree_set_text(o, "password", p->password && !secrets ? HIDDEN : p->password);
	tree_set_text(o, "password-file", p->password_file);
	if (p->tcp_ao.n_keys)
		json_object_set_new(o, "tcp-ao", tree_tcp_ao(&p->tcp_ao, secrets));
	tree_set_text(o, "bfd-profile", p->bfd ? p->bfd->name : NULL);
	if (p->bfd_strict)
		json_object_set_new(o, "bfd-strict", json_true());
	tree_set_text(o, "interface", p->interface);
	tree_set_text(o, "vrf", p->vrf);
	if (p->connect_time.ns)
		json_object_set_new(o, "connect-time", tree_dur(p->connect_time));
	if (p->ttl)
		json_object_set_new(o, "ttl", json_integer(p->ttl));
	set_peer_own(o, p);
	return o;
}

/* A URL may name a user and a password: what stands before the last @ of its authority (RFC 3986 §3.2.1). */
static json_t *tree_url(const char *url, bool secrets)
{
	const char *at = strstr(url, "://") + 3;
	size_t authority = strcspn(at, "/?#");
	const char *host = memrchr(at, '@', authority);

	if (secrets || !host)
		return json_string(url);
	return json_sprintf("%.*s" HIDDEN "%s", (int)(at - url), url, host);
}

static void set_health(json_t *o, const struct cfg_health *h, bool secrets)
{
	bool http = h->kind == CFG_HEALTH_HTTP;

	if (h->kind == CFG_HEALTH_NONE)
		return;
	json_object_set_new(o, "health-check",
			    json_pack("{s:o, s:o, s:o, s:I, s:I}", http ? "http" : "tcp",
				      http ? tree_url(h->target, secrets) : json_string(h->target),
				      "interval", tree_dur(h->interval), "timeout",
				      tree_dur(h->timeout), "rise", (json_int_t)h->rise, "fall",
				      (json_int_t)h->fall));
}

static void set_ports(json_t *o, const struct cfg_service *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_ports; i++) {
		const struct cfg_port *p = &s->ports[i];
		const char *name = p->protocol == CFG_UDP    ? "udp"
				   : p->protocol == CFG_SCTP ? "sctp"
							     : "tcp";

		json_array_append_new(list, json_sprintf("%u/%s", p->port, name));
	}
	if (s->n_ports)
		json_object_set(o, "ports", list);
	json_decref(list);
}

static void set_addresses(json_t *o, const struct cfg_service *s)
{
	json_t *list = json_array(), *families = json_array();

	for (size_t i = 0; i < s->n_addresses; i++)
		json_array_append_new(list, json_string(ADDR_TEXT(&s->addresses[i])));
	if (s->n_addresses)
		json_object_set(o, "addresses", list);
	if (s->want_v4)
		json_array_append_new(families, json_string("IPv4"));
	if (s->want_v6)
		json_array_append_new(families, json_string("IPv6"));
	if (json_array_size(families))
		json_object_set(o, "ip-families", families);
	json_decref(list);
	json_decref(families);
}

static void set_preferred(json_t *o, const struct cfg_service *s)
{
	if (!s->n_preferred)
		return;
	json_t *nodes = json_object();
	for (size_t i = 0; i < s->n_preferred; i++)
		json_object_set_new(nodes, s->preferred[i].node,
				    json_integer(s->preferred[i].weight));
	json_object_set_new(o, "preferred-nodes", nodes);
}

json_t *tree_service(const struct cfg_service *s, bool secrets)
{
	json_t *o = json_object();

	tree_set_text(o, "name", s->name);
	if (s->labels.n)
		json_object_set_new(o, "labels", tree_labels(&s->labels));
	tree_set_text(o, "address-pool", s->pool);
	set_addresses(o, s);
	if (s->protocol != CFG_PROTOCOL_UNSET)
		tree_set_text(o, "protocol", s->protocol == CFG_BGP ? "bgp" : "layer2");
	tree_set_text(o, "allow-shared-ip", s->sharing_key);
	set_ports(o, s);
	set_health(o, &s->health, secrets);
	tree_set_text(o, "bind",
		      s->bind == CFG_BIND_LINK	 ? s->bind_link
		      : s->bind == CFG_BIND_NONE ? "none"
						 : "auto");
	tree_set_text(o, "external-traffic-policy",
		      s->traffic_policy == CFG_TRAFFIC_LOCAL ? "Local" : "Cluster");
	tree_set_selectors(o, "node-selectors", &s->node_selectors);
	set_preferred(o, s);
	return o;
}

static json_t *tree_fast_detection(const struct cfg_fast_detection *f)
{
	if (f->off)
		return json_string("off");
	return json_pack("{s:i, s:o, s:i}", "port", (int)f->port, "interval", tree_dur(f->interval),
			 "multiplier", (int)f->multiplier);
}

static json_t *tree_cluster(const struct cfg_cluster *c)
{
	json_t *join = json_array();

	for (size_t i = 0; i < c->n_join; i++)
		json_array_append_new(join, tree_endpoint(&c->join[i]));
	json_t *o = json_pack("{s:o, s:o}", "bind", tree_endpoint(&c->bind), "join", join);
	tree_set_text(o, "secret-file", c->secret_file);
	json_object_set_new(o, "fast-detection", tree_fast_detection(&c->fast_detection));
	json_object_set_new(o, "quorum", json_boolean(c->quorum));
	return o;
}

static json_t *tree_allocation(const struct cfg *c)
{
	return json_pack("{s:b, s:o}", "sticky", c->allocation.sticky, "rest",
			 tree_dur(c->allocation.rest));
}

static json_t *tree_fast_path(enum cfg_fast_path which)
{
	static const char *const words[] = {
		[CFG_FAST_AUTO] = "auto", [CFG_FAST_XDP] = "xdp", [CFG_FAST_SOCKET] = "socket"
	};

	return json_string(words[which]);
}

static json_t *tree_l2(const struct cfg_l2 *c)
{
	static const char *const allmulti[] = {
		[CFG_ALLMULTI_AUTO] = "auto", [CFG_ALLMULTI_ON] = "on", [CFG_ALLMULTI_OFF] = "off"
	};
	static const char *const probe[] = { [CFG_PROBE_NEVER] = "false",
					     [CFG_PROBE_FIRST] = "true",
					     [CFG_PROBE_ALWAYS] = "always" };
	json_t *o = json_pack(
		"{s:o, s:b, s:s, s:s}", "exclude-interfaces", tree_texts(&c->exclude_interfaces),
		"conflict-detection", c->conflict_detection, "on-conflict",
		c->on_conflict == CFG_CONFLICT_YIELD ? "yield" : "keep", "probe", probe[c->probe]);

	json_object_set_new(o, "preempt", json_boolean(c->preempt));
	json_object_set_new(o, "linger", tree_dur(c->linger));
	json_object_set_new(o, "end-connections", json_boolean(c->end_connections));
	json_object_set_new(o, "answer-ping", json_boolean(c->answer_ping));
	json_object_set_new(o, "allmulti", json_string(allmulti[c->allmulti]));
	json_object_set_new(o, "fast-path", tree_fast_path(c->fast_path));
	json_object_set_new(o, "refresh", tree_dur(c->refresh));
	json_object_set_new(o, "announce-rate", json_integer(c->announce_rate));
	return o;
}

json_t *tree_settings(const struct cfg *c)
{
	json_t *o = json_pack("{s:{s:s, s:o}}", "node", "name", c->node.name, "labels",
			      tree_labels(&c->node.labels));

	if (c->cluster.enabled)
		json_object_set_new(o, "cluster", tree_cluster(&c->cluster));
	json_t *bgp = json_object();
	set_addr(bgp, "router-id", &c->bgp.router_id);
	json_object_set_new(bgp, "graceful-restart", tree_restart(c->bgp.restart));
	json_object_set_new(bgp, "long-lived-restart", tree_restart(c->bgp.long_lived));
	json_object_set_new(bgp, "listen",
			    c->bgp.listen.port ? tree_endpoint(&c->bgp.listen)
					       : json_string("none"));
	json_object_set_new(o, "bgp", bgp);
	json_object_set_new(o, "bfd",
			    json_pack("{s:s, s:s, s:o}", "real-time",
				      c->bfd.real_time == CFG_OFF ? "off" : "auto", "raw-send",
				      c->bfd.raw_send == CFG_OFF ? "off" : "auto", "fast-path",
				      tree_fast_path(c->bfd.fast_path)));
	json_object_set_new(o, "l2", tree_l2(&c->l2));
	json_object_set_new(
		o, "control",
		json_pack("{s:s, s:s}", "socket", c->control.socket, "group", c->control.group));
	json_object_set_new(
		o, "http",
		json_pack("{s:o}", "listen",
			  c->http.off ? json_string("none") : tree_endpoint(&c->http.at)));
	json_object_set_new(o, "allocation", tree_allocation(c));
	json_object_set_new(
		o, "kubernetes",
		json_pack("{s:s, s:o, s:s, s:s, s:b, s:s}", "kubeconfig", c->kubernetes.kubeconfig,
			  "servers", tree_texts(&c->kubernetes.servers), "namespace",
			  c->kubernetes.namespace, "lb-class", c->kubernetes.lb_class,
			  "ignore-exclude-lb", c->kubernetes.ignore_exclude_lb, "ip-mode",
			  c->kubernetes.ip_mode == CFG_IP_MODE_PROXY ? "Proxy" : "VIP"));
	json_object_set_new(o, "log",
			    json_pack("{s:s, s:s}", "format",
				      c->log.format == LOG_JSON ? "json" : "text", "level",
				      log_level_name(c->log.level)));
	return o;
}

json_t *tree_services(const struct cfg *c, bool secrets)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_services; i++)
		json_array_append_new(list, tree_service(&c->services[i], secrets));
	return list;
}

json_t *tree_network(const struct cfg_network *n, bool secrets)
{
	json_t *o = json_pack("{s:s}", "prefix", PREFIX_TEXT(&n->prefix));
	json_t *route = tree_network_adv(&n->adv);

	json_object_update(o, route);
	json_decref(route);
	set_addr(o, "next-hop", &n->next_hop);
	set_health(o, &n->health, secrets);
	return o;
}

json_t *tree_networks(const struct cfg *c, bool secrets)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_networks; i++)
		json_array_append_new(list, tree_network(&c->networks[i], secrets));
	return list;
}

json_t *tree_peers(const struct cfg *c, bool secrets)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_peers; i++)
		json_array_append_new(list, tree_peer(&c->peers[i], secrets));
	return list;
}

json_t *tree_bfd_profiles(const struct cfg *c, bool secrets)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_bfd_profiles; i++)
		json_array_append_new(list, tree_bfd_profile(&c->bfd_profiles[i], secrets));
	return list;
}

json_t *cfg_to_json(const struct cfg *c, bool secrets)
{
	json_t *o = tree_settings(c);

	json_object_set_new(o, "bfd-profiles", tree_bfd_profiles(c, secrets));
	json_object_set_new(o, "peers", tree_peers(c, secrets));
	json_object_set_new(o, "address-pools", tree_pools(c));
	json_object_set_new(o, "l2-advertisements", tree_l2_advs(c));
	json_object_set_new(o, "bgp-advertisements", tree_bgp_advs(c));
	json_object_set_new(o, "services", tree_services(c, secrets));
	json_object_set_new(o, "networks", tree_networks(c, secrets));
	return o;
}
