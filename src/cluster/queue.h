/**
 * Messages waiting to be gossiped. Each is sent a limited number of times, in whatever packet has
 * room: the least sent first, among those the largest that fits, then the newest. News about a node
 * replaces older news about it. Pure.
 */
#ifndef CLUSTER_QUEUE_H
#define CLUSTER_QUEUE_H

#include "base/map.h"
#include "cluster/pack.h"

struct queue_item;

struct queue {
	struct queue_item **v; /* in the order of sending */
	size_t n;
	size_t cap;
	size_t max;
	struct map *by_name;
	uint64_t last_id;
};

/** @max: items that it may hold. */
void queue_init(struct queue *q, size_t max);
void queue_fini(struct queue *q);

/**
 * Add a message (its type byte included; copied). @name: whom it is about, or NULL when it replaces
 * nothing. A full queue gives up what it has sent most often. False when even that is impossible.
 */
bool queue_put(struct queue *q, const char *name, struct rd message);

/** True while news about @name waits. */
bool queue_has(const struct queue *q, const char *name);

/**
 * Move what fits into @b; each counts as one transmission, and after @limit of them it is dropped.
 */
void queue_take(struct queue *q, unsigned limit, struct pack_batch *b);

#endif
