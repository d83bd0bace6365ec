#include "bench.h"

struct packet_case {
	const char *name;
	const char *hex;
	size_t answers; /* pings in it that were answered */
};

static const struct packet_case packet_cases[] = {
	{ "ping", "00 80", 1 },
	{ "compound", "07 02 0002 0002 0080 0080", 2 },
	{ "compound cut", "07 03 0002 0002 0009 0080 0080 00", 2 },
	{ "compound in compound", "07 01 0006 07 01 0002 0080", 1 },
	{ "compound without messages", "07 00", 0 },
	{ "table of lengths cut", "07 05 0002", 0 },
	{ "as deep as allowed", "07 01 000a 07 01 0006 07 01 0002 0080", 1 },
	{ "too deep", "07 01 000e 07 01 000a 07 01 0006 07 01 0002 0080", 0 },
	{ "checksum", "0c ac6191df 0080", 1 },
	{ "wrong checksum", "0c ac6191de 0080", 0 },
	{ "checksum inside of a compound", "07 01 0007 0c 00000000 0080", 0 },
	{ "only a checksum's type", "0c", 0 },
	{ "message of nothing in a compound", "07 02 0000 0002 0080", 1 },
	{ "unknown type", "63 80", 0 },
	{ "nothing", "", 0 },
};

static void unpacks(void **state)
{
	const struct packet_case *c = *state;
	void *made;

	setup(&made);
	struct bench *b = made;
	hear_hex(b, 2, c->hex);
	assert_int_equal(count_sent(b, WIRE_ACK), c->answers);
	teardown(&made);
}

static void compressed_is_understood(void **state)
{
	struct bench *b = *state;
	uint8_t room[256];
	struct wr w = wr_to(room, sizeof(room));
	static const uint8_t pings[] = { 7, 2, 0, 2, 0, 2, 0, 0x80, 0, 0x80 };

	pack_compress(&w, rd_from(pings, sizeof(pings)));
	hear(b, 2, &w);
	assert_int_equal(count_sent(b, WIRE_ACK), 2);
}

/* Much in little: nothing of it is worth the time. */
static void a_bomb_is_defused(void **state)
{
	struct bench *b = *state;
	uint8_t *zeros = mem_new_n(uint8_t, 70000);
	uint8_t room[2048];
	struct wr w = wr_to(room, sizeof(room));

	pack_compress(&w, rd_from(zeros, 70000));
	hear(b, 2, &w);
	assert_int_equal(gossip_stats(b->g)->dropped_malformed, 1);
	free(zeros);
}

static void captured_packets_are_understood(void **state)
{
	struct bench *b = *state;
	struct addr alpha = addr_v4(10, 99, 0, 1);
	struct vector v;

	gossip_packet(b->g, &alpha, 7946, vector_load("gossip_crc", &v), b->now);
	drain(b);
	assert_string_equal(b->events, "+alpha +beta");
	gossip_packet(b->g, &alpha, 7946, vector_load("leave", &v), b->now);
	gossip_packet(b->g, &alpha, 7946, vector_load("user", &v), b->now);
	drain(b);
	assert_string_equal(b->events, "+alpha +beta -beta message");
	assert_string_equal(buf_text(&b->stream), "hello-gossip");
	v.bytes[v.len - 1] ^= 1;
	gossip_packet(b->g, &alpha, 7946, rd_from(v.bytes, v.len), b->now);
	assert_int_equal(gossip_stats(b->g)->dropped_crc, 1);
}

/* ---- streams ---- */

static void request(struct bench *b, const char *vector)
{
	struct vector v;

	gossip_stream_request(b->g, 5, vector_load(vector, &v), b->now);
	drain(b);
}

static void a_joiner_gets_our_state(void **state)
{
	struct bench *b = *state;
	struct wire_sync head;
	struct wire_node node;

	request(b, "sync_join");
	assert_string_equal(b->events, "reply +beta");
	forget(b);
	request(b, "sync_reply");
	assert_string_equal(b->events, "reply +alpha state");
	assert_string_equal(buf_text(&b->stream), "state-of-a");

	forget(b);
	struct addr two = at(2);
	gossip_join(b->g, &(struct gossip_endpoint){ two, 7946 }, 1, b->now);
	gossip_tick(b->g, b->now);
	drain(b);
	struct rd r = rd_from(b->stream.p, b->stream.len);
	assert_int_equal(rd_u8(&r), WIRE_SYNC);
	assert_true(wire_sync_decode(&r, &head));
	assert_true(head.join);
	assert_int_equal(head.nodes, 3);
	for (int i = 0; i < 3; i++)
		assert_true(wire_sync_node_decode(&r, &node));
	assert_int_equal(r.left, 0);
}

static void hear_state(struct bench *b, const struct wire_node *nodes, int32_t n)
{
	uint8_t room[VECTOR_MAX];
	struct wr w = wr_to(room, sizeof(room));

	wr_u8(&w, WIRE_SYNC);
	wire_sync_encode(&w, &(struct wire_sync){ .nodes = n });
	for (int32_t i = 0; i < n; i++)
		wire_sync_node_encode(&w, &nodes[i]);
	gossip_stream_request(b->g, 5, rd_from(w.p, w.len), b->now);
	drain(b);
}

static void a_remote_death_is_a_suspicion(void **state)
{
	struct bench *b = *state;
	struct wire_node node = node_of("b", 2, 1);

	hear_alive(b, "b", 2, 1);
	node.state = WIRE_STATE_DEAD;
	hear_state(b, &node, 1);
	assert_int_equal(state_of(b, "b"), GOSSIP_SUSPECT);
	node.state = WIRE_STATE_LEFT;
	hear_state(b, &node, 1);
	assert_int_equal(state_of(b, "b"), GOSSIP_LEFT);
	node = node_of("us", 1, 4); /* what others remember of us from before a crash */
	node.state = WIRE_STATE_DEAD;
	hear_state(b, &node, 1);
	assert_int_equal(own_incarnation(b), 5);
}

/* A greater incarnation in the answer: who believed us dead need not wait for a round of gossip. */
static void who_believes_us_dead_learns_better_at_once(void **state)
{
	struct bench *b = *state;
	struct wire_node node = node_of("us", 1, 4);
	struct wire_sync head;

	node.state = WIRE_STATE_DEAD;
	hear_state(b, &node, 1);
	struct rd r = rd_from(b->stream.p, b->stream.len);
	assert_int_equal(rd_u8(&r), WIRE_SYNC);
	assert_true(wire_sync_decode(&r, &head));
	assert_true(wire_sync_node_decode(&r, &node));
	assert_string_equal(node.name, "us");
	assert_int_equal(node.incarnation, 5);
	assert_int_equal(node.state, WIRE_STATE_ALIVE);
	assert_int_equal(gossip_stats(b->g)->refutes, 1);
}

/* What began while the path was broken hangs until its time is out. */
static void an_exchange_need_not_wait_for_one_that_hangs(void **state)
{
	struct bench *b = *state;
	struct addr two = at(2);

	gossip_join(b->g, &(struct gossip_endpoint){ two, 7946 }, 1, b->now);
	gossip_tick(b->g, b->now);
	drain(b);
	size_t hanging = b->n_pending;
	assert_int_equal(hanging, 1);
	gossip_sync(b->g, "b", NULL); /* unknown, or forgotten */
	drain(b);
	assert_int_equal(b->n_pending, hanging);
	gossip_sync(b->g, "b", &two);
	drain(b);
	assert_int_equal(b->n_pending, hanging + 1);
	for (int i = 0; i < 10; i++)
		gossip_sync(b->g, "b", &two);
	drain(b);
	assert_int_equal(b->n_pending, 3);
}

static void one_bad_version_spoils_all_but_the_answer(void **state)
{
	struct bench *b = *state;
	struct wire_node nodes[] = { node_of("b", 2, 1), node_of("c", 3, 1) };

	nodes[1].vsn[VSN_CUR] = 6;
	hear_state(b, nodes, 2);
	assert_string_equal(b->events, "reply incompatible");
	nodes[1] = node_of("c", 3, 1);
	nodes[1].has_vsn = false;
	hear_state(b, nodes, 2);
	assert_string_equal(b->events, "reply incompatible reply"); /* the same one: told once */
	assert_null(gossip_member_find(b->g, "b"));
	nodes[1].has_vsn = true;
	hear_state(b, nodes, 2);
	assert_string_equal(b->events, "reply incompatible reply reply +b +c");
}

static void other_requests(void **state)
{
	struct bench *b = *state;

	request(b, "user_stream");
	assert_string_equal(b->events, "message close");
	forget(b);
	request(b, "ping_stream"); /* for another name */
	assert_string_equal(b->events, "close");
	forget(b);
	gossip_stream_request(b->g, 6, rd_from("\x00\x80", 2), b->now);
	gossip_stream_request(b->g, 7, rd_from("\x0b\x80", 2), b->now);
	gossip_stream_request(b->g, 8, rd_from("\x06\x81", 2), b->now);
	gossip_stream_request(b->g, 9, rd_from("", 0), b->now);
	drain(b);
	assert_string_equal(b->events, "reply close close close");
}

static void the_absent_are_dialled_again(void **state)
{
	struct bench *b = *state;
	struct gossip_endpoint to = { at(2), 7946 };
	unsigned dials = 0;
	uint32_t last = 0;

	gossip_join(b->g, &to, 1, b->now);
	for (int s = 0; s < 300; s++) {
		wait_ms(b, 1000);
		if (b->dialled == last)
			continue;
		last = b->dialled;
		fail_dials(b);
		dials += s >= 180; /* a minute at most by then, and half of one at least */
	}
	assert_in_range(dials, 2, 4);
	hear_alive(b, "b", 2, 1);
	wait_ms(b, 1500);
	forget(b);
	fail_dials(b);
	last = b->dialled;
	hear_accusation(b, WIRE_DEAD, "b", 1, "c");
	wait_ms(b, 3000);
	assert_int_not_equal(b->dialled, last);
}

static void remote_errors_are_passed_on(void **state)
{
	struct bench *b = *state;
	uint8_t answer[64];
	struct gossip_endpoint to = { at(2), 7946 };

	gossip_join(b->g, &to, 1, b->now);
	gossip_tick(b->g, b->now);
	drain(b);
	size_t n = unhex("0d 81 a5 4572726f72 a2 6e6f", answer, sizeof(answer));
	gossip_stream_answer(b->g, b->dialled, rd_from(answer, n), b->now);
	drain(b);
	assert_string_equal(b->events, "error");
	assert_string_equal(buf_text(&b->stream), "no");
	gossip_stream_answer(b->g, b->dialled, rd_from(answer, n), b->now); /* long over */
	drain(b);
	assert_string_equal(b->events, "error");
}

static void user_messages_are_limited(void **state)
{
	struct bench *b = *state;
	uint8_t bytes[GOSSIP_USER_MAX + 1] = { 0 };

	assert_int_equal(gossip_broadcast(b->g, rd_from(bytes, sizeof(bytes)), b->now), -1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(gossip_broadcast(b->g, rd_from(bytes, GOSSIP_USER_MAX), b->now),
				 0);
	assert_true(gossip_stats(b->g)->queued < 300);
}

static void members_are_limited(void **state)
{
	struct bench *b = *state;
	struct wire_node node = node_of("", 2, 1);

	for (unsigned i = 0; i < GOSSIP_MEMBERS_MAX + 100; i++) {
		snprintf(node.name, sizeof(node.name), "n%u", i);
		hear_node(b, &node);
		forget(b);
	}
	assert_int_equal(gossip_stats(b->g)->members_known, GOSSIP_MEMBERS_MAX);
	assert_int_equal(gossip_stats(b->g)->dropped_limit, 101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(compressed_is_understood),
		BENCH_TEST(a_bomb_is_defused),
		BENCH_TEST(captured_packets_are_understood),
		BENCH_TEST(a_joiner_gets_our_state),
		BENCH_TEST(a_remote_death_is_a_suspicion),
		BENCH_TEST(who_believes_us_dead_learns_better_at_once),
		BENCH_TEST(an_exchange_need_not_wait_for_one_that_hangs),
		BENCH_TEST(one_bad_version_spoils_all_but_the_answer),
		BENCH_TEST(other_requests),
		BENCH_TEST(the_absent_are_dialled_again),
		BENCH_TEST(remote_errors_are_passed_on),
		BENCH_TEST(user_messages_are_limited),
		BENCH_TEST(members_are_limited),
	};

	return RUN_TABLE("gossip packets", packet_cases, unpacks) +
	       cmocka_run_group_tests_name("gossip packets and streams", tests, NULL, NULL);
}
