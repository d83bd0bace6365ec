/**
 * Addresses of standalone services: the table of allocations on disk and among the members (design: the higher
 * epoch wins, then the lower node name), and what it gives to each service of the world.
 *
 * Until allocation_ready() nothing is given that neither the table nor a person has chosen.
 */
#ifndef APP_ALLOCATION_H
#define APP_ALLOCATION_H

#include <jansson.h>

#include "base/loop.h"
#include "base/metric.h"
#include "world/world.h"

struct allocation;

struct allocation_hooks {
	void *ctx;
	/** Entries that changed here: the others should hear of them. */
	void (*changed)(void *ctx, const json_t *entries);
};

/** @path: the file of the table; one that can't be read is an error, one that is not there is not. */
NODISCARD int allocation_new(struct loop *l, struct world *w, const char *path,
			     const struct allocation_hooks *hooks, struct allocation **out,
			     struct err *e);
struct allocation *allocation_free(struct allocation *al);

/** May this configuration come into force? Refused when it takes an address away that is in use. */
NODISCARD int allocation_check(const struct allocation *al, const struct cfg *c, struct err *e);

/**
 * The configuration in force has changed. False when there is nothing to prune: nobody asks for
 * anything else than before, or everybody has what he asks for.
 */
bool allocation_apply(struct allocation *al, const struct cfg *c);

/** New addresses may be given: the other members' table has been merged, or there is none. */
void allocation_ready(struct allocation *al);

/** The whole table as a JSON array, a new reference. */
NODISCARD json_t *allocation_table(const struct allocation *al);
/** True when it said anything new. */
bool allocation_merge(struct allocation *al, const json_t *table);

/**
 * All live members have the same pools and services, or there is none: entries of services that no
 * file wants any more are forgotten.
 */
void allocation_prune(struct allocation *al);

/** Why a service has no address, or NULL. */
const char *allocation_refusal(const struct allocation *al, const char *service);

NODISCARD json_t *allocation_pools_json(const struct allocation *al);
void allocation_collect(const struct allocation *al, struct metric_writer *w);

#endif
