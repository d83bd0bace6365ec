#include "config/place.h"

struct place place_field(const struct place *up, const char *key)
{
	const struct doc *value = doc_get(up->at, key);

	return value ? place_key(up, key, value) : *up;
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
