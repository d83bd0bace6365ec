#include "alloc/leases.h"

#include <string.h>

struct lease_v4 {
	uint8_t bytes[4];
	uint32_t owner;
};

struct lease_v6 {
	uint8_t bytes[16];
	uint32_t owner;
};

/* What the handle of an IPv6 lease has on top. */
static const uint32_t V6 = UINT32_C(1) << 31;

void leases_init(struct leases *l)
{
	*l = (struct leases){
		.v4 = SLAB_OF(struct lease_v4),
		.v6 = SLAB_OF(struct lease_v6),
		.seed = index_seed(),
	};
}

void leases_fini(struct leases *l)
{
	slab_fini(&l->v4);
	slab_fini(&l->v6);
	index_fini(&l->by_addr);
}

/* A record of either kind begins with the address. */
static void *record_at(const struct leases *l, uint32_t lease)
{
	return lease & V6 ? slab_at(&l->v6, lease & ~V6) : slab_at(&l->v4, lease);
}

static uint32_t hash_of(const struct leases *l, const struct addr *a)
{
	return index_hash(l->seed, a->b, addr_len(a));
}

uint32_t leases_find(const struct leases *l, const struct addr *a)
{
	struct index_walk w = index_find(&l->by_addr, hash_of(l, a));
	bool is_v6 = a->family == FAMILY_V6;
	uint32_t lease;

	while ((lease = index_next(&w)))
		if (!(lease & V6) == !is_v6 && memcmp(record_at(l, lease), a->b, addr_len(a)) == 0)
			break;
	return lease;
}

uint32_t leases_open(struct leases *l, const struct addr *a)
{
	uint32_t lease = a->family == FAMILY_V6 ? slab_new(&l->v6) | V6 : slab_new(&l->v4);

	memcpy(record_at(l, lease), a->b, addr_len(a));
	index_add(&l->by_addr, hash_of(l, a), lease);
	return lease;
}

void leases_close(struct leases *l, uint32_t lease)
{
	struct addr a = lease_addr(l, lease);

	index_del(&l->by_addr, hash_of(l, &a), lease);
	slab_free(lease & V6 ? &l->v6 : &l->v4, lease & ~V6);
}

struct addr lease_addr(const struct leases *l, uint32_t lease)
{
	return addr_from_bytes(lease & V6 ? FAMILY_V6 : FAMILY_V4, record_at(l, lease));
}

uint32_t *lease_owner(const struct leases *l, uint32_t lease)
{
	void *record = record_at(l, lease);

	return lease & V6 ? &((struct lease_v6 *)record)->owner
			  : &((struct lease_v4 *)record)->owner;
}
