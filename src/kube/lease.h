/**
 * Who of several does what only one may do: a coordination.k8s.io Lease, by the rules that
 * client-go has. Pure.
 *
 * Nobody's clock is compared with another's: a lease is over when it has not changed for its
 * duration, as seen by our own clock. Whoever holds it stops on its own when it could not renew for
 * `renew_within`, some time before others may take it; what was begun by then has to end within the
 * difference.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <jansson.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"

struct kube_lease_conf {
	const char
		*me; /* borrowed; no two alike, not even of one node before and after a restart */
	struct dur duration;
	struct dur renew_within;
	struct dur retry;
	uint64_t seed;
};

enum kube_lease_step { KUBE_LEASE_READ, KUBE_LEASE_CREATE, KUBE_LEASE_UPDATE };

struct kube_lease {
	struct kube_lease_conf conf;
	struct rng rng;
	enum kube_lease_step step;
	struct mono at; /* of the next step */

	/* What stands there, and since when by our clock. */
	char *holder, *renewed, *version;
	json_int_t transitions;
	struct dur its_duration;
	struct mono seen;

	bool held;
	struct mono asked;	/* the write under way began */
	struct mono renewed_at; /* the last one that succeeded began */
};

void kube_lease_init(struct kube_lease *l, const struct kube_lease_conf *conf, struct mono now);
void kube_lease_fini(struct kube_lease *l);

/** When to take the next step; what it is stands in `step`. */
struct mono kube_lease_deadline(const struct kube_lease *l);

/**
 * The body of a step that writes; a new reference.
 * @wall: the time of the wall clock, for people: RFC 3339 with microseconds
 */
NODISCARD json_t *kube_lease_body(struct kube_lease *l, const char *wall, struct mono now);
/** The body of an update that lets go of it. */
NODISCARD json_t *kube_lease_release_body(const struct kube_lease *l, const char *wall);

/** The step was answered with a Lease. */
void kube_lease_answer(struct kube_lease *l, const json_t *lease, struct mono now);
/** It was refused (@status), or there was no answer (0). */
void kube_lease_refused(struct kube_lease *l, int status, struct mono now);

/** May its holder act, and is it us? */
bool kube_lease_is_ours(const struct kube_lease *l, struct mono now);
/** When that ends if nothing happens. */
struct mono kube_lease_ends(const struct kube_lease *l);

#endif
