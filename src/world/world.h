/**
 * What is known now: the configuration, and the services, nodes and namespaces by name. Sources
 * change it through the functions here; whoever listens is told what changed (world_on_change), and
 * nothing is decided here.
 *
 * The world owns its objects; readers borrow them until the next change.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include "base/map.h"
#include "config/change.h"

struct object_service;
struct object_endpoints;

/**
 * Where a node can announce by Layer 2, by its own word. Zero-initialised: it has not said.
 */
struct world_reach {
	bool said;
	bool any;		   /* some link that may be used has a carrier */
	struct cfg_texts up;	   /* links that advertisements name, and that have a carrier */
	struct cfg_texts down;	   /* those that have none */
	const struct prefix *lost; /* networks of links without a carrier, reached by no other */
	size_t n_lost;
};

/** A machine that may announce: every one that a source knows, alive or not. */
struct world_node {
	const char *name;
	struct labels labels;
	bool alive;		  /* a live member, as far as we know; ourselves: always */
	bool heard;		  /* dead, but it was heard claiming an address by Layer 2 */
	bool has_object;	  /* a Node object stands behind it: Kubernetes services need one */
	bool network_unavailable; /* condition NetworkUnavailable=True */
	bool excluded;		  /* the exclude-from-external-load-balancers label */
	bool drained;		  /* it gives everything up, by its own word: crier drain */
	struct world_reach reach;
};

/**
 * Is the service served on one node? Standalone: its health check's verdict there. Kubernetes: some
 * endpoint there is servable.
 */
struct world_endpoint {
	const char *node; /* "": on none that is named */
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
	const char *holder;   /* the node that took them last by Layer 2, or NULL: not known */
	uint64_t holder_term; /* greater with each that takes them */
	bool has_bad_address; /* its status names something else than addresses, too */

	/*
	 * Where it is served. What is known of a node decides there; of other nodes a service that
	 * is always servable is served by all (standalone without a health check), any other by
	 * none.
	 */
	bool always_servable;
	const struct world_endpoint *endpoints;
	size_t n_endpoints;

	bool has_endpoints_object; /* Kubernetes: an EndpointSlice or Endpoints is there for it */
	size_t n_backends;	   /* the endpoints in these, servable or not */

	/* Where it came from: one of these. */
	const struct cfg_service *cfg;
	const struct object_service *object;
};

struct world;

/**
 * @me: the name of this node, which is a live member from the start and for ever, with the
 *      configuration's labels (where it gives none: those of world_node_set()). NULL: an onlooker,
 *      as `crier plan` is
 */
NODISCARD struct world *world_new(const char *me);
struct world *world_free(struct world *w);

/** The name of this node, or NULL. */
const char *world_me(const struct world *w);

/**
 * Some live member follows the reference's rules to the letter: every deviation from its candidates
 * is off. Services that share an address are then ranked each on its own.
 */
void world_set_reference(struct world *w, bool on);
bool world_is_reference(const struct world *w);

/**
 * Is this part of the cluster the larger one? Zero-initialised: nobody asks.
 */
struct world_quorum {
	size_t of;	 /* members that count; 0: nobody asks */
	size_t alive;	 /* of these */
	const char *tie; /* the half that it is in is the larger one; NULL: none is */
	bool tie_alive;
};
/** Copied but for the name, which is not looked at by the world. */
void world_set_quorum(struct world *w, const struct world_quorum *q);
const struct world_quorum *world_quorum(const struct world *w);
bool world_has_quorum(const struct world *w);

/*
 * What changed, as said to the listener, after the fact: a key of a service, a node, a namespace,
 * or everything.
 * Setting what was so already is no change. A service that gives an address up is followed by those
 * that go on sharing it.
 */
enum world_change { WORLD_SERVICE, WORLD_NODE, WORLD_NAMESPACE, WORLD_ALL };
void world_on_change(struct world *w,
		     void (*changed)(void *ctx, enum world_change what, const char *name),
		     void *ctx);

/**
 * Put a configuration in force (borrowed until replaced). Standalone services are added, changed
 * and removed to match; what they have (addresses, endpoints) stays.
 */
void world_set_config(struct world *w, const struct cfg *c);
/**
 * The same, and instead of everything only what @ch says is told as changed, with the services that
 * say something else than before. NULL: everything.
 */
void world_change_config(struct world *w, const struct cfg *c, const struct cfg_changes *ch);
const struct cfg *world_config(const struct world *w);

/* Nodes. Texts are copied. */
void world_node_set(struct world *w, const struct world_node *node);
/** Of a node that is known; others are left unknown. */
void world_node_alive(struct world *w, const char *name, bool alive);
/** A node that is believed to be dead speaks; or it has not for a while. */
void world_node_heard(struct world *w, const char *name, bool heard);
/** Ourselves or another one, by its own word; of a node that is known. */
void world_node_drained(struct world *w, const char *name, bool drained);
/** Of a node that is known; copied. NULL: it says nothing. */
void world_node_reach(struct world *w, const char *name, const struct world_reach *reach);
void world_node_del(struct world *w, const char *name);
const struct world_node *world_node(const struct world *w, const char *name);

/* Services. */
const struct world_service *world_service(const struct world *w, const char *key);
void world_service_assign(struct world *w, const char *key, const struct addr *addresses, size_t n);
/** Of a standalone service. */
void world_service_endpoint(struct world *w, const char *key, const char *node, bool servable);
/** Who has its addresses by Layer 2 (copied; NULL: nobody knows). */
void world_service_holder(struct world *w, const char *key, const char *node, uint64_t term);
/** Forget what @node said about one service: it says nothing any more. */
void world_service_endpoint_forget(struct world *w, const char *key, const char *node);
/** Forget what @node said about all standalone services (it left). */
void world_endpoints_forget(struct world *w, const char *node);

/*
 * Objects of Kubernetes, moved in. They may come in any order: what an EndpointSlice says of a
 * service that is not known yet waits for it.
 */
/** A service with the addresses that its status has; world_service_assign() replaces these. */
void world_service_set(struct world *w, struct object_service *take);
void world_service_del(struct world *w, const char *key);
/** An EndpointSlice or Endpoints, in the place of the one of its kind and name. */
void world_endpoints_set(struct world *w, struct object_endpoints *take);
void world_endpoints_del(struct world *w, bool is_slice, const char *key);

/** Texts are copied. */
void world_namespace_set(struct world *w, const char *name, const struct labels *labels);
void world_namespace_del(struct world *w, const char *name);
/** NULL: nobody knows it. */
const struct labels *world_namespace(const struct world *w, const char *name);

/** Is it served on that node, or (@node NULL) on any? */
bool world_servable(const struct world_service *s, const char *node);
/**
 * The services that have the address, in no order that matters; *n is 0 (and NULL returned) where
 * nobody has.
 */
const struct world_service *const *world_holders(const struct world *w, const struct addr *a,
						 size_t *n);

/* Walk in stable order (services: document order; nodes: by name); start with *at = 0. */
const struct world_service *world_next_service(const struct world *w, size_t *at);
const struct world_node *world_next_node(const struct world *w, size_t *at);
/** The labels of the next namespace, in no order that matters; NULL: there are no more. */
const struct labels *world_next_namespace(const struct world *w, size_t *at);

#endif
