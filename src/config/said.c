#include "config/said.h"

#include <string.h>

uint32_t said_line_at(const char *text, size_t at)
{
	const char *end = text + at, *next;
	uint32_t line = 1;

	for (; text < end && (next = memchr(text, '\n', (size_t)(end - text))); text = next + 1)
		line++;
	return line;
}

static const char *text_copy(struct arena *a, const char *text)
{
	return text ? arena_strdup(a, text) : NULL;
}

static struct cfg_issue issue_copy(struct arena *a, const struct cfg_issue *i)
{
	struct cfg_issue copy = *i;

	copy.file = arena_strdup(a, i->file);
	copy.path = arena_strdup(a, i->path);
	copy.message = arena_strdup(a, i->message);
	copy.hint = text_copy(a, i->hint);
	copy.line = text_copy(a, i->line);
	return copy;
}

/* Of what is beyond the most that is shown no file is named. */
bool said_keep(const struct cfg_report *report, bool (*is_known)(const void *ctx, const char *file),
	       const void *ctx, struct arena *arena, struct cfg_issues *out)
{
	const struct cfg_issues *w = &report->warnings;
	struct cfg_issue *v = w->n ? arena_new_n(arena, struct cfg_issue, w->n) : NULL;

	if (report->errors.n || report->notes.n)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		if (!w->v[i].pos.line || w->v[i].other.file || !is_known(ctx, w->v[i].file))
			return false;
		v[i] = issue_copy(arena, &w->v[i]);
	}
	*out = (struct cfg_issues){ .v = v, .n = w->n };
	return true;
}

static const struct said_lines *lines_of(const struct said_lines *lines, size_t n, const char *file)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(lines[i].name, file) == 0)
			return &lines[i];
	return NULL;
}

/* Where the line is now. False: it is one of those around the change. */
static bool line_move(const struct said_lines *l, uint32_t *line)
{
	if (*line < l->from)
		return true;
	if (*line < l->end_before)
		return false;
	*line += l->end - l->end_before;
	return true;
}

/* The same of a line of the abridged text. */
static bool line_restore(const struct said_lines *l, uint32_t *line)
{
	for (size_t i = 0; i < l->n_cuts && l->cuts[i].at <= *line; i++)
		*line += l->cuts[i].n;
	return *line < l->from || *line >= l->end;
}

/* An item's, whose rules need not have been applied again. */
static bool is_of_item(const struct cfg_issue *i)
{
	for (enum retain_kind k = 0; k < RETAIN_COUNT; k++) {
		size_t len = strlen(retain_key(k));

		if (strncmp(i->path, retain_key(k), len) == 0 && i->path[len] == '[')
			return true;
	}
	return false;
}

static bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* But for the path, which counts the items that were read. */
static bool is_same(const struct cfg_issue *a, const struct cfg_issue *b)
{
	return a->pos.line == b->pos.line && a->pos.col == b->pos.col &&
	       strcmp(a->message, b->message) == 0 && text_same(a->hint, b->hint) &&
	       strcmp(a->file, b->file) == 0;
}

static bool is_among(const struct cfg_issues *is, const struct cfg_issue *one)
{
	for (size_t i = 0; i < is->n; i++)
		if (is_same(&is->v[i], one))
			return true;
	return false;
}

bool said_again(struct cfg_report *report, const struct cfg_issues *said,
		const struct said_lines *lines, size_t n)
{
	struct cfg_issue *v = arena_new_n(report->arena, struct cfg_issue, said->n);
	struct cfg_issue *w = arena_new_n(report->arena, struct cfg_issue, report->warnings.n);
	const struct cfg_issues before = { .v = v, .n = said->n };
	const struct cfg_issues now = { .v = w, .n = report->warnings.n };
	const struct said_lines *of;

	for (size_t i = 0; i < before.n; i++) {
		v[i] = issue_copy(report->arena, &said->v[i]);
		of = lines_of(lines, n, v[i].file);
		if (!of || !line_move(of, &v[i].pos.line))
			return false;
	}
	for (size_t i = 0; i < now.n; i++) {
		w[i] = report->warnings.v[i];
		of = lines_of(lines, n, w[i].file);
		if (!of || !line_restore(of, &w[i].pos.line) || !is_among(&before, &w[i]))
			return false;
	}
	for (size_t i = 0; i < before.n; i++)
		if (!is_of_item(&v[i]) && !is_among(&now, &v[i]))
			return false;
	report->warnings = before;
	return true;
}
