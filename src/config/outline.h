/**
 * Where the items of a list begin in the text that it was read from, so that a part of them can be
 * left out of it.
 */
#ifndef CONFIG_OUTLINE_H
#define CONFIG_OUTLINE_H

#include "base/doc.h"

/**
 * The offset of each item's line into starts[0 … list->n_items). Only of lists in YAML's block
 * style whose items begin on the line of their dash, which has nothing but spaces before it: false
 * for any other. Lines end with LF.
 */
bool outline_list(const struct doc *list, uint32_t *starts);

#endif
