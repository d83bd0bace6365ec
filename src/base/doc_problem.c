#include <stdio.h>
#include <string.h>

#include "base/doc_priv.h"

#define TAB_TEXT "a tab indents this line, and YAML allows only spaces there: replace it by spaces"

enum {
	IF_MID_LINE = 1, /* only where something stands before it on its line */
	IF_DASH = 2,	 /* only at a '-' */
	AT_START = 4,	 /* point at the construct's beginning */
	TELL_LINE = 8,	 /* say on which line the construct begins */
};

/* What libyaml says, and what a person can do about it. The first row that fits is taken. */
static const struct saying {
	const char *problem;
	const char *context; /* part of it, or NULL */
	unsigned flags;
	const char *text;
} sayings[] = {
	{ "could not find expected ':'", NULL, AT_START,
	  "no ': ' follows this key: write 'key: value' (with a blank after the colon), or indent "
	  "the line if it belongs to the text above" },
	{ "mapping values are not allowed in this context", NULL, 0,
	  "a ': ' cannot stand here: put the value in quotes if the colon belongs to it, "
	  "or correct the indentation of this line" },
	{ "found unexpected end of stream", "quoted scalar", AT_START,
	  "the quote that opens here is never closed" },
	{ "found unexpected document indicator", "quoted scalar", AT_START,
	  "the quote that opens here is not closed before the document ends" },
	{ "did not find expected key", "block mapping", IF_MID_LINE,
	  "nothing may follow the value on this line: put the whole value in quotes" },
	{ "did not find expected key", "block mapping", IF_DASH | TELL_LINE,
	  "a list item cannot stand among the keys of a mapping: indent it under its key, "
	  "or remove the '- '" },
	{ "did not find expected key", "block mapping", TELL_LINE,
	  "this line does not fit the mapping around it: indent it like the mapping's other keys" },
	{ "did not find expected '-' indicator", NULL, IF_MID_LINE,
	  "nothing may follow the value on this line: put the whole value in quotes" },
	{ "did not find expected '-' indicator", NULL, TELL_LINE,
	  "this line does not fit the list around it: begin it with '- ', or correct its "
	  "indentation" },
	{ "did not find expected ',' or ']'", NULL, TELL_LINE,
	  "a ',' or the closing ']' of the list is missing" },
	{ "did not find expected ',' or '}'", NULL, TELL_LINE,
	  "a ',' or the closing '}' of the mapping is missing" },
	{ "block sequence entries are not allowed in this context", NULL, 0,
	  "a list item cannot begin here: put '- ' on a line of its own, indented like the list's "
	  "other items" },
	{ "mapping keys are not allowed in this context", NULL, 0,
	  "a '? ' cannot stand here: put the text in quotes" },
	{ "found a tab character", NULL, 0, TAB_TEXT },
	{ "did not find expected comment or line break", "block scalar", 0,
	  "only a comment may follow '|' or '>' on this line: begin the text on the next one" },
	{ "found unknown escape character", NULL, 0,
	  "this escape does not exist: write '\\\\' for a backslash, or use single quotes" },
	{ "did not find expected hexdecimal number", NULL, 0,
	  "hexadecimal digits are missing after '\\x', '\\u' or '\\U': use single quotes if the "
	  "backslash is meant as such" },
	{ "found invalid Unicode character escape code", NULL, 0,
	  "this escape names no character" },
	{ "did not find expected alphabetic or numeric character", NULL, AT_START,
	  "'&' and '*' begin the name of an anchor: put the text in quotes" },
	{ "found undefined tag handle", NULL, 0,
	  "'!' begins a tag, and this one is not declared: put the text in quotes" },
	{ "did not find expected tag URI", NULL, AT_START,
	  "'!' begins a tag: put the text in quotes" },
	{ "did not find expected '!'", NULL, AT_START, "'!' begins a tag: put the text in quotes" },
	{ "did not find expected <document start>", NULL, 0,
	  "the document ends before this: correct the indentation, or put '---' between "
	  "documents" },
	{ "did not find expected node content", NULL, 0, "a value is missing here" },
};

static bool says(const char *what, const char *part)
{
	return what && strstr(what, part);
}

static bool mid_line(const struct doc_problem *p)
{
	for (size_t i = p->at; i > 0; i--) {
		char c = p->input[i - 1];

		if (c == '\n' || c == '\r')
			return false;
		if (c != ' ' && c != '\t')
			return true;
	}
	return false;
}

static const struct saying *find_saying(const struct doc_problem *p)
{
	bool mid = mid_line(p);
	bool dash = !p->at_end && p->input[p->at] == '-';

	for (size_t i = 0; i < ARRAY_LEN(sayings); i++) {
		const struct saying *s = &sayings[i];

		if (says(p->problem, s->problem) && (!s->context || says(p->context, s->context)) &&
		    (!(s->flags & IF_MID_LINE) || mid) && (!(s->flags & IF_DASH) || dash))
			return s;
	}
	return NULL;
}

/* The one complaint whose remedy depends on the character that stands there. */
static void tell_start_of_token(const struct doc_problem *p, char *out, size_t size)
{
	char c = ' ';

	if (!p->at_end)
		c = p->input[p->at];
	if (c == '\t')
		snprintf(out, size, TAB_TEXT);
	else
		snprintf(out, size, "text cannot begin with '%c': put it in quotes", c);
}

bool doc_problem_tell(const struct doc_problem *p, char *out, size_t size)
{
	const struct saying *s = find_saying(p);

	if (says(p->problem, "cannot start any token")) {
		tell_start_of_token(p, out, size);
		return false;
	}
	if (!s) {
		snprintf(out, size, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
			 p->problem ? p->problem : "out of memory");
		return p->at_end && p->context;
	}
	if (s->flags & TELL_LINE)
		snprintf(out, size, "%s (it begins on line %u)", s->text, p->open_line);
	else
		snprintf(out, size, "%s", s->text);
	return (s->flags & AT_START) || (p->at_end && p->context);
}
