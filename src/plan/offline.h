/**
 * A made-up world for `crier plan`: a configuration, the objects of a cluster, the nodes that are
 * to be live, and who gets which address. Health checks pass everywhere.
 *
 * Standalone and Kubernetes services have one allocator, and so never one address but by the rules
 * of sharing. First, what services have already is kept wherever that is allowed; then the
 * standalone ones are served, as alloc/standalone.h says; then those of Kubernetes, in the order of
 * alloc/converge.h.
 */
#ifndef PLAN_OFFLINE_H
#define PLAN_OFFLINE_H

#include "config/cfg.h"
#include "world/object_set.h"

struct offline;

struct offline_conf {
	struct object_set *objects; /* moved into the world; NULL: there are none */
	/**
	 * The live members. None: every Node object, or the configuration's own node where there
	 * are no such objects. Where there are none, a member needs none.
	 */
	const char *const *nodes;
	size_t n_nodes;
	bool reference; /* without our deviations from MetalLB */
	/**
	 * What services have: the outcome of another one, which this one follows as a daemon does
	 * that reloads. NULL: what their status says.
	 */
	const struct offline *held;
};

/** What one service got. */
struct offline_grant {
	const char *service;
	const char *pool; /* NULL: outside every pool, or nothing */
	const struct addr *addresses;
	size_t n;	    /* 0: nothing: */
	const char *reason; /* why; else NULL */
};

/** @c is borrowed. */
NODISCARD struct offline *offline_new(const struct cfg *c, const struct offline_conf *conf);
struct offline *offline_free(struct offline *o);

const struct world *offline_world(const struct offline *o);
/** One for each service that is ours to look after, in the order of the world. */
const struct offline_grant *offline_grants(const struct offline *o, size_t *n);
const struct offline_grant *offline_grant(const struct offline *o, const char *service);

/** Would a daemon refuse to follow @c unless it is forced to? As cfg_check_emptied() and alloc_check_shrink(). */
NODISCARD int offline_check(const struct offline *in_force, const struct cfg *c, struct err *e);

#endif
