/*
 * When services are planned again, in which pieces, and who hears of it. Decisions themselves are
 * plan's own tests.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/planner.h"
#include "unit/world/fixture.h"

struct heard {
	struct map *decided; /* service -> times + 1 */
	size_t n_decided, n_gone, n_new;
	size_t n_settled, decided_when_settled;
	struct planner *planner;
	const char *touches; /* what the next decision touches in turn */
};

struct fixture {
	struct arena *arena;
	struct loop *loop;
	struct world *world;
	struct planner *planner;
	struct cfg cfg;
	struct heard heard;
};

static void on_decided(void *ctx, const char *service, const struct plan *before,
		       const struct plan *after)
{
	struct heard *h = ctx;
	uintptr_t times = (uintptr_t)map_get(h->decided, service);

	assert_true(before || after);
	assert_ptr_equal(planner_plan(h->planner, service), after);
	if (after)
		assert_string_equal(after->service, service);
	if (before)
		assert_string_equal(before->service, service);
	(void)map_put(h->decided, service, (void *)(times + 1));
	h->n_decided++;
	h->n_gone += !after;
	h->n_new += !before;
	const char *touches = TAKE(h->touches);
	if (touches)
		planner_touch(h->planner, WORLD_SERVICE, touches);
}

static void on_settled(void *ctx)
{
	struct heard *h = ctx;

	assert_true(planner_is_settled(h->planner));
	h->n_settled++;
	h->decided_when_settled = h->n_decided;
}

static void on_world(void *ctx, enum world_change what, const char *name)
{
	planner_touch(ctx, what, name);
}

static void heard_clear(struct heard *h)
{
	map_clear(h->decided, NULL);
	h->n_decided = h->n_gone = h->n_new = h->n_settled = h->decided_when_settled = 0;
}

/* One pool, for Layer 2, and @n services s0, s1, …, each with an address of its own. */
static struct cfg cfg_of(struct arena *a, size_t n)
{
	struct cfg_pool *pool = arena_new_of(a, struct cfg_pool);
	const struct cfg_pool **pools = arena_new_of(a, const struct cfg_pool *);
	struct cfg_l2_adv *adv = arena_new_of(a, struct cfg_l2_adv);
	struct cfg_service *services = arena_new_n(a, struct cfg_service, n);

	*pool = fx_pool(a, "pool", "10.0.0.0/8");
	*pools = pool;
	*adv = (struct cfg_l2_adv){ .name = "pool", .pools = { .v = pools, .n = 1 } };
	for (size_t i = 0; i < n; i++)
		services[i] = (struct cfg_service){ .name = arena_printf(a, "s%zu", i) };
	return (struct cfg){ .pools = pool,
			     .n_pools = 1,
			     .l2_advs = adv,
			     .n_l2_advs = 1,
			     .services = services,
			     .n_services = n };
}

static void assign(struct fixture *f, size_t i)
{
	char key[32];
	struct addr a = addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);

	(void)snprintf(key, sizeof(key), "s%zu", i);
	world_service_assign(f->world, key, &a, 1);
}

/* A settled world. */
static struct fixture *fixture_new(size_t n)
{
	struct fixture *f = mem_new(struct fixture);

	f->arena = arena_new();
	f->loop = loop_new_virtual();
	f->world = world_new("me");
	f->heard.decided = map_new();
	f->planner = planner_new(f->loop, f->world,
				 &(struct planner_hooks){ .ctx = &f->heard,
							  .decided = on_decided,
							  .settled = on_settled });
	f->heard.planner = f->planner;
	f->cfg = cfg_of(f->arena, n);
	world_on_change(f->world, on_world, f->planner);
	world_set_config(f->world, &f->cfg);
	for (size_t i = 0; i < n; i++)
		assign(f, i);
	assert_false(n > 0 && planner_is_settled(f->planner));
	loop_advance(f->loop, DUR_NS(0));
	assert_true(planner_is_settled(f->planner));
	return f;
}

static void fixture_free(struct fixture *f)
{
	planner_free(f->planner);
	world_free(f->world);
	loop_free(f->loop);
	arena_free(f->arena);
	map_free(f->heard.decided);
	free(f);
}

static uintptr_t times_decided(const struct fixture *f, const char *service)
{
	return (uintptr_t)map_get(f->heard.decided, service);
}

static void changes_of_a_turn_are_one(void **state)
{
	struct fixture *f = fixture_new(200);

	(void)state;
	/*
	 * A configuration and 200 addresses: each service was decided once, and settled said once.
	 */
	assert_int_equal(f->heard.n_decided, 200);
	assert_int_equal(f->heard.n_new, 200);
	assert_int_equal(f->heard.n_settled, 1);
	assert_int_equal(f->heard.decided_when_settled, 200);
	assert_int_equal(planner_plan(f->planner, "s7")->n_l2, 1);
	assert_null(planner_plan(f->planner, "nobody"));
	fixture_free(f);
}

static void one_change_replans_what_it_touches(void **state)
{
	struct fixture *f = fixture_new(200);

	(void)state;
	heard_clear(&f->heard);
	world_service_endpoint(f->world, "s7", "me", false);
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_decided, 1);
	assert_int_equal(times_decided(f, "s7"), 1);
	assert_int_equal(f->heard.n_settled, 1);
	assert_int_equal(planner_plan(f->planner, "s7")->n_l2, 0);

	heard_clear(&f->heard);
	world_service_endpoint(f->world, "s7", "me", false); /* as it was */
	loop_advance(f->loop, DUR_S(10));
	assert_int_equal(f->heard.n_decided, 0);
	assert_int_equal(f->heard.n_settled, 0);
	fixture_free(f);
}

/* s3 comes to s5's address and leaves it again: both are touched both times. */
static void who_shares_is_touched_too(void **state)
{
	struct fixture *f = fixture_new(10);
	struct addr shared = addr_v4(10, 0, 0, 5);

	(void)state;
	for (int i = 0; i < 2; i++) {
		heard_clear(&f->heard);
		if (i == 0)
			world_service_assign(f->world, "s3", &shared, 1);
		else
			assign(f, 3);
		loop_advance(f->loop, DUR_NS(0));
		assert_int_equal(f->heard.n_decided, 2);
		assert_int_equal(times_decided(f, "s3"), 1);
		assert_int_equal(times_decided(f, "s5"), 1);
	}
	fixture_free(f);
}

/* A timer that is due at every moment: it gets its turn between two slices. */
struct ticker {
	struct loop_timer timer;
	const struct heard *heard;
	size_t ticks, largest_slice, decided_before;
};

static void tick(struct loop_timer *timer, struct mono now)
{
	struct ticker *t = CONTAINER_OF(timer, struct ticker, timer);

	t->largest_slice = MAX(t->largest_slice, t->heard->n_decided - t->decided_before);
	t->decided_before = t->heard->n_decided;
	t->ticks++;
	if (t->heard->n_settled == 0)
		loop_timer_set(timer, now);
}

static void work_comes_in_slices(void **state)
{
	struct fixture *f = fixture_new(1000);
	struct ticker t = { .heard = &f->heard };

	(void)state;
	heard_clear(&f->heard);
	loop_timer_init(&t.timer, f->loop, tick);
	loop_timer_set(&t.timer, loop_now(f->loop));
	world_node_set(f->world, &(struct world_node){ .name = "other", .alive = true });
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_decided, 1000);
	assert_int_equal(f->heard.n_settled, 1);
	assert_true(t.largest_slice >= 16 && t.largest_slice <= 128);
	assert_true(t.ticks >= 1000 / 128);
	fixture_free(f);
}

static void what_vanished_is_taken_back(void **state)
{
	struct fixture *f = fixture_new(10);
	struct cfg fewer = cfg_of(f->arena, 7);
	size_t n = 0;

	(void)state;
	heard_clear(&f->heard);
	world_set_config(f->world, &fewer);
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_decided, 10);
	assert_int_equal(f->heard.n_gone, 3);
	assert_int_equal(f->heard.n_settled, 1);
	assert_null(planner_plan(f->planner, "s9"));
	for (size_t at = 0; planner_next(f->planner, &at); n++)
		;
	assert_int_equal(n, 7);

	/* What never was, and is not, is nobody's business. */
	heard_clear(&f->heard);
	planner_touch(f->planner, WORLD_SERVICE, "ghost");
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_decided, 0);
	assert_int_equal(f->heard.n_settled, 1);
	fixture_free(f);
}

/* Somebody waits for "settled" after each configuration, one without services too. */
static void nothing_to_plan_settles(void **state)
{
	struct fixture *f = fixture_new(0);

	(void)state;
	assert_int_equal(f->heard.n_settled, 1);
	world_set_config(f->world, &f->cfg);
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_settled, 2);
	fixture_free(f);
}

/* A decision that touches another service, or its own, in the middle of the work. */
static void decisions_may_touch(void **state)
{
	struct fixture *f = fixture_new(100);

	(void)state;
	heard_clear(&f->heard);
	f->heard.touches = "s2";
	world_service_endpoint(f->world, "s1", "me", false);
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_decided, 2);
	assert_int_equal(f->heard.n_settled, 1);

	heard_clear(&f->heard);
	f->heard.touches = "s1";
	world_service_endpoint(f->world, "s1", "me", true);
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(times_decided(f, "s1"), 2);
	assert_int_equal(f->heard.n_settled, 1);

	heard_clear(&f->heard);
	f->heard.touches = "s99"; /* waits for its turn already */
	planner_touch(f->planner, WORLD_ALL, NULL);
	loop_advance(f->loop, DUR_NS(0));
	assert_int_equal(f->heard.n_decided, 100);
	assert_int_equal(f->heard.n_settled, 1);
	fixture_free(f);
}

/* In the middle of its work. */
static void may_be_freed_any_time(void **state)
{
	struct fixture *f = fixture_new(100);

	(void)state;
	planner_touch(f->planner, WORLD_ALL, NULL);
	assert_false(planner_is_settled(f->planner));
	fixture_free(f);
	assert_null(planner_free(NULL));
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double replan_seconds(size_t n)
{
	struct fixture *f = fixture_new(n);
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		double from = cpu_seconds();

		heard_clear(&f->heard);
		planner_touch(f->planner, WORLD_ALL, NULL);
		loop_advance(f->loop, DUR_NS(0));
		assert_int_equal(f->heard.n_decided, n);
		best = MIN(best, cpu_seconds() - from);
	}
	fixture_free(f);
	return best;
}

/* Eight times as many services may take eight times as long, not sixty-four times. */
static void cost_is_linear(void **state)
{
	double few = replan_seconds(2500), many = replan_seconds(20000);

	(void)state;
	print_message("2500 services: %.1f ms, 20000: %.1f ms\n", few * 1e3, many * 1e3);
	assert_true(many < few * 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_of_a_turn_are_one),
		cmocka_unit_test(one_change_replans_what_it_touches),
		cmocka_unit_test(who_shares_is_touched_too),
		cmocka_unit_test(work_comes_in_slices),
		cmocka_unit_test(what_vanished_is_taken_back),
		cmocka_unit_test(nothing_to_plan_settles),
		cmocka_unit_test(decisions_may_touch),
		cmocka_unit_test(may_be_freed_any_time),
		cmocka_unit_test(cost_is_linear),
	};

	return cmocka_run_group_tests_name("app/planner", tests, NULL, NULL);
}
