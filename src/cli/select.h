/**
 * Which services `crier get` shows: kubectl's -n, -A and -l.
 */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include <jansson.h>

#include "base/labels.h"
#include "base/mem.h"

/** Zero-initialised: all of them, under their full names. */
struct cli_selection {
	const char *namespace;	/* of this one only; NULL: of any */
	bool all;		/* of any, and say which */
	struct selector labels; /* must match; zero-initialised: no matter */
};

/**
 * Parse a selector as kubectl takes it: "a=b,c!=d,e in (f, g),h notin (i),j,!k"; "==" is "=".
 * @text: borrowed by what comes out, as @a is
 */
NODISCARD int cli_selector_parse(const char *text, struct arena *a, struct selector *out,
				 struct err *e);

/** Take out what is not selected. */
void cli_select(const struct cli_selection *s, json_t *items);

/** For tables: "namespace/name" becomes two fields. */
void cli_split_names(json_t *items);

#endif
