/**
 * What the files behind doc.h share: where things stand in the source, what a plain scalar means,
 * and how libyaml's complaints are told to people.
 */
#ifndef BASE_DOC_PRIV_H
#define BASE_DOC_PRIV_H

#include "base/doc.h"

/**
 * A place in UTF-8 text that moves forward. libyaml counts characters, people see lines and
 * editors count bytes; walking once along with the parser keeps the whole translation linear.
 */
struct doc_cursor {
	const char *text;
	size_t len;
	size_t index;	   /* characters before this place */
	size_t at;	   /* bytes before it */
	size_t line_start; /* where its line begins */
	uint32_t line;
};

void doc_cursor_init(struct doc_cursor *c, const char *text, size_t len);
/** Move to the character number @index (or the end) and tell where that is. */
struct doc_pos doc_cursor_seek(struct doc_cursor *c, size_t index);

/** Is this UTF-8 made of characters that YAML allows? 0, or -1 with *bad filled. */
NODISCARD int doc_source_check(const char *text, size_t len, struct doc_error *bad);

/** Put '?' for what a cut has left of a character. */
void doc_text_repair(char *text);

/** How places inside a scalar's text translate to the file that holds the scalar. */
struct doc_window {
	bool exact;	      /* line by line; else everything stands at @start */
	struct doc_pos start; /* of the scalar */
	uint32_t first_line;  /* of the text, in the outer file */
	uint32_t indent;
};

struct doc_window doc_window_of(const struct doc *scalar);
struct doc_pos doc_window_out(const struct doc_window *w, struct doc_pos inner);

/**
 * Give a scalar its kind and value from its text.
 * @tag:   the resolved tag, or NULL
 * @plain: libyaml's plain_implicit: neither quoted nor tagged
 *
 * Returns 0, or -1 when the text is not what its tag says.
 */
NODISCARD int doc_scalar_resolve(struct doc *d, const char *tag, bool plain);

/** A syntax error in our words. */
struct doc_problem {
	const char *problem; /* in libyaml's */
	const char *context; /* or NULL */
	const char *input;
	size_t at;	    /* of the problem, in bytes of the input */
	uint32_t open_line; /* where the construct that it happened in begins */
	bool at_end;
};

/**
 * Write the text; returns true when it points at the construct's beginning instead of the problem.
 */
bool doc_problem_tell(const struct doc_problem *p, char *out, size_t size);

#endif
