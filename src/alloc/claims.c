#include "alloc/claims.h"

#include <stdio.h>
#include <string.h>

/** The leases of pools under one sharing key, in the order of writing. */
struct key_leases {
	struct lease **v;
	size_t n, cap;
};

void claims_init(struct claims *c)
{
	c->by_service = map_new();
	c->by_addr = map_new();
	c->by_key = map_new();
}

static void claim_free(void *value)
{
	struct claim *claim = value;

	free(claim->service);
	free(claim->addresses);
	free(claim->sharing_key);
	free(claim->ports);
	free(claim->backend);
	free(claim);
}

static void lease_free(void *value)
{
	struct lease *l = value;

	free(l->claims);
	free(l);
}

static void key_leases_free(void *value)
{
	struct key_leases *k = value;

	free(k->v);
	free(k);
}

void claims_fini(struct claims *c)
{
	map_clear(c->by_service, claim_free);
	map_clear(c->by_addr, lease_free);
	map_clear(c->by_key, key_leases_free);
	map_free(c->by_service);
	map_free(c->by_addr);
	map_free(c->by_key);
}

struct claim *claims_find(const struct claims *c, const char *service)
{
	return map_get(c->by_service, service);
}

struct lease *claims_lease(const struct claims *c, const struct addr *a)
{
	return map_get_bytes(c->by_addr, a, sizeof(*a));
}

/* Pools in their order, elements in that of writing, then the lower address. */
static int lease_cmp(const struct lease *a, const struct lease *b)
{
	if (a->segment->pool != b->segment->pool)
		return a->segment->pool->order < b->segment->pool->order ? -1 : 1;
	if (a->segment != b->segment)
		return a->segment->order < b->segment->order ? -1 : 1;
	return addr_cmp(&a->addr, &b->addr);
}

static size_t key_search(const struct key_leases *k, const struct lease *l)
{
	size_t lo = 0, hi = k->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (lease_cmp(k->v[mid], l) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void key_add(struct claims *c, const char *key, struct lease *l)
{
	struct key_leases *k = map_get(c->by_key, key);

	if (!k) {
		k = mem_new(struct key_leases);
		(void)map_put(c->by_key, key, k);
	}
	size_t at = key_search(k, l);
	mem_grow(k->v, k->n, k->cap);
	memmove(k->v + at + 1, k->v + at, (k->n - at) * sizeof(struct lease *));
	k->v[at] = l;
	k->n++;
}

static void key_del(struct claims *c, const char *key, struct lease *l)
{
	struct key_leases *k = map_get(c->by_key, key);
	size_t at = key_search(k, l);

	k->n--;
	memmove(k->v + at, k->v + at + 1, (k->n - at) * sizeof(struct lease *));
	if (k->n == 0)
		key_leases_free(map_del(c->by_key, key));
}

static struct lease *lease_open(struct claims *c, const struct space *s, const struct claim *claim,
				const struct addr *a)
{
	struct lease *l = mem_new(struct lease);

	l->addr = *a;
	l->segment = space_find(s, a);
	(void)map_put_bytes(c->by_addr, a, sizeof(*a), l);
	if (!l->segment)
		return l;
	space_take(l->segment, a);
	if (claim->sharing_key) /* all its holders have the same key, or it has but one */
		key_add(c, claim->sharing_key, l);
	return l;
}

static void lease_close(struct claims *c, struct lease *l, const struct claim *last)
{
	if (l->segment) {
		space_give(l->segment, &l->addr);
		if (last->sharing_key)
			key_del(c, last->sharing_key, l);
	}
	lease_free(map_del_bytes(c->by_addr, &l->addr, sizeof(l->addr)));
}

static void lease_join(struct lease *l, struct claim *claim)
{
	l->claims = mem_resize(l->claims, l->n + 1, sizeof(struct claim *));
	l->claims[l->n++] = claim;
}

static void lease_leave(struct claims *c, struct lease *l, struct claim *claim)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->claims[i] == claim) {
			l->claims[i] = l->claims[--l->n];
			break;
		}
	if (l->n == 0)
		lease_close(c, l, claim);
}

static bool has_key(const char *sharing_key)
{
	return sharing_key && *sharing_key;
}

void claims_add(struct claims *c, const struct space *s, const struct alloc_request *r,
		const struct addr *addresses, size_t n)
{
	struct claim *claim = mem_new(struct claim);
	struct segment *seg = space_find(s, &addresses[0]);

	claim->service = mem_strdup(r->service);
	claim->pool = seg ? seg->pool : NULL;
	claim->addresses = mem_dup(addresses, n * sizeof(*addresses));
	claim->n = n;
	claim->sharing_key = has_key(r->sharing_key) ? mem_strdup(r->sharing_key) : NULL;
	claim->ports = r->n_ports ? mem_dup(r->ports, r->n_ports * sizeof(*r->ports)) : NULL;
	claim->n_ports = r->n_ports;
	claim->backend = mem_strdup(r->backend ? r->backend : "");
	for (size_t i = 0; i < n; i++) {
		struct lease *l = claims_lease(c, &addresses[i]);

		lease_join(l ? l : lease_open(c, s, claim, &addresses[i]), claim);
	}
	(void)map_put(c->by_service, r->service, claim);
}

void claims_remove(struct claims *c, struct claim *claim)
{
	for (size_t i = 0; i < claim->n; i++)
		lease_leave(c, claims_lease(c, &claim->addresses[i]), claim);
	claim_free(map_del(c->by_service, claim->service));
}

static const char *ip_protocol_name(enum cfg_ip_protocol p)
{
	return p == CFG_TCP ? "tcp" : p == CFG_UDP ? "udp" : "sctp";
}

static const struct cfg_port *common_port(const struct claim *c, const struct alloc_request *r)
{
	for (size_t i = 0; i < c->n_ports; i++)
		for (size_t j = 0; j < r->n_ports; j++)
			if (c->ports[i].port == r->ports[j].port &&
			    c->ports[i].protocol == r->ports[j].protocol)
				return &c->ports[i];
	return NULL;
}

static void say(struct buf *why, const struct lease *l, const struct claim *holder,
		const char *text)
{
	if (why)
		buf_printf(why, "%s is in use by %s, %s", ADDR_TEXT(&l->addr), holder->service,
			   text);
}

static bool claim_shares(const struct lease *l, const struct claim *c,
			 const struct alloc_request *r, struct buf *why)
{
	char port[64];
	const struct cfg_port *taken = common_port(c, r);

	if (!c->sharing_key)
		say(why, l, c, "which does not share it");
	else if (!has_key(r->sharing_key))
		say(why, l, c, "and this service does not share (allow-shared-ip)");
	else if (strcmp(c->sharing_key, r->sharing_key) != 0)
		say(why, l, c, "which shares it under another key");
	else if (strcmp(c->backend, r->backend ? r->backend : "") != 0)
		say(why, l, c, "which has other backends (external-traffic-policy Local)");
	else if (!taken)
		return true;
	else {
		(void)snprintf(port, sizeof(port), "which has port %u/%s already", taken->port,
			       ip_protocol_name(taken->protocol));
		say(why, l, c, port);
	}
	return false;
}

bool claims_shareable(const struct lease *l, const struct alloc_request *r, struct buf *why)
{
	for (size_t i = 0; i < l->n; i++)
		if (!claim_shares(l, l->claims[i], r, why))
			return false;
	return true;
}

const struct lease *claims_lowest_shareable(const struct claims *c, const struct alloc_request *r,
					    const struct pool_space *p, enum family family)
{
	const struct key_leases *k =
		has_key(r->sharing_key) ? map_get(c->by_key, r->sharing_key) : NULL;

	for (size_t i = 0; k && i < k->n; i++) {
		const struct lease *l = k->v[i];

		if (l->segment->pool == p && l->addr.family == family &&
		    claims_shareable(l, r, NULL))
			return l;
	}
	return NULL;
}
