#include "control/route.h"

#include <string.h>

#include "base/text.h"

static const struct {
	const char *path;
	enum route_what what;
} fixed[] = {
	{ "/", ROUTE_PAGE },
	{ "/metrics", ROUTE_METRICS },
	{ "/healthz", ROUTE_HEALTH },
	{ "/readyz", ROUTE_READY },
};

static const struct control_op *op_named(const struct control_ops *ops, const char *name,
					 size_t len)
{
	for (size_t i = 0; i < ops->n; i++) {
		if (strlen(ops->v[i].name) == len && memcmp(ops->v[i].name, name, len) == 0)
			return &ops->v[i];
	}
	return NULL;
}

static bool may_run(const struct control_op *op)
{
	return op && op->read_only && op->run;
}

/* /v1/services/ns/name: a name may hold slashes. */
static struct route route_get(const struct control_ops *ops, const char *kind, size_t len)
{
	const struct control_op *get = op_named(ops, "get", 3);
	const char *name = kind[len] == '/' && kind[len + 1] ? kind + len + 1 : NULL;

	if (!may_run(get))
		return (struct route){ ROUTE_NOTHING };
	/* No reference, and so no route, when the path is not UTF-8. */
	json_t *args = json_pack("{s:s%, s:s*}", "kind", kind, len, "name", name);
	return (struct route){ args ? ROUTE_OP : ROUTE_NOTHING, get, args };
}

struct route route_find(const struct control_ops *ops, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (strcmp(path, fixed[i].path) == 0)
			return (struct route){ fixed[i].what };
	}
	if (!text_starts_with(path, "/v1/"))
		return (struct route){ ROUTE_NOTHING };
	const char *word = path + strlen("/v1/");
	size_t len = strcspn(word, "/");
	if (len == 0)
		return (struct route){ ROUTE_NOTHING };
	const struct control_op *op = op_named(ops, word, len);
	if (!op)
		return route_get(ops, word, len);
	if (!may_run(op) || word[len])
		return (struct route){ ROUTE_NOTHING };
	return (struct route){ ROUTE_OP, op, json_object() };
}

void route_add_query(struct route *r, const char *key, const char *value)
{
	json_t *text = value ? json_string(value) : json_string("");

	if (!r->args || json_object_get(r->args, key))
		json_decref(text);
	else if (text)
		json_object_set_new(r->args, key, text);
}

void route_fini(struct route *r)
{
	json_decref(r->args);
	*r = (struct route){ 0 };
}
