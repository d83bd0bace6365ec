/**
 * `node-selectors` and `service-selectors`: lists of {match-labels, match-expressions}, and the same
 * in Kubernetes' spelling.
 */
#ifndef CONFIG_SELECTOR_H
#define CONFIG_SELECTOR_H

#include "config/schema.h"

/** One selector. */
bool selector_load(struct loader *l, const struct place *p, const struct level *level,
		   struct selector *out);
/**
 * A list of selectors; false when any was refused.
 * @level: level_selector or level_label_selector
 */
bool selectors_load(struct loader *l, const struct place *p, const struct level *level,
		    struct selectors *out);

#endif
