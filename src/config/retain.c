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

static void pool_load(struct loader *l, const struct cfg *c, size_t i)
{
	const struct cfg_pool *p = &c->pools[i];
	struct raw_pool *raw = arena_new_of(l->scratch, struct raw_pool);

	raw->c = *p;
	raw->at = &nowhere;
	pool_spans(l, raw, p);
	pool_advs(l, raw, c, p);
	pool_keep(l, raw);
}

static size_t pools_loaded(const struct loader *l)
{
	return l->n_pools;
}

/* --- advertisements that stand by themselves: behind those that pools bring --- */

static void l2_adv_load(struct loader *l, const struct cfg *c, size_t i)
{
	struct raw_l2_adv *raw = arena_new_of(l->scratch, struct raw_l2_adv);

	raw->c = c->l2_advs[c->n_own_l2_advs + i];
	adv_l2_keep(l, &nowhere, raw);
}

static size_t l2_advs_loaded(const struct loader *l)
{
	return l->n_l2_advs;
}

static void bgp_adv_load(struct loader *l, const struct cfg *c, size_t i)
{
	struct raw_adv *raw = arena_new_of(l->scratch, struct raw_adv);

	raw->c = c->bgp_advs[c->n_own_bgp_advs + i];
	adv_bgp_keep(l, &nowhere, raw);
}

static size_t bgp_advs_loaded(const struct loader *l)
{
	return l->n_bgp_advs;
}

/* --- services and networks --- */

static void service_load(struct loader *l, const struct cfg *c, size_t i)
{
	const struct cfg_service *s = &c->services[i];
	struct raw_service *raw = arena_new_of(l->scratch, struct raw_service);

	raw->c = *s;
	raw->addresses = (struct addr *)s->addresses; /* only read from now on */
	raw->n_addresses = s->n_addresses;
	raw->address_at = arena_new_n(l->scratch, const struct place *, s->n_addresses);
	for (size_t j = 0; j < s->n_addresses; j++)
		raw->address_at[j] = &nowhere;
	service_keep(l, &nowhere, raw);
}

static size_t services_loaded(const struct loader *l)
{
	return l->n_services;
}

static void network_load(struct loader *l, const struct cfg *c, size_t i)
{
	struct raw_network *raw = arena_new_of(l->scratch, struct raw_network);

	raw->c = c->networks[i];
	raw->adv.c = raw->c.adv;
	network_keep(l, &nowhere, raw);
}

static size_t networks_loaded(const struct loader *l)
{
	return l->n_networks;
}

static const struct {
	const char *key;
	size_t (*loaded)(const struct loader *l);
	void (*load)(struct loader *l, const struct cfg *c, size_t i);
} kinds[RETAIN_COUNT] = {
	[RETAIN_POOLS] = { "address-pools", pools_loaded, pool_load },
	[RETAIN_L2_ADVS] = { "l2-advertisements", l2_advs_loaded, l2_adv_load },
	[RETAIN_BGP_ADVS] = { "bgp-advertisements", bgp_advs_loaded, bgp_adv_load },
	[RETAIN_SERVICES] = { "services", services_loaded, service_load },
	[RETAIN_NETWORKS] = { "networks", networks_loaded, network_load },
};

const char *retain_key(enum retain_kind k)
{
	return kinds[k].key;
}

size_t retain_loaded(const struct loader *l, enum retain_kind k)
{
	return kinds[k].loaded(l);
}

void retain_load(struct loader *l, enum retain_kind k, const struct cfg *c, size_t first,
		 size_t end)
{
	for (size_t i = first; i < end; i++)
		kinds[k].load(l, c, i);
}
