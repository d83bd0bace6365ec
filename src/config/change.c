#include "config/change.h"

#include <string.h>

#include "base/map.h"
#include "config/diff.h"
#include "config/index.h"
#include "config/middle.h"

/* Whoever changes more than this has changed everything. */
#define RANGES_MAX 256

struct cfg_changes *cfg_changes_free(struct cfg_changes *ch)
{
	if (ch)
		arena_free(ch->arena); /* the struct itself lives in it */
	return NULL;
}

static bool peers_same(const struct cfg *from, const struct cfg *to)
{
	if (from->peers == to->peers) /* the very same */
		return true;
	if (from->n_peers != to->n_peers)
		return false;
	for (size_t i = 0; i < from->n_peers; i++)
		if (!cfg_peer_same(&from->peers[i], &to->peers[i]))
			return false;
	return true;
}

/* What every service's decision rests on. */
static bool ground_same(const struct cfg *from, const struct cfg *to)
{
	const struct cfg_kubernetes *a = &from->kubernetes, *b = &to->kubernetes;

	return from->index && to->index && labels_eq(&from->node.labels, &to->node.labels) &&
	       strcmp(a->lb_class, b->lb_class) == 0 &&
	       a->ignore_exclude_lb == b->ignore_exclude_lb &&
	       index_advs_hash(from, NULL) == index_advs_hash(to, NULL) && peers_same(from, to);
}

struct two {
	const struct cfg *from, *to;
};

static bool pool_same(const void *ctx, size_t i, size_t j)
{
	const struct two *t = ctx;
	const struct cfg_pool *a = &t->from->pools[i], *b = &t->to->pools[j];

	return a->hash == b->hash && index_advs_hash(t->from, a) == index_advs_hash(t->to, b);
}

static void add_pool(struct cfg_changes *ch, struct range *v, const struct cfg_pool *p)
{
	for (size_t i = 0; i < p->n_addresses && !ch->all; i++) {
		const struct cfg_block_list *b = &p->addresses[i];

		ch->all = b->n && ch->n_ranges == RANGES_MAX;
		if (b->n && !ch->all)
			v[ch->n_ranges++] = (struct range){
				.first = prefix_range(&b->v[0]).first,
				.last = prefix_range(&b->v[b->n - 1]).last,
			};
	}
}

static void add_pools(struct cfg_changes *ch, const struct cfg *from, const struct cfg *to)
{
	const struct two both = { from, to };
	struct middle m = middle_of(from->n_pools, to->n_pools, pool_same, &both);
	struct range *v = arena_new_n(ch->arena, struct range, RANGES_MAX);
	CLEANUP(map_freep) struct map *before = map_new();
	void *gone;

	ch->ranges = v;
	for (size_t i = m.first; i < m.end_from; i++)
		(void)map_put(before, from->pools[i].name, (void *)(uintptr_t)&from->pools[i]);
	for (size_t i = m.first; i < m.end_to && !ch->all; i++) {
		const struct cfg_pool *was = map_get(before, to->pools[i].name);

		if (was && pool_same(&both, (size_t)(was - from->pools), i))
			(void)map_del(before, was->name);
		else
			add_pool(ch, v, &to->pools[i]);
	}
	for (size_t at = 0; map_next(before, &at, NULL, &gone) && !ch->all;)
		add_pool(ch, v, gone);
}

struct cfg_changes *cfg_changes_of(const struct cfg *from, const struct cfg *to)
{
	struct arena *a = arena_new();
	struct cfg_changes *ch = arena_new_of(a, struct cfg_changes);

	ch->arena = a;
	ch->all = !ground_same(from, to);
	if (!ch->all && !(cfg_shares(from, to, CFG_POOLS) && cfg_shares(from, to, CFG_ADVS)))
		add_pools(ch, from, to);
	return ch;
}
