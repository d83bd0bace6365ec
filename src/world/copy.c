#include "world/copy.h"

#include <string.h>

const char *copy_text(struct arena *a, const char *text)
{
	return text ? arena_strdup(a, text) : NULL;
}

static void *copy_array(struct arena *a, const void *v, size_t n, size_t size)
{
	void *out = n ? arena_zero(a, n, size) : NULL;

	if (n)
		memcpy(out, v, n * size);
	return out;
}

struct labels copy_labels(struct arena *a, const struct labels *l)
{
	struct label *v = l->n ? arena_new_n(a, struct label, l->n) : NULL;

	for (size_t i = 0; i < l->n; i++) {
		v[i].key = arena_strdup(a, l->v[i].key);
		v[i].value = arena_strdup(a, l->v[i].value);
	}
	return (struct labels){ .v = v, .n = l->n };
}

static struct selector copy_selector(struct arena *a, const struct selector *s)
{
	struct selector_term *terms = s->n ? arena_new_n(a, struct selector_term, s->n) : NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct selector_term *from = &s->terms[i];
		const char **values =
			from->n_values ? arena_new_n(a, const char *, from->n_values) : NULL;

		for (size_t j = 0; j < from->n_values; j++)
			values[j] = arena_strdup(a, from->values[j]);
		terms[i] = (struct selector_term){
			.key = arena_strdup(a, from->key),
			.op = from->op,
			.values = values,
			.n_values = from->n_values,
		};
	}
	return (struct selector){ .terms = terms, .n = s->n };
}

struct selectors copy_selectors(struct arena *a, const struct selectors *s)
{
	struct selector *v = s->n ? arena_new_n(a, struct selector, s->n) : NULL;

	for (size_t i = 0; i < s->n; i++)
		v[i] = copy_selector(a, &s->v[i]);
	return (struct selectors){ .v = v, .n = s->n };
}

const struct cfg_port *copy_ports(struct arena *a, const struct cfg_port *v, size_t n)
{
	return copy_array(a, v, n, sizeof(*v));
}

const struct cfg_node_weight *copy_weights(struct arena *a, const struct cfg_node_weight *v,
					   size_t n)
{
	struct cfg_node_weight *out = copy_array(a, v, n, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		out[i].node = arena_strdup(a, v[i].node);
	return out;
}

static struct cfg_texts copy_texts(struct arena *a, const struct cfg_texts *t)
{
	const char **v = t->n ? arena_new_n(a, const char *, t->n) : NULL;

	for (size_t i = 0; i < t->n; i++)
		v[i] = arena_strdup(a, t->v[i]);
	return (struct cfg_texts){ .v = v, .n = t->n };
}

static bool texts_eq(const struct cfg_texts *a, const struct cfg_texts *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

struct world_reach copy_reach(struct arena *a, const struct world_reach *r)
{
	return (struct world_reach){
		.said = r->said,
		.any = r->any,
		.up = copy_texts(a, &r->up),
		.down = copy_texts(a, &r->down),
		.lost = copy_array(a, r->lost, r->n_lost, sizeof(*r->lost)),
		.n_lost = r->n_lost,
	};
}

bool copy_reach_eq(const struct world_reach *a, const struct world_reach *b)
{
	if (a->said != b->said || a->any != b->any || a->n_lost != b->n_lost)
		return false;
	for (size_t i = 0; i < a->n_lost; i++)
		if (prefix_cmp(&a->lost[i], &b->lost[i]) != 0)
			return false;
	return texts_eq(&a->up, &b->up) && texts_eq(&a->down, &b->down);
}
