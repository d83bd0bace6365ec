#include "config/place.h"

struct place place_field(const struct place *up, const char *key)
{
	const struct doc *value = doc_get(up->at, key);

	return value ? place_key(up, key, value) : *up;
}

struct place place_element(const struct place *list, size_t i)
{
	return list->at->kind == DOC_LIST && i < list->at->n_items
		       ? place_index(list, i, list->at->items[i])
		       : *list;
}

struct place place_either(const struct place *up, const char *key, const char *other)
{
	return place_field(up, doc_get(up->at, key) ? key : other);
}

struct place place_name(const struct place *at)
{
	const struct place *object = at->up;

	if (!object || !object->object)
		return place_field(at, "name");
	const struct doc *metadata = doc_get(object->at, "metadata");
	const struct doc *name = doc_get(metadata, "name");
	return name ? place_key(object, "metadata.name", name) : *object;
}

const char *place_object(const struct place *p)
{
	while (p && !p->object)
		p = p->up;
	return p ? p->object : NULL;
}

const struct place *place_keep(struct arena *arena, const struct place *p)
{
	struct place *kept = arena_new_of(arena, struct place);

	*kept = *p;
	return kept;
}

void place_path(const struct place *p, struct buf *out)
{
	if (!p->up)
		return;
	place_path(p->up, out);
	if (p->key)
		buf_printf(out, "%s%.100s", out->len ? "." : "", p->key);
	else
		buf_printf(out, "[%zu]", p->index);
}
