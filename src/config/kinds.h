/**
 * Kubernetes objects among the documents: which of them are configuration, which go to whoever asked
 * for them (load.h, struct cfg_sink), and which are none of our business.
 *
 * A List, and a list of one kind (IPAddressPoolList), is its items.
 */
#ifndef CONFIG_KINDS_H
#define CONFIG_KINDS_H

#include "config/place.h"

struct loader;

/** Is the document an object, or a ConfigMap that has lost its head? */
bool kind_is_object(const struct doc *d);

/** Load an object, or refuse or skip it with a word. @p must last as long as the load. */
void kind_load(struct loader *l, const struct place *p);

#endif
