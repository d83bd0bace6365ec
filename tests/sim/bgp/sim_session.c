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
	switch (rng_below(&sim->rng, 8)) {
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
	case 6:
		sim_stray(sim, (int)rng_below(&sim->rng, 2), rng_below(&sim->rng, 2));
		break;
	default:
		sim_corrupt(sim);
	}
}

static void some_strays(struct sim *sim)
{
	for (int n = 0; n < 40; n++) {
		sim_stray(sim, (int)rng_below(&sim->rng, 2), rng_below(&sim->rng, 2));
		sim_run(sim, DUR_MS((int64_t)rng_below(&sim->rng, 200)));
	}
}

/* Connections that nobody tends come one after the other, from both addresses: the session comes up beside them, and stays. */
static void strays_do_no_harm(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		struct sim sim;

		sim_init(&sim, test_seed() + i, true);
		sim_start(&sim);
		some_strays(&sim);
		sim_run(&sim, DUR_S(10));
		assert_true(sim_is_up(&sim));
		uint64_t times = sim.s[0].established + sim.s[1].established;
		some_strays(&sim);
		sim_run(&sim, DUR_S(1));
		assert_true(sim_is_up(&sim));
		assert_true(sim_agrees(&sim));
		assert_int_equal(sim.s[0].established + sim.s[1].established, times);
		sim_fini(&sim);
	}
}

/* What two peers may be set up with. */
enum { BOTH_CONNECT = 1, WAIT_WITH_OPENS = 2, RESTART_GRACEFULLY = 4, SHORT_HOLD = 8, KINDS = 16 };

static void set_up(struct sim *sim, unsigned kind, uint64_t seed)
{
	sim_init(sim, seed, kind & BOTH_CONNECT);
	for (int i = 0; i < 2; i++) {
		struct bgp_session_conf *c = &sim->s[i].conf;

		if (kind & WAIT_WITH_OPENS)
			c->delay_open = DUR_S(3);
		if (kind & RESTART_GRACEFULLY)
			c->restart = (struct bgp_restart){ .on = true,
							   .notifications = i == 0,
							   .time_s = 120,
							   .families = BGP_V4 };
		if (kind & SHORT_HOLD)
			c->hold_s = 3;
	}
	sim_start(sim);
}

static void trouble_passes_between(unsigned kind, int rounds)
{
	struct sim sim;

	set_up(&sim, kind, test_seed() + kind);
	for (int round = 0; round < rounds; round++) {
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
	trouble_passes_between(0, 40);
}

static void trouble_passes_where_both_connect(void **state)
{
	(void)state;
	trouble_passes_between(BOTH_CONNECT, 40);
}

/* Every way to set up the two of them. */
static void trouble_passes_of_each_kind(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++)
		trouble_passes_between(kind, 10);
}

/* A peer that has forgotten the session connects anew, while we still believe in the old one (RFC 4724 §5). */
static void who_restarted_in_silence_is_let_in_at_once(void **state)
{
	struct sim sim;

	(void)state;
	set_up(&sim, BOTH_CONNECT | RESTART_GRACEFULLY, test_seed());
	sim_run(&sim, DUR_S(20));
	assert_true(sim_is_up(&sim));
	int stays = sim.conn[sim_lead(&sim, 0)].opener;
	sim.deaf[stays] = true; /* the other's host is gone: no end is heard of */
	sim_crash(&sim, !stays);
	sim.deaf[stays] = false;
	sim_run(&sim, DUR_S(5)); /* and not the hold time of 90 */
	assert_true(sim_is_up(&sim));
	assert_true(sim_agrees(&sim));
	sim_fini(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_up_and_stays),
		cmocka_unit_test(silence_is_found_by_the_hold_timer),
		cmocka_unit_test(restarted_peer_is_found_quickly),
		cmocka_unit_test(collisions_end_on_one_connection),
		cmocka_unit_test(strays_do_no_harm),
		cmocka_unit_test(trouble_passes),
		cmocka_unit_test(trouble_passes_where_both_connect),
		cmocka_unit_test(trouble_passes_of_each_kind),
		cmocka_unit_test(who_restarted_in_silence_is_let_in_at_once),
	};

	return cmocka_run_group_tests_name("bgp session simulation", tests, NULL, NULL);
}
