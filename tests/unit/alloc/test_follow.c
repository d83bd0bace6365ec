/* Following a few services gives what assigning all of them anew gives. */
#include "alloc/standalone.h"

#include "base/rng.h"
#include "config/hash.h"
#include "config/stock.h"
#include "unit/world/fixture.h"

enum { SERVICES = 40, STEPS = 4000 };

/** Two configurations with one list of pools, and the daemon's state. */
struct scene {
	struct rng rng;
	struct arena *arena;
	struct cfg_pool pools[3];
	struct cfg_service services[2][SERVICES];
	struct cfg cfg[2];
	struct alloc_table *table;
	struct alloc *alloc;
	struct alloc_assignments *x;
	size_t followed;
};

static const struct addr *some_addresses(struct scene *s, size_t n)
{
	struct addr *v = arena_new_n(s->arena, struct addr, n);

	for (size_t i = 0; i < n; i++) {
		v[i] = fx_addr("10.0.0.0");
		v[i].b[1] = (uint8_t)rng_below(&s->rng, 4); /* 10.3 is in no pool */
		v[i].b[3] = (uint8_t)rng_below(&s->rng, 32);
	}
	return v;
}

/* It asks for something else, mostly for what it can have. */
static void ask_anew(struct scene *s, struct cfg_service *c)
{
	static const char *const pools[] = { "p", "q", "none", NULL, NULL, NULL };

	*c = (struct cfg_service){ .name = c->name };
	c->pool = pools[rng_below(&s->rng, ARRAY_LEN(pools))];
	c->n_addresses = rng_below(&s->rng, 2) ? rng_below(&s->rng, 2) + 1 : 0;
	c->addresses = c->n_addresses ? some_addresses(s, c->n_addresses) : NULL;
	if (!c->n_addresses && rng_below(&s->rng, 4) == 0)
		c->want_v4 = true;
	if (!c->n_addresses && rng_below(&s->rng, 4) == 0)
		c->want_v6 = true;
	if (rng_below(&s->rng, 20) == 0)
		c->sharing_key = "k";
	hash_service_set(c);
}

static void assign_all(struct scene *s, const struct cfg *c)
{
	alloc_assignments_free(s->x);
	alloc_free(s->alloc);
	s->alloc = alloc_new(c);
	s->x = alloc_standalone_with(s->alloc, c, s->table);
}

static void scene_init(struct scene *s, uint64_t seed)
{
	*s = (struct scene){ .arena = arena_new(), .table = alloc_table_new() };
	rng_seed(&s->rng, seed);
	s->pools[0] = fx_pool(s->arena, "p", "10.0.0.0/28 2001:db8::/124");
	s->pools[1] = fx_pool(s->arena, "q", "10.1.0.0-10.1.0.20");
	s->pools[2] = fx_pool(s->arena, "r", "10.2.0.0/27");
	s->pools[1].avoid_buggy_ips = true;
	s->pools[2].auto_assign = false;
	for (size_t i = 0; i < SERVICES; i++) {
		s->services[0][i].name = arena_printf(s->arena, "s%zu", i);
		ask_anew(s, &s->services[0][i]);
	}
	for (size_t i = 0; i < 2; i++)
		s->cfg[i] = (struct cfg){ .pools = s->pools,
					  .n_pools = ARRAY_LEN(s->pools),
					  .services = s->services[i],
					  .n_services = SERVICES };
	s->cfg[0].lists[CFG_POOLS] = stock_new_list();
	s->cfg[1].lists[CFG_POOLS] = stock_share(s->cfg[0].lists[CFG_POOLS]);
	s->cfg[0].asked = hash_asked(&s->cfg[0]);
	assign_all(s, &s->cfg[0]);
	(void)alloc_table_record(s->table, s->x, "me");
}

static void scene_fini(struct scene *s)
{
	alloc_assignments_free(s->x);
	alloc_free(s->alloc);
	alloc_table_free(s->table);
	stock_free(s->cfg[0].lists[CFG_POOLS]);
	stock_free(s->cfg[1].lists[CFG_POOLS]);
	arena_free(s->arena);
}

static void assert_texts_equal(const char *a, const char *b)
{
	assert_true(!a == !b);
	if (a)
		assert_string_equal(a, b);
}

static void assert_same(const struct alloc_assignments *a, const struct alloc_assignments *b)
{
	assert_int_equal(a->n, b->n);
	assert_true(a->again_s == b->again_s && a->remembers == b->remembers);
	for (size_t i = 0; i < a->n; i++) {
		const struct alloc_assignment *x = &a->v[i], *y = &b->v[i];

		assert_string_equal(x->service, y->service);
		assert_texts_equal(x->pool, y->pool);
		assert_texts_equal(x->reason, y->reason);
		assert_texts_equal(x->sharing_key, y->sharing_key);
		assert_int_equal(x->at_odds, y->at_odds);
		assert_int_equal(x->kept, y->kept);
		assert_int_equal(x->n, y->n);
		assert_true(!x->n ||
			    !memcmp(x->addresses, y->addresses, x->n * sizeof(struct addr)));
	}
}

static void change_some(struct scene *s, struct cfg_service *v)
{
	for (size_t n = rng_below(&s->rng, 3) + 1; n; n--)
		ask_anew(s, &v[rng_below(&s->rng, SERVICES)]);
}

/* Those that asked in vain ask for less, until the table and the assignments say the same. */
static void settle(struct scene *s, struct cfg *c, struct cfg_service *v)
{
	while (!alloc_is_settled(s->x, s->table)) {
		for (size_t i = 0; i < SERVICES; i++)
			if (s->x->v[i].n == 0)
				ask_anew(s, &v[i]);
		c->asked = hash_asked(c);
		(void)alloc_table_prune(s->table, c, "me");
		assign_all(s, c);
		(void)alloc_table_record(s->table, s->x, "me");
	}
}

/* @from is in force, and settled. */
static void step(struct scene *s, struct cfg *from, struct cfg *to, struct cfg_service *v)
{
	struct alloc_few few;

	memcpy(v, from->services, SERVICES * sizeof(*v));
	change_some(s, v);
	to->asked = hash_asked(to);
	if (!alloc_standalone_follow(s->x, s->alloc, from, to, s->table, &few)) {
		assign_all(s, to);
		(void)alloc_table_record(s->table, s->x, "me");
		settle(s, to, v);
		return;
	}
	struct alloc_assignments *all = alloc_standalone(to, s->table);
	CLEANUP(alloc_table_freep) struct alloc_table *other = alloc_table_new();

	s->followed++;
	assert_same(s->x, all);
	(void)alloc_table_merge(other, s->table);
	assert_int_equal(alloc_table_record(other, all, "me"),
			 alloc_table_record_few(s->table, s->x, &few, "me"));
	assert_true(alloc_table_eq(other, s->table));
	assert_int_equal(alloc_few_settled(s->x, s->table, &few), alloc_is_settled(s->x, s->table));
	alloc_assignments_free(all);
	settle(s, to, v);
}

static void follows_like_all(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, 20261121);
	settle(&s, &s.cfg[0], s.services[0]);
	for (size_t i = 0; i < STEPS; i++)
		step(&s, &s.cfg[i % 2], &s.cfg[(i + 1) % 2], s.services[(i + 1) % 2]);
	print_message("%zu of %d steps followed\n", s.followed, STEPS);
	assert_true(s.followed > STEPS / 8);
	scene_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_like_all),
	};

	return cmocka_run_group_tests_name("alloc/follow", tests, NULL, NULL);
}
