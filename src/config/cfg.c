#include "config/index.h"

#include <stdlib.h>
#include <string.h>

#include "config/reread.h"
#include "config/stock.h"

const struct cfg *cfg_free(const struct cfg *c)
{
	if (!c)
		return NULL;
	reread_free(c->read);
	for (size_t i = 0; i < CFG_LIST_COUNT; i++)
		stock_free(c->lists[i]);
	stock_free(c->stock);
	arena_free(c->arena); /* the struct itself lives in it */
	return NULL;
}

bool cfg_shares(const struct cfg *a, const struct cfg *b, enum cfg_list which)
{
	return a->lists[which] && a->lists[which] == b->lists[which];
}

const struct cfg_pool *cfg_pool_find(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->n_pools; i++)
		if (strcmp(c->pools[i].name, name) == 0)
			return &c->pools[i];
	return NULL;
}

bool cfg_pool_contains(const struct cfg_pool *p, const struct addr *a)
{
	for (size_t i = 0; i < p->n_addresses; i++)
		for (size_t j = 0; j < p->addresses[i].n; j++)
			if (prefix_contains(&p->addresses[i].v[j], a))
				return true;
	return false;
}

const struct cfg_pool *cfg_pool_of(const struct cfg *c, const struct addr *a)
{
	if (c->index)
		return index_pool_of(c->index, a);
	for (size_t i = 0; i < c->n_pools; i++)
		if (cfg_pool_contains(&c->pools[i], a))
			return &c->pools[i];
	return NULL;
}

bool cfg_peer_is_internal(const struct cfg_peer *p)
{
	if (p->dynamic_asn != CFG_ASN_FIXED)
		return p->dynamic_asn == CFG_ASN_INTERNAL;
	return p->peer_asn == (p->local_asn ? p->local_asn : p->my_asn);
}

bool cfg_peer_is_unnumbered(const struct cfg_peer *p)
{
	return !addr_is_set(&p->addr) && p->interface;
}

const struct cfg_peer *cfg_peer_find(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->n_peers; i++)
		if (strcmp(c->peers[i].name, name) == 0)
			return &c->peers[i];
	return NULL;
}

static int name_is(const void *name, const void *service)
{
	return strcmp(name, (*(const struct cfg_service *const *)service)->name);
}

const struct cfg_service *cfg_service_find(const struct cfg *c, const char *name)
{
	if (c->services_by_name) {
		const struct cfg_service *const *found =
			bsearch(name, c->services_by_name, c->n_services,
				sizeof(struct cfg_service *), name_is);

		return found ? *found : NULL;
	}
	for (size_t i = 0; i < c->n_services; i++)
		if (strcmp(c->services[i].name, name) == 0)
			return &c->services[i];
	return NULL;
}

static bool pools_hold(const struct cfg_pools *pools, bool outside, const struct cfg_pool *pool)
{
	if (!pool)
		return outside;
	for (size_t i = 0; i < pools->n; i++)
		if (pools->v[i] == pool)
			return true;
	return false;
}

bool cfg_l2_adv_covers(const struct cfg_l2_adv *a, const struct cfg_pool *pool)
{
	return pools_hold(&a->pools, a->outside_pools, pool);
}

bool cfg_bgp_adv_covers(const struct cfg_bgp_adv *a, const struct cfg_pool *pool)
{
	return pools_hold(&a->pools, a->outside_pools, pool);
}

const struct cfg_l2_adv *cfg_next_l2_adv(const struct cfg *c, const struct cfg_pool *pool,
					 size_t *at)
{
	if (c->index)
		return index_next_l2_adv(c, pool, at);
	while (*at < c->n_l2_advs) {
		const struct cfg_l2_adv *adv = &c->l2_advs[(*at)++];

		if (cfg_l2_adv_covers(adv, pool))
			return adv;
	}
	return NULL;
}

const struct cfg_bgp_adv *cfg_next_bgp_adv(const struct cfg *c, const struct cfg_pool *pool,
					   size_t *at)
{
	if (c->index)
		return index_next_bgp_adv(c, pool, at);
	while (*at < c->n_bgp_advs) {
		const struct cfg_bgp_adv *adv = &c->bgp_advs[(*at)++];

		if (cfg_bgp_adv_covers(adv, pool))
			return adv;
	}
	return NULL;
}
