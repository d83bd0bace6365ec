/**
 * Small helpers for the items that `get` shows: kebab-case fields, the unit in the name, nothing where there is
 * nothing to say.
 */
#ifndef APP_JSON_H
#define APP_JSON_H

#include <jansson.h>

#include "base/labels.h"
#include "base/time.h"

/** {"name", "state", "since"}; @since of zero or never is left out. A new reference. */
NODISCARD json_t *json_item(const char *name, const char *state, struct mono since);

void json_set_u64(json_t *o, const char *key, uint64_t v);
/** Left out when @text is NULL or "". */
void json_set_text(json_t *o, const char *key, const char *text);

NODISCARD json_t *json_labels(const struct labels *l); /* a new reference */

/** @text in lower case into @buf; returns @buf. */
const char *json_lower(const char *text, char *buf, size_t cap);

/** RFC 3339 text of an instant, as long as the enclosing block lives. */
#define JSON_TIME(t) wall_text_of((t), (char[WALL_TEXT_MAX]){ 0 })

#endif
