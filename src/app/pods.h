/**
 * Members found among pods, as MetalLB does it: the addresses of those that METALLB_ML_LABELS
 * selects are joined. The list is read at start and every five minutes; who is not there is dialled
 * again by gossip itself. A node that has not read it yet does not take itself for the only one.
 */
#ifndef APP_PODS_H
#define APP_PODS_H

#include "base/err.h"

struct app;
struct pods;

/** Needs the daemon's Kubernetes side and its membership. @labels: a selector; borrowed. */
NODISCARD struct pods *pods_new(struct app *a, const char *labels);
struct pods *pods_free(struct pods *p);

/** Why the list can't be read, or NULL. Takes NULL. */
const char *pods_problem(const struct pods *p);

#endif
