/* Advertisements that contradict each other, and what loads but can't work as its author hopes. */
#include <string.h>

#include "config/advs.h"
#include "config/fields.h"

/* Steps of comparing advertisements with each other. Beyond them the plan still finds a
 * contradiction, service by service. */
#define COMPARISONS_MAX 50000000

/* The pair of advertisements that is looked at, and what looking may still cost. */
struct pair {
	struct advs *x;
	const struct raw_adv *a, *b;
	size_t *left;
};

static bool pair_pay(const struct pair *p, size_t cost)
{
	if (cost > *p->left)
		*p->left = 0;
	else
		*p->left -= cost;
	return *p->left > 0;
}

/* Lists of peers that have none in common; no list is all peers. */
static bool pair_peers_apart(const struct pair *p)
{
	const struct cfg_texts *a = &p->a->c.peers, *b = &p->b->c.peers;

	if (!a->n || !b->n || !pair_pay(p, a->n * b->n))
		return false;
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (strcmp(a->v[i], b->v[j]) == 0)
				return false;
	return true;
}

/* Which nodes there are is not known here: only what surely meets is refused. */
static bool pair_nodes_meet(const struct pair *p)
{
	const struct selectors *a = &p->a->c.node_selectors, *b = &p->b->c.node_selectors;

	if (!a->n || !b->n)
		return true;
	if (a->n != b->n || !pair_pay(p, a->n))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!selector_eq(&a->v[i], &b->v[i]))
			return false;
	return true;
}

/* Of a pool with both families, lengths that differ in one of them are not enough. */
static bool pair_lengths_meet(const struct pair *p, const struct raw_pool *pool)
{
	const struct cfg_bgp_adv *a = &p->a->c, *b = &p->b->c;

	return (pool->narrowest[0] && a->aggregation_v4 == b->aggregation_v4) ||
	       (pool->narrowest[1] && a->aggregation_v6 == b->aggregation_v6);
}

/* The first pool of both whose prefixes would be the same, or NULL. */
static const struct raw_pool *pair_pools_meet(const struct pair *p)
{
	const struct cfg_pools *a = &p->a->c.pools, *b = &p->b->c.pools;

	if (!pair_pay(p, a->v == b->v ? a->n : a->n + b->n))
		return NULL;
	p->x->turn++;
	for (size_t i = 0; i < a->n; i++)
		p->x->stamps[a->v[i] - p->x->l->cfg->pools] = p->x->turn;
	for (size_t i = 0; i < b->n; i++) {
		const struct raw_pool *pool = advs_pool(p->x, b->v[i]);

		if (p->x->stamps[b->v[i] - p->x->l->cfg->pools] == p->x->turn &&
		    pair_lengths_meet(p, pool))
			return pool;
	}
	return NULL;
}

static bool pair_check(const struct pair *p)
{
	struct loader *l = p->x->l;

	if (p->a->c.local_pref == p->b->c.local_pref || p->a->c.service_selectors.n ||
	    p->b->c.service_selectors.n)
		return true;
	if (pair_peers_apart(p) || !pair_nodes_meet(p))
		return true;
	const struct raw_pool *pool = pair_pools_meet(p);
	if (!pool)
		return true;
	struct place at = place_either(p->b->at, "localpref", "localPref");
	struct issue *is = load_error(
		l, &at, "differ in peers, in nodeSelectors or in aggregationLength as well",
		"'%.60s' and '%.60s' give pool '%.60s' different local preferences, %u and %u",
		p->a->c.name, p->b->c.name, pool->c.name, p->a->c.local_pref, p->b->c.local_pref);
	issue_other(&l->issues, is, place_either(p->a->at, "localpref", "localPref").at);
	return false;
}

void advs_local_pref(struct advs *x)
{
	size_t left = COMPARISONS_MAX;

	for (size_t i = 1; i < x->n_list; i++)
		for (size_t j = 0; j < i; j++) {
			struct pair p = { .x = x, .a = x->list[j], .b = x->list[i], .left = &left };

			if (!p.a->c.name || !p.b->c.name || !pair_pay(&p, 1))
				return;
			if (!pair_check(&p))
				break;
		}
}

static bool peer_carries(const struct cfg_peer *p, uint8_t family)
{
	return p->dual_stack || cfg_peer_is_unnumbered(p) || p->addr.family == family;
}

/* What the peers of an advertisement can do: together, and the first that is of another AS. */
struct hearers {
	size_t n;
	bool v4, v6;
	const struct cfg_peer *external;
};

static void hearers_add(struct hearers *h, const struct cfg_peer *p)
{
	h->n++;
	h->v4 |= peer_carries(p, FAMILY_V4);
	h->v6 |= peer_carries(p, FAMILY_V6);
	if (!h->external && peer_is_external(p))
		h->external = p;
}

static struct hearers hearers_all(const struct cfg *c)
{
	struct hearers h = { 0 };

	for (size_t i = 0; i < c->n_peers; i++)
		hearers_add(&h, &c->peers[i]);
	return h;
}

static struct hearers hearers_of(const struct advs *x, const struct cfg_texts *names)
{
	struct hearers h = { 0 };

	for (size_t i = 0; i < names->n; i++) {
		const struct cfg_peer *p = map_get(x->peers, names->v[i]);

		if (p)
			hearers_add(&h, p);
	}
	return h;
}

/* A pool of the advertisement with addresses of this family. */
static const struct raw_pool *adv_family(const struct advs *x, const struct cfg_pools *pools,
					 bool v6)
{
	if (pools->v == x->all.v)
		return x->strictest.narrowest[v6] ? x->strictest.narrowest[v6]->pool : NULL;
	for (size_t i = 0; i < pools->n; i++) {
		const struct raw_pool *pool = advs_pool(x, pools->v[i]);

		if (pool->narrowest[v6])
			return pool;
	}
	return NULL;
}

static const struct cfg_pool *pool_with_v6(const struct cfg_pools *pools)
{
	for (size_t i = 0; i < pools->n; i++)
		for (size_t k = 0; k < pools->v[i]->n_addresses; k++) {
			const struct cfg_block_list *b = &pools->v[i]->addresses[k];

			if (b->n && b->v[0].addr.family == FAMILY_V6)
				return pools->v[i];
		}
	return NULL;
}

static bool texts_have(const struct cfg_texts *t, const char *text)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i], text) == 0)
			return true;
	return false;
}

/* The first one, of resources, that hears this advertisement and whose BFD sends echo packets. */
static const struct cfg_peer *echo_peer(const struct cfg *c, const struct raw_adv *adv)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		const struct cfg_peer *p = &c->peers[i];

		if (p->format == CFG_RESOURCE && p->bfd && p->bfd->echo &&
		    (!adv->c.peers.n || texts_have(&adv->c.peers, p->name)))
			return p;
	}
	return NULL;
}

void advs_echo(struct advs *x)
{
	for (size_t i = 0; i < x->n_list; i++) {
		const struct raw_adv *adv = x->list[i];
		const struct cfg_pool *pool = pool_with_v6(&adv->c.pools);
		const struct cfg_peer *peer = pool ? echo_peer(x->l->cfg, adv) : NULL;

		if (peer)
			load_error(x->l, adv->at,
				   "switch echoMode off in that profile, or name other peers",
				   "IPv6 addresses of pool '%.60s' go to peer '%.60s', whose BFD "
				   "profile '%.60s' has echo mode",
				   pool->name, peer->name, peer->bfd->name);
	}
}

static void warn_family(struct advs *x, const struct raw_adv *adv, bool v6)
{
	const struct raw_pool *pool = adv_family(x, &adv->c.pools, v6);
	struct place at = place_field(adv->at, "peers");

	if (pool)
		load_warning(x->l, &at,
			     "add a peer of that family, or dualStackAddressFamily: true to one",
			     "no peer of this advertisement carries IPv%c: nothing announces such "
			     "addresses of pool '%.60s' by it",
			     v6 ? '6' : '4', pool->c.name);
}

static void warn_adv(struct advs *x, const struct raw_adv *adv, const struct hearers *all)
{
	struct place pref = place_either(adv->at, "localpref", "localPref");
	struct hearers h = adv->c.peers.n ? hearers_of(x, &adv->c.peers) : *all;

	struct place name = place_name(adv->at);

	if (!all->n)
		load_warning(x->l, &name,
			     place_object(adv->at) ? "add the routers as BGPPeers"
						   : "add the routers to peers",
			     "nobody hears this advertisement: there is no peer");
	if (!h.n)
		return;
	if (!h.v4)
		warn_family(x, adv, false);
	if (!h.v6)
		warn_family(x, adv, true);
	if (adv->c.local_pref && h.external)
		load_warning(x->l, &pref,
			     "med or as-path-prepend have one: annotations crier/med and "
			     "crier/as-path-prepend",
			     "a local preference has no effect on the eBGP peer '%.60s'",
			     h.external->name);
}

/* A pool with advertisements of its own, by BGP. */
static void warn_own(struct loader *l, const struct raw_pool *pool, const struct hearers *all)
{
	if (!all->n) {
		load_warning(l, pool->at, "add the routers to peers",
			     "nothing announces this bgp pool: there is no peer");
		return;
	}
	for (size_t i = 0; i < pool->n_spans; i++) {
		bool v6 = pool->spans[i].range.first.family == FAMILY_V6;

		if (v6 ? all->v6 : all->v4)
			continue;
		load_warning(l, pool->spans[i].at,
			     "add a peer of that family, or dual-stack: true to one",
			     "no peer carries IPv%c: nothing announces these addresses",
			     v6 ? '6' : '4');
		break;
	}
}

/* An address is announced where any of its pool's advertisements allows it: another one restricts nothing. */
static void warn_l2_adv(const struct advs *x, const struct raw_l2_adv *adv)
{
	struct place list = place_either(adv->at, "address-pools", "ipAddressPools");
	const struct cfg_texts *names = &adv->c.targets.pools;

	if (!adv->c.interfaces.n && !adv->c.node_selectors.n && !adv->c.service_selectors.n)
		return;
	for (size_t i = 0; i < names->n; i++) {
		const struct raw_pool *pool = map_get(x->l->pools_by_name, names->v[i]);
		struct place at = place_element(&list, i);

		if (pool && pool->protocol == CFG_LAYER2)
			load_warning(x->l, &at,
				     "write protocol: none there, and this advertisement decides",
				     "pool '%.60s' has protocol: layer2, which announces it on "
				     "every node and link already",
				     names->v[i]);
	}
}

void advs_warn(struct advs *x)
{
	struct loader *l = x->l;
	struct hearers all = hearers_all(l->cfg);

	for (size_t i = 0; i < l->n_bgp_advs; i++)
		warn_adv(x, l->bgp_advs[i], &all);
	for (size_t i = 0; i < l->n_l2_advs; i++)
		warn_l2_adv(x, l->l2_advs[i]);
	for (size_t i = 0; i < l->n_pools; i++) {
		const struct raw_pool *pool = l->pools[i];
		struct place name = place_name(pool->at);

		if (pool->protocol == CFG_BGP)
			warn_own(l, pool, &all);
		else if (pool->protocol == CFG_PROTOCOL_UNSET && !pool->announced &&
			 !x->all_announced)
			load_warning(l, &name,
				     pool->c.format == CFG_LEGACY
					     ? "write l2-advertisements or bgp-advertisements"
					     : "add an L2Advertisement or a BGPAdvertisement",
				     "no advertisement is for pool '%.60s': nothing announces it",
				     pool->c.name);
	}
}
