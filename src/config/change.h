/**
 * What a new configuration changes for services: so that a daemon with thousands of them decides
 * anew about few.
 */
#ifndef CONFIG_CHANGE_H
#define CONFIG_CHANGE_H

#include "config/cfg.h"

/** Services that say something else themselves are found by their hash. */
struct cfg_changes {
	struct arena *arena;
	bool all; /* anything may be decided otherwise, whatever the rest says */
	/* Addresses of pools that came, went, changed or are announced in another way. */
	const struct range *ranges;
	size_t n_ranges;
};

NODISCARD struct cfg_changes *cfg_changes_of(const struct cfg *from, const struct cfg *to);
struct cfg_changes *cfg_changes_free(struct cfg_changes *ch); /* takes NULL, returns NULL */

#endif
