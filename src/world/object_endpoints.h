/**
 * Where a Kubernetes service is served, as one object says it: a discovery.k8s.io/v1 EndpointSlice
 * (a service may have several), or the older v1 Endpoints.
 *
 * Servable is MetalLB's rule: ready, or nothing said of being ready, or serving. So an endpoint that
 * terminates and still serves counts. Of Endpoints: the addresses that are not among the
 * notReadyAddresses.
 */
#ifndef WORLD_OBJECT_ENDPOINTS_H
#define WORLD_OBJECT_ENDPOINTS_H

#include "config/cfg.h"
#include "config/issue.h"

struct object_endpoints {
	struct arena *arena; /* owns all of it */
	const char *key;     /* "namespace/name" of the object itself */
	bool is_slice;
	const char *service;	/* the key of the service; NULL: a slice that is of none */
	struct cfg_texts nodes; /* with at least one that is servable; sorted, none twice */
	bool on_no_node;	/* one is servable that names no node */
	size_t n_endpoints;	/* servable or not */
};

/** @is: takes what is wrong. Return NULL when anything is. */
NODISCARD struct object_endpoints *object_slice_read(struct issues *is, const struct place *p);
NODISCARD struct object_endpoints *object_endpoints_read(struct issues *is, const struct place *p);
struct object_endpoints *object_endpoints_free(struct object_endpoints *e);

#endif
