#include "config/retain.h"

#include "config/fields.h"
#include "config/index.h"

/* Where everything retained stands: in an empty mapping that is in no file. */
static const struct doc_file no_file = { .name = "", .source = "" };
static const struct doc nothing = { .kind = DOC_MAP, .file = &no_file };
static const struct place nowhere = { .at = &nothing };

/* --- pools, with the advertisements that they bring --- */

static void pool_spans(struct loader *l, struct raw_pool *raw, const struct cfg_pool *p)
{
	raw->blocks = (struct cfg_block_list *)p->addresses; /* only read from now on */
	raw->n_spans = p->n_addresses;
	raw->spans = arena_new_n(l->scratch, struct raw_span, p->n_addresses);
	for (size_t i = 0; i < p->n_addresses; i++) {
		const struct cfg_block_list *b = &p->addresses[i];
		struct raw_span *s = &raw->spans[i];

		*s = (struct raw_span){
			.range = { .first = prefix_range(&b->v[0]).first,
				   .last = prefix_range(&b->v[b->n - 1]).last },
			.text = b->text,
			.at = &nowhere,
			.pool = raw,
			.shortest = b->v[0].len,
		};
		for (size_t j = 1; j < b->n; j++)
			s->shortest = MIN(s->shortest, b->v[j].len);
	}
}

/* One that has none of its own gets the same one that it got before. */
static void pool_advs(struct loader *l, struct raw_pool *raw, const struct cfg *c,
		      const struct cfg_pool *p)
{
	const struct cfg_l2_adv *l2;
	const struct cfg_bgp_adv *bgp;

	for (size_t at = 0; (l2 = cfg_next_l2_adv(c, p, &at));)
		if (l2->implicit)
			raw->protocol = CFG_LAYER2;
	for (size_t at = 0; (bgp = cfg_next_bgp_adv(c, p, &at));) {
		struct raw_adv *adv;

		if (!bgp->implicit)
			continue;
		raw->protocol = CFG_BGP;
		adv = arena_new_of(l->scratch, struct raw_adv);
		adv->c = *bgp;
		adv_take(l, &nowhere, raw, adv);
	}
}

struct raw_pool *retain_pool(struct loader *l, size_t i)
{
	const struct cfg_pool *p = &l->before->pools[i];
	struct raw_pool *raw = arena_new_of(l->scratch, struct raw_pool);

	raw->c = *p;
	raw->at = &nowhere;
	pool_spans(l, raw, p);
	pool_advs(l, raw, l->before, p);
	return raw;
}

static void pool_unfold(struct loader *l, size_t at, size_t i)
{
	l->pools[at] = retain_pool(l, i);
}

static void pool_reserve(struct loader *l)
{
	pool_keep(l, NULL);
}

static size_t pools_loaded(const struct loader *l)
{
	return l->n_pools;
}

static size_t pools_count(const struct cfg *c)
{
	return c->n_pools;
}

/* --- advertisements that stand by themselves: behind those that pools bring --- */

static void l2_adv_unfold(struct loader *l, size_t at, size_t i)
{
	struct raw_l2_adv *raw = arena_new_of(l->scratch, struct raw_l2_adv);

	raw->c = l->before->l2_advs[l->before->n_own_l2_advs + i];
	raw->at = &nowhere;
	l->l2_advs[at] = raw;
}

static void l2_adv_reserve(struct loader *l)
{
	mem_grow(l->l2_advs, l->n_l2_advs, l->cap_l2_advs);
	l->l2_advs[l->n_l2_advs++] = NULL;
}

static size_t l2_advs_loaded(const struct loader *l)
{
	return l->n_l2_advs;
}

/* The last one is that for addresses outside every pool. */
static size_t l2_advs_count(const struct cfg *c)
{
	return c->n_l2_advs - c->n_own_l2_advs - 1;
}

static void bgp_adv_unfold(struct loader *l, size_t at, size_t i)
{
	struct raw_adv *raw = arena_new_of(l->scratch, struct raw_adv);

	raw->c = l->before->bgp_advs[l->before->n_own_bgp_advs + i];
	raw->at = &nowhere;
	l->bgp_advs[at] = raw;
}

static void bgp_adv_reserve(struct loader *l)
{
	mem_grow(l->bgp_advs, l->n_bgp_advs, l->cap_bgp_advs);
	l->bgp_advs[l->n_bgp_advs++] = NULL;
}

static size_t bgp_advs_loaded(const struct loader *l)
{
	return l->n_bgp_advs;
}

static size_t bgp_advs_count(const struct cfg *c)
{
	return c->n_bgp_advs - c->n_own_bgp_advs - 1;
}

/* --- services and networks --- */

struct raw_service *retain_service(struct loader *l, size_t i)
{
	const struct cfg_service *s = &l->before->services[i];
	struct raw_service *raw = arena_new_of(l->scratch, struct raw_service);

	raw->c = *s;
	raw->at = &nowhere;
	raw->addresses = (struct addr *)s->addresses; /* only read from now on */
	raw->n_addresses = s->n_addresses;
	raw->address_at = arena_new_n(l->scratch, const struct place *, s->n_addresses);
	for (size_t j = 0; j < s->n_addresses; j++)
		raw->address_at[j] = &nowhere;
	return raw;
}

static void service_unfold(struct loader *l, size_t at, size_t i)
{
	l->services[at] = retain_service(l, i);
}

static void service_reserve(struct loader *l)
{
	mem_grow(l->services, l->n_services, l->cap_services);
	l->services[l->n_services++] = NULL;
}

static size_t services_loaded(const struct loader *l)
{
	return l->n_services;
}

static size_t services_count(const struct cfg *c)
{
	return c->n_services;
}

struct raw_network *retain_network(struct loader *l, size_t i)
{
	struct raw_network *raw = arena_new_of(l->scratch, struct raw_network);

	raw->c = l->before->networks[i];
	raw->adv.c = raw->c.adv;
	raw->adv.at = &nowhere;
	return raw;
}

static void network_unfold(struct loader *l, size_t at, size_t i)
{
	l->networks[at] = retain_network(l, i);
}

static void network_reserve(struct loader *l)
{
	mem_grow(l->networks, l->n_networks, l->cap_networks);
	l->networks[l->n_networks++] = NULL;
}

static size_t networks_loaded(const struct loader *l)
{
	return l->n_networks;
}

static size_t networks_count(const struct cfg *c)
{
	return c->n_networks;
}

/* --- all kinds --- */

static const struct {
	const char *key;
	size_t (*loaded)(const struct loader *l);
	size_t (*count)(const struct cfg *c);
	void (*reserve)(struct loader *l);
	void (*unfold)(struct loader *l, size_t at, size_t i);
} kinds[RETAIN_COUNT] = {
	[RETAIN_POOLS] = { "address-pools", pools_loaded, pools_count, pool_reserve, pool_unfold },
	[RETAIN_L2_ADVS] = { "l2-advertisements", l2_advs_loaded, l2_advs_count, l2_adv_reserve,
			     l2_adv_unfold },
	[RETAIN_BGP_ADVS] = { "bgp-advertisements", bgp_advs_loaded, bgp_advs_count,
			      bgp_adv_reserve, bgp_adv_unfold },
	[RETAIN_SERVICES] = { "services", services_loaded, services_count, service_reserve,
			      service_unfold },
	[RETAIN_NETWORKS] = { "networks", networks_loaded, networks_count, network_reserve,
			      network_unfold },
};

const char *retain_key(enum retain_kind k)
{
	return kinds[k].key;
}

size_t retain_loaded(const struct loader *l, enum retain_kind k)
{
	return kinds[k].loaded(l);
}

size_t retain_count(const struct cfg *c, enum retain_kind k)
{
	return kinds[k].count(c);
}

void retain_load(struct loader *l, enum retain_kind k, size_t first, size_t end)
{
	if (first == end)
		return;
	mem_grow(l->retained, l->n_retained, l->cap_retained);
	l->retained[l->n_retained++] = (struct retained){
		.kind = k, .at = retain_loaded(l, k), .first = first, .n = end - first
	};
	for (size_t i = first; i < end; i++)
		kinds[k].reserve(l);
}

bool retain_has(const struct loader *l, enum retain_kind k, size_t i)
{
	for (size_t j = 0; j < l->n_retained; j++) {
		const struct retained *r = &l->retained[j];

		if (r->kind == k && i >= r->first && i - r->first < r->n)
			return true;
	}
	return false;
}

void retain_unfold(struct loader *l)
{
	for (size_t j = 0; j < l->n_retained; j++) {
		const struct retained *r = &l->retained[j];

		for (size_t i = 0; i < r->n; i++)
			kinds[r->kind].unfold(l, r->at + i, r->first + i);
	}
}
