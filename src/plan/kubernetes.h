/**
 * What the allocator is told of a Kubernetes service of the world: the object, its namespace's
 * labels, and the configuration's word.
 */
#ifndef PLAN_KUBERNETES_H
#define PLAN_KUBERNETES_H

#include "alloc/converge.h"
#include "world/world.h"

/**
 * The service as converge_run() takes it, borrowing from the world; the texts of its status too.
 * @scratch: what is made for it lives here
 */
struct converge_service kubernetes_request(const struct world *w, const struct world_service *s,
					   struct arena *scratch);

/**
 * All that are ours to look after (plan_handles), as an allocator that knows nothing yet has to take
 * them (converge_order). In @scratch, as the array is.
 */
NODISCARD const struct converge_service **kubernetes_requests(const struct world *w,
							      struct arena *scratch, size_t *n);

/**
 * Tell an allocator which namespaces there are. True: for some pool that makes a difference to what it
 * knew.
 */
bool kubernetes_tell_namespaces(const struct world *w, struct alloc *a);

/** Let an allocator that knows nothing yet know what the services' statuses say. */
void kubernetes_claims(const struct world *w, struct alloc *a);

/** How many addresses of a pool stand in statuses: addresses, not services. */
struct kubernetes_used {
	uint64_t v4, v6;
};
/** @out: for each pool of @c; what is there is added to. Takes no allocator. */
void kubernetes_count(const struct world *w, const struct cfg *c, struct kubernetes_used *out);

/**
 * A service that no API server has seen has no cluster IPs yet: let it have those of the families
 * that such a server would choose, where the cluster has both. These are the ones that it names; or
 * both, where its policy has room for them; or that of the addresses which it has or asks for; or
 * that of the pools, IPv4 first.
 */
void kubernetes_fill(struct converge_service *s, const struct world_service *from,
		     const struct cfg *c, struct arena *scratch);

#endif
