#include "config/schema.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "config/loader.h"
#include "config/reread.h"
#include "config/selector.h"
#include "config/value.h"

#define LEVEL_FIELDS_MAX 32
#define COMPARISONS_MAX	 1000000

const struct field *level_field(const struct level *level, const char *key)
{
	for (size_t i = 0; i < level->n; i++)
		if (level->fields[i].key[0] == key[0] && strcmp(level->fields[i].key, key) == 0)
			return &level->fields[i];
	return NULL;
}

const char *load_nearest(struct loader *l, const char *word, const char *const *words, size_t n)
{
	if (n > COMPARISONS_MAX - l->comparisons)
		return NULL;
	l->comparisons += n;
	const char *near = text_nearest(word, words, n);
	return near ? issues_text(&l->issues, "did you mean '%s'?", near) : NULL;
}

/* Text of the words of a list, for hints: "a, b, c". */
static const char *join(struct loader *l, const char *intro, const char *const *words, size_t n)
{
	struct buf b = { 0 };

	buf_puts(&b, intro);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", words[i]);
	const char *text = issues_text(&l->issues, "%s", buf_text(&b));
	buf_fini(&b);
	return text;
}

static void unknown_key(struct loader *l, const struct level *level, const struct place *p,
			const struct doc *key)
{
	const char *keys[LEVEL_FIELDS_MAX];
	struct place at = place_key(p, key->text, key);

	assert(level->n <= LEVEL_FIELDS_MAX);
	for (size_t i = 0; i < level->n; i++)
		keys[i] = level->fields[i].key;
	const char *hint = load_nearest(l, key->text, keys, level->n);
	load_error(l, &at, hint ? hint : join(l, "known are ", keys, level->n),
		   "%s has no key '%.100s'", level->noun, key->text);
}

/* Is this value one of those by which a feature is not used? */
static bool is_neutral(const struct field *f, const struct doc *d)
{
	const char *text = d->text;

	if (!text || d->kind == DOC_LIST || d->kind == DOC_MAP)
		return false;
	if (d->kind == DOC_BOOL)
		text = d->boolean ? "true" : "false";
	for (const char *at = f->not_built->neutral; at && *at;) {
		size_t len = strcspn(at, "|");
		bool is_off = d->kind == DOC_BOOL && !d->boolean && strncmp(at, "off", len) == 0;

		if (is_off || (strlen(text) == len && strncmp(at, text, len) == 0))
			return true;
		at += len + (at[len] == '|');
	}
	return false;
}

static bool word_load(struct loader *l, const struct place *p, const struct field *f, int *out)
{
	const char *text, *texts[16];
	size_t n = 0;

	if (!value_peek(l, p, &text))
		return false;
	for (const struct word *w = f->words; w->text; w++) {
		assert(n < ARRAY_LEN(texts));
		texts[n++] = w->text;
		if (strcmp(w->text, text) == 0) {
			*out = w->value;
			return true;
		}
	}
	const char *hint = load_nearest(l, text, texts, n);
	load_error(l, p, hint ? hint : join(l, "one of ", texts, n), "'%.60s' is not known here",
		   text);
	return false;
}

static void uint_store(const struct field *f, uint64_t v, void *at)
{
	switch (f->size) {
	case 1:
		*(uint8_t *)at = (uint8_t)v;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)v;
		break;
	default:
		assert(f->size == 4);
		*(uint32_t *)at = (uint32_t)v;
	}
}

static bool text_load(struct loader *l, const struct place *p, const struct field *f,
		      const char **out)
{
	const char *text;

	if (!f->any_text && !value_peek(l, p, &text))
		return false;
	return value_text(l, p, out);
}

static bool duration_load(struct loader *l, const struct place *p, const struct field *f,
			  struct dur *out)
{
	struct dur d;

	if (!value_duration(l, p, &d))
		return false;
	if (f->max && (d.ns < (int64_t)f->min || d.ns > (int64_t)f->max)) {
		load_error(l, p,
			   issues_text(&l->issues, "%s to %s", DUR_TEXT(DUR_NS((int64_t)f->min)),
				       DUR_TEXT(DUR_NS((int64_t)f->max))),
			   "%s is out of range", DUR_TEXT(d));
		return false;
	}
	*out = d;
	return true;
}

static void list_load(struct loader *l, const struct field *f, const struct place *p, void *parent)
{
	if (!value_is(l, p, DOC_LIST))
		return;
	const struct place *list = place_keep(l->scratch, p);
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place here = place_index(list, i, p->at->items[i]);
		const struct place *at = place_keep(l->scratch, &here);
		void *object = arena_zero(l->scratch, 1, f->level->object_size);

		if (l->reading)
			reading_item(l->reading, l, p->at, i);

		level_preset(f->level, object);
		level_load(l, f->level, at, object);
		f->level->take(l, at, parent, object);
	}
}

/* The value of one field into its place in the object; false when it was refused. */
static bool field_store(struct loader *l, const struct field *f, const struct place *p,
			void *object, void *at)
{
	uint64_t v;

	switch (f->type) {
	case FIELD_BOOL:
		return value_bool(l, p, at);
	case FIELD_UINT:
		if (!value_uint(l, p, f, &v))
			return false;
		uint_store(f, v, at);
		return true;
	case FIELD_TEXT:
		return text_load(l, p, f, at);
	case FIELD_WORD:
		return word_load(l, p, f, at);
	case FIELD_DURATION:
		return duration_load(l, p, f, at);
	case FIELD_ADDRESS:
		return value_address(l, p, at);
	case FIELD_ENDPOINT:
		((struct cfg_endpoint *)at)->port = f->preset_port;
		return value_endpoint(l, p, at);
	case FIELD_TEXTS:
		return value_texts(l, p, at);
	case FIELD_LABELS:
		return value_labels(l, p, at);
	case FIELD_SELECTORS:
		return selectors_load(l, p, f->level ? f->level : &level_selector, at);
	case FIELD_MAP:
		level_load(l, f->level, place_keep(l->scratch, p), at);
		return true;
	case FIELD_LIST:
		list_load(l, f, p, object);
		return true;
	case FIELD_OWN:
		return true;
	}
	return false;
}

/* An empty text is what an absent one is: Go's zero value. */
static bool is_absent(const struct field *f, const struct doc *d)
{
	bool textual = f->type == FIELD_TEXT || f->type == FIELD_WORD ||
		       f->type == FIELD_DURATION || f->type == FIELD_ADDRESS ||
		       f->type == FIELD_ENDPOINT;

	return !d || d->kind == DOC_NULL ||
	       (textual && d->kind == DOC_STRING && d->text[0] == '\0');
}

void field_load(struct loader *l, const struct field *f, const struct place *p, void *object)
{
	if (is_absent(f, p->at))
		return;
	if (f->not_built) {
		if (!is_neutral(f, p->at))
			load_error(l, p, f->not_built->instead, "%s is not built yet", f->key);
		return;
	}
	if (field_store(l, f, p, object, (char *)object + f->offset) && f->load)
		f->load(l, p, object);
}

static void required_check(struct loader *l, const struct level *level, const struct place *p)
{
	for (size_t i = 0; i < level->n; i++) {
		const struct field *f = &level->fields[i];

		if (f->required && is_absent(f, doc_get(p->at, f->key)))
			load_error(l, p, issues_text(&l->issues, "add %s: %s", f->key, f->about),
				   "%s is missing", f->key);
	}
}

/* At the root, a key that several documents may not share. */
static bool is_second(struct loader *l, const struct level *level, const struct field *f,
		      const struct place *p, const struct doc *key)
{
	if (level != &level_root || f->again || key->kind == DOC_NULL)
		return false;
	const struct doc **first = &l->seen[f - level->fields];
	if (!*first) {
		*first = key;
		return false;
	}
	struct place at = place_key(p, key->text, key);
	struct issue *i = load_error(l, &at, "keep one of them", "%s is given twice", f->key);
	issue_other(&l->issues, i, *first);
	return true;
}

void level_load(struct loader *l, const struct level *level, const struct place *p, void *object)
{
	if (p->at->kind != DOC_NULL && !value_is(l, p, DOC_MAP))
		return;
	size_t n = p->at->kind == DOC_MAP ? p->at->n_pairs : 0;
	for (size_t i = 0; i < n; i++) {
		const struct doc_pair *pair = &p->at->pairs[i];
		const struct field *f = level_field(level, pair->key->text);
		struct place at = place_key(p, f ? f->key : pair->key->text, pair->value);

		if (!f)
			unknown_key(l, level, p, pair->key);
		else if (pair->value->kind != DOC_NULL && !is_second(l, level, f, p, pair->key))
			field_load(l, f, &at, object);
	}
	required_check(l, level, p);
	if (level->done)
		level->done(l, p, object);
}

static void field_preset(const struct field *f, void *at)
{
	const char *text = f->preset;
	bool good = true;

	switch (f->type) {
	case FIELD_BOOL:
		*(bool *)at = strcmp(text, "true") == 0;
		break;
	case FIELD_UINT:
		uint_store(f, strtoull(text, NULL, 10), at);
		break;
	case FIELD_TEXT:
		*(const char **)at = text;
		break;
	case FIELD_WORD:
		for (const struct word *w = f->words; w->text; w++)
			if (strcmp(w->text, text) == 0)
				*(int *)at = w->value;
		break;
	case FIELD_DURATION:
		good = dur_parse(text, at) == 0;
		break;
	case FIELD_ENDPOINT: {
		struct cfg_endpoint *ep = at;

		good = addr_port_parse(text, &ep->addr, &ep->port) == 0;
		break;
	}
	default:
		good = false; /* the others have no default that needs writing */
	}
	assert(good);
	(void)good;
}

void level_preset(const struct level *level, void *object)
{
	for (size_t i = 0; i < level->n; i++) {
		const struct field *f = &level->fields[i];
		void *at = (char *)object + f->offset;

		if (f->not_built)
			continue;
		if (f->type == FIELD_MAP)
			level_preset(f->level, at);
		else if (f->preset)
			field_preset(f, at);
	}
	if (level->preset)
		level->preset(object);
}
