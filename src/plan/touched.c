#include "plan/touched.h"

#include <string.h>

#include "plan/plan_priv.h"

static void touch_group(const struct world *w, const char *key,
			void (*touch)(void *ctx, const char *service), void *ctx)
{
	const struct world_service *s = world_service(w, key);
	CLEANUP(arena_freep) struct arena *a = arena_new();
	size_t n;

	if (!s) {
		touch(ctx, key);
		return;
	}
	const struct world_service **v = group_of(w, s, a, &n);
	for (size_t i = 0; i < n; i++)
		touch(ctx, v[i]->key);
}

/* Does it matter to the service what another node is like? */
static bool elects(const struct world *w, const struct world_service *s)
{
	struct subject sub;
	size_t at = 0;

	return world_config(w) && !subject_init(&sub, w, s) && layer2_next_adv(&sub, &at);
}

static bool node_matters(const struct world *w, const struct world_service *s, const char *node)
{
	const char *me = world_me(w);

	if (!me || strcmp(me, node) == 0)
		return s->n_addresses > 0;
	return elects(w, s);
}

void plan_touched(const struct world *w, enum world_change what, const char *name,
		  void (*touch)(void *ctx, const char *service), void *ctx)
{
	const struct world_service *s;

	if (what == WORLD_SERVICE) {
		touch_group(w, name, touch, ctx);
		return;
	}
	if (what == WORLD_NAMESPACE)
		return;
	for (size_t at = 0; (s = world_next_service(w, &at));)
		if (what == WORLD_ALL || node_matters(w, s, name))
			touch(ctx, s->key);
}
