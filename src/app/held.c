#include "app/held.h"

#include <string.h>

void holdings_init(struct holdings *all)
{
	*all = (struct holdings){ .by_service = map_new(), .unsure = map_new() };
}

static void held_free(void *p)
{
	struct held *h = p;

	free(h->service);
	free(h->version);
	free(h->why);
	free(h);
}

void holdings_fini(struct holdings *all)
{
	map_clear(all->by_service, held_free);
	map_free(all->by_service);
	map_free(all->unsure);
}

void holdings_lose(struct holdings *all)
{
	const char *service;
	struct held *h;

	MAP_EACH (all->by_service, service, h) {
		h->in_flight = h->again = false;
		if (!h->version)
			held_free(map_del(all->by_service, service));
	}
}

struct held *held_find(const struct holdings *all, const char *service)
{
	return map_get(all->by_service, service);
}

struct held *held_of(struct holdings *all, const char *service)
{
	struct held *h = held_find(all, service);

	if (!h) {
		h = mem_new(struct held);
		h->service = mem_strdup(service);
		(void)map_put(all->by_service, service, h);
	}
	return h;
}

void held_forget(struct holdings *all, const char *service)
{
	struct held *h = map_del(all->by_service, service);

	if (h) {
		held_sure(all, h);
		held_free(h);
	}
}

void held_write(struct holdings *all, struct held *h, const char *version, const struct addr *v,
		size_t n)
{
	free(h->version);
	h->version = mem_strdup(version);
	h->n_wants = n;
	for (size_t i = 0; i < n; i++) {
		h->wants[i] = v[i];
		(void)map_put_bytes(all->unsure, &v[i], sizeof(v[i]), h);
	}
}

void held_sure(struct holdings *all, struct held *h)
{
	const char *key;
	struct held *whose;

	MAP_EACH (all->unsure, key, whose) {
		if (whose == h)
			(void)map_del_bytes(all->unsure, key, sizeof(struct addr));
	}
	free(h->version);
	h->version = NULL;
}

void held_look(struct holdings *all, struct held *h, const char *version)
{
	if (h->version && !h->in_flight && !(version && strcmp(version, h->version) == 0))
		held_sure(all, h);
}

const struct held *held_writer(const struct holdings *all, const struct addr *a)
{
	return map_get_bytes(all->unsure, a, sizeof(*a));
}

void held_content(struct held *h, const struct addr *v, size_t n)
{
	h->n_has = n;
	memcpy(h->has, v, n * sizeof(*v));
}

bool held_because(struct held *h, const char *why)
{
	bool same = h->why && why ? strcmp(h->why, why) == 0 : !h->why && !why;

	if (same)
		return false;
	free(h->why);
	h->why = why ? mem_strdup(why) : NULL;
	return true;
}
