#include "world/object_read.h"

#include <stdio.h>
#include <string.h>

void object_wrong(struct object_reader *r, const struct place *p, const char *hint, const char *fmt,
		  ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	issue_add(r->issues, ISSUE_ERROR, p, hint, "%s", text);
	r->failed = true;
}

static bool object_is(struct object_reader *r, const struct place *p, enum doc_kind kind)
{
	if (p->at->kind == kind)
		return true;
	bool bare = kind == DOC_STRING && p->at->kind != DOC_LIST && p->at->kind != DOC_MAP;

	object_wrong(r, p, bare ? "put it in quotes" : NULL, "%s is wanted here, not %s",
		     doc_kind_name(kind), doc_kind_name(p->at->kind));
	return false;
}

bool object_field(struct object_reader *r, const struct place *up, const char *key,
		  enum doc_kind kind, struct place *out)
{
	const struct doc *value = doc_get(up->at, key);

	if (!value)
		return false;
	*out = place_key(up, key, value);
	return object_is(r, out, kind);
}

bool object_element(struct object_reader *r, const struct place *list, size_t i, enum doc_kind kind,
		    struct place *out)
{
	*out = place_index(list, i, list->at->items[i]);
	return object_is(r, out, kind);
}

const char *object_text(struct object_reader *r, const struct place *up, const char *key)
{
	struct place p;

	return object_field(r, up, key, DOC_STRING, &p) ? arena_strdup(r->arena, p.at->text) : NULL;
}

void object_bool(struct object_reader *r, const struct place *up, const char *key, bool *out)
{
	struct place p;

	if (object_field(r, up, key, DOC_BOOL, &p))
		*out = p.at->boolean;
}

static const char *words_hint(struct object_reader *r, const struct object_word *words)
{
	const char *text = "";

	for (const struct object_word *w = words; w->text; w++)
		text = arena_printf(r->arena, "%s%s%s", text, w == words ? "" : ", ", w->text);
	return issues_text(r->issues, "one of %s", text);
}

void object_word_at(struct object_reader *r, const struct place *p, const struct object_word *words,
		    int *out)
{
	for (const struct object_word *w = words; w->text; w++)
		if (strcmp(w->text, p->at->text) == 0) {
			*out = w->value;
			return;
		}
	object_wrong(r, p, words_hint(r, words), "'%.60s' is none of the words that are known here",
		     p->at->text);
}

void object_word(struct object_reader *r, const struct place *up, const char *key,
		 const struct object_word *words, int *out)
{
	struct place p;

	if (object_field(r, up, key, DOC_STRING, &p))
		object_word_at(r, &p, words, out);
}

static int label_cmp(const void *x, const void *y)
{
	const struct label *a = x, *b = y;

	return strcmp(a->key, b->key);
}

struct labels object_labels(struct object_reader *r, const struct place *up, const char *key)
{
	struct place map;
	size_t n = 0;

	if (!object_field(r, up, key, DOC_MAP, &map) || map.at->n_pairs == 0)
		return (struct labels){ 0 };
	struct label *v = arena_new_n(r->arena, struct label, map.at->n_pairs);
	for (size_t i = 0; i < map.at->n_pairs; i++) {
		const struct doc_pair *pair = &map.at->pairs[i];
		struct place at = place_key(&map, pair->key->text, pair->value);
		bool empty = pair->value->kind == DOC_NULL;

		if (!empty && !object_is(r, &at, DOC_STRING))
			continue;
		v[n++] = (struct label){
			.key = arena_strdup(r->arena, pair->key->text),
			.value = empty ? "" : arena_strdup(r->arena, pair->value->text),
		};
	}
	qsort(v, n, sizeof(*v), label_cmp);
	return (struct labels){ .v = v, .n = n };
}

/* A slash would make one key of two names. */
static bool name_read(struct object_reader *r, const struct place *meta, const char *key,
		      const char **out)
{
	struct place p;

	if (!object_field(r, meta, key, DOC_STRING, &p))
		return false;
	if (*p.at->text && !strchr(p.at->text, '/')) {
		*out = arena_strdup(r->arena, p.at->text);
		return true;
	}
	object_wrong(r, &p, NULL, "'%.60s' is no name", p.at->text);
	return false;
}

bool object_meta(struct object_reader *r, const struct place *p, bool namespaced,
		 struct object_meta *out)
{
	*out = (struct object_meta){ .namespace = namespaced ? "default" : NULL };
	if (!object_field(r, p, "metadata", DOC_MAP, &out->at)) {
		if (!doc_get(p->at, "metadata"))
			object_wrong(r, p, NULL, "an object without metadata");
		return false;
	}
	if (namespaced)
		(void)name_read(r, &out->at, "namespace", &out->namespace);
	if (!name_read(r, &out->at, "name", &out->name)) {
		if (!doc_get(out->at.at, "name"))
			object_wrong(r, &out->at, NULL, "an object without a name");
		return false;
	}
	out->key =
		namespaced ? arena_printf(r->arena, "%s/%s", out->namespace, out->name) : out->name;
	return true;
}
