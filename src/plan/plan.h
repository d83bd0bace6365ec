/**
 * The decisions: who announces which address, where, and why not. A pure function of the world and
 * of who is asked about; the daemon asks for itself, `crier plan` for every node, with the same
 * code.
 *
 * The rules are MetalLB's (the ordered tests of its speaker, main branch) and design decisions of
 * ours for standalone services; each silence carries the reference's reason word.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <jansson.h>

#include "world/world.h"

/** One candidate of an election, in ranking order. */
struct plan_candidate {
	const char *node;
	int score; /* of preferences; equal scores are ordered by hash */
};

/** An address of a service by Layer 2: the succession list, and where the asked node may answer. */
struct plan_l2 {
	struct addr addr;
	bool all_interfaces;
	uint32_t n_succession;
	const struct plan_candidate
		*succession;		    /* candidates that live, or are heard, first to last */
	const struct cfg_texts *interfaces; /* when not all; one for all addresses */
};

/** A route for one peer. */
struct plan_bgp {
	struct addr addr;
	struct prefix prefix;
	const struct cfg_peer *peer;
	bool has_local_pref; /* false towards eBGP peers, and where none is set */
	uint32_t local_pref;
	bool has_med;
	uint32_t med;
	uint8_t as_path_prepend;
	const uint32_t *communities; /* of all advertisements that give this prefix to this peer */
	size_t n_communities;
	const struct large_community *large_communities;
	size_t n_large_communities;
	const uint64_t *ext_communities;
	size_t n_ext_communities;
};

/** Why nothing of the service is announced from the node in one mode, or to one peer. */
struct plan_silence {
	enum cfg_protocol mode;
	const char *reason;	     /* a word of plan/reason.h: notOwner, noEndpoints, … */
	const char *detail;	     /* a sentence for people, or NULL */
	const struct cfg_peer *peer; /* where it is about one session only, else NULL */
	bool plain_loser;	     /* a candidate that merely lost the ranking */
	bool unasked;		     /* its addresses are not for this mode, but for the other */
};

/**
 * The decision about one service for one node. Owns its arena; the world must not change meanwhile.
 */
struct plan {
	struct arena *arena;
	const char *service;
	const char *node;
	const struct plan_l2 *l2; /* of each address that the node is a candidate for or owns */
	size_t n_l2;
	bool owner; /* the node is the Layer 2 owner of the service's addresses */
	const struct plan_bgp *bgp;
	size_t n_bgp;
	const struct plan_silence *silent;
	size_t n_silent;
};

/**
 * Decide. Services that share addresses, directly or through others, are one matter for Layer 2,
 * since an address is answered from one node: their candidates are the nodes that all of them may
 * use, ranked by the lowest of their first addresses, scores added up. Where no node can serve all
 * of them, each address is ranked for itself among the nodes that all of its own holders may use,
 * or else that any may use; a holder that the first of them can't serve is silent. In a world of
 * the reference's rules (world_set_reference) each service stands alone.
 */
NODISCARD struct plan *plan_service(const struct world *w, const char *key, const char *node);
struct plan *plan_free(struct plan *p);

/**
 * The configuration was replaced by one with the very same peers, and the decision holds: what it
 * says of @from it says of @to.
 */
void plan_follow(struct plan *p, const struct cfg *from, const struct cfg *to);

/**
 * Is the service ours to look after? Of Kubernetes: those of type LoadBalancer, and of our
 * loadBalancerClass (`kubernetes: {lb-class}`).
 */
bool plan_handles(const struct cfg *c, const struct world_service *s);

/** Is the peer run on that node (its node selectors)? */
bool plan_peer_runs(const struct world *w, const struct cfg_peer *peer, const char *node);

/** One condition of `crier explain`, in the order in which they are tested. */
struct plan_condition {
	const char
		*name; /* "address-assigned", "endpoints", "layer2-advertisement", "ranking", … */
	const char *value; /* what was found */
	bool ok;
	const char *reason; /* what follows from it, or NULL */
};

struct plan_explanation {
	struct arena *arena;
	const char *subject; /* the service's key */
	bool announced;
	const struct plan_condition *v;
	size_t n;
};

NODISCARD struct plan_explanation *plan_explain(const struct world *w, const char *key,
						const char *node);
struct plan_explanation *plan_explanation_free(struct plan_explanation *x);

#endif
