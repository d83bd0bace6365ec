/**
 * What the manifests of MetalLB put into a speaker's environment (METALLB_…), so that a pod made
 * for it can run crier, and both share one cluster during a move. Asked for only where a Kubernetes
 * API is a source; a file that says the same thing is right.
 *
 *   METALLB_NODE_NAME           this node's name; --node comes first, then this
 *   METALLB_HOST                the address of the HTTP port, where the files leave it open
 *   METALLB_ML_BIND_ADDR, _PORT gossip listens there, and tells it to the others; port 7946
 *   METALLB_ML_LABELS           the pods that are members. Without it, or without an address, there
 *                               is no gossip, and every Node object is a live member
 *   METALLB_ML_SECRET_KEY       the secret, or
 *   METALLB_ML_SECRET_KEY_PATH  a folder with the file `secretkey`; not readable: no start
 *   METALLB_ML_WAN_CONFIG       true: slower probes, for members that are far apart
 *
 * METALLB_NAMESPACE and METALLB_POD_NAME are read where they are used (kubernetes.c, reporter.c).
 */
#ifndef APP_ENVIRONMENT_H
#define APP_ENVIRONMENT_H

#include "config/cfg.h"

struct environment {
	const char *node;   /* NULL: not given */
	struct addr http;   /* unset: not given */
	const char *labels; /* NULL: the members are not found among pods */
	struct cfg_cluster cluster;
	char *secret_file; /* what the cluster's points to */
};

/** Zero-initialised: valid and empty. Texts are the environment's own. */
NODISCARD int environment_read(struct environment *out, struct err *e);
void environment_fini(struct environment *env);

#endif
