#include "config/resource.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "config/loader.h"
#include "config/value.h"

#define NAME_LEN_MAX	253 /* RFC 1123, as the API server has it */
#define OWN_PREFIX	"crier/"
#define NAME_DIGITS_MAX 3

const char *unmarked(struct loader *l, const char *name)
{
	const char *space = strrchr(name, ' ');

	if (!space || space == name)
		return NULL;
	size_t digits = strspn(space + 1, "0123456789");
	if (!digits || digits > NAME_DIGITS_MAX || space[1 + digits])
		return NULL;
	return arena_strndup(l->scratch, name, (size_t)(space - name));
}

bool resource_name_valid(const char *name)
{
	size_t len = strlen(name);

	for (const char *c = name; *c; c++) {
		bool inner = c != name && c[1] && (*c == '-' || *c == '.');

		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && !inner)
			return false;
	}
	return len && len <= NAME_LEN_MAX;
}

static void name_check(struct loader *l, const struct place *p, void *object)
{
	const char *name = ((struct resource *)object)->name;
	const char *base = unmarked(l, name);

	if (!resource_name_valid(name))
		load_error(l, p,
			   base ? issues_text(&l->issues, "did you mean '%.60s'?", base)
				: "lower-case letters, digits, '-' and '.', at most 253",
			   "'%.100s' is no name that Kubernetes takes", name);
}

void texts_unique(struct loader *l, const struct place *p, void *object)
{
	CLEANUP(map_freep) struct map *seen = map_new();

	(void)object;
	for (size_t i = 0; i < p->at->n_items; i++) {
		const struct doc *item = p->at->items[i];
		struct place at = place_index(p, i, item);
		const struct doc *first = map_put(seen, item->text, (void *)item);

		if (first) {
			struct issue *is = load_error(l, &at, "keep one of them",
						      "'%.60s' is given twice", item->text);
			issue_other(&l->issues, is, first);
		}
	}
}

/* What the API server adds is of no use here, and no mistake either. */
static const struct field metadata_fields[] = {
	{ "name", FIELD_TEXT, "the object's name", AT(struct resource, name), .required = true,
	  .load = name_check },
	{ "namespace", FIELD_TEXT, "one for all of a configuration",
	  AT(struct resource, namespace) },
	{ "labels", FIELD_LABELS, "what selectors see", AT(struct resource, labels) },
	{ "annotations", FIELD_OWN, "crier/<field>: a field of crier's own" },
	{ "creationTimestamp", FIELD_OWN, "" },
	{ "deletionGracePeriodSeconds", FIELD_OWN, "" },
	{ "deletionTimestamp", FIELD_OWN, "" },
	{ "finalizers", FIELD_OWN, "" },
	{ "generateName", FIELD_OWN, "" },
	{ "generation", FIELD_OWN, "" },
	{ "managedFields", FIELD_OWN, "" },
	{ "ownerReferences", FIELD_OWN, "" },
	{ "resourceVersion", FIELD_OWN, "" },
	{ "selfLink", FIELD_OWN, "" },
	{ "uid", FIELD_OWN, "" },
};

static const struct level level_metadata = {
	.noun = "metadata",
	.fields = metadata_fields,
	.n = ARRAY_LEN(metadata_fields),
	.object_size = sizeof(struct resource),
};

static const struct field envelope_fields[] = {
	{ "apiVersion", FIELD_OWN, "" },
	{ "kind", FIELD_OWN, "" },
	{ "metadata", FIELD_MAP, "at least {name: …}", .level = &level_metadata, .required = true },
	{ "spec", FIELD_OWN, "" },
	{ "status", FIELD_OWN, "" },
};

static const struct level level_envelope = {
	.noun = "a resource",
	.fields = envelope_fields,
	.n = ARRAY_LEN(envelope_fields),
	.object_size = sizeof(struct resource),
};

/* MetalLB reads its own namespace and no other: so the first that is named is the one. */
static void namespace_check(struct loader *l, const struct resource *r)
{
	struct place metadata = place_field(r->at, "metadata");
	struct place at = place_field(&metadata, "namespace");

	if (!r->namespace)
		return;
	if (!l->namespace) {
		l->namespace = r->namespace;
		l->namespace_at = at.at;
	} else if (strcmp(l->namespace, r->namespace) != 0) {
		struct issue *is =
			load_error(l, &at, "MetalLB reads one namespace: write the same everywhere",
				   "this is in namespace '%.60s', and the configuration in '%.60s'",
				   r->namespace, l->namespace);
		issue_other(&l->issues, is, l->namespace_at);
	}
}

static const struct field *own_field(const struct resource_kind *kind, const char *name)
{
	for (size_t i = 0; kind->own && kind->own_fields[i]; i++)
		if (strcmp(kind->own_fields[i], name) == 0)
			return level_field(kind->own, name);
	return NULL;
}

static void own_unknown(struct loader *l, const struct place *p, const struct resource_kind *kind,
			const char *name)
{
	size_t n = 0;

	while (kind->own && kind->own_fields[n])
		n++;
	const char *near = n ? load_nearest(l, name, kind->own_fields, n) : NULL;
	load_error(l, p, near, "%s has no field '%.60s' of crier's own", kind->name, name);
}

static void own_load(struct loader *l, const struct place *p, const struct resource *r)
{
	const char *name = p->key + strlen(OWN_PREFIX);
	const struct field *f = own_field(r->kind, name);
	struct place at = *p;

	if (!f) {
		own_unknown(l, p, r->kind, name);
		return;
	}
	if (p->at->kind == DOC_LIST || p->at->kind == DOC_MAP) {
		load_error(l, p, "put it in quotes", "an annotation is text, not %s",
			   doc_kind_name(p->at->kind));
		return;
	}
	at.at = load_value(l, p->at);
	if (at.at)
		field_load(l, f, place_keep(l->scratch, &at), r->object);
}

static void annotations_load(struct loader *l, const struct resource *r)
{
	struct place metadata = place_field(r->at, "metadata");
	const struct doc *list = doc_get(metadata.at, "annotations");
	struct place in = place_field(place_keep(l->scratch, &metadata), "annotations");

	if (!list || list == metadata.at)
		return;
	if (!value_is(l, &in, DOC_MAP))
		return;
	const struct place *map = place_keep(l->scratch, &in);
	for (size_t i = 0; i < list->n_pairs; i++) {
		struct place at = place_key(map, list->pairs[i].key->text, list->pairs[i].value);

		if (text_starts_with(at.key, OWN_PREFIX) && at.at->kind != DOC_NULL)
			own_load(l, &at, r);
	}
}

/* Where a kind needs no spec, none is an empty one. */
static struct place spec_place(struct loader *l, const struct place *p)
{
	struct doc *none;

	if (doc_get(p->at, "spec"))
		return place_field(p, "spec");
	none = arena_new_of(l->scratch, struct doc);
	*none = (struct doc){ .kind = DOC_NULL, .pos = p->at->pos, .file = p->at->file };
	return place_key(p, "spec", none);
}

void resource_load(struct loader *l, const struct place *p, const struct resource_kind *kind)
{
	const char *name = doc_get_text(doc_get(p->at, "metadata"), "name");
	struct place named = *p;

	named.object = arena_printf(l->scratch, "%s %.100s", kind->name, name ? name : "?");
	struct resource r = {
		.kind = kind,
		.at = place_keep(l->scratch, &named),
		.object = arena_zero(l->scratch, 1, kind->spec->object_size),
	};
	level_load(l, &level_envelope, r.at, &r);
	namespace_check(l, &r);
	level_preset(kind->spec, r.object);
	annotations_load(l, &r);
	struct place spec = spec_place(l, r.at);
	const struct place *at = place_keep(l->scratch, &spec);
	level_load(l, kind->spec, at, r.object);
	kind->spec->take(l, at, &r, r.object);
}
