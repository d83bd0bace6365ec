/* Services, endpoints and namespaces of a Kubernetes cluster: they live here until it drops them. */
#include <string.h>

#include "world/copy.h"
#include "world/object_endpoints.h"
#include "world/object_service.h"
#include "world/world_priv.h"

/* --- services --- */

/* The object lends all texts. */
static void service_describe(struct service *s)
{
	const struct object_service *o = s->object;
	struct world_service *pub = &s->pub;

	pub->key = o->key;
	pub->origin = WORLD_KUBERNETES;
	pub->labels = o->labels;
	pub->sharing_key = object_service_sharing_key(o);
	pub->ports = o->ports;
	pub->n_ports = o->n_ports;
	pub->family_policy = o->family_policy;
	pub->traffic_policy = o->traffic_policy;
	pub->backend = o->backend;
	pub->object = o;
}

/* What its status says; false in *bad when some entry has no address that can be read. */
static struct addr *status_addresses(const struct object_service *o, size_t *n, bool *bad)
{
	struct addr *v = mem_new_n(struct addr, o->n_ingress + 1);

	*n = 0;
	*bad = false;
	for (size_t i = 0; i < o->n_ingress; i++) {
		const char *ip = o->ingress[i].ip;

		if (ip && addr_parse(ip, &v[*n]) == 0)
			(*n)++;
		else
			*bad = true;
	}
	return v;
}

/* In the order of the nodes; those without a name stand for one without a name. */
static int endpoint_cmp(const void *x, const void *y)
{
	const struct world_endpoint *a = x, *b = y;

	return strcmp(a->node, b->node);
}

static size_t endpoints_unique(struct world_endpoint *v, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(v, n, sizeof(*v), endpoint_cmp);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(v[kept - 1].node, v[i].node) != 0)
			v[kept++] = v[i];
	return kept;
}

/* What all of its endpoints objects say together, in one list for each node. */
static struct world_endpoint *endpoints_gather(const struct object_endpoints *const *v, size_t n,
					       size_t *n_out)
{
	size_t cap = n, at = 0;

	*n_out = 0;
	if (n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		cap += v[i]->nodes.n;
	struct world_endpoint *out = mem_new_n(struct world_endpoint, cap);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < v[i]->nodes.n; j++)
			out[at++] = (struct world_endpoint){ v[i]->nodes.v[j], true };
		if (v[i]->on_no_node)
			out[at++] = (struct world_endpoint){ "", true };
	}
	*n_out = endpoints_unique(out, at);
	return out;
}

static bool endpoints_eq(const struct service *s, const struct world_endpoint *v, size_t n)
{
	if (s->pub.n_endpoints != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(s->endpoints[i].node, v[i].node) != 0)
			return false;
	return true;
}

/* Follow what backs the service now; true when anything is different for it. */
static bool service_back(struct world *w, struct service *s)
{
	size_t n_objects, n, backends = 0;
	const struct object_endpoints *const *objects =
		backing_of(w->backing, s->pub.key, &n_objects);
	struct world_endpoint *v = endpoints_gather(objects, n_objects, &n);

	for (size_t i = 0; i < n_objects; i++)
		backends += objects[i]->n_endpoints;
	bool differs = s->pub.has_endpoints_object != (n_objects > 0) ||
		       s->pub.n_backends != backends || !endpoints_eq(s, v, n);

	free(s->endpoints);
	s->endpoints = v;
	s->cap_endpoints = s->pub.n_endpoints = n;
	s->pub.endpoints = v;
	s->pub.has_endpoints_object = n_objects > 0;
	s->pub.n_backends = backends;
	return differs;
}

static struct service *service_add(struct world *w, struct object_service *take)
{
	struct service *s = mem_new(struct service);

	s->object = take;
	service_describe(s);
	services_append(w, s);
	(void)service_back(w, s);
	return s;
}

static void service_replace(struct service *s, struct object_service *take)
{
	struct object_service *before = s->object;

	s->object = take;
	service_describe(s);
	object_service_free(before);
}

void world_service_set(struct world *w, struct object_service *take)
{
	struct service *s = map_get(w->by_key, take->key);
	size_t n;
	bool bad;

	/* No name of a standalone service has a slash. */
	if ((s && s->pub.origin != WORLD_KUBERNETES) || (s && object_service_eq(s->object, take))) {
		object_service_free(take);
		return;
	}
	if (s)
		service_replace(s, take);
	else
		s = service_add(w, take);
	struct addr *addresses = status_addresses(take, &n, &bad);
	s->pub.has_bad_address = bad;
	service_readdress(w, s, addresses, n, true);
	free(addresses);
}

void world_service_del(struct world *w, const char *key)
{
	struct service *s = map_get(w->by_key, key);

	if (!s || s->pub.origin != WORLD_KUBERNETES)
		return;
	services_remove(w, s); /* so that it is gone when they hear of it */
	service_readdress(w, s, NULL, 0, true);
	service_free(s);
}

/* --- endpoints --- */

static void service_rebacked(struct world *w, const char *key)
{
	struct service *s = key ? map_get(w->by_key, key) : NULL;

	if (s && s->pub.origin == WORLD_KUBERNETES && service_back(w, s))
		world_tell(w, WORLD_SERVICE, s->pub.key);
}

/* Services borrow from their objects: one that goes is freed when nobody looks at it any more. */
static void endpoints_replaced(struct world *w, struct object_endpoints *old, const char *now)
{
	service_rebacked(w, now);
	if (old && old->service && (!now || strcmp(old->service, now) != 0))
		service_rebacked(w, old->service);
	object_endpoints_free(old);
}

void world_endpoints_set(struct world *w, struct object_endpoints *take)
{
	endpoints_replaced(w, backing_put(w->backing, take), take->service);
}

void world_endpoints_del(struct world *w, bool is_slice, const char *key)
{
	endpoints_replaced(w, backing_del(w->backing, is_slice, key), NULL);
}

/* --- namespaces --- */

struct namespace
{
	struct arena *arena;
	struct labels labels;
};

void namespace_free(void *namespace)
{
	struct namespace *ns = namespace;

	arena_free(ns->arena);
	free(ns);
}

void world_namespace_set(struct world *w, const char *name, const struct labels *labels)
{
	struct namespace *ns = map_get(w->namespaces, name);
	struct arena *arena;

	if (ns && labels_eq(&ns->labels, labels))
		return;
	if (!ns) {
		ns = mem_new(struct namespace);
		(void)map_put(w->namespaces, name, ns);
	}
	arena = arena_new_small(256);
	ns->labels = copy_labels(arena, labels);
	arena_free(ns->arena);
	ns->arena = arena;
	world_tell(w, WORLD_NAMESPACE, name);
}

void world_namespace_del(struct world *w, const char *name)
{
	struct namespace *ns = map_del(w->namespaces, name);

	if (!ns)
		return;
	world_tell(w, WORLD_NAMESPACE, name);
	namespace_free(ns);
}

const struct labels *world_namespace(const struct world *w, const char *name)
{
	const struct namespace *ns = map_get(w->namespaces, name);

	return ns ? &ns->labels : NULL;
}

const struct labels *world_next_namespace(const struct world *w, size_t *at)
{
	const char *name;
	void *ns;

	return map_next(w->namespaces, at, &name, &ns) ? &((struct namespace *)ns)->labels : NULL;
}
