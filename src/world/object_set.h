/**
 * The objects of a set of files, gathered while these are loaded (config/load.h, struct cfg_sink)
 * and then moved into a world: Services, Endpoints, EndpointSlices, Nodes and Namespaces.
 *
 * One name may stand once for each kind (and namespace).
 */
#ifndef WORLD_OBJECT_SET_H
#define WORLD_OBJECT_SET_H

#include "config/load.h"
#include "world/world.h"

struct object_set;

NODISCARD struct object_set *object_set_new(void);
struct object_set *object_set_free(struct object_set *s);
void object_set_freep(struct object_set **s);

/** To load with; what is wrong with an object is an error of the load. */
struct cfg_sink object_set_sink(struct object_set *s);

/**
 * Move everything into @w, in the order of the files. Nodes are not alive yet; each namespace that
 * a service is in is known afterwards, and so are its labels as far as they go without saying.
 */
void object_set_move(struct object_set *s, struct world *w);

#endif
