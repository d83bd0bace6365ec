#include "world/object_node.h"

#include <string.h>

#include "world/object_read.h"

#define EXCLUDE_LABEL	     "node.kubernetes.io/exclude-from-external-load-balancers"
#define NAMESPACE_NAME_LABEL "kubernetes.io/metadata.name"

static bool is_network_down(struct object_reader *r, const struct place *condition)
{
	struct place type, status;

	return object_field(r, condition, "type", DOC_STRING, &type) &&
	       object_field(r, condition, "status", DOC_STRING, &status) &&
	       strcmp(type.at->text, "NetworkUnavailable") == 0 &&
	       strcmp(status.at->text, "True") == 0;
}

static bool read_conditions(struct object_reader *r, const struct place *p)
{
	struct place status, list, at;
	bool down = false;

	if (!object_field(r, p, "status", DOC_MAP, &status) ||
	    !object_field(r, &status, "conditions", DOC_LIST, &list))
		return false;
	for (size_t i = 0; i < list.at->n_items; i++)
		if (object_element(r, &list, i, DOC_MAP, &at))
			down |= is_network_down(r, &at);
	return down;
}

bool object_node_read(struct issues *is, const struct place *p, struct arena *arena,
		      struct world_node *out)
{
	struct object_reader r = { .issues = is, .arena = arena };
	struct object_meta meta;

	if (!object_meta(&r, p, false, &meta))
		return false;
	*out = (struct world_node){
		.name = meta.name,
		.labels = object_labels(&r, &meta.at, "labels"),
		.has_object = true,
		.network_unavailable = read_conditions(&r, p),
	};
	out->excluded = labels_get(&out->labels, EXCLUDE_LABEL) != NULL;
	return !r.failed;
}

/* One label more, in its place. */
static struct labels labels_with(const struct labels *l, struct label more, struct arena *a)
{
	struct label *v = arena_new_n(a, struct label, l->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (n == i && strcmp(more.key, l->v[i].key) < 0)
			v[n++] = more;
		v[n++] = l->v[i];
	}
	if (n == l->n)
		v[n++] = more;
	return (struct labels){ .v = v, .n = n };
}

struct object_namespace object_namespace_bare(const char *name, struct arena *arena)
{
	static const struct labels none;
	struct label is = { .key = NAMESPACE_NAME_LABEL, .value = name };

	return (struct object_namespace){ .name = name, .labels = labels_with(&none, is, arena) };
}

bool object_namespace_read(struct issues *is, const struct place *p, struct arena *arena,
			   struct object_namespace *out)
{
	struct object_reader r = { .issues = is, .arena = arena };
	struct object_meta meta;

	if (!object_meta(&r, p, false, &meta))
		return false;
	struct labels labels = object_labels(&r, &meta.at, "labels");
	if (!labels_get(&labels, NAMESPACE_NAME_LABEL))
		labels = labels_with(&labels, (struct label){ NAMESPACE_NAME_LABEL, meta.name },
				     arena);
	*out = (struct object_namespace){ .name = meta.name, .labels = labels };
	return !r.failed;
}
