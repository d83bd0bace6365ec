#include "alloc/standalone.h"

#include "base/rng.h"
#include "unit/world/fixture.h"

/* Assignments as "web=10.0.0.0 dns=!". */
static const char *assigned(struct arena *a, const struct alloc_assignments *x)
{
	const char *text = "";

	for (size_t i = 0; i < x->n; i++)
		text = arena_printf(a, "%s%s%s=%s", text, i ? " " : "", x->v[i].service,
				    x->v[i].n ? fx_text(a, x->v[i].addresses, x->v[i].n) : "!");
	return text;
}

/* One round of a node: assign, record, and what came out. */
static const char *turn(struct arena *a, const struct cfg *c, struct alloc_table *t,
			const char *node)
{
	struct alloc_assignments *x = alloc_standalone(c, t);
	const char *text = assigned(a, x);

	(void)alloc_table_record(t, x, node);
	alloc_assignments_free(x);
	return text;
}

static void the_order_of_the_file_moves_nothing(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service one[] = { { .name = "web" }, { .name = "dns" } };
	struct cfg_service two[] = { { .name = "new" }, { .name = "dns" }, { .name = "web" } };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = one, .n_services = 2 };

	(void)state;
	assert_string_equal(turn(a, &c, t, "n"), "web=10.0.0.0 dns=10.0.0.1");
	c.services = two;
	c.n_services = 3;
	assert_string_equal(turn(a, &c, t, "n"), "new=10.0.0.2 dns=10.0.0.1 web=10.0.0.0");
	struct alloc_assignments *fresh = alloc_standalone(&c, NULL);
	assert_string_equal(assigned(a, fresh), "new=10.0.0.0 dns=10.0.0.1 web=10.0.0.2");
	alloc_assignments_free(fresh);
}

static void a_free_choice_leaves_chosen_addresses_alone(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct addr chosen = fx_addr("10.0.0.0");
	struct cfg_service s[] = { { .name = "any" },
				   { .name = "web", .addresses = &chosen, .n_addresses = 1 } };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = s, .n_services = 2 };

	(void)state;
	struct alloc_assignments *x = alloc_standalone(&c, NULL);
	assert_string_equal(assigned(a, x), "any=10.0.0.1 web=10.0.0.0");
	alloc_assignments_free(x);
}

static void the_rest_is_told_why(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pools[] = { fx_pool(a, "p", "10.0.0.0/32"),
				    fx_pool(a, "m", "10.1.0.0/30") };
	struct addr outside = fx_addr("192.0.2.1");
	struct cfg_service s[] = { { .name = "web" },
				   { .name = "dns" },
				   { .name = "vip", .addresses = &outside, .n_addresses = 1 } };
	struct cfg c = { .pools = pools, .n_pools = 2, .services = s, .n_services = 3 };

	(void)state;
	pools[1].auto_assign = false;
	struct alloc_assignments *x = alloc_standalone(&c, NULL);
	assert_string_equal(assigned(a, x), "web=10.0.0.0 dns=! vip=192.0.2.1");
	assert_string_equal(x->v[1].reason, "pool p: full (all 1 IPv4 addresses are in use); "
					    "pool m: manual (auto-assign is off)");
	assert_string_equal(x->v[0].pool, "p");
	assert_null(x->v[2].pool);
	assert_null(alloc_assignments_find(x, "nobody"));
	alloc_assignments_free(x);
}

static void gone_services_leave_tombstones_once_all_agree(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service one[] = { { .name = "web" } }, two[] = { { .name = "dns" } };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = one, .n_services = 1 };

	(void)state;
	(void)turn(a, &c, t, "n");
	c.services = two;
	assert_string_equal(turn(a, &c, t, "n"), "dns=10.0.0.1");
	assert_int_equal(alloc_table_prune(t, &c, "n"), 1);
	assert_int_equal(alloc_table_prune(t, &c, "n"), 0);
	assert_int_equal(alloc_table_find(t, "web")->n, 0);
	assert_string_equal(turn(a, &c, t, "n"), "dns=10.0.0.1");
	c.services = one;
	assert_string_equal(turn(a, &c, t, "n"), "web=10.0.0.0");
	assert_int_equal(alloc_table_find(t, "web")->n, 1);
}

/* "web" moves to another pool in the file of a, not yet in that of b, who wrote the entry. */
static void files_that_disagree_do_not_quarrel(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct cfg_pool pools[] = { fx_pool(a, "p", "10.0.0.0/30"),
				    fx_pool(a, "q", "10.1.0.0/30") };
	struct cfg_service old[] = { { .name = "web", .pool = "p" } };
	struct cfg_service fresh[] = { { .name = "web", .pool = "q" } };
	struct cfg of_a = { .pools = pools, .n_pools = 2, .services = fresh, .n_services = 1 };
	struct cfg of_b = { .pools = pools, .n_pools = 2, .services = old, .n_services = 1 };

	(void)state;
	assert_string_equal(turn(a, &of_b, t, "b"), "web=10.0.0.0");
	uint64_t epoch = alloc_table_epoch(t);
	assert_string_equal(turn(a, &of_a, t, "a"), "web=10.1.0.0");
	assert_string_equal(turn(a, &of_b, t, "b"), "web=10.0.0.0");
	assert_int_equal(alloc_table_epoch(t), epoch);
	assert_int_equal(alloc_table_prune(t, &of_a, "a"), 1);
	assert_string_equal(turn(a, &of_a, t, "a"), "web=10.1.0.0");
	assert_string_equal(turn(a, &of_a, t, "b"), "web=10.1.0.0");
	assert_int_equal(alloc_table_epoch(t), epoch + 2);
}

/* A newer file lets "new" share the address of "web": the older one must not see a conflict. */
static void a_stranger_that_shares_evicts_nobody(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service s[] = {
		{ .name = "web",
		  .sharing_key = "k",
		  .ports = fx_ports(a, "80/tcp", &s[0].n_ports) },
		{ .name = "new",
		  .sharing_key = "k",
		  .ports = fx_ports(a, "53/udp", &s[1].n_ports) },
	};
	struct cfg newer = { .pools = &pool, .n_pools = 1, .services = s, .n_services = 2 };
	struct cfg older = { .pools = &pool, .n_pools = 1, .services = s, .n_services = 1 };

	(void)state;
	s[0].n_ports = s[1].n_ports = 1;
	assert_string_equal(turn(a, &older, t, "a"), "web=10.0.0.0");
	assert_string_equal(turn(a, &newer, t, "b"), "web=10.0.0.0 new=10.0.0.0");
	assert_string_equal(turn(a, &older, t, "a"), "web=10.0.0.0");
	assert_string_equal(turn(a, &newer, t, "b"), "web=10.0.0.0 new=10.0.0.0");
}

static void two_claims_are_settled_by_epoch_then_node(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service s[] = { { .name = "p" }, { .name = "q" }, { .name = "r" } };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = s, .n_services = 3 };
	struct addr ip = fx_addr("10.0.0.0");
	struct alloc_entry p = { "p", &ip, 1, NULL, 4, "b" }, q = { "q", &ip, 1, NULL, 4, "a" };
	struct alloc_entry r = { "r", &ip, 1, NULL, 3, "a" };

	(void)state;
	(void)alloc_table_put(t, &p);
	(void)alloc_table_put(t, &q);
	(void)alloc_table_put(t, &r);
	assert_string_equal(turn(a, &c, t, "c"), "p=10.0.0.1 q=10.0.0.0 r=10.0.0.2");
	assert_int_equal(alloc_table_epoch(t), 4);
	assert_int_equal(alloc_table_prune(t, &c, "c"), 1);
	assert_string_equal(turn(a, &c, t, "c"), "p=10.0.0.1 q=10.0.0.0 r=10.0.0.2");
	assert_int_equal(alloc_table_find(t, "p")->epoch, 6);
	assert_int_equal(alloc_table_find(t, "q")->epoch, 4);
	assert_int_equal(alloc_table_prune(t, &c, "d"), 0);
}

static const struct shrink_case {
	const char *name;
	const char *elements; /* of the pool afterwards */
	const char *hand;     /* "web" is given this by hand afterwards */
	bool web_stays;
	const char *error; /* NULL: allowed */
} shrink_cases[] = {
	{ "the same", "10.0.0.0/30", NULL, true, NULL },
	{ "smaller, but not where it is used", "10.0.0.0/31", NULL, true, NULL },
	{ "below an address in use", "10.0.0.1-10.0.0.3", NULL, true,
	  "no pool would hold addresses in use any more: web (10.0.0.0)" },
	{ "all gone", "10.9.0.0/30", NULL, true, "web (10.0.0.0), dns (10.0.0.1)" },
	{ "below an address of a service that goes too", "10.0.0.1-10.0.0.3", NULL, false, NULL },
	{ "the service is moved by hand", "10.0.0.1-10.0.0.3", "10.0.0.2", true, NULL },
};

static void shrinks(void **state)
{
	const struct shrink_case *sc = *state;
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool before = fx_pool(a, "p", "10.0.0.0/30"),
			after = fx_pool(a, "p", sc->elements);
	struct cfg_service old[] = { { .name = "web" }, { .name = "dns" } };
	struct cfg_service fresh[] = { { .name = "dns" }, { .name = "web" } };
	struct cfg from = { .pools = &before, .n_pools = 1, .services = old, .n_services = 2 };
	struct cfg to = { .pools = &after, .n_pools = 1, .services = fresh };
	struct err e = { 0 };

	to.n_services = sc->web_stays ? 2 : 1;
	if (sc->hand)
		fresh[1].addresses = fx_addrs(a, sc->hand, &fresh[1].n_addresses);
	struct alloc_assignments *x = alloc_standalone(&from, NULL);
	assert_int_equal(alloc_check_shrink(x, &to, &e), sc->error ? -ERR_STATE : 0);
	if (sc->error && !strstr(e.text, sc->error))
		fail_msg("wanted '%s', got '%s'", sc->error, e.text);
	alloc_assignments_free(x);
}

/* --- a cluster: files that differ for a while, tables that meet in any order --- */

enum { NODES = 4, NAMES = 8 };

struct member {
	const char *name;
	struct alloc_table *table;
	struct cfg cfg;
	struct cfg_service services[NAMES];
};

static const char *const member_names[NODES] = { "a", "b", "c", "d" };
static const char *const service_names[NAMES] = { "1", "2", "3", "4", "5", "6", "7", "8" };
static const struct cfg_port ports[] = { { 1, CFG_TCP }, { 2, CFG_TCP }, { 3, CFG_TCP } };

/* Some services in some order, now and then shared, or in a pool of their own. */
static void random_file(struct member *m, struct rng *rng)
{
	bool taken[NAMES] = { false };

	m->cfg.n_services = 0;
	for (size_t i = 0; i < NAMES; i++) {
		size_t pick = rng_below(rng, NAMES);

		if (taken[pick])
			continue;
		taken[pick] = true;
		m->services[m->cfg.n_services++] = (struct cfg_service){
			.name = service_names[pick],
			.pool = rng_below(rng, 5) ? NULL : "q",
			.sharing_key = rng_below(rng, 3) ? NULL : "k",
			.ports = &ports[rng_below(rng, ARRAY_LEN(ports))],
			.n_ports = 1,
		};
	}
}

static bool act(struct member *m, bool agreed)
{
	bool changed = agreed && alloc_table_prune(m->table, &m->cfg, m->name);
	struct alloc_assignments *x = alloc_standalone(&m->cfg, m->table);

	changed |= alloc_table_record(m->table, x, m->name) > 0;
	/* That everybody holds what he has is told faster, and the same. */
	if (agreed && !alloc_table_prune_with(m->table, &m->cfg, m->name, x))
		assert_int_equal(alloc_table_prune(m->table, &m->cfg, m->name), 0);
	alloc_assignments_free(x);
	return changed;
}

static void meet(struct member *members, struct rng *rng, size_t times, bool agreed)
{
	for (size_t i = 0; i < times; i++) {
		struct member *from = &members[rng_below(rng, NODES)];
		struct member *to = &members[rng_below(rng, NODES)];

		(void)alloc_table_merge(to->table, from->table);
		(void)act(to, agreed);
	}
}

/* Everybody hears everybody, until nobody has anything new to say; how many rounds it took. */
static size_t settle(struct member *members, bool agreed)
{
	bool changed = true;
	size_t rounds = 0;

	for (; changed && rounds < 50; rounds++) {
		changed = false;
		for (size_t i = 0; i < NODES; i++)
			for (size_t j = 0; j < NODES; j++)
				changed |=
					alloc_table_merge(members[i].table, members[j].table) > 0;
		for (size_t i = 0; i < NODES; i++)
			changed |= act(&members[i], agreed);
	}
	return rounds;
}

static void legal(const struct alloc_assignments *x, const struct cfg *c)
{
	for (size_t i = 0; i < x->n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct cfg_service *s = &c->services[i], *t = &c->services[j];

			if (!x->v[i].n || !x->v[j].n ||
			    !addr_eq(&x->v[i].addresses[0], &x->v[j].addresses[0]))
				continue;
			assert_true(s->sharing_key && t->sharing_key);
			assert_int_not_equal(s->ports[0].port, t->ports[0].port);
		}
}

/* The same file, the same table, the same addresses, and what is in use stays where it is. */
static void agree(struct member *members)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	const char *first = NULL;

	for (size_t i = 0; i < NODES; i++) {
		struct alloc_assignments *x = alloc_standalone(&members[i].cfg, members[i].table);
		const char *text = assigned(a, x);

		assert_true(alloc_table_eq(members[i].table, members[0].table));
		if (!first)
			first = text;
		assert_string_equal(text, first);
		legal(x, &members[i].cfg);
		for (size_t j = 0; j < x->n; j++)
			assert_true(!x->v[j].n || x->v[j].kept);
		alloc_assignments_free(x);
	}
}

/* An absent member must not bring back what everybody else has forgotten. */
static void old_tombstones_are_forgotten_for_good(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	CLEANUP(alloc_table_freep) struct alloc_table *absent = alloc_table_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service both[] = { { .name = "web" }, { .name = "dns" } };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = both, .n_services = 2 };

	(void)state;
	alloc_table_set_time(t, 1000);
	assert_string_equal(turn(a, &c, t, "n"), "web=10.0.0.0 dns=10.0.0.1");
	assert_int_equal(alloc_table_merge(absent, t), 1);
	c.services = &both[1];
	c.n_services = 1;
	assert_int_equal(alloc_table_prune(t, &c, "n"), 1);
	assert_int_equal(alloc_table_len(t), 2);

	alloc_table_set_time(t, 1000 + ALLOC_TOMBSTONE_AGE_S);
	assert_int_equal(alloc_table_prune(t, &c, "n"), 0);
	alloc_table_set_time(t, 1001 + ALLOC_TOMBSTONE_AGE_S);
	assert_int_equal(alloc_table_prune(t, &c, "n"), 1);
	assert_int_equal(alloc_table_prune(t, &c, "n"), 0);
	assert_int_equal(alloc_table_len(t), 1);
	assert_true(alloc_table_floor(t) > 0);

	assert_int_equal(alloc_table_merge(t, absent), 0);
	assert_int_equal(alloc_table_merge(absent, t), 1);
	assert_true(alloc_table_eq(t, absent));
	assert_string_equal(turn(a, &c, t, "n"), "dns=10.0.0.1");
}

/* However many services come and go, the table stays within its bounds, and what lives stays. */
static void tombstones_that_are_too_many_are_forgotten(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service web = { .name = "web" };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = &web, .n_services = 1 };

	(void)state;
	assert_string_equal(turn(a, &c, t, "n"), "web=10.0.0.0");
	for (unsigned i = 0; i <= ALLOC_TOMBSTONES_MAX; i++) {
		char name[16];
		struct alloc_entry gone = { .service = name, .epoch = 2 + i, .node = "m" };

		(void)snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(alloc_table_put(t, &gone), 1);
	}
	assert_int_equal(alloc_table_prune(t, &c, "n"), 1);
	assert_in_range(alloc_table_len(t), 2, ALLOC_TOMBSTONES_MAX / 2 + 1);
	assert_string_equal(turn(a, &c, t, "n"), "web=10.0.0.0");
	assert_int_equal(alloc_table_prune(t, &c, "n"), 0);
}

/* What a member with a broken clock or worse has said must not make our own table unreadable. */
static void the_last_epoch_is_never_passed(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	CLEANUP(alloc_table_freep) struct alloc_table *again = NULL;
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/30");
	struct cfg_service one = { .name = "web" };
	struct cfg c = { .pools = &pool, .n_pools = 1, .services = &one, .n_services = 1 };
	struct alloc_entry last = { .service = "far", .epoch = ALLOC_EPOCH_MAX, .node = "x" };

	(void)state;
	assert_int_equal(alloc_table_put(t, &last), 1);
	assert_string_equal(turn(a, &c, t, "n"), "web=10.0.0.0");
	json_t *json = alloc_table_encode(t);
	assert_int_equal(alloc_table_decode(json, &again, NULL), 0);
	assert_true(alloc_table_eq(t, again));
	json_decref(json);
}

static void members_agree_in_the_end(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pools[] = { fx_pool(a, "p", "10.0.0.0-10.0.0.4"),
				    fx_pool(a, "q", "10.1.0.0/31") };
	struct member members[NODES];
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t round = 0; round < 300; round++) {
		for (size_t i = 0; i < NODES; i++) {
			members[i] = (struct member){ .name = member_names[i],
						      .table = alloc_table_new() };
			members[i].cfg = (struct cfg){ .pools = pools,
						       .n_pools = 2,
						       .services = members[i].services };
			random_file(&members[i], &rng);
			(void)act(&members[i], false);
		}
		meet(members, &rng, 30, false);
		assert_true(settle(members, false) < 30);
		for (size_t i = 1; i < NODES; i++) {
			memcpy(members[i].services, members[0].services,
			       sizeof(members[0].services));
			members[i].cfg.n_services = members[0].cfg.n_services;
		}
		meet(members, &rng, 10, true);
		assert_true(settle(members, true) < 30);
		agree(members);
		for (size_t i = 0; i < NODES; i++)
			alloc_table_free(members[i].table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_the_file_moves_nothing),
		cmocka_unit_test(a_free_choice_leaves_chosen_addresses_alone),
		cmocka_unit_test(the_rest_is_told_why),
		cmocka_unit_test(gone_services_leave_tombstones_once_all_agree),
		cmocka_unit_test(files_that_disagree_do_not_quarrel),
		cmocka_unit_test(a_stranger_that_shares_evicts_nobody),
		cmocka_unit_test(two_claims_are_settled_by_epoch_then_node),
		cmocka_unit_test(old_tombstones_are_forgotten_for_good),
		cmocka_unit_test(tombstones_that_are_too_many_are_forgotten),
		cmocka_unit_test(the_last_epoch_is_never_passed),
		cmocka_unit_test(members_agree_in_the_end),
	};
	int failed = RUN_TABLE("pools that shrink", shrink_cases, shrinks);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
