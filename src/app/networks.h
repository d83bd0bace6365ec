/**
 * `networks` of the configuration: prefixes that are announced by BGP without a service, each only while this node is
 * one of its nodes and its health check passes. What a service announces goes before; what is announced by hand
 * stands behind.
 */
#ifndef APP_NETWORKS_H
#define APP_NETWORKS_H

#include <jansson.h>

#include "config/cfg.h"

struct app;
struct networks;

NODISCARD struct networks *networks_new(struct app *a);
struct networks *networks_free(struct networks *n); /* takes NULL, returns NULL */

/**
 * A configuration is in force, after @before (NULL: none): what it does not change goes on. Fails only when a health check cannot be made; such
 * a network stays silent.
 */
NODISCARD int networks_apply(struct networks *n, const struct cfg *before, const struct cfg *c,
			     struct err *e);
/** This node's labels have changed. */
void networks_settle(struct networks *n);
/** What services announce of a prefix has changed. */
void networks_route(struct networks *n, const struct prefix *p);
/** A health check's verdict; false when the check is none of a network. */
bool networks_health(struct networks *n, const char *check, bool healthy, const char *reason);

/** For people: an array of items, a new reference. */
NODISCARD json_t *networks_json(const struct networks *n);

#endif
