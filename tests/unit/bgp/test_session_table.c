/* Each event in each state of the session. */
#include <stdio.h>

#include "session_bench.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_in_each_state),
	};

	return cmocka_run_group_tests_name("bgp session, by table", tests, NULL, NULL);
}
