#include "app/json.h"

#include <ctype.h>

json_t *json_item(const char *name, const char *state, struct mono since)
{
	json_t *item = json_object();

	json_set_text(item, "name", name);
	json_set_text(item, "state", state);
	if (since.ns > 0 && !mono_is_never(since))
		json_set_text(item, "since", JSON_TIME(since));
	return item;
}

void json_set_u64(json_t *o, const char *key, uint64_t v)
{
	/* JSON's integers are signed here; an IPv6 pool holds more than that. */
	json_object_set_new(o, key,
			    v > INT64_MAX ? json_real((double)v) : json_integer((json_int_t)v));
}

void json_set_text(json_t *o, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(o, key, json_string(text));
}

const char *json_lower(const char *text, char *buf, size_t cap)
{
	size_t i = 0;

	for (; text[i] && i + 1 < cap; i++)
		buf[i] = (char)tolower((unsigned char)text[i]);
	buf[i] = '\0';
	return buf;
}

json_t *json_labels(const struct labels *l)
{
	json_t *all = json_object();

	for (size_t i = 0; i < l->n; i++)
		json_object_set_new(all, l->v[i].key, json_string(l->v[i].value));
	return all;
}
