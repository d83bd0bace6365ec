/* The announcer with a clock of our own: who owns what, what is sent when, what is answered. */
#include "bench.h"

#include "base/rng.h"

static void takes_what_it_owns(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", me_first);
	add(b, "192.0.2.2", other_first);
	add(b, "2001:db8::1", me_first);
	add(b, "192.0.2.3", not_me);
	assert_string_equal(apply(b), "+192.0.2.1 +2001:db8::1 ");
	assert_int_equal(l2_announcer_stats(b->a)->owned, 2);
	assert_int_equal(b->stats[0].owned, 1);
	assert_int_equal(b->stats[1].owned, 0);
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_OWNED);
	bench_free(b);
}

static void announces_at_once_then_in_rounds(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));
	static const char first[] = "5:req:192.0.2.1 5:na:2001:db8::1 5:rep:192.0.2.1 ";
	static const char later[] = "5:na:2001:db8::1 5:req:192.0.2.1 5:rep:192.0.2.1 ";

	(void)state;
	add(b, "192.0.2.1", me_first);
	add(b, "2001:db8::1", me_first);
	apply(b);
	for (unsigned i = 0; i < L2_ROUNDS; i++) {
		assert_int_equal(deadline_ms(b), 0);
		assert_string_equal(sent(b), i ? later : first);
		if (i + 1 == L2_ROUNDS)
			break;
		assert_int_equal(deadline_ms(b), 1100);
		advance(b, DUR_MS(1099));
		assert_string_equal(sent(b), "");
		advance(b, DUR_MS(1));
	}
	assert_int_equal(deadline_ms(b), -1);
	assert_int_equal(b->stats[0].gratuitous, 10);
	assert_int_equal(b->stats[1].gratuitous, 5);
	bench_free(b);
}

static void fill_many(struct bench *b)
{
	for (unsigned i = 0; i < MANY; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250);
		add(b, text, me_first);
	}
}

/* Every address's first copy, on every interface, goes before any second one. */
static void interleaves_a_thousand(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));
	struct l2_frame f;

	(void)state;
	b->n_ifaces = 2;
	fill_many(b);
	apply(b);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		assert_true(l2_announcer_next_frame(b->a, b->now, &f));
		assert_int_equal(f.bytes[21], ARP_REQUEST);
	}
	for (unsigned i = 0; i < 2 * MANY; i++) {
		assert_true(l2_announcer_next_frame(b->a, b->now, &f));
		assert_int_equal(f.bytes[21], ARP_REPLY);
	}
	assert_false(l2_announcer_next_frame(b->a, b->now, &f));
	bench_free(b);
}

/* One that is taken while others are late with their second copy still goes first. */
static void first_copies_overtake(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));
	struct l2_frame f;

	(void)state;
	add(b, "192.0.2.1", me_first);
	add(b, "192.0.2.2", other_first);
	apply(b);
	assert_true(l2_announcer_next_frame(b->a, b->now, &f));
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "+192.0.2.2 ");
	assert_string_equal(sent(b), "5:req:192.0.2.2 5:rep:192.0.2.1 5:rep:192.0.2.2 ");
	bench_free(b);
}

static void rate_spreads_announcements(void **state)
{
	struct bench *b = bench_new(100, DUR_S(0));
	size_t n = 0;

	(void)state;
	fill_many(b);
	apply(b);
	for (unsigned ms = 0; ms < 1000; ms++) {
		n += sent_count(b);
		advance(b, DUR_MS(1));
	}
	assert_int_equal(n, 100);
	assert_true(deadline_ms(b) >= 0 && deadline_ms(b) <= 10);
	bench_free(b);
}

static void death_and_return_of_a_node(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", other_first);
	add(b, "192.0.2.2", me_first);
	assert_string_equal(apply(b), "+192.0.2.2 ");
	sent(b);
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_CANDIDATES);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "-192.0.2.1 ");
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_OWNED);
	/* It may have answered for what is ours, while it heard nothing of us. */
	assert_string_equal(sent(b), "5:req:192.0.2.2 5:rep:192.0.2.2 ");
	advance(b, DUR_MS(1100));
	assert_string_equal(sent(b), "5:req:192.0.2.2 5:rep:192.0.2.2 "); /* not the lost one */
	bench_free(b);
}

/* Who is barred is passed over, whatever tables say; and it is told whose an address is when it is back. */
static void who_is_barred_counts_as_dead(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", other_first);
	add(b, "192.0.2.2", me_first);
	assert_string_equal(apply(b), "+192.0.2.2 ");
	sent(b);
	l2_announcer_bar(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_string_equal(apply(b), "");
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "");
	sent(b);
	l2_announcer_bar(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "-192.0.2.1 ");
	assert_string_equal(sent(b), "5:req:192.0.2.2 5:rep:192.0.2.2 ");
	bench_free(b);
}

static void who_is_barred_itself_owns_nothing(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", me_first);
	apply(b);
	l2_announcer_bar(b->a, ME, true, b->now);
	assert_string_equal(events(b), "-192.0.2.1 ");
	l2_announcer_bar(b->a, ME, false, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	bench_free(b);
}

/* Of five; the tie decides where four count. */
static void the_smaller_part_owns_nothing(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", me_first);
	b->quorum = (struct l2_quorum){ .of = 5 };
	l2_nodes_set(&b->alive, THIRD, true);
	assert_string_equal(apply(b), "+192.0.2.1 ");
	l2_announcer_bar(b->a, THIRD, true, b->now);
	assert_string_equal(events(b), "-192.0.2.1 ");
	b->quorum = (struct l2_quorum){ .of = 4, .has_tie = true, .tie = OTHER };
	assert_string_equal(apply(b), "+192.0.2.1 ");
	b->quorum.tie = THIRD;
	assert_string_equal(apply(b), "-192.0.2.1 ");
	bench_free(b);
}

static void there_and_back_untold_is_no_event(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", other_first);
	apply(b);
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	l2_announcer_set_alive(b->a, OTHER, true, b->now);
	assert_string_equal(events(b), "");
	assert_string_equal(sent(b), "");
	bench_free(b);
}

/* The table says what changed since the last one; the rest is as the packet thread knows it. */
static void tables_do_not_revive_the_dead(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", other_first);
	apply(b);
	l2_announcer_set_alive(b->a, OTHER, false, b->now);
	assert_string_equal(events(b), "+192.0.2.1 ");
	assert_string_equal(apply(b), ""); /* built before the death was known */
	l2_nodes_set(&b->alive, OTHER, false);
	assert_string_equal(apply(b), "");
	assert_int_equal(l2_announcer_filter_set(b->a), L2_FILTER_OWNED);
	l2_nodes_set(&b->alive, OTHER, true);
	assert_string_equal(apply(b), "-192.0.2.1 ");
	bench_free(b);
}

static void new_table_keeps_the_schedule(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.5", me_first);
	apply(b);
	sent(b);
	advance(b, DUR_MS(500));
	add(b, "192.0.2.1", me_first); /* sorts before the other */
	assert_string_equal(apply(b), "+192.0.2.1 ");
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	assert_int_equal(deadline_ms(b), 600);
	advance(b, DUR_MS(600));
	assert_string_equal(sent(b), "5:req:192.0.2.5 5:rep:192.0.2.5 ");
	bench_free(b);
}

static void address_that_leaves_the_table_is_lost(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", me_first);
	add(b, "192.0.2.2", other_first);
	apply(b);
	b->n = 0;
	assert_string_equal(apply(b), "-192.0.2.1 ");
	assert_int_equal(b->stats[0].owned, 0);
	assert_int_equal(l2_announcer_stats(b->a)->owned, 0);
	assert_string_equal(sent(b), "");
	assert_int_equal(deadline_ms(b), -1);
	bench_free(b);
}

static void interface_that_appears_hears_us(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	add(b, "192.0.2.1", me_first);
	apply(b);
	for (unsigned i = 0; i < L2_ROUNDS; i++) {
		sent(b);
		advance(b, L2_ROUND_GAP);
	}
	b->n_ifaces = 2;
	assert_string_equal(apply(b), "");
	assert_string_equal(sent(b), "6:req:192.0.2.1 6:rep:192.0.2.1 ");
	while (!mono_is_never(l2_announcer_deadline(b->a))) {
		sent(b);
		advance(b, L2_ROUND_GAP);
	}
	b->ifaces[0].mac.b[5]++;
	apply(b);
	assert_string_equal(sent(b), "5:req:192.0.2.1 5:rep:192.0.2.1 ");
	bench_free(b);
}

/* The cable may have been put into another switch; and what is said without a carrier nobody hears. */
static void carrier_that_comes_back_hears_us(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	b->n_ifaces = 2;
	b->ifaces[0].carrier = b->ifaces[1].carrier = true;
	add(b, "192.0.2.1", me_first);
	apply(b);
	for (unsigned i = 0; i < L2_ROUNDS; i++) {
		sent(b);
		advance(b, L2_ROUND_GAP);
	}
	b->ifaces[1].carrier = false;
	apply(b);
	assert_string_equal(sent(b), "");
	b->ifaces[1].carrier = true;
	apply(b);
	assert_string_equal(sent(b), "6:req:192.0.2.1 6:rep:192.0.2.1 ");
	bench_free(b);
}

static void choice_of_interfaces_is_kept(void **state)
{
	static const int only_eth1[] = { ETH1 };
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	b->n_ifaces = 2;
	b->ifaces[0].ndp = false;
	struct l2_address_conf *c = add(b, "192.0.2.1", me_first);
	c->all_ifaces = false;
	c->ifindexes = only_eth1;
	c->n_ifindexes = 1;
	add(b, "2001:db8::1", me_first);
	apply(b);
	assert_string_equal(sent(b), "6:req:192.0.2.1 6:na:2001:db8::1 6:rep:192.0.2.1 ");
	c->all_ifaces = true;
	apply(b);
	assert_string_equal(sent(b), "6:req:192.0.2.1 5:req:192.0.2.1 "
				     "6:rep:192.0.2.1 5:rep:192.0.2.1 ");
	bench_free(b);
}

static void refreshes_slowly(void **state)
{
	struct bench *b = bench_new(0, DUR_S(120));
	unsigned rounds = 0;

	(void)state;
	add(b, "192.0.2.1", me_first);
	add(b, "192.0.2.2", other_first);
	apply(b);
	for (unsigned i = 0; i < L2_ROUNDS; i++) {
		sent(b);
		advance(b, L2_ROUND_GAP);
	}
	for (unsigned s = 0; s < 1200; s++) {
		const char *text = sent(b);
		if (text[0]) {
			assert_string_equal(text, "5:req:192.0.2.1 5:rep:192.0.2.1 ");
			rounds++;
		}
		advance(b, DUR_S(1));
	}
	assert_in_range(rounds, 9, 12);
	bench_free(b);
}

static void refresh_of_many_is_spread(void **state)
{
	struct bench *b = bench_new(0, DUR_S(120));
	size_t total = 0;

	(void)state;
	fill_many(b);
	apply(b);
	for (unsigned i = 0; i < L2_ROUNDS; i++) {
		sent_count(b);
		advance(b, L2_ROUND_GAP);
	}
	for (unsigned s = 0; s < 120; s++) {
		size_t n = sent_count(b);
		assert_true(n <= 4 * 9); /* at most two ticks of nine addresses, two frames each */
		total += n;
		advance(b, DUR_S(1));
	}
	assert_in_range(total, 2 * MANY * 9 / 10, 2 * MANY * 12 / 10);
	bench_free(b);
}

/* Requests and what becomes of them. */

struct rx_case {
	const char *name;
	int ifindex;
	const char *hex;
	enum l2_rx want;
};

#define ARP_TO(dst, target)                                                               \
	dst " 02000000000a 0806 0001 0800 06 04 0001 02000000000a c0000264 000000000000 " \
	    "c00002" target
#define BROADCAST "ffffffffffff"

static const struct rx_case rx_cases[] = {
	{ "broadcast", ETH0, ARP_TO(BROADCAST, "01"), L2_RX_OK },
	{ "unicast", ETH0, ARP_TO("02000000000b", "01"), L2_RX_OK },
	{ "unicast to another", ETH0, ARP_TO("02000000000c", "01"), L2_RX_OTHER_MACHINE },
	{ "multicast", ETH0, ARP_TO("01005e000001", "01"), L2_RX_OTHER_MACHINE },
	{ "not announced", ETH0, ARP_TO(BROADCAST, "09"), L2_RX_NOT_OURS },
	{ "another's", ETH0, ARP_TO(BROADCAST, "02"), L2_RX_NOT_OWNER },
	{ "not here", ETH0, ARP_TO(BROADCAST, "03"), L2_RX_WRONG_INTERFACE },
	{ "but there", ETH1, ARP_TO(BROADCAST, "03"), L2_RX_OK },
	{ "unknown interface", 99, ARP_TO(BROADCAST, "01"), L2_RX_NO_INTERFACE },
	{ "short", ETH0, "ffffffffffff", L2_RX_SHORT },
	{ "solicitation", ETH0,
	  "3333ff00000102000000000a86dd 6000000000183aff 20010db8000000000000000000000064 "
	  "ff0200000000000000000001ff000001 87001ed000000000 20010db8000000000000000000000001",
	  L2_RX_OK },
	{ "NDP is off there", ETH1,
	  "3333ff00000102000000000a86dd 6000000000183aff 20010db8000000000000000000000064 "
	  "ff0200000000000000000001ff000001 87001ed000000000 20010db8000000000000000000000001",
	  L2_RX_NO_INTERFACE },
};

static struct bench *bench_for_rx(void)
{
	static const int only_eth1[] = { ETH1 };
	struct bench *b = bench_new(0, DUR_S(0));

	b->n_ifaces = 2;
	b->ifaces[1].ndp = false;
	add(b, "192.0.2.1", me_first);
	add(b, "192.0.2.2", other_first);
	struct l2_address_conf *c = add(b, "192.0.2.3", me_first);
	c->all_ifaces = false;
	c->ifindexes = only_eth1;
	c->n_ifindexes = 1;
	add(b, "2001:db8::1", me_first);
	apply(b);
	return b;
}

static void answers(void **state)
{
	const struct rx_case *c = *state;
	struct bench *b = bench_for_rx();
	struct l2_frame reply = { 0 };
	struct l2_stats stats;
	uint8_t wire[256];
	size_t len = unhex(c->hex, wire, sizeof(wire));

	assert_int_equal(l2_announcer_rx(b->a, c->ifindex, rd_from(wire, len), &reply, b->now),
			 c->want);
	assert_int_equal(reply.len > 0, c->want == L2_RX_OK);
	if (c->want == L2_RX_OK)
		assert_int_equal(reply.ifindex, c->ifindex);
	l2_stats_read(l2_announcer_stats(b->a), &stats);
	assert_int_equal(stats.received, 1);
	assert_int_equal(stats.rx[c->want], 1);
	bench_free(b);
}

/* A request for 192.0.2.1 from the @sender-th machine, to everybody or to one link. */
static enum l2_rx asked_on(struct bench *b, int ifindex, uint8_t sender, const struct mac *to)
{
	struct l2_frame reply;
	uint8_t wire[64];
	size_t len = unhex(rx_cases[0].hex, wire, sizeof(wire));

	wire[11] = sender;
	if (to)
		memcpy(wire, to, sizeof(*to));
	return l2_announcer_rx(b->a, ifindex, rd_from(wire, len), &reply, b->now);
}

/* eth1 stands on eth0: what both hear is answered once, what one of them alone hears is answered there. */
static void link_below_answers_what_both_hear(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	b->n_ifaces = 2;
	b->ifaces[1].below = ETH0;
	add(b, "192.0.2.1", me_first);
	apply(b);
	assert_string_equal(sent(b), "6:req:192.0.2.1 5:req:192.0.2.1 6:rep:192.0.2.1 "
				     "5:rep:192.0.2.1 ");
	assert_int_equal(asked_on(b, ETH0, 1, NULL), L2_RX_OK);
	assert_int_equal(asked_on(b, ETH0, 2, NULL), L2_RX_OK);
	assert_int_equal(asked_on(b, ETH1, 1, NULL), L2_RX_TWIN);
	assert_int_equal(asked_on(b, ETH1, 3, NULL), L2_RX_OK); /* a sibling */
	assert_int_equal(asked_on(b, ETH1, 1, &b->ifaces[1].mac), L2_RX_OK);
	advance(b, DUR_MS(249));
	assert_int_equal(asked_on(b, ETH1, 2, NULL), L2_RX_TWIN);
	advance(b, DUR_MS(1));
	assert_int_equal(asked_on(b, ETH1, 2, NULL), L2_RX_OK);
	bench_free(b);
}

static void counts_per_address(void **state)
{
	struct bench *b = bench_for_rx();
	struct l2_frame reply;
	uint8_t wire[64];

	(void)state;
	size_t len = unhex(rx_cases[0].hex, wire, sizeof(wire));
	l2_announcer_rx(b->a, ETH0, rd_from(wire, len), &reply, b->now);
	l2_announcer_rx(b->a, ETH0, rd_from(wire, len), &reply, b->now);
	len = unhex(rx_cases[5].hex, wire, sizeof(wire));
	l2_announcer_rx(b->a, ETH0, rd_from(wire, len), &reply, b->now);
	assert_int_equal(b->stats[0].requests, 2);
	assert_int_equal(b->stats[0].replies, 2);
	assert_int_equal(b->stats[1].requests, 1);
	assert_int_equal(b->stats[1].replies, 0);
	bench_free(b);
}

static void silent_before_the_first_table(void **state)
{
	struct bench *b = bench_new(0, DUR_S(120));
	struct l2_frame reply;
	uint8_t wire[64];

	(void)state;
	size_t len = unhex(rx_cases[0].hex, wire, sizeof(wire));
	assert_int_equal(l2_announcer_rx(b->a, ETH0, rd_from(wire, len), &reply, b->now),
			 L2_RX_NO_INTERFACE);
	assert_string_equal(sent(b), "");
	assert_string_equal(events(b), "");
	assert_int_equal(deadline_ms(b), -1);
	bench_free(b);
}

static void address_twice_is_refused(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));
	struct l2_table *t;
	struct err e;

	(void)state;
	add(b, "192.0.2.1", me_first);
	add(b, "192.0.2.1", other_first);
	const struct l2_table_conf conf = {
		.self = ME, .alive = &b->alive, .addresses = b->addresses, .n_addresses = b->n
	};
	assert_int_equal(l2_table_new(&conf, &t, &e), -ERR_CONFIG);
	assert_string_equal(e.text, "192.0.2.1 is there twice");
	bench_free(b);
}

static void addresses_without_candidates_are_nobodys(void **state)
{
	struct bench *b = bench_new(0, DUR_S(0));

	(void)state;
	for (int i = 1; i <= 2; i++) {
		struct l2_address_conf *c = add(b, i == 1 ? "192.0.2.1" : "192.0.2.2", NULL);

		c->n_nodes = 0;
	}
	assert_string_equal(apply(b), "");
	assert_string_equal(sent(b), "");
	bench_free(b);
}

static void set_up(struct bench *b, struct rng *rng)
{
	b->n = 0;
	for (unsigned i = 0; i < 40; i++) {
		static const uint16_t *const lists[] = { me_first, other_first, not_me };
		char text[32];
		if (rng_below(rng, 3) == 0)
			continue;
		snprintf(text, sizeof(text), i % 2 ? "192.0.2.%u" : "2001:db8::%u", i);
		add(b, text, lists[rng_below(rng, 3)])->stats = &b->stats[i];
	}
	for (uint16_t node = OTHER; node <= THIRD; node++)
		l2_nodes_set(&b->alive, node, rng_below(rng, 2));
	b->n_ifaces = 1 + rng_below(rng, 2);
}

/* Whatever happens in whatever order: told equals owned, and only what is owned is announced. */
static void random_walk(void **state)
{
	struct bench *b = bench_new(0, DUR_S(20));
	struct rng rng;
	struct l2_frame f;

	(void)state;
	rng_seed(&rng, test_seed());
	set_up(b, &rng);
	apply(b);
	for (unsigned step = 0; step < 3000; step++) {
		switch (rng_below(&rng, 4)) {
		case 0:
			set_up(b, &rng);
			apply(b);
			break;
		case 1:
			l2_announcer_set_alive(b->a, (uint16_t)rng_between(&rng, OTHER, THIRD),
					       rng_below(&rng, 2), b->now);
			break;
		case 2:
			events(b);
			break;
		default:
			advance(b, DUR_MS((int64_t)rng_below(&rng, 700)));
			for (uint64_t n = rng_below(&rng, 30); n > 0; n--) {
				if (!l2_announcer_next_frame(b->a, b->now, &f))
					break;
				struct addr a = f.proto == L2_ARP
							? addr_from_bytes(FAMILY_V4, f.bytes + 38)
							: addr_from_bytes(FAMILY_V6, f.bytes + 62);
				uint32_t i = l2_table_find(b->table, &a);
				assert_true(i != L2_NONE && b->table->slots[i].owned);
			}
		}
		events(b);
		uint64_t owned = 0;
		for (uint32_t i = 0; i < b->table->n_addresses; i++) {
			const struct l2_slot *s = &b->table->slots[i];
			assert_int_equal(s->owned, s->told);
			assert_int_equal(s->owned, b->table->addresses[i].stats->owned);
			owned += s->owned;
		}
		assert_int_equal(owned, l2_announcer_stats(b->a)->owned);
	}
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_it_owns),
		cmocka_unit_test(announces_at_once_then_in_rounds),
		cmocka_unit_test(interleaves_a_thousand),
		cmocka_unit_test(first_copies_overtake),
		cmocka_unit_test(rate_spreads_announcements),
		cmocka_unit_test(death_and_return_of_a_node),
		cmocka_unit_test(who_is_barred_counts_as_dead),
		cmocka_unit_test(who_is_barred_itself_owns_nothing),
		cmocka_unit_test(the_smaller_part_owns_nothing),
		cmocka_unit_test(there_and_back_untold_is_no_event),
		cmocka_unit_test(tables_do_not_revive_the_dead),
		cmocka_unit_test(new_table_keeps_the_schedule),
		cmocka_unit_test(address_that_leaves_the_table_is_lost),
		cmocka_unit_test(interface_that_appears_hears_us),
		cmocka_unit_test(carrier_that_comes_back_hears_us),
		cmocka_unit_test(choice_of_interfaces_is_kept),
		cmocka_unit_test(refreshes_slowly),
		cmocka_unit_test(refresh_of_many_is_spread),
		cmocka_unit_test(link_below_answers_what_both_hear),
		cmocka_unit_test(counts_per_address),
		cmocka_unit_test(silent_before_the_first_table),
		cmocka_unit_test(address_twice_is_refused),
		cmocka_unit_test(addresses_without_candidates_are_nobodys),
		cmocka_unit_test(random_walk),
	};

	return RUN_TABLE("requests", rx_cases, answers) + cmocka_run_group_tests(tests, NULL, NULL);
}
