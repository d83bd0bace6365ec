/**
 * A Kubernetes cluster as a source of the world: Services, where they are served, Nodes and
 * Namespaces become objects of the world as they come and go; the configuration (a ConfigMap, the
 * custom resources of metallb.io, the Secrets that peers name) becomes texts for config/load.h.
 *
 * Nothing is to be decided before `viewed`: until then what is known is a part of what is there.
 */
#ifndef KUBE_SOURCE_H
#define KUBE_SOURCE_H

#include "base/metric.h"
#include "config/load.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "world/world.h"

struct kube_source;

#define KUBE_SOURCE_METRICS(X, S)                                               \
	X(S, COUNTER, updates, "Objects of the API that came, changed or went") \
	X(S, COUNTER, unreadable, "Objects that could not be read")
struct kube_source_stats {
	KUBE_SOURCE_METRICS(METRIC_FIELD, )
};

struct kube_source_conf {
	const char *namespace;	/* where the configuration lies */
	const char *config_map; /* its name */
	bool nodes_live; /* every Node object is a live member: nobody else says who is alive */
	void *ctx;
	/** Everything has been seen once. */
	void (*viewed)(void *ctx);
	/**
	 * The configuration's texts may have changed; said at the end of the turn, not before
	 * `viewed`.
	 */
	void (*configured)(void *ctx);
	/** A kind of objects can't be read, or (why is NULL) can again. */
	void (*trouble)(void *ctx, const char *kind, const char *why);
	/** One object can't be read; what was known of it stays. */
	void (*unreadable)(void *ctx, const char *kind, const char *key, const char *why);
};

/** All but the client and the world is borrowed during the call only. */
NODISCARD struct kube_source *kube_source_new(struct loop *l, struct kube_client *client,
					      struct world *w, const struct kube_source_conf *conf);
struct kube_source *kube_source_free(struct kube_source *s);

bool kube_source_is_viewed(const struct kube_source *s);

/** The configuration as it is now, by kind and name; valid until the loop turns. */
const struct cfg_text *kube_source_texts(struct kube_source *s, size_t *n);

/** A service as the server answered to a write of ours: known before the watch brings it. */
void kube_source_service_written(struct kube_source *s, const json_t *object);
/** The version and the uid of a service that is known, or NULL. */
const struct kube_known *kube_source_service(const struct kube_source *s, const char *key);

/** {"kind", "state", "problem"} of each kind that is watched; a new reference. */
NODISCARD json_t *kube_source_json(const struct kube_source *s);
/** The first problem there is, or NULL. */
const char *kube_source_problem(const struct kube_source *s);
const struct kube_source_stats *kube_source_stats(const struct kube_source *s);

#endif
