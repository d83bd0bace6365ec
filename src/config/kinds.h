/**
 * Kubernetes objects among the documents: which of them are configuration.
 */
#ifndef CONFIG_KINDS_H
#define CONFIG_KINDS_H

#include "config/place.h"

struct loader;

/** Is the document an object, or a ConfigMap that has lost its head? */
bool kind_is_object(const struct doc *d);

/**
 * Sort an object out. A ConfigMap's configuration comes back (NULL when it holds none); everything
 * else is refused or skipped with a word.
 */
const struct doc *kind_config(struct loader *l, const struct place *p);

#endif
