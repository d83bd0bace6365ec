#include <stdio.h>
#include <string.h>

#include "config/print.h"

#define SHOWN_MAX 120 /* columns of a line that are shown */

struct style {
	const char *bold, *kind, *caret, *dim, *off;
};

static const struct style plain = { "", "", "", "", "" };
static const struct style error_style = { "\033[1m", "\033[1;31m", "\033[1;32m", "\033[2m",
					  "\033[0m" };
static const struct style warning_style = { "\033[1m", "\033[1;35m", "\033[1;32m", "\033[2m",
					    "\033[0m" };
static const struct style note_style = { "\033[1m", "\033[1;36m", "\033[1;32m", "\033[2m",
					 "\033[0m" };

static void print_place(const char *file, struct doc_pos pos, struct buf *out)
{
	if (!*file)
		return;
	if (pos.line)
		buf_printf(out, "%s:%u:%u: ", file, pos.line, pos.col);
	else
		buf_printf(out, "%s: ", file);
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where to start a long line, so that the caret is in sight and no character is cut. */
static size_t window_start(const char *line, size_t caret)
{
	if (caret < SHOWN_MAX - 20)
		return 0;
	size_t start = caret - (SHOWN_MAX - 40);
	while (start && is_continuation(line[start]))
		start--;
	return start;
}

static size_t window_end(const char *line, size_t start, size_t len)
{
	size_t end = MIN(len, start + SHOWN_MAX);

	while (end < len && is_continuation(line[end]))
		end++;
	return end;
}

static void print_excerpt(const struct cfg_issue *i, const struct style *s, struct buf *out)
{
	size_t len = strlen(i->line);
	size_t caret = MIN((size_t)(i->pos.col ? i->pos.col - 1 : 0), len);
	size_t start = window_start(i->line, caret);
	size_t end = window_end(i->line, start, len);

	buf_printf(out, "%s%6u |%s %s%.*s%s\n", s->dim, i->pos.line, s->off, start ? "…" : "",
		   (int)(end - start), i->line + start, end < len ? "…" : "");
	buf_printf(out, "%s       |%s %s", s->dim, s->off, start ? " " : "");
	for (size_t at = start; at < caret; at++)
		if (!is_continuation(i->line[at]))
			buf_puts(out, i->line[at] == '\t' ? "\t" : " ");
	buf_printf(out, "%s^%s\n", s->caret, s->off);
}

static void print_issue(const struct cfg_issue *i, const char *kind, const struct style *s,
			struct buf *out)
{
	buf_puts(out, s->bold);
	print_place(i->file, i->pos, out);
	buf_printf(out, "%s%s:%s ", s->kind, kind, s->off);
	if (*i->path)
		buf_printf(out, "%s: ", i->path);
	buf_printf(out, "%s\n", i->message);
	if (i->line)
		print_excerpt(i, s, out);
	if (i->hint)
		buf_printf(out, "        hint: %s\n", i->hint);
	if (i->other.file) {
		buf_puts(out, "        the other: ");
		buf_printf(out, "%s:%u:%u\n", i->other.file, i->other.pos.line, i->other.pos.col);
	}
}

static void print_issues(const struct cfg_issues *is, const char *kind, const struct style *s,
			 struct buf *out)
{
	for (size_t i = 0; i < is->n; i++)
		print_issue(&is->v[i], kind, s, out);
}

void cfg_report_text(const struct cfg_report *r, bool colour, struct buf *out)
{
	print_issues(&r->errors, "error", colour ? &error_style : &plain, out);
	print_issues(&r->warnings, "warning", colour ? &warning_style : &plain, out);
	print_issues(&r->notes, "note", colour ? &note_style : &plain, out);
}

static json_t *issue_json(const struct cfg_issue *i)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s?}", "file", i->file, "line",
			      (json_int_t)i->pos.line, "column", (json_int_t)i->pos.col, "path",
			      i->path, "message", i->message, "hint", i->hint);

	if (i->other.file)
		json_object_set_new(o, "other",
				    json_pack("{s:s, s:I, s:I}", "file", i->other.file, "line",
					      (json_int_t)i->other.pos.line, "column",
					      (json_int_t)i->other.pos.col));
	return o;
}

static json_t *issues_json(const struct cfg_issues *is)
{
	json_t *list = json_array();

	for (size_t i = 0; i < is->n; i++)
		json_array_append_new(list, issue_json(&is->v[i]));
	return list;
}

json_t *cfg_report_json(const struct cfg_report *r, const struct cfg *c)
{
	json_t *o = json_pack("{s:b, s:o, s:o, s:o}", "valid", r->errors.n == 0, "errors",
			      issues_json(&r->errors), "warnings", issues_json(&r->warnings),
			      "notes", issues_json(&r->notes));

	if (c)
		json_object_set_new(o, "config", cfg_to_json(c, false));
	return o;
}
