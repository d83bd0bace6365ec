#include "config/selector.h"

#include <string.h>

#include "config/loader.h"
#include "config/value.h"

struct raw_term {
	const char *key;
	const char *op;
	struct cfg_texts values;
};

struct raw_selector {
	struct labels labels;
	struct selector_term *terms;
	size_t n, cap;
	bool strict; /* as Kubernetes: nothing stands twice */
	bool bad;
};

static void term_take(struct loader *l, const struct place *p, void *parent, void *object);

static const struct field term_fields[] = {
	{ "key", FIELD_TEXT, "the label's name", AT(struct raw_term, key), .required = true },
	{ "operator", FIELD_TEXT, "`In`, `NotIn`, `Exists` or `DoesNotExist`",
	  AT(struct raw_term, op), .required = true },
	{ "values", FIELD_TEXTS, "for In and NotIn: at least one", AT(struct raw_term, values) },
};

static const struct level level_term = {
	.noun = "an expression",
	.fields = term_fields,
	.n = ARRAY_LEN(term_fields),
	.object_size = sizeof(struct raw_term),
	.take = term_take,
};

static const struct field selector_fields[] = {
	{ "match-labels", FIELD_LABELS, "labels that must have exactly these values",
	  AT(struct raw_selector, labels) },
	{ "match-expressions", FIELD_LIST, "conditions on labels, which must all hold",
	  .level = &level_term },
};

const struct level level_selector = {
	.noun = "a selector",
	.fields = selector_fields,
	.n = ARRAY_LEN(selector_fields),
	.object_size = sizeof(struct raw_selector),
};

static const struct field label_selector_fields[] = {
	{ "matchLabels", FIELD_LABELS, "labels that must have exactly these values",
	  AT(struct raw_selector, labels) },
	{ "matchExpressions", FIELD_LIST, "conditions on labels, which must all hold",
	  .level = &level_term },
};

static void label_selector_preset(void *object)
{
	((struct raw_selector *)object)->strict = true;
}

const struct level level_label_selector = {
	.noun = "a selector",
	.fields = label_selector_fields,
	.n = ARRAY_LEN(label_selector_fields),
	.object_size = sizeof(struct raw_selector),
	.preset = label_selector_preset,
};

static const char *op_hint(struct loader *l, const char *op)
{
	const char *names[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	const char *near = load_nearest(l, op, names, ARRAY_LEN(names));

	return near ? near : "In, NotIn, Exists or DoesNotExist";
}

static int text_cmp(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Values are a set: saying one twice changes nothing. */
static size_t values_unique(const char **v, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(v, n, sizeof(*v), text_cmp);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(v[kept - 1], v[i]) != 0)
			v[kept++] = v[i];
	return kept;
}

#define VALUES_MAX 1000 /* each is compared with each */

static bool term_values(struct loader *l, const struct place *p, const struct raw_term *raw,
			bool strict, struct selector_term *t)
{
	struct place at = place_field(p, "values");

	if (raw->values.n > VALUES_MAX) {
		load_error(l, &at, "use several selectors", "more than %d values", VALUES_MAX);
		return false;
	}
	for (size_t i = 0; i < raw->values.n; i++)
		if (!label_value_valid(raw->values.v[i])) {
			load_error(l, &at, "letters, digits, '-', '_' and '.', at most 63",
				   "'%.100s' is not a label's value", raw->values.v[i]);
			return false;
		}
	const char **v = arena_new_n(l->arena, const char *, raw->values.n);
	if (raw->values.n)
		memcpy(v, raw->values.v, raw->values.n * sizeof(*v));
	t->n_values = values_unique(v, raw->values.n);
	t->values = v;
	if (strict && t->n_values < raw->values.n) {
		load_error(l, &at, "keep one of them", "a value is given twice");
		return false;
	}
	return true;
}

static void selector_add(struct raw_selector *s, const struct selector_term *t)
{
	mem_grow(s->terms, s->n, s->cap);
	s->terms[s->n++] = *t;
}

static bool term_build(struct loader *l, const struct place *p, const struct raw_term *raw,
		       bool strict, struct selector_term *t)
{
	struct err e = { 0 };

	if (!raw->key || !raw->op)
		return false;
	t->key = raw->key;
	if (selector_op_parse(raw->op, &t->op) < 0) {
		struct place at = place_field(p, "operator");

		load_error(l, &at, op_hint(l, raw->op), "'%.60s' is no operator", raw->op);
		return false;
	}
	if (!term_values(l, p, raw, strict, t))
		return false;
	if (selector_term_check(t, &e) < 0) {
		load_error(l, p, NULL, "%s", e.text);
		return false;
	}
	return true;
}

static void term_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_selector *s = parent;
	struct selector_term t = { 0 };

	if (term_build(l, p, object, s->strict, &t))
		selector_add(s, &t);
	else
		s->bad = true;
}

static void labels_to_terms(struct loader *l, struct raw_selector *s)
{
	for (size_t i = 0; i < s->labels.n; i++) {
		const char **value = arena_new_of(l->arena, const char *);

		*value = s->labels.v[i].value;
		selector_add(s, &(struct selector_term){ .key = s->labels.v[i].key,
							 .op = SELECTOR_IN,
							 .values = value,
							 .n_values = 1 });
	}
}

static int term_cmp(const void *x, const void *y)
{
	const struct selector_term *a = x, *b = y;
	int keys = strcmp(a->key, b->key);

	return keys ? keys : (int)a->op - (int)b->op;
}

static void term_text(const struct selector_term *t, struct buf *out)
{
	buf_printf(out, "%s %d", t->key, (int)t->op);
	for (size_t i = 0; i < t->n_values; i++)
		buf_printf(out, " %s", t->values[i]);
	buf_puts(out, ",");
}

static bool terms_repeat(const struct selector_term *terms, size_t n)
{
	CLEANUP(map_freep) struct map *seen = map_new();
	bool twice = false;

	for (size_t i = 0; i < n && !twice; i++) {
		struct buf text = { 0 };

		term_text(&terms[i], &text);
		twice = map_put(seen, buf_text(&text), (void *)terms) != NULL;
		buf_fini(&text);
	}
	return twice;
}

static struct selector selector_of(struct loader *l, const struct place *p,
				   struct raw_selector *raw)
{
	struct selector s = { 0 };

	labels_to_terms(l, raw);
	s.n = raw->n;
	if (raw->n) {
		struct selector_term *terms = arena_new_n(l->arena, struct selector_term, raw->n);

		memcpy(terms, raw->terms, raw->n * sizeof(*terms));
		qsort(terms, raw->n, sizeof(*terms), term_cmp);
		s.terms = terms;
	}
	free(raw->terms);
	if (raw->strict && s.n > 1 && terms_repeat(s.terms, s.n))
		load_error(l, p, "keep one of them", "a condition is given twice");
	return s;
}

/* Conditions and values are sorted: equal selectors have equal texts. */
static void selectors_repeat(struct loader *l, const struct place *p, const struct selectors *s)
{
	CLEANUP(map_freep) struct map *seen = map_new();

	for (size_t i = 0; i < s->n; i++) {
		struct place at = place_index(p, i, p->at->items[i]);
		struct buf text = { 0 };

		for (size_t j = 0; j < s->v[i].n; j++)
			term_text(&s->v[i].terms[j], &text);
		const struct doc *first = map_put(seen, buf_text(&text), (void *)at.at);
		buf_fini(&text);
		if (first) {
			struct issue *is = load_error(l, &at, "keep one of them",
						      "this selector is given twice");
			issue_other(&l->issues, is, first);
		}
	}
}

bool selector_load(struct loader *l, const struct place *p, const struct level *level,
		   struct selector *out)
{
	const struct place *at = place_keep(l->scratch, p);
	struct raw_selector raw = { 0 };

	level_preset(level, &raw);
	level_load(l, level, at, &raw);
	*out = selector_of(l, at, &raw);
	return !raw.bad;
}

bool selectors_load(struct loader *l, const struct place *p, const struct level *level,
		    struct selectors *out)
{
	if (!value_is(l, p, DOC_LIST))
		return false;
	struct selector *v = arena_new_n(l->arena, struct selector, p->at->n_items);
	const struct place *list = place_keep(l->scratch, p);
	bool good = true;

	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(list, i, p->at->items[i]);

		good = selector_load(l, &at, level, &v[i]) && good;
	}
	*out = (struct selectors){ .v = v, .n = p->at->n_items };
	if (level == &level_label_selector)
		selectors_repeat(l, p, out);
	else if (out->n == 1 && out->v[0].n == 0 && strcmp(p->key, "node-selectors") == 0)
		/* One selector without conditions says of nodes what no selector says. */
		*out = (struct selectors){ 0 };
	return good;
}
