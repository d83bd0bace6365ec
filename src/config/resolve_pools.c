/* The rules between pools, communities and peers; pools become pools plus their implicit
 * advertisements. */
#include <string.h>

#include "base/text.h"
#include "config/community.h"
#include "config/loader.h"

static void pools_names(struct loader *l)
{
	CLEANUP(map_freep) struct map *names = map_new();

	for (size_t i = 0; i < l->n_pools; i++) {
		struct raw_pool *raw = l->pools[i];
		const struct raw_pool *first =
			raw->c.name ? map_put(names, raw->c.name, raw) : NULL;

		if (first) {
			struct place at = place_field(raw->at, "name");
			struct issue *is = load_error(l, &at, "names are unique",
						      "a second pool '%.60s'", raw->c.name);
			issue_other(&l->issues, is, place_field(first->at, "name").at);
		}
	}
}

static int span_cmp(const void *x, const void *y)
{
	const struct raw_span *a = *(struct raw_span *const *)x, *b = *(struct raw_span *const *)y;
	int c = addr_cmp(&a->range.first, &b->range.first);

	return c ? c : addr_cmp(&a->range.last, &b->range.last);
}

static void spans_collect(struct loader *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_pools; i++)
		n += l->pools[i]->n_spans;
	l->spans = arena_new_n(l->scratch, struct raw_span *, n);
	for (size_t i = 0; i < l->n_pools; i++)
		for (size_t j = 0; j < l->pools[i]->n_spans; j++)
			l->spans[l->n_spans++] = &l->pools[i]->spans[j];
	if (l->n_spans)
		qsort(l->spans, l->n_spans, sizeof(struct raw_span *), span_cmp);
}

static void overlap_report(struct loader *l, const struct raw_span *a, const struct raw_span *b)
{
	bool a_first = issues_before(&l->issues, a->at->at, b->at->at);
	const struct raw_span *first = a_first ? a : b, *second = a_first ? b : a;
	const char *pool = first->pool->c.name ? first->pool->c.name : "?";
	struct issue *is = first->pool == second->pool
				   ? load_error(l, second->at, "each address belongs to one entry",
						"'%.100s' overlaps '%.100s' of the same pool",
						second->text, first->text)
				   : load_error(l, second->at, "each address belongs to one pool",
						"'%.100s' overlaps '%.100s' of pool '%.60s'",
						second->text, first->text, pool);
	issue_other(&l->issues, is, first->at->at);
}

/* Sorted by start, a span overlaps an earlier one exactly when it starts before the furthest end
 * so far. */
static void spans_overlap(struct loader *l)
{
	const struct raw_span *widest = NULL;

	for (size_t i = 0; i < l->n_spans; i++) {
		const struct raw_span *s = l->spans[i];

		if (widest && range_contains(&widest->range, &s->range.first))
			overlap_report(l, widest, s);
		if (!widest || widest->range.last.family != s->range.last.family ||
		    addr_cmp(&s->range.last, &widest->range.last) > 0)
			widest = s;
	}
}

const struct raw_span *resolve_span(const struct loader *l, const struct addr *a)
{
	size_t low = 0, high = l->n_spans;

	while (low < high) { /* the first span that starts after the address */
		size_t mid = low + (high - low) / 2;

		if (addr_cmp(&l->spans[mid]->range.first, a) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && range_contains(&l->spans[low - 1]->range, a) ? l->spans[low - 1] : NULL;
}

static const char *community_hint(struct loader *l, const char *text)
{
	const char *value = community_well_known(text);

	if (value)
		return issues_text(&l->issues, "write %s, or give it this name in bgp-communities",
				   value);
	const char *near = load_nearest(l, text, l->alias_names, l->n_alias_names);
	return near ? near : "a name of bgp-communities, or two numbers up to 65535, as 64512:77";
}

static void alias_names(struct loader *l)
{
	const char *key;
	struct raw_alias *alias;

	l->alias_names = arena_new_n(l->scratch, const char *, map_len(l->aliases));
	MAP_EACH (l->aliases, key, alias)
		l->alias_names[l->n_alias_names++] = key;
}

static void adv_communities(struct loader *l, struct raw_adv *raw)
{
	const struct doc *list = doc_get(raw->at->at, "communities");

	if (!list || list->kind != DOC_LIST)
		return;
	struct place list_at = place_key(raw->at, "communities", list);
	uint32_t *v = arena_new_n(l->arena, uint32_t, list->n_items);
	for (size_t i = 0; i < list->n_items; i++) {
		struct place at = place_index(&list_at, i, list->items[i]);
		const char *text = list->items[i]->text;
		const struct raw_alias *alias = text ? map_get(l->aliases, text) : NULL;

		if (!text || list->items[i]->kind == DOC_LIST || list->items[i]->kind == DOC_MAP)
			continue; /* told when it was loaded */
		if (alias)
			v[i] = alias->value;
		else if (!community_parse(text, &v[i]))
			load_error(l, &at, community_hint(l, text), "'%.60s' is not a community",
				   text);
	}
	raw->c.communities = v;
	raw->c.n_communities = communities_unique(v, list->n_items);
}

static void adv_length(struct loader *l, const struct raw_adv *raw, const struct raw_span *s)
{
	bool v6 = s->range.first.family == FAMILY_V6;
	unsigned length = v6 ? raw->c.aggregation_v6 : raw->c.aggregation_v4;
	const char *key = v6 ? "aggregation-length-v6" : "aggregation-length";

	if (length >= s->shortest)
		return;
	struct place at = place_field(raw->at, key);
	struct issue *is =
		load_error(l, &at, issues_text(&l->issues, "%u to %u", s->shortest, v6 ? 128 : 32),
			   "%s %u is wider than '%.100s', whose widest prefix is /%u", key, length,
			   s->text, s->shortest);
	issue_other(&l->issues, is, s->at->at);
}

static void adv_peers(struct loader *l, const struct raw_adv *raw, const struct map *peers,
		      const char *const *names)
{
	struct place list = place_field(raw->at, "peers");

	for (size_t i = 0; i < raw->c.peers.n; i++) {
		if (map_get(peers, raw->c.peers.v[i]) || list.at->kind != DOC_LIST)
			continue;
		struct place at = place_index(&list, i, list.at->items[i]);
		load_warning(l, &at, load_nearest(l, raw->c.peers.v[i], names, l->cfg->n_peers),
			     "there is no peer '%.60s'", raw->c.peers.v[i]);
	}
}

static struct cfg_pools pools_one(struct loader *l, const struct cfg_pool *pool)
{
	const struct cfg_pool **v = arena_new_of(l->arena, const struct cfg_pool *);

	*v = pool;
	return (struct cfg_pools){ .v = v, .n = 1 };
}

/* The advertisement that a bgp pool has when it asks for none. */
static struct cfg_bgp_adv adv_default(const char *name)
{
	return (struct cfg_bgp_adv){
		.name = name, .aggregation_v4 = 32, .aggregation_v6 = 128, .has_local_pref = true
	};
}

static size_t pool_bgp_advs(struct loader *l, const struct raw_pool *raw,
			    const struct cfg_pool *pool, struct cfg_bgp_adv *out)
{
	for (size_t i = 0; i < raw->n_advs; i++) {
		out[i] = raw->advs[i]->c;
		out[i].name = i ? arena_printf(l->arena, "%s/%zu", pool->name, i + 1) : pool->name;
		out[i].has_local_pref = true;
		out[i].pools = pools_one(l, pool);
	}
	if (raw->n_advs)
		return raw->n_advs;
	out[0] = adv_default(pool->name);
	out[0].pools = pools_one(l, pool);
	return 1;
}

static void pools_move(struct loader *l)
{
	struct cfg *c = l->cfg;
	size_t most = 1;

	for (size_t i = 0; i < l->n_pools; i++)
		most += l->pools[i]->n_advs + 1;
	struct cfg_pool *pools = arena_new_n(l->arena, struct cfg_pool, l->n_pools);
	struct cfg_l2_adv *l2 = arena_new_n(l->arena, struct cfg_l2_adv, l->n_pools + 1);
	struct cfg_bgp_adv *bgp = arena_new_n(l->arena, struct cfg_bgp_adv, most);
	for (size_t i = 0; i < l->n_pools; i++) {
		const struct raw_pool *raw = l->pools[i];

		pools[i] = raw->c;
		pools[i].addresses = raw->blocks;
		pools[i].n_addresses = raw->n_spans;
		if (raw->protocol == CFG_BGP)
			c->n_bgp_advs += pool_bgp_advs(l, raw, &pools[i], &bgp[c->n_bgp_advs]);
		else
			l2[c->n_l2_advs++] =
				(struct cfg_l2_adv){ .name = raw->c.name,
						     .pools = pools_one(l, &pools[i]) };
	}
	l2[c->n_l2_advs++] = (struct cfg_l2_adv){ .name = "outside-pools", .outside_pools = true };
	bgp[c->n_bgp_advs] = adv_default("outside-pools");
	bgp[c->n_bgp_advs++].outside_pools = true;
	c->pools = pools;
	c->n_pools = l->n_pools;
	c->l2_advs = l2;
	c->bgp_advs = bgp;
}

static void pools_advs(struct loader *l)
{
	CLEANUP(map_freep) struct map *peers = map_new();
	const char **names = arena_new_n(l->scratch, const char *, l->cfg->n_peers);

	for (size_t i = 0; i < l->cfg->n_peers; i++) {
		names[i] = l->cfg->peers[i].name;
		map_put(peers, names[i], (void *)names[i]);
	}
	for (size_t i = 0; i < l->n_pools; i++)
		for (size_t j = 0; j < l->pools[i]->n_advs; j++) {
			struct raw_adv *adv = l->pools[i]->advs[j];

			adv_communities(l, adv);
			adv_peers(l, adv, peers, names);
			for (size_t k = 0; k < l->pools[i]->n_spans; k++)
				adv_length(l, adv, &l->pools[i]->spans[k]);
		}
}

static bool peer_carries(const struct cfg_peer *p, uint8_t family)
{
	return p->dual_stack || p->addr.family == family;
}

static bool any_carries(const struct cfg *c, uint8_t family)
{
	for (size_t i = 0; i < c->n_peers; i++)
		if (peer_carries(&c->peers[i], family))
			return true;
	return false;
}

/* What loads, and can't work as its author hopes. */
static void pools_warn(struct loader *l)
{
	bool v4 = any_carries(l->cfg, FAMILY_V4), v6 = any_carries(l->cfg, FAMILY_V6);

	if (l->issues.count[ISSUE_ERROR]) /* of which these might be mere echoes */
		return;
	for (size_t i = 0; i < l->n_pools; i++) {
		const struct raw_pool *pool = l->pools[i];

		if (pool->protocol != CFG_BGP)
			continue;
		if (!l->cfg->n_peers) {
			load_warning(l, pool->at, "add the routers to peers",
				     "nothing announces this bgp pool: there is no peer");
			continue;
		}
		for (size_t j = 0; j < pool->n_spans; j++) {
			bool is_v6 = pool->spans[j].range.first.family == FAMILY_V6;

			if (is_v6 ? v6 : v4)
				continue;
			load_warning(l, pool->spans[j].at,
				     "add a peer of that family, or dual-stack: true to one",
				     "no peer carries IPv%c: nothing announces these addresses",
				     is_v6 ? '6' : '4');
			break;
		}
	}
}

void resolve_pools(struct loader *l)
{
	pools_names(l);
	spans_collect(l);
	spans_overlap(l);
	alias_names(l);
	pools_advs(l);
	pools_move(l);
	pools_warn(l);
}
