/* The rules between pools. */
#include <string.h>

#include "config/hash.h"
#include "config/loader.h"

static void pools_names(struct loader *l)
{
	for (size_t i = 0; i < l->n_pools; i++) {
		struct raw_pool *raw = l->pools[i];
		const struct raw_pool *first =
			raw->c.name ? map_put(l->pools_by_name, raw->c.name, raw) : NULL;

		if (first) {
			struct place at = place_name(raw->at);
			struct issue *is = load_error(l, &at, "names are unique",
						      "a second pool '%.60s'", raw->c.name);
			issue_other(&l->issues, is, place_name(first->at).at);
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

void resolve_narrowest(struct raw_pool *pool)
{
	for (size_t i = 0; i < pool->n_spans; i++) {
		const struct raw_span *s = &pool->spans[i];
		const struct raw_span **of = &pool->narrowest[s->range.first.family == FAMILY_V6];

		if (!*of || s->shortest > (*of)->shortest)
			*of = s;
	}
}

static void pools_move(struct loader *l)
{
	struct cfg_pool *v = arena_new_n(load_list(l, CFG_POOLS), struct cfg_pool, l->n_pools);

	for (size_t i = 0; i < l->n_pools; i++) {
		struct raw_pool *raw = l->pools[i];

		resolve_narrowest(raw);
		raw->made = &v[i];
		v[i] = raw->c;
		v[i].addresses = raw->blocks;
		v[i].n_addresses = raw->n_spans;
		if (!v[i].hash) /* it may be one of the configuration before */
			v[i].hash = hash_pool(&v[i]);
	}
	l->cfg->pools = v;
	l->cfg->n_pools = l->n_pools;
}

static const char *const not_public[] = {
	"0.0.0.0/8",	   "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",	"169.254.0.0/16",
	"172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "2001:db8::/32",	"3fff::/20",
};

/* Whether an address is one that the whole internet routes, if it is its owner's. */
static bool is_public(const struct range *r, const struct prefix *others, size_t n)
{
	static const struct prefix global = { .addr = { .family = FAMILY_V6, .b = { 0x20 } },
					      .len = 3 };

	for (size_t i = 0; i < n; i++)
		if (prefix_contains(&others[i], &r->first) && prefix_contains(&others[i], &r->last))
			return false;
	return r->first.family == FAMILY_V4 || prefix_contains(&global, &r->first) ||
	       prefix_contains(&global, &r->last);
}

static void pool_public(struct loader *l, const struct raw_pool *pool, const struct prefix *others,
			size_t n)
{
	for (size_t i = 0; i < pool->n_spans; i++) {
		const struct raw_span *s = &pool->spans[i];

		if (!is_public(&s->range, others, n))
			continue;
		load_warning(l, s->at,
			     "fine where they are yours; private ones are 10.0.0.0/8, "
			     "172.16.0.0/12, 192.168.0.0/16 and fc00::/7",
			     "'%.100s' holds public addresses", s->text);
		return;
	}
}

static void pools_public(struct loader *l)
{
	struct prefix others[ARRAY_LEN(not_public)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(not_public); i++)
		n += prefix_parse(not_public[i], &others[n]) == 0;
	for (size_t i = 0; i < l->n_pools; i++)
		if (!l->pools[i]->c.hash) /* of the configuration before there was nothing to say */
			pool_public(l, l->pools[i], others, n);
}

void resolve_pools_known(struct loader *l)
{
	pools_names(l);
	spans_collect(l);
}

void resolve_pools(struct loader *l)
{
	resolve_pools_known(l);
	spans_overlap(l);
	pools_move(l);
	pools_public(l);
}
