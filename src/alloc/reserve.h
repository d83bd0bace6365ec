/**
 * For whom a pool is kept (serviceAllocation of IPAddressPool).
 */
#ifndef ALLOC_RESERVE_H
#define ALLOC_RESERVE_H

#include "alloc/alloc.h"

/**
 * May the service have addresses of a pool that is so reserved, if it asks for them?
 * @v: NULL: the pool is for everybody
 * @selected: there is a namespace that the pool's selectors match
 */
bool reserve_allows(const struct cfg_reservation *v, bool selected, const struct alloc_request *r);

/** May it be given some, of a pool with a reservation, without having asked? */
bool reserve_offers(const struct cfg_reservation *v, bool selected, const struct alloc_request *r);

#endif
