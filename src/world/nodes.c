#include "world/nodes.h"

#include <string.h>

#include "base/text.h"
#include "world/copy.h"

struct node {
	struct world_node
		pub; /* its name lives as long as the node, its labels are one of these: */
	struct arena *given_arena;
	struct labels given; /* as a source said */
	struct arena *own_arena;
	struct labels own; /* as the configuration said; ourselves only */
	struct arena *reach_arena;
};

struct nodes {
	struct node **v; /* by name */
	size_t n, cap;
	struct node *me; /* NULL for an onlooker */
};

static const char *name_at(const void *ctx, size_t i)
{
	return ((const struct nodes *)ctx)->v[i]->pub.name;
}

/* Where the name is, or where it belongs. */
static bool nodes_search(const struct nodes *t, const char *name, size_t *at)
{
	return text_search(name, t->n, name_at, t, at);
}

static struct node *nodes_insert(struct nodes *t, const char *name, size_t at)
{
	struct node *node = mem_new(struct node);

	node->pub.name = mem_strdup(name);
	mem_grow(t->v, t->n, t->cap);
	memmove(t->v + at + 1, t->v + at, (t->n - at) * sizeof(*t->v));
	t->v[at] = node;
	t->n++;
	return node;
}

static void node_free(struct node *node)
{
	arena_free(node->given_arena);
	arena_free(node->own_arena);
	arena_free(node->reach_arena);
	free((char *)(uintptr_t)node->pub.name);
	free(node);
}

struct nodes *nodes_new(const char *me)
{
	struct nodes *t = mem_new(struct nodes);

	if (me) {
		t->me = nodes_insert(t, me, 0);
		t->me->pub.alive = true;
	}
	return t;
}

struct nodes *nodes_free(struct nodes *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		node_free(t->v[i]);
	free(t->v);
	free(t);
	return NULL;
}

/* The new ones may be the old ones. */
static void labels_replace(struct arena **arena, struct labels *at, const struct labels *labels)
{
	struct arena *fresh = arena_new();

	*at = copy_labels(fresh, labels);
	arena_free(*arena);
	*arena = fresh;
}

/* Put the labels in force that count; true when they are others than before. */
static bool node_relabel(struct node *node, const struct labels *given, const struct labels *own)
{
	const struct labels *want = own->n ? own : given;
	bool differs = !labels_eq(&node->pub.labels, want);

	if (given != &node->given)
		labels_replace(&node->given_arena, &node->given, given);
	if (own != &node->own)
		labels_replace(&node->own_arena, &node->own, own);
	node->pub.labels = node->own.n ? node->own : node->given;
	return differs;
}

bool nodes_set(struct nodes *t, const struct world_node *from)
{
	size_t at;
	bool known = nodes_search(t, from->name, &at);
	struct node *node = known ? t->v[at] : nodes_insert(t, from->name, at);
	bool alive = from->alive || node == t->me;
	bool differs = !known || node->pub.alive != alive ||
		       node->pub.has_object != from->has_object ||
		       node->pub.network_unavailable != from->network_unavailable ||
		       node->pub.excluded != from->excluded;

	node->pub.alive = alive;
	node->pub.heard = node->pub.heard && !alive;
	node->pub.has_object = from->has_object;
	node->pub.network_unavailable = from->network_unavailable;
	node->pub.excluded = from->excluded;
	return node_relabel(node, &from->labels, &node->own) || differs;
}

bool nodes_alive(struct nodes *t, const char *name, bool alive)
{
	size_t at;

	if (!nodes_search(t, name, &at) || t->v[at] == t->me || t->v[at]->pub.alive == alive)
		return false;
	t->v[at]->pub.alive = alive;
	t->v[at]->pub.heard = false;
	return true;
}

bool nodes_heard(struct nodes *t, const char *name, bool heard)
{
	size_t at;

	if (!nodes_search(t, name, &at) || t->v[at]->pub.alive || t->v[at]->pub.heard == heard)
		return false;
	t->v[at]->pub.heard = heard;
	return true;
}

bool nodes_drained(struct nodes *t, const char *name, bool drained)
{
	size_t at;

	if (!nodes_search(t, name, &at) || t->v[at]->pub.drained == drained)
		return false;
	t->v[at]->pub.drained = drained;
	return true;
}

bool nodes_reach(struct nodes *t, const char *name, const struct world_reach *reach)
{
	struct arena *fresh;
	size_t at;

	if (!nodes_search(t, name, &at) || copy_reach_eq(&t->v[at]->pub.reach, reach))
		return false;
	fresh = arena_new();
	t->v[at]->pub.reach = copy_reach(fresh, reach);
	arena_free(t->v[at]->reach_arena);
	t->v[at]->reach_arena = fresh;
	return true;
}

bool nodes_del(struct nodes *t, const char *name)
{
	size_t at;

	if (!nodes_search(t, name, &at))
		return false;
	if (t->v[at] == t->me) /* what a source said of us is forgotten, we are not */
		return nodes_set(t, &(struct world_node){ .name = t->me->pub.name });
	node_free(t->v[at]);
	t->n--;
	memmove(t->v + at, t->v + at + 1, (t->n - at) * sizeof(*t->v));
	return true;
}

bool nodes_own_labels(struct nodes *t, const struct labels *labels)
{
	return t->me && node_relabel(t->me, &t->me->given, labels);
}

const struct world_node *nodes_find(const struct nodes *t, const char *name)
{
	size_t at;

	return nodes_search(t, name, &at) ? &t->v[at]->pub : NULL;
}

const struct world_node *nodes_next(const struct nodes *t, size_t *at)
{
	return *at < t->n ? &t->v[(*at)++]->pub : NULL;
}
