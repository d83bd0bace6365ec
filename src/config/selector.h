/**
 * `node-selectors` and `service-selectors`: lists of {match-labels, match-expressions}.
 */
#ifndef CONFIG_SELECTOR_H
#define CONFIG_SELECTOR_H

#include "config/schema.h"

/** A list of selectors; false when any was refused. */
bool selectors_load(struct loader *l, const struct place *p, struct selectors *out);

#endif
