/*
 * The listener's core by a made-up clock: whatever is due is taken at once, as its shell does, and
 * what was said is read from the wire.
 */
#include "support.h"

#include <string.h>

#include "l2/mld.h"

enum { MANY = 10000, SAID_MAX = 80000, NOBODY = 0, FROM_LINK_LOCAL = 0x0a };

/** One record that was sent. */
struct said {
	int64_t ms;
	uint32_t group;
	uint8_t how; /* the record's type, or the message's in version 1 */
	uint8_t from;
};

struct bench {
	struct mld *m;
	struct mld_stats stats;
	struct mono now;
	struct said said[SAID_MAX];
	size_t n;
	size_t packets;
	size_t packets_most; /* in ten milliseconds */
	int64_t span;
	size_t span_packets;
};

enum { V1_REPORT = 131, V1_DONE = 132, V2_REPORT = 143 };

static const struct mld_link link_known = {
	.source = { .family = FAMILY_V6, .b = { 0xfe, 0x80, [15] = FROM_LINK_LOCAL } },
	.carrier = true,
	.mtu = 1500,
};

static int64_t ms_of(struct mono t)
{
	return t.ns / 1000000;
}

static void note(struct bench *b, struct rd *r, uint8_t how, uint8_t from)
{
	uint8_t group[16];

	rd_copy(r, group, sizeof(group));
	assert_true(b->n < SAID_MAX);
	b->said[b->n++] =
		(struct said){ ms_of(b->now),
			       ((uint32_t)group[13] << 16) | ((uint32_t)group[14] << 8) | group[15],
			       how, from };
}

static void note_packet(struct bench *b, struct rd r)
{
	uint8_t source[16];

	rd_skip(&r, 14 + 7);
	assert_int_equal(rd_u8(&r), 1); /* hop limit */
	rd_copy(&r, source, sizeof(source));
	rd_skip(&r, 16 + 8);
	uint8_t type = rd_u8(&r);
	rd_skip(&r, 5);
	uint16_t n = rd_u16(&r);
	if (type != V2_REPORT)
		note(b, &r, type, source[15]);
	for (; type == V2_REPORT && n > 0; n--) {
		uint8_t how = rd_u8(&r);
		rd_skip(&r, 3);
		note(b, &r, how, source[15]);
	}
	assert_false(r.bad);
	assert_int_equal(r.left, 0);
}

static void count_packet(struct bench *b)
{
	int64_t span = ms_of(b->now) / 10;

	b->span_packets = span == b->span ? b->span_packets + 1 : 1;
	b->span = span;
	b->packets++;
	b->packets_most = MAX(b->packets_most, b->span_packets);
}

static void drain(struct bench *b)
{
	uint8_t frame[MLD_FRAME_MAX];
	struct wr w = wr_to(frame, sizeof(frame));

	for (; mld_next(b->m, b->now, &w); w = wr_to(frame, sizeof(frame))) {
		assert_false(w.bad);
		count_packet(b);
		note_packet(b, rd_from(w.p, w.len));
	}
}

/** Let time pass. */
static void run(struct bench *b, struct dur d)
{
	struct mono end = mono_add(b->now, d);

	for (;;) {
		drain(b);
		struct mono next = mld_deadline(b->m);
		if (!mono_before(next, end))
			break;
		b->now = mono_before(next, b->now) ? b->now : next;
	}
	b->now = end;
	drain(b);
}

static void forget_said(struct bench *b)
{
	b->n = b->packets = b->packets_most = 0;
}

static int set_up(void **state)
{
	struct bench *b = mem_new(struct bench);

	b->m = mld_new(test_seed(), &b->stats);
	b->now = mono_add((struct mono){ 0 }, DUR_S(4294960)); /* the stamps soon begin again */
	mld_set_link(b->m, &link_known, b->now);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	mld_free(b->m);
	free(b);
	return 0;
}

static void listen_to_many(struct bench *b, size_t n)
{
	static uint32_t groups[MANY];

	for (uint32_t i = 0; i < MANY; i++)
		groups[i] = 3 * i;
	mld_listen(b->m, groups, n, b->now);
}

static void listen_to(struct bench *b, uint32_t group)
{
	mld_listen(b->m, &group, 1, b->now);
}

/** Everything that a listener says at the beginning is over. */
static void settle(struct bench *b)
{
	run(b, DUR_S(30));
	forget_said(b);
}

struct ask {
	bool v1;
	bool one;
	uint32_t group;
	uint16_t delay_ms;
	uint8_t robustness;
};

static enum mld_rx query(struct bench *b, struct ask q)
{
	static const uint8_t head[] = { 0x60, 0,    0,	      0,	   0,	 0,
					0,    1, /* lengths come later */
					0xfe, 0x80, [23] = 1, [24] = 0xff, 0x02, [39] = 1 };
	static const uint8_t options[] = { 58, 0, 5, 2, 0, 0, 1, 0 };
	uint8_t frame[128] = { [12] = 0x86, 0xdd };
	size_t len = q.v1 ? 24 : 28;
	uint8_t *body = frame + 14 + 40 + 8;

	memcpy(frame + 14, head, sizeof(head));
	frame[14 + 5] = (uint8_t)(8 + len);
	memcpy(frame + 54, options, sizeof(options));
	body[0] = 130;
	body[4] = (uint8_t)(q.delay_ms >> 8);
	body[5] = (uint8_t)q.delay_ms;
	if (q.one) {
		const uint8_t group[] = { 0xff,
					  0x02,
					  [11] = 1,
					  0xff,
					  (uint8_t)(q.group >> 16),
					  (uint8_t)(q.group >> 8),
					  (uint8_t)q.group };
		memcpy(body + 8, group, sizeof(group));
	}
	body[24] = q.robustness;
	body[25] = q.v1 ? 0 : 125;
	uint32_t sum = bytes_csum_add((uint32_t)len + 58, frame + 22, 32);
	uint16_t check = bytes_csum_fold(bytes_csum_add(sum, body, len));
	body[2] = (uint8_t)(check >> 8);
	body[3] = (uint8_t)check;
	return mld_input(b->m, rd_from(frame, 62 + len), b->now);
}

/** How often each of the groups was told so. */
static void assert_each_told_between(const struct bench *b, size_t n_groups, uint8_t how,
				     unsigned least, unsigned most)
{
	uint8_t *count = mem_new_n(uint8_t, (size_t)3 * MANY);
	size_t told = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->said[i].how == how)
			count[b->said[i].group]++;
	for (size_t i = 0; i < n_groups; i++)
		told += count[3 * i] >= least && count[3 * i] <= most;
	free(count);
	assert_int_equal(told, n_groups);
}

static void assert_each_told(const struct bench *b, size_t n_groups, uint8_t how, unsigned times)
{
	assert_each_told_between(b, n_groups, how, times, times);
}

/* Changes */

static void a_change_is_told_at_once_and_again(void **state)
{
	struct bench *b = *state;
	int64_t start = ms_of(b->now);

	listen_to(b, 7);
	run(b, DUR_MS(0));
	assert_int_equal(b->n, 1);
	run(b, DUR_S(600));
	assert_int_equal(b->n, 2);
	assert_int_equal(b->said[1].how, MLD_TO_EXCLUDE);
	assert_int_equal(b->said[1].group, 7);
	assert_int_equal(b->said[1].from, FROM_LINK_LOCAL);
	assert_in_range(b->said[1].ms, start + 1, start + 1001);
	forget_said(b);
	mld_listen(b->m, NULL, 0, b->now);
	assert_false(mld_is_idle(b->m));
	run(b, DUR_S(600));
	assert_int_equal(b->n, 2);
	assert_int_equal(b->said[0].how, MLD_TO_INCLUDE);
	assert_int_equal(b->said[1].how, MLD_TO_INCLUDE);
	assert_true(mld_is_idle(b->m));
	assert_true(mono_is_never(mld_deadline(b->m)));
}

static void the_querier_says_how_often(void **state)
{
	struct bench *b = *state;

	assert_int_equal(query(b, (struct ask){ .delay_ms = 100, .robustness = 5 }),
			 MLD_RX_NOTHING);
	listen_to(b, 7);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 5);
	query(b, (struct ask){ .delay_ms = 100 });
	settle(b);
	listen_to(b, 8);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 2 * 2); /* one joined, one left */
}

static void what_was_never_told_is_not_taken_back(void **state)
{
	struct bench *b = *state;

	listen_to(b, 7);
	mld_listen(b->m, NULL, 0, b->now);
	assert_true(mld_is_idle(b->m));
	run(b, DUR_S(60));
	assert_int_equal(b->n, 0);
}

static void who_comes_back_is_told_anew(void **state)
{
	struct bench *b = *state;

	listen_to(b, 7);
	settle(b);
	mld_listen(b->m, NULL, 0, b->now);
	run(b, DUR_MS(0));
	listen_to(b, 7);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 3);
	assert_int_equal(b->said[0].how, MLD_TO_INCLUDE);
	assert_int_equal(b->said[1].how, MLD_TO_EXCLUDE);
	assert_int_equal(b->said[2].how, MLD_TO_EXCLUDE);
	assert_int_equal(mld_groups(b->m), 1);
}

static void many_are_packed_and_paced(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, MANY);
	run(b, DUR_MS(200));
	assert_each_told_between(b, MANY, MLD_TO_EXCLUDE, 1, 2);
	run(b, DUR_S(3));
	assert_int_equal(b->n, 2 * MANY);
	assert_each_told(b, MANY, MLD_TO_EXCLUDE, 2);
	assert_in_range(b->packets, 2 * 139, 3 * 139);
	assert_in_range(b->packets_most, 1, 2 * MLD_PACE_PACKETS);
	assert_int_equal(b->stats.records, 2 * MANY);
	forget_said(b);
	listen_to_many(b, MANY / 2);
	run(b, DUR_S(3));
	assert_int_equal(b->n, MANY);
	assert_int_equal(mld_groups(b->m), MANY / 2);
}

static void another_address_to_speak_from(void **state)
{
	struct bench *b = *state;
	struct mld_link without = { .mtu = 1500 };

	mld_set_link(b->m, &without, b->now);
	listen_to_many(b, 100);
	run(b, DUR_S(10));
	assert_int_equal(b->said[0].from, NOBODY);
	forget_said(b);
	mld_set_link(b->m, &without, b->now);
	run(b, DUR_S(10));
	assert_int_equal(b->n, 0);
	mld_set_link(b->m, &link_known, b->now);
	run(b, DUR_S(10));
	assert_each_told(b, 100, MLD_TO_EXCLUDE, 2);
	assert_int_equal(b->said[0].from, FROM_LINK_LOCAL);
}

static void a_carrier_that_comes_back(void **state)
{
	struct bench *b = *state;
	struct mld_link dark = link_known;

	dark.carrier = false;
	listen_to_many(b, 100);
	settle(b);
	mld_set_link(b->m, &dark, b->now);
	run(b, DUR_S(10));
	assert_int_equal(b->n, 0);
	mld_set_link(b->m, &link_known, b->now);
	run(b, DUR_S(10));
	assert_each_told(b, 100, MLD_TO_EXCLUDE, 2);
}

static void what_the_kernel_takes_is_not_mentioned(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, 3);
	settle(b);
	mld_forget(b->m, 3);
	mld_forget(b->m, 4);
	listen_to_many(b, 1);
	mld_forget(b->m, 6); /* which is about to be left */
	run(b, DUR_S(60));
	assert_int_equal(b->n, 0);
	assert_int_equal(mld_groups(b->m), 1);
}

static void the_end_is_told_once(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, 300);
	settle(b);
	mld_end(b->m, b->now);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 300);
	assert_each_told(b, 300, MLD_TO_INCLUDE, 1);
	assert_true(mld_is_idle(b->m));
}

/* Queries */

static void all_are_told_within_the_time(void **state)
{
	struct bench *b = *state;
	int64_t start;

	listen_to_many(b, MANY);
	settle(b);
	start = ms_of(b->now);
	assert_int_equal(query(b, (struct ask){ .delay_ms = 10000 }), MLD_RX_OK);
	drain(b);
	assert_int_equal(b->n, 0); /* §6.3: never at once */
	run(b, DUR_S(60));
	assert_each_told(b, MANY, MLD_IS_EXCLUDE, 1);
	assert_int_equal(b->packets, 139);
	assert_in_range(b->said[0].ms, start, start + 73);
	assert_in_range(b->said[b->n - 1].ms, start + 9800, start + 10000);
	assert_true(b->packets_most <= 2);
}

static void a_second_question_meets_the_first_answer(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, MANY);
	settle(b);
	query(b, (struct ask){ .delay_ms = 10000 });
	run(b, DUR_S(5));
	size_t half = b->n;
	query(b, (struct ask){ .delay_ms = 10000 });
	run(b, DUR_S(11));
	assert_in_range(b->n - half, MANY, MANY + 72);
	forget_said(b);
	query(b, (struct ask){ .delay_ms = 32000 }); /* and the slowest does not hold up others */
	query(b, (struct ask){ .delay_ms = 2000 });
	run(b, DUR_S(2));
	assert_each_told(b, MANY, MLD_IS_EXCLUDE, 1);
}

static void a_flood_of_questions(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, MANY);
	settle(b);
	for (unsigned ms = 0; ms < 5000; ms++) {
		for (unsigned k = 0; k < 10; k++)
			query(b, (struct ask){ .delay_ms = 1 });
		run(b, DUR_MS(1));
	}
	assert_in_range(b->packets, 4 * 139, 5 * 139 + 5); /* all of them once a second */
	run(b, DUR_S(5));
	forget_said(b);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 0);
}

static void one_is_told_when_asked_for(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, 100);
	settle(b);
	assert_int_equal(query(b, (struct ask){ .one = true, .group = 30, .delay_ms = 1000 }),
			 MLD_RX_OK);
	assert_int_equal(query(b, (struct ask){ .one = true, .group = 31, .delay_ms = 1000 }),
			 MLD_RX_NOT_OURS);
	query(b, (struct ask){ .one = true, .group = 30, .delay_ms = 1000 });
	drain(b);
	assert_int_equal(b->n, 0);
	run(b, DUR_S(1));
	assert_int_equal(b->n, 1);
	assert_int_equal(b->said[0].group, 30);
	assert_int_equal(b->said[0].how, MLD_IS_EXCLUDE);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 1);
	assert_int_equal(b->stats.rx[MLD_RX_OK], 2);
	assert_int_equal(b->stats.rx[MLD_RX_NOT_OURS], 1);
}

static void what_is_being_left_is_not_told(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, 2);
	settle(b);
	listen_to_many(b, 1);
	drain(b);
	assert_int_equal(query(b, (struct ask){ .one = true, .group = 3, .delay_ms = 10 }),
			 MLD_RX_NOT_OURS);
	query(b, (struct ask){ .delay_ms = 10 });
	run(b, DUR_S(60));
	assert_int_equal(b->n, 3);
	assert_each_told(b, 1, MLD_IS_EXCLUDE, 1);
}

/* Version 1 */

static void version_1_for_a_while(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, 300);
	settle(b);
	query(b, (struct ask){ .v1 = true, .delay_ms = 3000 });
	run(b, DUR_S(3));
	assert_int_equal(b->packets, 300);
	assert_each_told(b, 300, V1_REPORT, 1);
	forget_said(b);
	listen_to_many(b, 299);
	run(b, DUR_S(60));
	assert_int_equal(b->n, 1);
	assert_int_equal(b->said[0].how, V1_DONE);
	query(b, (struct ask){ .delay_ms = 1000 }); /* who speaks version 2 does not end it */
	run(b, DUR_S(60));
	assert_each_told(b, 299, V1_REPORT, 1);
	forget_said(b);
	run(b, DUR_S(2 * 125 + 3 - 120 - 3));
	query(b, (struct ask){ .delay_ms = 1000 });
	run(b, DUR_S(60));
	assert_each_told(b, 299, MLD_IS_EXCLUDE, 1);
}

static void the_change_of_language_forgets(void **state)
{
	struct bench *b = *state;

	listen_to_many(b, 300);
	query(b, (struct ask){ .delay_ms = 1000 });
	drain(b);
	forget_said(b);
	query(b, (struct ask){ .v1 = true, .one = true, .group = 3, .delay_ms = 100 });
	run(b, DUR_S(60));
	assert_int_equal(b->n, 1); /* neither second copies nor the first answer */
	assert_int_equal(b->said[0].how, V1_REPORT);
	assert_int_equal(b->said[0].group, 3);
}

static void ten_thousand_of_version_1(void **state)
{
	struct bench *b = *state;

	query(b, (struct ask){ .v1 = true, .delay_ms = 10000 });
	listen_to_many(b, MANY);
	run(b, DUR_S(25));
	assert_each_told(b, MANY, V1_REPORT, 2);
	assert_in_range(b->packets_most, 1, 2 * MLD_PACE_PACKETS);
	forget_said(b);
	query(b, (struct ask){ .v1 = true, .delay_ms = 10000 });
	run(b, DUR_S(11));
	assert_each_told(b, MANY, V1_REPORT, 1);
}

/* Against a naive twin: after any changes and a rest, routers believe what is true. */
static void any_changes_end_right(void **state)
{
	struct bench *b = *state;
	static bool believed[64];
	uint64_t x = test_seed() | 1;
	uint64_t wanted = 0;

	for (unsigned step = 0; step < 3000; step++) {
		uint32_t groups[64];
		size_t n = 0;
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		if (step % 3 == 0) {
			wanted = x & (x >> 20);
			for (uint32_t i = 0; i < 64; i++)
				if (wanted >> i & 1)
					groups[n++] = i;
			mld_listen(b->m, groups, n, b->now);
		}
		if (step % 50 == 7)
			query(b, (struct ask){ .delay_ms = (uint16_t)(x % 3000) });
		run(b, step % 100 == 99 ? DUR_S(20) : DUR_MS(x % 700));
		for (size_t i = 0; i < b->n; i++)
			believed[b->said[i].group] = b->said[i].how != MLD_TO_INCLUDE;
		forget_said(b);
		for (unsigned i = 0; i < 64 && step % 100 == 99; i++)
			assert_int_equal(believed[i], wanted >> i & 1);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_told_at_once_and_again),
		TEST(the_querier_says_how_often),
		TEST(what_was_never_told_is_not_taken_back),
		TEST(who_comes_back_is_told_anew),
		TEST(many_are_packed_and_paced),
		TEST(another_address_to_speak_from),
		TEST(a_carrier_that_comes_back),
		TEST(what_the_kernel_takes_is_not_mentioned),
		TEST(the_end_is_told_once),
		TEST(all_are_told_within_the_time),
		TEST(a_second_question_meets_the_first_answer),
		TEST(a_flood_of_questions),
		TEST(one_is_told_when_asked_for),
		TEST(what_is_being_left_is_not_told),
		TEST(version_1_for_a_while),
		TEST(the_change_of_language_forgets),
		TEST(ten_thousand_of_version_1),
		TEST(any_changes_end_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
