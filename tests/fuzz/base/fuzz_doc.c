/*
 * YAML from anywhere: whatever parses can be walked, shown and turned into JSON, every place lies
 * inside the source, and every text in it can be parsed as a document of its own.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/doc.h"

#define NODES_MAX 256

static const struct doc_limits limits = { .max_depth = 40, .max_nodes = 20000 };

static void check_place(const struct doc *d)
{
	size_t len = 0;
	const char *line = doc_line(d->file, d->pos, &len);

	assert(d->pos.line > 0 && d->pos.col > 0);
	assert(line >= d->file->source && line + len <= d->file->source + d->file->source_len);
	assert(d->pos.col <= len + 2); /* an empty value may stand behind the line's end */
}

static void check_error(const struct doc_error *bad)
{
	json_t *text = json_string(bad->text);

	assert(text && bad->text[0] && bad->pos.line > 0 && bad->pos.col > 0);
	json_decref(text);
}

static void nest(const struct doc *d)
{
	CLEANUP(doc_file_freep) struct doc_file *f = NULL;
	struct doc_error bad;

	if (doc_parse_nested(d, &limits, &f, &bad) < 0) {
		check_error(&bad);
		return;
	}
	for (size_t i = 0; i < f->n_docs; i++)
		assert(f->docs[i]->pos.line >= d->pos.line);
}

static void walk(const struct doc *d, unsigned *budget)
{
	if (*budget == 0)
		return;
	--*budget;
	check_place(d);
	if (d->kind == DOC_STRING && d->quoted)
		nest(d);
	for (size_t i = 0; d->kind == DOC_LIST && i < d->n_items; i++)
		walk(d->items[i], budget);
	for (size_t i = 0; d->kind == DOC_MAP && i < d->n_pairs; i++) {
		assert(doc_get(d, d->pairs[i].key->text) == d->pairs[i].value ||
		       d->pairs[i].value->kind == DOC_NULL);
		walk(d->pairs[i].value, budget);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(doc_file_freep) struct doc_file *f = NULL;
	struct doc_error bad;
	unsigned budget = NODES_MAX;

	if (doc_parse("fuzz", (const char *)data, size, &limits, &f, &bad) < 0) {
		check_error(&bad);
		return 0;
	}
	for (size_t i = 0; i < f->n_docs; i++) {
		json_t *j = doc_to_json(f->docs[i]);

		assert(j);
		json_decref(j);
		walk(f->docs[i], &budget);
	}
	return 0;
}

FUZZ_MAIN;
