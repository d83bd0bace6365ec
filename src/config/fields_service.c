/* Standalone services: what one may say. The rules between objects are in resolve_services.c. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/loader.h"
#include "config/value.h"

#define DNS_LABEL_MAX 63

static bool is_dns_label(const char *s)
{
	size_t len = strlen(s);

	if (!len || len > DNS_LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static void service_name_check(struct loader *l, const struct place *p, void *object)
{
	const char *name = ((struct raw_service *)object)->c.name;

	if (!is_dns_label(name))
		load_error(l, p, "small letters, digits and '-', at most 63",
			   "'%.100s' cannot name a service", name);
}

static void address_add(struct loader *l, const struct place *p, struct raw_service *raw)
{
	struct addr a;

	if (!value_address(l, p, &a))
		return;
	if (addr_is_unspecified(&a) || addr_is_multicast(&a) || addr_is_loopback(&a)) {
		load_error(l, p, "an address that one host can own",
			   "%s cannot be announced for a service", ADDR_TEXT(&a));
		return;
	}
	raw->address_at[raw->n_addresses] = place_keep(l->scratch, p);
	raw->addresses[raw->n_addresses++] = a;
}

static void addresses_room(struct loader *l, struct raw_service *raw, size_t n)
{
	raw->n_addresses = 0;
	raw->addresses = arena_new_n(l->arena, struct addr, n);
	raw->address_at = arena_new_n(l->scratch, const struct place *, n);
}

static void address_load(struct loader *l, const struct place *p, void *object)
{
	addresses_room(l, object, 1);
	address_add(l, p, object);
}

static void addresses_load(struct loader *l, const struct place *p, void *object)
{
	if (!value_is(l, p, DOC_LIST))
		return;
	const struct place *list = place_keep(l->scratch, p);
	addresses_room(l, object, p->at->n_items);
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(list, i, p->at->items[i]);

		address_add(l, &at, object);
	}
}

static void families_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_service *c = &((struct raw_service *)object)->c;
	const char *text;

	if (!value_is(l, p, DOC_LIST))
		return;
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		if (!value_peek(l, &at, &text))
			continue;
		bool v4 = strcmp(text, "IPv4") == 0, v6 = strcmp(text, "IPv6") == 0;
		if (!v4 && !v6)
			load_error(l, &at, "IPv4 or IPv6", "'%.60s' is not an address family",
				   text);
		else if (v4 ? c->want_v4 : c->want_v6)
			load_error(l, &at, "keep one of them", "%s is given twice", text);
		c->want_v4 |= v4;
		c->want_v6 |= v6;
	}
}

static bool port_parse(const char *text, struct cfg_port *out)
{
	static const struct {
		const char *name;
		enum cfg_ip_protocol protocol;
	} names[] = { { "tcp", CFG_TCP }, { "udp", CFG_UDP }, { "sctp", CFG_SCTP } };
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	unsigned long port = strtoul(text, &end, 10);
	if (port < 1 || port > UINT16_MAX || *end != '/')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(end + 1, names[i].name) == 0) {
			*out = (struct cfg_port){ (uint16_t)port, names[i].protocol };
			return true;
		}
	return false;
}

static void port_add(struct loader *l, const struct place *p, struct cfg_port *v, size_t *n)
{
	const char *text;
	struct cfg_port port;

	if (!value_peek(l, p, &text))
		return;
	if (!port_parse(text, &port)) {
		bool bare = *text && strspn(text, "0123456789") == strlen(text);

		load_error(
			l, p,
			bare ? issues_text(&l->issues, "write %.20s/tcp or %.20s/udp", text, text)
			     : "such as 443/tcp, 53/udp or 36412/sctp",
			"'%.60s' is not a port", text);
		return;
	}
	for (size_t i = 0; i < *n; i++)
		if (v[i].port == port.port && v[i].protocol == port.protocol) {
			load_error(l, p, "keep one of them", "port %.60s is given twice", text);
			return;
		}
	v[(*n)++] = port;
}

#define PORTS_MAX 1000 /* each is compared with each */

static void ports_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_service *c = &((struct raw_service *)object)->c;

	if (!value_is(l, p, DOC_LIST))
		return;
	if (p->at->n_items > PORTS_MAX) {
		load_error(l, p, NULL, "a service has at most %d ports", PORTS_MAX);
		return;
	}
	struct cfg_port *v = arena_new_n(l->arena, struct cfg_port, p->at->n_items);
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		port_add(l, &at, v, &c->n_ports);
	}
	c->ports = v;
}

/* host, host:port or [address]:port; whose name it is turns out when it is asked. */
static bool is_host_and_port(const char *s, size_t n)
{
	size_t host = *s == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":/?#");

	if (host == 0 || host >= n)
		return host == n && n > 0;
	size_t digits = strspn(s + host + 1, "0123456789");
	return s[host] == ':' && digits > 0 && digits <= 5 && host + 1 + digits == n &&
	       strtoul(s + host + 1, NULL, 10) <= UINT16_MAX;
}

static bool is_url(const char *text)
{
	const char *at = strncasecmp(text, "http://", 7) == 0	 ? text + 7
			 : strncasecmp(text, "https://", 8) == 0 ? text + 8
								 : "";
	size_t n = strcspn(at, "/?#");
	const char *host = memrchr(at, '@', n);

	host = host ? host + 1 : at;
	return !strpbrk(text, " \t\r\n") && is_host_and_port(host, (size_t)(at + n - host));
}

static void http_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_health *h = object;
	const char *text;

	if (!value_peek(l, p, &text))
		return;
	if (!is_url(text)) {
		load_error(l, p, "such as http://127.0.0.1:8080/healthz",
			   "this is not a URL of a host");
		return;
	}
	h->kind = CFG_HEALTH_HTTP;
	h->target = arena_strdup(l->arena, text);
}

static void tcp_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_health *h = object;
	struct cfg_endpoint ep = { 0 };

	if (!value_endpoint(l, p, &ep))
		return;
	if (!ep.port) {
		load_error(l, p, "such as 127.0.0.1:5432", "the port is missing");
		return;
	}
	h->kind = CFG_HEALTH_TCP;
	h->tcp = ep;
	h->target = arena_strdup(l->arena, p->at->text);
}

static void health_done(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_health *h = object;
	int kinds = !!doc_get(p->at, "http") + !!doc_get(p->at, "tcp") + !!doc_get(p->at, "exec");

	if (kinds != 1)
		load_error(l, p, "http: URL, or tcp: address:port",
			   kinds ? "a health check has one target"
				 : "the health check says nothing about what to probe");
	if (h->timeout.ns > h->interval.ns) {
		struct place at =
			place_field(p, doc_get(p->at, "timeout") ? "timeout" : "interval");

		load_error(l, &at, "one probe ends before the next begins",
			   "the timeout of %s is longer than the interval of %s",
			   DUR_TEXT(h->timeout), DUR_TEXT(h->interval));
	}
}

static const struct not_built no_exec = { NULL, "http: and tcp: work" };

static const struct field health_fields[] = {
	{ "http", FIELD_OWN, "a URL that answers 200 to 399 when the service is well",
	  .shape = "URL", .load = http_load },
	{ "tcp", FIELD_OWN, "an address and port that accepts connections when the service is well",
	  .shape = "address:port", .load = tcp_load },
	{ "exec", FIELD_TEXT, "a program that exits with 0 when the service is well",
	  .not_built = &no_exec },
	{ "interval", FIELD_DURATION, "time between probes", AT(struct cfg_health, interval),
	  .min = 10000000, .max = 3600000000000, .preset = "1s" },
	{ "timeout", FIELD_DURATION, "a probe that takes longer has failed",
	  AT(struct cfg_health, timeout), .min = 1000000, .max = 3600000000000, .preset = "500ms" },
	{ "rise", FIELD_UINT, "good probes in a row that make the service healthy",
	  AT(struct cfg_health, rise), .min = 1, .max = 1000, .preset = "2" },
	{ "fall", FIELD_UINT, "bad probes in a row that make it unhealthy",
	  AT(struct cfg_health, fall), .min = 1, .max = 1000, .preset = "3" },
};

const struct level level_health = {
	.noun = "a health check",
	.fields = health_fields,
	.n = ARRAY_LEN(health_fields),
	.object_size = sizeof(struct cfg_health),
	.done = health_done,
};

static void bind_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_service *c = &((struct raw_service *)object)->c;
	const char *text;

	if (!value_peek(l, p, &text))
		return;
	c->bind = CFG_BIND_AUTO;
	if (strcmp(text, "none") == 0) {
		c->bind = CFG_BIND_NONE;
	} else if (strcmp(text, "auto") != 0 && *text && check_link_name(l, p, text)) {
		c->bind = CFG_BIND_LINK;
		c->bind_link = arena_strdup(l->arena, text);
	}
}

static void policy_check(struct loader *l, const struct place *p, void *object)
{
	if (((struct raw_service *)object)->c.traffic_policy == CFG_TRAFFIC_LOCAL)
		load_error(
			l, p, "Cluster works; health-check keeps a node out that does not serve",
			"external-traffic-policy: Local of a standalone service is not built yet");
}

static void preferred_load(struct loader *l, const struct place *p, void *object)
{
	static const struct field weight = { .min = 1, .max = 100 };
	struct cfg_service *c = &((struct raw_service *)object)->c;
	uint64_t v;

	if (!value_is(l, p, DOC_MAP))
		return;
	struct cfg_node_weight *out = arena_new_n(l->arena, struct cfg_node_weight, p->at->n_pairs);
	for (size_t i = 0; i < p->at->n_pairs; i++) {
		const struct doc_pair *pair = &p->at->pairs[i];
		struct place at = place_key(p, pair->key->text, pair->value);

		if (value_uint(l, &at, &weight, &v))
			out[c->n_preferred++] = (struct cfg_node_weight){
				.node = arena_strdup(l->arena, pair->key->text),
				.weight = (int)v,
			};
	}
	c->preferred = out;
}

static const struct word protocols[] = { { "layer2", CFG_LAYER2 }, { "bgp", CFG_BGP }, { 0 } };
static const struct word policies[] = { { "Cluster", CFG_TRAFFIC_CLUSTER },
					{ "Local", CFG_TRAFFIC_LOCAL },
					{ 0 } };

static const struct field service_fields[] = {
	{ "name", FIELD_TEXT, "the service's name", AT(struct raw_service, c.name),
	  .required = true, .load = service_name_check },
	{ "labels", FIELD_LABELS, "what service-selectors see", AT(struct raw_service, c.labels) },
	{ "address-pool", FIELD_TEXT, "the pool that its address comes from",
	  AT(struct raw_service, c.pool), .preset_text = "any pool with auto-assign" },
	{ "address", FIELD_OWN, "one address, chosen by hand", .shape = "IP address",
	  .load = address_load },
	{ "addresses", FIELD_OWN, "addresses chosen by hand; they may lie outside every pool",
	  .shape = "list of IP addresses", .load = addresses_load },
	{ "protocol", FIELD_WORD, "how an address outside every pool is announced",
	  AT(struct raw_service, c.protocol), .words = protocols },
	{ "ip-families", FIELD_OWN, "what a pool is asked for", .shape = "list of `IPv4`, `IPv6`",
	  .preset_text = "one address of either", .load = families_load },
	{ "allow-shared-ip", FIELD_TEXT,
	  "services with the same key may share an address when their ports differ",
	  AT(struct raw_service, c.sharing_key) },
	{ "ports", FIELD_OWN, "ports that it serves", .shape = "list of `80/tcp`, `53/udp`, …",
	  .load = ports_load },
	{ "health-check", FIELD_MAP, "only a node where it passes announces the service",
	  AT(struct raw_service, c.health), .level = &level_health },
	{ "bind", FIELD_OWN, "put the address on a link of the node that owns it",
	  .shape = "`auto`, `none` or a link's name", .preset_text = "auto", .load = bind_load },
	{ "external-traffic-policy", FIELD_WORD, "`Cluster`; `Local` is not built yet",
	  AT(struct raw_service, c.traffic_policy), .words = policies, .preset = "Cluster",
	  .load = policy_check },
	{ "node-selectors", FIELD_SELECTORS, "nodes that may announce it",
	  AT(struct raw_service, c.node_selectors), .preset_text = "all nodes" },
	{ "preferred-nodes", FIELD_OWN, "nodes that own it before others, by weight",
	  .shape = "mapping of node to integer, 1 to 100", .load = preferred_load },
};

static void service_done(struct loader *l, const struct place *p, void *object)
{
	struct raw_service *raw = object;

	if (doc_get(p->at, "address") && doc_get(p->at, "addresses")) {
		struct place at = place_field(p, "addresses");

		load_error(l, &at, "write all of them as addresses",
			   "address and addresses are both given");
	}
	raw->c.addresses = raw->addresses;
	raw->c.n_addresses = raw->n_addresses;
}

void service_keep(struct loader *l, const struct place *p, struct raw_service *raw)
{
	raw->at = p;
	mem_grow(l->services, l->n_services, l->cap_services);
	l->services[l->n_services++] = raw;
}

static void service_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	(void)parent;
	service_keep(l, p, object);
}

const struct level level_service = {
	.noun = "a service",
	.fields = service_fields,
	.n = ARRAY_LEN(service_fields),
	.object_size = sizeof(struct raw_service),
	.done = service_done,
	.take = service_take,
};
