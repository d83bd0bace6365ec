/**
 * What this node says of each service, and since when: the events serviceAnnounced and serviceWithdrawn, the
 * metric, and the items of `crier get services`.
 */
#ifndef APP_SERVICES_H
#define APP_SERVICES_H

#include <jansson.h>

#include "app/planner.h"
#include "base/map.h"
#include "base/metric.h"

struct app;
/** Of a service with very many addresses, log and events name so many: they are kept for a while. */
enum { SERVICES_LOGGED_ADDRESSES = 16 };

struct services;

NODISCARD struct services *services_new(struct app *a);
struct services *services_free(struct services *s);

/** A decision about a service was made, or taken back (NULL). */
void services_decided(struct services *s, const char *service, const struct plan *plan);

/** Layer 2 took or lost an address: layer2_owns() tells which. */
void services_owner(struct services *s, const struct addr *addr);

NODISCARD json_t *services_json(const struct services *s);
void services_collect(const struct services *s, struct metric_writer *w);

/** How many are announced from here, how many there are, and how many have no address. */
struct services_count {
	size_t total, announced, without_address;
};
struct services_count services_count(const struct services *s);

/** l2: {preempt: …} may have changed: say again, or no more, what this node has. */
void services_hold(struct services *s);

#endif
