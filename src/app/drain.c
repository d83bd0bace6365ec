#include "app/app_priv.h"
#include "base/log.h"

/* So long withdrawals have before the sessions that carry them are closed. */
#define LAST_WORDS DUR_MS(200)

static const char why[] = "crier drain";

static void enter(struct app *a, enum drain_state state, struct dur wait)
{
	a->drain.state = state;
	loop_timer_set(&a->drain.next, mono_add(loop_now(a->loop), wait));
}

static json_t *answer(const struct app *a)
{
	return json_pack("{s:s, s:b}", "node", a->node, "drained", a->drain.state == DRAIN_DONE);
}

/* Whoever waits is told. */
static void tell_asked(struct app *a)
{
	struct control_stream *asked = a->drain.asked;

	a->drain.asked = NULL;
	if (asked)
		control_stream_answer(asked, answer(a));
}

static void say_drained(struct app *a, bool drained)
{
	membership_drained(a->membership, drained);
	world_node_drained(a->world, a->node, drained);
}

static void on_next(struct loop_timer *t, struct mono now)
{
	struct app *a = CONTAINER_OF(t, struct app, drain.next);

	(void)now;
	if (a->drain.state == DRAIN_MOVING) {
		say_drained(a, true);
		enter(a, DRAIN_LAST_WORDS, LAST_WORDS);
		return;
	}
	a->drain.state = DRAIN_DONE;
	bgp_speaker_retire(a->sessions.bgp, true, why);
	log_plain(LOG_INFO, "drained", "nothing is announced from this node any more");
	tell_asked(a);
}

void app_drain_init(struct app *a)
{
	loop_timer_init(&a->drain.next, a->loop, on_next);
}

void app_drain_fini(struct app *a)
{
	loop_timer_stop(&a->drain.next);
}

static void nobody_waits(void *ctx)
{
	((struct app *)ctx)->drain.asked = NULL; /* it goes on */
}

/* Members that are not crier do not hear of it. */
static int check(const struct app *a, struct err *e)
{
	if (a->leaving)
		return err_set(e, ERR_STATE, "this node is leaving");
	if (a->drain.state == DRAIN_MOVING || a->drain.state == DRAIN_LAST_WORDS)
		return err_set(e, ERR_STATE, "this node is being drained");
	if (world_is_reference(a->world))
		return err_set(e, ERR_STATE,
			       "members that are not crier would not hear of it; label the node "
			       "node.kubernetes.io/exclude-from-external-load-balancers instead, "
			       "or stop crier here");
	return 0;
}

int app_drain(struct app *a, struct dur routes, struct control_stream *asked, struct err *e)
{
	int status = check(a, e);

	if (status < 0)
		return status;
	a->drain.asked = asked;
	control_stream_on_close(asked, nobody_waits, a);
	if (a->drain.state == DRAIN_DONE) {
		tell_asked(a);
		return 0;
	}
	log_plain(LOG_INFO, "draining", "everything is moved away from this node");
	a->drain.since = loop_now(a->loop);
	bgp_speaker_leave(a->sessions.bgp, true);
	enter(a, DRAIN_MOVING, routes);
	handover_leave(a->handover);
	return 0;
}

void app_drain_handed(struct app *a)
{
	if (a->drain.state == DRAIN_MOVING && !bgp_speaker_is_heard(a->sessions.bgp))
		loop_timer_set(&a->drain.next, loop_now(a->loop)); /* nobody to wait for */
}

int app_undrain(struct app *a, struct err *e)
{
	if (a->drain.state == DRAIN_NO)
		return err_set(e, ERR_STATE, "this node is not drained");
	a->drain.state = DRAIN_NO;
	loop_timer_stop(&a->drain.next);
	tell_asked(a);
	say_drained(a, false);
	bgp_speaker_leave(a->sessions.bgp, false);
	bgp_speaker_retire(a->sessions.bgp, false, NULL);
	handover_return(a->handover);
	log_plain(LOG_INFO, "undrained", "this node takes part again");
	return 0;
}
