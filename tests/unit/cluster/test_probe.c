#include "bench.h"

/* Probing others, and being asked to. */

static void a_silent_member_is_probed_every_way(void **state)
{
	struct bench *b = *state;
	struct addr two = at(2);

	hear_alive(b, "b", 2, 1);
	while (!find_sent(b, WIRE_PING))
		wait_ms(b, 1);
	assert_true(addr_eq(&find_sent(b, WIRE_PING)->to, &two));
	hear_alive(b, "c", 3, 1);
	hear_alive(b, "d", 4, 1);
	while (!b->stream.len || b->stream.p[0] != WIRE_PING) /* TCP is tried */
		wait_ms(b, 1);
	assert_int_equal(count_sent(b, WIRE_INDIRECT_PING), 2);
	wait_ms(b, 600);
	assert_int_equal(state_of(b, "b"), GOSSIP_SUSPECT);
	/* Two helpers, not even a nack: we doubt ourselves. */
	assert_int_equal(gossip_stats(b->g)->health, 2);
}

static void answer_ping(struct bench *b, enum wire_type type)
{
	const struct sent *ping = find_sent(b, WIRE_PING);
	uint8_t room[64];
	struct wr w = wr_to(room, sizeof(room));
	struct wire_ping p;

	assert_non_null(ping);
	struct rd r = rd_from(ping->bytes + 1, ping->len - 1);
	assert_true(wire_ping_decode(&r, &p));
	wr_u8(&w, (uint8_t)type);
	wire_nack_encode(&w, &(struct wire_nack){ .seq = p.seq }); /* acks have a payload besides */
	hear(b, 2, &w);
}

static void an_answer_ends_the_probe(void **state)
{
	struct bench *b = *state;

	hear_alive(b, "b", 2, 1);
	for (int i = 0; i < 20; i++) {
		forget(b);
		for (int ms = 0; ms < 1100 && !find_sent(b, WIRE_PING); ms++)
			wait_ms(b, 1);
		answer_ping(b, WIRE_ACK);
		assert_null(find_sent(b, WIRE_INDIRECT_PING));
	}
	assert_int_equal(state_of(b, "b"), GOSSIP_ALIVE);
	assert_int_equal(gossip_stats(b->g)->probes_failed, 0);
}

static void tcp_alone_keeps_it_alive(void **state)
{
	struct bench *b = *state;
	struct wire_ping p;
	uint8_t room[64];
	struct wr w = wr_to(room, sizeof(room));

	hear_alive(b, "b", 2, 1);
	while (!b->stream.len || b->stream.p[0] != WIRE_PING)
		wait_ms(b, 1);
	struct rd r = rd_from(b->stream.p + 1, b->stream.len - 1);
	assert_true(wire_ping_decode(&r, &p));
	wr_u8(&w, WIRE_ACK);
	wire_ack_encode(&w, &(struct wire_ack){ .seq = p.seq });
	gossip_stream_answer(b->g, b->dialled, rd_from(w.p, w.len), b->now);
	wait_ms(b, 600);
	assert_int_equal(gossip_stats(b->g)->probes_tcp_only, 1);
	assert_int_equal(state_of(b, "b"), GOSSIP_ALIVE);
}

static void an_unsendable_probe_does_not_wait(void **state)
{
	struct bench *b = *state;
	struct addr two = at(2);

	hear_alive(b, "b", 2, 1);
	hear_alive(b, "c", 3, 1);
	while (!find_sent(b, WIRE_PING))
		wait_ms(b, 1);
	struct addr to = find_sent(b, WIRE_PING)->to;
	gossip_unsent(b->g, &to, 7946, b->now);
	drain(b);
	const struct sent *ask = find_sent(b, WIRE_INDIRECT_PING);
	assert_non_null(ask);
	assert_int_not_equal(addr_eq(&ask->to, &two), addr_eq(&to, &two));
}

static void a_suspect_is_told_so_by_its_probe(void **state)
{
	struct bench *b = *state;
	struct wire_accusation a;

	hear_alive(b, "b", 2, 1);
	hear_accusation(b, WIRE_SUSPECT, "b", 1, "c");
	wait_ms(b, 2500);
	forget(b);
	while (!find_sent(b, WIRE_PING))
		wait_ms(b, 1);
	assert_int_equal(b->sent[0].type, WIRE_PING);
	assert_int_equal(b->sent[1].type, WIRE_SUSPECT);
	struct rd r = rd_from(b->sent[1].bytes + 1, b->sent[1].len - 1);
	assert_true(wire_accusation_decode(&r, &a));
	assert_string_equal(a.from, "us");
}

static void pings_are_answered(void **state)
{
	struct bench *b = *state;
	struct addr nine = at(9);

	hear_hex(b, 9, "00 82 a4 4e6f6465 a2 7573 a5 5365714e6f 07"); /* us */
	const struct sent *ack = find_sent(b, WIRE_ACK);
	assert_non_null(ack);
	assert_true(addr_eq(&ack->to, &nine));
	forget(b);
	hear_hex(b, 9, "00 81 a5 5365714e6f 07"); /* whoever gets it */
	assert_non_null(find_sent(b, WIRE_ACK));
	forget(b);
	hear_hex(b, 9, "00 82 a4 4e6f6465 a2 7574 a5 5365714e6f 07"); /* somebody else */
	assert_int_equal(b->n_sent, 0);
	assert_int_equal(gossip_stats(b->g)->dropped_name, 1);
}

static void answers_to_elsewhere_are_rationed(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 100; i++) /* the source that they name is 192.0.2.1:9 */
		hear_hex(b, 9,
			 "00 83 a5 5365714e6f 07 aa 536f7572636541646472 a4 c0000201"
			 "aa 536f75726365506f7274 09");
	assert_int_equal(count_sent(b, WIRE_ACK), 20);
	assert_int_equal(gossip_stats(b->g)->dropped_unknown, 80);
}

/* Ask us to ping 10.0.0.3 for 10.0.0.2. */
static const char indirect_hex[] = "01 86 a4 4e61636b c3 a4 4e6f6465 a1 63 a4 506f7274 cd1f0a"
				   "a5 5365714e6f 2a a6 546172676574 a4 0a000003"
				   "aa 536f7572636541646472 a4 0a000002";

static void we_help_to_probe(void **state)
{
	struct bench *b = *state;
	struct addr three = at(3);
	struct wire_ack ack;

	hear_hex(b, 2, indirect_hex);
	const struct sent *ping = find_sent(b, WIRE_PING);
	assert_non_null(ping);
	assert_true(addr_eq(&ping->to, &three));
	answer_ping(b, WIRE_ACK);
	const struct sent *s = find_sent(b, WIRE_ACK);
	assert_non_null(s);
	struct rd r = rd_from(s->bytes + 1, s->len - 1);
	assert_true(wire_ack_decode(&r, &ack));
	assert_int_equal(ack.seq, 42);
	wait_ms(b, 600);
	assert_null(find_sent(b, WIRE_NACK));
}

static void we_say_when_the_target_is_silent(void **state)
{
	struct bench *b = *state;
	struct wire_nack nack;

	hear_hex(b, 2, indirect_hex);
	wait_ms(b, 510);
	const struct sent *s = find_sent(b, WIRE_NACK);
	assert_non_null(s);
	struct rd r = rd_from(s->bytes + 1, s->len - 1);
	assert_true(wire_nack_decode(&r, &nack));
	assert_int_equal(nack.seq, 42);
	answer_ping(b, WIRE_ACK); /* too late to be passed on */
	assert_null(find_sent(b, WIRE_ACK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_silent_member_is_probed_every_way),
		BENCH_TEST(an_answer_ends_the_probe),
		BENCH_TEST(tcp_alone_keeps_it_alive),
		BENCH_TEST(an_unsendable_probe_does_not_wait),
		BENCH_TEST(a_suspect_is_told_so_by_its_probe),
		BENCH_TEST(pings_are_answered),
		BENCH_TEST(answers_to_elsewhere_are_rationed),
		BENCH_TEST(we_help_to_probe),
		BENCH_TEST(we_say_when_the_target_is_silent),
	};

	return cmocka_run_group_tests_name("gossip probes", tests, NULL, NULL);
}
