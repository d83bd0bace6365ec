/**
 * How long to wait before trying again: twice as long each time, up to a limit, and never quite the
 * same for all nodes. Pure.
 */
#ifndef KUBE_BACKOFF_H
#define KUBE_BACKOFF_H

#include "base/rng.h"
#include "base/time.h"

struct kube_backoff {
	struct dur first, most;
	unsigned failures; /* in a row */
	struct rng rng;
};

void kube_backoff_init(struct kube_backoff *b, struct dur first, struct dur most, uint64_t seed);

/** Another failure: the wait that follows it, between half of its length and all of it. */
struct dur kube_backoff_next(struct kube_backoff *b);

/** It worked. */
void kube_backoff_reset(struct kube_backoff *b);

#endif
