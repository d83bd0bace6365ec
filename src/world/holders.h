/**
 * Which services have an address: the index behind world_holders().
 */
#ifndef WORLD_HOLDERS_H
#define WORLD_HOLDERS_H

#include "world/world.h"

struct holders;

NODISCARD struct holders *holders_new(void);
struct holders *holders_free(struct holders *h);

void holders_add(struct holders *h, const struct addr *a, const struct world_service *s);
void holders_del(struct holders *h, const struct addr *a, const struct world_service *s);
const struct world_service *const *holders_of(const struct holders *h, const struct addr *a,
					      size_t *n);

#endif
