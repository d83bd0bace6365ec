#include "world/backing.h"

#include <string.h>

#include "base/map.h"

/** The objects of one service: all slices, or all Endpoints (one), the slices first. */
struct row {
	struct object_endpoints **v;
	size_t n, cap;
	size_t n_slices;
};

struct backing {
	struct map *slices;	/* key -> struct object_endpoints */
	struct map *endpoints;	/* the same of Endpoints */
	struct map *by_service; /* key of the service -> struct row */
};

struct backing *backing_new(void)
{
	struct backing *b = mem_new(struct backing);

	b->slices = map_new();
	b->endpoints = map_new();
	b->by_service = map_new();
	return b;
}

static void row_free(void *value)
{
	struct row *row = value;

	free(row->v);
	free(row);
}

static void endpoints_free(void *value)
{
	object_endpoints_free(value);
}

struct backing *backing_free(struct backing *b)
{
	if (!b)
		return NULL;
	map_clear(b->by_service, row_free);
	map_clear(b->slices, endpoints_free);
	map_clear(b->endpoints, endpoints_free);
	map_free(b->by_service);
	map_free(b->slices);
	map_free(b->endpoints);
	free(b);
	return NULL;
}

/* Slices stay in front, in the order in which they came. */
static void row_add(struct row *row, struct object_endpoints *e)
{
	size_t at = e->is_slice ? row->n_slices : row->n;

	mem_grow(row->v, row->n, row->cap);
	memmove(row->v + at + 1, row->v + at, (row->n - at) * sizeof(struct object_endpoints *));
	row->v[at] = e;
	row->n++;
	row->n_slices += e->is_slice;
}

static void row_del(struct row *row, const struct object_endpoints *e)
{
	size_t at = 0;

	while (row->v[at] != e)
		at++;
	row->n--;
	row->n_slices -= e->is_slice;
	memmove(row->v + at, row->v + at + 1, (row->n - at) * sizeof(struct object_endpoints *));
}

static void backing_link(struct backing *b, struct object_endpoints *e)
{
	if (!e->service)
		return;
	struct row *row = map_get(b->by_service, e->service);

	if (!row) {
		row = mem_new(struct row);
		(void)map_put(b->by_service, e->service, row);
	}
	row_add(row, e);
}

static struct object_endpoints *backing_unlink(struct backing *b, struct object_endpoints *e)
{
	struct row *row = e && e->service ? map_get(b->by_service, e->service) : NULL;

	if (!row)
		return e;
	row_del(row, e);
	if (row->n == 0)
		row_free(map_del(b->by_service, e->service));
	return e;
}

struct object_endpoints *backing_put(struct backing *b, struct object_endpoints *take)
{
	struct object_endpoints *old =
		map_put(take->is_slice ? b->slices : b->endpoints, take->key, take);

	backing_unlink(b, old);
	backing_link(b, take);
	return old;
}

struct object_endpoints *backing_del(struct backing *b, bool is_slice, const char *key)
{
	return backing_unlink(b, map_del(is_slice ? b->slices : b->endpoints, key));
}

const struct object_endpoints *const *backing_of(const struct backing *b, const char *service,
						 size_t *n)
{
	const struct row *row = map_get(b->by_service, service);

	*n = !row ? 0 : row->n_slices ? row->n_slices : row->n;
	return row ? (const struct object_endpoints *const *)row->v : NULL;
}
