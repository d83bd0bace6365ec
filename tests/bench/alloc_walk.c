#include "alloc_walk.h"

void walk_init(struct walk *w, uint32_t size)
{
	*w = (struct walk){ .by_number = map_new(), .by_service = map_new(), .size = size };
}

void walk_fini(struct walk *w)
{
	map_free(w->by_number);
	map_free(w->by_service);
}

int walk_assign(struct walk *w, const char *service)
{
	uint32_t at = w->from;

	while (at < w->size && map_get_bytes(w->by_number, &at, sizeof(at)))
		at++;
	if (at == w->size)
		return -1;
	(void)map_put_bytes(w->by_number, &at, sizeof(at), w);
	/* No pointer, but a number that is not 0. */
	(void)map_put(w->by_service, service, (void *)((uintptr_t)at + 1));
	return 0;
}

void walk_release(struct walk *w, const char *service)
{
	uintptr_t number = (uintptr_t)map_del(w->by_service, service);
	uint32_t at = (uint32_t)number - 1;

	if (number)
		(void)map_del_bytes(w->by_number, &at, sizeof(at));
}
