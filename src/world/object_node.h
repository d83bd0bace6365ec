/**
 * A v1 Node and a v1 Namespace: their labels, and what makes a node unfit to announce.
 */
#ifndef WORLD_OBJECT_NODE_H
#define WORLD_OBJECT_NODE_H

#include "config/issue.h"
#include "world/world.h"

/**
 * @arena: takes the texts of *out
 * @out:   not alive: a Node object does not say who is a live member
 *
 * False when anything is wrong; @is has it.
 */
NODISCARD bool object_node_read(struct issues *is, const struct place *p, struct arena *arena,
				struct world_node *out);

struct object_namespace {
	const char *name;
	struct labels
		labels; /* always with kubernetes.io/metadata.name, as an API server sees to */
};

NODISCARD bool object_namespace_read(struct issues *is, const struct place *p, struct arena *arena,
				     struct object_namespace *out);
/** A namespace of which nothing else is known; only @name is kept, borrowed. */
struct object_namespace object_namespace_bare(const char *name, struct arena *arena);

#endif
