#include "world/holders.h"

#include "base/addr_map.h"

/** The services of one address: mostly one. */
struct holding {
	struct addr addr;
	uint32_t n, cap; /* cap 0: `one` */
	union {
		const struct world_service *one;
		const struct world_service **many;
	};
};

struct holders {
	struct addr_map *by_addr; /* struct holding */
};

struct holders *holders_new(void)
{
	struct holders *h = mem_new(struct holders);

	h->by_addr = addr_map_new();
	return h;
}

static void holding_free(struct holding *hold)
{
	if (hold->cap)
		free(hold->many);
	free(hold);
}

struct holders *holders_free(struct holders *h)
{
	struct holding *hold;

	if (!h)
		return NULL;
	for (size_t at = 0; (hold = addr_map_next(h->by_addr, &at));)
		holding_free(hold);
	addr_map_free(h->by_addr);
	free(h);
	return NULL;
}

static const struct world_service **services_of(struct holding *hold)
{
	return hold->cap ? hold->many : &hold->one;
}

static struct holding *holding_of(struct holders *h, const struct addr *a)
{
	struct holding *hold = addr_map_get(h->by_addr, a);

	if (!hold) {
		hold = mem_new(struct holding);
		hold->addr = *a;
		addr_map_put(h->by_addr, hold);
	}
	return hold;
}

static void make_room(struct holding *hold)
{
	const struct world_service *first = hold->one;

	if (hold->cap) {
		mem_grow(hold->many, hold->n, hold->cap);
	} else if (hold->n == 1) {
		hold->cap = 4;
		hold->many = mem_new_n(const struct world_service *, hold->cap);
		hold->many[0] = first;
	}
}

void holders_add(struct holders *h, const struct addr *a, const struct world_service *s)
{
	struct holding *hold = holding_of(h, a);

	make_room(hold);
	services_of(hold)[hold->n++] = s;
}

void holders_del(struct holders *h, const struct addr *a, const struct world_service *s)
{
	struct holding *hold = addr_map_get(h->by_addr, a);

	if (!hold)
		return;
	const struct world_service **v = services_of(hold);
	for (size_t i = 0; i < hold->n; i++)
		if (v[i] == s) {
			v[i] = v[--hold->n];
			break;
		}
	if (hold->n == 0)
		holding_free(addr_map_del(h->by_addr, a));
}

const struct world_service *const *holders_of(const struct holders *h, const struct addr *a,
					      size_t *n)
{
	struct holding *hold = addr_map_get(h->by_addr, a);

	*n = hold ? hold->n : 0;
	return hold ? services_of(hold) : NULL;
}
