/**
 * The words for silence. The first group is the reference's, in the order of its tests; the second
 * is ours.
 */
#ifndef PLAN_REASON_H
#define PLAN_REASON_H

#define REASON_DELETED		    "serviceDeleted"
#define REASON_NOT_LOAD_BALANCER    "notLoadBalancer"
#define REASON_NO_ADDRESS	    "noIPAllocated"
#define REASON_BAD_ADDRESS	    "invalidIP"
#define REASON_NOT_ALLOWED	    "ipNotAllowed"
#define REASON_NOT_OWNER	    "notOwner"
#define REASON_SHARED_WITH_SELECTOR "sharedIPWithServiceSelector"
#define REASON_NO_ADVERTISEMENT	    "noMatchingAdvertisement"
#define REASON_CONFLICT		    "conflictingAdvertisements"
#define REASON_NO_NETWORK	    "nodeNetworkUnavailable"
#define REASON_EXCLUDED		    "nodeLabeledExcludeBalancers"
#define REASON_NO_LOCAL_ENDPOINTS   "noLocalEndpoints"
#define REASON_NO_ENDPOINTS	    "noEndpoints"

/* Its loadBalancerClass is another one's. To the reference it does not exist at all. */
#define REASON_OTHER_CLASS "otherLoadBalancerClass"
/* A person took everything away from the node: crier drain. */
#define REASON_DRAINED "nodeDrained"
/* This is the smaller part of a divided cluster (cluster: {quorum: true}). */
#define REASON_NO_QUORUM "noQuorum"
/* The peer's session does not carry IPv4, or IPv6. */
#define REASON_FAMILY "familyNotOnSession"
/* No peer of these advertisements is run on the node. */
#define REASON_NO_PEERS "noPeers"
/* Of two plans compared: the service is announced by another address in the later one. */
#define REASON_OTHER_ADDRESS "otherAddress"

#endif
