#include "alloc/alloc.h"

#include "base/rng.h"
#include "unit/world/fixture.h"

enum { STEPS = 200000, SERVICES = 60, SPOTS_MAX = 64, PORTS = 3 };

/* The naive twin: every address of every pool in one list, in the order of allocation. */
struct spot {
	struct addr addr;
	int pool;
};

struct holder {
	bool holds;
	size_t spots[2];
	size_t n;
	struct alloc_request terms;
};

struct twin {
	const struct cfg *cfg;
	struct spot spots[SPOTS_MAX];
	size_t n_spots;
	struct holder services[SERVICES];
};

static bool avoided(const struct cfg_pool *p, const struct addr *a)
{
	return p->avoid_buggy_ips && a->family == FAMILY_V4 && (a->b[3] == 0 || a->b[3] == 255);
}

static void twin_init(struct twin *t, const struct cfg *c)
{
	*t = (struct twin){ .cfg = c };
	for (size_t i = 0; i < c->n_pools; i++)
		for (size_t j = 0; j < c->pools[i].n_addresses; j++)
			for (size_t k = 0; k < c->pools[i].addresses[j].n; k++) {
				struct range r = prefix_range(&c->pools[i].addresses[j].v[k]);

				for (struct addr a = r.first; range_contains(&r, &a);
				     (void)addr_next(&a))
					t->spots[t->n_spots++] =
						(struct spot){ .addr = a, .pool = (int)i };
			}
}

static bool ports_meet(const struct alloc_request *a, const struct alloc_request *b)
{
	for (size_t i = 0; i < a->n_ports; i++)
		for (size_t j = 0; j < b->n_ports; j++)
			if (a->ports[i].port == b->ports[j].port)
				return true;
	return false;
}

static bool holds_spot(const struct holder *h, size_t spot)
{
	for (size_t i = 0; h->holds && i < h->n; i++)
		if (h->spots[i] == spot)
			return true;
	return false;
}

static bool usable(const struct twin *t, size_t me, size_t spot, const struct alloc_request *r)
{
	const struct spot *s = &t->spots[spot];

	if (avoided(&t->cfg->pools[s->pool], &s->addr))
		return false;
	for (size_t i = 0; i < SERVICES; i++) {
		const struct alloc_request *other = &t->services[i].terms;

		if (i == me || !holds_spot(&t->services[i], spot))
			continue;
		if (!r->sharing_key || !other->sharing_key ||
		    strcmp(r->sharing_key, other->sharing_key) != 0 || ports_meet(r, other) ||
		    strcmp(r->backend, other->backend) != 0)
			return false;
	}
	return true;
}

static bool lowest(const struct twin *t, size_t me, const struct alloc_request *r, int pool,
		   int family, size_t *out)
{
	for (size_t i = 0; i < t->n_spots; i++)
		if (t->spots[i].pool == pool && (!family || t->spots[i].addr.family == family) &&
		    usable(t, me, i, r)) {
			*out = i;
			return true;
		}
	return false;
}

static bool from_pool(struct twin *t, size_t me, const struct alloc_request *r, int pool)
{
	struct holder *h = &t->services[me];
	int families[] = { r->want_v4 ? FAMILY_V4 : 0, r->want_v6 ? FAMILY_V6 : 0 };

	h->n = 0;
	if (!r->want_v4 && !r->want_v6) {
		h->n = 1;
		return lowest(t, me, r, pool, 0, &h->spots[0]);
	}
	for (size_t i = 0; i < 2; i++)
		if (families[i] && !lowest(t, me, r, pool, families[i], &h->spots[h->n++]))
			return false;
	return true;
}

/* What it has already, when that is still right. */
static bool keeps(const struct twin *t, size_t me, const struct alloc_request *r)
{
	const struct holder *h = &t->services[me];
	bool v4 = false, v6 = false;

	if (!h->holds)
		return false;
	for (size_t i = 0; i < h->n; i++) {
		const struct spot *s = &t->spots[h->spots[i]];

		v4 |= s->addr.family == FAMILY_V4;
		v6 |= s->addr.family == FAMILY_V6;
		if (!usable(t, me, h->spots[i], r))
			return false;
		if (r->pool && strcmp(r->pool, t->cfg->pools[s->pool].name) != 0)
			return false;
		if (r->n_addresses && !addr_eq(&r->addresses[0], &s->addr))
			return false;
	}
	return !r->want_v4 && !r->want_v6 ? h->n == 1 : v4 == r->want_v4 && v6 == r->want_v6;
}

static bool by_address(struct twin *t, size_t me, const struct alloc_request *r)
{
	struct holder *h = &t->services[me];

	for (size_t i = 0; i < t->n_spots; i++) {
		if (!addr_eq(&t->spots[i].addr, &r->addresses[0]))
			continue;
		h->spots[0] = i;
		h->n = 1;
		h->holds = true;
		h->holds = keeps(t, me, r);
		return h->holds;
	}
	return false;
}

static bool twin_assign(struct twin *t, size_t me, const struct alloc_request *r)
{
	struct holder *h = &t->services[me];
	bool kept = keeps(t, me, r);

	h->holds = false;
	if (r->n_addresses && !kept)
		kept = by_address(t, me, r);
	for (size_t i = 0; !kept && !r->n_addresses && i < t->cfg->n_pools; i++) {
		const struct cfg_pool *p = &t->cfg->pools[i];
		bool tried = r->pool ? strcmp(r->pool, p->name) == 0 : p->auto_assign;

		kept = tried && from_pool(t, me, r, (int)i);
	}
	h->holds = kept;
	h->terms = *r;
	return kept;
}

static struct alloc_request random_request(struct rng *rng, const struct twin *t)
{
	static const char *const keys[] = { NULL, NULL, "k", "l" };
	static const char *const pools[] = { NULL, NULL, NULL, "a", "b", "c", "absent" };
	static const struct cfg_port ports[PORTS] = { { 1, CFG_TCP },
						      { 2, CFG_TCP },
						      { 3, CFG_TCP } };
	unsigned families = (unsigned)rng_below(rng, 4);
	size_t port = rng_below(rng, PORTS);
	struct alloc_request r = {
		.pool = pools[rng_below(rng, ARRAY_LEN(pools))],
		.sharing_key = keys[rng_below(rng, ARRAY_LEN(keys))],
		.ports = &ports[port],
		.n_ports = rng_below(rng, 10) ? 1 : PORTS - port,
		.backend = rng_below(rng, 5) ? "" : "app=x",
		.want_v4 = families & 1,
		.want_v6 = families & 2,
		.policy = families == 3 ? CFG_REQUIRE_DUAL_STACK : CFG_SINGLE_STACK,
	};

	if (rng_below(rng, 5) == 0) {
		r.addresses = &t->spots[rng_below(rng, t->n_spots)].addr;
		r.n_addresses = 1;
	}
	return r;
}

static void compare(const struct alloc *a, const struct twin *t, size_t me, const char *name)
{
	const struct holder *h = &t->services[me];
	struct alloc_grant g;

	assert_int_equal(alloc_find(a, name, &g), h->holds);
	if (!h->holds)
		return;
	assert_int_equal(g.n, h->n);
	for (size_t i = 0; i < g.n; i++)
		if (!addr_eq(&g.addresses[i], &t->spots[h->spots[i]].addr))
			fail_msg("%s: %s, the twin says %s", name, ADDR_TEXT(&g.addresses[i]),
				 ADDR_TEXT(&t->spots[h->spots[i]].addr));
}

static void compare_usage(struct alloc *a, const struct twin *t)
{
	size_t used[2] = { 0 };
	struct alloc_usage u;
	size_t sum[2] = { 0 };

	for (size_t i = 0; i < t->n_spots; i++) {
		bool held = false;

		for (size_t j = 0; j < SERVICES; j++)
			held |= holds_spot(&t->services[j], i);
		used[t->spots[i].addr.family == FAMILY_V6] += held;
	}
	for (size_t i = 0; i < t->cfg->n_pools; i++) {
		assert_true(alloc_usage(a, t->cfg->pools[i].name, &u));
		sum[0] += u.v4.used;
		sum[1] += u.v6.used;
	}
	assert_int_equal(sum[0], used[0]);
	assert_int_equal(sum[1], used[1]);
}

static void step(struct alloc *a, struct twin *t, struct rng *rng)
{
	size_t me = rng_below(rng, SERVICES);
	char name[16];

	(void)snprintf(name, sizeof(name), "s%zu", me);
	if (rng_below(rng, 3) == 0) {
		alloc_release(a, name);
		t->services[me].holds = false;
	} else {
		struct alloc_request r = random_request(rng, t);

		r.service = name;
		bool got = alloc_assign(a, &r, NULL) == 0;
		assert_int_equal(got, twin_assign(t, me, &r));
	}
	compare(a, t, me, name);
}

static void same_as_the_twin(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cfg_pool pools[] = {
		fx_pool(arena, "a", "10.0.0.250-10.0.1.4 2001:db8::/126"),
		fx_pool(arena, "b", "10.1.0.9/32 2001:db8:1::/127 10.1.0.0/30 2001:db8:2::7/128"),
		fx_pool(arena, "c", "10.2.0.0/29"),
	};
	struct cfg c = { .pools = pools, .n_pools = ARRAY_LEN(pools) };
	struct alloc *a;
	struct twin t;
	struct rng rng;

	(void)state;
	pools[0].avoid_buggy_ips = true;
	pools[0].auto_assign = pools[1].auto_assign = true;
	pools[2].auto_assign = false;
	a = alloc_new(&c);
	twin_init(&t, &c);
	rng_seed(&rng, test_seed());
	for (size_t i = 0; i < STEPS; i++) {
		step(a, &t, &rng);
		if (i % 1000 == 0)
			compare_usage(a, &t);
	}
	alloc_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(same_as_the_twin) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
