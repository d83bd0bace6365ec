/* The timers of the session, and its pauses between attempts. */
#include "session_bench.h"

static void hold_timer_expires(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	pass(&b, DUR_MS(89999));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	pass(&b, DUR_MS(1));
	assert_int_not_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.note_out.code, BGP_ERR_HOLD_TIMER);
	assert_string_equal(b.s.reason, "hold timer expired");
}

static void hearing_keeps_it_up(void **state)
{
	static const char *const words[] = { ALIVE, MARKER "0017 02 0000 0000" };
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	for (int i = 0; i < 10; i++) {
		pass(&b, DUR_S(80));
		hear(&b, words[i % 2]);
	}
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
}

static void keepalives_come_in_time(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.leg[BGP_OURS].hold_at = MONO_NEVER;
	pass(&b, DUR_S(600));
	/* 75 to 100 % of 30 s */
	assert_in_range(b.s.msgs_out[BGP_KEEPALIVE], 1 + 600 / 30, 2 + 600 * 10 / 225);
	/* Routes count as a sign of life. */
	bgp_session_wrote(&b.s, 1, b.now);
	forget(&b);
	for (int i = 0; i < 100; i++) {
		pass(&b, DUR_S(20));
		bgp_session_wrote(&b.s, 1, b.now);
	}
	assert_int_equal(b.sent_len, 0);
}

static void no_timers_without_hold_time(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.hold_s = 0;
	bring_to(&b, &c, BGP_ESTABLISHED);
	assert_true(mono_is_never(bgp_session_deadline(&b.s)));
}

static void a_silent_peer_is_given_up(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_OPEN_SENT);
	pass(&b, DUR_S(30));
	assert_int_equal(b.s.note_out.code, BGP_ERR_HOLD_TIMER);
}

static void a_peer_that_reads_nothing_is_given_up(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.leg[BGP_OURS].hold_at = MONO_NEVER;
	bgp_session_output(&b.s, BGP_OURS, false, 100, b.now);
	pass(&b, DUR_S(479));
	bgp_session_output(&b.s, BGP_OURS, false, 200, b.now); /* no progress: the clock goes on */
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	pass(&b, DUR_S(1));
	assert_string_equal(b.s.reason, "send hold timer expired: the peer reads nothing");

	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.leg[BGP_OURS].hold_at = MONO_NEVER;
	bgp_session_output(&b.s, BGP_OURS, false, 100, b.now);
	pass(&b, DUR_S(400));
	bgp_session_output(&b.s, BGP_OURS, true, 100, b.now);
	pass(&b, DUR_S(400));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	bgp_session_output(&b.s, BGP_OURS, true, 0, b.now);
	pass(&b, DUR_S(4000));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
}

static void pauses_grow_to_the_cap(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;
	struct dur longest = { 0 };

	(void)state;
	c.retry_max = DUR_S(10);
	bring_to(&b, &c, BGP_CONNECT);
	for (int i = 0; i < 60; i++) {
		bgp_session_failed(&b.s, "refused", b.now);
		look(&b);
		struct dur pause = mono_sub(bgp_session_deadline(&b.s), b.now);
		if (i == 0)
			assert_in_range(pause.ns, DUR_MS(75).ns, DUR_MS(100).ns);
		assert_in_range(pause.ns, DUR_MS(75).ns, DUR_S(10).ns);
		longest.ns = MAX(longest.ns, pause.ns);
		b.now = bgp_session_deadline(&b.s);
		bgp_session_tick(&b.s, b.now);
		look(&b);
		assert_int_equal(b.s.state, BGP_CONNECT);
	}
	assert_true(longest.ns > DUR_MS(7500).ns);
	assert_int_equal(b.connects, 60);
}

/* However long the peer was away, it is found again after about a third of that. */
static void a_restarted_router_is_found_quickly(void **state)
{
	static const int away_s[] = { 1, 10, 60, 300 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(away_s); i++) {
		struct bench b;

		bring_to(&b, &conf, BGP_ESTABLISHED);
		bgp_session_closed(&b.s, BGP_OURS, "closed", b.now);
		look(&b);
		struct mono back = mono_add(b.now, DUR_S(away_s[i]));
		for (;;) {
			b.now = bgp_session_deadline(&b.s);
			bgp_session_tick(&b.s, b.now);
			look(&b);
			if (b.s.state == BGP_CONNECT && !mono_before(b.now, back))
				break;
			if (b.s.state == BGP_CONNECT)
				bgp_session_failed(&b.s, "refused", b.now);
			look(&b);
		}
		assert_in_range(mono_sub(b.now, back).ns, 0, DUR_MS(away_s[i] * 340 + 100).ns);
	}
}

static void only_a_lasting_session_resets_the_pause(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.backoff = DUR_S(50);
	bgp_session_closed(&b.s, BGP_OURS, "closed", b.now);
	assert_true(b.s.backoff.ns > DUR_S(50).ns);

	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.backoff = DUR_S(50);
	pass(&b, DUR_S(11));
	bgp_session_closed(&b.s, BGP_OURS, "closed", b.now);
	assert_int_equal(b.s.backoff.ns, DUR_MS(100).ns);
}

static void quarrels_wait_longer(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0015 03 02 02");
	assert_in_range(mono_sub(bgp_session_deadline(&b.s), b.now).ns, DUR_MS(750).ns,
			DUR_S(1).ns);
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0015 03 06 04");
	assert_in_range(mono_sub(bgp_session_deadline(&b.s), b.now).ns, DUR_MS(75).ns,
			DUR_MS(100).ns);
}

static void an_attempt_ends_by_itself(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_CONNECT);
	b.now = bgp_session_deadline(&b.s);
	bgp_session_tick(&b.s, b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_ACTIVE);
	assert_int_equal(b.closes, 1);
	assert_string_equal(b.s.reason, "connect: no answer");
}

static void an_open_may_be_delayed(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.delay_open = DUR_S(2);
	bring_to(&b, &c, BGP_CONNECT);
	bgp_session_connected(&b.s, 0x0a000005, b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_CONNECT);
	assert_int_equal(b.sent_len, 0);
	pass(&b, DUR_S(2));
	assert_int_equal(b.s.state, BGP_OPEN_SENT);

	bring_to(&b, &c, BGP_CONNECT);
	bgp_session_connected(&b.s, 0x0a000005, b.now);
	hear(&b, OPEN); /* the peer was faster */
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.s.msgs_out[BGP_OPEN], 1);
	assert_int_equal(b.s.msgs_out[BGP_KEEPALIVE], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hold_timer_expires),
		cmocka_unit_test(hearing_keeps_it_up),
		cmocka_unit_test(keepalives_come_in_time),
		cmocka_unit_test(no_timers_without_hold_time),
		cmocka_unit_test(a_silent_peer_is_given_up),
		cmocka_unit_test(a_peer_that_reads_nothing_is_given_up),
		cmocka_unit_test(pauses_grow_to_the_cap),
		cmocka_unit_test(a_restarted_router_is_found_quickly),
		cmocka_unit_test(only_a_lasting_session_resets_the_pause),
		cmocka_unit_test(quarrels_wait_longer),
		cmocka_unit_test(an_attempt_ends_by_itself),
		cmocka_unit_test(an_open_may_be_delayed),
	};

	return cmocka_run_group_tests_name("bgp session, timers", tests, NULL, NULL);
}
