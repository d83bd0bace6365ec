/* Running sessions: deadlines, what the core asks for, and what others may see of it. */
#include <errno.h>

#include "bfd/engine_priv.h"

/* Sessions that one turn runs: about a millisecond's work. */
#define RUN_MAX 256

/* When to look again at an expiry that could not be believed. */
#define POSTPONE DUR_US(500)

/* A session that is not up looks so often whether it sends from the right address. */
#define SENDER_CHECK DUR_S(1)

/* ---- what others may see ---- */

static enum bfd_via via(const struct bfd_sender *s)
{
	if (!s->port)
		return BFD_VIA_NONE;
	return s->raw ? BFD_VIA_RAW : BFD_VIA_UDP;
}

void conn_publish(struct conn *c)
{
	const struct bfd_session *s = &c->session;
	struct bfd_session_status *st = c->target.status;
	uint32_t rx_us = bfd_session_rx_interval_us(s);

	c->engine->n_half_up += (s->state == BFD_INIT) - c->half_up;
	c->half_up = s->state == BFD_INIT;
	if (!st)
		return;
	c->engine->pace_stale |= LOAD(st->tx_us) != s->tx_interval_us || LOAD(st->rx_us) != rx_us;
	STORE(st->state, s->state);
	STORE(st->remote_state, s->remote_state);
	STORE(st->local_diag, s->local_diag);
	STORE(st->remote_diag, s->remote_diag);
	STORE(st->remote_detect_mult, s->remote_detect_mult);
	STORE(st->local_disc, s->local_disc);
	STORE(st->remote_disc, s->remote_disc);
	STORE(st->tx_us, s->tx_interval_us);
	STORE(st->rx_us, rx_us);
	STORE(st->detect_us, (uint64_t)bfd_session_detect_time(s).ns / 1000);
	STORE(st->source_port, c->sender.port);
	STORE(st->via, via(&c->sender));
}

static void note_change(struct bfd_session_status *st, const struct bfd_change *change)
{
	STORE(st->changed_ns, change->at.ns);
	if (change->new_state == BFD_UP) {
		bfd_count(&st->up_events);
		bfd_hist_clear(&st->gaps);
		bfd_hist_clear(&st->jitter);
	} else if (change->old_state == BFD_UP) {
		bfd_count(&st->down_events);
	}
	bfd_status_note(st, &(struct bfd_transition){
				    .at = change->at,
				    .old_state = change->old_state,
				    .new_state = change->new_state,
				    .remote_state = change->remote_state,
				    .local_diag = change->local_diag,
				    .remote_diag = change->remote_diag,
			    });
}

static void conn_changed(struct conn *c, const struct bfd_change *change)
{
	struct bfd_engine *e = c->engine;
	int up = (change->new_state == BFD_UP) - (change->old_state == BFD_UP);

	STORE(e->counters.sessions_up, LOAD(e->counters.sessions_up) + (uint32_t)up);
	c->sender_checked =
		loop_now(e->conf.loop); /* not now: a thousand may have changed at once */
	c->rx_last = (struct mono){ 0 };
	c->rx_last_gap = DUR_NS(0);
	if (c->leaving)
		return;
	if (c->target.status && change->new_state != change->old_state)
		note_change(c->target.status, change);
	struct bfd_event ev = { .id = c->target.id, .change = *change };
	e->conf.event(e->conf.ctx, &ev);
}

/* ---- sending ---- */

bool conn_open(struct conn *c)
{
	struct bfd_engine *e = c->engine;

	errno = 0;
	int ret = bfd_tx_open(&e->tx, &c->path, &c->sender, NULL);
	if (c->target.status)
		STORE(c->target.status->send_errno, ret < 0 ? errno : 0);
	return ret == 0;
}

/* Who is up would go down if its address went; who is not may have to learn another one. */
static void check_sender(struct conn *c, struct mono now)
{
	struct dur age = mono_sub(now, c->sender_checked);

	if (c->session.state == BFD_UP || age.ns < SENDER_CHECK.ns || !c->sender.port)
		return;
	c->sender_checked = now;
	if (bfd_tx_is_current(&c->path, &c->sender))
		return;
	bfd_tx_close(&c->engine->tx, &c->sender);
	conn_open(c);
}

void engine_sent(void *owner, int error)
{
	struct conn *c = owner;
	struct bfd_session_status *st = c->target.status;

	bfd_count(error ? &c->engine->counters.send_failed : &c->engine->counters.packets_out);
	if (!st)
		return;
	STORE(st->send_errno, error);
	if (!error)
		bfd_count(&st->packets_out);
}

void conn_send_again(struct conn *c)
{
	struct bfd_engine *e = c->engine;
	uint8_t bytes[BFD_PKT_MAX];
	struct wr w = wr_to(bytes, sizeof(bytes));

	if (!c->sender.port) { /* the status says why since it was to be opened */
		bfd_count(&e->counters.send_failed);
		return;
	}
	bfd_session_encode(&c->session, &c->last, &w);
	bfd_tx_send(&e->tx, &c->path, &c->sender, bytes, w.len, c);
	loop_task_queue(&e->turn_end);
}

static void conn_send(struct conn *c, const struct bfd_pkt *pkt, struct mono now)
{
	check_sender(c, now);
	c->last = *pkt;
	conn_send_again(c);
}

/* A packet that is later than planned, and than the agreed interval allows. */
static void count_late(struct conn *c, struct mono last, struct mono planned, struct mono now)
{
	struct mono limit = mono_add(last, DUR_US(c->session.tx_interval_us));

	if (c->paced_us != c->session.tx_interval_us || !mono_before(limit, now) ||
	    !mono_before(planned, now))
		return;
	bfd_count(&c->engine->counters.late_sends);
	if (c->target.status)
		bfd_count(&c->target.status->late_sends);
}

void conn_flush(struct conn *c, struct mono now)
{
	struct mono last = c->session.tx_last, planned = c->session.tx_at;
	struct bfd_out out;
	bool sent = false;

	if (!bfd_session_is_steady(&c->session))
		conn_note_end(c);
	conn_echo_update(c, now);
	while (bfd_session_next(&c->session, now, &out)) {
		conn_publish(c); /* who is told of a change finds it in the status */
		if (out.kind == BFD_OUT_CHANGE) {
			conn_changed(c, &out.change);
			continue;
		}
		if (!sent)
			count_late(c, last, planned, now);
		sent = true;
		conn_send(c, &out.pkt, now);
	}
	conn_publish(c);
	/* More fill the interval evenly, each by itself. */
	if (sent && c->engine->n_conns <= BFD_COMPANY_MAX)
		bfd_session_accompany(&c->session, &c->engine->company);
	c->paced_us = c->session.tx_interval_us;
	struct mono at = conn_deadline(c);
	/* A deadline that has moved away is found out when its time comes: that saves moving it with
	 * each packet. */
	if (sent || !c->due.slot || mono_before(at, c->due.at))
		bfd_queue_set(&c->engine->queue, &c->due, at);
}

void conn_await(struct conn *c, struct mono at)
{
	bfd_queue_set(&c->engine->queue, &c->due, at);
	loop_task_queue(&c->engine->turn_end);
}

/* ---- deadlines ---- */

static void count_expiry(struct conn *c, struct mono deadline)
{
	struct bfd_engine *e = c->engine;

	bfd_count(&e->counters.expiries);
	bfd_hist_add(&e->counters.detection, mono_sub(mono_clock(), deadline));
}

/* Silence of the peer's has lasted long enough, as far as we have listened. */
static void conn_tick(struct conn *c, struct mono now)
{
	struct mono deadline = c->session.detect_at;
	bool was_up = c->session.state == BFD_UP;

	bfd_session_tick(&c->session, now);
	bfd_session_send_ahead(&c->session, now, c->engine->ahead);
	conn_echo_run(c, now);
	conn_flush(c, now);
	if (was_up && c->session.state != BFD_UP)
		count_expiry(c, deadline);
}

/* Its silence cannot be believed yet: what it sent may wait in a socket behind a flood. */
static void conn_postpone(struct conn *c, struct mono now)
{
	bfd_session_send_ahead(&c->session, now, c->engine->ahead);
	conn_flush(c, now);
	bfd_queue_set(&c->engine->queue, &c->due,
		      mono_min(c->session.tx_at, mono_add(now, POSTPONE)));
}

static bool goodbye(struct conn *c, struct mono now)
{
	if (mono_before(now, c->due.at))
		return false;
	conn_send_again(c);
	if (--c->goodbyes_left == 0)
		conn_free(c);
	else
		conn_await(c, mono_add(now, c->goodbye_gap));
	return true;
}

/* Late by more than the peer's interval: nobody ran here, and the peer may not have run either. */
static void notice_pause(struct conn *c, struct mono now)
{
	int64_t interval_ns = (int64_t)bfd_session_rx_interval_us(&c->session) * 1000;

	if (interval_ns && mono_sub(now, c->due.at).ns > interval_ns)
		bfd_session_was_away(&c->session, now);
}

/* False when it must wait for its time: then nobody behind it is due either. */
static bool conn_run(struct conn *c, struct mono now)
{
	struct bfd_engine *e = c->engine;
	struct bfd_session *s = &c->session;

	if (c->leaving)
		return goodbye(c, now);
	notice_pause(c, now);
	conn_note_read(c);
	if (!mono_before(now, s->detect_at) && mono_before(e->io.read_until, s->detect_at)) {
		conn_postpone(c, now);
		return true;
	}
	struct mono at = conn_deadline(c);

	if (!mono_before(now, at) || !mono_before(mono_add(now, e->ahead), s->tx_at))
		conn_tick(c, now);
	else if (at.ns == c->due.at.ns)
		return false;
	bfd_queue_set(&e->queue, &c->due, conn_deadline(c));
	return true;
}

void engine_run(struct bfd_engine *e, struct mono now)
{
	struct mono horizon = mono_add(now, e->ahead);
	struct bfd_due *first;

	bfd_io_drain(&e->io); /* before any silence is believed */
	bfd_echo_io_drain(&e->echo_io);
	for (int i = 0; i < RUN_MAX && (first = bfd_queue_first(&e->queue)); i++) {
		if (mono_before(horizon, first->at) ||
		    !conn_run(CONTAINER_OF(first, struct conn, due), now))
			break;
	}
	loop_task_queue(&e->turn_end);
}

/* ---- the end of a turn ---- */

/* How long packets may wait, in and out, by the session that is in the greatest hurry. */
static void choose_pace(struct bfd_engine *e)
{
	struct dur ahead = DUR_MS(3), pause = DUR_US(500);
	struct conn *c;

	LIST_EACH (c, &e->conns, link) {
		uint32_t rx_us = bfd_session_rx_interval_us(&c->session);

		if (c->session.tx_interval_us)
			ahead.ns = MIN(ahead.ns, bfd_session_ahead(&c->session).ns);
		if (rx_us)
			pause.ns = MIN(pause.ns, (int64_t)rx_us * 1000 / 20);
	}
	e->ahead = ahead;
	e->io.pause = pause;
	e->pace_stale = false;
}

void engine_end_turn(struct bfd_engine *e)
{
	const struct bfd_due *first;

	e->company.n = 0;
	if (e->pace_stale)
		choose_pace(e);
	bfd_io_set_lazy(&e->io, e->n_half_up == 0);
	bfd_tx_flush(&e->tx);
	STORE(e->counters.lost, e->io.lost);
	STORE(e->counters.dropped[BFD_DROP_FLOOD], e->io.strangers_lost);
	first = bfd_queue_first(&e->queue);
	struct mono at = first ? first->at : MONO_NEVER;
	if (!loop_timer_active(&e->alarm) || e->alarm.at.ns != at.ns)
		loop_timer_set(&e->alarm, at);
}
