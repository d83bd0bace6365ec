#include "config/amend.h"

#include <string.h>

#include "config/advs.h"
#include "config/diff.h"
#include "config/hash.h"
#include "config/reread.h"
#include "config/retain.h"
#include "config/stock.h"

/* What was read again is compared with all others: with so many it is better to index them all. */
enum { READ_MAX = 32, ADDRESSES_MAX = 32 };

/** Of one kind: the places of those that were read again. */
struct places {
	size_t n;
	size_t at[READ_MAX];
};

struct amend {
	struct loader *l;
	const struct cfg *before;
	struct places read[RETAIN_COUNT];
};

/* Between what is retained. */
static bool places_read(const struct loader *l, enum retain_kind k, struct places *out)
{
	size_t at = 0;

	for (size_t i = 0; i <= l->n_retained; i++) {
		const struct retained *r = i < l->n_retained ? &l->retained[i] : NULL;

		if (r && r->kind != k)
			continue;
		for (size_t end = r ? r->at : retain_loaded(l, k); at < end; at++) {
			if (out->n == READ_MAX)
				return false;
			out->at[out->n++] = at;
		}
		at += r ? r->n : 0;
	}
	return true;
}

/* Does all that is retained stand where it stood, among as many others? */
static bool in_place(const struct loader *l, enum retain_kind k)
{
	bool same = retain_loaded(l, k) == retain_count(l->before, k);

	for (size_t i = 0; same && i < l->n_retained; i++)
		same = l->retained[i].kind != k || l->retained[i].at == l->retained[i].first;
	return same;
}

static bool texts_same(const struct cfg_texts *a, const struct cfg_texts *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->v[i], b->v[i]) == 0;
	return same;
}

/* --- what everything rests on --- */

static bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* With what is printed nowhere. */
static bool peer_same(const struct cfg_peer *a, const struct cfg_peer *b)
{
	return a->restart.ns == b->restart.ns && a->long_lived.ns == b->long_lived.ns &&
	       a->keepalive.ns == b->keepalive.ns &&
	       text_same(a->password_secret, b->password_secret) && cfg_peer_same(a, b);
}

static bool peers_same(const struct cfg *a, const struct cfg *b)
{
	bool same = a->n_peers == b->n_peers && a->n_bfd_profiles == b->n_bfd_profiles;

	for (size_t i = 0; same && i < a->n_bfd_profiles; i++)
		same = cfg_bfd_profile_eq(&a->bfd_profiles[i], &b->bfd_profiles[i]);
	for (size_t i = 0; same && i < a->n_peers; i++)
		same = peer_same(&a->peers[i], &b->peers[i]);
	return same;
}

/* By which its own advertisements announce a pool: they come first. */
static enum cfg_protocol protocol_of(const struct cfg *c, const struct cfg_pool *p)
{
	size_t at_l2 = 0, at_bgp = 0;
	const struct cfg_l2_adv *l2 = cfg_next_l2_adv(c, p, &at_l2);
	const struct cfg_bgp_adv *bgp = cfg_next_bgp_adv(c, p, &at_bgp);

	if (l2 && l2->implicit)
		return CFG_LAYER2;
	return bgp && bgp->implicit ? CFG_BGP : CFG_PROTOCOL_UNSET;
}

/* But for advertisements of its own, where those are not compared with others'. */
static bool pool_same(const struct amend *x, size_t i)
{
	const struct raw_pool *raw = x->l->pools[i];
	const struct cfg_pool *was = &x->before->pools[i];
	struct cfg_pool now = raw->c;

	now.addresses = raw->blocks;
	now.n_addresses = raw->n_spans;
	return was->hash == hash_pool(&now) && was->format == now.format &&
	       (was->format != CFG_RESOURCE || !raw->n_advs) &&
	       raw->protocol == protocol_of(x->before, was);
}

static bool l2_adv_same(const struct amend *x, size_t i)
{
	const struct cfg_l2_adv *was = &x->before->l2_advs[x->before->n_own_l2_advs + i];

	return was->hash == hash_l2_adv(&x->l->l2_advs[i]->c);
}

static bool says_same(const struct cfg_bgp_adv *a, const struct cfg_bgp_adv *b)
{
	return a->hash == b->hash && texts_same(&a->written, &b->written);
}

static bool bgp_adv_same(const struct amend *x, size_t i)
{
	const struct raw_adv *raw = x->l->bgp_advs[i];
	struct cfg_bgp_adv now = raw->c;

	resolve_communities(x->l, raw->at, true, &now);
	now.hash = hash_bgp_adv(&now);
	return says_same(&x->before->bgp_advs[x->before->n_own_bgp_advs + i], &now);
}

static bool all_same(const struct amend *x, enum retain_kind k,
		     bool (*same)(const struct amend *x, size_t i))
{
	bool all = in_place(x->l, k);

	for (size_t i = 0; all && i < x->read[k].n; i++)
		all = same(x, x->read[k].at[i]);
	return all;
}

static bool ground_same(const struct amend *x)
{
	return peers_same(x->before, x->l->cfg) && all_same(x, RETAIN_POOLS, pool_same) &&
	       all_same(x, RETAIN_L2_ADVS, l2_adv_same) &&
	       all_same(x, RETAIN_BGP_ADVS, bgp_adv_same);
}

static bool few_addresses(const struct amend *x)
{
	const struct places *read = &x->read[RETAIN_SERVICES];
	size_t n = 0;

	for (size_t i = 0; i < read->n; i++)
		n += x->l->services[read->at[i]]->n_addresses;
	return n <= ADDRESSES_MAX;
}

static bool few_read(struct amend *x)
{
	for (size_t k = 0; k < RETAIN_COUNT; k++)
		if (!places_read(x->l, k, &x->read[k]))
			return false;
	return few_addresses(x);
}

/* --- taking over --- */

static void share(const struct amend *x, enum cfg_list which)
{
	struct stock **list = &x->l->cfg->lists[which];

	stock_free(*list);
	*list = stock_share(x->before->lists[which]);
}

/* What is retained, from one list to where it stands in another. */
static void copy_retained(const struct amend *x, enum retain_kind k, void *to, const void *from,
			  size_t size)
{
	for (size_t i = 0; i < x->l->n_retained; i++) {
		const struct retained *r = &x->l->retained[i];

		if (r->kind == k)
			memcpy((char *)to + r->at * size, (const char *)from + r->first * size,
			       r->n * size);
	}
}

/* The stock of the configuration before lasts as long as ours. */
static void peers_take(const struct amend *x)
{
	struct cfg *c = x->l->cfg;

	c->bfd_profiles = x->before->bfd_profiles;
	c->peers = x->before->peers;
}

static void pools_take(const struct amend *x)
{
	const struct places *read = &x->read[RETAIN_POOLS];
	struct loader *l = x->l;

	share(x, CFG_POOLS);
	l->cfg->pools = x->before->pools;
	l->cfg->n_pools = x->before->n_pools;
	for (size_t i = 0; i < read->n; i++) {
		l->pools[i] = l->pools[read->at[i]];
		l->pools[i]->made = &l->cfg->pools[read->at[i]];
	}
	l->n_pools = read->n;
}

/* --- advertisements that pools bring --- */

/** Advertisements in the place of @n_old others, from number @first on. */
struct swap {
	size_t first, n_old, n;
	struct cfg_bgp_adv *v;
};

/* False: the pool brings the same as before. */
static bool swap_find(const struct amend *x, struct raw_pool *raw, struct swap *s)
{
	const struct cfg_bgp_adv *adv;
	size_t at = 0;
	bool same;

	*s = (struct swap){ 0 };
	while ((adv = cfg_next_bgp_adv(x->before, raw->made, &at)) && adv->implicit)
		if (s->n_old++ == 0)
			s->first = (size_t)(adv - x->before->bgp_advs);
	adv = &x->before->bgp_advs[s->first];
	s->v = arena_new_n(x->l->scratch, struct cfg_bgp_adv, MAX(raw->n_advs, (size_t)1));
	s->n = advs_of_pool(x->l, raw, adv->pools, s->v);
	same = s->n == s->n_old;
	for (size_t i = 0; same && i < s->n; i++)
		same = says_same(&adv[i], &s->v[i]);
	return !same;
}

static void bgp_advs_copy(const struct amend *x, const struct swap *swaps, size_t n_swaps)
{
	const struct cfg_bgp_adv *from = x->before->bgp_advs;
	size_t n = x->before->n_bgp_advs, at = 0, left = 0;
	struct cfg *c = x->l->cfg;

	for (size_t i = 0; i < n_swaps; i++)
		n += swaps[i].n - swaps[i].n_old;
	struct cfg_bgp_adv *v = arena_new_n(load_list(x->l, CFG_ADVS), struct cfg_bgp_adv, n);
	for (size_t i = 0; i < n_swaps; i++) {
		const struct swap *s = &swaps[i];

		memcpy(v + at, from + left, (s->first - left) * sizeof(*v));
		at += s->first - left;
		memcpy(v + at, s->v, s->n * sizeof(*v));
		at += s->n;
		left = s->first + s->n_old;
	}
	memcpy(v + at, from + left, (n - at) * sizeof(*v));
	c->bgp_advs = v;
	c->n_bgp_advs = n;
	c->n_own_bgp_advs = x->before->n_own_bgp_advs + n - x->before->n_bgp_advs;
}

static void l2_advs_copy(const struct amend *x)
{
	size_t n = x->before->n_l2_advs;
	struct cfg_l2_adv *v = arena_new_n(load_list(x->l, CFG_ADVS), struct cfg_l2_adv, n);

	memcpy(v, x->before->l2_advs, n * sizeof(*v));
	x->l->cfg->l2_advs = v;
}

static void advs_take(const struct amend *x)
{
	struct loader *l = x->l;
	struct cfg *c = l->cfg;
	struct swap swaps[READ_MAX];
	size_t n = 0;

	c->n_l2_advs = x->before->n_l2_advs;
	c->n_own_l2_advs = x->before->n_own_l2_advs;
	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->protocol == CFG_BGP)
			n += swap_find(x, l->pools[i], &swaps[n]);
	if (n) {
		l2_advs_copy(x);
		bgp_advs_copy(x, swaps, n);
		return;
	}
	share(x, CFG_ADVS);
	c->l2_advs = x->before->l2_advs;
	c->bgp_advs = x->before->bgp_advs;
	c->n_bgp_advs = x->before->n_bgp_advs;
	c->n_own_bgp_advs = x->before->n_own_bgp_advs;
}

/* --- services --- */

static bool service_same(const struct amend *x, size_t i)
{
	struct raw_service *raw = x->l->services[i];

	hash_service_set(&raw->c);
	return x->before->services[i].hash == raw->c.hash;
}

static bool address_is_read(const struct amend *x, const struct cfg_service *s)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		for (size_t j = 0; j < x->read[RETAIN_SERVICES].n; j++)
			for (size_t k = 0; k < x->l->services[j]->n_addresses; k++)
				if (addr_eq(&s->addresses[i], &x->l->services[j]->addresses[k]))
					return true;
	return false;
}

/* Services of the same name, by number. */
static size_t names_read(const struct amend *x, size_t v[static READ_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < x->read[RETAIN_SERVICES].n; i++) {
		const struct cfg_service *s =
			cfg_service_find(x->before, x->l->services[i]->c.name);

		if (s)
			v[n++] = (size_t)(s - x->before->services);
	}
	return n;
}

static bool is_among(const size_t *v, size_t n, size_t one)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == one)
			return true;
	return false;
}

/* Those that share something with one that was read come to the list, which has only these. */
static void service_neighbours(const struct amend *x)
{
	size_t same_name[READ_MAX], n = names_read(x, same_name);
	struct loader *l = x->l;

	for (size_t i = 0; i < x->before->n_services; i++)
		if ((is_among(same_name, n, i) || address_is_read(x, &x->before->services[i])) &&
		    retain_has(l, RETAIN_SERVICES, i)) {
			mem_grow(l->services, l->n_services, l->cap_services);
			l->services[l->n_services++] = retain_service(l, i);
		}
}

static void pool_need(const struct amend *x, const struct cfg_pool *p)
{
	struct loader *l = x->l;

	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->made == p)
			return;
	mem_grow(l->pools, l->n_pools, l->cap_pools);
	l->pools[l->n_pools] = retain_pool(l, (size_t)(p - x->before->pools));
	l->pools[l->n_pools++]->made = p;
}

/* The pools that services name, or have addresses of; any one where there are some. */
static void service_pools(const struct amend *x)
{
	const struct cfg *c = x->before;

	if (c->n_pools)
		pool_need(x, &c->pools[0]);
	for (size_t i = 0; i < x->l->n_services; i++) {
		const struct raw_service *s = x->l->services[i];
		const struct cfg_pool *p = s->c.pool ? cfg_pool_find(c, s->c.pool) : NULL;

		if (p)
			pool_need(x, p);
		for (size_t j = 0; j < s->n_addresses; j++)
			if ((p = cfg_pool_of(c, &s->addresses[j])))
				pool_need(x, p);
	}
}

static void services_check(const struct amend *x)
{
	service_neighbours(x);
	service_pools(x);
	resolve_pools_known(x->l);
	resolve_services_check(x->l);
}

static void services_take(const struct amend *x)
{
	const struct places *read = &x->read[RETAIN_SERVICES];
	struct loader *l = x->l;
	size_t n = l->n_services;

	if (all_same(x, RETAIN_SERVICES, service_same)) {
		share(x, CFG_SERVICES);
		l->cfg->services = x->before->services;
		l->cfg->n_services = n;
		l->cfg->services_by_name = x->before->services_by_name;
		return;
	}
	struct cfg_service *v = arena_new_n(load_list(l, CFG_SERVICES), struct cfg_service, n);

	copy_retained(x, RETAIN_SERVICES, v, x->before->services, sizeof(*v));
	for (size_t i = 0; i < read->n; i++) {
		l->services[i] = l->services[read->at[i]];
		v[read->at[i]] = l->services[i]->c;
	}
	l->n_services = read->n;
	services_check(x);
	resolve_services_take(l, v, n);
}

/* --- networks --- */

static bool network_same(const struct amend *x, size_t i)
{
	struct raw_network *raw = x->l->networks[i];
	const struct cfg_network *was = &x->before->networks[i];

	resolve_communities(x->l, raw->adv.at, false, &raw->adv.c);
	struct cfg_network now = resolve_network(raw);
	return was->hash == now.hash && texts_same(&was->adv.written, &now.adv.written);
}

static bool prefix_is_read(const struct amend *x, const struct cfg_network *c)
{
	for (size_t i = 0; i < x->read[RETAIN_NETWORKS].n; i++)
		if (prefix_cmp(&c->prefix, &x->l->networks[i]->c.prefix) == 0)
			return true;
	return false;
}

static void network_neighbours(const struct amend *x)
{
	struct loader *l = x->l;

	for (size_t i = 0; i < x->before->n_networks; i++)
		if (prefix_is_read(x, &x->before->networks[i]) &&
		    retain_has(l, RETAIN_NETWORKS, i)) {
			mem_grow(l->networks, l->n_networks, l->cap_networks);
			l->networks[l->n_networks++] = retain_network(l, i);
		}
}

static void networks_take(const struct amend *x)
{
	const struct places *read = &x->read[RETAIN_NETWORKS];
	struct loader *l = x->l;
	size_t n = l->n_networks;

	l->cfg->n_networks = n;
	if (all_same(x, RETAIN_NETWORKS, network_same)) {
		share(x, CFG_NETWORKS);
		l->cfg->networks = x->before->networks;
		return;
	}
	struct cfg_network *v = arena_new_n(load_list(l, CFG_NETWORKS), struct cfg_network, n);

	copy_retained(x, RETAIN_NETWORKS, v, x->before->networks, sizeof(*v));
	for (size_t i = 0; i < read->n; i++)
		l->networks[i] = l->networks[read->at[i]];
	l->n_networks = read->n;
	network_neighbours(x);
	resolve_networks_check(l);
	for (size_t i = 0; i < read->n; i++)
		v[read->at[i]] = resolve_network(l->networks[i]);
	l->cfg->networks = v;
}

/* --- all of it --- */

/* Such a load is not used, whatever becomes of it (config/said.h). */
static bool is_lost(const struct loader *l)
{
	bool quiet = !reread_said(l->before->read)->n;

	return l->strayed || l->issues.count[ISSUE_ERROR] || (quiet && l->issues.n);
}

/* All rules for all objects: but where something was said before, only with the whole text. */
static bool amend_not(struct loader *l)
{
	l->strayed = reread_said(l->before->read)->n;
	return l->strayed;
}

bool amend(struct loader *l)
{
	struct amend x = { .l = l, .before = l->before };

	if (!x.before)
		return false;
	if (is_lost(l))
		return true;
	if (!x.before->index || !l->n_retained || !few_read(&x) || !ground_same(&x))
		return amend_not(l);
	l->in_place = true;
	for (enum retain_kind k = 0; k < RETAIN_COUNT; k++)
		l->in_place &= in_place(l, k);
	peers_take(&x);
	pools_take(&x);
	advs_take(&x);
	services_take(&x);
	networks_take(&x);
	return true;
}
