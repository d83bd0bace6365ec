/**
 * One Kubernetes service brought to what it should hold: the steps of MetalLB's controller (main),
 * in their order, as a pure function of the service, of what its status says and of the allocator.
 * Driven by whoever has the services: `crier plan` for those of files, the daemon for those of an
 * API. Which services are handled at all (loadBalancerClass) is their business, and so are writing
 * the result, and when to begin (converge_order) and to try again.
 *
 * A service's status is the only memory: what it holds is asserted anew in each pass, and kept
 * wherever that is allowed. What stands in it without being allowed is taken back at once, and
 * something else is given in the same pass.
 *
 * Not as MetalLB, unless converge_service.reference: a service of one family that prefers two
 * (PreferDualStack) gets its second address like there, but keeps it; MetalLB would take it back
 * and give it again in turns, for ever. And before all are run after a start, all claim what their
 * status has (converge_claim), while MetalLB lets one that is looking for another address, or for a
 * second one, take what a later one has had.
 */
#ifndef ALLOC_CONVERGE_H
#define ALLOC_CONVERGE_H

#include "alloc/alloc.h"

/** An annotation under both prefixes. The new one counts where it is present, even if empty. */
struct converge_annotation {
	const char *current;	/* metallb.io/…; NULL: absent */
	const char *deprecated; /* metallb.universe.tf/…; NULL: absent */
};

/** An entry of status.loadBalancer.ingress, as it stands there. */
struct converge_ingress {
	const char *ip;	     /* NULL or "": none; any text, addresses or not */
	const char *ip_mode; /* NULL: not said, which means VIP */
	bool has_more;	     /* a hostname or ports, none of which we ever write */
};

/** All texts are borrowed; zero-initialised members are absent. */
struct converge_service {
	const char *key; /* "namespace/name" */
	const char *namespace;
	const struct labels *namespace_labels; /* may be NULL: none */
	const struct labels *labels;	       /* may be NULL: none */

	bool is_load_balancer; /* spec.type */
	const char *const
		*cluster_ips; /* spec.clusterIPs, else spec.clusterIP; never empty texts */
	size_t n_cluster_ips;
	enum cfg_family_policy policy;
	enum family first_family; /* spec.ipFamilies[0]; FAMILY_NONE: not said, IPv4 */
	const struct cfg_port *ports;
	size_t n_ports;
	const char *backend; /* the rendered selector where the traffic policy is Local, else "" */

	const char *load_balancer_ip; /* spec.loadBalancerIP */
	struct converge_annotation load_balancer_ips;
	struct converge_annotation address_pool;
	struct converge_annotation allow_shared_ip;
	struct converge_annotation allocated_from; /* our own note: ip-allocated-from-pool */

	const struct converge_ingress *ingress;
	size_t n_ingress;

	uint64_t terms;		  /* of the result of its last pass; 0: this is the first */
	enum cfg_ip_mode ip_mode; /* that its addresses are to have */
	bool no_pools;		  /* the configuration has none at all */
	/** Where there are none any more: what is in force stays, instead of being cleared. */
	bool keep_without_pools;
	bool reference; /* to the letter */
};

enum { CONVERGE_ADDRESSES_MAX = 2, CONVERGE_EVENTS_MAX = 4 };

#define CONVERGE_TEXT_MAX 1024 /* bytes of an event's text: what an API server takes */

/** For the service's events, with MetalLB's reasons. */
struct converge_event {
	const char *reason; /* "IPAllocated", "AllocationFailed", … */
	bool is_warning;
	const char *text;
};

struct converge_result {
	struct arena *arena; /* owns all texts */

	/*
	 * What its status is to say from now on: these addresses in this order and nothing else,
	 * and which pool they are from (noted in metallb.io/ip-allocated-from-pool; that of the old
	 * prefix goes). None: it is to be empty, and the notes go.
	 */
	struct addr addresses[CONVERGE_ADDRESSES_MAX];
	size_t n;
	const char *pool;    /* NULL when there are none */
	bool is_left;	     /* it stays as it is: the above only repeats its addresses */
	bool is_changed;     /* to be written: it is not what stands there */
	bool is_other_entry; /* not only the notes of the pool are to change */

	struct converge_event events[CONVERGE_EVENTS_MAX];
	size_t n_events;

	const char
		*why; /* it could not be brought where it should be; wait for a change. Or NULL */
	bool run_others; /* others may fit now: run all services */
	uint64_t terms;	 /* of sharing, to be handed in the next time; never 0 */
};

/** Run one service; the allocator holds for it afterwards what the result says. */
NODISCARD struct converge_result *converge_run(struct alloc *a, const struct converge_service *s);
struct converge_result *converge_result_free(struct converge_result *r);
void converge_result_freep(struct converge_result **r);

/** The service is gone. True when it had addresses, so that others may fit now: run them all. */
bool converge_forget(struct alloc *a, const char *key);

/**
 * The first half of running all services after a start or a change of the pools: what the status
 * has and may keep is taken, so that nobody else gets it; what may not be kept is not. Claim for
 * all, in the order of converge_order(), and run all afterwards. To the letter there is no such
 * thing.
 */
void converge_claim(struct alloc *a, const struct converge_service *s);

/**
 * After a start or a change of the pools, with an allocator that knows nothing yet, all services
 * are to be run in this order: those with more addresses in their status before those with fewer,
 * else as they stand. Where two have the same, the first one keeps it.
 */
void converge_order(const struct converge_service **v, size_t n);

#endif
