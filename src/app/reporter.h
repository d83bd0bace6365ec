/**
 * What this node tells the cluster about itself: a nodeAssigned event for each service that it
 * begins to announce, ServiceL2Status and ServiceBGPStatus, and the ConfigurationState; objects
 * that MetalLB's tools know. They belong to this node's pod (METALLB_POD_NAME), else to its Node,
 * and go with it; what an earlier daemon left is removed.
 */
#ifndef APP_REPORTER_H
#define APP_REPORTER_H

#include "base/err.h"
#include "plan/plan.h"

struct app;
struct reporter;

/** Needs the daemon's Kubernetes side. */
NODISCARD struct reporter *reporter_new(struct app *a);
struct reporter *reporter_free(struct reporter *r);

/** What is announced of a service from here now. @plan may be NULL: nothing. Takes NULL. */
void reporter_service(struct reporter *r, const char *service, bool l2, bool bgp,
		      const struct plan *plan);
/** Everything is planned: what nobody reported by now is not so. Takes NULL. */
void reporter_settled(struct reporter *r);
/** A configuration of the API came into force (NULL), or was refused. Takes NULL. */
void reporter_config(struct reporter *r, const struct err *refused);

#endif
