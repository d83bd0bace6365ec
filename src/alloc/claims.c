#include "alloc/claims.h"

#include <string.h>

/** What one service holds, or a part of it. */
struct claim {
	uint32_t terms;	   /* 0: not shared */
	uint32_t next;	   /* the claim with its further addresses; 0: these are all */
	uint16_t families; /* bit i: the address i is one of IPv6 */
	uint16_t n;
	uint8_t content[]; /* the addresses, then the name */
};

/* The owner of an address is a claim that shares with nobody, or with this bit a place. */
static const uint32_t PLACE = UINT32_C(1) << 31;

/* The lower part of a claim's handle says which size of record it has. */
enum { SIZE_BITS = 6, SIZE_MASK = (1 << SIZE_BITS) - 1 };
_Static_assert(CLAIM_SIZES <= 1 << SIZE_BITS, "a size of record needs more bits");
_Static_assert((uint64_t)SLAB_MAX << SIZE_BITS <= UINT64_C(1) << 31, "a bit is for places");
_Static_assert(CLAIM_ADDRESSES_MAX <= 16, "families has a bit for each address");

void claims_init(struct claims *c)
{
	*c = (struct claims){ .seed = index_seed() };
	for (size_t i = 0; i < CLAIM_SIZES; i++)
		slab_init(&c->by_size[i], sizeof(struct claim) + (i + 1) * CLAIM_STEP);
	sharing_init(&c->sharing);
}

void claims_fini(struct claims *c)
{
	size_t at = 0;

	for (uint32_t owner; (owner = index_each(&c->by_addr, &at));)
		if (owner & PLACE)
			place_drop(&c->sharing, owner & ~PLACE);
	sharing_fini(&c->sharing);
	index_fini(&c->by_service);
	index_fini(&c->by_addr);
	for (size_t i = 0; i < CLAIM_SIZES; i++)
		slab_fini(&c->by_size[i]);
}

/* --- records --- */

static struct claim *claim_at(const struct claims *c, uint32_t claim)
{
	return slab_at(&c->by_size[claim & SIZE_MASK], claim >> SIZE_BITS);
}

/* Where the address i stands, or behind the last one the name. */
static size_t offset_of(const struct claim *claim, unsigned i)
{
	return 4 * (size_t)i + 12 * (size_t)__builtin_popcount(claim->families & ((1U << i) - 1));
}

static const char *service_of(const struct claim *claim)
{
	return (const char *)claim->content + offset_of(claim, claim->n);
}

static struct addr addr_at(const struct claim *claim, unsigned i)
{
	return addr_from_bytes(claim->families >> i & 1 ? FAMILY_V6 : FAMILY_V4,
			       claim->content + offset_of(claim, i));
}

static uint32_t claim_new(struct claims *c, const char *service, const struct addr *v, size_t n)
{
	struct claim head = { .n = (uint16_t)n };
	size_t len = strlen(service), size;

	for (unsigned i = 0; i < n; i++)
		head.families |= (uint16_t)((v[i].family == FAMILY_V6) << i);
	size = (offset_of(&head, head.n) + len) / CLAIM_STEP;
	uint32_t handle = slab_new(&c->by_size[size]) << SIZE_BITS | (uint32_t)size;
	struct claim *claim = claim_at(c, handle);
	*claim = head;
	for (unsigned i = 0; i < n; i++)
		memcpy(claim->content + offset_of(claim, i), v[i].b, addr_len(&v[i]));
	memcpy(claim->content + offset_of(claim, head.n), service, len + 1);
	return handle;
}

/* --- looking up --- */

static uint32_t service_hash(const struct claims *c, const char *service)
{
	return index_hash(c->seed, service, strlen(service));
}

static uint32_t addr_hash_of(const struct claims *c, const struct addr *a)
{
	return index_hash(c->seed, a->b, addr_len(a));
}

uint32_t claims_find(const struct claims *c, const char *service)
{
	struct index_walk w = index_find(&c->by_service, service_hash(c, service));
	uint32_t claim;

	while ((claim = index_next(&w)))
		if (strcmp(service_of(claim_at(c, claim)), service) == 0)
			break;
	return claim;
}

static bool claim_has(const struct claim *claim, const struct addr *a)
{
	bool is_v6 = a->family == FAMILY_V6;

	for (unsigned i = 0; i < claim->n; i++)
		if ((claim->families >> i & 1) == is_v6 &&
		    memcmp(claim->content + offset_of(claim, i), a->b, addr_len(a)) == 0)
			return true;
	return false;
}

static uint32_t owner_of(const struct claims *c, const struct addr *a)
{
	struct index_walk w = index_find(&c->by_addr, addr_hash_of(c, a));
	uint32_t owner;

	while ((owner = index_next(&w)))
		if (owner & PLACE ? addr_eq(place_addr(&c->sharing, owner & ~PLACE), a)
				  : claim_has(claim_at(c, owner), a))
			break;
	return owner;
}

size_t claims_count(const struct claims *c, uint32_t claim)
{
	size_t n = 0;

	for (; claim; claim = claim_at(c, claim)->next)
		n += claim_at(c, claim)->n;
	return n;
}

void claims_addresses(const struct claims *c, uint32_t claim, struct addr *out)
{
	for (; claim; claim = claim_at(c, claim)->next) {
		const struct claim *one = claim_at(c, claim);

		for (unsigned i = 0; i < one->n; i++)
			*out++ = addr_at(one, i);
	}
}

struct addr claims_first(const struct claims *c, uint32_t claim)
{
	return addr_at(claim_at(c, claim), 0);
}

bool claims_in_use(const struct claims *c, const struct addr *a)
{
	return owner_of(c, a) != 0;
}

/* --- changes --- */

static void address_take(struct claims *c, const struct space *s, uint32_t claim,
			 const struct addr *a)
{
	uint32_t owner = owner_of(c, a), terms = claim_at(c, claim)->terms;

	if (owner) {
		place_join(&c->sharing, owner & ~PLACE, terms);
		return;
	}
	struct segment *seg = space_find(s, a);
	owner = terms ? place_open(&c->sharing, a, seg, terms) | PLACE : claim;
	index_add(&c->by_addr, addr_hash_of(c, a), owner);
	if (seg)
		space_take(seg, a);
}

static void address_leave(struct claims *c, const struct space *s, uint32_t claim,
			  const struct addr *a)
{
	uint32_t terms = claim_at(c, claim)->terms, owner = terms ? owner_of(c, a) : claim;

	if (terms && !place_leave(&c->sharing, owner & ~PLACE, terms))
		return;
	struct segment *seg = space_find(s, a);
	if (seg)
		space_give(seg, a);
	index_del(&c->by_addr, addr_hash_of(c, a), owner);
}

/* The chain from its end, so that each record is made with the next one. */
static uint32_t chain_new(struct claims *c, const char *service, const struct addr *v, size_t n)
{
	uint32_t next = 0;

	for (size_t at = (n - 1) / CLAIM_ADDRESSES_MAX * CLAIM_ADDRESSES_MAX;;
	     at -= CLAIM_ADDRESSES_MAX) {
		uint32_t claim =
			claim_new(c, service, v + at, MIN(n - at, (size_t)CLAIM_ADDRESSES_MAX));

		claim_at(c, claim)->next = next;
		next = claim;
		if (at == 0)
			return claim;
	}
}

void claims_add(struct claims *c, const struct space *s, const struct alloc_request *r,
		const struct addr *addresses, size_t n)
{
	uint32_t head = chain_new(c, r->service, addresses, n), terms = 0;

	if (sharing_wanted(r))
		terms = sharing_terms_new(&c->sharing, r, head);
	for (uint32_t claim = head; claim; claim = claim_at(c, claim)->next) {
		claim_at(c, claim)->terms = terms;
		for (unsigned i = 0; i < claim_at(c, claim)->n; i++)
			address_take(c, s, claim, addresses++);
	}
	index_add(&c->by_service, service_hash(c, r->service), head);
}

/* Give back what stands in one record. */
static void claim_leave(struct claims *c, const struct space *s, uint32_t handle)
{
	const struct claim *claim = claim_at(c, handle);
	struct addr v[CLAIM_ADDRESSES_MAX];

	for (unsigned i = 0; i < claim->n; i++) {
		v[i] = addr_at(claim, i);
		index_prefetch(&c->by_addr, addr_hash_of(c, &v[i]));
	}
	for (unsigned i = 0; i < claim->n; i++)
		address_leave(c, s, handle, &v[i]);
}

void claims_remove(struct claims *c, const struct space *s, uint32_t handle)
{
	const struct claim *head = claim_at(c, handle);
	uint32_t terms = head->terms;

	if (terms)
		__builtin_prefetch(slab_at(&c->sharing.terms, terms));
	index_del(&c->by_service, service_hash(c, service_of(head)), handle);
	for (uint32_t next; handle; handle = next) {
		claim_leave(c, s, handle);
		next = claim_at(c, handle)->next;
		slab_free(&c->by_size[handle & SIZE_MASK], handle >> SIZE_BITS);
	}
	if (terms)
		sharing_terms_free(&c->sharing, terms);
}

/* --- sharing --- */

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
	uint32_t owner = owner_of(c, a), claim;
	enum place_refusal refusal;

	if (!owner)
		return true;
	if (!(owner & PLACE)) {
		if (why)
			buf_printf(why, "%s is in use by %s, which does not share it", ADDR_TEXT(a),
				   service_of(claim_at(c, owner)));
		return false;
	}
	refusal = place_fits(&c->sharing, owner & ~PLACE, r, &claim, &port);
	if (refusal != PLACE_FITS && why)
		explain(why, a, service_of(claim_at(c, claim)), refusal, port);
	return refusal == PLACE_FITS;
}
