/**
 * JSON of the API as a document of base/doc.h, for those who read objects out of documents.
 */
#ifndef KUBE_TREE_H
#define KUBE_TREE_H

#include <jansson.h>

#include "base/doc.h"

/**
 * @name:  what messages call it; borrowed
 * @arena: where the document lives; the texts are @json's
 * Returns NULL when it is nested too deep.
 */
NODISCARD const struct doc *kube_tree(const json_t *json, const char *name, struct arena *arena);

#endif
