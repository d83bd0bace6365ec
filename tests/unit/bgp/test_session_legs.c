/* Two connections at once, and connections that end or come again. */
#include "session_bench.h"

static void begin_passive(struct bench *b)
{
	struct bgp_session_conf c = conf;

	c.passive = true;
	bgp_session_init(&b->s, &c, 1, b->now);
	bgp_session_start(&b->s, b->now);
	look(b);
}

static void passive_waits(void **state)
{
	struct bench b = { .now = { 1 } };

	(void)state;
	begin_passive(&b);
	assert_int_equal(b.s.state, BGP_ACTIVE);
	assert_int_equal(b.connects, 0);
	pass(&b, DUR_S(1000));
	assert_int_equal(b.connects, 0);
	assert_true(bgp_session_offer(&b.s, b.now));
	bgp_session_accepted(&b.s, 0x0a000005, b.now);
	look(&b);
	hear(&b, OPEN);
	hear(&b, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	/* A second connection beside a running session is refused. */
	assert_false(bgp_session_offer(&b.s, b.now));
	bgp_session_closed(&b.s, BGP_THEIRS, "closed", b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_false(bgp_session_offer(&b.s, b.now));
	pass(&b, DUR_MS(100));
	assert_int_equal(b.s.state, BGP_ACTIVE);
	assert_true(bgp_session_offer(&b.s, b.now));
}

/* A session with both legs in OpenSent; our router id is 10.0.0.5. */
static void bring_two(struct bench *b, const struct bgp_session_conf *c)
{
	bring_to(b, c, BGP_OPEN_SENT);
	assert_true(bgp_session_offer(&b->s, b->now));
	bgp_session_accepted(&b->s, 0x0a000005, b->now);
	look(b);
	forget(b);
}

#define OPEN_HIGHER \
	MARKER "002d 01 04 fc01 005a 0a000009 10 02 0e 0104 0001 00 01 0200 4104 0000fc01"

static const struct collision {
	const char *name;
	const char *open;
	uint32_t local_as;
	enum bgp_leg_id first; /* that hears its OPEN */
	enum bgp_leg_id stays;
} collisions[] = {
	{ "our id is higher, ours first", OPEN, 64512, BGP_OURS, BGP_OURS },
	{ "our id is higher, theirs first", OPEN, 64512, BGP_THEIRS, BGP_OURS },
	{ "their id is higher, ours first", OPEN_HIGHER, 64512, BGP_OURS, BGP_THEIRS },
	{ "their id is higher, theirs first", OPEN_HIGHER, 64512, BGP_THEIRS, BGP_THEIRS },
	{ "ids are equal, their AS is higher",
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01", 64512,
	  BGP_OURS, BGP_THEIRS },
	{ "ids are equal, our AS is higher",
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01", 64999,
	  BGP_OURS, BGP_OURS },
};

static void collisions_are_resolved(void **state)
{
	const struct collision *c = *state;
	struct bgp_session_conf both = conf;
	enum bgp_leg_id other = c->first == BGP_OURS ? BGP_THEIRS : BGP_OURS;
	struct bench b;

	both.accepts = true;
	both.local_as = c->local_as;
	bring_two(&b, &both);
	hear_on(&b, c->first, c->open);
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.closes, 0);
	hear_on(&b, other, c->open);
	assert_int_equal(b.closes, 1);
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.s.lead, c->stays);
	hear_on(&b, c->stays, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.notes_out, 0); /* nobody needs to know */
}

static void the_first_that_is_established_wins(void **state)
{
	struct bgp_session_conf both = conf;
	struct bench b;

	(void)state;
	both.accepts = true;
	bring_two(&b, &both);
	hear_on(&b, BGP_THEIRS, OPEN);
	hear_on(&b, BGP_THEIRS, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.lead, BGP_THEIRS);
	assert_int_equal(b.closes, 1);
	assert_false(bgp_session_hears(&b.s, BGP_OURS));
	pass(&b, DUR_S(89));
	assert_int_equal(b.connects, 0);
}

static void a_leg_that_ends_leaves_the_other(void **state)
{
	struct bgp_session_conf both = conf;
	struct bench b;

	(void)state;
	both.accepts = true;
	bring_two(&b, &both);
	hear_on(&b, BGP_OURS, OPEN);
	bgp_session_closed(&b.s, BGP_THEIRS, "closed", b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	bring_two(&b, &both);
	hear_on(&b, BGP_OURS, OPEN);
	hear_on(&b, BGP_OURS, MARKER "0015 03 06 07"); /* the peer resolved it */
	assert_int_equal(b.s.state, BGP_OPEN_SENT);
	assert_int_equal(b.notes_in, 0);
	hear_on(&b, BGP_THEIRS, OPEN);
	hear_on(&b, BGP_THEIRS, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
}

/* The peer has forgotten a connection on which it never said its OPEN. */
static void a_newer_connection_takes_the_place_of_a_silent_one(void **state)
{
	struct bench b = { .now = { 1 } };

	(void)state;
	begin_passive(&b);
	for (int i = 0; i < 3; i++) {
		assert_true(bgp_session_offer(&b.s, b.now));
		look(&b);
		assert_int_equal(b.closes, i);
		bgp_session_accepted(&b.s, 0x0a000005, b.now);
		look(&b);
	}
	hear_on(&b, BGP_THEIRS, OPEN);
	assert_false(bgp_session_offer(&b.s, b.now));
}

/* With graceful restart of 120 s for IPv4, without and with RFC 8538. */
#define OPEN_RESTART(flags)                                                         \
	MARKER "0033 01 04 fc01 005a 0a000001 16 02 14 0104 0001 00 01 4006 " flags \
	       "078 0001 01 80 4104 0000fc01"

static const struct bgp_session_conf restarting = {
	.local_as = 64512,
	.peer_as = 64513,
	.hold_s = 90,
	.families = BGP_V4,
	.accepts = true,
	.restart = { .on = true, .notifications = true, .time_s = 120, .families = BGP_V4 },
};

static void bring_restarting(struct bench *b, const struct bgp_session_conf *c, const char *open)
{
	bring_to(b, c, BGP_OPEN_SENT);
	hear(b, open);
	hear(b, ALIVE);
	assert_int_equal(b->s.state, BGP_ESTABLISHED);
	forget(b);
}

static const struct leave_case {
	const char *name;
	const struct bgp_session_conf *conf;
	const char *open;
	const char *leaves; /* what the peer hears when we restart */
	const char *stops;  /* and when we stop for good */
} leaves[] = {
	{ "no graceful restart", &conf, OPEN, "0602", "0602" },
	{ "ours alone", &restarting, OPEN, "0602", "0602" },
	{ "theirs alone", &conf, OPEN_RESTART("0"), "0602", "0602" },
	{ "both", &restarting, OPEN_RESTART("0"), "", "0602" },
	{ "both, and notifications", &restarting, OPEN_RESTART("4"), "0604", "0609 0602" },
};

static void routes_stay_when_we_restart(void **state)
{
	const struct leave_case *c = *state;
	uint8_t want[8];
	struct bench b;

	bring_restarting(&b, c->conf, c->open);
	bgp_session_leave(&b.s, NULL, b.now);
	look(&b);
	size_t len = unhex(c->leaves, want, sizeof(want));
	assert_int_equal(b.sent_len, len ? BGP_HEADER_LEN + len : 0);
	if (len)
		assert_memory_equal(b.sent + BGP_HEADER_LEN, want, len);
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_int_equal(b.closes, 1);
	assert_true(mono_is_never(bgp_session_deadline(&b.s)));

	bring_restarting(&b, c->conf, c->open);
	bgp_session_stop(&b.s, BGP_CEASE_SHUTDOWN, NULL, b.now);
	look(&b);
	len = unhex(c->stops, want, sizeof(want));
	assert_int_equal(b.sent_len, BGP_HEADER_LEN + len);
	assert_memory_equal(b.sent + BGP_HEADER_LEN, want, len);
}

/* RFC 4724 §5: without the capability the first connection stays, with it the newer one. */
static void a_restarted_peer_may_connect_again(void **state)
{
	struct bench b;

	(void)state;
	bring_restarting(&b, &restarting, OPEN);
	assert_false(bgp_session_offer(&b.s, b.now));
	bring_restarting(&b, &restarting, OPEN_RESTART("0"));
	assert_true(bgp_session_offer(&b.s, b.now));
	look(&b);
	assert_int_equal(b.closes, 1);
	assert_int_equal(b.s.state, BGP_ACTIVE);
	bgp_session_accepted(&b.s, 0x0a000005, b.now);
	hear(&b, OPEN_RESTART("8"));
	hear(&b, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.lead, BGP_THEIRS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passive_waits),
		cmocka_unit_test(the_first_that_is_established_wins),
		cmocka_unit_test(a_leg_that_ends_leaves_the_other),
		cmocka_unit_test(a_newer_connection_takes_the_place_of_a_silent_one),
		cmocka_unit_test(a_restarted_peer_may_connect_again),
	};
	int failed = RUN_TABLE("bgp leaving", leaves, routes_stay_when_we_restart);

	failed += RUN_TABLE("bgp collisions", collisions, collisions_are_resolved);
	return failed + cmocka_run_group_tests_name("bgp session, connections", tests, NULL, NULL);
}
