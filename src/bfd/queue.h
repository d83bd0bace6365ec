/**
 * Deadlines of many sessions, the earliest first: a heap of four branches, because the four children
 * of an entry share a cache line. Ten thousand sessions cost two levels more than a thousand.
 *
 * The engine drives it. Only bfd_queue_reserve() allocates.
 */
#ifndef BFD_QUEUE_H
#define BFD_QUEUE_H

#include "base/time.h"

/** Embedded in what has a deadline; zero-initialised is "not queued". */
struct bfd_due {
	struct mono at; /* while queued */
	size_t slot;	/* its place + 1; 0: not queued */
};

struct bfd_queue_entry {
	struct mono at;
	struct bfd_due *due;
};

struct bfd_queue {
	struct bfd_queue_entry *heap;
	size_t n;
	size_t cap;
};

void bfd_queue_fini(struct bfd_queue *q);

/** Room for @n entries altogether. */
void bfd_queue_reserve(struct bfd_queue *q, size_t n);

/** Put it in, or move it; MONO_NEVER takes it out. */
void bfd_queue_set(struct bfd_queue *q, struct bfd_due *due, struct mono at);

/** The earliest, or NULL. */
static inline struct bfd_due *bfd_queue_first(const struct bfd_queue *q)
{
	return q->n ? q->heap[0].due : NULL;
}

#endif
