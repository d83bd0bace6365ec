/**
 * Doubly linked list with the links inside the elements. The head is a link too; an empty list points at itself.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>

#include "base/mem.h"

struct list {
	struct list *prev;
	struct list *next;
};

#define LIST_INIT(name)                          \
	{                                        \
		.prev = &(name), .next = &(name) \
	}

static inline void list_init(struct list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *l)
{
	l->prev = at->prev;
	l->next = at;
	at->prev->next = l;
	at->prev = l;
}

static inline void list_append(struct list *head, struct list *l)
{
	list_insert_before(head, l);
}

static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

#define LIST_ENTRY(l, type, member) CONTAINER_OF(l, type, member)

/** Walk; the current element may be removed. @it is a `type *`; may be nested. */
#define LIST_EACH(it, head, member) \
	LIST_EACH_(it, head, member, UNIQUE_NAME(at_), UNIQUE_NAME(next_))
#define LIST_EACH_(it, head, member, at, nx)                                           \
	for (struct list *at = (head)->next, *nx = at->next;                           \
	     at != (head) && ((it) = LIST_ENTRY(at, __typeof__(*(it)), member), true); \
	     at = nx, nx = at->next)

#endif
