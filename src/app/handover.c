#include "app/handover.h"

#include <string.h>

#include "base/log.h"

/* Successors look so often whether their links are ready, and wait no longer than so. */
#define LOOK_EVERY DUR_MS(1)
#define READY_MAX  DUR_MS(40)

/* From noticing that a successor has died until the next one announces. */
#define TAKING DUR_MS(50)

/* Who returns waits no longer for its own table than so. */
#define RETURN_MAX DUR_MS(200)

/* What was made ready and not taken goes again. */
#define TAKEN_MAX DUR_S(1)

/** Another node that goes, and what of it will be ours. */
struct leaver {
	struct leaver *next;
	uint16_t id;
	struct addr *addrs;
	size_t n;
	struct mono until; /* then it is released, ready or not; after that, forgotten */
	bool released;
};

struct handover {
	struct handover_conf conf;
	struct packet *packet;
	struct leaver *leavers;
	struct loop_timer look;
	struct loop_timer patience;
	bool leaving;
	bool returning;
};

static void leaver_free(struct handover *h, struct leaver *l)
{
	for (size_t i = 0; i < l->n; i++)
		binding_prepare(h->conf.binding, &l->addrs[i], false);
	free(l->addrs);
	free(l);
}

/* --- another one goes --- */

static bool is_running(const struct handover *h, const char *node)
{
	const struct world_node *n = world_node(h->conf.world, node);

	return n && n->alive && !mesh_is_out(h->conf.mesh, node);
}

/* Are we the first of the list that is there, when @leaver is not? */
static bool are_next(const struct handover *h, const struct plan_l2 *p, const char *leaver)
{
	const char *me = world_me(h->conf.world);

	for (size_t i = 0; i < p->n_succession; i++) {
		const char *node = p->succession[i].node;

		if (strcmp(node, me) == 0)
			return true;
		if (strcmp(node, leaver) != 0 && is_running(h, node))
			return false;
	}
	return false;
}

static void make_ready(struct handover *h, struct leaver *l, const char *name)
{
	const struct plan *plan;
	size_t cap = 0;

	for (size_t at = 0; (plan = planner_next(h->conf.planner, &at));)
		for (size_t i = 0; i < plan->n_l2; i++) {
			if (!are_next(h, &plan->l2[i], name))
				continue;
			mem_grow(l->addrs, l->n, cap);
			l->addrs[l->n++] = plan->l2[i].addr;
			binding_prepare(h->conf.binding, &plan->l2[i].addr, true);
		}
}

static bool is_ready(const struct handover *h, const struct leaver *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!binding_is_settled(h->conf.binding, &l->addrs[i]))
			return false;
	return true;
}

/* True when nothing of it is left to do. */
static bool leaver_step(struct handover *h, struct leaver *l, struct mono now)
{
	bool overdue = !mono_before(now, l->until);

	if (!l->released && (overdue || is_ready(h, l))) {
		l->released = true;
		l->until = mono_add(now, TAKEN_MAX);
		packet_set_left(h->packet, l->id, true);
		return false;
	}
	return l->released && overdue;
}

static void look(struct loop_timer *t, struct mono now)
{
	struct handover *h = CONTAINER_OF(t, struct handover, look);
	struct mono next = MONO_NEVER;

	for (struct leaver **at = &h->leavers; *at;) {
		struct leaver *l = *at;

		if (leaver_step(h, l, now)) {
			*at = l->next;
			leaver_free(h, l);
			continue;
		}
		next = mono_min(next, l->released ? l->until : mono_add(now, LOOK_EVERY));
		at = &l->next;
	}
	loop_timer_set(t, next);
}

static struct leaver **leaver_at(struct handover *h, uint16_t id)
{
	struct leaver **at = &h->leavers;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void asked(struct handover *h, uint16_t id)
{
	const char *name = node_ids_name(h->conf.ids, id);
	struct mono now = loop_now(h->conf.loop);
	struct leaver *l;

	if (!name || *leaver_at(h, id))
		return; /* it says so on each new connection */
	l = mem_new(struct leaver);
	l->id = id;
	l->until = mono_add(now, READY_MAX);
	l->next = h->leavers;
	h->leavers = l;
	make_ready(h, l, name);
	log_event(LOG_INFO, "nodeAway", "a node gives its addresses up", KV_STR("node", name),
		  KV_U64("ours", l->n));
	look(&h->look, now);
}

/* Nothing of it is ours to take any more, even if we were about to. */
static void came_back(struct handover *h, uint16_t id)
{
	struct leaver **at = leaver_at(h, id), *l = *at;

	packet_set_left(h->packet, id, false);
	if (!l)
		return;
	*at = l->next;
	leaver_free(h, l);
}

/* --- we go --- */

static void done(struct handover *h)
{
	uint16_t self;

	if (!h->leaving)
		return;
	h->leaving = false;
	loop_timer_stop(&h->patience);
	if (h->packet && node_ids_find(h->conf.ids, world_me(h->conf.world), &self))
		packet_set_left(h->packet, self, true);
	h->conf.on_done(h->conf.ctx);
}

/* The others fall silent at once about what they have in our place. */
static void back(struct handover *h)
{
	uint16_t self;

	h->returning = false;
	loop_timer_stop(&h->patience);
	packet_set_away(h->packet, false);
	if (node_ids_find(h->conf.ids, world_me(h->conf.world), &self))
		packet_set_left(h->packet, self, false);
}

static void out_of_patience(struct loop_timer *t, struct mono now)
{
	struct handover *h = CONTAINER_OF(t, struct handover, patience);

	(void)now;
	if (h->returning)
		back(h);
	else
		done(h);
}

/* A successor may have died just now. */
static struct dur patience_of(const struct handover *h)
{
	int64_t taken_ns = mesh_detection(h->conf.mesh).ns + TAKING.ns;

	return DUR_NS(MIN(MAX(HANDOVER_MAX.ns, taken_ns), HANDOVER_LONGEST.ns));
}

void handover_leave(struct handover *h)
{
	if (!h->conf.mesh || !h->packet || !mesh_trusted(h->conf.mesh)) {
		h->conf.on_done(
			h->conf.ctx); /* who takes over hears it by gossip, while we answer */
		return;
	}
	h->leaving = true;
	h->returning = false;
	loop_timer_set(&h->patience, mono_add(loop_now(h->conf.loop), patience_of(h)));
	packet_set_away(h->packet, true);
}

void handover_return(struct handover *h)
{
	h->leaving = false;
	loop_timer_stop(&h->patience);
	if (!h->packet)
		return;
	h->returning = true;
	loop_timer_set(&h->patience, mono_add(loop_now(h->conf.loop), RETURN_MAX));
}

void handover_on_table(struct handover *h)
{
	if (h->returning)
		back(h);
}

void handover_on_event(struct handover *h, const struct pulse_event *ev)
{
	if (ev->kind == PULSE_HANDED)
		done(h);
	else if (ev->kind == PULSE_AWAY && ev->away)
		asked(h, ev->id);
	else if (ev->kind == PULSE_AWAY)
		came_back(h, ev->id);
	else if (ev->kind == PULSE_VERDICT && ev->state != LIVENESS_LEFT)
		packet_set_left(h->packet, ev->id, false); /* the next time counts again */
}

/* --- life --- */

struct handover *handover_new(const struct handover_conf *conf)
{
	struct handover *h = mem_new(struct handover);

	h->conf = *conf;
	loop_timer_init(&h->look, conf->loop, look);
	loop_timer_init(&h->patience, conf->loop, out_of_patience);
	return h;
}

struct handover *handover_free(struct handover *h)
{
	if (!h)
		return NULL;
	loop_timer_stop(&h->look);
	loop_timer_stop(&h->patience);
	while (h->leavers) {
		struct leaver *l = h->leavers;

		h->leavers = l->next;
		leaver_free(h, l);
	}
	free(h);
	return NULL;
}

void handover_attach(struct handover *h, struct packet *packet)
{
	h->packet = packet;
}
