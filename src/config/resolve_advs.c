/* The rules between advertisements, pools and peers. A legacy pool brings its own advertisements;
 * those that stand by themselves say which pools they are for. */
#include <string.h>

#include "config/advs.h"
#include "config/hash.h"
#include "config/loader.h"
#include "config/resource.h"

/* Matching every advertisement's selectors with every pool's labels must end. */
#define MATCHES_MAX 20000000

static struct advs advs_new(struct loader *l)
{
	struct advs x = {
		.l = l,
		.peers = map_new(),
		.pool_names = arena_new_n(l->scratch, const char *, l->n_pools),
		.peer_names = arena_new_n(l->scratch, const char *, l->cfg->n_peers),
		.matches_left = MATCHES_MAX,
		.stamps = arena_new_n(l->scratch, uint32_t, l->n_pools + 1),
		.found = arena_new_n(l->scratch, const struct cfg_pool *, l->n_pools + 1),
	};

	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->c.name)
			x.pool_names[x.n_pool_names++] = l->pools[i]->c.name;
	for (size_t i = 0; i < l->cfg->n_peers; i++) {
		x.peer_names[i] = l->cfg->peers[i].name;
		map_put(x.peers, x.peer_names[i], (void *)&l->cfg->peers[i]);
	}
	return x;
}

static void advs_fini(struct advs *x)
{
	map_free(x->peers);
	free(x->list);
}

struct raw_pool *advs_pool(const struct advs *x, const struct cfg_pool *pool)
{
	return x->l->pools[pool - x->l->cfg->pools];
}

/* A name that nobody has: MetalLB passes over it, and so do we, but not in silence. */
static void dangling(struct loader *l, const struct place *p, const char *noun, const char *name,
		     const char *const *names, size_t n)
{
	const char *base = unmarked(l, name);
	const char *near = load_nearest(l, base ? base : name, names, n);

	if (base)
		load_error(l, p,
			   near ? near : issues_text(&l->issues, "did you mean '%.60s'?", base),
			   "there is no %s '%.60s'", noun, name);
	else
		load_warning(l, p, near, "there is no %s '%.60s'", noun, name);
}

static void adv_peers(struct advs *x, const struct place *adv, const struct cfg_texts *peers)
{
	struct place list = place_field(adv, "peers");

	for (size_t i = 0; i < peers->n; i++) {
		struct place at = place_element(&list, i);

		if (!map_get(x->peers, peers->v[i]))
			dangling(x->l, &at, "peer", peers->v[i], x->peer_names, x->l->cfg->n_peers);
	}
}

static void adv_length(struct loader *l, const struct place *adv, const struct cfg_bgp_adv *c,
		       const struct raw_span *s)
{
	bool v6 = s && s->range.first.family == FAMILY_V6;
	unsigned length = v6 ? c->aggregation_v6 : c->aggregation_v4;

	if (!s || length >= s->shortest)
		return;
	struct place at = v6 ? place_either(adv, "aggregation-length-v6", "aggregationLengthV6")
			     : place_either(adv, "aggregation-length", "aggregationLength");
	struct issue *is =
		load_error(l, &at, issues_text(&l->issues, "%u to %u", s->shortest, v6 ? 128 : 32),
			   "%s %u is wider than '%.100s', whose widest prefix is /%u", at.key,
			   length, s->text, s->shortest);
	issue_other(&l->issues, is, s->at->at);
}

static void pool_lengths(struct loader *l, const struct place *adv, const struct cfg_bgp_adv *c,
			 const struct raw_pool *pool)
{
	adv_length(l, adv, c, pool->narrowest[0]);
	adv_length(l, adv, c, pool->narrowest[1]);
}

/* What says for which pools an advertisement speaks lasts as long as they. */
static struct cfg_pools pools_one(struct loader *l, const struct cfg_pool *pool)
{
	const struct cfg_pool **v = arena_new_of(load_list(l, CFG_POOLS), const struct cfg_pool *);

	*v = pool;
	return (struct cfg_pools){ .v = v, .n = 1 };
}

/* Every pool that has no advertisements of its own; one array serves all who want it. */
static const struct cfg_pools *pools_all(struct advs *x)
{
	struct loader *l = x->l;

	if (x->all.v)
		return &x->all;
	const struct cfg_pool **v =
		arena_new_n(load_list(l, CFG_POOLS), const struct cfg_pool *, l->n_pools + 1);
	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->protocol == CFG_PROTOCOL_UNSET)
			v[x->all.n++] = &l->cfg->pools[i];
	x->all.v = v;
	return &x->all;
}

static size_t target_add(struct advs *x, const struct cfg_pool *pool, size_t n)
{
	uint32_t *stamp = &x->stamps[pool - x->l->cfg->pools];

	if (*stamp != x->turn)
		x->found[n++] = pool;
	*stamp = x->turn;
	return n;
}

/* In the order of writing; what has been found is x->found[0..n). */
static size_t targets_named(struct advs *x, const struct place *adv, const struct cfg_texts *names,
			    size_t n)
{
	struct place list = place_either(adv, "address-pools", "ipAddressPools");

	for (size_t i = 0; i < names->n; i++) {
		const struct raw_pool *pool = map_get(x->l->pools_by_name, names->v[i]);
		struct place at = place_element(&list, i);

		if (!pool)
			dangling(x->l, &at, "pool", names->v[i], x->pool_names, x->n_pool_names);
		else
			n = target_add(x, pool->made, n);
	}
	return n;
}

static size_t targets_selected(struct advs *x, const struct place *adv,
			       const struct selectors *selectors, size_t n)
{
	struct place at = place_either(adv, "address-pool-selectors", "ipAddressPoolSelectors");
	const struct cfg_pools *all = pools_all(x);
	bool any = false;

	if (!selectors->n)
		return n;
	if (all->n * selectors->n > x->matches_left) {
		load_error(x->l, &at, "name the pools", "too many selectors for too many pools");
		return n;
	}
	x->matches_left -= all->n * selectors->n;
	for (size_t i = 0; i < all->n; i++) {
		if (!selectors_match(selectors, &all->v[i]->labels))
			continue;
		any = true;
		n = target_add(x, all->v[i], n);
	}
	if (!any)
		load_warning(x->l, &at, NULL, "no pool has such labels");
	return n;
}

static struct cfg_pools targets_find(struct advs *x, const struct place *adv,
				     const struct cfg_targets *t)
{
	struct loader *l = x->l;

	if (!t->pools.n && !t->selectors.n)
		return *pools_all(x);
	x->turn++;
	size_t n = targets_named(x, adv, &t->pools, 0);
	n = targets_selected(x, adv, &t->selectors, n);
	const struct cfg_pool **v =
		arena_new_n(load_list(l, CFG_POOLS), const struct cfg_pool *, n + 1);
	memcpy(v, x->found, n * sizeof(*v));
	return (struct cfg_pools){ .v = v, .n = n };
}

static void targets_announced(struct advs *x, const struct cfg_pools *pools)
{
	if (pools->v == x->all.v) {
		x->all_announced = true;
		return;
	}
	for (size_t i = 0; i < pools->n; i++)
		advs_pool(x, pools->v[i])->announced = true;
}

/* The same check for each pool; of the list of all, only for those that decide. */
static void targets_lengths(struct advs *x, const struct raw_adv *adv)
{
	const struct cfg_pools *pools = &adv->c.pools;
	struct raw_pool *strictest = &x->strictest;

	if (pools->v != x->all.v) {
		for (size_t i = 0; i < pools->n; i++)
			pool_lengths(x->l, adv->at, &adv->c, advs_pool(x, pools->v[i]));
		return;
	}
	for (size_t i = 0; i < pools->n && !x->strictest_known; i++)
		for (size_t v6 = 0; v6 < 2; v6++) {
			const struct raw_span *s = advs_pool(x, pools->v[i])->narrowest[v6];

			if (s && (!strictest->narrowest[v6] ||
				  s->shortest > strictest->narrowest[v6]->shortest))
				strictest->narrowest[v6] = s;
		}
	x->strictest_known = true;
	pool_lengths(x->l, adv->at, &adv->c, strictest);
}

static void list_add(struct advs *x, struct raw_adv *adv)
{
	mem_grow(x->list, x->n_list, x->cap_list);
	x->list[x->n_list++] = adv;
}

/* The advertisement that a bgp pool has when it asks for none. */
static struct cfg_bgp_adv adv_default(const char *name, enum cfg_format format)
{
	return (struct cfg_bgp_adv){ .name = name,
				     .implicit = true,
				     .aggregation_v4 = 32,
				     .aggregation_v6 = 128,
				     .has_local_pref = format == CFG_LEGACY };
}

static size_t pool_bgp(struct advs *x, const struct raw_pool *raw, struct cfg_pools only,
		       struct cfg_bgp_adv *out)
{
	const struct cfg_pool *pool = only.v[0];
	struct loader *l = x->l;

	for (size_t i = 0; i < raw->n_advs; i++) {
		struct raw_adv *adv = raw->advs[i];

		adv->c.name = i ? arena_printf(l->arena, "%s/%zu", pool->name, i + 1) : pool->name;
		adv->c.implicit = true;
		adv->c.pools = only;
		resolve_communities(l, adv->at, pool->format == CFG_RESOURCE, &adv->c);
		adv_peers(x, adv->at, &adv->c.peers);
		pool_lengths(l, adv->at, &adv->c, raw);
		if (pool->format == CFG_RESOURCE)
			list_add(x, adv);
		out[i] = adv->c;
	}
	if (raw->n_advs)
		return raw->n_advs;
	out[0] = adv_default(pool->name, pool->format);
	out[0].pools = only;
	return 1;
}

static void bgp_hashes(struct cfg_bgp_adv *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].hash) /* it may be one of the configuration before */
			v[i].hash = hash_bgp_adv(&v[i]);
}

size_t advs_of_pool(struct loader *l, struct raw_pool *raw, struct cfg_pools only,
		    struct cfg_bgp_adv *out)
{
	struct advs x = advs_new(l);

	resolve_narrowest(raw);
	size_t n = pool_bgp(&x, raw, only, out);
	bgp_hashes(out, n);
	advs_fini(&x);
	return n;
}

static void name_unique(struct loader *l, struct map *names, const char *name,
			const struct place *at, const char *noun)
{
	const struct place *first = name ? map_put(names, name, (void *)at) : NULL;

	if (first) {
		struct place here = place_name(at);
		struct issue *is =
			load_error(l, &here, "names are unique", "a second %s '%.60s'", noun, name);
		issue_other(&l->issues, is, place_name(first).at);
	}
}

static void bgp_resolve(struct advs *x)
{
	CLEANUP(map_freep) struct map *names = map_new();
	struct loader *l = x->l;
	size_t most = 1;

	for (size_t i = 0; i < l->n_pools; i++)
		most += MAX(l->pools[i]->n_advs, 1u);
	struct cfg_bgp_adv *v =
		arena_new_n(load_list(l, CFG_ADVS), struct cfg_bgp_adv, most + l->n_bgp_advs);
	size_t n = 0;
	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->protocol == CFG_BGP)
			n += pool_bgp(x, l->pools[i], pools_one(l, &l->cfg->pools[i]), &v[n]);
	l->cfg->n_own_bgp_advs = n;
	for (size_t i = 0; i < l->n_bgp_advs; i++) {
		struct raw_adv *adv = l->bgp_advs[i];

		name_unique(l, names, adv->c.name, adv->at, "BGP advertisement");
		adv->c.pools = targets_find(x, adv->at, &adv->c.targets);
		targets_announced(x, &adv->c.pools);
		targets_lengths(x, adv);
		resolve_communities(l, adv->at, true, &adv->c);
		adv_peers(x, adv->at, &adv->c.peers);
		list_add(x, adv);
		v[n++] = adv->c;
	}
	v[n] = adv_default("outside-pools", CFG_LEGACY);
	v[n++].outside_pools = true;
	bgp_hashes(v, n);
	l->cfg->bgp_advs = v;
	l->cfg->n_bgp_advs = n;
}

static void l2_resolve(struct advs *x)
{
	CLEANUP(map_freep) struct map *names = map_new();
	struct loader *l = x->l;
	struct cfg_l2_adv *v = arena_new_n(load_list(l, CFG_ADVS), struct cfg_l2_adv,
					   l->n_pools + l->n_l2_advs + 1);
	size_t n = 0;

	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->protocol == CFG_LAYER2)
			v[n++] = (struct cfg_l2_adv){ .name = l->pools[i]->c.name,
						      .implicit = true,
						      .pools = pools_one(l, &l->cfg->pools[i]) };
	l->cfg->n_own_l2_advs = n;
	for (size_t i = 0; i < l->n_l2_advs; i++) {
		struct raw_l2_adv *adv = l->l2_advs[i];

		name_unique(l, names, adv->c.name, adv->at, "Layer 2 advertisement");
		adv->c.pools = targets_find(x, adv->at, &adv->c.targets);
		targets_announced(x, &adv->c.pools);
		v[n++] = adv->c;
	}
	v[n++] = (struct cfg_l2_adv){ .name = "outside-pools",
				      .implicit = true,
				      .outside_pools = true };
	for (size_t i = 0; i < n; i++)
		if (!v[i].hash) /* the same */
			v[i].hash = hash_l2_adv(&v[i]);
	l->cfg->l2_advs = v;
	l->cfg->n_l2_advs = n;
}

void resolve_advs(struct loader *l)
{
	struct advs x = advs_new(l);

	l2_resolve(&x);
	bgp_resolve(&x);
	advs_local_pref(&x);
	advs_echo(&x);
	if (!l->issues.count[ISSUE_ERROR]) /* of which warnings might be mere echoes */
		advs_warn(&x);
	advs_fini(&x);
}
