/**
 * One neutral tree for YAML and JSON, with the position of every node, so that every error can
 * point.
 *
 * Scalars are resolved as go-yaml v2 does (the parser whose users we have): YAML 1.1 booleans,
 * decimal, 0x, 0o, leading-0 octal, 0b, underscores, floats, null; no base-60 numbers. `text`
 * keeps the source text, so a bare number can still be read where text is wanted. Anchors, aliases
 * and merge keys are resolved; a duplicate key, an alias that would explode and nesting without
 * end are errors. libyaml and jansson stand behind this door.
 */
#ifndef BASE_DOC_H
#define BASE_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum doc_kind { DOC_NULL, DOC_BOOL, DOC_INT, DOC_FLOAT, DOC_STRING, DOC_LIST, DOC_MAP };

/** Lines and columns count from 1; columns are bytes. */
struct doc_pos {
	uint32_t line;
	uint32_t col;
};

struct doc_pair;

struct doc {
	enum doc_kind kind;
	bool quoted;   /* a scalar that was written in quotes or as a block */
	bool negative; /* DOC_INT: value is -integer */
	struct doc_pos pos;
	const struct doc_file *file;
	const char *text; /* scalars: as written, without quotes */
	union {
		bool boolean;
		uint64_t integer; /* magnitude */
		double real;
		struct {
			const struct doc *const *items;
			size_t n_items;
		};
		struct {
			const struct doc_pair *pairs; /* in order of writing; merged ones last */
			size_t n_pairs;
		};
	};
};

struct doc_pair {
	const struct doc *key; /* always a scalar; its text is the key */
	const struct doc *value;
};

/** What one file, or one document inside a string of another, came from. Owns all its nodes. */
struct doc_file {
	const char *name; /* as the user gave it; "-" is standard input */
	const char
		*source; /* the whole text, to show lines; a nested document has the outer file's */
	size_t source_len;
	const struct doc **docs; /* one for each document of the stream; never NULL inside */
	size_t n_docs;
	size_t n_nodes;	  /* after aliases are followed, as in the limits */
	bool has_anchors; /* anchors or aliases stand in it */
	struct arena *arena;
};

struct doc_limits {
	size_t max_bytes; /* of input; 0: 64 MiB */
	size_t max_depth; /* 0: 100 */
	size_t max_nodes; /* after aliases are followed; 0: 4,000,000 */
};

/** Where a syntax error stands. */
struct doc_error {
	struct doc_pos pos;
	char text[256];	      /* without the position */
	struct doc_pos other; /* a duplicate key's first place; line 0 when there is none */
};

/**
 * Parse YAML (JSON is a subset of it) from memory. @text is copied.
 * Returns 0, or -ERR_CONFIG with *bad filled (the first syntax error: YAML cannot go on after one).
 */
NODISCARD int doc_parse(const char *name, const char *text, size_t len,
			const struct doc_limits *limits, struct doc_file **out,
			struct doc_error *bad);

/**
 * Parse a document that stands inside a scalar of another (a ConfigMap's data). Positions are
 * those of the outer file where the scalar is a literal block, so that a caret lands on the line
 * that the user sees; otherwise they are of the scalar's start. Name and source are those of the
 * outer file, which must live as long as this one.
 */
NODISCARD int doc_parse_nested(const struct doc *scalar, const struct doc_limits *limits,
			       struct doc_file **out, struct doc_error *bad);

struct doc_file *doc_file_free(struct doc_file *f); /* takes NULL, returns NULL */
void doc_file_freep(struct doc_file **f);

/**
 * The value of a key, or NULL; @d may be NULL or not a map (then NULL). A null value counts as
 * absent.
 */
const struct doc *doc_get(const struct doc *d, const char *key);
/** The text of a scalar under a key, or NULL. */
const char *doc_get_text(const struct doc *d, const char *key);
const char *doc_kind_name(enum doc_kind kind); /* "a list", "a mapping", "text", … for messages */

/** The line of the source that holds @pos, without its end; *len is its length. */
const char *doc_line(const struct doc_file *f, struct doc_pos pos, size_t *len);

/** As JSON, a new reference. */
NODISCARD json_t *doc_to_json(const struct doc *d);

#endif
