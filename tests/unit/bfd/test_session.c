#include "bfd/session.h"
#include "support.h"

#define US(n)	   ((struct mono){ .ns = (int64_t)(n)*1000 })
#define OUR_DISC   0x11
#define THEIR_DISC 0x22
#define START_US   5000000
#define PEER_TX_US 40000u
#define PEER_RX_US 30000u
#define PEER_MULT  4
#define OUR_TX_US  50000u
#define OUR_RX_US  60000u
#define OUR_MULT   3

/** A session, its clock, and what came out of it since the last call. */
struct rig {
	struct bfd_session s;
	struct mono now;
	unsigned sent;
	unsigned finals;
	struct bfd_pkt last;
	unsigned changes;
	struct bfd_change change;
};

static struct rng jitter;

static const struct bfd_session_conf plain_conf = { .desired_min_tx_us = OUR_TX_US,
						    .required_min_rx_us = OUR_RX_US,
						    .detect_mult = OUR_MULT };

static void drain(struct rig *r)
{
	struct bfd_out out;

	r->sent = r->finals = r->changes = 0;
	while (bfd_session_next(&r->s, r->now, &out)) {
		if (out.kind == BFD_OUT_CHANGE) {
			assert_int_equal(r->sent, 0); /* the owner knows before the peer */
			r->changes++;
			r->change = out.change;
		} else {
			r->sent++;
			r->finals += out.pkt.final;
			assert_false(out.pkt.final && out.pkt.poll);
			r->last = out.pkt;
		}
	}
}

static struct rig rig_start(const struct bfd_session_conf *conf)
{
	struct rig r = { .now = US(START_US) };

	rng_seed(&jitter, 7);
	bfd_session_init(&r.s, conf, OUR_DISC, &jitter, r.now);
	return r;
}

static struct bfd_pkt from_peer(uint8_t state)
{
	return (struct bfd_pkt){ .state = state,
				 .detect_mult = PEER_MULT,
				 .my_disc = THEIR_DISC,
				 .your_disc = OUR_DISC,
				 .desired_min_tx_us = PEER_TX_US,
				 .required_min_rx_us = PEER_RX_US };
}

static int feed_pkt(struct rig *r, const struct bfd_pkt *pkt)
{
	int ret = bfd_session_rx(&r->s, pkt, r->now);
	drain(r);
	return ret;
}

static int feed(struct rig *r, uint8_t state)
{
	struct bfd_pkt pkt = from_peer(state);

	return feed_pkt(r, &pkt);
}

static void tick_at(struct rig *r, struct mono at)
{
	r->now = at;
	bfd_session_tick(&r->s, at);
	drain(r);
}

static void tick_after_us(struct rig *r, int64_t us)
{
	tick_at(r, mono_add(r->now, DUR_US(us)));
}

static void apply(struct rig *r, const struct bfd_session_conf *conf)
{
	bfd_session_apply(&r->s, conf, r->now);
	drain(r);
}

static struct rig rig_in(uint8_t state, const struct bfd_session_conf *conf)
{
	struct bfd_session_conf held = *conf;

	held.admin_down |= state == BFD_ADMIN_DOWN;
	struct rig r = rig_start(&held);
	if (state == BFD_INIT)
		assert_int_equal(feed(&r, BFD_DOWN), 0);
	if (state == BFD_UP)
		assert_int_equal(feed(&r, BFD_INIT), 0);
	assert_int_equal(r.s.state, state);
	return r;
}

/* An Up session whose first poll is answered. */
static struct rig rig_settled(const struct bfd_session_conf *conf)
{
	struct rig r = rig_in(BFD_UP, conf);
	struct bfd_pkt final = from_peer(BFD_UP);

	final.final = true;
	assert_int_equal(feed_pkt(&r, &final), 0);
	assert_int_equal(r.s.poll, BFD_POLL_NONE);
	return r;
}

/* ---- RFC 5880 §6.8.6: what each state makes of each received state ---- */

struct step_case {
	const char *name;
	uint8_t ours;
	uint8_t theirs;
	uint8_t want;
	uint8_t diag;
	bool ignored;
};

static const struct step_case step_cases[] = {
	{ "AdminDown gets AdminDown", BFD_ADMIN_DOWN, BFD_ADMIN_DOWN, BFD_ADMIN_DOWN,
	  BFD_DIAG_ADMIN_DOWN, true },
	{ "AdminDown gets Down", BFD_ADMIN_DOWN, BFD_DOWN, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN,
	  true },
	{ "AdminDown gets Init", BFD_ADMIN_DOWN, BFD_INIT, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN,
	  true },
	{ "AdminDown gets Up", BFD_ADMIN_DOWN, BFD_UP, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN, true },
	{ "Down gets AdminDown", BFD_DOWN, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NONE, false },
	{ "Down gets Down", BFD_DOWN, BFD_DOWN, BFD_INIT, BFD_DIAG_NONE, false },
	{ "Down gets Init", BFD_DOWN, BFD_INIT, BFD_UP, BFD_DIAG_NONE, false },
	{ "Down gets Up", BFD_DOWN, BFD_UP, BFD_DOWN, BFD_DIAG_NONE, false },
	{ "Init gets AdminDown", BFD_INIT, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN,
	  false },
	{ "Init gets Down", BFD_INIT, BFD_DOWN, BFD_INIT, BFD_DIAG_NONE, false },
	{ "Init gets Init", BFD_INIT, BFD_INIT, BFD_UP, BFD_DIAG_NONE, false },
	{ "Init gets Up", BFD_INIT, BFD_UP, BFD_UP, BFD_DIAG_NONE, false },
	{ "Up gets AdminDown", BFD_UP, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN, false },
	{ "Up gets Down", BFD_UP, BFD_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN, false },
	{ "Up gets Init", BFD_UP, BFD_INIT, BFD_UP, BFD_DIAG_NONE, false },
	{ "Up gets Up", BFD_UP, BFD_UP, BFD_UP, BFD_DIAG_NONE, false },
};

static void steps(void **state)
{
	const struct step_case *c = *state;
	struct rig r = rig_in(c->ours, &plain_conf);

	r.now = mono_add(r.now, DUR_US(1));
	assert_int_equal(feed(&r, c->theirs), c->ignored ? BFD_RX_IGNORED : 0);
	assert_int_equal(r.s.state, c->want);
	assert_int_equal(r.s.local_diag, c->diag);
	assert_int_equal(r.changes, c->want != c->ours);
	assert_int_equal(r.sent, c->want != c->ours); /* a change is told at once */
	if (!r.changes)
		return;
	assert_int_equal(r.change.old_state, c->ours);
	assert_int_equal(r.change.new_state, c->want);
	assert_int_equal(r.change.remote_state, c->theirs);
	assert_int_equal(r.change.at.ns, r.now.ns);
	assert_int_equal(r.last.state, c->want);
	assert_int_equal(r.last.your_disc, THEIR_DISC);
}

/* ---- §6.8.4: the detection time ---- */

static void detection_time(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct mono due = mono_add(r.now, DUR_US(PEER_MULT * OUR_RX_US)); /* ours is the larger */

	assert_int_equal(bfd_session_detect_time(&r.s).ns, DUR_US(PEER_MULT * OUR_RX_US).ns);
	tick_at(&r, mono_add(due, DUR_US(-1)));
	assert_int_equal(r.s.state, BFD_UP);
	tick_at(&r, due);
	assert_int_equal(r.s.state, BFD_DOWN);
	assert_int_equal(r.change.local_diag, BFD_DIAG_EXPIRED);
	assert_int_equal(r.sent, 1);
	assert_int_equal(r.last.diag, BFD_DIAG_EXPIRED);
	assert_int_equal(r.last.your_disc, 0); /* forgotten, §6.8.1 */
	assert_int_equal(r.last.desired_min_tx_us, BFD_SLOW_TX_US);
}

static void detection_follows_the_peers_interval(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_pkt slow = from_peer(BFD_UP);

	slow.desired_min_tx_us = 200000;
	slow.detect_mult = 2;
	assert_int_equal(feed_pkt(&r, &slow), 0);
	assert_int_equal(bfd_session_detect_time(&r.s).ns, DUR_US(400000).ns);
	assert_int_equal(bfd_session_rx_interval_us(&r.s), 200000);
}

static void packet_that_waited_counts_from_its_arrival(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_pkt up = from_peer(BFD_UP);
	struct mono late = mono_add(r.now, DUR_US(300000));
	struct mono arrived = mono_add(r.now, DUR_US(200000));

	assert_int_equal(bfd_session_rx(&r.s, &up, arrived), 0);
	tick_at(&r, late);
	assert_int_equal(r.s.state, BFD_UP);
	tick_at(&r, mono_add(arrived, DUR_US(PEER_MULT * OUR_RX_US)));
	assert_int_equal(r.s.state, BFD_DOWN);
}

static void a_pause_of_ours_is_not_their_silence(void **state)
{
	struct rig r = rig_settled(&plain_conf);
	struct dur detect = bfd_session_detect_time(&r.s);
	struct mono back = mono_add(r.now, DUR_NS(5 * detect.ns));
	(void)state;

	bfd_session_was_away(&r.s, back);
	tick_at(&r, mono_add(back, DUR_NS(detect.ns - 1)));
	assert_int_equal(r.s.state, BFD_UP);
	bfd_session_was_away(
		&r.s, r.now); /* once is enough: a host that starves still learns of a death */
	tick_after_us(&r, 1);
	assert_int_equal(r.s.state, BFD_DOWN);
}

static void a_packet_from_before_the_pause_takes_nothing_back(void **state)
{
	struct rig r = rig_settled(&plain_conf);
	struct mono heard = r.now;
	struct dur detect = bfd_session_detect_time(&r.s);
	struct mono back = mono_add(heard, DUR_NS(5 * detect.ns));
	(void)state;

	bfd_session_was_away(&r.s, back);
	r.now = mono_add(heard, DUR_US(1));
	assert_int_equal(feed(&r, BFD_UP), 0);
	tick_at(&r, mono_add(back, DUR_NS(detect.ns - 1)));
	assert_int_equal(r.s.state, BFD_UP);
	r.now = mono_add(r.now, DUR_US(1));
	assert_int_equal(feed(&r, BFD_UP), 0);
	assert_int_equal(r.s.detect_at.ns, mono_add(r.now, detect).ns);
}

static void init_expires_too(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_INIT, &plain_conf);

	tick_after_us(&r, PEER_MULT * OUR_RX_US);
	assert_int_equal(r.s.state, BFD_DOWN);
	assert_int_equal(r.change.old_state, BFD_INIT);
	assert_int_equal(r.s.local_diag, BFD_DIAG_EXPIRED);
}

static void discriminator_is_remembered_for_a_detection_time(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_UP, &plain_conf);

	assert_int_equal(feed(&r, BFD_ADMIN_DOWN), 0);
	assert_int_equal(r.last.your_disc, THEIR_DISC);
	tick_after_us(&r, PEER_MULT * OUR_RX_US - 1);
	assert_int_equal(r.s.remote_disc, THEIR_DISC);
	tick_after_us(&r, 1);
	assert_int_equal(r.s.remote_disc, 0);
	assert_int_equal(r.changes, 0);
}

/* ---- §6.8.7: when packets leave ---- */

struct pace_case {
	const char *name;
	uint8_t mult;
	uint32_t conf_tx_us;
	uint32_t peer_rx_us;
	bool up;
	int64_t least_us;
	int64_t most_us;
};

static const struct pace_case pace_cases[] = {
	{ "slow start", 3, OUR_TX_US, PEER_RX_US, false, 750000, 1000000 },
	{ "slow start, slower by configuration", 3, 2000000, PEER_RX_US, false, 1500000, 2000000 },
	{ "our interval is larger", 3, 50000, 30000, true, 37500, 50000 },
	{ "the peer's is larger", 3, 50000, 80000, true, 60000, 80000 },
	{ "multiplier 1", 1, 50000, 30000, true, 37500, 45000 },
	{ "3.3 ms", 3, 3300, 3300, true, 2475, 3300 },
};

static void paces(void **state)
{
	const struct pace_case *c = *state;
	struct bfd_session_conf conf = { .desired_min_tx_us = c->conf_tx_us,
					 .required_min_rx_us = OUR_RX_US,
					 .detect_mult = c->mult };
	struct rig r = rig_start(&conf);
	struct bfd_pkt pkt = from_peer(c->up ? BFD_INIT : BFD_ADMIN_DOWN);
	int64_t least = INT64_MAX, most = 0;

	pkt.required_min_rx_us = c->peer_rx_us;
	assert_int_equal(feed_pkt(&r, &pkt), 0);
	tick_at(&r, mono_add(r.now, DUR_US(c->most_us)));
	for (int i = 0; i < 2000; i++) {
		pkt.state = c->up ? BFD_UP : BFD_ADMIN_DOWN;
		assert_int_equal(feed_pkt(&r, &pkt), 0);
		assert_int_equal(r.sent, 0);
		int64_t gap = mono_sub(r.s.tx_at, r.now).ns / 1000;
		least = MIN(least, gap);
		most = MAX(most, gap);
		tick_at(&r, r.s.tx_at);
		assert_int_equal(r.sent, 1);
	}
	/* Both ends are kept clear, for packets that leave ahead of their time and a little late. */
	int64_t room = bfd_session_ahead(&r.s).ns / 1000;
	int64_t blur = (c->most_us - c->least_us) / 20;
	int64_t late = c->least_us * 4 / 3 / 50;
	assert_int_equal(room, MIN(c->least_us * 4 / 3 / 20, 2500));
	assert_in_range(least, c->least_us + room, c->least_us + room + blur);
	assert_in_range(most, c->most_us - late - blur, c->most_us - late);
}

static void first_packet_leaves_at_once(void **state)
{
	(void)state;
	struct rig r = rig_start(&plain_conf);

	assert_int_equal(bfd_session_deadline(&r.s).ns, r.now.ns);
	tick_at(&r, r.now);
	assert_int_equal(r.sent, 1);
	assert_int_equal(r.last.state, BFD_DOWN);
	assert_int_equal(r.last.my_disc, OUR_DISC);
	assert_int_equal(r.last.your_disc, 0);
	assert_int_equal(r.last.desired_min_tx_us, BFD_SLOW_TX_US);
	assert_int_equal(r.last.required_min_rx_us, OUR_RX_US);
	assert_int_equal(r.last.required_min_echo_us, 0);
	assert_int_equal(r.last.detect_mult, OUR_MULT);
}

static void remote_minimum_of_zero_stops_us(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_pkt mute = from_peer(BFD_UP);

	mute.required_min_rx_us = 0;
	assert_int_equal(feed_pkt(&r, &mute), 0);
	assert_true(mono_is_never(r.s.tx_at));
	mute.poll = true; /* a poll is answered all the same */
	assert_int_equal(feed_pkt(&r, &mute), 0);
	assert_int_equal(r.finals, 1);
	assert_true(mono_is_never(r.s.tx_at));
	assert_int_equal(feed(&r, BFD_UP), 0); /* and it goes on when the peer wants it */
	assert_false(mono_is_never(r.s.tx_at));
}

static void demand_mode_of_the_peer_stops_us(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_session_conf faster = plain_conf;
	struct bfd_pkt demand = from_peer(BFD_UP);

	demand.demand = true;
	assert_int_equal(feed_pkt(&r, &demand), 0);
	assert_true(mono_is_never(r.s.tx_at));
	faster.desired_min_tx_us = 20000;
	apply(&r, &faster); /* a poll needs packets */
	assert_false(mono_is_never(r.s.tx_at));
	tick_at(&r, r.s.tx_at);
	assert_true(r.last.poll);
	demand.final = true;
	assert_int_equal(feed_pkt(&r, &demand), 0);
	assert_true(mono_is_never(r.s.tx_at));
}

static void packet_may_leave_ahead_of_its_time(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_UP, &plain_conf);
	struct dur ahead = bfd_session_ahead(&r.s);

	assert_true(ahead.ns > 0);
	r.now = mono_add(r.s.tx_at, DUR_NS(-ahead.ns - 1));
	bfd_session_send_ahead(&r.s, r.now, ahead);
	drain(&r);
	assert_int_equal(r.sent, 0);
	r.now = mono_add(r.now, DUR_NS(1));
	bfd_session_send_ahead(&r.s, r.now, ahead);
	drain(&r);
	assert_int_equal(r.sent, 1);
	assert_int_equal(r.s.tx_last.ns, r.now.ns);
}

static void passive_waits_to_be_spoken_to(void **state)
{
	(void)state;
	struct bfd_session_conf conf = plain_conf;

	conf.passive = true;
	struct rig r = rig_start(&conf);
	assert_true(mono_is_never(bfd_session_deadline(&r.s)));
	assert_int_equal(feed(&r, BFD_DOWN), 0);
	assert_int_equal(r.s.state, BFD_INIT);
	assert_int_equal(r.sent, 1);
	assert_int_equal(feed(&r, BFD_UP), 0);
	assert_int_equal(r.s.state, BFD_UP);
	tick_after_us(&r, PEER_MULT * OUR_RX_US);
	assert_int_equal(r.s.state, BFD_DOWN);
	assert_int_equal(r.sent, 0); /* the peer is forgotten, so there is nobody to speak to */
	assert_true(mono_is_never(bfd_session_deadline(&r.s)));
}

static void endless_changes_are_not_answered_endlessly(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_UP, &plain_conf);
	unsigned sent = 0;

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(feed(&r, i % 2 ? BFD_INIT : BFD_ADMIN_DOWN), 0);
		assert_int_equal(r.changes, 1);
		sent += r.sent;
	}
	assert_in_range(sent, 3, 10);
	tick_at(&r, r.s.tx_at);
	assert_int_equal(r.sent, 1);
}

/* ---- §6.5, §6.8.3: poll sequences ---- */

static void poll_is_answered(void **state)
{
	static const uint8_t states[] = { BFD_DOWN, BFD_INIT, BFD_UP };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct rig r = rig_settled(&plain_conf);
		struct bfd_pkt poll = from_peer(states[i]);

		poll.poll = true;
		assert_int_equal(feed_pkt(&r, &poll), 0);
		assert_int_equal(r.finals, 1);
		assert_int_equal(r.sent, 1);
		assert_int_equal(r.last.state, r.s.state);
	}
}

static void poll_in_admin_down_is_not_answered(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_ADMIN_DOWN, &plain_conf);
	struct bfd_pkt poll = from_peer(BFD_DOWN);

	poll.poll = true;
	assert_int_equal(feed_pkt(&r, &poll), BFD_RX_IGNORED);
	assert_int_equal(r.sent, 0);
}

static void coming_up_polls_until_final(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_UP, &plain_conf);
	struct bfd_pkt final = from_peer(BFD_UP);

	assert_true(r.last.poll); /* one second was said before, now our own interval */
	assert_int_equal(r.last.desired_min_tx_us, OUR_TX_US);
	for (int i = 0; i < 3; i++) {
		tick_at(&r, r.s.tx_at);
		assert_true(r.last.poll);
	}
	final.final = true;
	assert_int_equal(feed_pkt(&r, &final), 0);
	tick_at(&r, r.s.tx_at);
	assert_false(r.last.poll);
}

static void no_poll_when_nothing_changes(void **state)
{
	(void)state;
	struct bfd_session_conf slow = plain_conf;

	slow.desired_min_tx_us = 2 * BFD_SLOW_TX_US;
	struct rig r = rig_in(BFD_UP, &slow);
	assert_false(r.last.poll);
	apply(&r, &slow);
	tick_at(&r, r.s.tx_at);
	assert_false(r.last.poll);
}

struct param_case {
	const char *name;
	uint32_t tx_us, rx_us;		       /* the new configuration */
	uint32_t polling_tx_us, polling_rx_us; /* what counts until F */
};

static const struct param_case param_cases[] = {
	{ "faster tx at once", 40000, OUR_RX_US, 40000, OUR_RX_US },
	{ "slower tx after final", 90000, OUR_RX_US, OUR_TX_US, OUR_RX_US },
	{ "larger rx at once", OUR_TX_US, 90000, OUR_TX_US, 90000 },
	{ "smaller rx after final", OUR_TX_US, 45000, OUR_TX_US, OUR_RX_US },
	{ "both wait", 90000, 45000, OUR_TX_US, OUR_RX_US },
};

static void changes_live(void **state)
{
	const struct param_case *c = *state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_session_conf conf = plain_conf;
	struct bfd_pkt final = from_peer(BFD_UP);

	conf.desired_min_tx_us = c->tx_us;
	conf.required_min_rx_us = c->rx_us;
	apply(&r, &conf);
	assert_int_equal(r.changes, 0);
	assert_int_equal(r.sent, 0); /* P rides on the periodic packet, §6.5 */
	assert_int_equal(feed(&r, BFD_UP), 0);
	assert_int_equal(r.s.tx_interval_us, c->polling_tx_us);
	assert_int_equal(bfd_session_rx_interval_us(&r.s), c->polling_rx_us);
	tick_at(&r, r.s.tx_at);
	assert_true(r.last.poll);
	assert_int_equal(r.last.desired_min_tx_us, c->tx_us);
	assert_int_equal(r.last.required_min_rx_us, c->rx_us);
	final.final = true;
	assert_int_equal(feed_pkt(&r, &final), 0);
	assert_int_equal(r.s.tx_interval_us, c->tx_us);
	assert_int_equal(bfd_session_rx_interval_us(&r.s), c->rx_us);
	assert_int_equal(r.s.state, BFD_UP);
}

static void change_during_a_poll_polls_again(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_session_conf conf = plain_conf;
	struct bfd_pkt final = from_peer(BFD_UP);

	final.final = true;
	conf.desired_min_tx_us = 80000;
	apply(&r, &conf);
	tick_at(&r, r.s.tx_at);
	conf.desired_min_tx_us = 90000;
	apply(&r, &conf);
	assert_int_equal(feed_pkt(&r, &final), 0); /* answers the first */
	assert_int_equal(r.s.tx_interval_us, OUR_TX_US);
	tick_at(&r, r.s.tx_at);
	assert_false(r.last.poll);
	tick_at(&r, r.s.tx_at);
	assert_true(r.last.poll);
	assert_int_equal(feed_pkt(&r, &final), 0);
	assert_int_equal(r.s.tx_interval_us, 90000);
}

static void endless_polls_do_not_hold_ours_back(void **state)
{
	(void)state;
	struct rig r = rig_in(BFD_UP, &plain_conf);
	struct bfd_pkt poll = from_peer(BFD_UP);
	struct mono at = r.s.tx_at;

	poll.poll = true;
	for (int i = 0; i < 10; i++) {
		r.now = mono_add(r.now, DUR_US(1000));
		assert_int_equal(feed_pkt(&r, &poll), 0);
		assert_int_equal(r.finals, 1);
		assert_int_equal(r.s.tx_at.ns, at.ns);
	}
	tick_at(&r, at);
	assert_true(r.last.poll);
}

/* ---- §6.8.16: held down by us ---- */

static void admin_down_and_back(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);
	struct bfd_session_conf held = plain_conf;

	held.admin_down = true;
	apply(&r, &held);
	assert_int_equal(r.change.new_state, BFD_ADMIN_DOWN);
	assert_int_equal(r.sent, 1);
	assert_int_equal(r.last.state, BFD_ADMIN_DOWN);
	assert_int_equal(r.last.diag, BFD_DIAG_ADMIN_DOWN);
	assert_int_equal(r.last.your_disc, THEIR_DISC);
	assert_int_equal(r.last.desired_min_tx_us, BFD_SLOW_TX_US);
	apply(&r, &held);
	assert_int_equal(r.changes + r.sent, 0);
	apply(&r, &plain_conf);
	assert_int_equal(r.change.new_state, BFD_DOWN);
	assert_int_equal(r.last.diag, BFD_DIAG_NONE);
	assert_int_equal(feed(&r, BFD_DOWN), 0);
	assert_int_equal(r.s.state, BFD_INIT);
}

static void their_admin_down_stays_known_when_they_fall_silent(void **state)
{
	(void)state;
	struct rig r = rig_settled(&plain_conf);

	assert_int_equal(feed(&r, BFD_ADMIN_DOWN), 0);
	tick_at(&r, r.s.detect_at);
	assert_int_equal(r.s.remote_disc, 0);
	assert_int_equal(r.s.remote_state, BFD_ADMIN_DOWN);
}

/* ---- sessions of ours on both ends ---- */

static void no_slow_start_for_a_while(void **state)
{
	struct bfd_session_conf conf = plain_conf;
	(void)state;

	conf.full_rate = DUR_S(60);
	struct rig r = rig_start(&conf);

	tick_after_us(&r, 0);
	assert_int_equal(r.last.desired_min_tx_us, OUR_TX_US);
	assert_int_equal(r.s.tx_interval_us, OUR_TX_US);
	tick_after_us(&r, 59999999);
	assert_int_equal(r.last.desired_min_tx_us, OUR_TX_US);
	tick_after_us(&r, 1);
	tick_at(&r, r.s.tx_at);
	assert_int_equal(r.last.desired_min_tx_us, BFD_SLOW_TX_US);
	assert_int_equal(r.s.tx_interval_us, BFD_SLOW_TX_US);
	assert_false(mono_is_never(bfd_session_deadline(&r.s)));
}

static void a_loss_is_hurried_too(void **state)
{
	struct bfd_session_conf conf = plain_conf;
	(void)state;

	conf.full_rate = DUR_S(60);
	struct rig r = rig_settled(&conf);

	tick_after_us(&r, 3600000000);
	assert_int_equal(r.s.state, BFD_DOWN);
	assert_int_equal(r.s.tx_interval_us, OUR_TX_US);
}

/* What the core is told in one word instead of by packets leaves it the same, in every detail. */
static void heard_is_the_same_packet_again(void **state)
{
	(void)state;
	struct rig fed = rig_start(&plain_conf);
	struct bfd_pkt pkt = from_peer(BFD_UP);

	assert_int_equal(feed(&fed, BFD_DOWN), 0);
	assert_false(bfd_session_is_steady(&fed.s));
	assert_int_equal(feed(&fed, BFD_UP), 0);
	assert_true(bfd_session_is_steady(&fed.s));
	tick_after_us(&fed, 1000);
	struct rig told = fed;
	struct rng theirs = jitter;

	for (int i = 0; i < 5; i++) {
		fed.now = mono_add(fed.now, DUR_US(PEER_TX_US));
		assert_int_equal(feed_pkt(&fed, &pkt), 0);
	}
	jitter = theirs;
	bfd_session_heard(&told.s, fed.now);
	bfd_session_heard(&told.s, told.now);	  /* late news */
	told.s.rx_seq_until = fed.s.rx_seq_until; /* which counts with authentication alone */
	assert_memory_equal(&told.s, &fed.s, sizeof(fed.s));

	tick_at(&told, mono_add(told.s.detect_at, DUR_NS(-1)));
	assert_int_equal(told.s.state, BFD_UP);
	tick_at(&told, told.s.detect_at);
	assert_int_equal(told.s.state, BFD_DOWN);
	bfd_session_heard(&told.s, told.now);
	assert_int_equal(told.s.state, BFD_DOWN);
	assert_true(mono_is_never(told.s.detect_at));
}

static void who_is_silenced_or_has_to_prove_itself_is_not_steady(void **state)
{
	(void)state;
	struct bfd_session_conf conf = plain_conf;
	struct bfd_pkt quiet = from_peer(BFD_UP);

	conf.demand = true;
	struct rig r = rig_start(&conf);
	(void)feed(&r, BFD_DOWN);
	(void)feed(&r, BFD_UP);
	assert_int_equal(r.s.state, BFD_UP);
	assert_false(bfd_session_is_steady(&r.s));
	apply(&r, &plain_conf);
	assert_true(bfd_session_is_steady(&r.s));
	quiet.demand = true;
	assert_int_equal(feed_pkt(&r, &quiet), 0);
	assert_false(bfd_session_is_steady(&r.s));
}

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(detection_time),
		cmocka_unit_test(detection_follows_the_peers_interval),
		cmocka_unit_test(packet_that_waited_counts_from_its_arrival),
		cmocka_unit_test(a_pause_of_ours_is_not_their_silence),
		cmocka_unit_test(a_packet_from_before_the_pause_takes_nothing_back),
		cmocka_unit_test(init_expires_too),
		cmocka_unit_test(discriminator_is_remembered_for_a_detection_time),
		cmocka_unit_test(first_packet_leaves_at_once),
		cmocka_unit_test(remote_minimum_of_zero_stops_us),
		cmocka_unit_test(demand_mode_of_the_peer_stops_us),
		cmocka_unit_test(packet_may_leave_ahead_of_its_time),
		cmocka_unit_test(passive_waits_to_be_spoken_to),
		cmocka_unit_test(endless_changes_are_not_answered_endlessly),
		cmocka_unit_test(poll_is_answered),
		cmocka_unit_test(poll_in_admin_down_is_not_answered),
		cmocka_unit_test(coming_up_polls_until_final),
		cmocka_unit_test(no_poll_when_nothing_changes),
		cmocka_unit_test(change_during_a_poll_polls_again),
		cmocka_unit_test(endless_polls_do_not_hold_ours_back),
		cmocka_unit_test(admin_down_and_back),
		cmocka_unit_test(their_admin_down_stays_known_when_they_fall_silent),
		cmocka_unit_test(heard_is_the_same_packet_again),
		cmocka_unit_test(who_is_silenced_or_has_to_prove_itself_is_not_steady),
		cmocka_unit_test(no_slow_start_for_a_while),
		cmocka_unit_test(a_loss_is_hurried_too),
	};

	return RUN_TABLE("bfd state table", step_cases, steps) |
	       RUN_TABLE("bfd pace", pace_cases, paces) |
	       RUN_TABLE("bfd parameters", param_cases, changes_live) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
