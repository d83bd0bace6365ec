#include "plan/kubernetes.h"

#include <string.h>

#include "plan/plan.h"
#include "world/object_service.h"

static struct converge_annotation annotation_of(const struct object_annotation *a)
{
	return (struct converge_annotation){ .current = a->current, .deprecated = a->deprecated };
}

static const struct converge_ingress *ingress_of(const struct object_service *o, struct arena *a)
{
	struct converge_ingress *v = arena_new_n(a, struct converge_ingress, o->n_ingress);

	for (size_t i = 0; i < o->n_ingress; i++)
		v[i] = (struct converge_ingress){ .ip = o->ingress[i].ip,
						  .ip_mode = o->ingress[i].ip_mode,
						  .has_more = o->ingress[i].has_more };
	return v;
}

struct converge_service kubernetes_request(const struct world *w, const struct world_service *s,
					   struct arena *scratch)
{
	const struct object_service *o = s->object;

	return (struct converge_service){
		.key = s->key,
		.namespace = o->namespace,
		.namespace_labels = world_namespace(w, o->namespace),
		.labels = &s->labels,
		.is_load_balancer = o->is_load_balancer,
		.cluster_ips = o->cluster_ips,
		.n_cluster_ips = o->n_cluster_ips,
		.policy = s->family_policy,
		.first_family = o->families[0],
		.ports = s->ports,
		.n_ports = s->n_ports,
		.backend = s->backend,
		.load_balancer_ip = o->load_balancer_ip,
		.load_balancer_ips = annotation_of(&o->load_balancer_ips),
		.address_pool = annotation_of(&o->address_pool),
		.allow_shared_ip = annotation_of(&o->allow_shared_ip),
		.allocated_from = annotation_of(&o->allocated_from),
		.ingress = ingress_of(o, scratch),
		.n_ingress = o->n_ingress,
		.ip_mode = world_config(w)->kubernetes.ip_mode,
		.no_pools = world_config(w)->n_pools == 0,
		.reference = world_is_reference(w),
	};
}

const struct converge_service **kubernetes_requests(const struct world *w, struct arena *scratch,
						    size_t *n)
{
	const struct converge_service **order;
	const struct world_service *s;
	struct converge_service *v;
	size_t total = 0;

	*n = 0;
	for (size_t at = 0; world_next_service(w, &at);)
		total++;
	v = arena_new_n(scratch, struct converge_service, total);
	order = arena_new_n(scratch, const struct converge_service *, total);
	for (size_t at = 0; (s = world_next_service(w, &at));)
		if (s->object && plan_handles(world_config(w), s)) {
			v[*n] = kubernetes_request(w, s, scratch);
			order[*n] = &v[*n];
			(*n)++;
		}
	converge_order(order, *n);
	return order;
}

/* --- what an allocator knows before it is asked --- */

static bool selects_namespaces(const struct cfg *c)
{
	for (size_t i = 0; i < c->n_pools; i++)
		if (c->pools[i].reserved && c->pools[i].reserved->namespace_selectors.n)
			return true;
	return false;
}

bool kubernetes_tell_namespaces(const struct world *w, struct alloc *a)
{
	const struct labels *ns;
	struct labels *v = NULL;
	size_t n = 0, cap = 0;

	if (!selects_namespaces(world_config(w)))
		return false;
	for (size_t at = 0; (ns = world_next_namespace(w, &at));) {
		mem_grow(v, n, cap);
		v[n++] = *ns;
	}
	bool changed = alloc_set_namespaces(a, v, n);

	free(v);
	return changed;
}

void kubernetes_claims(const struct world *w, struct alloc *a)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	size_t n;
	const struct converge_service **v = kubernetes_requests(w, scratch, &n);

	(void)kubernetes_tell_namespaces(w, a);
	for (size_t i = 0; i < n; i++)
		converge_claim(a, v[i]);
}

/* Of those that share an address one is enough. */
static bool is_first_holder(const struct world *w, const struct cfg *c,
			    const struct world_service *s, const struct addr *a)
{
	size_t n;
	const struct world_service *const *v = world_holders(w, a, &n);

	for (size_t i = 0; i < n; i++)
		if (v[i]->object && plan_handles(c, v[i]))
			return v[i] == s;
	return false;
}

void kubernetes_count(const struct world *w, const struct cfg *c, struct kubernetes_used *out)
{
	const struct world_service *s;

	for (size_t at = 0; (s = world_next_service(w, &at));)
		for (size_t i = 0; s->object && i < s->n_addresses; i++) {
			const struct cfg_pool *p = cfg_pool_of(c, &s->addresses[i]);

			if (!p || !is_first_holder(w, c, s, &s->addresses[i]))
				continue;
			if (s->addresses[i].family == FAMILY_V4)
				out[p - c->pools].v4++;
			else
				out[p - c->pools].v6++;
		}
}

/* --- families --- */

struct families {
	bool v4, v6;
};

static void families_add(struct families *f, enum family family)
{
	f->v4 |= family == FAMILY_V4;
	f->v6 |= family == FAMILY_V6;
}

static struct families families_of_status(const struct world_service *s)
{
	struct families f = { 0 };

	for (size_t i = 0; i < s->n_addresses; i++)
		families_add(&f, s->addresses[i].family);
	return f;
}

/* Of the first address that it asks for: to ask for two families it has to say so in its policy. */
static struct families families_of_wish(const struct object_service *o)
{
	const struct object_annotation *list = &o->load_balancer_ips;
	const char *text = list->current ? list->current : list->deprecated;
	struct families f = { 0 };
	char first[ADDR_TEXT_MAX];
	struct addr a;

	text = text ? text : o->load_balancer_ip ? o->load_balancer_ip : "";
	text += strspn(text, " ");
	size_t n = strcspn(text, " ,");
	if (n >= sizeof(first))
		return f;
	memcpy(first, text, n);
	first[n] = '\0';
	if (addr_parse(first, &a) == 0)
		families_add(&f, a.family);
	return f;
}

static struct families families_of_pools(const struct cfg *c)
{
	struct families f = { 0 };

	for (size_t i = 0; i < c->n_pools; i++)
		for (size_t j = 0; j < c->pools[i].n_addresses; j++)
			if (c->pools[i].addresses[j].n)
				families_add(&f, c->pools[i].addresses[j].v[0].addr.family);
	return (struct families){ .v4 = f.v4 || !f.v6, .v6 = f.v6 && !f.v4 };
}

static struct families families_wanted(const struct world_service *s, const struct cfg *c)
{
	const struct object_service *o = s->object;
	struct families f = { 0 };

	if (o->n_families > 1 || s->family_policy != CFG_SINGLE_STACK)
		return (struct families){ true, true };
	if (o->n_families)
		families_add(&f, o->families[0]);
	if (!f.v4 && !f.v6)
		f = families_of_status(s);
	if (!f.v4 && !f.v6)
		f = families_of_wish(o);
	return f.v4 || f.v6 ? f : families_of_pools(c);
}

void kubernetes_fill(struct converge_service *s, const struct world_service *from,
		     const struct cfg *c, struct arena *scratch)
{
	if (s->n_cluster_ips)
		return;
	struct families f = families_wanted(from, c);
	const char **v = arena_new_n(scratch, const char *, 2);

	/* What kubeadm gives the first service of a cluster; only the families matter. */
	if (f.v4)
		v[s->n_cluster_ips++] = "10.96.0.1";
	if (f.v6)
		v[s->n_cluster_ips++] = "fd00:10:96::1";
	s->cluster_ips = v;
}
