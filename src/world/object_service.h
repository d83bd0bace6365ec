/**
 * A v1 Service as its API has it: all that MetalLB looks at, and nothing else.
 *
 * Read from a document of a file or of an API; nothing is decided here. Of a service that is no
 * load balancer only its name is kept.
 */
#ifndef WORLD_OBJECT_SERVICE_H
#define WORLD_OBJECT_SERVICE_H

#include "config/cfg.h"
#include "config/issue.h"

/** An annotation under both prefixes; NULL: absent. */
struct object_annotation {
	const char *current;	/* metallb.io/… */
	const char *deprecated; /* metallb.universe.tf/… */
};

/** An entry of status.loadBalancer.ingress. */
struct object_ingress {
	const char *ip;	     /* NULL: none; any text */
	const char *ip_mode; /* NULL: not said */
	bool has_more;	     /* a hostname or ports */
};

struct object_service {
	struct arena *arena; /* owns all of it */
	const char *key;     /* "namespace/name" */
	const char *namespace;
	struct labels labels;
	bool is_load_balancer;
	const char *lb_class; /* spec.loadBalancerClass, or NULL */

	const char *const *cluster_ips; /* spec.clusterIPs, else spec.clusterIP */
	size_t n_cluster_ips;
	enum cfg_family_policy family_policy;
	enum family families[2]; /* spec.ipFamilies */
	size_t n_families;
	const struct cfg_port *ports;
	size_t n_ports;
	enum cfg_traffic_policy traffic_policy;
	const char *backend; /* the selector as "a=b,c=d" where the policy is Local, else "" */

	const char *load_balancer_ip; /* spec.loadBalancerIP, or NULL */
	struct object_annotation load_balancer_ips, address_pool, allow_shared_ip, allocated_from;

	const struct object_ingress *ingress;
	size_t n_ingress;
};

/** @is: takes what is wrong. Returns NULL when anything is. */
NODISCARD struct object_service *object_service_read(struct issues *is, const struct place *p);
struct object_service *object_service_free(struct object_service *s);
bool object_service_eq(const struct object_service *a, const struct object_service *b);

/** The sharing key: of the new prefix where it is present, else of the old; NULL: neither. */
const char *object_service_sharing_key(const struct object_service *s);

#endif
