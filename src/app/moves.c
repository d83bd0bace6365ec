#include "app/moves.h"

#include <string.h>

#include "app/mesh.h"

/* New owners look so often whether their links are ready, and wait no longer than so. */
#define LOOK_EVERY DUR_MS(2)
#define COMING_MAX DUR_MS(40)

static bool hands_over(const struct layer2 *l)
{
	return l->policy.detect && mesh_trusted(l->mesh);
}

static void look_at(struct layer2 *l, struct mono at)
{
	if (loop_timer_active(&l->later) && mono_before(l->later_at, at))
		return;
	l->later_at = at;
	loop_timer_set(&l->later, at);
}

bool moves_is_ours(const struct layer2 *l, const struct plan_l2 *p)
{
	const char *me = world_me(l->world);

	for (size_t i = 0; i < p->n_succession; i++) {
		if (strcmp(p->succession[i].node, me) == 0)
			return true;
		if (!mesh_is_out(l->mesh, p->succession[i].node))
			return false;
	}
	return false;
}

/* All of them are looked at, so that all are on their way. */
static bool all_in_place(struct layer2 *l)
{
	const struct plan *plan;
	bool all = true;

	for (size_t at = 0; (plan = planner_next(l->planner, &at));)
		for (size_t i = 0; i < plan->n_l2; i++) {
			const struct plan_l2 *p = &plan->l2[i];

			if (!layer2_owns(l, &p->addr) && moves_is_ours(l, p))
				all &= l->in_place(l->ctx, &p->addr);
		}
	return all;
}

bool moves_are_in_place(struct layer2 *l)
{
	struct mono now = loop_now(l->loop);

	if (!hands_over(l) || all_in_place(l)) {
		l->coming_until = (struct mono){ 0 };
		return true;
	}
	if (!l->coming_until.ns)
		l->coming_until = mono_add(now, COMING_MAX);
	if (!mono_before(now, l->coming_until))
		return true;
	look_at(l, mono_add(now, LOOK_EVERY));
	return false;
}

bool moves_is_going(struct layer2 *l, struct l2_entry *e, bool ours)
{
	struct mono now = loop_now(l->loop);

	if (ours || !e->owned || !hands_over(l)) {
		e->going_until = (struct mono){ 0 };
		return false;
	}
	if (!e->going_until.ns)
		e->going_until = mono_add(now, MOVES_MAX);
	if (!mono_before(now, e->going_until))
		return false;
	look_at(l, e->going_until);
	return true;
}

bool moves_is_served(const struct layer2 *l, const struct addr *a)
{
	size_t n;
	const struct world_service *const *holders = world_holders(l->world, a, &n);

	for (size_t i = 0; i < n; i++)
		if (world_servable(holders[i], NULL))
			return true;
	return false;
}
