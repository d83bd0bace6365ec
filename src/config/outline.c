#include "config/outline.h"

#include <string.h>

/* A place in a text that moves forward by lines. */
struct lines {
	const char *at, *end;
	uint32_t line;
};

static bool lines_seek(struct lines *w, uint32_t line)
{
	while (w->line < line) {
		const char *next = memchr(w->at, '\n', (size_t)(w->end - w->at));

		if (!next)
			return false;
		w->at = next + 1;
		w->line++;
	}
	return w->line == line;
}

/* "  - " and nothing else stands before what begins at @col; the number of spaces in front. */
static bool dash_stands(const char *line, size_t col, size_t *indent)
{
	size_t dash = strspn(line, " ");

	*indent = dash;
	return dash + 1 < col && line[dash] == '-' &&
	       dash + 1 + strspn(line + dash + 1, " ") == col - 1;
}

bool outline_list(const struct doc *list, uint32_t *starts)
{
	const struct doc_file *f = list->file;
	struct lines w = { .at = f->source, .end = f->source + f->source_len, .line = 1 };
	size_t indent = 0, first = 0;

	for (size_t i = 0; i < list->n_items; i++) {
		const struct doc_pos *pos = &list->items[i]->pos;

		/* Of two items the second can't begin on the line of the first. */
		if ((i && pos->line <= list->items[i - 1]->pos.line) ||
		    !lines_seek(&w, pos->line) || !dash_stands(w.at, pos->col, &indent))
			return false;
		if (i == 0)
			first = indent;
		if (indent != first)
			return false;
		starts[i] = (uint32_t)(w.at - f->source);
	}
	return true;
}
