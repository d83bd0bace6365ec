/*
 * Two session cores against each other in simulated time, over a connection that delays, loses and halves: it may
 * refuse, end, or fall silent in one or both directions without telling anybody. When the trouble is over
 * the session has to come up and stay up; while it lasts nothing may stick.
 */
#include <stdio.h>

#include "bgp/session.h"
#include "bgp_sim.h"
#include "support.h"

enum { ACTIVE_SIDE, PASSIVE_SIDE };

static void comes_up_and_stays(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, test_seed(), false);
	sim_start(&sim);
	sim_run(&sim, DUR_S(1));
	assert_true(sim_is_up(&sim));
	sim_run(&sim, DUR_S(3600));
	assert_true(sim_is_up(&sim));
	assert_int_equal(sim.s[0].established, 1);
	sim_fini(&sim);
}

static void silence_is_found_by_the_hold_timer(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, test_seed(), false);
	sim_start(&sim);
	sim_run(&sim, DUR_S(20));
	sim.deaf[0] = true; /* half-open: we hear nothing any more */
	sim_run(&sim, DUR_S(95));
	assert_int_not_equal(sim.s[0].state, BGP_ESTABLISHED);
	assert_int_equal(sim.s[0].note_out.code, BGP_ERR_HOLD_TIMER);
	sim.deaf[0] = false;
	sim_run(&sim, DUR_S(60));
	assert_true(sim_is_up(&sim));
	sim_fini(&sim);
}

static void restarted_peer_is_found_quickly(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, test_seed(), false);
	sim_start(&sim);
	sim_run(&sim, DUR_S(20));
	sim_crash(&sim, PASSIVE_SIDE);
	sim.refuse = true;
	sim_run(&sim, DUR_S(10));
	assert_false(sim_is_up(&sim));
	sim.refuse = false;
	sim_run(&sim, DUR_S(4));
	assert_true(sim_is_up(&sim));
	sim_fini(&sim);
}

/* Both connect at once, again and again; they must come to stand on the same connection. */
static void collisions_end_on_one_connection(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		struct sim sim;

		sim_init(&sim, test_seed() + i, true);
		sim_start(&sim);
		sim_run(&sim, DUR_S(3));
		assert_true(sim_is_up(&sim));
		assert_true(sim_agrees(&sim));
		sim_cut(&sim);
		sim_run(&sim, DUR_S(6));
		assert_true(sim_is_up(&sim));
		assert_true(sim_agrees(&sim));
		sim_fini(&sim);
	}
}

static void one_trouble(struct sim *sim)
{
	switch (rng_below(&sim->rng, 7)) {
	case 0:
		sim->refuse = !sim->refuse;
		break;
	case 1:
		sim_cut(sim);
		break;
	case 2:
		sim->deaf[0] = !sim->deaf[0];
		break;
	case 3:
		sim->deaf[1] = !sim->deaf[1];
		break;
	case 4:
		sim_crash(sim, (int)rng_below(&sim->rng, 2));
		break;
	case 5:
		sim->black_hole = !sim->black_hole;
		break;
	default:
		sim_corrupt(sim);
	}
}

static void trouble_passes_between(bool both)
{
	struct sim sim;

	sim_init(&sim, test_seed(), both);
	sim_start(&sim);
	for (int round = 0; round < 40; round++) {
		for (uint64_t n = rng_below(&sim.rng, 20); n > 0; n--) {
			one_trouble(&sim);
			sim_run(&sim, DUR_MS((int64_t)rng_below(&sim.rng, 40000)));
		}
		sim.refuse = sim.black_hole = sim.deaf[0] = sim.deaf[1] = false;
		/* The longest pause, a hold time that was running, and an OPEN that never came. */
		sim_run(&sim, DUR_S(120 + 90 + 30 + 5));
		assert_true(sim_is_up(&sim));
		sim_run(&sim, DUR_S(300));
		assert_true(sim_is_up(&sim));
	}
	sim_fini(&sim);
}

static void trouble_passes(void **state)
{
	(void)state;
	trouble_passes_between(false);
}

static void trouble_passes_where_both_connect(void **state)
{
	(void)state;
	trouble_passes_between(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_up_and_stays),
		cmocka_unit_test(silence_is_found_by_the_hold_timer),
		cmocka_unit_test(restarted_peer_is_found_quickly),
		cmocka_unit_test(collisions_end_on_one_connection),
		cmocka_unit_test(trouble_passes),
		cmocka_unit_test(trouble_passes_where_both_connect),
	};

	return cmocka_run_group_tests_name("bgp session simulation", tests, NULL, NULL);
}
