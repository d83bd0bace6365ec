#include "app/quorum.h"

#include <string.h>

#include "base/map.h"

struct voter {
	struct addr addr;
	bool alive;
	bool left;
	struct mono died; /* neither */
};

struct quorum {
	struct map *voters; /* name -> struct voter */
};

struct quorum *quorum_new(void)
{
	struct quorum *q = mem_new(struct quorum);

	q->voters = map_new();
	return q;
}

struct quorum *quorum_free(struct quorum *q)
{
	if (!q)
		return NULL;
	map_clear(q->voters, free);
	map_free(q->voters);
	free(q);
	return NULL;
}

void quorum_member(struct quorum *q, const char *node, const struct addr *addr)
{
	struct voter *v = map_get(q->voters, node);

	if (!v) {
		v = mem_new(struct voter);
		(void)map_put(q->voters, node, v);
	}
	*v = (struct voter){ .addr = *addr, .alive = true };
}

void quorum_gone(struct quorum *q, const char *node, bool left, struct mono now)
{
	struct voter *v = map_get(q->voters, node);

	if (!v)
		return;
	v->alive = false;
	v->left = left;
	v->died = now;
}

static bool is_named(const struct cfg_cluster *c, const struct addr *a)
{
	for (size_t i = 0; i < c->n_join; i++)
		if (addr_eq(&c->join[i].addr, a))
			return true;
	return false;
}

static struct mono forgotten_at(const struct voter *v, const struct cfg_cluster *c)
{
	if (v->alive || v->left || is_named(c, &v->addr))
		return MONO_NEVER;
	return mono_add(v->died, QUORUM_MEMORY);
}

struct mono quorum_forgets_at(const struct quorum *q, const struct cfg_cluster *c)
{
	struct mono at = MONO_NEVER;
	const char *name;
	struct voter *v;

	MAP_EACH (q->voters, name, v) {
		at = mono_min(at, forgotten_at(v, c));
	}
	(void)name;
	return at;
}

/* NULL: nobody's time is up. */
static const char *overdue(const struct quorum *q, const struct cfg_cluster *c, struct mono now)
{
	const char *name;
	struct voter *v;

	MAP_EACH (q->voters, name, v) {
		if (!mono_before(now, forgotten_at(v, c)))
			return name;
	}
	return NULL;
}

void quorum_forget(struct quorum *q, const struct cfg_cluster *c, struct mono now)
{
	const char *name;

	while ((name = overdue(q, c, now)))
		free(map_del(q->voters, name));
}

static bool was_seen(const struct quorum *q, const struct addr *a)
{
	const char *key;
	struct voter *v;

	MAP_EACH (q->voters, key, v) {
		if (addr_eq(&v->addr, a))
			return true;
	}
	(void)key;
	return false;
}

static void count_seen(const struct quorum *q, struct world_quorum *n)
{
	const char *name;
	struct voter *v;

	MAP_EACH (q->voters, name, v) {
		if (v->left)
			continue;
		n->of++;
		n->alive += v->alive;
		if (!n->tie || strcmp(name, n->tie) < 0) {
			n->tie = name;
			n->tie_alive = v->alive;
		}
	}
}

struct world_quorum quorum_count(const struct quorum *q, const struct cfg_cluster *c,
				 bool (*is_ours)(void *ctx, const struct addr *a), void *ctx)
{
	struct world_quorum n = { 0 };

	if (!c->quorum)
		return n;
	count_seen(q, &n);
	for (size_t i = 0; i < c->n_join; i++) {
		const struct addr *a = &c->join[i].addr;

		if (was_seen(q, a) || is_ours(ctx, a))
			continue;
		n.of++;
		n.tie = NULL;
		n.tie_alive = false;
	}
	return n;
}
