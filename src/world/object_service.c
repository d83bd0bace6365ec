#include "world/object_service.h"

#include <stdio.h>
#include <string.h>

#include "world/copy.h"
#include "world/object_read.h"

enum { SERVICE_ARENA = 1024 }; /* of one service: there may be very many */

static const struct object_word types[] = {
	{ "ClusterIP", false },
	{ "NodePort", false },
	{ "ExternalName", false },
	{ "LoadBalancer", true },
	{ 0 },
};
static const struct object_word family_policies[] = { { "SingleStack", CFG_SINGLE_STACK },
						      { "PreferDualStack", CFG_PREFER_DUAL_STACK },
						      { "RequireDualStack",
							CFG_REQUIRE_DUAL_STACK },
						      { 0 } };
static const struct object_word family_names[] = { { "IPv4", FAMILY_V4 },
						   { "IPv6", FAMILY_V6 },
						   { 0 } };
static const struct object_word traffic_policies[] = { { "Cluster", CFG_TRAFFIC_CLUSTER },
						       { "Local", CFG_TRAFFIC_LOCAL },
						       { "", CFG_TRAFFIC_CLUSTER },
						       { 0 } };
static const struct object_word protocols[] = {
	{ "TCP", CFG_TCP }, { "UDP", CFG_UDP }, { "SCTP", CFG_SCTP }, { 0 }
};

static void read_families(struct object_reader *r, const struct place *spec,
			  struct object_service *s)
{
	struct place list, at;

	if (!object_field(r, spec, "ipFamilies", DOC_LIST, &list))
		return;
	if (list.at->n_items > ARRAY_LEN(s->families))
		object_wrong(r, &list, NULL, "there are two families at most");
	for (size_t i = 0; i < MIN(list.at->n_items, ARRAY_LEN(s->families)); i++) {
		int family = FAMILY_NONE;

		if (object_element(r, &list, i, DOC_STRING, &at))
			object_word_at(r, &at, family_names, &family);
		s->families[s->n_families++] = (enum family)family;
	}
}

static void read_cluster_ips(struct object_reader *r, const struct place *spec,
			     struct object_service *s)
{
	struct place list, at;
	const char *single = object_text(r, spec, "clusterIP");
	size_t n = object_field(r, spec, "clusterIPs", DOC_LIST, &list) ? list.at->n_items : 0;
	const char **v = arena_new_n(r->arena, const char *, n + 1);

	s->cluster_ips = v;
	for (size_t i = 0; i < n; i++)
		if (object_element(r, &list, i, DOC_STRING, &at) && *at.at->text)
			v[s->n_cluster_ips++] = arena_strdup(r->arena, at.at->text);
	if (s->n_cluster_ips == 0 && single && *single)
		v[s->n_cluster_ips++] = single;
}

static struct cfg_port read_port(struct object_reader *r, const struct place *p)
{
	struct place at;
	int protocol = CFG_TCP;
	uint64_t port = 0;

	object_word(r, p, "protocol", protocols, &protocol);
	if (object_field(r, p, "port", DOC_INT, &at)) {
		port = at.at->integer;
		if (port == 0 || port > UINT16_MAX || at.at->negative)
			object_wrong(r, &at, "1 to 65535", "'%.20s' is no port", at.at->text);
	} else if (!doc_get(p->at, "port")) {
		object_wrong(r, p, NULL, "a port without its number");
	}
	return (struct cfg_port){ .port = (uint16_t)port,
				  .protocol = (enum cfg_ip_protocol)protocol };
}

static void read_ports(struct object_reader *r, const struct place *spec, struct object_service *s)
{
	struct place list, at;

	if (!object_field(r, spec, "ports", DOC_LIST, &list) || list.at->n_items == 0)
		return;
	struct cfg_port *v = arena_new_n(r->arena, struct cfg_port, list.at->n_items);
	for (size_t i = 0; i < list.at->n_items; i++)
		if (object_element(r, &list, i, DOC_MAP, &at))
			v[s->n_ports++] = read_port(r, &at);
	s->ports = v;
}

/* Labels stand sorted: that is how the selector is to be rendered. */
static const char *read_backend(struct object_reader *r, const struct place *spec,
				enum cfg_traffic_policy policy)
{
	struct labels selector = object_labels(r, spec, "selector");
	struct buf text = { 0 };

	for (size_t i = 0; policy == CFG_TRAFFIC_LOCAL && i < selector.n; i++)
		buf_printf(&text, "%s%s=%s", i ? "," : "", selector.v[i].key, selector.v[i].value);
	const char *backend = arena_strdup(r->arena, buf_text(&text));
	buf_fini(&text);
	return backend;
}

static void read_spec(struct object_reader *r, const struct place *spec, struct object_service *s)
{
	int policy = CFG_SINGLE_STACK, traffic = CFG_TRAFFIC_CLUSTER;

	object_word(r, spec, "ipFamilyPolicy", family_policies, &policy);
	object_word(r, spec, "externalTrafficPolicy", traffic_policies, &traffic);
	s->family_policy = (enum cfg_family_policy)policy;
	s->traffic_policy = (enum cfg_traffic_policy)traffic;
	s->lb_class = object_text(r, spec, "loadBalancerClass");
	s->load_balancer_ip = object_text(r, spec, "loadBalancerIP");
	s->backend = read_backend(r, spec, s->traffic_policy);
	read_families(r, spec, s);
	read_cluster_ips(r, spec, s);
	read_ports(r, spec, s);
}

static struct object_ingress read_entry(struct object_reader *r, const struct place *p)
{
	return (struct object_ingress){
		.ip = object_text(r, p, "ip"),
		.ip_mode = object_text(r, p, "ipMode"),
		.has_more = doc_get(p->at, "hostname") || doc_get(p->at, "ports"),
	};
}

static void read_status(struct object_reader *r, const struct place *p, struct object_service *s)
{
	struct place status, balancer, list, at;

	if (!object_field(r, p, "status", DOC_MAP, &status) ||
	    !object_field(r, &status, "loadBalancer", DOC_MAP, &balancer) ||
	    !object_field(r, &balancer, "ingress", DOC_LIST, &list) || list.at->n_items == 0)
		return;
	struct object_ingress *v = arena_new_n(r->arena, struct object_ingress, list.at->n_items);
	for (size_t i = 0; i < list.at->n_items; i++)
		if (object_element(r, &list, i, DOC_MAP, &at))
			v[s->n_ingress++] = read_entry(r, &at);
	s->ingress = v;
}

static struct object_annotation read_annotation(struct object_reader *r, const struct place *all,
						const char *name)
{
	char current[64], deprecated[64];

	(void)snprintf(current, sizeof(current), "metallb.io/%s", name);
	(void)snprintf(deprecated, sizeof(deprecated), "metallb.universe.tf/%s", name);
	return (struct object_annotation){ .current = object_text(r, all, current),
					   .deprecated = object_text(r, all, deprecated) };
}

static void read_annotations(struct object_reader *r, const struct object_meta *meta,
			     struct object_service *s)
{
	struct place all;

	if (!object_field(r, &meta->at, "annotations", DOC_MAP, &all))
		return;
	s->load_balancer_ips = read_annotation(r, &all, "loadBalancerIPs");
	s->address_pool = read_annotation(r, &all, "address-pool");
	s->allow_shared_ip = read_annotation(r, &all, "allow-shared-ip");
	s->allocated_from = read_annotation(r, &all, "ip-allocated-from-pool");
}

static void read_all(struct object_reader *r, const struct place *p, struct object_service *s)
{
	struct object_meta meta;
	struct place spec;
	int is_load_balancer = false;

	if (!object_meta(r, p, true, &meta))
		return;
	s->key = meta.key;
	s->namespace = meta.namespace;
	if (!object_field(r, p, "spec", DOC_MAP, &spec))
		return;
	object_word(r, &spec, "type", types, &is_load_balancer);
	s->is_load_balancer = is_load_balancer;
	if (!s->is_load_balancer)
		return;
	s->labels = object_labels(r, &meta.at, "labels");
	read_spec(r, &spec, s);
	read_annotations(r, &meta, s);
	read_status(r, p, s);
}

struct object_service *object_service_read(struct issues *is, const struct place *p)
{
	struct arena *arena = arena_new_small(SERVICE_ARENA);
	struct object_reader r = { .issues = is, .arena = arena };
	struct object_service *s = arena_new_of(arena, struct object_service);

	s->arena = arena;
	s->backend = "";
	read_all(&r, p, s);
	return r.failed ? object_service_free(s) : s;
}

struct object_service *object_service_free(struct object_service *s)
{
	if (s)
		arena_free(s->arena);
	return NULL;
}

static bool text_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool annotation_eq(const struct object_annotation *a, const struct object_annotation *b)
{
	return text_eq(a->current, b->current) && text_eq(a->deprecated, b->deprecated);
}

static bool annotations_eq(const struct object_service *a, const struct object_service *b)
{
	return annotation_eq(&a->load_balancer_ips, &b->load_balancer_ips) &&
	       annotation_eq(&a->address_pool, &b->address_pool) &&
	       annotation_eq(&a->allow_shared_ip, &b->allow_shared_ip) &&
	       annotation_eq(&a->allocated_from, &b->allocated_from);
}

static bool families_eq(const struct object_service *a, const struct object_service *b)
{
	if (a->n_families != b->n_families || a->n_cluster_ips != b->n_cluster_ips ||
	    a->family_policy != b->family_policy)
		return false;
	for (size_t i = 0; i < a->n_families; i++)
		if (a->families[i] != b->families[i])
			return false;
	for (size_t i = 0; i < a->n_cluster_ips; i++)
		if (strcmp(a->cluster_ips[i], b->cluster_ips[i]) != 0)
			return false;
	return true;
}

static bool ports_eq(const struct object_service *a, const struct object_service *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].port != b->ports[i].port ||
		    a->ports[i].protocol != b->ports[i].protocol)
			return false;
	return true;
}

static bool ingress_eq(const struct object_service *a, const struct object_service *b)
{
	if (a->n_ingress != b->n_ingress)
		return false;
	for (size_t i = 0; i < a->n_ingress; i++)
		if (!text_eq(a->ingress[i].ip, b->ingress[i].ip) ||
		    !text_eq(a->ingress[i].ip_mode, b->ingress[i].ip_mode) ||
		    a->ingress[i].has_more != b->ingress[i].has_more)
			return false;
	return true;
}

bool object_service_eq(const struct object_service *a, const struct object_service *b)
{
	return text_eq(a->key, b->key) && a->is_load_balancer == b->is_load_balancer &&
	       a->traffic_policy == b->traffic_policy && text_eq(a->lb_class, b->lb_class) &&
	       text_eq(a->backend, b->backend) &&
	       text_eq(a->load_balancer_ip, b->load_balancer_ip) &&
	       labels_eq(&a->labels, &b->labels) && annotations_eq(a, b) && families_eq(a, b) &&
	       ports_eq(a, b) && ingress_eq(a, b);
}

const char *object_service_sharing_key(const struct object_service *s)
{
	return s->allow_shared_ip.current ? s->allow_shared_ip.current
					  : s->allow_shared_ip.deprecated;
}
