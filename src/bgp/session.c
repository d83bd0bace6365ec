#include "bgp/session.h"

#include <assert.h>
#include <stdio.h>

#include "bgp/update.h"

#define CONNECT_WAIT	DUR_S(4) /* SYNs at 0, 1 and 3 s */
#define RETRY_MIN	DUR_MS(100)
#define RETRY_MAX	DUR_S(120)
#define RETRY_AFTER_ERR DUR_S(1) /* somebody's mistake: no need to repeat it ten times a second */
#define OPEN_WAIT \
	DUR_S(30) /* RFC 4271 suggests 4 minutes for a peer that connects and says nothing */
#define LASTING	      DUR_S(10)	 /* an Established session this old was a success */
#define SEND_HOLD_MIN DUR_S(480) /* RFC 9687 §4 */

const char *bgp_state_name(enum bgp_state state)
{
	static const char *const names[BGP_STATE_COUNT] = {
		[BGP_IDLE] = "Idle",
		[BGP_CONNECT] = "Connect",
		[BGP_ACTIVE] = "Active",
		[BGP_OPEN_SENT] = "OpenSent",
		[BGP_OPEN_CONFIRM] = "OpenConfirm",
		[BGP_ESTABLISHED] = "Established",
	};

	return names[state];
}

/* --- what the shell is asked to do --- */

static struct bgp_out *push(struct bgp_session *s, enum bgp_out_type type)
{
	assert(s->n_out < BGP_OUT_MAX);
	struct bgp_out *out = &s->out[s->n_out++];
	*out = (struct bgp_out){ .type = type };
	return out;
}

bool bgp_session_next(struct bgp_session *s, struct bgp_out *out)
{
	if (s->next_out < s->n_out) {
		*out = s->out[s->next_out++];
		return true;
	}
	s->n_out = 0;
	s->next_out = 0;
	s->wire_len = 0;
	return false;
}

static struct wr begin_send(struct bgp_session *s)
{
	return wr_to(s->wire + s->wire_len, sizeof(s->wire) - s->wire_len);
}

static void end_send(struct bgp_session *s, enum bgp_type type, const struct wr *w)
{
	assert(!w->bad);
	struct bgp_out *out = push(s, BGP_OUT_SEND);
	out->bytes = w->p;
	out->len = w->len;
	s->wire_len += (uint16_t)w->len;
	s->msgs_out[type]++;
}

static void enter(struct bgp_session *s, enum bgp_state to, struct mono now)
{
	struct bgp_out *out = push(s, BGP_OUT_STATE);

	out->from = s->state;
	out->to = to;
	s->state = to;
	s->since = now;
}

static void __attribute__((format(printf, 2, 3)))
set_reason(struct bgp_session *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, args);
	va_end(args);
}

/* --- timers --- */

static struct dur jitter(struct bgp_session *s, struct dur d)
{
	return DUR_NS(rng_between(&s->rng, d.ns * 3 / 4, d.ns)); /* RFC 4271 §10 */
}

/*
 * The next pause. It grows by a quarter only, so that it stays near a quarter of the time that the peer has been
 * away: a router that reboots for a minute is found again within seconds.
 */
static struct dur next_backoff(struct bgp_session *s, struct dur least)
{
	struct dur max = s->conf.retry_max.ns ? s->conf.retry_max : RETRY_MAX;

	s->backoff.ns += s->backoff.ns / 4;
	s->backoff.ns = MAX(s->backoff.ns, least.ns);
	s->backoff.ns = MIN(s->backoff.ns, max.ns);
	return jitter(s, s->backoff);
}

static void stop_timers(struct bgp_session *s)
{
	s->retry_at = MONO_NEVER;
	s->hold_at = MONO_NEVER;
	s->keepalive_at = MONO_NEVER;
	s->send_hold_at = MONO_NEVER;
}

static void restart_hold(struct bgp_session *s, struct mono now)
{
	s->hold_at = s->agreed.hold_s ? mono_add(now, DUR_S(s->agreed.hold_s)) : MONO_NEVER;
}

static void restart_keepalive(struct bgp_session *s, struct mono now)
{
	s->keepalive_at = s->agreed.keepalive_s
				  ? mono_add(now, jitter(s, DUR_S(s->agreed.keepalive_s)))
				  : MONO_NEVER;
}

struct mono bgp_session_deadline(const struct bgp_session *s)
{
	return mono_min(mono_min(s->retry_at, s->hold_at),
			mono_min(s->keepalive_at, s->send_hold_at));
}

/* --- beginnings and ends --- */

void bgp_session_init(struct bgp_session *s, const struct bgp_session_conf *conf, uint64_t seed,
		      struct mono now)
{
	*s = (struct bgp_session){ .conf = *conf, .state = BGP_IDLE, .since = now };
	rng_seed(&s->rng, seed);
	stop_timers(s);
}

void bgp_session_conf_set(struct bgp_session *s, const struct bgp_session_conf *conf)
{
	s->conf = *conf;
	s->backoff = DUR_NS(0);
}

static void attempt(struct bgp_session *s, struct mono now)
{
	stop_timers(s);
	if (s->conf.passive) {
		enter(s, BGP_ACTIVE, now);
		return;
	}
	struct dur wait = s->conf.connect_wait.ns ? s->conf.connect_wait : CONNECT_WAIT;
	s->retry_at = mono_add(now, wait);
	enter(s, BGP_CONNECT, now);
	push(s, BGP_OUT_CONNECT);
}

/* Wait in Active for the next attempt. */
static void pause_active(struct bgp_session *s, struct mono now)
{
	stop_timers(s);
	if (!s->conf.passive)
		s->retry_at = mono_add(now, next_backoff(s, RETRY_MIN));
	enter(s, BGP_ACTIVE, now);
}

/* Every end of a connection that was opened. The reason is set. */
static void drop(struct bgp_session *s, struct dur least, struct mono now)
{
	if (s->state == BGP_ESTABLISHED && mono_sub(now, s->since).ns >= LASTING.ns)
		s->backoff = DUR_NS(0);
	push(s, BGP_OUT_CLOSE);
	stop_timers(s);
	/* Who waits for the peer refuses it only briefly: the pace is the peer's. */
	if (s->running)
		s->retry_at = mono_add(now, s->conf.passive ? least : next_backoff(s, least));
	enter(s, BGP_IDLE, now);
}

static bool is_open(const struct bgp_session *s)
{
	return s->state >= BGP_OPEN_SENT;
}

static void notify(struct bgp_session *s, const struct bgp_fault *fault, struct mono now)
{
	struct wr w = begin_send(s);

	bgp_notification_encode(&w, fault);
	end_send(s, BGP_NOTIFICATION, &w);
	bgp_note_of_fault(fault, now, &s->note_out);
	push(s, BGP_OUT_NOTE)->note_sent = true;
}

/* We refuse what the peer did. */
static void refuse(struct bgp_session *s, const struct bgp_fault *fault, struct mono now)
{
	notify(s, fault, now);
	drop(s, RETRY_AFTER_ERR, now);
}

static void refuse_in_words(struct bgp_session *s, const struct bgp_fault *fault, struct mono now)
{
	set_reason(s, "notification sent: %s",
		   bgp_note_words(fault->code, fault->subcode, (char[BGP_NOTE_TEXT_MAX]){ 0 }));
	refuse(s, fault, now);
}

static void refuse_code(struct bgp_session *s, uint8_t code, uint8_t subcode, struct mono now)
{
	struct bgp_fault fault;

	(void)bgp_fault_set(&fault, code, subcode, NULL, 0);
	refuse(s, &fault, now);
}

void bgp_session_start(struct bgp_session *s, struct mono now)
{
	if (s->running)
		return;
	s->running = true;
	s->backoff = DUR_NS(0);
	set_reason(s, "started");
	attempt(s, now);
}

void bgp_session_stop(struct bgp_session *s, uint8_t subcode, const char *text, struct mono now)
{
	struct bgp_fault fault;

	if (!s->running)
		return;
	s->running = false;
	set_reason(s, "stopped");
	if (is_open(s)) {
		bgp_cease_set(&fault, subcode, text);
		notify(s, &fault, now);
	}
	if (s->state == BGP_IDLE)
		stop_timers(s);
	else
		drop(s, RETRY_MIN, now);
}

void bgp_session_reset(struct bgp_session *s, const struct bgp_fault *fault, const char *reason,
		       struct mono now)
{
	if (!s->running)
		return;
	set_reason(s, "%s", reason);
	if (is_open(s)) {
		notify(s, fault, now);
		drop(s, RETRY_MIN, now);
	} else if (s->state == BGP_CONNECT) {
		drop(s, RETRY_MIN, now);
	}
}

void bgp_session_retry(struct bgp_session *s, struct mono now)
{
	if (!s->running || s->conf.passive || (s->state != BGP_IDLE && s->state != BGP_ACTIVE))
		return;
	s->backoff = DUR_NS(0);
	set_reason(s, "asked to retry");
	attempt(s, now);
}

static void send_open(struct bgp_session *s, uint32_t router_id, struct mono now)
{
	struct bgp_open open = {
		.as = s->conf.local_as,
		.id = router_id,
		.hold_s = s->conf.hold_s,
		.families = s->conf.families,
		.as4 = true,
		.refresh = true,
	};
	struct wr w = begin_send(s);

	s->router_id = router_id;
	s->agreed = (struct bgp_agreed){ 0 };
	bgp_open_encode(&w, &open);
	end_send(s, BGP_OPEN, &w);
	stop_timers(s);
	s->hold_at = mono_add(now, OPEN_WAIT);
	enter(s, BGP_OPEN_SENT, now);
}

void bgp_session_connected(struct bgp_session *s, uint32_t router_id, struct mono now)
{
	if (s->state != BGP_CONNECT)
		return;
	set_reason(s, "connected");
	send_open(s, router_id, now);
}

bool bgp_session_accept(struct bgp_session *s, uint32_t router_id, struct mono now)
{
	if (s->state != BGP_CONNECT && s->state != BGP_ACTIVE)
		return false;
	if (s->state == BGP_CONNECT)
		push(s, BGP_OUT_CLOSE);
	set_reason(s, "accepted");
	send_open(s, router_id, now);
	return true;
}

void bgp_session_failed(struct bgp_session *s, const char *why, struct mono now)
{
	if (s->state != BGP_CONNECT)
		return;
	set_reason(s, "%s", why);
	push(s, BGP_OUT_CLOSE);
	pause_active(s, now);
}

void bgp_session_closed(struct bgp_session *s, const char *why, struct mono now)
{
	if (s->state == BGP_CONNECT) {
		bgp_session_failed(s, why, now);
		return;
	}
	if (!is_open(s))
		return;
	if (s->state != BGP_OPEN_SENT) {
		set_reason(s, "%s", why);
		drop(s, RETRY_MIN, now);
		return;
	}
	/* What routers do to a neighbour that they do not know; by stream end or reset is only a matter of luck. */
	set_reason(s, "the peer hung up without an OPEN");
	push(s, BGP_OUT_CLOSE); /* RFC 4271 §8.2.2: OpenSent goes back to Active */
	pause_active(s, now);
}

/* --- messages --- */

static bool as_is_right(const struct bgp_session *s, uint32_t as)
{
	switch (s->conf.asn_rule) {
	case BGP_ASN_INTERNAL:
		return as == s->conf.local_as;
	case BGP_ASN_EXTERNAL:
		return as != s->conf.local_as;
	default:
		return as == s->conf.peer_as;
	}
}

static void refuse_as(struct bgp_session *s, uint32_t as, struct mono now)
{
	if (s->conf.asn_rule == BGP_ASN_EXACT)
		set_reason(s, "peer says AS %u, expected AS %u", as, s->conf.peer_as);
	else
		set_reason(s, "peer says AS %u, expected %s AS than our own %u", as,
			   s->conf.asn_rule == BGP_ASN_INTERNAL ? "no other" : "another",
			   s->conf.local_as);
	refuse_code(s, BGP_ERR_OPEN, BGP_OPEN_PEER_AS, now);
}

static void agree(struct bgp_session *s, const struct bgp_open *peer)
{
	struct bgp_agreed *a = &s->agreed;

	a->peer = *peer;
	a->hold_s = MIN(s->conf.hold_s, peer->hold_s); /* 0 of either side switches it off */
	a->keepalive_s = a->hold_s / 3;
	if (a->hold_s && s->conf.keepalive_s)
		a->keepalive_s = MIN(a->keepalive_s, s->conf.keepalive_s);
	a->families = s->conf.families & peer->families;
	a->as4 = peer->as4;
	a->ibgp = peer->as == s->conf.local_as;
}

static void send_keepalive(struct bgp_session *s, struct mono now)
{
	struct wr w = begin_send(s);

	bgp_keepalive_encode(&w);
	end_send(s, BGP_KEEPALIVE, &w);
	restart_keepalive(s, now);
}

static void on_open(struct bgp_session *s, struct rd body, struct mono now)
{
	struct bgp_open peer;
	struct bgp_fault fault;

	if (bgp_open_decode(body, &peer, &fault) != 0) {
		refuse_in_words(s, &fault, now);
		return;
	}
	if (!as_is_right(s, peer.as)) {
		refuse_as(s, peer.as, now);
		return;
	}
	if (peer.id == s->router_id && peer.as == s->conf.local_as) { /* RFC 6286 §2.2 */
		set_reason(s, "peer has our router id");
		refuse_code(s, BGP_ERR_OPEN, BGP_OPEN_IDENTIFIER, now);
		return;
	}
	agree(s, &peer);
	send_keepalive(s, now);
	restart_hold(s, now);
	set_reason(s, "OPEN received");
	enter(s, BGP_OPEN_CONFIRM, now);
}

static void on_keepalive(struct bgp_session *s, struct mono now)
{
	restart_hold(s, now);
	if (s->state == BGP_ESTABLISHED)
		return;
	s->established++;
	set_reason(s, "established");
	enter(s, BGP_ESTABLISHED, now);
}

static void on_notification(struct bgp_session *s, struct rd body, struct mono now)
{
	struct bgp_note *n = &s->note_in;

	bgp_notification_decode(body, now, n);
	push(s, BGP_OUT_NOTE)->note_sent = false;
	set_reason(s, "notification received: %s",
		   bgp_note_words(n->code, n->subcode, (char[BGP_NOTE_TEXT_MAX]){ 0 }));
	/* A router that goes away politely is coming back: do not wait as after a quarrel. */
	drop(s, n->code == BGP_ERR_CEASE ? RETRY_MIN : RETRY_AFTER_ERR, now);
}

static void on_update(struct bgp_session *s, struct rd body, struct mono now)
{
	struct bgp_update update;
	struct bgp_fault fault;
	enum bgp_verdict v =
		bgp_update_decode(body, s->agreed.as4, s->agreed.ibgp, &update, &fault);

	s->verdicts[v]++;
	if (v == BGP_SESSION_RESET) {
		refuse_in_words(s, &fault, now);
		return;
	}
	if (v == BGP_TREAT_AS_WITHDRAW)
		s->withdrawn_in += update.announced;
	else
		s->announced_in += update.announced;
	s->withdrawn_in += update.withdrew;
	restart_hold(s, now);
}

static void on_refresh(struct bgp_session *s, struct rd body)
{
	struct bgp_refresh r;

	bgp_refresh_decode(body, &r);
	uint8_t families = bgp_afi_bit(r.afi, r.safi) & s->agreed.families;
	if (families && r.subtype == 0)
		push(s, BGP_OUT_REFRESH)->families = families;
}

static void on_unexpected(struct bgp_session *s, enum bgp_type type, struct mono now)
{
	static const uint8_t subcodes[BGP_STATE_COUNT] = {
		[BGP_OPEN_SENT] = BGP_FSM_OPEN_SENT,
		[BGP_OPEN_CONFIRM] = BGP_FSM_OPEN_CONFIRM,
		[BGP_ESTABLISHED] = BGP_FSM_ESTABLISHED,
	};
	struct bgp_fault fault;
	uint8_t byte = (uint8_t)type;

	set_reason(s, "unexpected %s in state %s", bgp_type_name(type), bgp_state_name(s->state));
	(void)bgp_fault_set(&fault, BGP_ERR_FSM, subcodes[s->state], &byte, 1); /* RFC 6608 */
	refuse(s, &fault, now);
}

/* RFC 4271 §8.2.2: which message may come in which state. */
static const bool expected[BGP_STATE_COUNT][BGP_TYPE_COUNT] = {
	[BGP_OPEN_SENT] = { [BGP_OPEN] = true, [BGP_NOTIFICATION] = true },
	[BGP_OPEN_CONFIRM] = { [BGP_KEEPALIVE] = true, [BGP_NOTIFICATION] = true },
	[BGP_ESTABLISHED] = { [BGP_UPDATE] = true,
			      [BGP_KEEPALIVE] = true,
			      [BGP_NOTIFICATION] = true,
			      [BGP_REFRESH] = true },
};

static void on_message(struct bgp_session *s, const struct bgp_frame *f, struct mono now)
{
	s->msgs_in[f->type]++;
	if (!expected[s->state][f->type]) {
		on_unexpected(s, f->type, now);
		return;
	}
	switch (f->type) {
	case BGP_OPEN:
		on_open(s, f->body, now);
		break;
	case BGP_UPDATE:
		on_update(s, f->body, now);
		break;
	case BGP_NOTIFICATION:
		on_notification(s, f->body, now);
		break;
	case BGP_KEEPALIVE:
		on_keepalive(s, now);
		break;
	default:
		on_refresh(s, f->body);
	}
}

size_t bgp_session_input(struct bgp_session *s, struct rd bytes, struct mono now)
{
	struct bgp_frame frame;
	struct bgp_fault fault;

	if (!is_open(s))
		return 0;
	int rc = bgp_frame_decode(bytes, &frame, &fault);
	if (rc == BGP_NEED_MORE)
		return 0;
	if (rc == BGP_REFUSED) {
		refuse_in_words(s, &fault, now);
		return bytes.left;
	}
	on_message(s, &frame, now);
	return frame.len;
}

/* --- our own side of the connection, and time --- */

void bgp_session_wrote(struct bgp_session *s, unsigned updates, struct mono now)
{
	s->msgs_out[BGP_UPDATE] += updates;
	if (updates && s->state == BGP_ESTABLISHED)
		restart_keepalive(s, now);
}

void bgp_session_output(struct bgp_session *s, bool progress, size_t queued, struct mono now)
{
	struct dur hold = DUR_S(2 * (int64_t)s->agreed.hold_s);

	if (queued == 0 || !is_open(s))
		s->send_hold_at = MONO_NEVER;
	else if (progress || mono_is_never(s->send_hold_at))
		s->send_hold_at = mono_add(now, hold.ns > SEND_HOLD_MIN.ns ? hold : SEND_HOLD_MIN);
}

static void retry_due(struct bgp_session *s, struct mono now)
{
	if (s->state != BGP_CONNECT) {
		set_reason(s, "retry");
		attempt(s, now);
		return;
	}
	set_reason(s, "connect: no answer");
	push(s, BGP_OUT_CLOSE);
	pause_active(s, now);
}

static void hold_due(struct bgp_session *s, struct mono now)
{
	set_reason(s, s->state == BGP_OPEN_SENT ? "no OPEN from the peer" : "hold timer expired");
	refuse_code(s, BGP_ERR_HOLD_TIMER, 0, now);
}

/* A NOTIFICATION would only join the queue that the peer does not read (RFC 9687 §3). */
static void send_hold_due(struct bgp_session *s, struct mono now)
{
	set_reason(s, "send hold timer expired: the peer reads nothing");
	drop(s, RETRY_AFTER_ERR, now);
}

static bool is_due(struct mono at, struct mono now)
{
	return !mono_before(now, at);
}

void bgp_session_tick(struct bgp_session *s, struct mono now)
{
	if (is_due(s->retry_at, now))
		retry_due(s, now);
	else if (is_due(s->hold_at, now))
		hold_due(s, now);
	else if (is_due(s->send_hold_at, now))
		send_hold_due(s, now);
	else if (is_due(s->keepalive_at, now))
		send_keepalive(s, now);
}
