/**
 * A hash map from text or bytes to a pointer. Keys are copied; values are the caller's. Hashing has
 * a random seed for each map, so that keys which a peer chooses cannot be made to pile up.
 *
 * Walking order is the order of insertion, so output is stable.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>

#include "base/mem.h"

struct map; /* opaque; grows, never shrinks its index */

NODISCARD struct map *map_new(void);
struct map *map_free(struct map *m); /* the values are not touched; takes NULL, returns NULL */
void map_freep(struct map **m);

size_t map_len(const struct map *m);

void *map_get(const struct map *m, const char *key); /* NULL when absent */
/** Insert or replace; @value is not NULL. Returns the value that was there, or NULL. */
void *map_put(struct map *m, const char *key, void *value);
/** Returns the value that was there, or NULL. */
void *map_del(struct map *m, const char *key);

/* The same with keys of any bytes. */
void *map_get_bytes(const struct map *m, const void *key, size_t len);
void *map_put_bytes(struct map *m, const void *key, size_t len, void *value);
void *map_del_bytes(struct map *m, const void *key, size_t len);

/** Walk: start with *at = 0; false at the end. The current entry may be deleted; @key may be NULL. */
bool map_next(const struct map *m, size_t *at, const char **key, void **value);

#define MAP_EACH(m, key, value) MAP_EACH_(m, key, value, UNIQUE_NAME(at_))
#define MAP_EACH_(m, key, value, at) \
	for (size_t at = 0; map_next((m), &at, &(key), (void **)&(value));)

/** Free every value with @free_value and empty the map. */
void map_clear(struct map *m, void (*free_value)(void *));

#endif
