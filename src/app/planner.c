#include "app/planner.h"

#include "base/map.h"
#include "plan/touched.h"

/* Services planned in one slice: each takes some microseconds. */
enum { PLANNER_SLICE = 64 };

struct planner {
	struct loop *loop;
	const struct world *world;
	struct planner_hooks hooks;
	struct map *plans; /* service -> struct plan */
	struct map *dirty; /* service -> itself; insertion order is the order of planning */
	struct loop_timer slice;
	struct loop_task first;
};

static void planner_mark(void *ctx, const char *service)
{
	struct planner *p = ctx;

	(void)map_put(p->dirty, service, p);
}

static void planner_one(struct planner *p, const char *service)
{
	const char *me = world_me(p->world);
	struct plan *after =
		world_service(p->world, service) ? plan_service(p->world, service, me) : NULL;
	struct plan *before =
		after ? map_put(p->plans, service, after) : map_del(p->plans, service);

	p->hooks.decided(p->hooks.ctx, service, before, after);
	plan_free(before);
}

static void planner_slice(struct planner *p)
{
	for (int n = 0; n < PLANNER_SLICE && map_len(p->dirty) > 0; n++) {
		const char *key = NULL;
		void *value;
		size_t at = 0;

		if (!map_next(p->dirty, &at, &key, &value))
			break;
		char *service = mem_strdup(key);
		(void)map_del(p->dirty, service);
		planner_one(p, service);
		free(service);
	}
	if (map_len(p->dirty) > 0)
		loop_timer_set(&p->slice, loop_now(p->loop));
	else
		p->hooks.settled(p->hooks.ctx);
}

static void planner_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	planner_slice(CONTAINER_OF(t, struct planner, slice));
}

/* All changes of one turn are planned together, at its end. */
static void planner_start(struct loop_task *t)
{
	struct planner *p = CONTAINER_OF(t, struct planner, first);

	if (!loop_timer_active(&p->slice))
		planner_slice(p);
}

struct planner *planner_new(struct loop *l, const struct world *w,
			    const struct planner_hooks *hooks)
{
	struct planner *p = mem_new(struct planner);

	p->loop = l;
	p->world = w;
	p->hooks = *hooks;
	p->plans = map_new();
	p->dirty = map_new();
	loop_timer_init(&p->slice, l, planner_due);
	loop_task_init(&p->first, l, planner_start);
	return p;
}

static void plan_free_value(void *value)
{
	plan_free(value);
}

struct planner *planner_free(struct planner *p)
{
	if (!p)
		return NULL;
	loop_timer_stop(&p->slice);
	loop_task_cancel(&p->first);
	map_clear(p->plans, plan_free_value);
	map_free(p->plans);
	map_free(p->dirty);
	free(p);
	return NULL;
}

void planner_touch(struct planner *p, enum world_change what, const char *name)
{
	plan_touched(p->world, what, name, planner_mark, p);
	if (what == WORLD_ALL) {
		/* Services that are gone still have a decision to take back. */
		const char *service;
		struct plan *plan;

		MAP_EACH (p->plans, service, plan) {
			planner_mark(p, service);
		}
		(void)plan;
	}
	loop_task_queue(&p->first);
}

const struct plan *planner_plan(const struct planner *p, const char *service)
{
	return map_get(p->plans, service);
}

const struct plan *planner_next(const struct planner *p, size_t *at)
{
	const char *key;
	void *plan;

	return map_next(p->plans, at, &key, &plan) ? plan : NULL;
}

bool planner_is_settled(const struct planner *p)
{
	return map_len(p->dirty) == 0;
}
