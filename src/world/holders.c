#include "world/holders.h"

#define PLACES_MIN 16
#define SHARED	   UINT32_MAX

/** Of an address that is had: by one service, or by several. */
struct place {
	union {
		const struct world_service *one;
		struct sharing *sharing;
	};
	uint32_t at; /* in the service's list; SHARED: several have it */
	bool used;
};

/** Who have an address together. */
struct sharing {
	struct addr addr;
	size_t n, cap;
	const struct world_service **v;
};

/* Linear probing; at most three quarters full. */
struct holders {
	struct place *places;
	size_t mask;
	size_t n;
};

struct holders *holders_new(void)
{
	struct holders *h = mem_new(struct holders);

	h->places = mem_new_n(struct place, PLACES_MIN);
	h->mask = PLACES_MIN - 1;
	return h;
}

static void sharing_free(struct sharing *s)
{
	free(s->v);
	free(s);
}

struct holders *holders_free(struct holders *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i <= h->mask; i++)
		if (h->places[i].used && h->places[i].at == SHARED)
			sharing_free(h->places[i].sharing);
	free(h->places);
	free(h);
	return NULL;
}

static const struct addr *address_of(const struct place *p)
{
	return p->at == SHARED ? &p->sharing->addr : &p->one->addresses[p->at];
}

static size_t home_of(const struct holders *h, const struct addr *a)
{
	return (size_t)addr_hash(a) & h->mask;
}

/* Where the address is, or the empty place where it would go. */
static size_t search(const struct holders *h, const struct addr *a)
{
	size_t at = home_of(h, a);

	while (h->places[at].used && !addr_eq(address_of(&h->places[at]), a))
		at = (at + 1) & h->mask;
	return at;
}

static void grow(struct holders *h)
{
	struct holders bigger = { .mask = h->mask * 2 + 1, .n = h->n };

	bigger.places = mem_new_n(struct place, bigger.mask + 1);
	for (size_t i = 0; i <= h->mask; i++)
		if (h->places[i].used)
			bigger.places[search(&bigger, address_of(&h->places[i]))] = h->places[i];
	free(h->places);
	*h = bigger;
}

static void sharing_add(struct sharing *s, const struct world_service *service)
{
	mem_grow(s->v, s->n, s->cap);
	s->v[s->n++] = service;
}

/* From now on several have it. */
static void share(struct place *p)
{
	struct sharing *s = mem_new(struct sharing);

	s->addr = *address_of(p);
	sharing_add(s, p->one);
	*p = (struct place){ .sharing = s, .at = SHARED, .used = true };
}

void holders_add(struct holders *h, const struct world_service *s, uint32_t i)
{
	if ((h->n + 1) * 4 > (h->mask + 1) * 3)
		grow(h);
	struct place *p = &h->places[search(h, &s->addresses[i])];

	if (!p->used) {
		*p = (struct place){ .one = s, .at = i, .used = true };
		h->n++;
		return;
	}
	if (p->at != SHARED)
		share(p);
	sharing_add(p->sharing, s);
}

/* Close the gap, so that probing needs no tombstones. */
static void close_gap(struct holders *h, size_t gap)
{
	for (size_t at = (gap + 1) & h->mask; h->places[at].used; at = (at + 1) & h->mask) {
		size_t home = home_of(h, address_of(&h->places[at]));

		if (((at - home) & h->mask) < ((at - gap) & h->mask))
			continue; /* it would stand in front of where its probing starts */
		h->places[gap] = h->places[at];
		gap = at;
	}
	h->places[gap] = (struct place){ 0 };
	h->n--;
}

/* Returns true when nobody is left. */
static bool sharing_del(struct sharing *s, const struct world_service *service)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == service) {
			s->v[i] = s->v[--s->n];
			break;
		}
	return s->n == 0;
}

void holders_del(struct holders *h, const struct world_service *s, uint32_t i)
{
	size_t at = search(h, &s->addresses[i]);
	struct place *p = &h->places[at];

	if (!p->used)
		return;
	if (p->at == SHARED) {
		if (!sharing_del(p->sharing, s))
			return;
		sharing_free(p->sharing);
	}
	close_gap(h, at);
}

const struct world_service *const *holders_of(const struct holders *h, const struct addr *a,
					      size_t *n)
{
	const struct place *p = &h->places[search(h, a)];

	*n = 0;
	if (!p->used)
		return NULL;
	*n = p->at == SHARED ? p->sharing->n : 1;
	return p->at == SHARED ? p->sharing->v : &p->one;
}
