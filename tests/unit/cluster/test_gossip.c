#include "bench.h"

/* What is heard of members, and what becomes of it. */

static void alive_joins_updates_and_returns(void **state)
{
	struct bench *b = *state;
	struct wire_node node = node_of("b", 2, 3);

	hear_alive(b, "b", 2, 1);
	hear_alive(b, "b", 2, 1); /* nothing new */
	hear_alive(b, "b", 2, 2); /* newer, but the same */
	assert_string_equal(b->events, "+b");
	node.meta = (struct msgpack_raw){ (const uint8_t *)"x", 1 };
	hear_node(b, &node);
	assert_string_equal(b->events, "+b ~b");
	hear_accusation(b, WIRE_DEAD, "b", 3, "c");
	assert_int_equal(state_of(b, "b"), GOSSIP_DEAD);
	hear_alive(b, "b", 2, 3); /* not newer than the death */
	hear_alive(b, "b", 2, 4);
	assert_string_equal(b->events, "+b ~b -b +b");
}

static void dead_from_itself_is_left(void **state)
{
	struct bench *b = *state;

	hear_alive(b, "b", 2, 1);
	hear_accusation(b, WIRE_SUSPECT, "b", 1, "c");
	assert_int_equal(state_of(b, "b"), GOSSIP_SUSPECT);
	hear_accusation(b, WIRE_DEAD, "b", 1, "b");
	assert_int_equal(state_of(b, "b"), GOSSIP_LEFT);
	hear_accusation(b, WIRE_DEAD, "b", 1, "c"); /* no second death */
	assert_string_equal(b->events, "+b -b");
	/* The name is free at once, at another address and with any incarnation. */
	hear_alive(b, "b", 9, 1);
	assert_string_equal(b->events, "+b -b +b");
	struct addr nine = at(9);
	assert_true(addr_eq(&gossip_member_find(b->g, "b")->addr, &nine));
}

/* Names go to terminals and logs. */
static void names_that_a_terminal_would_obey_are_refused(void **state)
{
	static const char *const names[] = { "\033[2J", "a\nb", "a\x7f", "\xc2\x9b", "\xff" };
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		hear_alive(b, names[i], 3, 1);
	assert_int_equal(gossip_stats(b->g)->dropped_malformed, ARRAY_LEN(names));
	assert_string_equal(b->events, "");
}

static void a_name_has_one_address(void **state)
{
	struct bench *b = *state;
	struct addr two = at(2);

	hear_alive(b, "b", 2, 1);
	hear_alive(b, "b", 3, 7);
	hear_alive(b, "b", 3, 8); /* reported once */
	const struct gossip_member *m = gossip_member_find(b->g, "b");
	assert_int_equal(m->rival.addr.b[3], 3);
	assert_int_equal(m->rival_at.ns, b->now.ns);
	hear_alive(b, "us", 3, 9);
	assert_string_equal(b->events, "+b !b !us");
	assert_true(addr_eq(&gossip_member_find(b->g, "b")->addr, &two));
	assert_int_equal(gossip_stats(b->g)->conflicts, 3);
	assert_int_equal(own_incarnation(b), 1);
}

static void accusations_of_strangers_and_of_the_past_are_ignored(void **state)
{
	struct bench *b = *state;

	hear_accusation(b, WIRE_SUSPECT, "x", 1, "c");
	hear_accusation(b, WIRE_DEAD, "x", 1, "c");
	assert_null(gossip_member_find(b->g, "x"));
	hear_alive(b, "b", 2, 5);
	hear_accusation(b, WIRE_SUSPECT, "b", 4, "c");
	hear_accusation(b, WIRE_DEAD, "b", 4, "c");
	assert_int_equal(state_of(b, "b"), GOSSIP_ALIVE);
}

static void suspicion_ends_in_death_or_refutation(void **state)
{
	struct bench *b = *state;

	hear_alive(b, "b", 2, 1);
	hear_alive(b, "c", 3, 1);
	hear_accusation(b, WIRE_SUSPECT, "b", 1, "c");
	hear_alive(b, "b", 2, 1); /* too old to refute */
	assert_int_equal(state_of(b, "b"), GOSSIP_SUSPECT);
	hear_alive(b, "b", 2, 2);
	assert_int_equal(state_of(b, "b"), GOSSIP_ALIVE);
	hear_accusation(b, WIRE_SUSPECT, "b", 2, "c");
	wait_ms(b, 3990);
	assert_int_equal(state_of(b, "b"), GOSSIP_SUSPECT);
	wait_ms(b, 250);
	assert_int_equal(state_of(b, "b"), GOSSIP_DEAD);
	assert_string_equal(b->events, "+b +c -b");
	assert_non_null(find_sent(b, WIRE_DEAD));
}

static void we_refute(void **state)
{
	struct bench *b = *state;
	struct wire_node self = node_of("us", 1, 1);

	hear_accusation(b, WIRE_SUSPECT, "us", 1, "c");
	assert_int_equal(own_incarnation(b), 2);
	hear_accusation(b, WIRE_SUSPECT, "us", 1, "c"); /* of the past */
	assert_int_equal(own_incarnation(b), 2);
	hear_accusation(b, WIRE_DEAD, "us", 9, "c");
	assert_int_equal(own_incarnation(b), 10);
	hear_node(b, &self); /* an older one of us */
	assert_int_equal(own_incarnation(b), 10);
	self.incarnation = 10; /* the same number, but other metadata */
	hear_node(b, &self);
	assert_int_equal(own_incarnation(b), 11);
	self.incarnation = 11;
	self.meta = (struct msgpack_raw){ (const uint8_t *)"m", 1 };
	hear_node(b, &self); /* that is us */
	assert_int_equal(own_incarnation(b), 11);
	self.incarnation = 20; /* us before we restarted */
	hear_node(b, &self);
	assert_int_equal(own_incarnation(b), 21);
	assert_int_equal(gossip_stats(b->g)->refutes, 4);
	assert_int_equal(gossip_stats(b->g)->health, 4);
	assert_string_equal(b->events, "");
	hear_accusation(b, WIRE_SUSPECT, "us", UINT32_MAX, "c"); /* numbers do not wrap */
	assert_int_equal(own_incarnation(b), 22);
}

static void the_dead_are_forgotten(void **state)
{
	struct bench *b = *state;

	hear_alive(b, "b", 2, 1);
	hear_accusation(b, WIRE_DEAD, "b", 1, "c");
	wait_ms(b, 29000);
	assert_non_null(gossip_member_find(b->g, "b"));
	wait_ms(b, 4000);
	assert_null(gossip_member_find(b->g, "b"));
}

/* It may have started again, and refutes then; nobody else is there to be told. */
static void who_left_is_told_so(void **state)
{
	struct bench *b = *state;

	hear_alive(b, "b", 2, 1);
	forget(b);
	hear_accusation(b, WIRE_DEAD, "b", 1, "b");
	wait_ms(b, 400);
	assert_int_equal(state_of(b, "b"), GOSSIP_LEFT);
	assert_non_null(find_sent(b, WIRE_DEAD));
}

static void new_metadata_is_told(void **state)
{
	struct bench *b = *state;
	struct wire_node node;
	uint8_t long_meta[GOSSIP_META_MAX + 1] = { 0 };

	hear_alive(b, "b", 2, 1);
	wait_ms(b, 2000);
	forget(b);
	assert_int_equal(gossip_set_meta(b->g, "new", 3, b->now), 0);
	wait_ms(b, 300);
	const struct sent *s = find_sent(b, WIRE_ALIVE);
	assert_non_null(s);
	struct rd r = rd_from(s->bytes + 1, s->len - 1);
	assert_true(wire_alive_decode(&r, &node));
	assert_int_equal(node.incarnation, 2);
	assert_true(msgpack_raw_is(node.meta, "new"));
	assert_int_equal(gossip_set_meta(b->g, long_meta, sizeof(long_meta), b->now), -1);
}

static void leaving(void **state)
{
	struct bench *b = *state;

	hear_alive(b, "b", 2, 1);
	hear_alive(b, "c", 3, 1);
	forget(b);
	gossip_leave(b->g, b->now);
	drain(b);
	assert_string_equal(b->events, "");
	wait_ms(b, 900);
	assert_string_equal(b->events, "left");
	const struct sent *s = find_sent(b, WIRE_DEAD);
	assert_non_null(s);
	struct wire_accusation a;
	struct rd r = rd_from(s->bytes + 1, s->len - 1);
	assert_true(wire_accusation_decode(&r, &a));
	assert_string_equal(a.node, "us");
	assert_string_equal(a.from, "us");
	/* No word brings us back. */
	hear_accusation(b, WIRE_DEAD, "us", 5, "c");
	hear_alive(b, "us", 1, 9);
	assert_int_equal(state_of(b, "us"), GOSSIP_LEFT);
	assert_int_equal(gossip_broadcast(b->g, rd_from("x", 1), b->now), -1);
}

static void leaving_alone_is_over_at_once(void **state)
{
	struct bench *b = *state;

	gossip_leave(b->g, b->now);
	drain(b);
	assert_string_equal(b->events, "left");
}

/* A round that nobody heard puts off nothing. */
static void who_comes_first_is_told_at_once(void **state)
{
	struct bench *b = *state;

	wait_ms(b, 50);
	hear_alive(b, "b", 2, 1);
	wait_ms(b, 0);
	assert_non_null(find_sent(b, WIRE_ALIVE));
}

static void a_later_life_is_greater_than_the_end_of_an_earlier_one(void **state)
{
	struct bench *b = *state;
	struct gossip_conf conf = {
		.name = "us",
		.addr = at(1),
		.port = 7946,
		.timing = gossip_lan,
		.incarnation = 1000,
		.rng = &b->rng,
	};

	gossip_free(b->g);
	b->g = gossip_new(&conf, b->now);
	assert_int_equal(own_incarnation(b), 1001);
	hear_accusation(b, WIRE_DEAD, "us", 1000, "us");
	assert_int_equal(own_incarnation(b), 1001);
	assert_int_equal(gossip_stats(b->g)->refutes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(alive_joins_updates_and_returns),
		BENCH_TEST(dead_from_itself_is_left),
		BENCH_TEST(a_name_has_one_address),
		BENCH_TEST(names_that_a_terminal_would_obey_are_refused),
		BENCH_TEST(accusations_of_strangers_and_of_the_past_are_ignored),
		BENCH_TEST(suspicion_ends_in_death_or_refutation),
		BENCH_TEST(we_refute),
		BENCH_TEST(the_dead_are_forgotten),
		BENCH_TEST(who_left_is_told_so),
		BENCH_TEST(new_metadata_is_told),
		BENCH_TEST(leaving),
		BENCH_TEST(leaving_alone_is_over_at_once),
		BENCH_TEST(who_comes_first_is_told_at_once),
		BENCH_TEST(a_later_life_is_greater_than_the_end_of_an_earlier_one),
	};

	return cmocka_run_group_tests_name("gossip states", tests, NULL, NULL);
}
