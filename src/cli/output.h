/**
 * How answers look: tables for people, JSON and YAML for programs. Both walk the same JSON value.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

enum cli_format { CLI_TABLE, CLI_WIDE, CLI_JSON, CLI_YAML, CLI_TEXT };

/** Parse a -o word out of the set that a command @allows (bits 1 << format); 0 or -1. */
int cli_format_parse(const char *text, unsigned allows, enum cli_format *out);

/** Standard output is a terminal that shows colours (and NO_COLOR is not set). */
bool cli_colour(void);

void cli_print_json(const json_t *value); /* indented, a newline at the end */
void cli_print_yaml(const json_t *value);
/** One YAML document, appended to @out. */
void cli_yaml(const json_t *value, struct buf *out);

/** An event's key that not every event has. */
bool cli_event_detail(const char *key);

/** A column shows one field of each item; dots reach into objects. */
struct cli_column {
	const char *title;
	const char *field;
	bool wide; /* only with -o wide */
};

/** Aligned columns; "-" where a field is missing; lists joined by commas; says "none" when there is nothing. */
void cli_print_table(const json_t *items, const struct cli_column *columns, size_t n, bool wide);

#endif
