#include "config/load.h"

#include <string.h>

#include "config/amend.h"
#include "config/hash.h"
#include "config/index.h"
#include "config/kinds.h"
#include "config/loader.h"
#include "config/reread.h"
#include "config/retain.h"
#include "config/said.h"
#include "config/source.h"
#include "config/stock.h"

/* An arena aligns what it gives. */
#define CFG_ROOM 64

struct arena *load_list(const struct loader *l, enum cfg_list which)
{
	return stock_arena(l->cfg->lists[which]);
}

/* @before: the configuration whose objects may be taken over; or NULL. */
static void loader_init(struct loader *l, const struct cfg_input *in, const struct cfg *before)
{
	struct arena *arena = arena_new_small(sizeof(struct cfg) + CFG_ROOM);
	struct stock *stock = stock_new(before ? before->stock : NULL);

	*l = (struct loader){
		.arena = stock_arena(stock),
		.scratch = arena_new(),
		.cfg = arena_new_of(arena, struct cfg),
		.pools_by_name = map_new(),
		.aliases = map_new(),
		.community_names = map_new(),
		.sink = in->sink,
		.before = before,
		.keep = in->keep ? reread_new() : NULL,
	};
	issues_init(&l->issues);
	l->cfg->arena = arena;
	l->cfg->stock = stock;
	for (size_t i = 0; i < CFG_LIST_COUNT; i++)
		l->cfg->lists[i] = stock_new_list();
	l->cfg->read = l->keep;
	level_preset(&level_root, l->cfg);
	l->cfg->node.name = arena_strdup(l->arena, in->host_name);
}

static void loader_fini(struct loader *l)
{
	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i])
			free(l->pools[i]->advs);
	for (size_t i = l->n_files; i; i--) /* nested ones before those that they stand in */
		doc_file_free(l->files[i - 1]);
	free(l->files);
	free(l->bfds);
	free(l->peers);
	free(l->pools);
	free(l->l2_advs);
	free(l->bgp_advs);
	free(l->services);
	free(l->networks);
	for (size_t i = 0; i < l->n_communities; i++)
		free(l->communities[i]->aliases);
	free(l->communities);
	map_free(l->pools_by_name);
	map_free(l->aliases);
	map_free(l->community_names);
	free(l->secrets);
	free(l->retained);
	arena_free(l->scratch);
}

/* YAML can't be read on after an error of its syntax. */
static void syntax_error(struct loader *l, const struct doc_file *file, const struct doc_error *bad)
{
	struct issue *i = issue_at(&l->issues, ISSUE_ERROR, file, bad->pos, "", NULL, bad->text);

	if (bad->other.line && i != &l->issues.spill) {
		i->c.other.file = i->c.file;
		i->c.other.pos = bad->other;
	}
}

static void loader_keep(struct loader *l, struct doc_file *f)
{
	mem_grow(l->files, l->n_files, l->cap_files);
	l->files[l->n_files++] = f;
}

static void load_root(struct loader *l, const struct doc *d)
{
	struct place at = { .at = d };

	level_load(l, &level_root, place_keep(l->scratch, &at), l->cfg);
}

void load_nested(struct loader *l, const struct doc *text)
{
	struct doc_file *f;
	struct doc_error bad = { 0 };

	if (!text)
		return;
	if (doc_parse_nested(text, NULL, &f, &bad) < 0) {
		syntax_error(l, text->file, &bad);
		return;
	}
	loader_keep(l, f);
	for (size_t i = 0; i < f->n_docs; i++)
		load_root(l, f->docs[i]);
}

const struct doc *load_value(struct loader *l, const struct doc *text)
{
	struct doc_file *f;
	struct doc_error bad = { 0 };

	if (doc_parse_nested(text, NULL, &f, &bad) < 0) {
		syntax_error(l, text->file, &bad);
		return NULL;
	}
	loader_keep(l, f);
	return f->n_docs ? f->docs[0] : NULL;
}

static void load_document(struct loader *l, const struct doc *d)
{
	struct place at = { .at = d };

	if (kind_is_object(d))
		kind_load(l, place_keep(l->scratch, &at));
	else
		load_root(l, d);
}

/* A text, or what is read in its place. */
static void load_reading(struct loader *l, struct reading *r)
{
	struct doc_file *f;
	struct doc_error bad = { 0 };
	size_t len;
	const char *text = reading_text(r, &len);

	if (doc_parse(r->name, text, len, NULL, &f, &bad) < 0) {
		struct doc_file unparsed = { .name = r->name, .source = text, .source_len = len };

		syntax_error(l, &unparsed, &bad);
		return;
	}
	loader_keep(l, f);
	if (!reading_parsed(r, f)) {
		l->strayed = true;
		return;
	}
	l->reading = r;
	for (size_t i = 0; i < f->n_docs; i++)
		load_document(l, f->docs[i]);
	l->reading = NULL;
	l->strayed |= !reading_loaded(r, l, f, l->keep);
}

/* @given: see reading_init(). */
static void load_bytes(struct loader *l, const char *name, const char *text, size_t len,
		       struct buf *given)
{
	struct reading r;

	issues_file(&l->issues, name);
	reading_init(&r, l, name, text, len, given);
	load_reading(l, &r);
	reading_fini(&r);
}

static void load_failed(struct loader *l, const char *name, const char *message)
{
	struct doc_file file = { .name = name };

	issues_file(&l->issues, name);
	issue_at(&l->issues, ISSUE_ERROR, &file, (struct doc_pos){ 0 }, "", NULL, message);
}

static void load_file(struct loader *l, const char *path)
{
	struct buf text = { 0 };
	struct err e = { 0 };

	if (source_read(path, &text, &e) < 0)
		load_failed(l, path, e.text);
	else
		load_bytes(l, path, buf_text(&text), text.len, &text);
	buf_fini(&text);
}

static void load_path(struct loader *l, const char *path)
{
	struct err e = { 0 };
	char **names;
	size_t n;

	if (!source_is_folder(path)) {
		load_file(l, path);
		return;
	}
	if (source_folder(path, &names, &n, &e) < 0) {
		load_failed(l, path, e.text);
		return;
	}
	if (!n)
		load_failed(l, path, "a folder without *.yaml, *.yml or *.json");
	for (size_t i = 0; i < n; i++)
		load_file(l, names[i]);
	source_names_free(names, n);
}

/*
 * What is said of texts that were read in parts. Where anything was said before, what is new can't
 * be told from it unless each object stands where it stood.
 */
static bool said_same(const struct loader *l, struct cfg_report *r)
{
	const struct cfg_issues *said = reread_said(l->before->read);

	if (r->errors.n || r->notes.n)
		return false;
	if (!said->n)
		return !r->warnings.n;
	return l->in_place && said_again(r, said, l->lines, l->n_lines);
}

/* The rules between objects; then the configuration, or what is wrong with it. */
static int loader_finish(struct loader *l, const struct cfg **out, struct cfg_report *report)
{
	resolve_bfd(l);
	resolve_secrets(l);
	resolve_peers(l);
	if (!amend(l)) {
		retain_unfold(l);
		resolve_pools(l);
		resolve_advs(l);
		resolve_services(l);
		resolve_networks(l);
	}
	resolve_names(l);
	loader_fini(l);
	issues_finish(&l->issues, report);
	l->strayed |= l->before && !said_same(l, report);
	free(l->lines);
	if (report->errors.n) {
		cfg_free(l->cfg);
		return -ERR_CONFIG;
	}
	if (l->cfg->read && !reread_say(l->cfg->read, report))
		l->cfg->read = reread_free(l->cfg->read);
	index_make(l->cfg, l->before);
	l->cfg->hash = hash_agreed(l->cfg);
	l->cfg->asked = hash_asked(l->cfg);
	*out = l->cfg;
	return 0;
}

static void load_input(struct loader *l, const struct cfg_input *in)
{
	for (size_t i = 0; i < in->n_paths; i++)
		load_path(l, in->paths[i]);
	for (size_t i = 0; i < in->n_texts; i++)
		load_bytes(l, in->texts[i].name, in->texts[i].text, in->texts[i].len, NULL);
}

/* Values that were taken over may have come from a name. */
static bool aliases_same(const struct cfg *before, const struct cfg *now)
{
	bool same = before->n_aliases == now->n_aliases;

	for (size_t i = 0; same && i < now->n_aliases; i++) {
		const struct cfg_alias *a = &before->aliases[i], *b = &now->aliases[i];

		same = strcmp(a->name, b->name) == 0 && a->is_large == b->is_large &&
		       a->value == b->value && a->large.global == b->large.global &&
		       a->large.local1 == b->large.local1 && a->large.local2 == b->large.local2;
	}
	return same;
}

/* By help of in->before. False: it has to be read whole, and nothing is left of it. */
static bool load_again(const struct cfg_input *in, const struct cfg **out,
		       struct cfg_report *report)
{
	struct loader l;

	loader_init(&l, in, in->before);
	load_input(&l, in);
	if (loader_finish(&l, out, report) == 0) {
		if (!l.strayed && aliases_same(in->before, *out))
			return true;
		*out = cfg_free(*out);
	}
	cfg_report_fini(report);
	return false;
}

int cfg_load_input(const struct cfg_input *in, const struct cfg **out, struct cfg_report *report)
{
	struct loader l;

	if (in->before && in->before->read && !stock_is_worn(in->before->stock) &&
	    load_again(in, out, report))
		return 0;
	loader_init(&l, in, NULL);
	load_input(&l, in);
	return loader_finish(&l, out, report);
}

int cfg_load_with(const char *const *paths, size_t n_paths, const char *host_name,
		  const struct cfg_sink *sink, const struct cfg **out, struct cfg_report *report)
{
	return cfg_load_input(
		&(struct cfg_input){
			.paths = paths, .n_paths = n_paths, .host_name = host_name, .sink = sink },
		out, report);
}

int cfg_load(const char *const *paths, size_t n_paths, const char *host_name,
	     const struct cfg **out, struct cfg_report *report)
{
	return cfg_load_with(paths, n_paths, host_name, NULL, out, report);
}

int cfg_load_text_with(const char *name, const char *text, size_t len, const char *host_name,
		       const struct cfg_sink *sink, const struct cfg **out,
		       struct cfg_report *report)
{
	struct cfg_text only = { .name = name, .text = text, .len = len };

	return cfg_load_input(
		&(struct cfg_input){
			.texts = &only, .n_texts = 1, .host_name = host_name, .sink = sink },
		out, report);
}

int cfg_load_text(const char *name, const char *text, size_t len, const char *host_name,
		  const struct cfg **out, struct cfg_report *report)
{
	return cfg_load_text_with(name, text, len, host_name, NULL, out, report);
}
