#include <string.h>

#include "plan/plan_priv.h"
#include "world/object_service.h"

static const char *service_unhandled(const struct cfg *c, const struct world_service *s)
{
	const struct object_service *o = s->object;
	const char *ours = c->kubernetes.lb_class;

	if (!o)
		return NULL;
	if (!o->is_load_balancer)
		return REASON_NOT_LOAD_BALANCER;
	if (!ours || !*ours)
		return o->lb_class ? REASON_OTHER_CLASS : NULL;
	return o->lb_class && strcmp(o->lb_class, ours) == 0 ? NULL : REASON_OTHER_CLASS;
}

bool plan_handles(const struct cfg *c, const struct world_service *s)
{
	return !service_unhandled(c, s);
}

const char *subject_init(struct subject *sub, const struct world *w, const struct world_service *s)
{
	*sub = (struct subject){ .w = w, .cfg = world_config(w), .s = s };
	const char *unhandled = service_unhandled(sub->cfg, s);

	if (unhandled)
		return unhandled;
	if (s->has_bad_address)
		return REASON_BAD_ADDRESS;
	if (s->n_addresses == 0)
		return REASON_NO_ADDRESS;
	sub->pool = cfg_pool_of(sub->cfg, &s->addresses[0]);
	for (size_t i = 1; i < s->n_addresses; i++)
		if (cfg_pool_of(sub->cfg, &s->addresses[i]) != sub->pool)
			return REASON_NOT_ALLOWED;
	/* Addresses chosen by hand may lie outside every pool; an API's may not. */
	if (!sub->pool && s->origin != WORLD_STANDALONE)
		return REASON_NOT_ALLOWED;
	return NULL;
}

bool subject_speaks(const struct subject *sub, enum cfg_protocol mode)
{
	enum cfg_protocol says = sub->s->protocol;

	return sub->pool || says == CFG_PROTOCOL_UNSET || says == mode;
}

const char *subject_where(const struct subject *sub, struct arena *a)
{
	return sub->pool ? arena_printf(a, "pool %s", sub->pool->name)
			 : "addresses outside every pool";
}

bool subject_selects(const struct subject *sub, const struct selectors *of_adv,
		     const struct world_node *node)
{
	return node && !subject_lacks_object(sub, node) && selectors_match(of_adv, &node->labels) &&
	       selectors_match(&sub->s->node_selectors, &node->labels);
}

bool subject_lacks_object(const struct subject *sub, const struct world_node *node)
{
	return sub->s->origin == WORLD_KUBERNETES && !node->has_object;
}

bool subject_excludes(const struct subject *sub, const struct world_node *node)
{
	return node->excluded && !sub->cfg->kubernetes.ignore_exclude_lb;
}

const char *subject_unserved(const struct subject *sub, struct arena *a)
{
	const struct world_service *s = sub->s;

	if (s->origin == WORLD_STANDALONE)
		return "the service is served nowhere";
	if (!s->has_endpoints_object)
		return "there is no EndpointSlice and no Endpoints of the service";
	if (s->n_backends == 0)
		return "the service has no endpoints";
	return arena_printf(a, "endpoints: %zu; ready or serving: none", s->n_backends);
}

bool subject_is_local(const struct subject *sub)
{
	return sub->s->traffic_policy == CFG_TRAFFIC_LOCAL || sub->s->origin == WORLD_STANDALONE;
}

const struct cfg_l2_adv *layer2_next_adv(const struct subject *sub, size_t *at)
{
	return subject_speaks(sub, CFG_LAYER2) ? cfg_next_l2_adv(sub->cfg, sub->pool, at) : NULL;
}

const struct cfg_bgp_adv *bgp_next_adv(const struct subject *sub, size_t *at)
{
	return subject_speaks(sub, CFG_BGP) ? cfg_next_bgp_adv(sub->cfg, sub->pool, at) : NULL;
}

struct group {
	const struct world_service **v;
	size_t n, cap;
};

static void group_add(struct group *g, const struct world_service *s)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i] == s)
			return;
	mem_grow(g->v, g->n, g->cap);
	g->v[g->n++] = s;
}

static void group_add_holders(struct group *g, const struct world *w, const struct addr *addr)
{
	size_t n;
	const struct world_service *const *holders = world_holders(w, addr, &n);

	for (size_t i = 0; i < n; i++)
		group_add(g, holders[i]);
}

const struct world_service **group_of(const struct world *w, const struct world_service *s,
				      struct arena *a, size_t *n)
{
	struct group g = { 0 };

	group_add(&g, s);
	for (size_t i = 0; i < g.n; i++)
		for (size_t j = 0; j < g.v[i]->n_addresses; j++)
			group_add_holders(&g, w, &g.v[i]->addresses[j]);

	const struct world_service **v = arena_new_n(a, const struct world_service *, g.n);
	memcpy(v, g.v, g.n * sizeof(*v));
	*n = g.n;
	free(g.v);
	return v;
}
