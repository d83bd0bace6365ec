/**
 * Two versions of a long list mostly begin and end alike: what lies between is all that needs a
 * closer look.
 */
#ifndef CONFIG_MIDDLE_H
#define CONFIG_MIDDLE_H

#include <stdbool.h>
#include <stddef.h>

/** [first, end_from) of one, and [first, end_to) of the other. */
struct middle {
	size_t first, end_from, end_to;
};

/** @same: of one list's element @i and the other's @j. */
struct middle middle_of(size_t n_from, size_t n_to,
			bool (*same)(const void *ctx, size_t i, size_t j), const void *ctx);

#endif
