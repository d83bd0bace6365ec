#include "kube/tree.h"

#include <string.h>

/* As base/doc.h takes files. */
enum { TREE_DEPTH_MAX = 100 };

struct builder {
	struct arena *arena;
	const struct doc_file *file;
	bool failed;
};

static const struct doc *build(struct builder *b, const json_t *json, int depth);

static struct doc *node_new(struct builder *b, enum doc_kind kind, const char *text)
{
	struct doc *d = arena_new_of(b->arena, struct doc);

	d->kind = kind;
	d->file = b->file;
	d->text = text;
	d->pos = (struct doc_pos){ 1, 1 };
	return d;
}

static struct doc *build_integer(struct builder *b, const json_t *json)
{
	json_int_t v = json_integer_value(json);
	struct doc *d = node_new(b, DOC_INT, arena_printf(b->arena, "%" JSON_INTEGER_FORMAT, v));

	d->negative = v < 0;
	d->integer = v < 0 ? -(uint64_t)v : (uint64_t)v;
	return d;
}

static struct doc *build_real(struct builder *b, const json_t *json)
{
	struct doc *d =
		node_new(b, DOC_FLOAT, arena_printf(b->arena, "%.17g", json_real_value(json)));

	d->real = json_real_value(json);
	return d;
}

static struct doc *build_bool(struct builder *b, const json_t *json)
{
	struct doc *d = node_new(b, DOC_BOOL, json_is_true(json) ? "true" : "false");

	d->boolean = json_is_true(json);
	return d;
}

static struct doc *build_text(struct builder *b, const char *text)
{
	struct doc *d = node_new(b, DOC_STRING, text);

	d->quoted = true;
	return d;
}

static struct doc *build_list(struct builder *b, const json_t *json, int depth)
{
	struct doc *d = node_new(b, DOC_LIST, NULL);
	const struct doc **v = arena_new_n(b->arena, const struct doc *, json_array_size(json));
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)json, i, item) v[i] = build(b, item, depth + 1);
	d->items = v;
	d->n_items = json_array_size(json);
	return d;
}

static struct doc *build_map(struct builder *b, const json_t *json, int depth)
{
	struct doc *d = node_new(b, DOC_MAP, NULL);
	struct doc_pair *v = arena_new_n(b->arena, struct doc_pair, json_object_size(json));
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)json, key, value) v[d->n_pairs++] =
		(struct doc_pair){ build_text(b, key), build(b, value, depth + 1) };
	d->pairs = v;
	return d;
}

static const struct doc *build(struct builder *b, const json_t *json, int depth)
{
	if (depth > TREE_DEPTH_MAX) {
		b->failed = true;
		return node_new(b, DOC_NULL, "");
	}
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return build_map(b, json, depth);
	case JSON_ARRAY:
		return build_list(b, json, depth);
	case JSON_STRING:
		return build_text(b, json_string_value(json));
	case JSON_INTEGER:
		return build_integer(b, json);
	case JSON_REAL:
		return build_real(b, json);
	case JSON_TRUE:
	case JSON_FALSE:
		return build_bool(b, json);
	default:
		return node_new(b, DOC_NULL, "");
	}
}

const struct doc *kube_tree(const json_t *json, const char *name, struct arena *arena)
{
	struct doc_file *f = arena_new_of(arena, struct doc_file);
	struct builder b = { .arena = arena, .file = f };

	*f = (struct doc_file){ .name = name, .source = "", .arena = arena };
	const struct doc *d = build(&b, json, 0);

	return b.failed ? NULL : d;
}
