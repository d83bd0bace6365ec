#include "app/pulse.h"

struct pulse {
	struct pulse_conf conf;
	struct bfd_engine *bfd;
	struct liveness liveness;
	const struct pulse_table *table;
	struct loop_timer timer; /* liveness's next deadline */
	struct loop_task follow; /* what it decided has effect */
	bool barred[UINT16_MAX + 1];
};

static void tell(struct pulse *p, int kind, uint16_t id, enum liveness_state state)
{
	struct pulse_event ev = { .id = id, .state = state, .at = loop_now(p->conf.loop) };

	ev.kind = kind;
	p->conf.event(p->conf.ctx, &ev);
}

static void bar(struct pulse *p, uint16_t id, enum liveness_state state, bool barred)
{
	if (p->barred[id] == barred)
		return;
	p->barred[id] = barred;
	p->conf.bar(p->conf.ctx, id, barred);
	tell(p, PULSE_VERDICT, id, state);
}

/* Gossip's own word reaches the announcer without us; only what the mesh knows better is said here. */
static void bars_settle(struct pulse *p)
{
	for (size_t i = 0; i < p->liveness.n; i++) {
		const struct liveness_peer *peer = &p->liveness.peers[i];

		bar(p, peer->id, peer->state,
		    peer->state == LIVENESS_DEAD || peer->state == LIVENESS_LEFT);
	}
}

static void drain(struct pulse *p)
{
	struct liveness_out out;

	while (liveness_next(&p->liveness, &out))
		;
	bars_settle(p);
	loop_timer_set(&p->timer, liveness_deadline(&p->liveness));
}

static void follow(struct loop_task *t)
{
	drain(CONTAINER_OF(t, struct pulse, follow));
}

static void due(struct loop_timer *t, struct mono now)
{
	struct pulse *p = CONTAINER_OF(t, struct pulse, timer);

	liveness_tick(&p->liveness, now);
	drain(p);
}

/* The peer may not have been told yet, and the engine must not be called from here. */
static void on_session(void *ctx, const struct bfd_event *ev)
{
	struct pulse *p = ctx;
	uint16_t id = (uint16_t)ev->id;
	const struct bfd_change *change = &ev->change;

	if (change->new_state == BFD_UP)
		liveness_up(&p->liveness, id);
	else if (change->old_state == BFD_UP && change->local_diag == BFD_DIAG_EXPIRED)
		liveness_silent(&p->liveness, id, loop_now(p->conf.loop));
	else
		liveness_lost(&p->liveness, id);
	if (change->new_state == BFD_UP || change->old_state == BFD_UP)
		tell(p, change->new_state == BFD_UP ? PULSE_UP : PULSE_DOWN, id, LIVENESS_FINE);
	loop_task_queue(&p->follow);
}

struct pulse *pulse_new(const struct pulse_conf *conf)
{
	struct pulse *p = mem_new(struct pulse);

	p->conf = *conf;
	p->bfd = bfd_engine_new(&(struct bfd_engine_conf){
		.loop = conf->loop, .event = on_session, .ctx = p, .port = conf->port });
	liveness_init(&p->liveness);
	loop_timer_init(&p->timer, conf->loop, due);
	loop_task_init(&p->follow, conf->loop, follow);
	return p;
}

struct pulse *pulse_free(struct pulse *p)
{
	if (!p)
		return NULL;
	loop_timer_stop(&p->timer);
	loop_task_cancel(&p->follow);
	bfd_engine_free(p->bfd);
	free(p);
	return NULL;
}

static bool has_peer(const struct pulse_table *t, uint16_t id)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (t->peers[i].id == id)
			return true;
	return false;
}

static void forget(struct pulse *p, uint16_t id)
{
	bar(p, id, LIVENESS_FINE, false);
	liveness_forget(&p->liveness, id);
}

const struct pulse_table *pulse_apply(struct pulse *p, const struct pulse_table *t)
{
	const struct pulse_table *before = p->table;

	for (size_t i = 0; before && i < before->n; i++)
		if (!has_peer(t, before->peers[i].id))
			forget(p, before->peers[i].id);
	for (size_t i = 0; t && i < t->n; i++)
		if (!liveness_find(&p->liveness, t->peers[i].id))
			(void)!liveness_gossip(&p->liveness, t->peers[i].id, false);
	if (t)
		liveness_trust(&p->liveness, t->trusted, t->interval);
	p->table = t;
	(void)bfd_engine_apply(p->bfd, t ? &t->sessions : NULL);
	drain(p);
	return before;
}

void pulse_gossip(struct pulse *p, uint16_t id, bool alive)
{
	if (!has_peer(p->table, id))
		return;
	(void)!liveness_gossip(&p->liveness, id, alive); /* it has room: the table is no longer */
	drain(p);
}

bool pulse_is_idle(const struct pulse *p)
{
	return bfd_engine_is_idle(p->bfd);
}

const struct bfd_counters *pulse_counters(const struct pulse *p)
{
	return bfd_engine_counters(p->bfd);
}
