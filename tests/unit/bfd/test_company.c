/* Many sessions that one process sends for: how many wake-ups they take, and what becomes of each one's jitter. */
#include "support.h"

#include "bfd/session.h"

#define SESSIONS_MAX 256

struct company_case {
	const char *name;
	unsigned sessions;
	uint32_t interval_us;
	uint8_t mult;
	unsigned most_turns;   /* in 100 intervals */
	unsigned most_at_once; /* in a turn */
};

/* Alone a session takes 112 turns: the mean of its draws is 89 % of the interval. */
static const struct company_case cases[] = {
	{ "one", 1, 50000, 3, 115, 1 },
	{ "two", 2, 50000, 3, 115, 2 },
	{ "two, multiplier 1", 2, 50000, 1, 122, 2 },
	{ "sixteen", 16, 50000, 3, 115, 16 },
	{ "64", 64, 50000, 3, 450, 64 },
	{ "256 at 10 ms", 256, 10000, 3, 1150, 192 },
};

struct company {
	struct bfd_session v[SESSIONS_MAX];
	unsigned n;
	struct rng rng;
	struct mono now;
	unsigned turns, most_at_once;
	int64_t least_ns, most_ns, sum_ns, gaps;
};

static void up(struct bfd_session *s, const struct company_case *c, struct company *all)
{
	const struct bfd_session_conf conf = { .desired_min_tx_us = c->interval_us,
					       .required_min_rx_us = c->interval_us,
					       .detect_mult = c->mult };
	const struct bfd_pkt pkt = { .state = BFD_INIT,
				     .detect_mult = 3,
				     .my_disc = 9,
				     .desired_min_tx_us = c->interval_us,
				     .required_min_rx_us = c->interval_us };
	struct bfd_pkt final = pkt;
	struct bfd_out out;

	bfd_session_init(s, &conf, all->n + 1, &all->rng, all->now);
	assert_int_equal(bfd_session_rx(s, &pkt, all->now), 0);
	while (bfd_session_next(s, all->now, &out))
		;
	final.state = BFD_UP;
	final.final = true; /* of the poll that takes the slow start back */
	assert_int_equal(bfd_session_rx(s, &final, all->now), 0);
	while (bfd_session_next(s, all->now, &out))
		;
	s->detect_at = MONO_NEVER;
	assert_int_equal(s->state, BFD_UP);
	assert_int_equal(s->tx_interval_us, c->interval_us);
}

static void note_gap(struct company *all, struct dur gap)
{
	all->least_ns = MIN(all->least_ns, gap.ns);
	all->most_ns = MAX(all->most_ns, gap.ns);
	all->sum_ns += gap.ns;
	all->gaps++;
}

/* As the engine does: who is due sends, and with it who will be so soon. */
static void turn(struct company *all)
{
	struct bfd_company together = { .n = 0 };
	struct bfd_out out;
	unsigned sent = 0;

	for (unsigned i = 0; i < all->n; i++) {
		struct bfd_session *s = &all->v[i];
		struct mono last = s->tx_last;

		bfd_session_send_ahead(s, all->now, bfd_session_ahead(s));
		if (!bfd_session_next(s, all->now, &out))
			continue;
		note_gap(all, mono_sub(all->now, last));
		bfd_session_accompany(s, &together);
		sent++;
	}
	all->turns++;
	all->most_at_once = MAX(all->most_at_once, sent);
}

static void run(struct company *all, struct dur d)
{
	struct mono end = mono_add(all->now, d);

	all->turns = all->most_at_once = 0;
	all->sum_ns = all->gaps = all->most_ns = 0;
	all->least_ns = INT64_MAX;
	for (;;) {
		struct mono at = MONO_NEVER;

		for (unsigned i = 0; i < all->n; i++)
			at = mono_min(at, all->v[i].tx_at);
		if (mono_before(end, at))
			break;
		all->now = at;
		turn(all);
	}
	all->now = end;
}

static int64_t mean_ns(const struct company *all)
{
	return all->gaps ? all->sum_ns / all->gaps : 0;
}

static void shares_wakeups(void **state)
{
	const struct company_case *c = *state;
	struct company *all = mem_new(struct company);
	int64_t interval_ns = (int64_t)c->interval_us * 1000;

	rng_seed(&all->rng, test_seed());
	all->now = (struct mono){ .ns = 1000000000 };
	for (; all->n < c->sessions; all->n++) {
		all->now = mono_add(all->now, DUR_NS(interval_ns / c->sessions));
		up(&all->v[all->n], c, all);
	}
	run(all, DUR_NS(1000 * interval_ns)); /* until they have met */
	run(all, DUR_NS(1000 * interval_ns));
	assert_in_range(all->turns, 0, 10 * c->most_turns);
	assert_in_range(all->most_at_once, 0, c->most_at_once);
	/* RFC 5880 §6.8.7, all of it: from 75 % to 100 %, or to 90 %; and it is still drawn. */
	int64_t most = c->mult == 1 ? 90 : 100;
	assert_true(all->least_ns >= interval_ns * 75 / 100);
	assert_true(all->most_ns <= interval_ns * most / 100);
	assert_true(all->least_ns < interval_ns * 81 / 100);
	assert_true(all->most_ns > interval_ns * (most - 4) / 100);
	assert_in_range(mean_ns(all) * 100 / interval_ns, (75 + most) / 2 - 5, (75 + most) / 2 + 3);
	free(all);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(cases)];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = shares_wakeups,
						.initial_state = (void *)(uintptr_t)&cases[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
