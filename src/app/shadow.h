/**
 * `crier run --shadow`: what this node would do differently from what is in force, so that whoever
 * moves over sees no difference first. It allocates and announces nothing, takes no part in the
 * election of an allocator, and is no member of the cluster: that name is another's.
 *
 * In force are the addresses in the services' status, and who announces them as ServiceL2Status and
 * ServiceBGPStatus tell; of these, each node looks at its own. Nothing is kept up to date: whoever
 * asks gets all of it worked out anew.
 */
#ifndef APP_SHADOW_H
#define APP_SHADOW_H

#include <jansson.h>

#include "base/mem.h"

struct app;
struct shadow;

/** Needs the daemon's Kubernetes side. */
NODISCARD struct shadow *shadow_new(struct app *a);
struct shadow *shadow_free(struct shadow *s);

/**
 * [{"name", "state", "what", "in-force", "with-crier", "reason"}]; a new reference. "what" is
 * "addresses", "layer2", "bgp", "configuration", "view"; "state" is "added", "removed", "changed",
 * "refused", or "unknown" where it can't be told.
 */
NODISCARD json_t *shadow_json(struct shadow *s);

#endif
