#include "bgp/session.h"

#include <assert.h>
#include <stdio.h>

#include "bgp/session_priv.h"

#define CONNECT_WAIT DUR_S(4) /* SYNs at 0, 1 and 3 s */
#define RETRY_MAX    DUR_S(120)
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

struct bgp_out *session_push(struct bgp_session *s, enum bgp_out_type type)
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

static enum bgp_leg_id leg_id(const struct bgp_session *s, const struct bgp_leg *leg)
{
	return leg == &s->leg[BGP_OURS] ? BGP_OURS : BGP_THEIRS;
}

struct wr session_begin(struct bgp_session *s)
{
	return wr_to(s->wire + s->wire_len, sizeof(s->wire) - s->wire_len);
}

void session_end(struct bgp_session *s, struct bgp_leg *leg, enum bgp_type type, const struct wr *w)
{
	assert(!w->bad);
	struct bgp_out *out = session_push(s, BGP_OUT_SEND);
	out->leg = leg_id(s, leg);
	out->bytes = w->p;
	out->len = w->len;
	s->wire_len += (uint16_t)w->len;
	s->msgs_out[type]++;
}

void session_reason(struct bgp_session *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, args);
	va_end(args);
}

/* The leg that got further stands for the session; a change is told once, at the end of each call. */
static void settle(struct bgp_session *s, struct mono now)
{
	const struct bgp_leg *ours = &s->leg[BGP_OURS], *theirs = &s->leg[BGP_THEIRS];
	enum bgp_leg_id lead = theirs->state > ours->state ? BGP_THEIRS : BGP_OURS;
	enum bgp_state state = s->leg[lead].state;

	if (state == BGP_IDLE && s->running && !s->resting)
		state = BGP_ACTIVE;
	if (state >= BGP_OPEN_CONFIRM && (lead != s->lead || state != s->state))
		s->agreed = s->leg[lead].agreed;
	s->lead = lead;
	if (state == s->state)
		return;
	struct bgp_out *out = session_push(s, BGP_OUT_STATE);
	out->from = s->state;
	out->to = state;
	s->state = state;
	s->since = now;
}

/* --- timers --- */

struct dur session_jitter(struct bgp_session *s, struct dur d)
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
	return session_jitter(s, s->backoff);
}

static void leg_clear(struct bgp_leg *leg)
{
	*leg = (struct bgp_leg){
		.open_at = MONO_NEVER,
		.hold_at = MONO_NEVER,
		.keepalive_at = MONO_NEVER,
		.send_hold_at = MONO_NEVER,
	};
}

void session_restart_hold(struct bgp_leg *leg, struct mono now)
{
	uint16_t hold_s = leg->agreed.hold_s;

	leg->hold_at = hold_s ? mono_add(now, DUR_S(hold_s)) : MONO_NEVER;
}

/* A little early is as good, and many sessions that wake together need one waking up: they meet so often in an interval. */
enum { KEEPALIVE_MEETINGS = 32 };

/* Between three quarters of the interval and all of it (RFC 4271 §10). */
static void restart_keepalive(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	int64_t interval = DUR_S(leg->agreed.keepalive_s).ns, grid = interval / KEEPALIVE_MEETINGS;

	leg->keepalive_at = MONO_NEVER;
	if (!interval)
		return;
	leg->keepalive_at =
		mono_add(now, DUR_NS(rng_between(&s->rng, interval * 3 / 4 + grid, interval)));
	leg->keepalive_at.ns -= leg->keepalive_at.ns % grid;
}

static struct mono leg_deadline(const struct bgp_leg *leg)
{
	return mono_min(mono_min(leg->open_at, leg->hold_at),
			mono_min(leg->keepalive_at, leg->send_hold_at));
}

struct mono bgp_session_deadline(const struct bgp_session *s)
{
	return mono_min(
		mono_min(s->rest_at, s->retry_at),
		mono_min(leg_deadline(&s->leg[BGP_OURS]), leg_deadline(&s->leg[BGP_THEIRS])));
}

/* --- beginnings and ends --- */

void bgp_session_init(struct bgp_session *s, const struct bgp_session_conf *conf, uint64_t seed,
		      struct mono now)
{
	*s = (struct bgp_session){
		.conf = *conf,
		.state = BGP_IDLE,
		.since = now,
		.rest_at = MONO_NEVER,
		.retry_at = MONO_NEVER,
	};
	rng_seed(&s->rng, seed);
	leg_clear(&s->leg[BGP_OURS]);
	leg_clear(&s->leg[BGP_THEIRS]);
}

static void forget_heard(struct bgp_session *s)
{
	for (int i = 0; i < 2; i++)
		s->heard[i] = bgp_table_free(s->heard[i]);
}

void bgp_session_fini(struct bgp_session *s)
{
	forget_heard(s);
}

void bgp_session_conf_set(struct bgp_session *s, const struct bgp_session_conf *conf)
{
	s->conf = *conf;
	s->backoff = DUR_NS(0);
	s->omitted = 0;
}

static void attempt(struct bgp_session *s, struct mono now)
{
	struct bgp_leg *leg = &s->leg[BGP_OURS];

	s->resting = false;
	s->rest_at = MONO_NEVER;
	s->retry_at = MONO_NEVER;
	if (s->conf.passive || leg->state != BGP_IDLE)
		return;
	struct dur wait = s->conf.connect_wait.ns ? s->conf.connect_wait : CONNECT_WAIT;
	s->retry_at = mono_add(now, wait);
	leg->state = BGP_CONNECT;
	session_push(s, BGP_OUT_CONNECT);
}

/* The connection goes, or the attempt. */
static void leg_end(struct bgp_session *s, struct bgp_leg *leg)
{
	if (leg->state == BGP_IDLE)
		return;
	if (leg->state == BGP_ESTABLISHED)
		forget_heard(s);
	session_push(s, BGP_OUT_CLOSE)->leg = leg_id(s, leg);
	if (leg == &s->leg[BGP_OURS])
		s->retry_at = MONO_NEVER;
	leg_clear(leg);
}

/* A leg ended without harm: wait in Active for the next attempt. */
static void pause_active(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	leg_end(s, leg);
	if (session_other(s, leg)->state == BGP_IDLE && !s->conf.passive)
		s->retry_at = mono_add(now, next_backoff(s, RETRY_MIN));
}

/* Who may be called by the peer refuses it only briefly: the pace is the peer's. */
static void rest(struct bgp_session *s, struct dur least, struct mono now)
{
	struct dur pause = s->conf.passive ? least : next_backoff(s, least);
	bool brief = s->conf.passive || s->conf.accepts;

	s->resting = true;
	s->retry_at = s->conf.passive ? MONO_NEVER : mono_add(now, pause);
	s->rest_at = mono_add(now, brief && least.ns < pause.ns ? least : pause);
}

void session_drop(struct bgp_session *s, struct bgp_leg *leg, struct dur least, struct mono now)
{
	if (leg->state == BGP_ESTABLISHED && mono_sub(now, s->since).ns >= LASTING.ns)
		s->backoff = DUR_NS(0);
	leg_end(s, leg);
	if (s->running && session_other(s, leg)->state == BGP_IDLE)
		rest(s, least, now);
}

/* Its OPEN was said, so it is worth a NOTIFICATION. */
static bool has_spoken(const struct bgp_leg *leg)
{
	return leg->state >= BGP_OPEN_SENT;
}

void session_notify(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_fault *fault,
		    struct mono now)
{
	struct wr w = session_begin(s);

	bgp_notification_encode(&w, fault);
	session_end(s, leg, BGP_NOTIFICATION, &w);
	bgp_note_of_fault(fault, now, &s->note_out);
	session_push(s, BGP_OUT_NOTE)->note_sent = true;
}

void session_refuse(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_fault *fault,
		    struct mono now)
{
	session_notify(s, leg, fault, now);
	session_drop(s, leg, RETRY_AFTER_ERR, now);
}

void session_refuse_code(struct bgp_session *s, struct bgp_leg *leg, uint8_t code, uint8_t subcode,
			 struct mono now)
{
	struct bgp_fault fault;

	(void)bgp_fault_set(&fault, code, subcode, NULL, 0);
	session_refuse(s, leg, &fault, now);
}

/* No event for people: nothing was lost. */
void session_collide(struct bgp_session *s, struct bgp_leg *loser, struct mono now)
{
	struct bgp_fault fault;

	(void)now;
	if (has_spoken(loser)) {
		struct wr w = session_begin(s);

		bgp_cease_set(&fault, BGP_CEASE_COLLISION, NULL);
		bgp_notification_encode(&w, &fault);
		session_end(s, loser, BGP_NOTIFICATION, &w);
	}
	leg_end(s, loser);
}

void bgp_session_start(struct bgp_session *s, struct mono now)
{
	if (s->running)
		return;
	s->running = true;
	s->backoff = DUR_NS(0);
	s->omitted = 0;
	session_reason(s, "started");
	attempt(s, now);
	settle(s, now);
}

/* The peer must not keep our routes, where it would otherwise (RFC 8538 §3). */
static void notify_hard(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_fault *fault,
			struct mono now)
{
	struct bgp_fault hard;

	if (leg->state == BGP_ESTABLISHED && leg->agreed.hard_reset) {
		bgp_hard_reset_set(&hard, fault);
		fault = &hard;
	}
	session_notify(s, leg, fault, now);
}

/* All legs end, with this NOTIFICATION. */
static void end_all(struct bgp_session *s, const struct bgp_fault *fault, struct mono now)
{
	for (int i = 0; i < BGP_LEGS; i++) {
		struct bgp_leg *leg = &s->leg[i];

		if (has_spoken(leg))
			notify_hard(s, leg, fault, now);
		if (leg->state != BGP_IDLE)
			session_drop(s, leg, RETRY_MIN, now);
	}
}

void bgp_session_stop(struct bgp_session *s, uint8_t subcode, const char *text, struct mono now)
{
	struct bgp_fault fault;

	if (!s->running)
		return;
	s->running = false;
	session_reason(s, "stopped");
	bgp_cease_set(&fault, subcode, text);
	end_all(s, &fault, now);
	s->resting = false;
	s->rest_at = MONO_NEVER;
	s->retry_at = MONO_NEVER;
	settle(s, now);
}

void bgp_session_leave(struct bgp_session *s, const char *text, struct mono now)
{
	struct bgp_leg *leg = &s->leg[s->lead];

	if (s->running && leg->state == BGP_ESTABLISHED && leg->agreed.restart) {
		struct bgp_fault fault;

		session_reason(s, "stopped for a restart");
		bgp_cease_set(&fault, BGP_CEASE_RESET, text);
		if (leg->agreed.hard_reset)
			session_notify(s, leg, &fault, now);
		leg_end(s, leg);
	}
	bgp_session_stop(s, BGP_CEASE_SHUTDOWN, text, now);
}

void bgp_session_reset(struct bgp_session *s, const struct bgp_fault *fault, const char *reason,
		       struct mono now)
{
	if (!s->running)
		return;
	session_reason(s, "%s", reason);
	end_all(s, fault, now);
	settle(s, now);
}

void bgp_session_retry(struct bgp_session *s, struct mono now)
{
	if (!s->running || s->conf.passive || (s->state != BGP_IDLE && s->state != BGP_ACTIVE))
		return;
	s->backoff = DUR_NS(0);
	session_reason(s, "asked to retry");
	attempt(s, now);
	settle(s, now);
}

/* The connection of this leg is there: say our OPEN, or wait for the peer's first. */
static void begin_leg(struct bgp_session *s, struct bgp_leg *leg, uint32_t router_id,
		      struct mono now)
{
	leg_clear(leg);
	leg->open = true;
	leg->router_id = router_id;
	s->router_id = router_id;
	s->retry_at = MONO_NEVER;
	if (s->conf.delay_open.ns == 0) {
		session_send_open(s, leg, now);
		return;
	}
	leg->state = leg == &s->leg[BGP_OURS] ? BGP_CONNECT : BGP_ACTIVE;
	leg->open_at = mono_add(now, s->conf.delay_open);
}

void session_send_open(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	struct wr w = session_begin(s);

	session_open_make(s, leg->router_id, &leg->said);
	bgp_open_encode(&w, &leg->said);
	session_end(s, leg, BGP_OPEN, &w);
	leg->open_at = MONO_NEVER;
	leg->hold_at = mono_add(now, OPEN_WAIT);
	leg->state = BGP_OPEN_SENT;
}

void session_send_keepalive(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	struct wr w = session_begin(s);

	bgp_keepalive_encode(&w);
	session_end(s, leg, BGP_KEEPALIVE, &w);
	restart_keepalive(s, leg, now);
}

void bgp_session_connected(struct bgp_session *s, uint32_t router_id, struct mono now)
{
	struct bgp_leg *leg = &s->leg[BGP_OURS];

	if (leg->state != BGP_CONNECT || leg->open)
		return;
	session_reason(s, "connected");
	begin_leg(s, leg, router_id, now);
	settle(s, now);
}

/* RFC 4724 §5: a peer that may restart has forgotten the session on which it would be. */
static void give_way(struct bgp_session *s, struct mono now)
{
	struct bgp_leg *leg = &s->leg[s->lead];

	if (leg->state != BGP_ESTABLISHED || !leg->agreed.peer.restart.on || !leg->said.restart.on)
		return;
	session_reason(s, "the peer connects again: it has restarted");
	leg_end(s, leg);
	settle(s, now);
}

/* What routers do to a neighbour that they do not know; by stream end, reset or a new try is only a matter of luck. */
static void hung_up(struct bgp_session *s, struct bgp_leg *leg)
{
	if (session_other(s, leg)->state <= BGP_CONNECT)
		session_reason(s, "the peer hung up without an OPEN");
}

/*
 * Beside an Established session none is accepted (§6.8): whoever finds the old one dead says so, or the hold timer
 * does. A connection on which the peer never said its OPEN gives way: the peer has forgotten it.
 */
bool bgp_session_offer(struct bgp_session *s, struct mono now)
{
	struct bgp_leg *leg = &s->leg[BGP_THEIRS];

	if (s->conf.accepts || s->conf.passive)
		give_way(s, now);
	if (!s->running || s->resting || !(s->conf.accepts || s->conf.passive) ||
	    s->state == BGP_ESTABLISHED || leg->state == BGP_OPEN_CONFIRM)
		return false;
	if (leg->open)
		hung_up(s, leg);
	leg_end(s, leg);
	settle(s, now);
	return true;
}

void bgp_session_accepted(struct bgp_session *s, uint32_t router_id, struct mono now)
{
	struct mono retry_at = s->retry_at;

	session_reason(s, "accepted");
	begin_leg(s, &s->leg[BGP_THEIRS], router_id, now);
	if (s->leg[BGP_OURS].state == BGP_CONNECT) /* it goes on: whoever is first wins */
		s->retry_at = retry_at;
	settle(s, now);
}

static void attempt_failed(struct bgp_session *s, const char *why, struct mono now)
{
	struct bgp_leg *leg = &s->leg[BGP_OURS];

	if (leg->state != BGP_CONNECT || leg->open)
		return;
	if (s->leg[BGP_THEIRS].state == BGP_IDLE)
		session_reason(s, "%s", why);
	pause_active(s, leg, now);
}

void bgp_session_failed(struct bgp_session *s, const char *why, struct mono now)
{
	attempt_failed(s, why, now);
	settle(s, now);
}

static void leg_closed(struct bgp_session *s, struct bgp_leg *leg, const char *why, struct mono now)
{
	bool alone = session_other(s, leg)->state <= BGP_CONNECT;

	if (leg->state <= BGP_OPEN_SENT) {
		hung_up(s, leg);
		pause_active(s, leg, now); /* RFC 4271 §8.2.2: OpenSent goes back to Active */
		return;
	}
	if (alone)
		session_reason(s, "%s", why);
	session_drop(s, leg, RETRY_MIN, now);
}

void bgp_session_closed(struct bgp_session *s, enum bgp_leg_id id, const char *why, struct mono now)
{
	struct bgp_leg *leg = &s->leg[id];

	if (leg->open)
		leg_closed(s, leg, why, now);
	else
		attempt_failed(s, why, now);
	settle(s, now);
}

/* --- messages --- */

bool bgp_session_hears(const struct bgp_session *s, enum bgp_leg_id leg)
{
	return s->leg[leg].open;
}

size_t bgp_session_input(struct bgp_session *s, enum bgp_leg_id id, struct rd bytes,
			 struct mono now)
{
	struct bgp_leg *leg = &s->leg[id];
	struct bgp_frame frame;
	struct bgp_fault fault;

	if (!leg->open)
		return 0;
	size_t max = leg->said.extended_message ? BGP_MSG_EXTENDED_MAX : BGP_MSG_MAX;
	int rc = bgp_frame_decode(bytes, max, &frame, &fault);
	if (rc == BGP_NEED_MORE)
		return 0;
	if (rc == BGP_REFUSED) {
		session_reason(
			s, "notification sent: %s",
			bgp_note_words(fault.code, fault.subcode, (char[BGP_NOTE_TEXT_MAX]){ 0 }));
		session_refuse(s, leg, &fault, now);
	} else {
		session_message(s, leg, &frame, now);
	}
	settle(s, now);
	return rc == BGP_REFUSED ? bytes.left : frame.len;
}

/* --- our own side of the connection, and time --- */

void bgp_session_wrote(struct bgp_session *s, unsigned updates, struct mono now)
{
	s->msgs_out[BGP_UPDATE] += updates;
	if (updates && s->state == BGP_ESTABLISHED)
		restart_keepalive(s, &s->leg[s->lead], now);
}

void bgp_session_output(struct bgp_session *s, enum bgp_leg_id id, bool progress, size_t queued,
			struct mono now)
{
	struct bgp_leg *leg = &s->leg[id];
	struct dur hold = DUR_S(2 * (int64_t)leg->agreed.hold_s);

	if (queued == 0 || !leg->open)
		leg->send_hold_at = MONO_NEVER;
	else if (progress || mono_is_never(leg->send_hold_at))
		leg->send_hold_at =
			mono_add(now, hold.ns > SEND_HOLD_MIN.ns ? hold : SEND_HOLD_MIN);
}

static bool is_due(struct mono at, struct mono now)
{
	return !mono_before(now, at);
}

static void retry_due(struct bgp_session *s, struct mono now)
{
	if (s->leg[BGP_OURS].state == BGP_CONNECT) {
		attempt_failed(s, "connect: no answer", now);
		return;
	}
	session_reason(s, "retry");
	attempt(s, now);
}

/* The idle hold is over; where the peer may come to us, the next attempt may be later. */
static void rest_due(struct bgp_session *s, struct mono now)
{
	s->resting = false;
	s->rest_at = MONO_NEVER;
	session_reason(s, "retry");
	if (is_due(s->retry_at, now))
		attempt(s, now);
}

static void hold_due(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	session_reason(s, leg->state == BGP_OPEN_SENT ? "no OPEN from the peer"
						      : "hold timer expired");
	session_refuse_code(s, leg, BGP_ERR_HOLD_TIMER, 0, now);
}

/* A NOTIFICATION would only join the queue that the peer does not read (RFC 9687 §3). */
static void send_hold_due(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	session_reason(s, "send hold timer expired: the peer reads nothing");
	session_drop(s, leg, RETRY_AFTER_ERR, now);
}

static void leg_tick(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	if (is_due(leg->open_at, now))
		session_send_open(s, leg, now);
	else if (is_due(leg->hold_at, now))
		hold_due(s, leg, now);
	else if (is_due(leg->send_hold_at, now))
		send_hold_due(s, leg, now);
	else if (is_due(leg->keepalive_at, now))
		session_send_keepalive(s, leg, now);
}

void bgp_session_tick(struct bgp_session *s, struct mono now)
{
	if (is_due(s->rest_at, now))
		rest_due(s, now);
	else if (is_due(s->retry_at, now))
		retry_due(s, now);
	leg_tick(s, &s->leg[BGP_OURS], now);
	leg_tick(s, &s->leg[BGP_THEIRS], now);
	settle(s, now);
}
