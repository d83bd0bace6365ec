/**
 * Which services have an address: the index behind world_holders(). An address that one service has alone, as nearly all
 * of them are, costs a place in a table that points into the service's own list; what several share stands apart.
 */
#ifndef WORLD_HOLDERS_H
#define WORLD_HOLDERS_H

#include "world/world.h"

struct holders;

NODISCARD struct holders *holders_new(void);
struct holders *holders_free(struct holders *h);

/** Address @i of the service, whose list stays where it is until holders_del(). */
void holders_add(struct holders *h, const struct world_service *s, uint32_t i);
void holders_del(struct holders *h, const struct world_service *s, uint32_t i);
/** Good until the next change. */
const struct world_service *const *holders_of(const struct holders *h, const struct addr *a,
					      size_t *n);

#endif
