#include "alloc/alloc.h"

#include "unit/world/fixture.h"

/*
 * serviceAllocation of a pool "kept", beside one for everybody, "open": what becomes of a service
 * that asks for nothing, and may one have "kept" that asks for it?
 */
static const char *const team[] = { "team" }, *const gold[] = { "gold" };
static const struct selector_term tier_gold = { "tier", SELECTOR_IN, gold, 1 };
static const struct selector golden = { &tier_gold, 1 };
static const struct label label_gold = { "tier", "gold" }, label_tin = { "tier", "tin" };
static const struct labels is_gold = { &label_gold, 1 }, is_tin = { &label_tin, 1 };

#define NAMESPACES                \
	{                         \
		.v = team, .n = 1 \
	}
#define GOLDEN                       \
	{                            \
		.v = &golden, .n = 1 \
	}

static const struct rule {
	const char *name;
	struct cfg_reservation kept;
	const char *namespace;
	const struct labels *namespace_labels, *labels;
	const struct labels *known; /* of another namespace there is */
	const char *pool;	    /* given without asking */
	bool may_ask;
} rules[] = {
	{ "a namespace by name",
	  { .namespaces = NAMESPACES },
	  "team",
	  NULL,
	  NULL,
	  NULL,
	  "kept",
	  true },
	{ "another namespace", { .namespaces = NAMESPACES }, "x", NULL, NULL, NULL, "open", false },
	{ "no namespace at all",
	  { .namespaces = NAMESPACES },
	  NULL,
	  NULL,
	  NULL,
	  NULL,
	  "open",
	  false },
	{ "a namespace by its labels",
	  { .namespace_selectors = GOLDEN },
	  "x",
	  &is_gold,
	  NULL,
	  &is_gold,
	  "kept",
	  true },
	{ "a namespace with other labels",
	  { .namespace_selectors = GOLDEN },
	  "x",
	  &is_tin,
	  NULL,
	  &is_gold,
	  "open",
	  false },
	{ "selectors that match no namespace: may be asked for",
	  { .namespace_selectors = GOLDEN },
	  "x",
	  &is_tin,
	  NULL,
	  &is_tin,
	  "open",
	  true },
	{ "selectors that match no namespace, beside a name",
	  { .namespaces = NAMESPACES, .namespace_selectors = GOLDEN },
	  "x",
	  &is_tin,
	  NULL,
	  NULL,
	  "open",
	  false },
	{ "by name or by labels",
	  { .namespaces = NAMESPACES, .namespace_selectors = GOLDEN },
	  "x",
	  &is_gold,
	  NULL,
	  &is_gold,
	  "kept",
	  true },
	{ "a service by its labels",
	  { .service_selectors = GOLDEN },
	  "x",
	  NULL,
	  &is_gold,
	  NULL,
	  "kept",
	  true },
	{ "a service with other labels",
	  { .service_selectors = GOLDEN },
	  "x",
	  NULL,
	  &is_tin,
	  NULL,
	  "open",
	  false },
	{ "a service without labels",
	  { .service_selectors = GOLDEN },
	  "x",
	  NULL,
	  NULL,
	  NULL,
	  "open",
	  false },
	{ "namespace and service",
	  { .namespaces = NAMESPACES, .service_selectors = GOLDEN },
	  "team",
	  NULL,
	  &is_gold,
	  NULL,
	  "kept",
	  true },
	{ "the right namespace, the wrong service",
	  { .namespaces = NAMESPACES, .service_selectors = GOLDEN },
	  "team",
	  NULL,
	  &is_tin,
	  NULL,
	  "open",
	  false },
	{ "the right service, the wrong namespace",
	  { .namespaces = NAMESPACES, .service_selectors = GOLDEN },
	  "x",
	  NULL,
	  &is_gold,
	  NULL,
	  "open",
	  false },
	{ "a priority alone: first, and for everybody",
	  { .priority = 1 },
	  "x",
	  NULL,
	  NULL,
	  NULL,
	  "kept",
	  true },
};

static const char *given(struct alloc *alloc, const struct alloc_request *r, const char *pool,
			 struct alloc_grant *g)
{
	struct alloc_request asking = *r;

	asking.pool = pool;
	return alloc_assign(alloc, &asking, NULL) == 0 && alloc_find(alloc, r->service, g) ? g->pool
											   : NULL;
}

static void reserves(void **state)
{
	const struct rule *t = *state;
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pools[] = { fx_pool(a, "open", "10.0.0.0/30"),
				    fx_pool(a, "kept", "10.1.0.0/30") };
	struct cfg c = { .pools = pools, .n_pools = 2 };
	struct alloc_request r = { .service = "s",
				   .namespace = t->namespace,
				   .namespace_labels = t->namespace_labels,
				   .labels = t->labels };
	struct addr one = fx_addr("10.1.0.3");
	struct alloc_grant g;

	pools[0].auto_assign = pools[1].auto_assign = true;
	pools[1].reserved = &t->kept;
	CLEANUP(alloc_freep) struct alloc *alloc = alloc_new(&c);
	if (t->known)
		alloc_set_namespaces(alloc, t->known, 1);
	assert_string_equal(given(alloc, &r, NULL, &g), t->pool);
	alloc_release(alloc, "s");
	assert_int_equal(given(alloc, &r, "kept", &g) != NULL, t->may_ask);
	alloc_release(alloc, "s");
	r.addresses = &one;
	r.n_addresses = 1;
	assert_int_equal(alloc_assign(alloc, &r, NULL) == 0, t->may_ask);
}

/* Low priorities first, 0 last of the reserved, and then those for everybody. */
static void priorities(void **state)
{
	static const struct cfg_reservation none = { .namespaces = NAMESPACES };
	static const struct cfg_reservation two = { .namespaces = NAMESPACES, .priority = 2 };
	static const struct cfg_reservation one = { .namespaces = NAMESPACES, .priority = 1 };
	static const struct cfg_reservation *const kept[] = { NULL, &none, &two, &one, NULL, &one };
	static const char *const order[] = { "3", "5", "2", "1", "0", "4" };
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pools[ARRAY_LEN(kept)];
	struct cfg c = { .pools = pools, .n_pools = ARRAY_LEN(kept) };
	struct alloc_grant g;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		pools[i] =
			fx_pool(a, arena_printf(a, "%zu", i), arena_printf(a, "10.0.%zu.0/32", i));
		pools[i].auto_assign = true;
		pools[i].reserved = kept[i];
	}
	CLEANUP(alloc_freep) struct alloc *alloc = alloc_new(&c);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct alloc_request r = { .service = order[i], .namespace = "team" };

		assert_string_equal(given(alloc, &r, NULL, &g), order[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(priorities) };
	int failed = RUN_TABLE("serviceAllocation", rules, reserves);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
