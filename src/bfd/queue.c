#include "bfd/queue.h"

#include <assert.h>

#define BRANCHES 4

static void place(struct bfd_queue *q, size_t i, struct bfd_queue_entry e)
{
	q->heap[i] = e;
	e.due->slot = i + 1;
}

static void sift_up(struct bfd_queue *q, size_t i, struct bfd_queue_entry e)
{
	while (i > 0) {
		size_t parent = (i - 1) / BRANCHES;

		if (!mono_before(e.at, q->heap[parent].at))
			break;
		place(q, i, q->heap[parent]);
		i = parent;
	}
	place(q, i, e);
}

static size_t earliest_child(const struct bfd_queue *q, size_t i)
{
	size_t first = BRANCHES * i + 1, end = MIN(first + BRANCHES, q->n);
	size_t best = first;

	for (size_t c = first + 1; c < end; c++) {
		if (mono_before(q->heap[c].at, q->heap[best].at))
			best = c;
	}
	return best; /* not below q->n when there is none */
}

static void sift_down(struct bfd_queue *q, size_t i, struct bfd_queue_entry e)
{
	for (;;) {
		size_t child = earliest_child(q, i);

		if (child >= q->n || !mono_before(q->heap[child].at, e.at))
			break;
		place(q, i, q->heap[child]);
		i = child;
	}
	place(q, i, e);
}

static void settle(struct bfd_queue *q, size_t i, struct bfd_queue_entry e)
{
	if (i > 0 && mono_before(e.at, q->heap[(i - 1) / BRANCHES].at))
		sift_up(q, i, e);
	else
		sift_down(q, i, e);
}

static void take_out(struct bfd_queue *q, struct bfd_due *due)
{
	size_t i = due->slot;

	if (i-- == 0)
		return;
	due->slot = 0;
	struct bfd_queue_entry last = q->heap[--q->n];
	if (last.due != due)
		settle(q, i, last);
}

void bfd_queue_set(struct bfd_queue *q, struct bfd_due *due, struct mono at)
{
	struct bfd_queue_entry e = { at, due };

	if (mono_is_never(at)) {
		take_out(q, due);
		return;
	}
	due->at = at;
	if (due->slot) {
		settle(q, due->slot - 1, e);
		return;
	}
	assert(q->n < q->cap);
	sift_up(q, q->n++, e);
}

void bfd_queue_reserve(struct bfd_queue *q, size_t n)
{
	if (n <= q->cap)
		return;
	q->cap = MAX(n, 2 * q->cap);
	q->heap = mem_resize(q->heap, q->cap, sizeof(*q->heap));
}

void bfd_queue_fini(struct bfd_queue *q)
{
	free(q->heap);
	*q = (struct bfd_queue){ 0 };
}
