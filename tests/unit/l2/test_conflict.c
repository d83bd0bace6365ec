/* Two machines, one address: what the announcer does about claims of others. */
#include "bench.h"

static const struct mac mac_member = { { 2, 0, 0, 0, 0, 0x33 } };
static const struct mac mac_stranger = { { 2, 0, 0, 0, 0, 0x66 } };

/** Another machine announces @text on eth0. */
static enum l2_rx claimed(struct bench *b, const char *text, const struct mac *mac)
{
	struct addr addr = addr_of(text);
	struct l2_frame reply;
	uint8_t bytes[NDP_ADVERT_LEN];
	struct wr w = wr_to(bytes, sizeof(bytes));

	if (addr.family == FAMILY_V4)
		arp_gratuitous_build(&w, ARP_REPLY, mac, &addr);
	else
		ndp_unsolicited_build(&w, mac, &addr, &addr);
	return l2_announcer_rx(b->a, ETH0, rd_from(bytes, w.len), &reply, b->now);
}

/** Owns 192.0.2.1 and 2001:db8::1 as first in rank, or in place of a dead better node. */
static struct bench *conflict_bench(const uint16_t nodes[2], enum l2_on_conflict on_conflict)
{
	struct bench *b = bench_new(0, DUR_S(0));

	b->policy.detect = true;
	b->policy.on_conflict = on_conflict;
	b->members[b->n_members++] = (struct l2_member){ mac_member, OTHER };
	l2_nodes_set(&b->alive, OTHER, false);
	add(b, "192.0.2.1", nodes);
	add(b, "2001:db8::1", nodes);
	assert_string_equal(apply(b), "+192.0.2.1 +2001:db8::1 ");
	advance(b, DUR_S(10));
	while (sent_count(b))
		advance(b, DUR_S(10));
	return b;
}

static void stranger_is_told_off_once_in_ten_seconds(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:kept ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	assert_int_equal(claimed(b, "2001:db8::1", &mac_stranger), L2_RX_CLAIM);
	assert_string_equal(events(b), "!2001:db8::1:kept ");
	assert_string_equal(sent(b), "5:na:2001:db8::1 ");
	advance(b, DUR_MS(9999));
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	assert_string_equal(events(b), "");
	assert_string_equal(sent(b), "");
	advance(b, DUR_MS(1));
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:kept ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	assert_int_equal(b->stats[0].conflicts, 3);
	assert_int_equal(l2_announcer_stats(b->a)->defended, 3);
	bench_free(b);
}

/* A kernel that has the address too looks for its gateway. */
static void question_of_a_thief_is_a_claim(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);
	struct addr addr = addr_of("192.0.2.1");
	struct l2_frame reply;
	uint8_t bytes[ARP_FRAME_LEN];
	struct wr w = wr_to(bytes, sizeof(bytes));

	(void)state;
	arp_gratuitous_build(&w, ARP_REQUEST, &mac_stranger, &addr);
	bytes[41] = 254;
	assert_int_equal(l2_announcer_rx(b->a, ETH0, rd_from(bytes, w.len), &reply, b->now),
			 L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:kept ");
	assert_int_equal(l2_announcer_stats(b->a)->rx[L2_RX_CLAIM], 1);
	bench_free(b);
}

static void own_echo_is_no_claim(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_eth0), L2_RX_ECHO);
	assert_string_equal(events(b), "");
	bench_free(b);
}

static void unwanted_detection_is_off(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	b->policy.detect = false;
	apply(b);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_OPERATION);
	assert_string_equal(events(b), "");
	bench_free(b);
}

/* Yielding lasts while the stranger speaks; then three questions, and the address is ours again. */
static void stranger_gets_it_where_wanted(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_YIELD);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:yielded -192.0.2.1 ");
	assert_int_equal(b->stats[0].hold, L2_HOLD_STRANGER);
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_CANDIDATES);
	advance(b, DUR_S(29));
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	advance(b, DUR_S(29));
	assert_string_equal(sent(b), "");
	advance(b, DUR_S(1));
	assert_string_equal(sent(b), "5:req:192.0.2.1 ");
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	advance(b, DUR_S(30));
	for (unsigned i = 0; i < L2_PROBES; i++) {
		assert_string_equal(sent(b), "5:req:192.0.2.1 ");
		advance(b, DUR_MS(100));
	}
	assert_string_equal(sent(b), "");
	events(b);
	advance(b, DUR_MS(100));
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_OWNED);
	bench_free(b);
}

static void better_member_has_it_at_once(void **state)
{
	struct bench *b = conflict_bench(other_first, L2_CONFLICT_KEEP);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:lost -192.0.2.1 ");
	assert_string_equal(sent(b), "");
	/* Gossip has seen it too; then it dies. */
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "-2001:db8::1 ");
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "+192.0.2.1 +2001:db8::1 ");
	assert_int_equal(l2_announcer_stats(b->a)->owned, 2);
	bench_free(b);
}

/* Nobody waits ten seconds for the silence of one who is known to be out. */
static void what_was_left_to_one_who_is_out_is_taken(void **state)
{
	struct bench *b = conflict_bench(other_first, L2_CONFLICT_KEEP);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:lost -192.0.2.1 ");
	l2_announcer_bar(b->a, OTHER + 7, true, b->now);
	assert_string_equal(events(b), "");
	l2_announcer_bar(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_int_equal(b->stats[0].hold, L2_HOLD_NONE);
	bench_free(b);
}

static void lesser_member_is_told(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_YIELD);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:won ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	bench_free(b);
}

/* A network is whole again: claims cross with ours, and whoever hears both believes the later. */
static void owner_has_the_last_word(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(sent(b), "");
	assert_int_equal(deadline_ms(b), 10);
	advance(b, DUR_MS(6));
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_int_equal(deadline_ms(b), 4);
	advance(b, DUR_MS(4));
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	assert_int_equal(deadline_ms(b), 1100);
	bench_free(b);
}

/* Two members that do not agree about their order must not shout for ever. */
static void members_claims_are_answered_so_often(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);
	size_t n = 0;

	(void)state;
	for (int ms = 0; ms < 1000; ms += 10) {
		assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
		n += sent_count(b);
		advance(b, DUR_MS(10));
	}
	assert_int_equal(n, 2 * 9);
	assert_int_equal(l2_announcer_stats(b->a)->defended, 9);
	advance(b, DUR_S(10));
	n = sent_count(b);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_true(sent_count(b) > 0);
	bench_free(b);
}

/* It comes from the other part of a divided network, and may have answered there. */
static void new_candidate_hears_whose_it_is(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	for (size_t i = 0; i < b->n; i++)
		b->addresses[i].n_nodes = 1;
	apply(b);
	assert_string_equal(sent(b), "");
	for (size_t i = 0; i < b->n; i++)
		b->addresses[i].n_nodes = 2;
	apply(b);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:na:2001:db8::1 5:rep:192.0.2.1 ");
	apply(b);
	assert_string_equal(sent(b), "");
	bench_free(b);
}

/* Who comes before us will have it in a moment: a claim of ours would only cross with its own. */
static void better_node_is_not_reminded(void **state)
{
	struct bench *b = conflict_bench(other_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_announcer_remind(b->a, OTHER, b->now);
	assert_string_equal(sent(b), "");
	bench_free(b);
	b = conflict_bench(me_first, L2_CONFLICT_KEEP);
	l2_announcer_remind(b->a, OTHER, b->now);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:na:2001:db8::1 5:rep:192.0.2.1 ");
	bench_free(b);
}

/* The kernel of a process that has died goes on with its addresses for a while. */
static void better_member_that_is_out_is_told(void **state)
{
	struct bench *b = conflict_bench(other_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_announcer_bar(b->a, OTHER, true, b->now);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:won ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	/* It may think the same of us: then two would answer each other without an end. */
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_int_equal(deadline_ms(b), -1);
	bench_free(b);
}

static void who_leaves_yields_to_any_member(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_announcer_yield(b->a, true, b->now);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_stranger), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:kept ");
	sent(b);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:lost -192.0.2.1 ");
	assert_string_equal(sent(b), "");
	bench_free(b);
}

/* Another node shall have it: until that one speaks there is an answer, but no word of our own. */
static void what_goes_stays_until_it_is_claimed(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_nodes_set(&b->alive, OTHER, true);
	for (size_t i = 0; i < b->n; i++) {
		b->addresses[i].going = true;
		b->addresses[i].nodes = other_first;
	}
	assert_string_equal(apply(b), "");
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_OWNED);
	assert_string_equal(sent(b), "");
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "-192.0.2.1 ");
	b->addresses[1].going = false; /* nobody has taken it: that was long enough */
	assert_string_equal(apply(b), "-2001:db8::1 ");
	bench_free(b);
}

/* The new owner decided sooner than this node. */
static void what_goes_is_let_go_after_an_early_claim(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_nodes_set(&b->alive, OTHER, true);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:won ");
	b->addresses[0].going = b->addresses[1].going = true;
	assert_string_equal(apply(b), ""); /* it is not the one that is to have it */
	b->addresses[0].nodes = b->addresses[1].nodes = other_first;
	assert_string_equal(apply(b), "-192.0.2.1 ");
	bench_free(b);
}

/* Who has it meanwhile may go: what is ours again is said, although the table has it going. */
static void what_went_and_is_back_is_said(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_nodes_set(&b->alive, OTHER, true);
	b->addresses[0].going = true;
	b->addresses[0].nodes = other_first;
	assert_string_equal(apply(b), "");
	claimed(b, "192.0.2.1", &mac_member);
	assert_string_equal(events(b), "-192.0.2.1 ");
	l2_announcer_bar(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	l2_announcer_bar(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "-192.0.2.1 ");
	bench_free(b);
}

/* The word that clients heard last may have been its. */
static void who_is_out_has_not_the_last_word(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	sent(b);
	claimed(b, "192.0.2.1", &mac_member);
	sent(b);
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	l2_announcer_bar(b->a, OTHER, true, b->now);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	bench_free(b);
}

/* Its announcement would cross with the next owner's. */
/* What was said before it began to leave was no answer to that; nor is what another one that left still says. */
static void who_leaves_yields_to_answers_alone(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	assert_int_equal(claimed(b, "192.0.2.1", &mac_member), L2_RX_CLAIM);
	assert_string_equal(events(b), "!192.0.2.1:won ");
	advance(b, DUR_MS(1));
	l2_announcer_yield(b->a, true, b->now);
	assert_string_equal(apply(b), "");
	l2_announcer_bar(b->a, OTHER, true, b->now);
	claimed(b, "192.0.2.1", &mac_member);
	assert_string_equal(events(b), "");
	l2_announcer_bar(b->a, OTHER, false, b->now);
	claimed(b, "192.0.2.1", &mac_member);
	assert_string_equal(events(b), "!192.0.2.1:lost -192.0.2.1 ");
	bench_free(b);
}

static void who_leaves_announces_nothing(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	l2_announcer_yield(b->a, true, b->now);
	assert_string_equal(sent(b), "");
	assert_int_equal(deadline_ms(b), -1);
	l2_announcer_remind(b->a, OTHER, b->now);
	assert_string_equal(sent(b), "");
	l2_announcer_yield(b->a, false, b->now);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:na:2001:db8::1 5:rep:192.0.2.1 ");
	bench_free(b);
}

/* It does not leave after all: what it gave to a lesser member is ours. */
static void who_stays_has_it_back(void **state)
{
	struct bench *b = conflict_bench(me_first, L2_CONFLICT_KEEP);

	(void)state;
	l2_announcer_yield(b->a, true, b->now);
	claimed(b, "192.0.2.1", &mac_member);
	assert_string_equal(events(b), "!192.0.2.1:lost -192.0.2.1 ");
	l2_announcer_yield(b->a, false, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:na:2001:db8::1 5:rep:192.0.2.1 ");
	bench_free(b);
}

/* It was another's when the better node claimed it, and ours when that one had left: the claim is over. */
static void a_claim_from_before_does_not_count(void **state)
{
	struct bench *b = conflict_bench(other_first, L2_CONFLICT_KEEP);

	(void)state;
	claimed(b, "192.0.2.1", &mac_stranger);
	assert_string_equal(events(b), "!192.0.2.1:kept ");
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "-192.0.2.1 -2001:db8::1 ");
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "+192.0.2.1 +2001:db8::1 ");
	l2_nodes_set(&b->alive, OTHER, false);
	b->members[b->n_members++] = (struct l2_member){ mac_stranger, OTHER };
	assert_string_equal(apply(b), "");
	assert_int_equal(b->stats[0].hold, L2_HOLD_NONE);
	bench_free(b);
}

/* The control thread finds out whose address it was, and a new table says so. */
static void stranger_turns_out_to_be_a_member(void **state)
{
	struct bench *b = conflict_bench(other_first, L2_CONFLICT_KEEP);

	(void)state;
	claimed(b, "192.0.2.1", &mac_stranger);
	assert_string_equal(events(b), "!192.0.2.1:kept ");
	b->members[b->n_members++] = (struct l2_member){ mac_stranger, OTHER };
	struct l2_table *before = b->table;
	assert_string_equal(apply(b), "!192.0.2.1:lost -192.0.2.1 ");
	assert_ptr_not_equal(b->table, before);
	assert_int_equal(b->stats[0].hold, L2_HOLD_MEMBER);
	bench_free(b);
}

static void asks_before_the_first_claim(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	b->policy = (struct l2_policy){ .detect = true, .probe = L2_PROBE_FIRST };
	add(b, "192.0.2.1", me_first);
	add(b, "2001:db8::1", me_first);
	add(b, "192.0.2.2", other_first);
	assert_string_equal(apply(b), "");
	assert_int_equal(b->stats[0].hold, L2_HOLD_PROBE);
	assert_int_equal(sent_count(b), 2);
	advance(b, DUR_MS(50));
	claimed(b, "192.0.2.1", &mac_stranger);
	assert_string_equal(events(b), "!192.0.2.1:yielded ");
	for (unsigned i = 0; i < 4; i++) {
		advance(b, DUR_MS(100));
		sent_count(b);
	}
	assert_string_equal(events(b), "+2001:db8::1 ");
	/* A takeover does not ask. */
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "+192.0.2.2 ");
	bench_free(b);
}

static void may_ask_before_every_claim(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	b->policy = (struct l2_policy){ .detect = true, .probe = L2_PROBE_ALWAYS };
	add(b, "192.0.2.2", other_first);
	apply(b);
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "");
	assert_string_equal(sent(b), "5:req:192.0.2.2 ");
	/* The better node is back before the answer: nothing was claimed. */
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	advance(b, DUR_S(1));
	assert_int_equal(deadline_ms(b), -1);
	assert_string_equal(events(b), "");
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stranger_is_told_off_once_in_ten_seconds),
		cmocka_unit_test(question_of_a_thief_is_a_claim),
		cmocka_unit_test(own_echo_is_no_claim),
		cmocka_unit_test(unwanted_detection_is_off),
		cmocka_unit_test(stranger_gets_it_where_wanted),
		cmocka_unit_test(better_member_has_it_at_once),
		cmocka_unit_test(what_was_left_to_one_who_is_out_is_taken),
		cmocka_unit_test(lesser_member_is_told),
		cmocka_unit_test(owner_has_the_last_word),
		cmocka_unit_test(members_claims_are_answered_so_often),
		cmocka_unit_test(new_candidate_hears_whose_it_is),
		cmocka_unit_test(better_node_is_not_reminded),
		cmocka_unit_test(better_member_that_is_out_is_told),
		cmocka_unit_test(who_leaves_yields_to_any_member),
		cmocka_unit_test(who_leaves_yields_to_answers_alone),
		cmocka_unit_test(what_goes_stays_until_it_is_claimed),
		cmocka_unit_test(what_goes_is_let_go_after_an_early_claim),
		cmocka_unit_test(what_went_and_is_back_is_said),
		cmocka_unit_test(who_is_out_has_not_the_last_word),
		cmocka_unit_test(who_leaves_announces_nothing),
		cmocka_unit_test(who_stays_has_it_back),
		cmocka_unit_test(a_claim_from_before_does_not_count),
		cmocka_unit_test(stranger_turns_out_to_be_a_member),
		cmocka_unit_test(asks_before_the_first_claim),
		cmocka_unit_test(may_ask_before_every_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
