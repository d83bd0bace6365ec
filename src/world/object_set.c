#include "world/object_set.h"

#include <string.h>

#include "config/loader.h"
#include "world/object_endpoints.h"
#include "world/object_node.h"
#include "world/object_service.h"

struct object_set {
	struct arena *arena; /* of nodes and namespaces */
	struct map *seen;    /* "kind namespace/name" -> its document, while the load lasts */

	struct object_service **services;
	size_t n_services, cap_services;
	struct object_endpoints **endpoints;
	size_t n_endpoints, cap_endpoints;
	struct world_node *nodes;
	size_t n_nodes, cap_nodes;
	struct object_namespace *namespaces;
	size_t n_namespaces, cap_namespaces;
};

struct object_set *object_set_new(void)
{
	struct object_set *s = mem_new(struct object_set);

	s->arena = arena_new();
	s->seen = map_new();
	return s;
}

struct object_set *object_set_free(struct object_set *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_services; i++)
		object_service_free(s->services[i]);
	for (size_t i = 0; i < s->n_endpoints; i++)
		object_endpoints_free(s->endpoints[i]);
	free(s->services);
	free(s->endpoints);
	free(s->nodes);
	free(s->namespaces);
	map_free(s->seen);
	arena_free(s->arena);
	free(s);
	return NULL;
}

void object_set_freep(struct object_set **s)
{
	*s = object_set_free(*s);
}

/* False: there is one of that name already, which is told. */
static bool is_first(struct object_set *s, struct issues *is, const struct place *p,
		     const char *kind, const char *key)
{
	struct buf name = { 0 };

	buf_printf(&name, "%s %s", kind, key);
	const struct doc *other = map_get(s->seen, buf_text(&name));
	if (other)
		issue_other(is,
			    issue_add(is, ISSUE_ERROR, p, "leave one of them away",
				      "%s %.100s stands here twice", kind, key),
			    other);
	else
		(void)map_put(s->seen, buf_text(&name), (void *)(uintptr_t)p->at);
	buf_fini(&name);
	return !other;
}

static void take_service(struct object_set *s, struct issues *is, const struct place *p,
			 const char *kind)
{
	struct object_service *o = object_service_read(is, p);

	if (!o || !is_first(s, is, p, kind, o->key)) {
		object_service_free(o);
		return;
	}
	mem_grow(s->services, s->n_services, s->cap_services);
	s->services[s->n_services++] = o;
}

static void take_endpoints(struct object_set *s, struct issues *is, const struct place *p,
			   const char *kind)
{
	bool is_slice = strcmp(kind, "EndpointSlice") == 0;
	struct object_endpoints *o =
		is_slice ? object_slice_read(is, p) : object_endpoints_read(is, p);

	if (!o || !is_first(s, is, p, kind, o->key)) {
		object_endpoints_free(o);
		return;
	}
	mem_grow(s->endpoints, s->n_endpoints, s->cap_endpoints);
	s->endpoints[s->n_endpoints++] = o;
}

static void take_node(struct object_set *s, struct issues *is, const struct place *p,
		      const char *kind)
{
	struct world_node node;

	if (!object_node_read(is, p, s->arena, &node) || !is_first(s, is, p, kind, node.name))
		return;
	mem_grow(s->nodes, s->n_nodes, s->cap_nodes);
	s->nodes[s->n_nodes++] = node;
}

static void take_namespace(struct object_set *s, struct issues *is, const struct place *p,
			   const char *kind)
{
	struct object_namespace ns;

	if (!object_namespace_read(is, p, s->arena, &ns) || !is_first(s, is, p, kind, ns.name))
		return;
	mem_grow(s->namespaces, s->n_namespaces, s->cap_namespaces);
	s->namespaces[s->n_namespaces++] = ns;
}

static const struct reader {
	const char *kind;
	void (*take)(struct object_set *s, struct issues *is, const struct place *p,
		     const char *kind);
} readers[] = {
	{ "Service", take_service },	 { "EndpointSlice", take_endpoints },
	{ "Endpoints", take_endpoints }, { "Node", take_node },
	{ "Namespace", take_namespace },
};

static bool take(void *ctx, struct loader *l, const struct place *p, const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (strcmp(readers[i].kind, kind) == 0) {
			readers[i].take(ctx, &l->issues, p, kind);
			return true;
		}
	return false;
}

struct cfg_sink object_set_sink(struct object_set *s)
{
	return (struct cfg_sink){ .take = take, .ctx = s };
}

static void move_namespace(struct object_set *s, struct world *w, const char *name)
{
	if (world_namespace(w, name))
		return;
	struct object_namespace ns = object_namespace_bare(name, s->arena);

	world_namespace_set(w, name, &ns.labels);
}

void object_set_move(struct object_set *s, struct world *w)
{
	for (size_t i = 0; i < s->n_nodes; i++)
		world_node_set(w, &s->nodes[i]);
	for (size_t i = 0; i < s->n_namespaces; i++)
		world_namespace_set(w, s->namespaces[i].name, &s->namespaces[i].labels);
	for (size_t i = 0; i < s->n_endpoints; i++)
		world_endpoints_set(w, s->endpoints[i]);
	for (size_t i = 0; i < s->n_services; i++) {
		move_namespace(s, w, s->services[i]->namespace);
		world_service_set(w, s->services[i]);
	}
	s->n_services = s->n_endpoints = s->n_nodes = s->n_namespaces = 0;
}
