/**
 * Names for resources: what Kubernetes takes, each once for a kind.
 */
#ifndef CONFIG_CONVERT_NAMES_H
#define CONFIG_CONVERT_NAMES_H

#include <jansson.h>

#include "config/convert.h"

/** Of one kind. */
struct convert_names {
	const char *noun; /* "pool": for messages */
	struct arena *arena;
	struct map *of;	   /* what it was called -> what it is called */
	struct map *taken; /* by whom, as it was called */
};

struct convert_names convert_names_new(const char *noun, struct arena *arena);
void convert_names_fini(struct convert_names *n);

/**
 * The name that MetalLB's converter makes of it: lower case, '-' for '_', from the first letter on,
 * at most 63 characters; one that follows its rules by itself stays.
 * @is_name: it is a resource's name already
 *
 * -ERR_CONFIG when it is still none, or another one's.
 */
NODISCARD int convert_name_take(struct convert_names *n, const char *name, bool is_name,
				const char **out, struct err *e);

/** "stem1", "stem2", …: number @i, or the next to it that is free. */
const char *convert_name_number(struct convert_names *n, const char *name, const char *stem,
				size_t i);

/** The new name of a thing; of one that is not there, the old one. */
const char *convert_name_of(const struct convert_names *n, const char *name);

/** Every text of a list that is such a name, renamed in place; a name that stands twice is left out. */
void convert_names_in(const struct convert_names *n, json_t *list);

#endif
