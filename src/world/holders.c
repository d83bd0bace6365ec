#include "world/holders.h"

/** The services of one address. */
struct holding {
	const struct world_service **v;
	size_t n, cap;
};

struct holders {
	struct map *by_addr; /* struct addr -> struct holding */
};

struct holders *holders_new(void)
{
	struct holders *h = mem_new(struct holders);

	h->by_addr = map_new();
	return h;
}

static void holding_free(void *value)
{
	struct holding *hold = value;

	free(hold->v);
	free(hold);
}

struct holders *holders_free(struct holders *h)
{
	if (!h)
		return NULL;
	map_clear(h->by_addr, holding_free);
	map_free(h->by_addr);
	free(h);
	return NULL;
}

void holders_add(struct holders *h, const struct addr *a, const struct world_service *s)
{
	struct holding *hold = map_get_bytes(h->by_addr, a, sizeof(*a));

	if (!hold) {
		hold = mem_new(struct holding);
		(void)map_put_bytes(h->by_addr, a, sizeof(*a), hold);
	}
	mem_grow(hold->v, hold->n, hold->cap);
	hold->v[hold->n++] = s;
}

void holders_del(struct holders *h, const struct addr *a, const struct world_service *s)
{
	struct holding *hold = map_get_bytes(h->by_addr, a, sizeof(*a));

	if (!hold)
		return;
	for (size_t i = 0; i < hold->n; i++)
		if (hold->v[i] == s) {
			hold->v[i] = hold->v[--hold->n];
			break;
		}
	if (hold->n == 0)
		holding_free(map_del_bytes(h->by_addr, a, sizeof(*a)));
}

const struct world_service *const *holders_of(const struct holders *h, const struct addr *a,
					      size_t *n)
{
	const struct holding *hold = map_get_bytes(h->by_addr, a, sizeof(*a));

	*n = hold ? hold->n : 0;
	return hold ? hold->v : NULL;
}
