#include "config/stock.h"

#include <stdatomic.h>

struct stock {
	atomic_size_t uses; /* configurations, and stocks above: of several threads */
	struct arena *arena;
	struct stock *older;
};

#define LIST_BYTES 512

/* Each load adds a little, also where objects point to next to nothing. */
#define WORN_MIN ((size_t)128 * 1024)

static struct stock *stock_of(struct arena *arena)
{
	struct stock *s = mem_new(struct stock);

	atomic_init(&s->uses, 1);
	s->arena = arena;
	return s;
}

struct stock *stock_new(struct stock *older)
{
	struct stock *s = stock_of(arena_new());

	s->older = older ? stock_share(older) : NULL;
	return s;
}

struct stock *stock_new_list(void)
{
	return stock_of(arena_new_small(LIST_BYTES));
}

struct stock *stock_share(struct stock *s)
{
	atomic_fetch_add(&s->uses, 1);
	return s;
}

struct stock *stock_free(struct stock *s)
{
	while (s && atomic_fetch_sub(&s->uses, 1) == 1) {
		struct stock *older = s->older;

		arena_free(s->arena);
		free(s);
		s = older;
	}
	return NULL;
}

struct arena *stock_arena(struct stock *s)
{
	return s->arena;
}

bool stock_is_worn(const struct stock *s)
{
	size_t added = 0;

	for (; s->older; s = s->older)
		added += arena_used(s->arena);
	return added > MAX(arena_used(s->arena), WORN_MIN);
}
