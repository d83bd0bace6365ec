/**
 * What is known now: the configuration, and the services and nodes by name. Sources change it through the
 * functions here; whoever listens is told what changed (world_on_change), and nothing is decided here.
 *
 * The world owns its objects; readers borrow them until the next change.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include "base/map.h"
#include "config/cfg.h"

/** A machine that may announce: every one that a source knows, alive or not. */
struct world_node {
	const char *name;
	struct labels labels;
	bool alive;		  /* a live member, as far as we know; ourselves: always */
	bool network_unavailable; /* condition NetworkUnavailable=True */
	bool excluded;		  /* the exclude-from-external-load-balancers label */
};

/** Is the service served on one node? Standalone: its health check's verdict there. */
struct world_endpoint {
	const char *node;
	bool servable;
};

enum world_origin { WORLD_STANDALONE, WORLD_KUBERNETES };

#define WORLD_ADDRESSES_MAX 10240

struct world_service {
	const char *key; /* "namespace/name", or the bare name of a standalone service */
	enum world_origin origin;
	struct labels labels;

	/* What it asks for. */
	const struct addr *wanted; /* explicit addresses */
	size_t n_wanted;
	const char *pool; /* explicit pool, or NULL */
	bool want_v4, want_v6;
	enum cfg_family_policy family_policy;
	const char *sharing_key; /* NULL or "": not shared */
	const struct cfg_port *ports;
	size_t n_ports;
	enum cfg_traffic_policy traffic_policy;
	const char *backend;	    /* rendered selector: the backend key of Local services */
	enum cfg_protocol protocol; /* for addresses outside every pool */
	struct selectors node_selectors;
	const struct cfg_node_weight *preferred;
	size_t n_preferred;

	/* What it has. */
	const struct addr *addresses; /* assigned, in order: the first decides the ranking */
	size_t n_addresses;

	/* Where it is served. Standalone services without a health check are served everywhere. */
	bool always_servable;
	const struct world_endpoint *endpoints;
	size_t n_endpoints;

	const struct cfg_service *cfg; /* standalone: where it came from; else NULL */
};

struct world;

NODISCARD struct world *world_new(const char *me);
struct world *world_free(struct world *w);

/** The name of this node. */
const char *world_me(const struct world *w);

/* What changed, as said to the listener: a key of a service, a node, or everything. */
enum world_change { WORLD_SERVICE, WORLD_NODE, WORLD_ALL };
void world_on_change(struct world *w,
		     void (*changed)(void *ctx, enum world_change what, const char *name),
		     void *ctx);

/**
 * Put a configuration in force (borrowed until replaced). Standalone services are added, changed and removed to
 * match; what they have (addresses, endpoints) stays.
 */
void world_set_config(struct world *w, const struct cfg *c);
const struct cfg *world_config(const struct world *w);

/* Nodes. Texts are copied. */
void world_node_set(struct world *w, const struct world_node *node);
void world_node_alive(struct world *w, const char *name, bool alive);
void world_node_del(struct world *w, const char *name);
const struct world_node *world_node(const struct world *w, const char *name);

/* Services. */
const struct world_service *world_service(const struct world *w, const char *key);
void world_service_assign(struct world *w, const char *key, const struct addr *addresses, size_t n);
void world_service_endpoint(struct world *w, const char *key, const char *node, bool servable);
/** Forget what @node said about all services (it left). */
void world_endpoints_forget(struct world *w, const char *node);

/* Walk in stable order (services: document order; nodes: by name); start with *at = 0. */
const struct world_service *world_next_service(const struct world *w, size_t *at);
const struct world_node *world_next_node(const struct world *w, size_t *at);

#endif
