/* Pools and advertisements as JSON. */
#include "config/community.h"
#include "config/tree.h"
#include "config/tree_priv.h"

static json_t *tree_communities(const struct cfg_bgp_adv *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_communities; i++) {
		char text[COMMUNITY_TEXT_MAX];

		json_array_append_new(list, json_string(community_format(a->communities[i], text)));
	}
	return list;
}

static json_t *tree_large_communities(const struct cfg_bgp_adv *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_large_communities; i++) {
		char text[LARGE_COMMUNITY_TEXT_MAX];

		json_array_append_new(
			list, json_string(large_community_format(&a->large_communities[i], text)));
	}
	return list;
}

static json_t *tree_ext_communities(const struct cfg_bgp_adv *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_ext_communities; i++) {
		char text[EXT_COMMUNITY_TEXT_MAX];

		json_array_append_new(
			list, json_string(ext_community_format(a->ext_communities[i], text)));
	}
	return list;
}

/* What is said of a route, and to whom. */
static void set_route(json_t *o, const struct cfg_bgp_adv *a)
{
	json_object_set_new(o, "localpref",
			    a->has_local_pref ? json_integer(a->local_pref) : json_string("none"));
	json_object_set_new(o, "communities", tree_communities(a));
	json_object_set_new(o, "as-path-prepend", json_integer(a->as_path_prepend));
	if (a->has_med)
		json_object_set_new(o, "med", json_integer(a->med));
	if (a->n_large_communities)
		json_object_set_new(o, "large-communities", tree_large_communities(a));
	if (a->n_ext_communities)
		json_object_set_new(o, "extended-communities", tree_ext_communities(a));
	if (a->peers.n)
		json_object_set_new(o, "peers", tree_texts(&a->peers));
	tree_set_selectors(o, "node-selectors", &a->node_selectors);
}

json_t *tree_network_adv(const struct cfg_bgp_adv *a)
{
	json_t *o = json_object();

	set_route(o, a);
	return o;
}

/* What all advertisements by BGP say, into the object that may have a name. */
static void set_bgp_adv(json_t *o, const struct cfg_bgp_adv *a)
{
	json_object_set_new(o, "aggregation-length", json_integer(a->aggregation_v4));
	json_object_set_new(o, "aggregation-length-v6", json_integer(a->aggregation_v6));
	set_route(o, a);
	tree_set_selectors(o, "service-selectors", &a->service_selectors);
}

static void set_targets(json_t *o, const struct cfg_targets *t)
{
	if (t->pools.n)
		json_object_set_new(o, "address-pools", tree_texts(&t->pools));
	tree_set_selectors(o, "address-pool-selectors", &t->selectors);
}

json_t *tree_bgp_adv(const struct cfg_bgp_adv *a)
{
	json_t *o = json_object();

	if (!a->implicit) {
		tree_set_text(o, "name", a->name);
		set_targets(o, &a->targets);
	}
	set_bgp_adv(o, a);
	return o;
}

json_t *tree_bgp_advs(const struct cfg *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_bgp_advs; i++)
		if (!c->bgp_advs[i].implicit)
			json_array_append_new(list, tree_bgp_adv(&c->bgp_advs[i]));
	return list;
}

static void set_preferred(json_t *o, const struct cfg_l2_adv *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_preferred; i++)
		json_array_append_new(list, json_pack("{s:i, s:o}", "weight",
						      a->preferred[i].weight, "preference",
						      tree_selector(&a->preferred[i].nodes)));
	if (a->n_preferred)
		json_object_set(o, "preferred-node-selectors", list);
	json_decref(list);
}

json_t *tree_l2_adv(const struct cfg_l2_adv *a)
{
	json_t *o = json_pack("{s:s}", "name", a->name);

	set_targets(o, &a->targets);
	tree_set_selectors(o, "node-selectors", &a->node_selectors);
	if (a->interfaces.n)
		json_object_set_new(o, "interfaces", tree_texts(&a->interfaces));
	tree_set_selectors(o, "service-selectors", &a->service_selectors);
	set_preferred(o, a);
	return o;
}

json_t *tree_l2_advs(const struct cfg *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_l2_advs; i++)
		if (!c->l2_advs[i].implicit)
			json_array_append_new(list, tree_l2_adv(&c->l2_advs[i]));
	return list;
}

/* What each pool brings, found in one walk. */
struct brought {
	enum cfg_protocol protocol;
	json_t *advs; /* by BGP */
};

static struct brought *pools_brought(const struct cfg *c)
{
	struct brought *v = mem_new_n(struct brought, c->n_pools + 1);

	for (size_t i = 0; i < c->n_pools; i++)
		v[i].advs = json_array();
	for (size_t i = 0; i < c->n_l2_advs; i++)
		if (c->l2_advs[i].implicit && c->l2_advs[i].pools.n)
			v[c->l2_advs[i].pools.v[0] - c->pools].protocol = CFG_LAYER2;
	for (size_t i = 0; i < c->n_bgp_advs; i++) {
		const struct cfg_bgp_adv *a = &c->bgp_advs[i];

		if (!a->implicit || !a->pools.n)
			continue;
		struct brought *of = &v[a->pools.v[0] - c->pools];
		of->protocol = CFG_BGP;
		json_array_append_new(of->advs, tree_bgp_adv(a));
	}
	return v;
}

static json_t *tree_reservation(const struct cfg_reservation *r)
{
	json_t *o = json_pack("{s:I}", "priority", (json_int_t)r->priority);

	if (r->namespaces.n)
		json_object_set_new(o, "namespaces", tree_texts(&r->namespaces));
	tree_set_selectors(o, "namespace-selectors", &r->namespace_selectors);
	tree_set_selectors(o, "service-selectors", &r->service_selectors);
	return o;
}

static json_t *pool_with(const struct cfg_pool *p, const struct brought *b)
{
	static const char *const protocols[] = {
		[CFG_PROTOCOL_UNSET] = "none",
		[CFG_LAYER2] = "layer2",
		[CFG_BGP] = "bgp",
	};
	json_t *addresses = json_array();

	for (size_t i = 0; i < p->n_addresses; i++)
		json_array_append_new(addresses, json_string(p->addresses[i].text));
	json_t *o = json_pack("{s:s, s:s, s:o, s:b, s:b}", "name", p->name, "protocol",
			      protocols[b->protocol], "addresses", addresses, "auto-assign",
			      p->auto_assign, "avoid-buggy-ips", p->avoid_buggy_ips);
	if (b->protocol == CFG_BGP)
		json_object_set(o, "bgp-advertisements", b->advs);
	if (p->labels.n)
		json_object_set_new(o, "labels", tree_labels(&p->labels));
	if (p->reserved)
		json_object_set_new(o, "service-allocation", tree_reservation(p->reserved));
	return o;
}

json_t *tree_pool(const struct cfg *c, const struct cfg_pool *p)
{
	struct brought b = { .advs = json_array() };
	const struct cfg_l2_adv *l2;
	const struct cfg_bgp_adv *bgp;

	for (size_t at = 0; (l2 = cfg_next_l2_adv(c, p, &at));)
		if (l2->implicit)
			b.protocol = CFG_LAYER2;
	for (size_t at = 0; (bgp = cfg_next_bgp_adv(c, p, &at));)
		if (bgp->implicit) {
			b.protocol = CFG_BGP;
			json_array_append_new(b.advs, tree_bgp_adv(bgp));
		}
	json_t *o = pool_with(p, &b);
	json_decref(b.advs);
	return o;
}

json_t *tree_pools(const struct cfg *c)
{
	struct brought *v = pools_brought(c);
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_pools; i++) {
		json_array_append_new(list, pool_with(&c->pools[i], &v[i]));
		json_decref(v[i].advs);
	}
	free(v);
	return list;
}
