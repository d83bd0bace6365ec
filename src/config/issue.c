#include "config/issue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_SHOWN 1000 /* longer lines are not shown: nobody wrote them by hand */

void issues_init(struct issues *is)
{
	*is = (struct issues){ .arena = arena_new(), .order = map_new() };
}

void issues_file(struct issues *is, const char *name)
{
	if (!map_get(is->order, name))
		map_put(is->order, name, (void *)(uintptr_t)(map_len(is->order) + 1));
}

static size_t issues_order(const struct issues *is, const char *name)
{
	return (uintptr_t)map_get(is->order, name);
}

bool issues_before(const struct issues *is, const struct doc *a, const struct doc *b)
{
	size_t x = issues_order(is, a->file->name), y = issues_order(is, b->file->name);

	if (x != y)
		return x < y;
	return a->pos.line != b->pos.line ? a->pos.line < b->pos.line : a->pos.col < b->pos.col;
}

/* The length of the UTF-8 character at @s, 0 when it is none, or a control character that a
 * terminal would obey. */
static size_t utf8_len(const char *s, size_t left)
{
	unsigned char c = (unsigned char)s[0];
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0x20 || c == 0x7f)
		return c == '\t' ? 1 : 0;
	if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	unsigned char second = n > 1 ? (unsigned char)s[1] : 0;
	if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
	    (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f) ||
	    (c == 0xc2 && second < 0xa0))
		return 0;
	return n;
}

/* Whatever stood in a file, reports are clean text; bytes are replaced one for one, so that
 * columns stay. */
static char *clean(struct arena *arena, const char *s, size_t n)
{
	char *out = arena_zero(arena, n + 1, 1);

	if (n)
		memcpy(out, s, n);
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(s + i, n - i);

		if (!len)
			out[i] = '?';
		i += len ? len : 1;
	}
	return out;
}

/* A whole key, quoted or not: not the end of "passwordSecret". */
static char *find_key(char *line, char *at, const char *key)
{
	while ((at = strcasestr(at, key)) && at > line && isalnum((unsigned char)at[-1]))
		at++;
	return at;
}

/* Behind a quoted text: two quotes, or a backslash, make one that belongs to it. */
static char *quoted_end(char *at)
{
	char quote = *at++;

	for (; *at; at++) {
		bool pair = quote == '"' ? *at == '\\' : *at == quote && at[1] == quote;

		if (pair && at[1])
			at++;
		else if (*at == quote)
			return at;
	}
	return at;
}

/*
 * Where the value at @at ends, as far as this line can tell. Bare, it may hold commas, braces and # outside of a flow
 * {a: b, c: d}; whatever follows it is rather hidden than shown.
 */
static char *value_end(const char *line, char *at)
{
	if (*at == '"' || *at == '\'')
		return quoted_end(at);
	return at + (strcspn(line, "{[") < (size_t)(at - line) ? strcspn(at, ",}") : strlen(at));
}

static void hide_values(char *line, const char *key)
{
	for (char *at = line; (at = find_key(line, at, key));) {
		at += strlen(key);
		at += strspn(at, "\"' \t");
		if (*at != ':')
			continue;
		at += 1 + strspn(at + 1, " \t");
		const char *end = value_end(line, at);

		for (at += *at == '"' || *at == '\''; at < end; at++)
			if (*at != ' ')
				*at = '*';
	}
}

/*
 * scheme://user:password@host, well-formed or not: a URL that is refused may have a slash in its password, so what looks
 * like one may be hidden too much.
 */
static void hide_in_urls(char *text)
{
	for (char *at = text; (at = strstr(at, "://"));) {
		at += 3;
		size_t len = strcspn(at, " \t\"'");
		char *host = memrchr(at, '@', len);

		for (; host && at < host; at++)
			*at = '*';
	}
}

/* Secrets do not travel with the line that they stand in, whatever the line is shown for. */
static void hide_secrets(char *line)
{
	hide_values(line, "password");
	hide_values(line, "secret");
	hide_in_urls(line);
}

static const char *issue_line(struct issues *is, const struct doc_file *f, struct doc_pos pos)
{
	size_t len = 0;
	const char *at = f && pos.line ? doc_line(f, pos, &len) : NULL;

	if (!at || !len || len > LINE_MAX_SHOWN)
		return NULL;
	char *line = clean(is->arena, at, len);
	hide_secrets(line);
	return line;
}

static struct issue *issue_new(struct issues *is, enum issue_kind kind)
{
	if (++is->count[kind] > ISSUE_MAX)
		return &is->spill;
	mem_grow(is->v, is->n, is->cap);
	struct issue *i = &is->v[is->n];
	*i = (struct issue){ .kind = kind, .seq = is->n };
	is->n++;
	return i;
}

struct issue *issue_at(struct issues *is, enum issue_kind kind, const struct doc_file *file,
		       struct doc_pos pos, const char *path, const char *hint, const char *message)
{
	struct issue *i = issue_new(is, kind);

	if (i == &is->spill)
		return i;
	const char *name = file ? file->name : "";
	char *said = clean(is->arena, message, strlen(message));
	hide_in_urls(said);
	i->order = issues_order(is, name);
	i->c = (struct cfg_issue){
		.file = clean(is->arena, name, strlen(name)),
		.pos = pos,
		.path = clean(is->arena, path, strlen(path)),
		.message = said,
		.hint = hint,
		.line = issue_line(is, file, pos),
	};
	return i;
}

struct issue *issue_add(struct issues *is, enum issue_kind kind, const struct place *p,
			const char *hint, const char *fmt, ...)
{
	const char *object = place_object(p);
	struct buf path = { 0 };
	char message[ERR_TEXT_MAX];
	size_t len = 0;
	va_list ap;

	if (object)
		len = (size_t)snprintf(message, sizeof(message), "%.150s: ", object);
	va_start(ap, fmt);
	vsnprintf(message + len, sizeof(message) - len, fmt, ap);
	va_end(ap);
	place_path(p, &path);
	struct issue *i =
		issue_at(is, kind, p->at->file, p->at->pos, buf_text(&path), hint, message);
	buf_fini(&path);
	return i;
}

void issue_other(struct issues *is, struct issue *i, const struct doc *other)
{
	if (i == &is->spill)
		return;
	i->c.other.file = clean(is->arena, other->file->name, strlen(other->file->name));
	i->c.other.pos = other->pos;
}

const char *issues_text(struct issues *is, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (is->count[ISSUE_ERROR] >= ISSUE_MAX) /* nobody will read it */
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return clean(is->arena, text, strlen(text));
}

static int issue_cmp(const void *x, const void *y)
{
	const struct issue *a = x, *b = y;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->c.pos.line != b->c.pos.line)
		return a->c.pos.line < b->c.pos.line ? -1 : 1;
	if (a->c.pos.col != b->c.pos.col)
		return a->c.pos.col < b->c.pos.col ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static struct cfg_issues issues_of(const struct issues *is, enum issue_kind kind)
{
	size_t n = MIN(is->count[kind], ISSUE_MAX);
	size_t dropped = is->count[kind] - n;
	struct cfg_issue *v = arena_new_n(is->arena, struct cfg_issue, n + 1);
	size_t at = 0;

	for (size_t i = 0; i < is->n; i++)
		if (is->v[i].kind == kind)
			v[at++] = is->v[i].c;
	if (dropped)
		v[at++] = (struct cfg_issue){
			.file = "",
			.path = "",
			.message = arena_printf(is->arena, "%zu more are not shown", dropped),
		};
	return (struct cfg_issues){ .v = v, .n = at };
}

void issues_finish(struct issues *is, struct cfg_report *report)
{
	if (is->n)
		qsort(is->v, is->n, sizeof(*is->v), issue_cmp);
	*report = (struct cfg_report){
		.errors = issues_of(is, ISSUE_ERROR),
		.warnings = issues_of(is, ISSUE_WARNING),
		.notes = issues_of(is, ISSUE_NOTE),
		.arena = is->arena,
	};
	free(is->v);
	map_free(is->order);
	*is = (struct issues){ 0 };
}

void cfg_report_fini(struct cfg_report *r)
{
	arena_free(r->arena);
	*r = (struct cfg_report){ 0 };
}
