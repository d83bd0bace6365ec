#include "config/convert_tidy.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define EXPRESSIONS "match-expressions"
#define LABELS	    "match-labels"

static bool duration_is(const json_t *v, const char *text)
{
	struct dur a, b;

	return json_is_string(v) && dur_parse(json_string_value(v), &a) == 0 &&
	       dur_parse(text, &b) == 0 && a.ns == b.ns;
}

static bool scalar_is(const json_t *v, const char *text)
{
	if (json_is_string(v))
		return strcmp(json_string_value(v), text) == 0;
	if (json_is_boolean(v))
		return strcmp(json_is_true(v) ? "true" : "false", text) == 0;
	char number[24];
	snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
	return json_is_integer(v) && strcmp(number, text) == 0;
}

/* What a row's own code loads may have a default that is spelled for the reference alone. */
static bool is_default(const struct field *f, const json_t *v)
{
	const char *text = f->type == FIELD_OWN && !f->preset ? f->preset_text : f->preset;

	if (!text)
		return false;
	return f->type == FIELD_DURATION ? duration_is(v, text) : scalar_is(v, text);
}

/* Mappings that mean something by standing there, whatever is in them. */
static bool speaks_empty(const struct field *f)
{
	return f->type == FIELD_OWN || strcmp(f->key, "cluster") == 0;
}

static bool is_needless(const struct field *f, const json_t *v)
{
	if (json_is_array(v))
		return json_array_size(v) == 0;
	if (json_is_object(v))
		return json_object_size(v) == 0 && !speaks_empty(f);
	return is_default(f, v);
}

static void tidy_member(json_t *v, const struct field *f)
{
	json_t *item;
	size_t i;

	if (!f->level)
		return;
	if (json_is_object(v))
		convert_tidy(v, f->level);
	json_array_foreach(v, i, item) convert_tidy(item, f->level);
}

void convert_tidy(json_t *o, const struct level *level)
{
	for (size_t i = 0; i < level->n; i++) {
		const struct field *f = &level->fields[i];
		json_t *v = json_object_get(o, f->key);

		if (!v)
			continue;
		tidy_member(v, f);
		if (is_needless(f, v))
			json_object_del(o, f->key);
	}
}

/* The value of an expression that a label can say, or NULL. */
static json_t *only_value(const json_t *expression)
{
	const char *op = json_string_value(json_object_get(expression, "operator"));
	const json_t *values = json_object_get(expression, "values");

	return op && strcmp(op, "In") == 0 && json_array_size(values) == 1
		       ? json_array_get(values, 0)
		       : NULL;
}

static bool holds(const json_t *list, const json_t *wanted)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i,
			   item) if (json_equal(item, wanted)) return true;
	return false;
}

json_t *convert_selector(const json_t *selector, const struct convert_words *words)
{
	json_t *labels = json_object(), *others = json_array(), *o = json_object();
	json_t *expression;
	size_t i;

	json_array_foreach(json_object_get(selector, EXPRESSIONS), i, expression)
	{
		const char *key = json_string_value(json_object_get(expression, "key"));
		json_t *value = only_value(expression);
		const json_t *said = json_object_get(labels, key);

		if (value && !said)
			json_object_set(labels, key, value);
		else if (!(value && json_equal(value, said)) && !holds(others, expression))
			json_array_append(others, expression);
	}
	if (json_object_size(labels))
		json_object_set(o, words->labels, labels);
	if (json_array_size(others))
		json_object_set(o, words->expressions, others);
	json_decref(labels);
	json_decref(others);
	return o;
}

json_t *convert_selectors(const json_t *list, const struct convert_words *words)
{
	json_t *out = json_array();
	json_t *selector;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, selector)
	{
		json_t *s = convert_selector(selector, words);

		if (!holds(out, s))
			json_array_append(out, s);
		json_decref(s);
	}
	return out;
}

static const struct convert_words our_words = { LABELS, EXPRESSIONS };

static json_t *selector_member(const char *key, const json_t *v)
{
	if (json_is_array(v) && text_ends_with(key, "-selectors") &&
	    strcmp(key, "preferred-node-selectors") != 0)
		return convert_selectors(v, &our_words);
	return json_is_object(v) && strcmp(key, "preference") == 0 ? convert_selector(v, &our_words)
								   : NULL;
}

void convert_selectors_of(json_t *o)
{
	const char *key;
	json_t *v;
	void *next;
	size_t i;

	json_array_foreach(o, i, v) convert_selectors_of(v);
	json_object_foreach_safe(o, next, key, v)
	{
		json_t *selectors = selector_member(key, v);

		if (selectors)
			json_object_set_new(o, key, selectors);
		else
			convert_selectors_of(v);
	}
}
