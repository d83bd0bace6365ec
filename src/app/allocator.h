/**
 * The allocator of a Kubernetes cluster: one node at a time, by a Lease, brings each service to the
 * addresses that it should hold (alloc/converge.h) and writes them into its status, with MetalLB's
 * events and annotations.
 *
 * A service's status is the only memory. No two services that may not share an address get it,
 * whatever fails in between: an address that one gives up is given to another only when the API
 * shows that it is gone, and one whose write was not answered stays with its service until the API
 * has moved on.
 */
#ifndef APP_ALLOCATOR_H
#define APP_ALLOCATOR_H

#include <jansson.h>

#include "base/metric.h"
#include "world/world.h"

struct app;
struct allocator;

/** Needs the daemon's Kubernetes side. */
NODISCARD struct allocator *allocator_new(struct app *a);
struct allocator *allocator_free(struct allocator *al);

/** The world has changed (world_on_change's words). Takes NULL. */
void allocator_touch(struct allocator *al, enum world_change what, const char *name);
/** A configuration of the API is in force. Takes NULL. */
void allocator_configured(struct allocator *al);

/**
 * Stop, and let another node go on at once; @done is called in any case, also where @al is NULL.
 */
void allocator_leave(struct allocator *al, void (*done)(void *ctx), void *ctx);

/** Does this node allocate now? Takes NULL. */
bool allocator_leads(const struct allocator *al);
/** Why a service has no address, as far as this node knows, or NULL. Takes NULL. */
const char *allocator_refusal(const struct allocator *al, const char *service);
/** Another hand that writes addresses was noticed: what to say of it, or NULL. */
const char *allocator_problem(const struct allocator *al);
/** {"leads", "holder", "pending"}, or NULL; a new reference. */
NODISCARD json_t *allocator_json(const struct allocator *al);
void allocator_collect(const struct allocator *al, struct metric_writer *w);

#endif
