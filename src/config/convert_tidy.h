/**
 * A printed configuration, in the words of a person: without what is a default, with
 * match-labels where an expression says no more, and nothing twice.
 */
#ifndef CONFIG_CONVERT_TIDY_H
#define CONFIG_CONVERT_TIDY_H

#include <jansson.h>

#include "config/schema.h"

/** Drop the members of @o that say what @level does by itself, and empty lists. */
void convert_tidy(json_t *o, const struct level *level);

/** How a format spells the two halves of a selector. */
struct convert_words {
	const char *labels;
	const char *expressions;
};

/** @list has selectors as tree_selector() makes them; a new reference. */
json_t *convert_selectors(const json_t *list, const struct convert_words *words);
json_t *convert_selector(const json_t *selector, const struct convert_words *words);

/** Every selector of @o, at any depth, in our own document's words. */
void convert_selectors_of(json_t *o);

#endif
