#include "bgp/session.h"

#include <stdio.h>

#include "bgp_test.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "
#define OPEN   MARKER "002d 01 04 fc01 005a 0a000001 10 02 0e 0104 0001 00 01 0200 4104 0000fc01"
#define ALIVE  MARKER "0013 04"

/* One session, and everything that it asked for since the last look. */
struct bench {
	struct bgp_session s;
	struct mono now;
	int connects;
	int closes;
	int notes_in;
	int notes_out;
	uint8_t refresh;
	uint8_t sent[4096];
	size_t sent_len;
};

static const struct bgp_session_conf conf = {
	.local_as = 64512,
	.peer_as = 64513,
	.hold_s = 90,
	.families = BGP_V4,
};

static void look(struct bench *b)
{
	struct bgp_out out;

	while (bgp_session_next(&b->s, &out)) {
		b->connects += out.type == BGP_OUT_CONNECT;
		b->closes += out.type == BGP_OUT_CLOSE;
		b->notes_in += out.type == BGP_OUT_NOTE && !out.note_sent;
		b->notes_out += out.type == BGP_OUT_NOTE && out.note_sent;
		if (out.type == BGP_OUT_REFRESH)
			b->refresh |= out.families;
		if (out.type != BGP_OUT_SEND)
			continue;
		memcpy(b->sent + b->sent_len, out.bytes, out.len);
		b->sent_len += out.len;
	}
}

static void forget(struct bench *b)
{
	b->connects = b->closes = b->notes_in = b->notes_out = 0;
	b->refresh = 0;
	b->sent_len = 0;
}

static size_t hear(struct bench *b, const char *hex)
{
	uint8_t wire[4096];
	size_t len = unhex(hex, wire, sizeof(wire));
	size_t used = bgp_session_input(&b->s, b->s.lead, rd_from(wire, len), b->now);

	look(b);
	return used;
}

static void pass(struct bench *b, struct dur d)
{
	struct mono until = mono_add(b->now, d);

	while (!mono_before(until, bgp_session_deadline(&b->s))) {
		b->now = bgp_session_deadline(&b->s);
		bgp_session_tick(&b->s, b->now);
		look(b);
	}
	b->now = until;
}

/* Bring a fresh session to a state by the shortest way. */
static void bring_to(struct bench *b, const struct bgp_session_conf *c, enum bgp_state state)
{
	*b = (struct bench){ .now = { 1000000000 } };
	bgp_session_init(&b->s, c, 42, b->now);
	if (state >= BGP_CONNECT)
		bgp_session_start(&b->s, b->now);
	if (state == BGP_ACTIVE)
		bgp_session_failed(&b->s, "refused", b->now);
	if (state >= BGP_OPEN_SENT)
		bgp_session_connected(&b->s, 0x0a000005, b->now);
	look(b);
	if (state >= BGP_OPEN_CONFIRM)
		hear(b, OPEN);
	if (state >= BGP_ESTABLISHED)
		hear(b, ALIVE);
	assert_int_equal(b->s.state, state);
	forget(b);
}

enum event {
	START,
	STOP,
	RESET,
	RETRY,
	CONNECTED,
	ACCEPTED,
	FAILED,
	CLOSED,
	GET_OPEN,
	GET_UPDATE,
	GET_NOTIFICATION,
	GET_KEEPALIVE,
	GET_REFRESH,
	GET_RUBBISH,
	CONNECT_RETRY_DUE,
	HOLD_DUE,
	KEEPALIVE_DUE,
	SEND_HOLD_DUE,
	EVENTS,
};

static const char *const wire_of[EVENTS] = {
	[GET_OPEN] = OPEN,
	[GET_UPDATE] = MARKER "0017 02 0000 0000",
	[GET_NOTIFICATION] = MARKER "0015 03 06 02",
	[GET_KEEPALIVE] = ALIVE,
	[GET_REFRESH] = MARKER "0017 05 0001 00 01",
	[GET_RUBBISH] = MARKER "0013 63",
};

/* Time passes until this timer is due, where it runs. */
static void expire(struct bench *b, struct mono at)
{
	if (mono_is_never(at))
		return;
	b->now = at;
	bgp_session_tick(&b->s, b->now);
}

static void happen(struct bench *b, enum event event)
{
	struct bgp_leg *leg = &b->s.leg[BGP_OURS];
	struct bgp_fault fault;

	bgp_cease_set(&fault, BGP_CEASE_RESET, NULL);
	switch (event) {
	case START:
		bgp_session_start(&b->s, b->now);
		break;
	case STOP:
		bgp_session_stop(&b->s, BGP_CEASE_SHUTDOWN, NULL, b->now);
		break;
	case RESET:
		bgp_session_reset(&b->s, &fault, "reset", b->now);
		break;
	case RETRY:
		bgp_session_retry(&b->s, b->now);
		break;
	case CONNECTED:
		bgp_session_connected(&b->s, 0x0a000005, b->now);
		break;
	case ACCEPTED:
		if (bgp_session_offer(&b->s, b->now))
			bgp_session_accepted(&b->s, 0x0a000005, b->now);
		break;
	case FAILED:
		bgp_session_failed(&b->s, "refused", b->now);
		break;
	case CLOSED:
		bgp_session_closed(&b->s, BGP_OURS, "closed", b->now);
		break;
	case CONNECT_RETRY_DUE:
		expire(b, b->s.retry_at);
		break;
	case HOLD_DUE:
		leg->keepalive_at = MONO_NEVER;
		expire(b, leg->hold_at);
		break;
	case KEEPALIVE_DUE:
		expire(b, leg->keepalive_at);
		break;
	case SEND_HOLD_DUE:
		leg->keepalive_at = leg->hold_at =
			MONO_NEVER; /* the peer speaks, but reads nothing */
		bgp_session_output(&b->s, BGP_OURS, false, 100, b->now);
		expire(b, leg->send_hold_at);
		break;
	default:
		hear(b, wire_of[event]);
	}
	look(b);
}

/* What follows in each state: the new state, and what goes out: C connects, X closes, or a NOTIFICATION. */
struct cell {
	enum bgp_state to;
	const char *
		does; /* "", "C", "X", "O" (OPEN), "K" (KEEPALIVE), "n" (notified), or "code/subcode" */
};

#define ID BGP_IDLE
#define CO BGP_CONNECT
#define AC BGP_ACTIVE
#define OS BGP_OPEN_SENT
#define OC BGP_OPEN_CONFIRM
#define ES BGP_ESTABLISHED

/* clang-format off */
static const struct cell table[EVENTS][BGP_STATE_COUNT] = {
	/*                 Idle         Connect       Active       OpenSent       OpenConfirm    Established */
	[START]        = { {CO, "C"},   {CO, ""},     {AC, ""},    {OS, ""},      {OC, ""},      {ES, ""} },
	[STOP]         = { {ID, ""},    {ID, "X"},    {ID, ""},    {ID, "6/2"},   {ID, "6/2"},   {ID, "6/2"} },
	[RESET]        = { {ID, ""},    {ID, "X"},    {AC, ""},    {ID, "6/4"},   {ID, "6/4"},   {ID, "6/4"} },
	[RETRY]        = { {ID, ""},    {CO, ""},     {CO, "C"},   {OS, ""},      {OC, ""},      {ES, ""} },
	[CONNECTED]    = { {ID, ""},    {OS, "O"},    {AC, ""},    {OS, ""},      {OC, ""},      {ES, ""} },
	[ACCEPTED]     = { {ID, ""},    {OS, "O"},    {OS, "O"},   {OS, "O"},     {OC, "O"},     {ES, ""} },
	[FAILED]       = { {ID, ""},    {AC, "X"},    {AC, ""},    {OS, ""},      {OC, ""},      {ES, ""} },
	[CLOSED]       = { {ID, ""},    {AC, "X"},    {AC, ""},    {AC, "X"},     {ID, "X"},     {ID, "X"} },
	[GET_OPEN]     = { {ID, ""},    {CO, ""},     {AC, ""},    {OC, "K"},     {ID, "5/2"},   {ID, "5/3"} },
	[GET_UPDATE]   = { {ID, ""},    {CO, ""},     {AC, ""},    {ID, "5/1"},   {ID, "5/2"},   {ES, ""} },
	[GET_NOTIFICATION] = { {ID, ""}, {CO, ""},    {AC, ""},    {ID, "nX"},    {ID, "nX"},    {ID, "nX"} },
	[GET_KEEPALIVE] = { {ID, ""},   {CO, ""},     {AC, ""},    {ID, "5/1"},   {ES, ""},      {ES, ""} },
	[GET_REFRESH]  = { {ID, ""},    {CO, ""},     {AC, ""},    {ID, "5/1"},   {ID, "5/2"},   {ES, ""} },
	[GET_RUBBISH]  = { {ID, ""},    {CO, ""},     {AC, ""},    {ID, "1/3"},   {ID, "1/3"},   {ID, "1/3"} },
	[CONNECT_RETRY_DUE] = { {ID, ""}, {AC, "X"},  {CO, "C"},   {OS, ""},      {OC, ""},      {ES, ""} },
	[HOLD_DUE]     = { {ID, ""},    {CO, ""},     {AC, ""},    {ID, "4/0"},   {ID, "4/0"},   {ID, "4/0"} },
	[KEEPALIVE_DUE] = { {ID, ""},   {CO, ""},     {AC, ""},    {OS, ""},      {OC, "K"},     {ES, "K"} },
	[SEND_HOLD_DUE] = { {ID, ""},   {CO, ""},     {AC, ""},    {ID, "X"},     {ID, "X"},     {ID, "X"} },
};
/* clang-format on */

static void did(const struct bench *b, const char *does)
{
	char got[32] = "";
	size_t n = 0;

	if (b->notes_out) {
		assert_int_equal(b->closes, 1);
		snprintf(got, sizeof(got), "%u/%u", b->s.note_out.code, b->s.note_out.subcode);
		assert_string_equal(got, does);
		return;
	}
	if (b->notes_in)
		got[n++] = 'n';
	if (b->closes)
		got[n++] = 'X';
	if (b->connects)
		got[n++] = 'C';
	if (b->sent_len)
		got[n++] = b->sent[18] == BGP_OPEN ? 'O' : 'K';
	assert_string_equal(got, does);
}

static void each_event_in_each_state(void **unused)
{
	struct bgp_session_conf both = conf;

	(void)unused;
	both.accepts = true;
	for (int event = 0; event < EVENTS; event++) {
		for (int state = 0; state < BGP_STATE_COUNT; state++) {
			const struct cell *cell = &table[event][state];
			struct bench b;

			bring_to(&b, &both, (enum bgp_state)state);
			happen(&b, (enum event)event);
			if (b.s.state != cell->to)
				print_error("event %d in %s\n", event,
					    bgp_state_name((enum bgp_state)state));
			assert_int_equal(b.s.state, cell->to);
			did(&b, cell->does);
		}
	}
}

static const struct open_case {
	const char *name;
	struct bgp_session_conf conf;
	const char *peer_open;
	uint8_t subcode; /* of the refusal; 0: fine */
	uint16_t hold_s;
	uint16_t keepalive_s;
	bool ibgp;
	const char *reason;
} opens[] = {
	{ "plain", { 64512, 64513, 0, 90, 0, BGP_V4 }, OPEN, 0, 90, 30, false, "OPEN received" },
	{ "our hold time is less",
	  { 64512, 64513, 0, 9, 0, BGP_V4 },
	  OPEN,
	  0,
	  9,
	  3,
	  false,
	  "OPEN received" },
	{ "theirs is less",
	  { 64512, 64513, 0, 240, 0, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  30,
	  false,
	  "OPEN received" },
	{ "ours is 0", { 64512, 64513, 0, 0, 0, BGP_V4 }, OPEN, 0, 0, 0, false, "OPEN received" },
	{ "keepalive on request",
	  { 64512, 64513, 0, 90, 5, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  5,
	  false,
	  "OPEN received" },
	{ "no keepalive without hold time",
	  { 64512, 64513, 0, 0, 5, BGP_V4 },
	  OPEN,
	  0,
	  0,
	  0,
	  false,
	  "OPEN received" },
	{ "wrong AS",
	  { 64512, 65000, 0, 90, 0, BGP_V4 },
	  OPEN,
	  BGP_OPEN_PEER_AS,
	  0,
	  0,
	  false,
	  "peer says AS 64513, expected AS 65000" },
	{ "internal and right",
	  { 64513, 0, BGP_ASN_INTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  30,
	  true,
	  "OPEN received" },
	{ "internal and wrong",
	  { 64512, 0, BGP_ASN_INTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  BGP_OPEN_PEER_AS,
	  0,
	  0,
	  false,
	  "peer says AS 64513, expected no other AS than our own 64512" },
	{ "external and right",
	  { 64512, 0, BGP_ASN_EXTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  30,
	  false,
	  "OPEN received" },
	{ "external and wrong",
	  { 64513, 0, BGP_ASN_EXTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  BGP_OPEN_PEER_AS,
	  0,
	  0,
	  false,
	  "peer says AS 64513, expected another AS than our own 64513" },
	{ "our router id, internal",
	  { 64513, 64513, 0, 90, 0, BGP_V4 },
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01",
	  BGP_OPEN_IDENTIFIER,
	  0,
	  0,
	  false,
	  "peer has our router id" },
	{ "our router id, external",
	  { 64512, 64513, 0, 90, 0, BGP_V4 },
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01",
	  0,
	  90,
	  30,
	  false,
	  "OPEN received" },
	{ "hold time 2",
	  { 64512, 64513, 0, 90, 0, BGP_V4 },
	  MARKER "001d 01 04 fc01 0002 0a000001 00",
	  BGP_OPEN_HOLD_TIME,
	  0,
	  0,
	  false,
	  "notification sent: OPEN Message Error/Unacceptable Hold Time (2/6)" },
};

static void opens_are_judged(void **state)
{
	const struct open_case *c = *state;
	struct bench b;

	bring_to(&b, &c->conf, BGP_OPEN_SENT);
	hear(&b, c->peer_open);
	assert_string_equal(b.s.reason, c->reason);
	if (c->subcode) {
		assert_int_equal(b.s.state, BGP_IDLE);
		assert_int_equal(b.s.note_out.code, BGP_ERR_OPEN);
		assert_int_equal(b.s.note_out.subcode, c->subcode);
		return;
	}
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.s.agreed.hold_s, c->hold_s);
	assert_int_equal(b.s.agreed.keepalive_s, c->keepalive_s);
	assert_int_equal(b.s.agreed.ibgp, c->ibgp);
}

static void hold_timer_expires(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	pass(&b, DUR_MS(89999));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	pass(&b, DUR_MS(1));
	assert_int_not_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.note_out.code, BGP_ERR_HOLD_TIMER);
	assert_string_equal(b.s.reason, "hold timer expired");
}

static void hearing_keeps_it_up(void **state)
{
	static const char *const words[] = { ALIVE, MARKER "0017 02 0000 0000" };
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	for (int i = 0; i < 10; i++) {
		pass(&b, DUR_S(80));
		hear(&b, words[i % 2]);
	}
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
}

static void keepalives_come_in_time(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.leg[BGP_OURS].hold_at = MONO_NEVER;
	pass(&b, DUR_S(600));
	/* 75 to 100 % of 30 s */
	assert_in_range(b.s.msgs_out[BGP_KEEPALIVE], 1 + 600 / 30, 2 + 600 * 10 / 225);
	/* Routes count as a sign of life. */
	bgp_session_wrote(&b.s, 1, b.now);
	forget(&b);
	for (int i = 0; i < 100; i++) {
		pass(&b, DUR_S(20));
		bgp_session_wrote(&b.s, 1, b.now);
	}
	assert_int_equal(b.sent_len, 0);
}

static void no_timers_without_hold_time(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.hold_s = 0;
	bring_to(&b, &c, BGP_ESTABLISHED);
	assert_true(mono_is_never(bgp_session_deadline(&b.s)));
}

static void a_silent_peer_is_given_up(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_OPEN_SENT);
	pass(&b, DUR_S(30));
	assert_int_equal(b.s.note_out.code, BGP_ERR_HOLD_TIMER);
}

static void a_peer_that_reads_nothing_is_given_up(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.leg[BGP_OURS].hold_at = MONO_NEVER;
	bgp_session_output(&b.s, BGP_OURS, false, 100, b.now);
	pass(&b, DUR_S(479));
	bgp_session_output(&b.s, BGP_OURS, false, 200, b.now); /* no progress: the clock goes on */
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	pass(&b, DUR_S(1));
	assert_string_equal(b.s.reason, "send hold timer expired: the peer reads nothing");

	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.leg[BGP_OURS].hold_at = MONO_NEVER;
	bgp_session_output(&b.s, BGP_OURS, false, 100, b.now);
	pass(&b, DUR_S(400));
	bgp_session_output(&b.s, BGP_OURS, true, 100, b.now);
	pass(&b, DUR_S(400));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	bgp_session_output(&b.s, BGP_OURS, true, 0, b.now);
	pass(&b, DUR_S(4000));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
}

static void pauses_grow_to_the_cap(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;
	struct dur longest = { 0 };

	(void)state;
	c.retry_max = DUR_S(10);
	bring_to(&b, &c, BGP_CONNECT);
	for (int i = 0; i < 60; i++) {
		bgp_session_failed(&b.s, "refused", b.now);
		look(&b);
		struct dur pause = mono_sub(bgp_session_deadline(&b.s), b.now);
		if (i == 0)
			assert_in_range(pause.ns, DUR_MS(75).ns, DUR_MS(100).ns);
		assert_in_range(pause.ns, DUR_MS(75).ns, DUR_S(10).ns);
		longest.ns = MAX(longest.ns, pause.ns);
		b.now = bgp_session_deadline(&b.s);
		bgp_session_tick(&b.s, b.now);
		look(&b);
		assert_int_equal(b.s.state, BGP_CONNECT);
	}
	assert_true(longest.ns > DUR_MS(7500).ns);
	assert_int_equal(b.connects, 60);
}

/* However long the peer was away, it is found again after about a third of that. */
static void a_restarted_router_is_found_quickly(void **state)
{
	static const int away_s[] = { 1, 10, 60, 300 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(away_s); i++) {
		struct bench b;

		bring_to(&b, &conf, BGP_ESTABLISHED);
		bgp_session_closed(&b.s, BGP_OURS, "closed", b.now);
		look(&b);
		struct mono back = mono_add(b.now, DUR_S(away_s[i]));
		for (;;) {
			b.now = bgp_session_deadline(&b.s);
			bgp_session_tick(&b.s, b.now);
			look(&b);
			if (b.s.state == BGP_CONNECT && !mono_before(b.now, back))
				break;
			if (b.s.state == BGP_CONNECT)
				bgp_session_failed(&b.s, "refused", b.now);
			look(&b);
		}
		assert_in_range(mono_sub(b.now, back).ns, 0, DUR_MS(away_s[i] * 340 + 100).ns);
	}
}

static void only_a_lasting_session_resets_the_pause(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.backoff = DUR_S(50);
	bgp_session_closed(&b.s, BGP_OURS, "closed", b.now);
	assert_true(b.s.backoff.ns > DUR_S(50).ns);

	bring_to(&b, &conf, BGP_ESTABLISHED);
	b.s.backoff = DUR_S(50);
	pass(&b, DUR_S(11));
	bgp_session_closed(&b.s, BGP_OURS, "closed", b.now);
	assert_int_equal(b.s.backoff.ns, DUR_MS(100).ns);
}

static void quarrels_wait_longer(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0015 03 02 02");
	assert_in_range(mono_sub(bgp_session_deadline(&b.s), b.now).ns, DUR_MS(750).ns,
			DUR_S(1).ns);
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0015 03 06 04");
	assert_in_range(mono_sub(bgp_session_deadline(&b.s), b.now).ns, DUR_MS(75).ns,
			DUR_MS(100).ns);
}

static void an_attempt_ends_by_itself(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_CONNECT);
	b.now = bgp_session_deadline(&b.s);
	bgp_session_tick(&b.s, b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_ACTIVE);
	assert_int_equal(b.closes, 1);
	assert_string_equal(b.s.reason, "connect: no answer");
}

static void passive_waits(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b = { .now = { 1 } };

	(void)state;
	c.passive = true;
	bgp_session_init(&b.s, &c, 1, b.now);
	bgp_session_start(&b.s, b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_ACTIVE);
	assert_int_equal(b.connects, 0);
	pass(&b, DUR_S(1000));
	assert_int_equal(b.connects, 0);
	assert_true(bgp_session_offer(&b.s, b.now));
	bgp_session_accepted(&b.s, 0x0a000005, b.now);
	look(&b);
	hear(&b, OPEN);
	hear(&b, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	/* A second connection beside a running session is refused. */
	assert_false(bgp_session_offer(&b.s, b.now));
	bgp_session_closed(&b.s, BGP_THEIRS, "closed", b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_false(bgp_session_offer(&b.s, b.now));
	pass(&b, DUR_MS(100));
	assert_int_equal(b.s.state, BGP_ACTIVE);
	assert_true(bgp_session_offer(&b.s, b.now));
}

/* A session with both legs in OpenSent; our router id is 10.0.0.5. */
static void bring_two(struct bench *b, const struct bgp_session_conf *c)
{
	bring_to(b, c, BGP_OPEN_SENT);
	assert_true(bgp_session_offer(&b->s, b->now));
	bgp_session_accepted(&b->s, 0x0a000005, b->now);
	look(b);
	forget(b);
}

static void hear_on(struct bench *b, enum bgp_leg_id leg, const char *hex)
{
	uint8_t wire[256];
	size_t len = unhex(hex, wire, sizeof(wire));

	(void)!bgp_session_input(&b->s, leg, rd_from(wire, len), b->now);
	look(b);
}

#define OPEN_HIGHER \
	MARKER "002d 01 04 fc01 005a 0a000009 10 02 0e 0104 0001 00 01 0200 4104 0000fc01"

static const struct collision {
	const char *name;
	const char *open;
	uint32_t local_as;
	enum bgp_leg_id first; /* that hears its OPEN */
	enum bgp_leg_id stays;
} collisions[] = {
	{ "our id is higher, ours first", OPEN, 64512, BGP_OURS, BGP_OURS },
	{ "our id is higher, theirs first", OPEN, 64512, BGP_THEIRS, BGP_OURS },
	{ "their id is higher, ours first", OPEN_HIGHER, 64512, BGP_OURS, BGP_THEIRS },
	{ "their id is higher, theirs first", OPEN_HIGHER, 64512, BGP_THEIRS, BGP_THEIRS },
	{ "ids are equal, their AS is higher",
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01", 64512,
	  BGP_OURS, BGP_THEIRS },
	{ "ids are equal, our AS is higher",
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01", 64999,
	  BGP_OURS, BGP_OURS },
};

static void collisions_are_resolved(void **state)
{
	const struct collision *c = *state;
	struct bgp_session_conf both = conf;
	enum bgp_leg_id other = c->first == BGP_OURS ? BGP_THEIRS : BGP_OURS;
	struct bench b;

	both.accepts = true;
	both.local_as = c->local_as;
	bring_two(&b, &both);
	hear_on(&b, c->first, c->open);
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.closes, 0);
	hear_on(&b, other, c->open);
	assert_int_equal(b.closes, 1);
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.s.lead, c->stays);
	hear_on(&b, c->stays, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.notes_out, 0); /* nobody needs to know */
}

static void the_first_that_is_established_wins(void **state)
{
	struct bgp_session_conf both = conf;
	struct bench b;

	(void)state;
	both.accepts = true;
	bring_two(&b, &both);
	hear_on(&b, BGP_THEIRS, OPEN);
	hear_on(&b, BGP_THEIRS, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.lead, BGP_THEIRS);
	assert_int_equal(b.closes, 1);
	assert_false(bgp_session_hears(&b.s, BGP_OURS));
	pass(&b, DUR_S(89));
	assert_int_equal(b.connects, 0);
}

static void a_leg_that_ends_leaves_the_other(void **state)
{
	struct bgp_session_conf both = conf;
	struct bench b;

	(void)state;
	both.accepts = true;
	bring_two(&b, &both);
	hear_on(&b, BGP_OURS, OPEN);
	bgp_session_closed(&b.s, BGP_THEIRS, "closed", b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	bring_two(&b, &both);
	hear_on(&b, BGP_OURS, OPEN);
	hear_on(&b, BGP_OURS, MARKER "0015 03 06 07"); /* the peer resolved it */
	assert_int_equal(b.s.state, BGP_OPEN_SENT);
	assert_int_equal(b.notes_in, 0);
	hear_on(&b, BGP_THEIRS, OPEN);
	hear_on(&b, BGP_THEIRS, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
}

/* The peer has forgotten a connection on which it never said its OPEN. */
static void a_newer_connection_takes_the_place_of_a_silent_one(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b = { .now = { 1 } };

	(void)state;
	c.passive = true;
	bgp_session_init(&b.s, &c, 1, b.now);
	bgp_session_start(&b.s, b.now);
	look(&b);
	for (int i = 0; i < 3; i++) {
		assert_true(bgp_session_offer(&b.s, b.now));
		look(&b);
		assert_int_equal(b.closes, i);
		bgp_session_accepted(&b.s, 0x0a000005, b.now);
		look(&b);
	}
	hear_on(&b, BGP_THEIRS, OPEN);
	assert_false(bgp_session_offer(&b.s, b.now));
}

/* An UPDATE with the attributes that have to be there, and these IPv4 prefixes. */
#define UPDATE_OF(len, nlri) \
	MARKER len " 02 0000 0014 400101 00 400206 0201 0000fc01 400304 0a000001 " nlri

static void a_peer_may_announce_so_many_prefixes(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.max_prefix = 2;
	bring_to(&b, &c, BGP_ESTABLISHED);
	hear(&b, UPDATE_OF("0033", "180a0001 180a0002"));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	for (int i = 0; i < 5; i++) /* the same ones again are no more */
		hear(&b, UPDATE_OF("0033", "180a0001 180a0002"));
	hear(&b, MARKER "001b 02 0004 180a0001 0000");
	hear(&b, UPDATE_OF("002f", "180a0003"));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	hear(&b, UPDATE_OF("002f", "180a0004"));
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_int_equal(b.s.note_out.code, BGP_ERR_CEASE);
	assert_int_equal(b.s.note_out.subcode, BGP_CEASE_MAX_PREFIXES);
	assert_string_equal(b.s.reason, "the peer announces more than 2 prefixes");
	/* The family and the limit are told, RFC 4486. */
	const uint8_t data[] = { 6, 1, 0, 1, 1, 0, 0, 0, 2 };
	assert_memory_equal(b.sent + b.sent_len - sizeof(data), data, sizeof(data));
	assert_true(mono_sub(bgp_session_deadline(&b.s), b.now).ns >= DUR_S(45).ns);
	bgp_session_fini(&b.s);
}

/* What our next OPEN says. */
static struct bgp_open next_open(struct bench *b)
{
	struct bgp_open open = { 0 };
	struct bgp_frame frame;
	struct bgp_fault fault;

	while (b->s.state != BGP_CONNECT) {
		b->now = bgp_session_deadline(&b->s);
		bgp_session_tick(&b->s, b->now);
		look(b);
	}
	forget(b);
	bgp_session_connected(&b->s, 0x0a000005, b->now);
	look(b);
	assert_int_equal(
		bgp_frame_decode(rd_from(b->sent, b->sent_len), BGP_MSG_MAX, &frame, &fault), 0);
	assert_int_equal(bgp_open_decode(frame.body, &open, &fault), 0);
	return open;
}

static void what_the_peer_refuses_is_left_away(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.host = "rack1-a";
	bring_to(&b, &c, BGP_OPEN_SENT);
	hear(&b, MARKER "0019 03 02 07 4900 0600"); /* it names the two that it minds */
	assert_in_range(mono_sub(bgp_session_deadline(&b.s), b.now).ns, 0, DUR_MS(100).ns);
	struct bgp_open open = next_open(&b);
	assert_string_equal(open.host, "");
	assert_false(open.extended_message);
	assert_true(open.as4 && open.refresh && open.enhanced_refresh);

	hear(&b, MARKER "0015 03 02 07"); /* it does not say which */
	open = next_open(&b);
	assert_true(open.as4);
	assert_false(open.refresh || open.enhanced_refresh);
	assert_int_equal(open.n_caps, 2);

	hear(&b, MARKER "0015 03 02 04"); /* no capabilities at all, please */
	open = next_open(&b);
	assert_int_equal(open.n_caps, 0);
	hear(&b, OPEN);
	hear(&b, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_false(b.s.agreed.as4);
	assert_int_equal(b.s.agreed.families, BGP_V4);

	hear(&b, MARKER "0015 03 02 07");
	assert_true(mono_sub(bgp_session_deadline(&b.s), b.now).ns >= DUR_MS(750).ns);
}

static const struct role_case {
	uint8_t ours;
	const char *theirs; /* the number on the wire; "" none */
	bool fits;
} roles[] = {
	{ BGP_ROLE_PROVIDER, "03", true }, { BGP_ROLE_PROVIDER, "00", false },
	{ BGP_ROLE_CUSTOMER, "00", true }, { BGP_ROLE_CUSTOMER, "04", false },
	{ BGP_ROLE_RS, "02", true },	   { BGP_ROLE_RS_CLIENT, "01", true },
	{ BGP_ROLE_RS, "03", false },	   { BGP_ROLE_PEER, "04", true },
	{ BGP_ROLE_PEER, "09", false },	   { BGP_ROLE_PEER, "", true },
	{ BGP_ROLE_NONE, "02", true },
};

static void roles_have_to_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct bgp_session_conf c = conf;
		char open[256];
		struct bench b;

		c.role = roles[i].ours;
		bring_to(&b, &c, BGP_OPEN_SENT);
		snprintf(open, sizeof(open),
			 MARKER "%s 01 04 fc01 005a 0a000001 %s 0104 0001 00 01 4104 0000fc01 %s%s",
			 *roles[i].theirs ? "002e" : "002b",
			 *roles[i].theirs ? "11 02 0f" : "0e 02 0c", *roles[i].theirs ? "0901" : "",
			 roles[i].theirs);
		hear(&b, open);
		assert_int_equal(b.s.state == BGP_OPEN_CONFIRM, roles[i].fits);
		if (!roles[i].fits)
			assert_int_equal(b.s.note_out.subcode, BGP_OPEN_ROLE);
	}
}

static void internal_peers_have_no_role(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.role = BGP_ROLE_PEER;
	c.peer_as = c.local_as;
	bring_to(&b, &c, BGP_OPEN_SENT);
	assert_int_equal(b.s.leg[BGP_OURS].said.role, BGP_ROLE_NONE);
}

/* With enhanced refresh: capabilities 2 and 70. */
#define OPEN_ENHANCED \
	MARKER "002f 01 04 fc01 005a 0a000001 12 02 10 0104 0001 00 01 0200 4600 4104 0000fc01"

static const struct refresh_case {
	const char *open;
	const char *message;
	const char *answer; /* "" fine, or the end of the NOTIFICATION */
} refreshes[] = {
	{ OPEN_ENHANCED, MARKER "0017 05 0001 01 01", "" },
	{ OPEN_ENHANCED, MARKER "0018 05 0001 01 01 00", "07 01 " MARKER "0018 05 0001 01 01 00" },
	{ OPEN_ENHANCED, MARKER "0018 05 0001 00 01 00", "01 02 0018" },
	{ OPEN, MARKER "0018 05 0001 01 01 00", "01 02 0018" },
};

static void refreshes_have_a_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refreshes); i++) {
		const struct refresh_case *c = &refreshes[i];
		uint8_t want[64];
		struct bench b;

		bring_to(&b, &conf, BGP_OPEN_SENT);
		hear(&b, c->open);
		hear(&b, ALIVE);
		forget(&b);
		hear(&b, c->message);
		size_t len = unhex(c->answer, want, sizeof(want));
		assert_int_equal(b.s.state == BGP_ESTABLISHED, len == 0);
		assert_true(b.sent_len >= len);
		assert_memory_equal(b.sent + b.sent_len - len, want, len);
	}
}

/* RFC 8654: up to 65535 bytes, but an OPEN of more than 4096 is refused. */
static void messages_may_be_long(void **state)
{
	static uint8_t wire[BGP_MSG_EXTENDED_MAX];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	size_t mark = bgp_frame_begin(&w, BGP_UPDATE);
	wr_u16(&w, BGP_MSG_EXTENDED_MAX - BGP_HEADER_LEN - 4);
	for (size_t left = BGP_MSG_EXTENDED_MAX - BGP_HEADER_LEN - 4; left > 0; left--)
		wr_u8(&w, 0); /* withdraws the default route, again and again */
	wr_u16(&w, 0);
	bgp_frame_end(&w, mark);
	assert_false(w.bad);
	assert_int_equal(bgp_session_input(&b.s, BGP_OURS, rd_from(wire, w.len), b.now), w.len);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.withdrawn_in, BGP_MSG_EXTENDED_MAX - BGP_HEADER_LEN - 4);

	bring_to(&b, &conf, BGP_OPEN_SENT);
	hear(&b, MARKER "1001 01");
	assert_int_equal(b.s.note_out.code, BGP_ERR_HEADER);
	assert_int_equal(b.s.note_out.subcode, BGP_HEADER_LENGTH);
}

/* With graceful restart of 120 s for IPv4, without and with RFC 8538. */
#define OPEN_RESTART(flags)                                                         \
	MARKER "0033 01 04 fc01 005a 0a000001 16 02 14 0104 0001 00 01 4006 " flags \
	       "078 0001 01 80 4104 0000fc01"

static const struct bgp_session_conf restarting = {
	.local_as = 64512,
	.peer_as = 64513,
	.hold_s = 90,
	.families = BGP_V4,
	.accepts = true,
	.restart = { .on = true, .notifications = true, .time_s = 120, .families = BGP_V4 },
};

static void bring_restarting(struct bench *b, const struct bgp_session_conf *c, const char *open)
{
	bring_to(b, c, BGP_OPEN_SENT);
	hear(b, open);
	hear(b, ALIVE);
	assert_int_equal(b->s.state, BGP_ESTABLISHED);
	forget(b);
}

static const struct leave_case {
	const char *name;
	const struct bgp_session_conf *conf;
	const char *open;
	const char *leaves; /* what the peer hears when we restart */
	const char *stops;  /* and when we stop for good */
} leaves[] = {
	{ "no graceful restart", &conf, OPEN, "0602", "0602" },
	{ "ours alone", &restarting, OPEN, "0602", "0602" },
	{ "theirs alone", &conf, OPEN_RESTART("0"), "0602", "0602" },
	{ "both", &restarting, OPEN_RESTART("0"), "", "0602" },
	{ "both, and notifications", &restarting, OPEN_RESTART("4"), "0604", "0609 0602" },
};

static void routes_stay_when_we_restart(void **state)
{
	const struct leave_case *c = *state;
	uint8_t want[8];
	struct bench b;

	bring_restarting(&b, c->conf, c->open);
	bgp_session_leave(&b.s, NULL, b.now);
	look(&b);
	size_t len = unhex(c->leaves, want, sizeof(want));
	assert_int_equal(b.sent_len, len ? BGP_HEADER_LEN + len : 0);
	if (len)
		assert_memory_equal(b.sent + BGP_HEADER_LEN, want, len);
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_int_equal(b.closes, 1);
	assert_true(mono_is_never(bgp_session_deadline(&b.s)));

	bring_restarting(&b, c->conf, c->open);
	bgp_session_stop(&b.s, BGP_CEASE_SHUTDOWN, NULL, b.now);
	look(&b);
	len = unhex(c->stops, want, sizeof(want));
	assert_int_equal(b.sent_len, BGP_HEADER_LEN + len);
	assert_memory_equal(b.sent + BGP_HEADER_LEN, want, len);
}

/* RFC 4724 §5: without the capability the first connection stays, with it the newer one. */
static void a_restarted_peer_may_connect_again(void **state)
{
	struct bench b;

	(void)state;
	bring_restarting(&b, &restarting, OPEN);
	assert_false(bgp_session_offer(&b.s, b.now));
	bring_restarting(&b, &restarting, OPEN_RESTART("0"));
	assert_true(bgp_session_offer(&b.s, b.now));
	look(&b);
	assert_int_equal(b.closes, 1);
	assert_int_equal(b.s.state, BGP_ACTIVE);
	bgp_session_accepted(&b.s, 0x0a000005, b.now);
	hear(&b, OPEN_RESTART("8"));
	hear(&b, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.lead, BGP_THEIRS);
}

static void an_open_may_be_delayed(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.delay_open = DUR_S(2);
	bring_to(&b, &c, BGP_CONNECT);
	bgp_session_connected(&b.s, 0x0a000005, b.now);
	look(&b);
	assert_int_equal(b.s.state, BGP_CONNECT);
	assert_int_equal(b.sent_len, 0);
	pass(&b, DUR_S(2));
	assert_int_equal(b.s.state, BGP_OPEN_SENT);

	bring_to(&b, &c, BGP_CONNECT);
	bgp_session_connected(&b.s, 0x0a000005, b.now);
	hear(&b, OPEN); /* the peer was faster */
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.s.msgs_out[BGP_OPEN], 1);
	assert_int_equal(b.s.msgs_out[BGP_KEEPALIVE], 1);
}

static void refresh_only_for_what_was_agreed(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0017 05 0002 00 01");
	assert_int_equal(b.refresh, 0);
	hear(&b, MARKER "0017 05 0001 00 02");
	assert_int_equal(b.refresh, 0);
	hear(&b, MARKER "0017 05 0001 01 01"); /* RFC 7313's marks are not requests */
	assert_int_equal(b.refresh, 0);
	hear(&b, MARKER "0017 05 0001 00 01");
	assert_int_equal(b.refresh, BGP_V4);
}

static void updates_are_judged(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b,
	     MARKER "002f 02 0000 0014 40010100 400206 0201 0000fc01 400304 0a000001 18 c00002");
	assert_int_equal(b.s.announced_in, 1);
	hear(&b, MARKER "0027 02 0000 000b 40010100 400304 0a000001 20 c000020a");
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	hear(&b, MARKER "0018 02 0000 0000 21");
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_int_equal(b.s.note_out.code, BGP_ERR_UPDATE);
	assert_int_equal(b.s.note_out.subcode, 10);
}

static void input_is_used_one_message_at_a_time(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	assert_int_equal(hear(&b, ALIVE ALIVE), 19);
	assert_int_equal(hear(&b, MARKER "00"), 0);
	assert_int_equal(hear(&b, MARKER "0017 02 0000"), 0);
	assert_int_equal(b.s.msgs_in[BGP_KEEPALIVE], 2);
}

static void shutdown_text_is_shown(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0018 03 06 02 02 6869");
	assert_string_equal(b.s.note_in.text, "hi");
	assert_string_equal(b.s.reason,
			    "notification received: Cease/Administrative Shutdown (6/2)");
	bring_to(&b, &conf, BGP_ESTABLISHED);
	bgp_session_stop(&b.s, BGP_CEASE_SHUTDOWN, "goodbye\xe2\x82\xac", b.now);
	look(&b);
	vector_is("notification_shutdown.hex", b.sent, b.sent_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_in_each_state),
		cmocka_unit_test(hold_timer_expires),
		cmocka_unit_test(hearing_keeps_it_up),
		cmocka_unit_test(keepalives_come_in_time),
		cmocka_unit_test(no_timers_without_hold_time),
		cmocka_unit_test(a_silent_peer_is_given_up),
		cmocka_unit_test(a_peer_that_reads_nothing_is_given_up),
		cmocka_unit_test(pauses_grow_to_the_cap),
		cmocka_unit_test(a_restarted_router_is_found_quickly),
		cmocka_unit_test(only_a_lasting_session_resets_the_pause),
		cmocka_unit_test(quarrels_wait_longer),
		cmocka_unit_test(an_attempt_ends_by_itself),
		cmocka_unit_test(passive_waits),
		cmocka_unit_test(the_first_that_is_established_wins),
		cmocka_unit_test(a_leg_that_ends_leaves_the_other),
		cmocka_unit_test(a_newer_connection_takes_the_place_of_a_silent_one),
		cmocka_unit_test(an_open_may_be_delayed),
		cmocka_unit_test(a_restarted_peer_may_connect_again),
		cmocka_unit_test(what_the_peer_refuses_is_left_away),
		cmocka_unit_test(roles_have_to_fit),
		cmocka_unit_test(internal_peers_have_no_role),
		cmocka_unit_test(refreshes_have_a_length),
		cmocka_unit_test(messages_may_be_long),
		cmocka_unit_test(a_peer_may_announce_so_many_prefixes),
		cmocka_unit_test(refresh_only_for_what_was_agreed),
		cmocka_unit_test(updates_are_judged),
		cmocka_unit_test(input_is_used_one_message_at_a_time),
		cmocka_unit_test(shutdown_text_is_shown),
	};
	int failed = RUN_TABLE("bgp open", opens, opens_are_judged);

	failed += RUN_TABLE("bgp leaving", leaves, routes_stay_when_we_restart);
	failed += RUN_TABLE("bgp collisions", collisions, collisions_are_resolved);

	return failed + cmocka_run_group_tests_name("bgp session", tests, NULL, NULL);
}
