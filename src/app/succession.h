/**
 * The ranking of a service's Layer 2 addresses as people see it: who comes first and next, and why the other live
 * nodes are not in it. Answered from the plan of each node that is asked about, as that node itself would answer.
 */
#ifndef APP_SUCCESSION_H
#define APP_SUCCESSION_H

#include <jansson.h>

#include "world/world.h"

/**
 * [{"address", "nodes": [{"node", "place", "score", "reason"}]}]: a list stands once, under the first of the addresses
 * that it is for. Who is no candidate has no place; of a large cluster the first SUCCESSION_NODES of each kind.
 */
#define SUCCESSION_NODES 16
NODISCARD json_t *succession_json(const struct world *w, const char *service); /* a new reference */

#endif
