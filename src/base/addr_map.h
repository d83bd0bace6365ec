/**
 * Records by address, where there are very many: a record begins with its struct addr and stays its owner's; the map
 * keeps nothing but a pointer to it, which is a fifth of what a struct map needs for a key like that.
 */
#ifndef BASE_ADDR_MAP_H
#define BASE_ADDR_MAP_H

#include "base/addr.h"
#include "base/mem.h"

struct addr_map;

NODISCARD struct addr_map *addr_map_new(void);
struct addr_map *addr_map_free(struct addr_map *m); /* the records stay; takes NULL, returns NULL */

size_t addr_map_len(const struct addr_map *m);
/** The record of an address, or NULL. */
void *addr_map_get(const struct addr_map *m, const struct addr *a);
/** Put a record in; its address is in no other that is there. */
void addr_map_put(struct addr_map *m, void *record);
/** Take out the record of an address; NULL: there is none. */
void *addr_map_del(struct addr_map *m, const struct addr *a);

/**
 * Walk, in any order: start with *at = 0; NULL at the end. Nothing may be put in meanwhile. The record lent last may be
 * taken out; then subtract one from *at. Others may be lent a second time after that.
 */
void *addr_map_next(const struct addr_map *m, size_t *at);

#endif
