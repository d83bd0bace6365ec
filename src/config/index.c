#include "config/index.h"

#include <stdlib.h>

#include "config/hash.h"
#include "config/stock.h"

/* Pools of advertisements that are indexed in any case. */
#define ENTRIES_MIN ((size_t)1 << 18)

/** Neighbouring addresses of one pool. */
struct stretch {
	struct range range;
	const struct cfg_pool *pool;
};

/**
 * The advertisements of each pool, by their numbers and in their order: those of pool i are
 * from[i] to from[i + 1] of all. Behind the pools: those for addresses outside every pool.
 */
struct by_pool {
	size_t *from;
	uint32_t *all;
};

struct cfg_index {
	const struct stretch *stretches; /* by address */
	size_t n;
	struct by_pool l2, bgp;
	uint64_t *advs_hashes; /* of each pool's, and of those behind the pools */
};

/* --- which pool --- */

static int by_first(const void *x, const void *y)
{
	const struct stretch *a = x, *b = y;

	return addr_cmp(&a->range.first, &b->range.first);
}

static void index_stretches(struct cfg_index *x, const struct cfg *c)
{
	size_t most = 0;

	for (size_t i = 0; i < c->n_pools; i++)
		for (size_t j = 0; j < c->pools[i].n_addresses; j++)
			most += c->pools[i].addresses[j].n;
	struct stretch *v = arena_new_n(stock_arena(c->lists[CFG_POOLS]), struct stretch, most);

	for (size_t i = 0; i < c->n_pools; i++)
		for (size_t j = 0; j < c->pools[i].n_addresses; j++)
			for (size_t k = 0; k < c->pools[i].addresses[j].n; k++)
				v[x->n++] = (struct stretch){
					.range = prefix_range(&c->pools[i].addresses[j].v[k]),
					.pool = &c->pools[i]
				};
	if (x->n)
		qsort(v, x->n, sizeof(*v), by_first);
	x->stretches = v;
}

const struct cfg_pool *index_pool_of(const struct cfg_index *x, const struct addr *a)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&x->stretches[mid].range.first, a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || !range_contains(&x->stretches[lo - 1].range, a))
		return NULL;
	return x->stretches[lo - 1].pool;
}

/* --- which advertisements --- */

/** For which pools an advertisement speaks. */
struct reach {
	const struct cfg_pools *pools;
	bool outside;
};

static struct reach l2_reach(const struct cfg *c, size_t adv)
{
	return (struct reach){ &c->l2_advs[adv].pools, c->l2_advs[adv].outside_pools };
}

static struct reach bgp_reach(const struct cfg *c, size_t adv)
{
	return (struct reach){ &c->bgp_advs[adv].pools, c->bgp_advs[adv].outside_pools };
}

static struct by_pool index_advs(const struct cfg *c, size_t n_advs,
				 struct reach (*reach_of)(const struct cfg *c, size_t adv))
{
	struct arena *a = stock_arena(c->lists[CFG_ADVS]);
	struct by_pool x = { .from = arena_new_n(a, size_t, c->n_pools + 2) };
	CLEANUP(mem_freep) size_t *count = mem_new_n(size_t, c->n_pools + 1);
	size_t n = 0;

	for (size_t i = 0; i < n_advs; i++) {
		struct reach r = reach_of(c, i);

		for (size_t j = 0; j < r.pools->n; j++)
			count[r.pools->v[j] - c->pools]++;
		count[c->n_pools] += r.outside;
	}
	for (size_t i = 0; i <= c->n_pools; n += count[i++])
		x.from[i] = n;
	x.from[c->n_pools + 1] = n;
	x.all = arena_new_n(a, uint32_t, n);
	for (size_t i = n_advs; i-- > 0;) {
		struct reach r = reach_of(c, i);

		for (size_t j = 0; j < r.pools->n; j++) {
			size_t at = (size_t)(r.pools->v[j] - c->pools);

			x.all[x.from[at] + --count[at]] = (uint32_t)i;
		}
		if (r.outside)
			x.all[x.from[c->n_pools] + --count[c->n_pools]] = (uint32_t)i;
	}
	return x;
}

static const uint32_t *next_of(const struct by_pool *x, const struct cfg *c,
			       const struct cfg_pool *pool, size_t *at)
{
	size_t i = pool ? (size_t)(pool - c->pools) : c->n_pools;

	return x->from[i] + *at < x->from[i + 1] ? &x->all[x->from[i] + (*at)++] : NULL;
}

const struct cfg_l2_adv *index_next_l2_adv(const struct cfg *c, const struct cfg_pool *pool,
					   size_t *at)
{
	const uint32_t *adv = next_of(&c->index->l2, c, pool, at);

	return adv ? &c->l2_advs[*adv] : NULL;
}

const struct cfg_bgp_adv *index_next_bgp_adv(const struct cfg *c, const struct cfg_pool *pool,
					     size_t *at)
{
	const uint32_t *adv = next_of(&c->index->bgp, c, pool, at);

	return adv ? &c->bgp_advs[*adv] : NULL;
}

uint64_t index_advs_hash(const struct cfg *c, const struct cfg_pool *pool)
{
	return c->index->advs_hashes[pool ? (size_t)(pool - c->pools) : c->n_pools];
}

/* Each pool's are mixed in their order, Layer 2 first. */
static void index_hashes(struct cfg_index *x, const struct cfg *c)
{
	uint64_t *h = arena_new_n(stock_arena(c->lists[CFG_ADVS]), uint64_t, c->n_pools + 1);

	for (size_t i = 0; i <= c->n_pools; i++) {
		for (size_t at = x->l2.from[i]; at < x->l2.from[i + 1]; at++)
			h[i] = hash_mix(h[i], c->l2_advs[x->l2.all[at]].hash);
		for (size_t at = x->bgp.from[i]; at < x->bgp.from[i + 1]; at++)
			h[i] = hash_mix(h[i], c->bgp_advs[x->bgp.all[at]].hash);
	}
	x->advs_hashes = h;
}

/* Many advertisements for many pools each would fill more memory than all the rest. */
static bool is_worth_it(const struct cfg *c)
{
	size_t most = ENTRIES_MIN + 8 * (c->n_pools + c->n_l2_advs + c->n_bgp_advs), n = 0;

	for (size_t i = 0; i < c->n_l2_advs && n <= most; i++)
		n += c->l2_advs[i].pools.n;
	for (size_t i = 0; i < c->n_bgp_advs && n <= most; i++)
		n += c->bgp_advs[i].pools.n;
	return n <= most;
}

static const struct cfg_index *index_before(const struct cfg *c, const struct cfg *before)
{
	return before && before->index && before->lists[CFG_POOLS] == c->lists[CFG_POOLS]
		       ? before->index
		       : NULL;
}

void index_make(struct cfg *c, const struct cfg *before)
{
	const struct cfg_index *known = index_before(c, before);

	if (known && before->lists[CFG_ADVS] == c->lists[CFG_ADVS]) {
		c->index = known;
		return;
	}
	if (!is_worth_it(c))
		return;
	struct cfg_index *x = arena_new_of(stock_arena(c->lists[CFG_ADVS]), struct cfg_index);

	if (known)
		x->stretches = known->stretches, x->n = known->n;
	else
		index_stretches(x, c);
	x->l2 = index_advs(c, c->n_l2_advs, l2_reach);
	x->bgp = index_advs(c, c->n_bgp_advs, bgp_reach);
	index_hashes(x, c);
	c->index = x;
}
