/*
 * The packet thread from the control thread's side: tables handed over faster than they are looked
 * at come back once each, the last table and the last word about a node count, events arrive, and
 * an end at any moment gives all back. No sockets are opened: tables name no interface, sessions
 * have no network that could be reached.
 */
#include <string.h>
#include <time.h>

#include "app/packet.h"
#include "base/rng.h"
#include "support.h"

enum { SWAPS = 10000, ADDRESSES = 4, ME = 1, OTHER = 70, PATIENCE_MS = 10000 };

struct control {
	struct loop *loop;
	struct packet *packet;
	struct loop_timer poll;
	struct mono deadline;
	bool (*done)(const struct control *c);
	bool was_done; /* by now it may be otherwise */

	size_t made, back; /* tables of both kinds */
	struct l2_address_stats stats[ADDRESSES];
	bool owned[ADDRESSES]; /* by the events */
	size_t n_events, n_gaps;
};

/* Each table is one of these, so that one that comes back twice is seen. */
struct bfd_handed {
	struct bfd_table table;
	bool back;
};

static struct addr address(size_t i)
{
	return addr_v4(192, 0, 2, (uint8_t)(1 + i));
}

/* --- hooks --- */

static void on_l2(void *ctx, const struct l2_event *ev)
{
	struct control *c = ctx;
	size_t i = ev->addr.b[3] - 1u;

	assert_true(i < ADDRESSES);
	assert_true(ev->kind == L2_TOOK || ev->kind == L2_LOST);
	c->owned[i] = ev->kind == L2_TOOK;
	c->n_events++;
}

static void on_bfd(void *ctx, const struct bfd_event *ev)
{
	(void)ctx;
	(void)ev;
}

static void on_l2_back(void *ctx, struct l2_table *t)
{
	struct control *c = ctx;

	assert_non_null(t);
	c->back++;
	l2_table_free(t); /* a second time is for the address sanitizer */
}

static void on_bfd_back(void *ctx, const struct bfd_table *t)
{
	struct control *c = ctx;

	c->back++;
	if (!t)
		return;
	struct bfd_handed *h = CONTAINER_OF(t, struct bfd_handed, table);
	assert_false(h->back);
	h->back = true;
	free(h);
}

static void on_gap(void *ctx)
{
	struct control *c = ctx;

	c->n_gaps++;
}

/* --- the control thread's loop --- */

static void polled(struct loop_timer *t, struct mono now)
{
	struct control *c = CONTAINER_OF(t, struct control, poll);

	c->was_done = c->done(c);
	if (c->was_done || mono_before(c->deadline, now))
		loop_stop(c->loop);
	else
		loop_timer_set(t, mono_add(now, DUR_MS(1)));
}

/* Run until it is so. */
static void wait_for(struct control *c, bool (*done)(const struct control *c))
{
	c->done = done;
	c->deadline = mono_add(mono_clock(), DUR_MS(PATIENCE_MS));
	loop_timer_set(&c->poll, mono_clock());
	loop_run(c->loop);
	assert_true(c->was_done);
}

static struct control *control_new(void)
{
	struct control *c = mem_new(struct control);
	struct packet_hooks hooks = { .ctx = c,
				      .l2 = on_l2,
				      .bfd = on_bfd,
				      .l2_retired = on_l2_back,
				      .bfd_retired = on_bfd_back,
				      .on_gap = on_gap };
	struct err e = { 0 };

	assert_int_equal(loop_new(&c->loop, &e), 0);
	loop_timer_init(&c->poll, c->loop, polled);
	assert_int_equal(packet_new(c->loop, &hooks, NULL, &c->packet, &e), 0);
	packet_set_alive(c->packet, ME, true);
	return c;
}

static void control_free(struct control *c)
{
	c->packet = packet_free(c->packet);
	assert_int_equal(c->back, c->made);
	loop_free(c->loop);
	free(c);
}

/* --- tables --- */

/* The other is first in each list: who is alive decides about all addresses. */
static struct l2_table *table_new(struct control *c, bool other_alive, size_t n)
{
	static const uint16_t nodes[] = { OTHER, ME };
	struct l2_address_conf addresses[ADDRESSES];
	struct l2_nodes alive = { 0 };
	struct l2_table *t = NULL;
	struct err e = { 0 };

	for (size_t i = 0; i < n; i++)
		addresses[i] = (struct l2_address_conf){ .addr = address(i),
							 .all_ifaces = true,
							 .nodes = nodes,
							 .n_nodes = 2,
							 .stats = &c->stats[i] };
	l2_nodes_set(&alive, OTHER, other_alive);
	struct l2_table_conf conf = {
		.self = ME, .alive = &alive, .addresses = addresses, .n_addresses = n
	};

	assert_int_equal(l2_table_new(&conf, &t, &e), 0);
	c->made++;
	return t;
}

static void hand_l2(struct control *c, bool other_alive, size_t n)
{
	packet_set_l2(c->packet, table_new(c, other_alive, n));
}

static void hand_bfd(struct control *c, bool none)
{
	struct bfd_handed *h = none ? NULL : mem_new(struct bfd_handed);

	c->made++;
	packet_set_bfd(c->packet, h ? &h->table : NULL);
}

static bool all_owned(const struct control *c)
{
	size_t n = 0;

	for (size_t i = 0; i < ADDRESSES; i++)
		n += c->owned[i];
	return n == ADDRESSES;
}

static bool none_owned(const struct control *c)
{
	for (size_t i = 0; i < ADDRESSES; i++)
		if (c->owned[i])
			return false;
	return true;
}

/* All but the tables in force, or never looked at. */
static bool almost_all_back(const struct control *c)
{
	return c->made - c->back <= 2;
}

/* --- tests --- */

static void every_table_comes_back(void **state)
{
	struct control *c = control_new();
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (int i = 0; i < SWAPS; i++) {
		if (rng_below(&rng, 3))
			hand_bfd(c, rng_below(&rng, 8) == 0);
		else
			hand_l2(c, rng_below(&rng, 2), rng_below(&rng, ADDRESSES + 1));
		packet_set_alive(c->packet, (uint16_t)(2 + rng_below(&rng, NODE_IDS_MAX - 2)),
				 rng_below(&rng, 2));
		if (rng_below(&rng, 500) == 0)
			wait_for(c, almost_all_back);
	}
	assert_true(c->made == SWAPS);
	wait_for(c, almost_all_back);
	control_free(c);
}

static void an_end_at_once_gives_all_back(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct control *c = control_new();

		for (int k = 0; k < i % 4; k++) {
			hand_l2(c, k % 2, ADDRESSES);
			hand_bfd(c, k % 2);
		}
		control_free(c);
	}
	assert_null(packet_free(NULL));
}

static void nodes_live_and_die(void **state)
{
	struct control *c = control_new();

	(void)state;
	packet_set_alive(c->packet, OTHER, true);
	hand_l2(c, true, ADDRESSES);
	for (int i = 0; i < 20; i++) {
		packet_set_alive(c->packet, OTHER, false);
		wait_for(c, all_owned);
		packet_set_alive(c->packet, OTHER, true);
		wait_for(c, none_owned);
	}
	assert_int_equal(c->n_events, 20 * 2 * ADDRESSES);
	hand_l2(c, true, 0);
	wait_for(c, almost_all_back);
	control_free(c);
}

/* What was owned is given up when its address leaves the table. */
static void an_address_leaves_with_its_table(void **state)
{
	struct control *c = control_new();

	(void)state;
	hand_l2(c, false, ADDRESSES);
	wait_for(c, all_owned);
	hand_l2(c, false, 0);
	wait_for(c, none_owned);
	for (size_t i = 0; i < ADDRESSES; i++) {
		struct l2_address_stats s;

		l2_address_stats_read(&c->stats[i], &s);
		assert_int_equal(s.owned, 0);
	}
	control_free(c);
}

static bool all_owned_now(const struct control *c)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		struct l2_address_stats s;

		l2_address_stats_read(&c->stats[i], &s);
		if (!s.owned)
			return false;
	}
	return true;
}

/*
 * A table that still believes in the other is handed over, and then the other dies. Whether the
 * thread sees both in one wake-up or not, it must not wait for another table to take over.
 */
static void the_last_word_counts(void **state)
{
	struct control *c = control_new();

	(void)state;
	for (int i = 0; i < 200; i++) {
		packet_set_alive(c->packet, OTHER, false);
		hand_l2(c, false, ADDRESSES);
		wait_for(c, almost_all_back);
		wait_for(c, all_owned_now);
		packet_set_alive(c->packet, OTHER, true);
		hand_l2(c, true, ADDRESSES);
		packet_set_alive(c->packet, OTHER, false);
		wait_for(c, almost_all_back);
		wait_for(c, all_owned_now);
	}
	control_free(c);
}

static bool gap_was_told(const struct control *c)
{
	return c->n_gaps > 0;
}

static bool ring_has_refused(const struct control *c)
{
	return packet_events_lost(c->packet) > 0;
}

/* Nobody listens while the other comes and goes: events get lost, and that is said. */
static void lost_events_are_told(void **state)
{
	struct control *c = control_new();
	struct mono deadline = mono_add(mono_clock(), DUR_MS(PATIENCE_MS));
	struct timespec pause = { .tv_nsec = 50000 };

	(void)state;
	packet_set_alive(c->packet, OTHER, true);
	hand_l2(c, true, ADDRESSES);
	for (int i = 0; !ring_has_refused(c) && mono_before(mono_clock(), deadline); i++) {
		packet_set_alive(c->packet, OTHER, i % 2);
		nanosleep(&pause, NULL);
	}
	assert_true(ring_has_refused(c));
	wait_for(c, gap_was_told);
	size_t gaps = c->n_gaps;

	/* Once for each time that something was lost. */
	packet_set_alive(c->packet, OTHER, true);
	hand_l2(c, true, 0);
	wait_for(c, almost_all_back);
	assert_int_equal(c->n_gaps, gaps);
	control_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_comes_back),
		cmocka_unit_test(an_end_at_once_gives_all_back),
		cmocka_unit_test(nodes_live_and_die),
		cmocka_unit_test(an_address_leaves_with_its_table),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(lost_events_are_told),
	};

	return cmocka_run_group_tests_name("app/packet", tests, NULL, NULL);
}
