#include "base/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/doc_priv.h"
#include "base/map.h"

static const struct doc_limits default_limits = {
	.max_bytes = 64U << 20,
	.max_depth = 100,
	.max_nodes = 4000000,
};

/* A name for a node. Its weight and height are what each alias costs. */
struct anchor {
	const struct doc *node;
	bool open; /* we are still inside it */
	size_t weight;
	size_t height;
};

/*
 * A list or mapping whose end has not been seen. Its children lie on the stack of nodes from
 * @first on.
 */
struct frame {
	struct doc *node;
	struct anchor *anchor;
	size_t first;
	size_t total_before;
	size_t height; /* of the highest child */
};

struct build {
	yaml_parser_t yaml;
	struct doc_file *file;
	struct doc_limits limits;
	const char *input;
	size_t input_len;
	struct doc_cursor cursor;
	const struct doc_window *window; /* NULL: the input is the file itself */
	struct doc_error *bad;
	struct map *anchors;
	size_t total; /* nodes so far, aliases followed */

	struct frame *frames;
	size_t n_frames;
	size_t cap_frames;
	const struct doc **nodes;
	size_t n_nodes;
	size_t cap_nodes;
	const struct doc **docs;
	size_t n_docs;
	size_t cap_docs;
};

static int fail(struct build *b, struct doc_pos pos, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int fail(struct build *b, struct doc_pos pos, const char *fmt, ...)
{
	va_list args;

	b->bad->pos = pos;
	va_start(args, fmt);
	vsnprintf(b->bad->text, sizeof(b->bad->text), fmt, args);
	va_end(args);
	doc_text_repair(b->bad->text);
	return -ERR_CONFIG;
}

static struct doc_pos pos_of(struct build *b, yaml_mark_t mark)
{
	struct doc_pos pos = doc_cursor_seek(&b->cursor, mark.index);

	return b->window ? doc_window_out(b->window, pos) : pos;
}

static int count(struct build *b, struct doc_pos pos, size_t weight)
{
	if (weight > b->limits.max_nodes || b->total > b->limits.max_nodes - weight)
		return fail(b, pos,
			    "the file has more than %zu values (each use of an alias counts all "
			    "of its values)",
			    b->limits.max_nodes);
	b->total += weight;
	return 0;
}

static struct doc *node_new(struct build *b, const yaml_event_t *ev, enum doc_kind kind)
{
	struct doc *d = arena_new_of(b->file->arena, struct doc);

	d->kind = kind;
	d->pos = pos_of(b, ev->start_mark);
	d->file = b->file;
	return d;
}

/* A mapping's children alternate: is the next one a key? */
static bool key_is_next(const struct build *b)
{
	const struct frame *f = b->n_frames > 0 ? &b->frames[b->n_frames - 1] : NULL;

	return f && f->node->kind == DOC_MAP && (b->n_nodes - f->first) % 2 == 0;
}

/* A complete node takes its place in what is around it. */
static int place(struct build *b, const struct doc *d, struct doc_pos pos, size_t height)
{
	if (key_is_next(b) && (d->kind == DOC_LIST || d->kind == DOC_MAP))
		return fail(b, pos, "%s cannot be a key: only text can", doc_kind_name(d->kind));
	if (b->n_frames == 0) {
		mem_grow(b->docs, b->n_docs, b->cap_docs);
		b->docs[b->n_docs++] = d;
		return 0;
	}
	struct frame *f = &b->frames[b->n_frames - 1];
	f->height = MAX(f->height, height);
	mem_grow(b->nodes, b->n_nodes, b->cap_nodes);
	b->nodes[b->n_nodes++] = d;
	return 0;
}

/* The latest use of a name counts. NULL when the node has none. */
static struct anchor *anchor_new(struct build *b, const yaml_char_t *name, const struct doc *node)
{
	if (!name)
		return NULL;
	b->file->has_anchors = true;
	struct anchor *a = arena_new_of(b->file->arena, struct anchor);
	a->node = node;
	a->weight = 1;
	map_put(b->anchors, (const char *)name, a);
	return a;
}

static int on_alias(struct build *b, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct doc_pos pos = pos_of(b, ev->start_mark);
	const struct anchor *a = map_get(b->anchors, name);

	if (!a)
		return fail(b, pos,
			    "there is no anchor '&%s' above: define it, or put '*%s' in quotes if "
			    "it is text",
			    name, name);
	if (a->open)
		return fail(b, pos, "'*%s' stands inside its own anchor: it would never end", name);
	if (b->n_frames + a->height > b->limits.max_depth)
		return fail(b, pos, "nested deeper than %zu levels through '*%s'",
			    b->limits.max_depth, name);
	int rc = count(b, pos, a->weight);
	return rc < 0 ? rc : place(b, a->node, pos, a->height);
}

static int on_scalar(struct build *b, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	const char *tag = (const char *)ev->data.scalar.tag;
	struct doc *d = node_new(b, ev, DOC_STRING);

	if (memchr(text, '\0', ev->data.scalar.length))
		return fail(b, d->pos, "this text holds a NUL character (\"\\0\"): remove it");
	d->text = arena_strndup(b->file->arena, text, ev->data.scalar.length);
	d->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (doc_scalar_resolve(d, tag, ev->data.scalar.plain_implicit) < 0)
		return fail(b, d->pos, "this is not what its tag '!!%s' says",
			    strrchr(tag, ':') + 1);
	anchor_new(b, ev->data.scalar.anchor, d);
	int rc = count(b, d->pos, 1);
	return rc < 0 ? rc : place(b, d, d->pos, 0);
}

static int on_start(struct build *b, const yaml_event_t *ev, enum doc_kind kind,
		    const yaml_char_t *anchor)
{
	struct doc *d = node_new(b, ev, kind);

	if (key_is_next(b))
		return fail(b, d->pos, "%s cannot be a key: only text can", doc_kind_name(kind));
	if (b->n_frames == b->limits.max_depth)
		return fail(b, d->pos, "nested deeper than %zu levels", b->limits.max_depth);
	mem_grow(b->frames, b->n_frames, b->cap_frames);
	struct frame *f = &b->frames[b->n_frames++];
	*f = (struct frame){ .node = d,
			     .anchor = anchor_new(b, anchor, d),
			     .first = b->n_nodes,
			     .total_before = b->total };
	if (f->anchor)
		f->anchor->open = true;
	return count(b, d->pos, 1);
}

static void close_list(struct build *b, struct frame *f)
{
	size_t n = b->n_nodes - f->first;
	const struct doc **items = arena_new_n(b->file->arena, const struct doc *, n);

	if (n > 0)
		memcpy(items, b->nodes + f->first, n * sizeof(*items));
	f->node->items = items;
	f->node->n_items = n;
}

/*
 * The pairs of a mapping while it is closed: its own first, then those of merge keys in order of
 * rank.
 */
struct pairs {
	struct doc_pair *v;
	size_t n;
	size_t cap;
	size_t n_own;
};

static void pairs_fini(struct pairs *p)
{
	free(p->v);
}

static void pairs_add(struct pairs *p, struct doc_pair pair)
{
	mem_grow(p->v, p->n, p->cap);
	p->v[p->n++] = pair;
}

static bool is_merge_key(const struct doc *key)
{
	return !key->quoted && strcmp(key->text, "<<") == 0;
}

static int merge_map(struct build *b, struct pairs *p, const struct doc *from)
{
	if (from->kind != DOC_MAP)
		return fail(b, from->pos,
			    "'<<' merges a mapping, or a list of mappings, but this is %s",
			    doc_kind_name(from->kind));
	for (size_t i = 0; i < from->n_pairs; i++)
		pairs_add(p, from->pairs[i]);
	return 0;
}

static int merge(struct build *b, struct pairs *p, const struct doc *from)
{
	if (from->kind != DOC_LIST)
		return merge_map(b, p, from);
	for (size_t i = 0; i < from->n_items; i++) {
		int rc = merge_map(b, p, from->items[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int collect(struct build *b, const struct frame *f, struct pairs *p)
{
	for (size_t i = f->first; i < b->n_nodes; i += 2) {
		if (!is_merge_key(b->nodes[i]))
			pairs_add(p, (struct doc_pair){ b->nodes[i], b->nodes[i + 1] });
	}
	p->n_own = p->n;
	for (size_t i = f->first; i < b->n_nodes; i += 2) {
		int rc = is_merge_key(b->nodes[i]) ? merge(b, p, b->nodes[i + 1]) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int by_key_then_rank(const void *a, const void *b)
{
	const struct doc_pair *x = *(const struct doc_pair *const *)a;
	const struct doc_pair *y = *(const struct doc_pair *const *)b;
	int order = strcmp(x->key->text, y->key->text);

	return order != 0 ? order : (x > y) - (x < y);
}

/*
 * Of each key the first pair stays, merged later ones go. Returns the first own pair too many, or
 * NULL.
 */
static const struct doc_pair *drop_later(struct pairs *p, const struct doc_pair **first)
{
	CLEANUP(mem_freep) struct doc_pair **sorted = mem_new_n(struct doc_pair *, p->n);
	const struct doc_pair *twice = NULL;
	size_t winner = 0;

	for (size_t i = 0; i < p->n; i++)
		sorted[i] = &p->v[i];
	qsort(sorted, p->n, sizeof(struct doc_pair *), by_key_then_rank);
	for (size_t i = 1; i < p->n; i++) {
		if (strcmp(sorted[i]->key->text, sorted[winner]->key->text) != 0) {
			winner = i;
		} else if (sorted[i] >= p->v + p->n_own) {
			sorted[i]->value = NULL;
		} else if (!twice || sorted[i] < twice) {
			twice = sorted[i];
			*first = sorted[winner];
		}
	}
	return twice;
}

static int close_map(struct build *b, struct frame *f)
{
	CLEANUP(pairs_fini) struct pairs p = { 0 };
	const struct doc_pair *first = NULL;
	int rc = collect(b, f, &p);

	if (rc < 0)
		return rc;
	const struct doc_pair *twice = drop_later(&p, &first);
	if (twice) {
		b->bad->other = first->key->pos;
		return fail(b, twice->key->pos, "key '%.100s' stands here twice (first on line %u)",
			    twice->key->text, first->key->pos.line);
	}
	struct doc_pair *kept = arena_new_n(b->file->arena, struct doc_pair, p.n);
	size_t n = 0;
	for (size_t i = 0; i < p.n; i++) {
		if (p.v[i].value)
			kept[n++] = p.v[i];
	}
	f->node->pairs = kept;
	f->node->n_pairs = n;
	return 0;
}

static int on_end(struct build *b)
{
	struct frame f = b->frames[--b->n_frames];
	int rc = 0;

	if (f.node->kind == DOC_MAP)
		rc = close_map(b, &f);
	else
		close_list(b, &f);
	if (rc < 0)
		return rc;
	b->n_nodes = f.first;
	if (f.anchor) {
		f.anchor->open = false;
		f.anchor->weight = b->total - f.total_before;
		f.anchor->height = f.height + 1;
	}
	return place(b, f.node, f.node->pos, f.height + 1);
}

static int on_event(struct build *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT: /* anchors do not reach into the next document */
		map_free(b->anchors);
		b->anchors = map_new();
		return 0;
	case YAML_ALIAS_EVENT:
		return on_alias(b, ev);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, ev, DOC_LIST, ev->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, ev, DOC_MAP, ev->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b);
	default:
		return 0;
	}
}

static int syntax_error(struct build *b)
{
	struct doc_pos open =
		b->yaml.context ? pos_of(b, b->yaml.context_mark) : (struct doc_pos){ 0 };
	struct doc_pos pos = pos_of(b, b->yaml.problem_mark);
	const struct doc_problem p = {
		.problem = b->yaml.problem,
		.context = b->yaml.context,
		.input = b->input,
		.at = b->cursor.at,
		.open_line = open.line,
		.at_end = b->cursor.at == b->input_len,
	};
	bool point_at_open = doc_problem_tell(&p, b->bad->text, sizeof(b->bad->text));

	b->bad->pos = point_at_open ? open : pos;
	return -ERR_CONFIG;
}

static int run(struct build *b)
{
	for (;;) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&b->yaml, &ev))
			return syntax_error(b);
		bool end = ev.type == YAML_STREAM_END_EVENT;
		int rc = on_event(b, &ev);
		yaml_event_delete(&ev);
		if (rc < 0 || end)
			return rc;
	}
}

static int parse_input(struct build *b)
{
	if (b->input_len > b->limits.max_bytes)
		return fail(b, (struct doc_pos){ 1, 1 }, "%zu bytes are too many: at most %zu",
			    b->input_len, b->limits.max_bytes);
	if (doc_source_check(b->input, b->input_len, b->bad) < 0) {
		if (b->window)
			b->bad->pos = doc_window_out(b->window, b->bad->pos);
		return -ERR_CONFIG;
	}
	if (!yaml_parser_initialize(&b->yaml))
		return fail(b, (struct doc_pos){ 1, 1 }, "out of memory");
	yaml_parser_set_encoding(&b->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->yaml, (const unsigned char *)b->input, b->input_len);
	b->anchors = map_new();
	int rc = run(b);
	yaml_parser_delete(&b->yaml);
	map_free(b->anchors);
	return rc;
}

/* Parse @b's input into @b's file, and finish that file or end it. */
static int build_file(struct build *b, const struct doc_limits *limits, struct doc_file **out)
{
	const struct doc_limits given = limits ? *limits : default_limits;

	b->limits = (struct doc_limits){
		.max_bytes = given.max_bytes ? given.max_bytes : default_limits.max_bytes,
		.max_depth = given.max_depth ? given.max_depth : default_limits.max_depth,
		.max_nodes = given.max_nodes ? given.max_nodes : default_limits.max_nodes,
	};
	*b->bad = (struct doc_error){ 0 };
	doc_cursor_init(&b->cursor, b->input, b->input_len);
	int rc = parse_input(b);
	if (rc == 0) {
		b->file->docs = arena_new_n(b->file->arena, const struct doc *, b->n_docs);
		for (size_t i = 0; i < b->n_docs; i++)
			b->file->docs[i] = b->docs[i];
		b->file->n_docs = b->n_docs;
		b->file->n_nodes = b->total;
		*out = b->file;
	} else {
		doc_file_free(b->file);
	}
	free(b->frames);
	free(b->nodes);
	free(b->docs);
	return rc;
}

static struct doc_file *file_new(const char *name)
{
	struct arena *arena = arena_new();
	struct doc_file *f = arena_new_of(arena, struct doc_file);

	f->arena = arena;
	f->name = arena_strdup(arena, name);
	return f;
}

int doc_parse(const char *name, const char *text, size_t len, const struct doc_limits *limits,
	      struct doc_file **out, struct doc_error *bad)
{
	struct build b = { .bad = bad };

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	size_t max = limits && limits->max_bytes ? limits->max_bytes : default_limits.max_bytes;
	b.file = file_new(name);
	if (len <= max) {
		char *copy = arena_zero(b.file->arena, len + 1, 1);

		if (len > 0)
			memcpy(copy, text, len);
		b.file->source = copy;
		b.file->source_len = len;
		text = copy;
	}
	b.input = text;
	b.input_len = len;
	return build_file(&b, limits, out);
}

int doc_parse_nested(const struct doc *scalar, const struct doc_limits *limits,
		     struct doc_file **out, struct doc_error *bad)
{
	struct build b = { .bad = bad };

	if (!scalar->text) {
		*bad = (struct doc_error){ .pos = scalar->pos };
		snprintf(bad->text, sizeof(bad->text), "%s stands where text is wanted",
			 doc_kind_name(scalar->kind));
		return -ERR_CONFIG;
	}
	struct doc_window window = doc_window_of(scalar);
	b.file = file_new(scalar->file->name);
	b.file->source = scalar->file->source;
	b.file->source_len = scalar->file->source_len;
	b.window = &window;
	b.input = scalar->text;
	b.input_len = strlen(scalar->text);
	return build_file(&b, limits, out);
}

struct doc_file *doc_file_free(struct doc_file *f)
{
	if (f)
		arena_free(f->arena);
	return NULL;
}

void doc_file_freep(struct doc_file **f)
{
	doc_file_free(*f);
}

const struct doc *doc_get(const struct doc *d, const char *key)
{
	if (!d || d->kind != DOC_MAP)
		return NULL;
	for (size_t i = 0; i < d->n_pairs; i++) {
		const char *text = d->pairs[i].key->text;

		if (text[0] == key[0] && strcmp(text, key) == 0)
			return d->pairs[i].value->kind == DOC_NULL ? NULL : d->pairs[i].value;
	}
	return NULL;
}

const char *doc_get_text(const struct doc *d, const char *key)
{
	const struct doc *value = doc_get(d, key);

	return value ? value->text : NULL;
}

const char *doc_kind_name(enum doc_kind kind)
{
	static const char *const names[] = {
		[DOC_NULL] = "nothing",	      [DOC_BOOL] = "true or false",
		[DOC_INT] = "a whole number", [DOC_FLOAT] = "a number with a fraction",
		[DOC_STRING] = "text",	      [DOC_LIST] = "a list",
		[DOC_MAP] = "a mapping",
	};

	return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "?";
}

static json_t *int_to_json(const struct doc *d)
{
	if (!d->negative && d->integer > INT64_MAX)
		return json_real((double)d->integer);
	return json_integer((json_int_t)(d->negative ? 0 - d->integer : d->integer));
}

static json_t *list_to_json(const struct doc *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_items; i++)
		json_array_append_new(list, doc_to_json(d->items[i]));
	return list;
}

static json_t *map_to_json(const struct doc *d)
{
	json_t *map = json_object();

	for (size_t i = 0; i < d->n_pairs; i++)
		json_object_set_new(map, d->pairs[i].key->text, doc_to_json(d->pairs[i].value));
	return map;
}

json_t *doc_to_json(const struct doc *d)
{
	json_t *real;

	switch (d->kind) {
	case DOC_BOOL:
		return json_boolean(d->boolean);
	case DOC_INT:
		return int_to_json(d);
	case DOC_FLOAT:
		real = json_real(d->real);
		return real ? real : json_string(d->text); /* JSON has no infinity */
	case DOC_STRING:
		return json_string(d->text);
	case DOC_LIST:
		return list_to_json(d);
	case DOC_MAP:
		return map_to_json(d);
	case DOC_NULL:
		break;
	}
	return json_null();
}
