/**
 * The nodes by name, in the order of their names. Our own is never absent and always alive.
 */
#ifndef WORLD_NODES_H
#define WORLD_NODES_H

#include "world/world.h"

struct nodes;

/** @me may be NULL. */
NODISCARD struct nodes *nodes_new(const char *me);
struct nodes *nodes_free(struct nodes *t);

/* Each tells whether anything is different now. */
bool nodes_set(struct nodes *t, const struct world_node *node);
bool nodes_alive(struct nodes *t, const char *name, bool alive);
bool nodes_heard(struct nodes *t, const char *name, bool heard);
bool nodes_drained(struct nodes *t, const char *name, bool drained);
bool nodes_reach(struct nodes *t, const char *name, const struct world_reach *reach);
bool nodes_del(struct nodes *t, const char *name);
/** What the configuration says of our own labels; none leaves those that nodes_set() gave. */
bool nodes_own_labels(struct nodes *t, const struct labels *labels);

const struct world_node *nodes_find(const struct nodes *t, const char *name);
const struct world_node *nodes_next(const struct nodes *t, size_t *at);

#endif
