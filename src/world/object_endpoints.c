#include "world/object_endpoints.h"

#include <string.h>

#include "world/object_read.h"

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

enum { ENDPOINTS_ARENA = 512 };

/** Names of nodes as they come, borrowed from the document. */
struct names {
	const char **v;
	size_t n, cap;
};

static void names_add(struct names *names, const char *node)
{
	mem_grow(names->v, names->n, names->cap);
	names->v[names->n++] = node;
}

static int text_cmp(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Only what is kept is copied: of a thousand endpoints there may be three nodes. */
static struct cfg_texts names_settle(struct names *names, struct arena *a)
{
	size_t n = 0;

	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), text_cmp);
	for (size_t i = 0; i < names->n; i++)
		if (i == 0 || strcmp(names->v[n - 1], names->v[i]) != 0)
			names->v[n++] = names->v[i];
	const char **kept = n ? arena_new_n(a, const char *, n) : NULL;
	for (size_t i = 0; i < n; i++)
		kept[i] = arena_strdup(a, names->v[i]);
	free(names->v);
	return (struct cfg_texts){ .v = kept, .n = n };
}

static void take_endpoint(struct object_reader *r, const struct place *p, bool servable,
			  struct object_endpoints *e, struct names *names)
{
	struct place at;
	bool has_node = object_field(r, p, "nodeName", DOC_STRING, &at) && *at.at->text;

	e->n_endpoints++;
	if (servable && has_node)
		names_add(names, at.at->text);
	else if (servable)
		e->on_no_node = true;
}

static bool is_servable(struct object_reader *r, const struct place *endpoint)
{
	struct place conditions;
	bool ready = true, serving = false;

	if (!object_field(r, endpoint, "conditions", DOC_MAP, &conditions))
		return true;
	object_bool(r, &conditions, "ready", &ready);
	object_bool(r, &conditions, "serving", &serving);
	return ready || serving;
}

static void read_slice(struct object_reader *r, const struct place *p, struct object_endpoints *e,
		       struct names *names)
{
	struct object_meta meta;
	struct place labels, name, list, at;

	if (!object_meta(r, p, true, &meta))
		return;
	e->key = meta.key;
	e->is_slice = true;
	if (object_field(r, &meta.at, "labels", DOC_MAP, &labels) &&
	    object_field(r, &labels, SERVICE_NAME_LABEL, DOC_STRING, &name))
		e->service = arena_printf(r->arena, "%s/%s", meta.namespace, name.at->text);
	if (!object_field(r, p, "endpoints", DOC_LIST, &list))
		return;
	for (size_t i = 0; i < list.at->n_items; i++)
		if (object_element(r, &list, i, DOC_MAP, &at))
			take_endpoint(r, &at, is_servable(r, &at), e, names);
}

static void read_addresses(struct object_reader *r, const struct place *subset, const char *key,
			   bool servable, struct object_endpoints *e, struct names *names)
{
	struct place list, at;

	if (!object_field(r, subset, key, DOC_LIST, &list))
		return;
	for (size_t i = 0; i < list.at->n_items; i++)
		if (object_element(r, &list, i, DOC_MAP, &at))
			take_endpoint(r, &at, servable, e, names);
}

static void read_endpoints(struct object_reader *r, const struct place *p,
			   struct object_endpoints *e, struct names *names)
{
	struct object_meta meta;
	struct place list, at;

	if (!object_meta(r, p, true, &meta))
		return;
	e->key = e->service = meta.key;
	if (!object_field(r, p, "subsets", DOC_LIST, &list))
		return;
	for (size_t i = 0; i < list.at->n_items; i++) {
		if (!object_element(r, &list, i, DOC_MAP, &at))
			continue;
		read_addresses(r, &at, "addresses", true, e, names);
		read_addresses(r, &at, "notReadyAddresses", false, e, names);
	}
}

static struct object_endpoints *read_with(struct issues *is, const struct place *p,
					  void (*read)(struct object_reader *, const struct place *,
						       struct object_endpoints *, struct names *))
{
	struct arena *arena = arena_new_small(ENDPOINTS_ARENA);
	struct object_reader r = { .issues = is, .arena = arena };
	struct object_endpoints *e = arena_new_of(arena, struct object_endpoints);
	struct names names = { 0 };

	e->arena = arena;
	read(&r, p, e, &names);
	e->nodes = names_settle(&names, arena);
	return r.failed ? object_endpoints_free(e) : e;
}

struct object_endpoints *object_slice_read(struct issues *is, const struct place *p)
{
	return read_with(is, p, read_slice);
}

struct object_endpoints *object_endpoints_read(struct issues *is, const struct place *p)
{
	return read_with(is, p, read_endpoints);
}

struct object_endpoints *object_endpoints_free(struct object_endpoints *e)
{
	if (e)
		arena_free(e->arena);
	return NULL;
}
