#include "bfd/session.h"

/* Out-of-turn packets between two in turn: a change takes three, two confused peers would take any
 * number. */
#define URGENT_MAX   8

#define AHEAD_MAX_NS 2500000

/* §6.6: we have asked the peer to be quiet. */
static bool demands(const struct bfd_session *s)
{
	return s->conf.demand && s->state == BFD_UP && s->remote_state == BFD_UP;
}

static uint32_t tx_interval_us(const struct bfd_session *s)
{
	if (s->conf.passive && s->remote_disc == 0) /* §6.8.7 */
		return 0;
	if (s->remote_min_rx_us == 0)
		return 0;
	/* Demand mode of the peer (§6.6): quiet while all is well, except for a poll of ours. */
	if (s->remote_demand && s->state == BFD_UP && s->remote_state == BFD_UP &&
	    s->poll == BFD_POLL_NONE)
		return 0;
	return MAX(s->desired_tx_used_us, s->remote_min_rx_us);
}

static int64_t ahead_ns(int64_t interval_ns)
{
	return MIN(interval_ns / 20, AHEAD_MAX_NS);
}

struct dur bfd_session_ahead(const struct bfd_session *s)
{
	return DUR_NS(ahead_ns((int64_t)s->tx_interval_us * 1000));
}

/* §6.8.7: 0-25 % less than the interval, and with a multiplier of one 10-25 %; also when the packet
 * leaves ahead of its time, or our own wake-up is a little late. */
static int64_t least_ns(int64_t interval_ns)
{
	return interval_ns - interval_ns / 4 + ahead_ns(interval_ns);
}

static int64_t most_ns(const struct bfd_session *s, int64_t interval_ns)
{
	return (s->conf.detect_mult == 1 ? interval_ns / 10 * 9 : interval_ns) - interval_ns / 50;
}

static struct dur jittered(const struct bfd_session *s, uint32_t interval_us)
{
	int64_t ns = (int64_t)interval_us * 1000;

	return DUR_NS(rng_between(s->rng, least_ns(ns), most_ns(s, ns)));
}

/* In the range that this session draws from? */
static bool can_send_at(const struct bfd_session *s, struct mono at)
{
	int64_t interval_ns = (int64_t)s->tx_interval_us * 1000;
	struct dur since = mono_sub(at, s->tx_last);

	return interval_ns && since.ns >= least_ns(interval_ns) &&
	       since.ns <= most_ns(s, interval_ns);
}

void bfd_session_accompany(struct bfd_session *s, struct bfd_company *c)
{
	if (c->n > 0 && c->n < BFD_COMPANY_MAX && can_send_at(s, c->at))
		s->tx_at = c->at;
	else
		*c = (struct bfd_company){ .at = s->tx_at };
	c->n++;
}

/* A shorter interval counts from the last packet on, a longer one from the next. */
static void tx_replan(struct bfd_session *s, struct mono now)
{
	uint32_t interval_us = tx_interval_us(s);
	uint32_t before_us = s->tx_interval_us;

	if (interval_us == before_us)
		return;
	s->tx_interval_us = interval_us;
	if (interval_us == 0) {
		s->tx_at = MONO_NEVER;
		return;
	}
	if (before_us != 0 && interval_us > before_us)
		return;
	struct mono at = mono_add(s->tx_last, jittered(s, interval_us));
	if (mono_before(at, now))
		at = now;
	s->tx_at = mono_min(s->tx_at, at);
}

struct dur bfd_session_detect_time(const struct bfd_session *s)
{
	return DUR_NS((int64_t)s->remote_detect_mult * 1000 * bfd_session_rx_interval_us(s));
}

uint32_t bfd_session_rx_interval_us(const struct bfd_session *s)
{
	return s->remote_disc ? MAX(s->required_rx_used_us, s->remote_desired_tx_us) : 0;
}

struct dur bfd_session_remote_detect_time(const struct bfd_session *s)
{
	uint32_t interval_us = MAX(s->desired_tx_us, s->remote_min_rx_us);

	return DUR_NS((int64_t)s->conf.detect_mult * 1000 * interval_us);
}

/* §6.8.4, last paragraph: who has silenced its peer learns of a failure from a poll without an answer. */
static void detect_replan_demand(struct bfd_session *s)
{
	uint32_t interval_us = MAX(s->desired_tx_used_us, s->remote_min_rx_us);
	struct dur time = DUR_NS((int64_t)s->conf.detect_mult * 1000 * interval_us);

	struct mono from =
		mono_before(s->polled_at, s->silent_from) ? s->silent_from : s->polled_at;

	s->detect_at = mono_is_never(s->polled_at) ? MONO_NEVER : mono_add(from, time);
}

static void detect_replan(struct bfd_session *s)
{
	bool heard = s->remote_disc != 0;

	if (demands(s))
		detect_replan_demand(s);
	else
		s->detect_at =
			heard ? mono_add(s->silent_from, bfd_session_detect_time(s)) : MONO_NEVER;
}

/* The values of our packets follow state and configuration; what takes effect at once is decided
 * here (§6.8.3). */
static void params_update(struct bfd_session *s)
{
	uint32_t desired_us = s->conf.desired_min_tx_us;
	uint32_t required_us = s->conf.required_min_rx_us;

	if (s->state != BFD_UP && !s->hurried)
		desired_us = MAX(desired_us, BFD_SLOW_TX_US);
	if (s->state == BFD_UP && s->echo_on)
		required_us = MAX(required_us, BFD_SLOW_TX_US);
	bool differs = desired_us != s->desired_tx_us || required_us != s->required_rx_us;
	s->desired_tx_us = desired_us;
	s->required_rx_us = required_us;

	if (s->state != BFD_UP) {
		/* Each packet tells; nobody's detection depends on it yet, so no poll is needed. */
		s->desired_tx_used_us = desired_us;
		s->required_rx_used_us = s->required_rx_us;
		s->poll = BFD_POLL_NONE;
		s->poll_again = false;
		s->polled_at = MONO_NEVER;
		return;
	}
	s->desired_tx_used_us = MIN(s->desired_tx_used_us, desired_us);
	s->required_rx_used_us = MAX(s->required_rx_used_us, s->required_rx_us);
	if (!differs)
		return;
	if (s->poll == BFD_POLL_NONE)
		s->poll = BFD_POLL_ACTIVE;
	else if (s->poll == BFD_POLL_ACTIVE)
		s->poll_again = true;
}

/* A change is told to the peer at once (§6.8.7), unless the two have worked each other up. */
static void want_send(struct bfd_session *s)
{
	if (s->urgent >= URGENT_MAX)
		return;
	s->urgent++;
	s->send_wanted = true;
}

/* In demand mode polls are all that tells us of the peer: the next one follows a detection time after this. */
static void poll_schedule(struct bfd_session *s, struct mono now)
{
	bool rests = demands(s) && s->poll == BFD_POLL_NONE;

	if (!rests)
		s->poll_at = MONO_NEVER;
	else if (mono_is_never(s->poll_at))
		s->poll_at = mono_add(now, bfd_session_detect_time(s));
}

/* A poll sequence begins, if none is under way. */
static void poll_begin(struct bfd_session *s)
{
	if (s->state != BFD_UP || s->poll != BFD_POLL_NONE)
		return;
	s->poll = BFD_POLL_ACTIVE;
	want_send(s);
}

static void poll_finish(struct bfd_session *s)
{
	if (s->poll != BFD_POLL_ACTIVE)
		return;
	s->polled_at = MONO_NEVER;
	if (s->poll_again) {
		s->poll_again = false;
		s->poll = BFD_POLL_PAUSE;
		return;
	}
	s->poll = BFD_POLL_NONE;
	s->desired_tx_used_us = s->desired_tx_us;
	s->required_rx_used_us = s->required_rx_us;
}

static void note_change(struct bfd_session *s, uint8_t old_state, struct mono now)
{
	if (!s->changed)
		s->change.old_state = old_state;
	s->changed = true;
	s->change.new_state = s->state;
	s->change.remote_state = s->remote_state;
	s->change.local_diag = s->local_diag;
	s->change.remote_diag = s->remote_diag;
	s->change.at = now;
}

/* From a start or a loss on, the session may come up fast. */
static void hurry(struct bfd_session *s, struct mono now)
{
	s->hurried = s->conf.full_rate.ns > 0;
	s->full_until = s->hurried ? mono_add(now, s->conf.full_rate) : MONO_NEVER;
}

/* The peer stays away: there is no hurry any more. */
static void hurry_ends(struct bfd_session *s, struct mono now)
{
	s->hurried = false;
	s->full_until = MONO_NEVER;
	params_update(s);
	detect_replan(s);
	tx_replan(s, now);
}

static void enter(struct bfd_session *s, uint8_t state, uint8_t diag, struct mono now)
{
	uint8_t old_state = s->state;

	if (state == old_state)
		return;
	s->state = state;
	if (old_state == BFD_UP && state == BFD_DOWN) {
		s->held_until = mono_add(now, s->conf.hold_down);
		hurry(s, now);
	}
	/* Init is halfway: the reason for having been down stays until the session is up. */
	if (state != BFD_INIT)
		s->local_diag = diag;
	params_update(s);
	note_change(s, old_state, now);
	want_send(s);
}

static void forget_remote(struct bfd_session *s)
{
	s->remote_disc = 0;
	/* Of one that was taken down by a person, and then says no more, that stays known. */
	if (s->remote_state != BFD_ADMIN_DOWN)
		s->remote_state = BFD_DOWN;
	s->remote_min_rx_us = 1; /* as at the start, §6.8.1 */
	s->remote_demand = false;
	s->remote_min_echo_us = 0;
	s->poll_at = MONO_NEVER;
	s->detect_at = MONO_NEVER;
}

void bfd_session_init(struct bfd_session *s, const struct bfd_session_conf *conf,
		      uint32_t local_disc, struct rng *rng, struct mono now)
{
	*s = (struct bfd_session){
		.conf = *conf,
		.rng = rng,
		.state = conf->admin_down ? BFD_ADMIN_DOWN : BFD_DOWN,
		.local_diag = conf->admin_down ? BFD_DIAG_ADMIN_DOWN : BFD_DIAG_NONE,
		.local_disc = local_disc,
		.remote_state = BFD_DOWN,
		.tx_last = now,
		.tx_at = MONO_NEVER,
		.rx_last = now,
		.silent_from = now,
		.tx_seq = conf->seq_by_clock ? conf->first_seq : (uint32_t)rng_u64(rng),
		.held_until = now,
	};
	hurry(s, now);
	forget_remote(s);
	params_update(s);
	tx_replan(s, now);
	if (s->tx_interval_us)
		s->tx_at = now;
}

static void note_heard(struct bfd_session *s, struct mono at)
{
	if (mono_before(s->rx_last, at))
		s->rx_last = at;
	if (mono_before(s->silent_from, s->rx_last))
		s->silent_from = s->rx_last;
}

static void learn(struct bfd_session *s, const struct bfd_pkt *pkt, struct mono at)
{
	s->remote_disc = pkt->my_disc;
	s->remote_state = pkt->state;
	s->remote_diag = pkt->diag;
	s->remote_demand = pkt->demand;
	s->remote_detect_mult = pkt->detect_mult;
	s->remote_min_rx_us = pkt->required_min_rx_us;
	s->remote_desired_tx_us = pkt->desired_min_tx_us;
	s->remote_min_echo_us = pkt->required_min_echo_us;
	note_heard(s, at);
}

/* RFC 5880 §6.8.6: row = our state, column = state the peer sent. */
static const uint8_t next_state[BFD_STATE_COUNT][BFD_STATE_COUNT] = {
	/*                    AdminDown       Down            Init            Up            */
	[BFD_ADMIN_DOWN] = { BFD_ADMIN_DOWN, BFD_ADMIN_DOWN, BFD_ADMIN_DOWN, BFD_ADMIN_DOWN },
	[BFD_DOWN] = { BFD_DOWN, BFD_INIT, BFD_UP, BFD_DOWN },
	[BFD_INIT] = { BFD_DOWN, BFD_INIT, BFD_UP, BFD_UP },
	[BFD_UP] = { BFD_DOWN, BFD_DOWN, BFD_UP, BFD_UP },
};

/*
 * §6.7.3, §6.7.4: within three detection multipliers of the last number, and not behind it; by the meticulous
 * types not the same either. After two detection times of silence any number will do.
 */
static bool seq_is_right(const struct bfd_session *s, const struct bfd_pkt *pkt, struct mono at)
{
	uint32_t ahead = pkt->auth.seq - s->rx_seq;
	uint32_t least = bfd_auth_is_meticulous(s->conf.auth);

	if (!s->rx_seq_known || !mono_before(at, s->rx_seq_until))
		return true;
	uint32_t most = s->conf.seq_by_clock ? INT32_MAX : 3u * pkt->detect_mult;

	return ahead >= least && ahead <= most;
}

static int authenticate(struct bfd_session *s, const struct bfd_pkt *pkt, struct mono at)
{
	struct bfd_auth *auth = s->conf.auth;

	if (!auth)
		return pkt->auth.type == BFD_AUTH_NONE ? 0 : BFD_RX_UNAUTHENTIC;
	if (bfd_auth_has_sequence(auth) && !seq_is_right(s, pkt, at))
		return BFD_RX_REPLAYED;
	if (!bfd_auth_verify(auth, pkt))
		return BFD_RX_UNAUTHENTIC;
	s->rx_seq = pkt->auth.seq;
	s->rx_seq_known = true;
	return 0;
}

/* After a loss the session stays down for a while, so that one that flaps disturbs seldom. */
static uint8_t state_after(const struct bfd_session *s, uint8_t remote_state, struct mono at)
{
	uint8_t state = next_state[s->state][remote_state];

	return s->state == BFD_DOWN && mono_before(at, s->held_until) ? BFD_DOWN : state;
}

int bfd_session_rx(struct bfd_session *s, const struct bfd_pkt *pkt, struct mono at)
{
	int refused = authenticate(s, pkt, at);

	if (refused)
		return refused;
	bool demanded = demands(s);
	learn(s, pkt, at);
	s->rx_seq_until = mono_add(at, DUR_NS(2 * bfd_session_detect_time(s).ns));
	if (pkt->final)
		poll_finish(s);
	if (s->state == BFD_ADMIN_DOWN) {
		detect_replan(s);
		tx_replan(s, at);
		return BFD_RX_IGNORED;
	}
	uint8_t state = state_after(s, pkt->state, at);
	enter(s, state, state == BFD_DOWN ? BFD_DIAG_NEIGHBOR_DOWN : BFD_DIAG_NONE, at);
	if (pkt->poll)
		s->final_wanted = true;
	if (demands(s) && !demanded) /* the first packet that asks for silence has to arrive */
		poll_begin(s);
	poll_schedule(s, at);
	detect_replan(s);
	tx_replan(s, at);
	return 0;
}

bool bfd_session_is_steady(const struct bfd_session *s)
{
	return s->state == BFD_UP && s->remote_state == BFD_UP && s->remote_disc != 0 &&
	       !s->conf.auth && !s->conf.demand && !s->remote_demand;
}

void bfd_session_heard(struct bfd_session *s, struct mono at)
{
	if (!bfd_session_is_steady(s))
		return;
	note_heard(s, at);
	detect_replan(s);
}

static void expire(struct bfd_session *s, struct mono now)
{
	forget_remote(s);
	if (s->state == BFD_INIT || s->state == BFD_UP)
		enter(s, BFD_DOWN, BFD_DIAG_EXPIRED, now);
	tx_replan(s, now);
}

void bfd_session_set_echo(struct bfd_session *s, bool on, struct mono now)
{
	if (s->echo_on == on)
		return;
	s->echo_on = on;
	params_update(s);
	detect_replan(s);
	tx_replan(s, now);
}

void bfd_session_echo_failed(struct bfd_session *s, struct mono now)
{
	if (s->state != BFD_UP)
		return;
	enter(s, BFD_DOWN, BFD_DIAG_ECHO_FAILED, now);
	detect_replan(s);
	tx_replan(s, now);
}

void bfd_session_tick(struct bfd_session *s, struct mono now)
{
	if (!mono_before(now, s->detect_at))
		expire(s, now);
	if (!mono_before(now, s->full_until))
		hurry_ends(s, now);
	if (!mono_before(now, s->poll_at)) {
		s->poll_at = MONO_NEVER;
		poll_begin(s);
		detect_replan(s);
		tx_replan(s, now);
	}
	bfd_session_send_ahead(s, now, DUR_NS(0));
}

void bfd_session_was_away(struct bfd_session *s, struct mono now)
{
	if (mono_before(s->rx_last, s->silent_from))
		return;
	s->silent_from = now;
	detect_replan(s);
}

void bfd_session_send_ahead(struct bfd_session *s, struct mono now, struct dur ahead)
{
	if (mono_before(mono_add(now, ahead), s->tx_at))
		return;
	s->urgent = 0;
	s->send_wanted = true;
}

void bfd_session_apply(struct bfd_session *s, const struct bfd_session_conf *conf, struct mono now)
{
	bool was_held = s->conf.admin_down;
	bool told = demands(s);

	/* A sequence of numbers belongs to a type of authentication (§6.7.1). */
	if (bfd_auth_type(s->conf.auth) != bfd_auth_type(conf->auth))
		s->rx_seq_known = false;
	s->conf = *conf;
	if (conf->admin_down && !was_held)
		enter(s, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN, now);
	else if (!conf->admin_down && was_held)
		enter(s, BFD_DOWN, BFD_DIAG_NONE, now);
	else
		params_update(s);
	/* §6.6: the peer has to hear of it. When it may speak again, its silence counts from now. */
	if (demands(s) != told) {
		s->silent_from = now;
		poll_begin(s);
		s->send_wanted = true;
	}
	poll_schedule(s, now);
	detect_replan(s);
	tx_replan(s, now);
}

static void fill_pkt(struct bfd_session *s, bool final, struct bfd_pkt *pkt)
{
	*pkt = (struct bfd_pkt){
		.diag = s->local_diag,
		.state = s->state,
		.final = final,
		.poll = !final && s->poll == BFD_POLL_ACTIVE,
		.detect_mult = s->conf.detect_mult,
		.my_disc = s->local_disc,
		.your_disc = s->remote_disc,
		.desired_min_tx_us = s->desired_tx_us,
		.required_min_rx_us = s->required_rx_us,
		.required_min_echo_us = s->conf.required_min_echo_us,
		.demand = demands(s),
	};
}

/*
 * Any packet carries everything, so each one starts the interval anew. Only while we poll ourselves
 * an F is not counted, because it may not carry our P: a peer that polls without end cannot hold
 * our own poll back.
 */
static void sent(struct bfd_session *s, bool final, struct mono now)
{
	if (final)
		s->final_wanted = false;
	if (final && s->poll == BFD_POLL_ACTIVE)
		return;
	if (s->poll == BFD_POLL_PAUSE) {
		s->poll = BFD_POLL_ACTIVE;
	} else if (s->poll == BFD_POLL_ACTIVE && mono_is_never(s->polled_at)) {
		s->polled_at = now;
		detect_replan(s);
	}
	s->send_wanted = false;
	s->tx_last = now;
	if (s->tx_interval_us)
		s->tx_at = mono_add(now, jittered(s, s->tx_interval_us));
}

static bool may_send(const struct bfd_session *s)
{
	return s->remote_disc != 0 || !s->conf.passive;
}

bool bfd_session_next(struct bfd_session *s, struct mono now, struct bfd_out *out)
{
	if (s->changed) {
		s->changed = false;
		out->kind = BFD_OUT_CHANGE;
		out->change = s->change;
		return true;
	}
	if (!s->send_wanted && !s->final_wanted)
		return false;
	if (!may_send(s)) {
		s->send_wanted = false;
		s->final_wanted = false;
		return false;
	}
	bool final = s->final_wanted;
	out->kind = BFD_OUT_SEND;
	fill_pkt(s, final, &out->pkt);
	sent(s, final, now);
	return true;
}

struct mono bfd_session_deadline(const struct bfd_session *s)
{
	return mono_min(mono_min(s->tx_at, s->detect_at), mono_min(s->poll_at, s->full_until));
}

/* §6.7.3: the meticulous types count each packet. The others may; then a replay lives no longer. */
void bfd_session_encode(struct bfd_session *s, const struct bfd_pkt *pkt, struct wr *w)
{
	bfd_auth_encode(s->conf.auth, pkt, s->tx_seq++, w);
}
