/**
 * A configuration and its problems, in the forms that people and programs read.
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include <jansson.h>

#include "base/buf.h"
#include "config/load.h"

/** `file:line:col: error: message`, the line, a caret, the hint; for every issue. */
void cfg_report_text(const struct cfg_report *r, bool colour, struct buf *out);

/** The contract's object of `crier check -o json`; @c may be NULL (invalid). A new reference. */
NODISCARD json_t *cfg_report_json(const struct cfg_report *r, const struct cfg *c);

/**
 * The configuration with every default filled in, as a document in our own format: loading it again
 * gives the same configuration. With @secrets false passwords read "(hidden)", in URLs too: only such
 * text may leave the process.
 */
NODISCARD json_t *cfg_to_json(const struct cfg *c, bool secrets);

/**
 * Every key that a document may hold, with type, default and meaning, as Markdown:
 * docs/configuration.md.
 */
void cfg_reference(struct buf *out);

#endif
