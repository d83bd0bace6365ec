/**
 * What the objects of a configuration point to: texts, lists of addresses, selectors. An object
 * that a reload leaves as it is goes over into the next configuration by value, so what it points
 * to belongs to both, and ends with the last of them.
 *
 * A stock is an arena and, below it, the stocks of the configurations that it was made from. A list
 * of objects that no reload has touched belongs to several configurations in the same way.
 */
#ifndef CONFIG_STOCK_H
#define CONFIG_STOCK_H

#include <stdbool.h>

#include "base/mem.h"

struct stock;

/** One that keeps @older, and all below that, as long as it lives; NULL: there is none. */
NODISCARD struct stock *stock_new(struct stock *older);
/** One for a list of objects, which is mostly short. */
NODISCARD struct stock *stock_new_list(void);
/** One more configuration uses it; the same pointer. */
NODISCARD struct stock *stock_share(struct stock *s);
/** The end of one configuration's use of it. Takes NULL, returns NULL. */
struct stock *stock_free(struct stock *s);

struct arena *stock_arena(struct stock *s);

/**
 * Has so much been laid on the lowest one that the whole is due to be made anew? What objects that
 * are gone pointed to is in there.
 */
bool stock_is_worn(const struct stock *s);

#endif
