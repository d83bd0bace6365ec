/**
 * Keeps the decision about each service up to date: remembers which ones a change of the world touched, plans
 * those again in slices of about a millisecond, and hands on old and new.
 */
#ifndef APP_PLANNER_H
#define APP_PLANNER_H

#include "base/loop.h"
#include "base/metric.h"
#include "plan/plan.h"

struct planner_hooks {
	void *ctx;
	/** A service was planned. Either may be NULL (new, gone); both are borrowed. */
	void (*decided)(void *ctx, const char *service, const struct plan *before,
			const struct plan *after);
	/** Nothing is left to plan: what earlier configurations hold is not looked at any more. */
	void (*settled)(void *ctx);
};

struct planner;

NODISCARD struct planner *planner_new(struct loop *l, const struct world *w,
				      const struct planner_hooks *hooks);
struct planner *planner_free(struct planner *p);

/** The world has changed (world_on_change's words). */
void planner_touch(struct planner *p, enum world_change what, const char *name);

/** The decision in force, or NULL. */
/**
 * @to replaces @from, with the same peers, and no service was decided under an earlier one: what was
 * decided holds but for what is touched. The hooks hear when all is settled.
 */
void planner_follow(struct planner *p, const struct cfg *from, const struct cfg *to);

const struct plan *planner_plan(const struct planner *p, const char *service);
/** Walk all decisions; start with *at = 0. */
const struct plan *planner_next(const struct planner *p, size_t *at);

/** Is everything planned? */
bool planner_is_settled(const struct planner *p);

void planner_collect(const struct planner *p, struct metric_writer *w);

#endif
