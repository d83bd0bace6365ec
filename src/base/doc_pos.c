#include <stdio.h>
#include <string.h>

#include "base/doc_priv.h"

void doc_cursor_init(struct doc_cursor *c, const char *text, size_t len)
{
	*c = (struct doc_cursor){ .text = text, .len = len, .line = 1 };
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* A line ends with LF, CR LF or CR alone. */
static bool ends_line(const char *text, size_t len, size_t at)
{
	return text[at] == '\n' || (text[at] == '\r' && (at + 1 == len || text[at + 1] != '\n'));
}

static void cursor_step(struct doc_cursor *c)
{
	if (ends_line(c->text, c->len, c->at)) {
		c->line++;
		c->line_start = c->at + 1;
	}
	c->at++;
	while (c->at < c->len && is_continuation(c->text[c->at]))
		c->at++;
	c->index++;
}

struct doc_pos doc_cursor_seek(struct doc_cursor *c, size_t index)
{
	if (index < c->index)
		doc_cursor_init(c, c->text, c->len);
	while (c->index < index && c->at < c->len)
		cursor_step(c);
	return (struct doc_pos){ .line = c->line, .col = (uint32_t)(c->at - c->line_start) + 1 };
}

/*
 * Bytes of the UTF-8 sequence at @p, or 0 when it is none (overlong forms and surrogates
 * included).
 */
static size_t utf8_next(const unsigned char *p, size_t left, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > left || p[0] > 0xf4)
		return 0;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

void doc_text_repair(char *text)
{
	uint32_t c = 0;
	size_t left = strlen(text);

	for (char *p = text; left > 0;) {
		size_t n = utf8_next((const unsigned char *)p, left, &c);

		if (n == 0) {
			*p = '?';
			n = 1;
		}
		p += n;
		left -= n;
	}
}

/* YAML's printable set (1.1, section 4.1.1). */
static bool printable(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0x7f && (c < 0x80 || c > 0x9f || c == 0x85) && c != 0xfeff && c != 0xfffe &&
	       c != 0xffff;
}

static int source_bad(const char *text, size_t at, struct doc_error *bad)
{
	struct doc_cursor c;

	/* Up to here every character is sound, so counting them is safe. */
	doc_cursor_init(&c, text, at);
	bad->pos = doc_cursor_seek(&c, SIZE_MAX);
	return -1;
}

int doc_source_check(const char *text, size_t len, struct doc_error *bad)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t n = utf8_next(p + at, len - at, &c);

		if (n == 0) {
			bool utf16 = at == 0 && len > 1 && (p[0] ^ p[1]) == 1 && p[0] >= 0xfe;

			snprintf(bad->text, sizeof(bad->text),
				 utf16 ? "this is UTF-16: save the file as UTF-8"
				       : "byte 0x%02x is not UTF-8: save the file as UTF-8",
				 p[at]);
			return source_bad(text, at, bad);
		}
		if (!printable(c)) {
			snprintf(bad->text, sizeof(bad->text),
				 "character U+%04X is not allowed in YAML: remove it, or write it "
				 "as "
				 "\"\\u%04x\" in double quotes",
				 c, c);
			return source_bad(text, at, bad);
		}
		at += n;
	}
	return 0;
}

/*
 * The line that begins at @start: its length without the end; *next is where the following one
 * begins.
 */
static size_t line_at(const char *text, size_t len, size_t start, size_t *next)
{
	size_t end = start;

	while (end < len && text[end] != '\n' && text[end] != '\r')
		end++;
	*next = end;
	while (*next < len && !ends_line(text, len, *next))
		(*next)++;
	if (*next < len)
		(*next)++;
	return end - start;
}

const char *doc_line(const struct doc_file *f, struct doc_pos pos, size_t *len)
{
	size_t start = 0;
	size_t next = 0;

	for (uint32_t line = 1; line <= pos.line; line++) {
		start = next;
		*len = line_at(f->source, f->source_len, start, &next);
	}
	if (pos.line == 0)
		*len = 0;
	return f->source + start;
}

/* An anchor or a tag may stand before the indicator of a block scalar. */
static const char *skip_properties(const char *p, const char *end)
{
	while (p < end && (*p == '&' || *p == '!')) {
		while (p < end && !strchr(" \t\r\n", *p))
			p++;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
	}
	return p;
}

/*
 * A literal block keeps the lines as they are but for the indentation. So the text's first line
 * with something on it must be the end of its line in the source, and what stands before it is the
 * indentation.
 */
static bool window_measure(const struct doc *scalar, struct doc_window *w)
{
	const struct doc_file *f = scalar->file;
	size_t inner_next = 0;
	size_t inner_start = 0;
	size_t inner_len = 0;
	size_t text_len = strlen(scalar->text);
	struct doc_pos outer = { .line = w->first_line };
	size_t outer_len = 0;

	for (; inner_next < text_len; outer.line++) {
		inner_start = inner_next;
		inner_len = line_at(scalar->text, text_len, inner_start, &inner_next);
		if (inner_len > 0)
			break;
	}
	const char *line = doc_line(f, outer, &outer_len);
	if (outer_len < inner_len ||
	    memcmp(line + outer_len - inner_len, scalar->text + inner_start, inner_len) != 0)
		return false;
	w->indent = (uint32_t)(outer_len - inner_len);
	return inner_len > 0;
}

struct doc_window doc_window_of(const struct doc *scalar)
{
	struct doc_window w = { .start = scalar->pos, .first_line = scalar->pos.line + 1 };
	size_t len = 0;
	const char *line = doc_line(scalar->file, scalar->pos, &len);
	const char *p = line + MIN(len, scalar->pos.col - 1);

	p = skip_properties(p, line + len);
	if (scalar->quoted && p < line + len && *p == '|')
		w.exact = window_measure(scalar, &w);
	return w;
}

struct doc_pos doc_window_out(const struct doc_window *w, struct doc_pos inner)
{
	if (!w->exact)
		return w->start;
	return (struct doc_pos){ .line = w->first_line + inner.line - 1,
				 .col = w->indent + inner.col };
}
