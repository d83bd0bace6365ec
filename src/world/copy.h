/**
 * Deep copies of the small shapes that objects of the world are made of, into an arena.
 */
#ifndef WORLD_COPY_H
#define WORLD_COPY_H

#include "config/cfg.h"
#include "world/world.h"

/** NULL stays NULL. */
const char *copy_text(struct arena *a, const char *text);
struct labels copy_labels(struct arena *a, const struct labels *l);
struct selectors copy_selectors(struct arena *a, const struct selectors *s);
struct world_reach copy_reach(struct arena *a, const struct world_reach *r);
bool copy_reach_eq(const struct world_reach *a, const struct world_reach *b);
const struct cfg_port *copy_ports(struct arena *a, const struct cfg_port *v, size_t n);
const struct cfg_node_weight *copy_weights(struct arena *a, const struct cfg_node_weight *v,
					   size_t n);

#endif
