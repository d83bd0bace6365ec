/* Pools, their advertisements, and the names of communities. */
#include <string.h>

#include "config/blocks.h"
#include "config/community.h"
#include "config/fields.h"
#include "config/resource.h"
#include "config/value.h"

static const char *blocks_problem(enum blocks_result r)
{
	switch (r) {
	case BLOCKS_NO_MASK:
		return "a single address needs its mask";
	case BLOCKS_BAD_END:
		return "one end of the range is not an address";
	case BLOCKS_ORDER:
		return "the range starts after its end";
	case BLOCKS_FAMILIES:
		return "the range starts in one address family and ends in the other";
	default:
		return "neither a prefix nor a range";
	}
}

static const char *blocks_hint(struct loader *l, enum blocks_result r, const char *text)
{
	if (r == BLOCKS_NO_MASK)
		return issues_text(&l->issues, "write %.60s/%s", text,
				   strchr(text, ':') ? "128" : "32");
	if (r == BLOCKS_ORDER)
		return "swap the two";
	return "such as 192.0.2.0/24, 192.0.2.10-192.0.2.20 or 2001:db8::/112";
}

static void span_add(struct loader *l, struct raw_pool *pool, const struct place *p,
		     const struct range *r, const char *text)
{
	struct prefix split[BLOCKS_MAX];
	size_t n = blocks_split(r, split);
	struct prefix *v = arena_new_n(l->arena, struct prefix, n);
	struct raw_span span = {
		.range = *r,
		.text = text,
		.at = place_keep(l->scratch, p),
		.pool = pool,
		.shortest = split[0].len,
	};

	memcpy(v, split, n * sizeof(*v));
	for (size_t i = 0; i < n; i++)
		span.shortest = MIN(span.shortest, split[i].len);
	pool->blocks[pool->n_spans] = (struct cfg_block_list){ .text = text, .v = v, .n = n };
	pool->spans[pool->n_spans++] = span;
}

static void address_load(struct loader *l, const struct place *p, struct raw_pool *pool)
{
	const char *text;
	struct range r;

	if (!value_peek(l, p, &text))
		return;
	enum blocks_result res = blocks_parse(text, &r);
	if (res == BLOCKS_OK)
		span_add(l, pool, p, &r, arena_strdup(l->arena, text));
	else
		load_error(l, p, blocks_hint(l, res, text), "'%.100s': %s", text,
			   blocks_problem(res));
}

void addresses_load(struct loader *l, const struct place *p, void *object)
{
	struct raw_pool *pool = object;

	if (!value_is(l, p, DOC_LIST))
		return;
	if (!p->at->n_items)
		load_error(l, p, "at least one prefix or range", "a pool without addresses");
	const struct place *list = place_keep(l->scratch, p);
	pool->blocks = arena_new_n(l->arena, struct cfg_block_list, p->at->n_items);
	pool->spans = arena_new_n(l->scratch, struct raw_span, p->at->n_items);
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(list, i, p->at->items[i]);

		address_load(l, &at, pool);
	}
}

void adv_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_pool *pool = parent;
	struct raw_adv *adv = object;

	(void)l;
	adv->at = p;
	mem_grow(pool->advs, pool->n_advs, pool->cap_advs);
	pool->advs[pool->n_advs++] = adv;
}

void large_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_bgp_adv *adv = &((struct raw_adv *)object)->c;
	const char *text;

	if (!value_is(l, p, DOC_LIST))
		return;
	size_t n = p->at->n_items;
	struct large_community *v = arena_new_n(l->arena, struct large_community, n);
	for (size_t i = 0; i < n; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		if (value_peek(l, &at, &text) && !large_community_parse(text, &v[i]))
			load_error(l, &at, "three numbers, as 64512:1:2",
				   "'%.60s' is not a large community", text);
	}
	adv->large_communities = v;
	adv->n_large_communities = large_communities_unique(v, n);
}

void ext_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_bgp_adv *adv = &((struct raw_adv *)object)->c;
	const char *text;

	if (!value_is(l, p, DOC_LIST))
		return;
	size_t n = p->at->n_items;
	uint64_t *v = arena_new_n(l->arena, uint64_t, n);
	for (size_t i = 0; i < n; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		if (value_peek(l, &at, &text) && !ext_community_parse(text, &v[i]))
			load_error(l, &at,
				   "such as rt:64512:100, ro:192.0.2.1:7 or 0x0002fc0000000064",
				   "'%.60s' is not an extended community", text);
	}
	adv->ext_communities = v;
	adv->n_ext_communities = ext_communities_unique(v, n);
}

/* Aliases may follow in another document: here only what is wrong with the list as such. */
void communities_load(struct loader *l, const struct place *p, void *object)
{
	const char *text;

	(void)object;
	if (!value_is(l, p, DOC_LIST))
		return;
	CLEANUP(map_freep) struct map *seen = p->at->n_items > 1 ? map_new() : NULL;
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		if (value_peek(l, &at, &text) && seen && map_put(seen, text, (void *)p))
			load_error(l, &at, "keep one of them", "'%.60s' is given twice", text);
	}
}

static const struct word protocols[] = {
	{ "layer2", CFG_LAYER2 }, { "bgp", CFG_BGP }, { "none", CFG_PROTOCOL_UNSET }, { 0 }
};

static const struct field allocation_fields[] = {
	{ "priority", FIELD_UINT, "pools with a low one are tried first; 0: after all others",
	  AT(struct cfg_reservation, priority), .max = INT32_MAX, .preset = "0" },
	{ "namespaces", FIELD_TEXTS, "services of these namespaces",
	  AT(struct cfg_reservation, namespaces), .preset_text = "all", .load = texts_unique },
	{ "namespace-selectors", FIELD_SELECTORS, "services of namespaces with such labels as well",
	  AT(struct cfg_reservation, namespace_selectors) },
	{ "service-selectors", FIELD_SELECTORS, "services with such labels",
	  AT(struct cfg_reservation, service_selectors), .preset_text = "all" },
};

static const struct level level_service_allocation = {
	.noun = "service-allocation",
	.fields = allocation_fields,
	.n = ARRAY_LEN(allocation_fields),
	.object_size = sizeof(struct cfg_reservation),
};

void reservation_load(struct loader *l, const struct place *p, const struct level *level,
		      void *object)
{
	struct cfg_reservation *reserved = arena_new_of(l->arena, struct cfg_reservation);

	level_load(l, level, place_keep(l->scratch, p), reserved);
	((struct raw_pool *)object)->c.reserved = reserved;
}

static void allocation_load(struct loader *l, const struct place *p, void *object)
{
	reservation_load(l, p, &level_service_allocation, object);
}

static const struct field pool_fields[] = {
	{ "name", FIELD_TEXT, "the pool's name", AT(struct raw_pool, c.name), .required = true },
	{ "protocol", FIELD_WORD,
	  "how its own advertisements announce it; with `none` it has none, and l2-advertisements "
	  "and bgp-advertisements are for it",
	  AT(struct raw_pool, protocol), .words = protocols, .required = true },
	{ "addresses", FIELD_OWN, "prefixes and ranges, in the order in which they are handed out",
	  .shape = "list of text", .required = true, .load = addresses_load },
	{ "auto-assign", FIELD_BOOL, "serve services that do not ask for this pool by name",
	  AT(struct raw_pool, c.auto_assign), .preset = "true" },
	{ "avoid-buggy-ips", FIELD_BOOL, "never hand out IPv4 addresses that end in .0 or .255",
	  AT(struct raw_pool, c.avoid_buggy_ips), .preset = "false" },
	{ "bgp-advertisements", FIELD_LIST, "how a bgp pool is announced", .level = &level_adv,
	  .preset_text = "one with every default" },
	{ "labels", FIELD_LABELS, "what address-pool-selectors see",
	  AT(struct raw_pool, c.labels) },
	{ "service-allocation", FIELD_OWN, "keep the pool for some services", .shape = "mapping",
	  .level = &level_service_allocation, .load = allocation_load },
};

/* Equal as go-yaml decodes them: numbers by value, a null like an absent key. */
static bool doc_same(const struct doc *a, const struct doc *b)
{
	if (!a || !b || a->kind == DOC_NULL || b->kind == DOC_NULL)
		return (!a || a->kind == DOC_NULL) && (!b || b->kind == DOC_NULL);
	if (a->kind == DOC_INT && b->kind == DOC_INT)
		return a->integer == b->integer && a->negative == b->negative;
	if (a->kind == DOC_BOOL && b->kind == DOC_BOOL)
		return a->boolean == b->boolean;
	if (a->kind == DOC_LIST && b->kind == DOC_LIST) {
		bool same = a->n_items == b->n_items;

		for (size_t i = 0; same && i < a->n_items; i++)
			same = doc_same(a->items[i], b->items[i]);
		return same;
	}
	if (a->kind == DOC_LIST || b->kind == DOC_LIST || a->kind == DOC_MAP || b->kind == DOC_MAP)
		return false;
	return strcmp(a->text, b->text) == 0;
}

static bool adv_same(const struct level *level, const struct doc *a, const struct doc *b)
{
	for (size_t i = 0; i < level->n; i++)
		if (!doc_same(doc_get(a, level->fields[i].key), doc_get(b, level->fields[i].key)))
			return false;
	return true;
}

#define ADVS_MAX 100 /* each is compared with each; nobody needs more */

void advs_check(struct loader *l, const struct raw_pool *pool, const struct level *level)
{
	if (pool->n_advs > ADVS_MAX) {
		load_error(l, pool->advs[ADVS_MAX]->at, NULL,
			   "a pool has at most %d advertisements", ADVS_MAX);
		return;
	}
	for (size_t i = 0; i < pool->n_advs; i++)
		for (size_t j = 0; j < i; j++)
			if (adv_same(level, pool->advs[i]->at->at, pool->advs[j]->at->at)) {
				struct issue *is = load_error(
					l, pool->advs[i]->at, "keep one of them",
					"this advertisement is the same as the one before");
				issue_other(&l->issues, is, pool->advs[j]->at->at);
				break;
			}
}

void pool_keep(struct loader *l, struct raw_pool *pool)
{
	mem_grow(l->pools, l->n_pools, l->cap_pools);
	l->pools[l->n_pools++] = pool;
}

static void pool_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_pool *pool = object;

	(void)parent;
	pool->at = p;
	advs_check(l, pool, &level_adv);
	if (pool->n_advs && pool->protocol != CFG_BGP) {
		struct place at = place_field(p, "bgp-advertisements");

		load_error(l, &at, "leave them away, or write protocol: bgp",
			   "bgp-advertisements on a %s",
			   pool->protocol == CFG_LAYER2 ? "layer2 pool" : "pool of protocol: none");
	}
	pool_keep(l, pool);
}

const struct level level_pool = {
	.noun = "a pool",
	.fields = pool_fields,
	.n = ARRAY_LEN(pool_fields),
	.object_size = sizeof(struct raw_pool),
	.take = pool_take,
};

static void alias_add(struct loader *l, const struct place *p, const struct doc *key)
{
	struct raw_alias *alias = arena_new_of(l->scratch, struct raw_alias);
	const char *text;

	alias->at = key;
	alias->name = arena_strdup(l->arena, key->text);
	if (!value_peek(l, p, &text))
		return;
	if (!community_parse(text, &alias->value)) {
		const char *value = community_well_known(text);

		load_error(l, p,
			   value ? issues_text(&l->issues, "write %s", value)
				 : "two numbers up to 65535, as 64512:77",
			   "'%.60s' is not a community", text);
	}
	const struct raw_alias *first = map_put(l->aliases, key->text, alias);
	if (first) {
		struct issue *i = load_error(l, p, "keep one of them",
					     "community '%.60s' is named twice", key->text);
		issue_other(&l->issues, i, first->at);
	}
}

void communities_names_load(struct loader *l, const struct place *p, void *object)
{
	(void)object;
	if (!value_is(l, p, DOC_MAP))
		return;
	for (size_t i = 0; i < p->at->n_pairs; i++) {
		const struct doc_pair *pair = &p->at->pairs[i];
		struct place at = place_key(p, pair->key->text, pair->value);

		alias_add(l, &at, pair->key);
	}
}
