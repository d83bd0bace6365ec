#include "config/convert_names.h"

#include <ctype.h>
#include <string.h>

#include "base/map.h"
#include "config/resource.h"

#define LABEL_MAX 63 /* RFC 1123 */

struct convert_names convert_names_new(const char *noun, struct arena *arena)
{
	return (struct convert_names){
		.noun = noun,
		.arena = arena,
		.of = map_new(),
		.taken = map_new(),
	};
}

void convert_names_fini(struct convert_names *n)
{
	map_free(n->of);
	map_free(n->taken);
}

/* [a-z][-a-z0-9]{0,61}[a-z0-9] */
static bool is_label(const char *s)
{
	size_t len = strlen(s);

	for (const char *c = s; *c; c++)
		if (!islower((unsigned char)*c) && (c == s || !isdigit((unsigned char)*c)) &&
		    (c == s || !c[1] || *c != '-'))
			return false;
	return len > 1 && len <= LABEL_MAX;
}

static char *label_of(struct arena *arena, const char *name)
{
	char *s = arena_strdup(arena, name);

	for (char *c = s; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
		if (*c == '_')
			*c = '-';
	}
	while (*s && !islower((unsigned char)*s))
		s++;
	if (strlen(s) > LABEL_MAX)
		s[LABEL_MAX] = '\0';
	return s;
}

static const char *keep(struct convert_names *n, const char *name, const char *called)
{
	map_put(n->of, name, (void *)called);
	map_put(n->taken, called, (void *)name);
	return called;
}

int convert_name_take(struct convert_names *n, const char *name, bool is_name, const char **out,
		      struct err *e)
{
	const char *called = is_name || is_label(name) ? name : label_of(n->arena, name);
	const char *other = map_get(n->taken, called);

	if (!resource_name_valid(called))
		return err_set(e, ERR_CONFIG,
			       "%s '%.100s': no name of a resource can be made of this; rename it",
			       n->noun, name);
	if (other)
		return err_set(e, ERR_CONFIG,
			       "%ss '%.100s' and '%.100s' would both be called '%s'; rename one",
			       n->noun, other, name, called);
	*out = keep(n, name, called);
	return 0;
}

const char *convert_name_number(struct convert_names *n, const char *name, const char *stem,
				size_t i)
{
	const char *called = arena_printf(n->arena, "%s%zu", stem, i);

	for (size_t again = 2; map_get(n->taken, called); again++)
		called = arena_printf(n->arena, "%s%zu-%zu", stem, i, again);
	return keep(n, name, called);
}

const char *convert_name_of(const struct convert_names *n, const char *name)
{
	const char *called = map_get(n->of, name);

	return called ? called : name;
}

void convert_names_in(const struct convert_names *n, json_t *list)
{
	CLEANUP(map_freep) struct map *seen = map_new();

	for (size_t i = 0; i < json_array_size(list);) {
		const char *called = convert_name_of(n, json_string_value(json_array_get(list, i)));

		if (map_put(seen, called, (void *)n))
			json_array_remove(list, i);
		else
			json_array_set_new(list, i++, json_string(called));
	}
}
