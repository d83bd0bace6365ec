#include "alloc/converge.h"

#include "base/rng.h"
#include "unit/world/fixture.h"

/*
 * A town of services that come, change and go while pools come, shrink and vanish, with somebody
 * who writes down each result. In any order of events the outcome must be legal, and a restart,
 * which knows nothing but what was written, must change nothing.
 */
enum { EVENTS = 6000, RESIDENTS = 14, ROUNDS_MAX = 6 };

struct resident {
	bool exists;
	struct converge_service s;
	char key[16];
	char note[8];
	char ips[2][ADDR_TEXT_MAX];
	struct converge_ingress ingress[2];
	struct cfg_port port;
	char wish[2 * ADDR_TEXT_MAX];
	bool was_left;
};

struct town {
	struct rng rng;
	struct arena *pool_arena;
	struct cfg_pool pools[3];
	struct cfg cfg;
	struct alloc *alloc;
	struct resident v[RESIDENTS];
};

static bool one_in(struct town *t, unsigned n)
{
	return rng_below(&t->rng, n) == 0;
}

#define PICK(t, list) ((list)[rng_below(&(t)->rng, ARRAY_LEN(list))])

static void write_down(struct resident *x, const struct converge_result *r)
{
	x->s.terms = r->terms;
	x->was_left = r->is_left;
	if (r->is_left)
		return;
	x->s.n_ingress = r->n;
	for (size_t i = 0; i < r->n; i++) {
		(void)addr_format(&r->addresses[i], x->ips[i]);
		x->ingress[i] = (struct converge_ingress){ .ip = x->ips[i] };
	}
	(void)snprintf(x->note, sizeof(x->note), "%s", r->pool ? r->pool : "");
	x->s.allocated_from.current = r->pool ? x->note : NULL;
}

/* True when something was to be written. */
static bool run_one(struct town *t, struct resident *x, bool *others)
{
	x->s.no_pools = t->cfg.n_pools == 0;
	CLEANUP(converge_result_freep) struct converge_result *r = converge_run(t->alloc, &x->s);

	*others |= r->run_others;
	write_down(x, r);
	return r->is_changed;
}

static size_t shuffled(struct town *t, struct resident **v)
{
	size_t n = 0;

	for (size_t i = 0; i < RESIDENTS; i++) {
		size_t at = rng_below(&t->rng, n + 1);

		if (!t->v[i].exists)
			continue;
		v[n++] = v[at];
		v[at] = &t->v[i];
	}
	return n;
}

/* Everybody, in any order that has those with addresses first. */
static bool run_all(struct town *t)
{
	struct resident *v[RESIDENTS + 1];
	const struct converge_service *order[RESIDENTS];
	size_t n = shuffled(t, v);
	bool others = false, changed = false;

	for (size_t i = 0; i < n; i++)
		order[i] = &v[i]->s;
	converge_order(order, n);
	for (size_t i = 0; i < n; i++) {
		CONTAINER_OF(order[i], struct resident, s)->s.no_pools = t->cfg.n_pools == 0;
		converge_claim(t->alloc, order[i]);
	}
	for (size_t i = 0; i < n; i++)
		changed |= run_one(t, CONTAINER_OF(order[i], struct resident, s), &others);
	return changed || others;
}

static void settle(struct town *t)
{
	for (int round = 0; run_all(t); round++)
		assert_true(round < ROUNDS_MAX);
}

static void pools_change(struct town *t)
{
	static const char *const elements[] = {
		"10.0.0.0/29",	       "10.0.0.0/30 2001:db8::/126",
		"10.0.0.252-10.0.1.2", "2001:db8::/127 10.0.0.6/32",
		"10.1.0.0/31",	       "2001:db8:1::/125",
	};
	size_t n = one_in(t, 8) ? 0 : 1 + rng_below(&t->rng, 2);

	arena_free(t->pool_arena);
	t->pool_arena = arena_new();
	t->cfg.n_pools = n;
	/* The first and the rest are of halves that don't overlap. */
	if (n)
		t->pools[0] = fx_pool(t->pool_arena, one_in(t, 4) ? "q" : "p",
				      elements[rng_below(&t->rng, 4)]);
	if (n == 2)
		t->pools[1] = fx_pool(t->pool_arena, "r", elements[4 + rng_below(&t->rng, 2)]);
	for (size_t i = 0; i < n; i++) {
		t->pools[i].auto_assign = !one_in(t, 4);
		t->pools[i].avoid_buggy_ips = one_in(t, 4);
	}
	t->alloc = alloc_free(t->alloc);
	t->alloc = alloc_new(&t->cfg);
}

static void ask_for_addresses(struct town *t, struct resident *x)
{
	static const char *const v4[] = { "10.0.0.1", "10.0.0.0", "10.1.0.1", "10.9.9.9" };
	static const char *const v6[] = { "2001:db8::1", "2001:db8:1::4" };

	if (one_in(t, 3))
		(void)snprintf(x->wish, sizeof(x->wish), "%s, %s", PICK(t, v4), PICK(t, v6));
	else
		(void)snprintf(x->wish, sizeof(x->wish), "%s",
			       one_in(t, 3) ? PICK(t, v6) : PICK(t, v4));
	x->s.load_balancer_ips.current = x->wish;
	if (one_in(t, 8))
		x->s.load_balancer_ip = one_in(t, 2) ? "nonsense" : "10.0.0.3";
}

static void ask_anew(struct town *t, struct resident *x)
{
	static const char *const cluster_ips[] = { "10.96.0.1", "fd00::1", "10.96.0.1" };
	static const enum cfg_family_policy policies[] = { CFG_SINGLE_STACK, CFG_PREFER_DUAL_STACK,
							   CFG_REQUIRE_DUAL_STACK };
	static const char *const keys[] = { NULL, "", "k", "l", "k" };
	size_t first = rng_below(&t->rng, 2);

	x->port = (struct cfg_port){ (uint16_t)rng_below(&t->rng, 4), CFG_TCP };
	x->s = (struct converge_service){
		.key = x->key,
		.namespace = "ns",
		.is_load_balancer = !one_in(t, 10),
		.cluster_ips = cluster_ips + first,
		.n_cluster_ips = one_in(t, 2) ? 1 : 2,
		.policy = PICK(t, policies),
		.first_family = first ? FAMILY_V6 : FAMILY_V4,
		.ports = &x->port,
		.n_ports = 1,
		.backend = one_in(t, 4) ? "app=x" : "",
		.address_pool.current = one_in(t, 6) ? "r" : NULL,
		.allow_shared_ip.current = PICK(t, keys),
		.allocated_from = x->s.allocated_from,
		.ingress = x->ingress,
		.n_ingress = x->s.n_ingress,
		.terms = x->s.terms,
		.keep_without_pools = one_in(t, 2),
	};
	if (one_in(t, 4))
		ask_for_addresses(t, x);
}

static void go(struct town *t, struct resident *x)
{
	bool others = converge_forget(t->alloc, x->s.key);

	x->exists = false;
	x->s.n_ingress = 0;
	x->s.terms = 0;
	x->s.allocated_from.current = NULL;
	if (others)
		(void)run_all(t);
}

static void come_or_change(struct town *t, struct resident *x)
{
	bool others = false;

	x->exists = true;
	ask_anew(t, x);
	(void)run_one(t, x, &others);
	if (others)
		(void)run_all(t);
}

/* Nobody told us anything but what was written. */
static void restart(struct town *t)
{
	settle(t);
	t->alloc = alloc_free(t->alloc);
	t->alloc = alloc_new(&t->cfg);
	for (size_t i = 0; i < RESIDENTS; i++)
		t->v[i].s.terms = 0;
	assert_false(run_all(t));
}

static size_t held(const struct resident *x, struct addr v[static 2])
{
	for (size_t i = 0; i < x->s.n_ingress; i++)
		v[i] = fx_addr(x->ingress[i].ip);
	return x->s.n_ingress;
}

static bool may_share(const struct resident *a, const struct resident *b)
{
	const char *key = a->s.allow_shared_ip.current, *other = b->s.allow_shared_ip.current;

	return key && *key && other && strcmp(key, other) == 0 && a->port.port != b->port.port &&
	       strcmp(a->s.backend, b->s.backend) == 0;
}

static void check_others(const struct town *t, const struct resident *x, const struct addr *a)
{
	for (const struct resident *y = t->v; y < t->v + RESIDENTS; y++) {
		struct addr v[2];

		if (y == x || !y->exists)
			continue;
		for (size_t i = held(y, v); i--;)
			assert_true(!addr_eq(&v[i], a) || may_share(x, y));
	}
}

static void check_families(const struct resident *x, const struct addr *v, size_t n)
{
	bool is_pair = n == 2;
	bool wants_pair = x->s.n_cluster_ips == 2;

	if (is_pair)
		assert_int_not_equal(v[0].family, v[1].family);
	if (is_pair != wants_pair)
		assert_int_equal(x->s.policy, CFG_PREFER_DUAL_STACK);
	else if (!is_pair)
		assert_int_equal(v[0].family, fx_addr(x->s.cluster_ips[0]).family);
}

static void check_wish(const struct resident *x, const struct addr *v, size_t n)
{
	char *copy = mem_strdup(x->wish), *rest = copy;

	for (char *one; (one = strsep(&rest, ", "));) {
		if (!*one)
			continue;
		struct addr a = fx_addr(one);
		assert_true(addr_eq(&a, &v[0]) || (n == 2 && addr_eq(&a, &v[1])));
	}
	free(copy);
}

static void check_resident(const struct town *t, const struct resident *x)
{
	struct addr v[2];
	size_t n = held(x, v);
	struct alloc_grant grant;

	assert_int_equal(alloc_find(t->alloc, x->s.key, &grant), n > 0 && t->cfg.n_pools > 0);
	if (n == 0 || t->cfg.n_pools == 0)
		return;
	assert_true(x->s.is_load_balancer);
	assert_int_equal(grant.n, n);
	for (size_t i = 0; i < n; i++) {
		const struct cfg_pool *pool = cfg_pool_of(&t->cfg, &v[i]);

		assert_true(addr_eq(&grant.addresses[0], &v[i]) ||
			    addr_eq(&grant.addresses[n - 1], &v[i]));
		assert_non_null(pool);
		assert_string_equal(pool->name, grant.pool);
		assert_false(pool->avoid_buggy_ips && v[i].family == FAMILY_V4 &&
			     (v[i].b[3] == 0 || v[i].b[3] == 255));
		check_others(t, x, &v[i]);
	}
	check_families(x, v, n);
	if (!x->was_left)
		assert_string_equal(x->note, grant.pool);
	if (x->s.address_pool.current)
		assert_string_equal(grant.pool, x->s.address_pool.current);
	if (x->s.load_balancer_ips.current && !x->was_left)
		check_wish(x, v, n);
}

static void check(const struct town *t)
{
	for (const struct resident *x = t->v; x < t->v + RESIDENTS; x++)
		if (x->exists)
			check_resident(t, x);
}

static void happen(struct town *t)
{
	struct resident *x = &t->v[rng_below(&t->rng, RESIDENTS)];

	switch (rng_below(&t->rng, 12)) {
	case 0:
		pools_change(t);
		(void)run_all(t);
		break;
	case 1:
		restart(t);
		break;
	case 2:
	case 3:
		if (x->exists)
			go(t, x);
		break;
	default:
		come_or_change(t, x);
	}
}

static void any_order_is_legal_and_restarts_change_nothing(void **state)
{
	struct town t = { .cfg.pools = t.pools };

	(void)state;
	rng_seed(&t.rng, test_seed());
	for (size_t i = 0; i < RESIDENTS; i++)
		(void)snprintf(t.v[i].key, sizeof(t.v[i].key), "ns/%zu", i);
	pools_change(&t);
	for (size_t i = 0; i < EVENTS; i++) {
		happen(&t);
		check(&t);
	}
	alloc_free(t.alloc);
	arena_free(t.pool_arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_is_legal_and_restarts_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
