#include "alloc/claims.h"

#include <string.h>

/* The owner of a lease is a claim that shares with nobody, or with this bit a place. */
static const uint32_t PLACE = UINT32_C(1) << 31;

void claims_init(struct claims *c)
{
	*c = (struct claims){ .all = SLAB_OF(struct claim), .seed = index_seed() };
	leases_init(&c->leases);
	sharing_init(&c->sharing, &c->leases);
}

static struct claim *claim_at(const struct claims *c, uint32_t claim)
{
	return slab_at(&c->all, claim);
}

static const uint32_t *leases_of(const struct claim *claim)
{
	return claim->n <= ARRAY_LEN(claim->leases.few) ? claim->leases.few : claim->leases.many;
}

static void content_free(struct claim *claim)
{
	free(claim->service);
	if (claim->n > ARRAY_LEN(claim->leases.few))
		free(claim->leases.many);
}

void claims_fini(struct claims *c)
{
	size_t at = 0;

	for (uint32_t claim; (claim = index_each(&c->by_service, &at));)
		content_free(claim_at(c, claim));
	at = 0;
	for (uint32_t lease; (lease = index_each(&c->leases.by_addr, &at));)
		if (*lease_owner(&c->leases, lease) & PLACE)
			place_drop(&c->sharing, *lease_owner(&c->leases, lease) & ~PLACE);
	sharing_fini(&c->sharing);
	leases_fini(&c->leases);
	index_fini(&c->by_service);
	slab_fini(&c->all);
}

static uint32_t hash_of(const struct claims *c, const char *service)
{
	return index_hash(c->seed, service, strlen(service));
}

uint32_t claims_find(const struct claims *c, const char *service)
{
	struct index_walk w = index_find(&c->by_service, hash_of(c, service));
	uint32_t claim;

	while ((claim = index_next(&w)))
		if (strcmp(claim_at(c, claim)->service, service) == 0)
			break;
	return claim;
}

size_t claims_addresses(const struct claims *c, uint32_t claim,
			struct addr out[static ALLOC_ADDRESSES_MAX])
{
	const struct claim *one = claim_at(c, claim);

	for (uint32_t i = 0; i < one->n; i++)
		out[i] = lease_addr(&c->leases, leases_of(one)[i]);
	return one->n;
}

bool claims_in_use(const struct claims *c, const struct addr *a)
{
	return leases_find(&c->leases, a);
}

static uint32_t lease_open(struct claims *c, const struct space *s, uint32_t claim,
			   const struct addr *a)
{
	uint32_t lease = leases_open(&c->leases, a), terms = claim_at(c, claim)->terms;
	struct segment *seg = space_find(s, a);

	*lease_owner(&c->leases, lease) =
		terms ? place_open(&c->sharing, lease, seg, terms) | PLACE : claim;
	if (seg)
		space_take(seg, a);
	return lease;
}

static uint32_t lease_take(struct claims *c, const struct space *s, uint32_t claim,
			   const struct addr *a)
{
	uint32_t lease = leases_find(&c->leases, a);

	if (!lease)
		return lease_open(c, s, claim, a);
	place_join(&c->sharing, *lease_owner(&c->leases, lease) & ~PLACE,
		   claim_at(c, claim)->terms);
	return lease;
}

static void lease_leave(struct claims *c, const struct space *s, uint32_t lease, uint32_t terms)
{
	uint32_t owner = *lease_owner(&c->leases, lease);
	struct addr a = lease_addr(&c->leases, lease);
	struct segment *seg;

	if (owner & PLACE && !place_leave(&c->sharing, owner & ~PLACE, terms))
		return;
	leases_close(&c->leases, lease);
	seg = space_find(s, &a);
	if (seg)
		space_give(seg, &a);
}

void claims_add(struct claims *c, const struct space *s, const struct alloc_request *r,
		const struct addr *addresses, size_t n)
{
	uint32_t handle = slab_new(&c->all);
	struct claim *claim = claim_at(c, handle);
	uint32_t *leases = claim->leases.few;

	claim->service = mem_strdup(r->service);
	claim->n = (uint32_t)n;
	if (n > ARRAY_LEN(claim->leases.few))
		leases = claim->leases.many = mem_new_n(uint32_t, n);
	if (sharing_wanted(r))
		claim->terms = sharing_terms_new(&c->sharing, r, handle);
	for (size_t i = 0; i < n; i++)
		leases[i] = lease_take(c, s, handle, &addresses[i]);
	index_add(&c->by_service, hash_of(c, r->service), handle);
}

void claims_remove(struct claims *c, const struct space *s, uint32_t handle)
{
	struct claim *claim = claim_at(c, handle);

	for (uint32_t i = 0; i < claim->n; i++)
		lease_leave(c, s, leases_of(claim)[i], claim->terms);
	if (claim->terms)
		sharing_terms_free(&c->sharing, claim->terms);
	index_del(&c->by_service, hash_of(c, claim->service), handle);
	content_free(claim);
	slab_free(&c->all, handle);
}

static const char *ip_protocol_name(enum cfg_ip_protocol p)
{
	return p == CFG_TCP ? "tcp" : p == CFG_UDP ? "udp" : "sctp";
}

static void explain(struct buf *why, const struct addr *a, const char *holder,
		    enum place_refusal refusal, const struct cfg_port *port)
{
	static const char *const texts[] = {
		[PLACE_NO_KEY] = "and this service does not share (allow-shared-ip)",
		[PLACE_OTHER_KEY] = "which shares it under another key",
		[PLACE_OTHER_BACKEND] = "which has other backends (external-traffic-policy Local)",
	};

	buf_printf(why, "%s is in use by %s, ", ADDR_TEXT(a), holder);
	if (refusal == PLACE_PORT)
		buf_printf(why, "which has port %u/%s already", port->port,
			   ip_protocol_name(port->protocol));
	else
		buf_puts(why, texts[refusal]);
}

bool claims_shareable(const struct claims *c, const struct addr *a, const struct alloc_request *r,
		      struct buf *why)
{
	const struct cfg_port *port = NULL;
	uint32_t lease = leases_find(&c->leases, a);
	uint32_t owner = lease ? *lease_owner(&c->leases, lease) : 0, claim = owner;
	enum place_refusal refusal;

	if (!lease)
		return true;
	if (!(owner & PLACE)) {
		if (why)
			buf_printf(why, "%s is in use by %s, which does not share it", ADDR_TEXT(a),
				   claim_at(c, owner)->service);
		return false;
	}
	refusal = place_fits(&c->sharing, owner & ~PLACE, r, &claim, &port);
	if (refusal != PLACE_FITS && why)
		explain(why, a, claim_at(c, claim)->service, refusal, port);
	return refusal == PLACE_FITS;
}

bool claims_lowest_shareable(const struct claims *c, const struct alloc_request *r,
			     const struct pool_space *p, enum family family, struct segment **seg,
			     struct addr *out)
{
	uint32_t lease = sharing_lowest(&c->sharing, r, p, family, seg);

	if (lease)
		*out = lease_addr(&c->leases, lease);
	return lease;
}
