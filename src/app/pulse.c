#include "app/pulse.h"

#include <stdatomic.h>
#include <string.h>

#include "app/ids.h"

struct pulse {
	struct pulse_conf conf;
	struct bfd_engine *bfd;
	struct mesh_io *io;
	struct liveness liveness;
	const struct pulse_table *table;
	struct loop_timer timer;      /* liveness's next deadline */
	struct loop_task follow;      /* what it decided has effect */
	uint8_t barred[NODE_IDS_MAX]; /* enum liveness_state, as was said last */
	bool away;
	uint16_t untaken[PULSE_PEERS_MAX]; /* whose answers are still to come */
	size_t n_untaken;
	struct mono handed_at; /* not told before: others may not have noticed yet who died */
	struct loop_timer handed;
};

static void tell(struct pulse *p, struct pulse_event ev)
{
	ev.at = loop_now(p->conf.loop);
	p->conf.event(p->conf.ctx, &ev);
}

static bool is_out(enum liveness_state state)
{
	return state == LIVENESS_DEAD || state == LIVENESS_LEFT;
}

/* --- what this node gave up --- */

static void settle_handed(struct pulse *p, struct mono now)
{
	if (!p->away || p->n_untaken)
		return;
	if (mono_before(now, p->handed_at)) {
		loop_timer_set(&p->handed, p->handed_at);
		return;
	}
	tell(p, (struct pulse_event){ .kind = PULSE_HANDED });
}

static void handed_due(struct loop_timer *t, struct mono now)
{
	settle_handed(CONTAINER_OF(t, struct pulse, handed), now);
}

/* False: nothing was expected of it, or it has answered before. */
static bool untaken_remove(struct pulse *p, uint16_t id)
{
	for (size_t i = 0; i < p->n_untaken; i++)
		if (p->untaken[i] == id) {
			p->untaken[i] = p->untaken[--p->n_untaken];
			return true;
		}
	return false;
}

/* Its successors take what it was to take: they find out as we did, a heartbeat later at most. */
static void wait_no_more_for(struct pulse *p, uint16_t id)
{
	struct mono now = loop_now(p->conf.loop);

	if (!untaken_remove(p, id))
		return;
	if (p->table)
		p->handed_at = mono_add(now, p->table->interval);
	settle_handed(p, now);
}

/* Gossip's own word reaches the announcer without us; only what the mesh knows better is said here. */
static void bar(struct pulse *p, uint16_t id, enum liveness_state state)
{
	if (p->barred[id] == state || (!is_out(p->barred[id]) && !is_out(state)))
		return;
	p->barred[id] = (uint8_t)state;
	p->conf.bar(p->conf.ctx, id, is_out(state));
	tell(p, (struct pulse_event){ .kind = PULSE_VERDICT, .id = id, .state = state });
	if (is_out(state))
		wait_no_more_for(p, id);
}

static void bars_settle(struct pulse *p)
{
	for (size_t i = 0; i < p->liveness.n; i++)
		bar(p, p->liveness.peers[i].id, p->liveness.peers[i].state);
}

static const struct mesh_peer *peer_of(const struct pulse_table *t, uint16_t id)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (t->peers[i].id == id)
			return &t->peers[i];
	return NULL;
}

static const struct mesh_peer *peer_named(const struct pulse_table *t, const struct mesh_frame *f)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (strlen(t->peers[i].name) == f->name_len &&
		    memcmp(t->peers[i].name, f->name, f->name_len) == 0)
			return &t->peers[i];
	return NULL;
}

/* --- questions --- */

/* Who can't be asked, answers no. */
static void ask_all(struct pulse *p, const struct liveness_out *out)
{
	const struct mesh_peer *accused = peer_of(p->table, out->id);
	struct mono now = loop_now(p->conf.loop);

	if (!accused)
		return;
	struct mesh_frame f = { .type = MESH_HEARD,
				.query = out->query,
				.name = accused->name,
				.name_len = strlen(accused->name) };

	for (size_t i = 0; i < p->liveness.n; i++) {
		const struct liveness_peer *w = &p->liveness.peers[i];

		if (w->id != out->id && w->linked && w->session && !mesh_io_send(p->io, w->id, &f))
			liveness_answer(&p->liveness, out->query, false, now);
	}
}

/* Lately: it may have missed one heartbeat, but not two. */
static bool heard_lately(struct pulse *p, uint16_t id)
{
	struct mono last;
	struct dur since;

	if (!bfd_engine_heard(p->bfd, id, &last))
		return false;
	since = mono_sub(loop_now(p->conf.loop), last);
	return since.ns <= (p->table->multiplier - 1) * p->table->interval.ns;
}

static void answer(struct pulse *p, uint16_t asker, const struct mesh_frame *question)
{
	const struct mesh_peer *accused = peer_named(p->table, question);
	struct mesh_frame f = { .type = MESH_ANSWER,
				.query = question->query,
				.yes = accused && heard_lately(p, accused->id) };

	(void)mesh_io_send(p->io, asker, &f); /* no answer in time is a no */
}

/* --- deciding --- */

static void drain(struct pulse *p)
{
	struct liveness_out out;

	while (liveness_next(&p->liveness, &out))
		if (out.kind == LIVENESS_ASK_ALL)
			ask_all(p, &out);
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

/* --- connections --- */

static bool say_away(struct pulse *p, uint16_t id)
{
	return mesh_io_send(p->io, id, &(struct mesh_frame){ .type = MESH_AWAY, .yes = p->away });
}

static void on_linked(void *ctx, uint16_t id, bool linked)
{
	struct pulse *p = ctx;

	liveness_linked(&p->liveness, id, linked);
	if (linked) /* what was said meanwhile has not arrived, nor that we are back */
		(void)say_away(p, id);
}

static void on_taken(struct pulse *p, uint16_t id)
{
	if (untaken_remove(p, id))
		settle_handed(p, loop_now(p->conf.loop));
}

/* Who is back gives nothing up: that needs no preparation. */
static void on_away(struct pulse *p, uint16_t id, bool away)
{
	if (!away)
		liveness_left(&p->liveness, id, false);
	tell(p, (struct pulse_event){ .kind = PULSE_AWAY, .id = id, .away = away });
}

static void on_refused(void *ctx, uint16_t id)
{
	struct pulse *p = ctx;

	liveness_refused(&p->liveness, id, loop_now(p->conf.loop));
	loop_task_queue(&p->follow);
}

static void on_frame(void *ctx, uint16_t id, const struct mesh_frame *f)
{
	struct pulse *p = ctx;

	if (f->type == MESH_HEARD)
		answer(p, id, f);
	else if (f->type == MESH_ANSWER)
		liveness_answer(&p->liveness, f->query, f->yes, loop_now(p->conf.loop));
	else if (f->type == MESH_AWAY)
		on_away(p, id, f->yes);
	else if (f->type == MESH_TAKEN)
		on_taken(p, id);
	else if (f->type == MESH_NEWS)
		p->conf.news(p->conf.ctx, f->text);
	loop_task_queue(&p->follow);
}

/* --- sessions --- */

/* The peer may not have been told yet, and the engine must not be called from here. */
static void on_session(void *ctx, const struct bfd_event *ev)
{
	struct pulse *p = ctx;
	uint16_t id = (uint16_t)ev->id;
	const struct bfd_change *change = &ev->change;

	if (change->new_state == BFD_UP) {
		liveness_up(&p->liveness, id);
		p->conf.returned(p->conf.ctx, id);
	}
	if (change->old_state == BFD_UP && change->local_diag == BFD_DIAG_EXPIRED)
		liveness_silent(&p->liveness, id, loop_now(p->conf.loop));
	else if (change->new_state != BFD_UP)
		liveness_lost(&p->liveness, id);
	mesh_io_want(p->io, id, change->new_state == BFD_UP);
	if (change->new_state == BFD_INIT)
		tell(p, (struct pulse_event){ .kind = PULSE_HEARD, .id = id });
	if (change->new_state == BFD_UP || change->old_state == BFD_UP)
		tell(p, (struct pulse_event){ .kind = change->new_state == BFD_UP ? PULSE_UP
										  : PULSE_DOWN,
					      .id = id });
	loop_task_queue(&p->follow);
}

struct pulse *pulse_new(const struct pulse_conf *conf)
{
	struct pulse *p = mem_new(struct pulse);

	p->conf = *conf;
	p->bfd = bfd_engine_new(&(struct bfd_engine_conf){
		.loop = conf->loop, .event = on_session, .ctx = p, .port = conf->port });
	p->io = mesh_io_new(&(struct mesh_io_conf){
		.loop = conf->loop,
		.port = conf->port,
		.name = conf->name,
		.ring = conf->ring,
		.hooks = { .ctx = p,
			   .linked = on_linked,
			   .refused = on_refused,
			   .frame = on_frame },
	});
	explicit_bzero(&p->conf.ring, sizeof(p->conf.ring));
	liveness_init(&p->liveness);
	loop_timer_init(&p->timer, conf->loop, due);
	loop_timer_init(&p->handed, conf->loop, handed_due);
	loop_task_init(&p->follow, conf->loop, follow);
	return p;
}

struct pulse *pulse_free(struct pulse *p)
{
	if (!p)
		return NULL;
	loop_timer_stop(&p->timer);
	loop_timer_stop(&p->handed);
	loop_task_cancel(&p->follow);
	mesh_io_free(p->io);
	bfd_engine_free(p->bfd);
	free(p);
	return NULL;
}

static void forget(struct pulse *p, uint16_t id)
{
	bar(p, id, LIVENESS_FINE);
	(void)untaken_remove(p, id);
	liveness_forget(&p->liveness, id);
}

const struct pulse_table *pulse_apply(struct pulse *p, const struct pulse_table *t)
{
	const struct pulse_table *before = p->table;

	for (size_t i = 0; before && i < before->n; i++)
		if (!peer_of(t, before->peers[i].id))
			forget(p, before->peers[i].id);
	for (size_t i = 0; t && i < t->n; i++)
		if (!liveness_find(&p->liveness, t->peers[i].id))
			(void)!liveness_gossip(&p->liveness, t->peers[i].id, false);
	if (t)
		liveness_trust(&p->liveness, t->trusted, t->interval);
	p->table = t;
	mesh_io_set_peers(p->io, t ? t->peers : NULL, t ? t->n : 0);
	(void)bfd_engine_apply(p->bfd, t ? &t->sessions : NULL);
	drain(p);
	settle_handed(p, loop_now(p->conf.loop));
	return before;
}

void pulse_gossip(struct pulse *p, uint16_t id, bool alive)
{
	if (!peer_of(p->table, id))
		return;
	(void)!liveness_gossip(&p->liveness, id, alive); /* it has room: the table is no longer */
	drain(p);
}

void pulse_away(struct pulse *p, bool away)
{
	p->away = away;
	p->n_untaken = 0;
	p->handed_at = (struct mono){ 0 };
	loop_timer_stop(&p->handed);
	for (size_t i = 0; p->table && i < p->table->n; i++) {
		uint16_t id = p->table->peers[i].id;

		if (say_away(p, id) && away)
			p->untaken[p->n_untaken++] = id;
	}
	settle_handed(p, loop_now(p->conf.loop));
}

void pulse_left(struct pulse *p, uint16_t id, bool left)
{
	if (!peer_of(p->table, id))
		return;
	if (!left || p->table->trusted) /* else gossip will tell that it is gone */
		liveness_left(&p->liveness, id, left);
	drain(p);
	if (left)
		(void)mesh_io_send(p->io, id, &(struct mesh_frame){ .type = MESH_TAKEN });
}

void pulse_say(struct pulse *p, struct rd text)
{
	const struct mesh_frame f = { .type = MESH_NEWS, .text = text };

	for (size_t i = 0; p->table && i < p->table->n; i++)
		(void)mesh_io_send(p->io, p->table->peers[i].id, &f);
}

bool pulse_is_idle(const struct pulse *p)
{
	return bfd_engine_is_idle(p->bfd);
}

int pulse_listen_errno(const struct pulse *p)
{
	int by_udp = atomic_load(&bfd_engine_counters(p->bfd)->listen_errno);

	return by_udp ? by_udp : mesh_io_listen_errno(p->io);
}

const struct bfd_counters *pulse_counters(const struct pulse *p)
{
	return bfd_engine_counters(p->bfd);
}
