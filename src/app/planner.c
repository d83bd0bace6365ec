#include "app/planner.h"

#include "base/map.h"
#include "plan/touched.h"

/* Services planned in one slice: each takes some microseconds. */
enum { PLANNER_SLICE = 64 };

#define PLANNER_METRICS(X, S) \
	X(S, COUNTER, decisions, "Services that were planned, for the first time or again")
struct planner_stats {
	PLANNER_METRICS(METRIC_FIELD, )
};

struct planner {
	struct loop *loop;
	const struct world *world;
	struct planner_hooks hooks;
	struct map *plans; /* service -> struct plan */
	/*
	 * Services to plan, in the order in which they were touched: those of the batch first,
	 * which only shrinks, so that one walk gets through it; what is touched meanwhile waits for
	 * the next.
	 */
	struct map *batch, *dirty;
	size_t batch_at;
	bool told_settled; /* and nothing was touched since */
	struct loop_timer slice;
	struct loop_task first;
	struct planner_stats stats;
};

static void planner_mark(void *ctx, const char *service)
{
	struct planner *p = ctx;

	if (!map_get(p->batch, service))
		(void)map_put(p->dirty, service, p);
}

/* The next service to plan, not waiting any more: the caller's to free. NULL: none is left. */
static char *planner_take(struct planner *p)
{
	const char *key;
	void *value;

	if (map_len(p->batch) == 0) {
		struct map *done = p->batch;

		p->batch = p->dirty;
		p->dirty = done;
		p->batch_at = 0;
		map_clear(p->dirty, NULL);
	}
	if (!map_next(p->batch, &p->batch_at, &key, &value))
		return NULL;
	char *service = mem_strdup(key);

	(void)map_del(p->batch, service);
	return service;
}

static void planner_one(struct planner *p, const char *service)
{
	const char *me = world_me(p->world);
	struct plan *after =
		world_service(p->world, service) ? plan_service(p->world, service, me) : NULL;
	struct plan *before =
		after ? map_put(p->plans, service, after) : map_del(p->plans, service);

	p->stats.decisions++;
	if (before || after)
		p->hooks.decided(p->hooks.ctx, service, before, after);
	plan_free(before);
}

static void planner_slice(struct planner *p)
{
	char *service;

	for (int n = 0; n < PLANNER_SLICE && (service = planner_take(p)); n++) {
		planner_one(p, service);
		free(service);
	}
	if (!planner_is_settled(p)) {
		loop_timer_set(&p->slice, loop_now(p->loop));
	} else if (!p->told_settled) {
		p->told_settled = true;
		p->hooks.settled(p->hooks.ctx);
	}
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
	p->batch = map_new();
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
	map_free(p->batch);
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
	p->told_settled = false;
	loop_task_queue(&p->first);
}

void planner_follow(struct planner *p, const struct cfg *from, const struct cfg *to)
{
	const char *service;
	struct plan *plan;

	if (from->peers !=
	    to->peers) /* else they are the very same, and all that decisions point to */
		MAP_EACH (p->plans, service, plan) {
			plan_follow(plan, from, to);
		}
	(void)service;
	p->told_settled = false;
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
	return map_len(p->batch) == 0 && map_len(p->dirty) == 0;
}

void planner_collect(const struct planner *p, struct metric_writer *w)
{
	static const struct metric_row rows[] = { PLANNER_METRICS(METRIC_ROW,
								  struct planner_stats) };

	metric_struct(w, "crier_planner_", rows, ARRAY_LEN(rows), &p->stats);
}
