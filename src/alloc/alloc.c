#include "alloc/alloc.h"

#include <stdio.h>
#include <string.h>

#include "alloc/claims.h"

enum { PAIR = 2 }; /* most addresses that the allocator chooses */

struct alloc {
	struct space space;
	struct claims claims;
};

/** What would be handed out. */
struct pick {
	struct addr v[PAIR];
	size_t n;
};

struct alloc *alloc_new(const struct cfg *c)
{
	struct alloc *a = mem_new(struct alloc);

	space_init(&a->space, c);
	claims_init(&a->claims);
	return a;
}

struct alloc *alloc_free(struct alloc *a)
{
	if (!a)
		return NULL;
	claims_fini(&a->claims);
	space_fini(&a->space);
	free(a);
	return NULL;
}

void alloc_freep(struct alloc **a)
{
	*a = alloc_free(*a);
}

static void say(struct buf *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct buf *why, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (!why)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_puts(why, text);
}

/* Reasons of several pools stand behind each other. */
static void say_next(struct buf *why)
{
	if (why && why->len)
		buf_puts(why, "; ");
}

static bool wants_any(const struct alloc_request *r)
{
	return !r->want_v4 && !r->want_v6;
}

static bool wants_pair(const struct alloc_request *r)
{
	return r->want_v4 && r->want_v6;
}

static bool families_fit(const struct alloc_request *r, const struct addr *v, size_t n)
{
	bool has_v4 = false, has_v6 = false;

	for (size_t i = 0; i < n; i++) {
		has_v4 |= v[i].family == FAMILY_V4;
		has_v6 |= v[i].family == FAMILY_V6;
	}
	if (wants_any(r))
		return r->by_hand || n == 1;
	if (wants_pair(r) && r->policy == CFG_PREFER_DUAL_STACK && r->n_addresses == 0)
		return true; /* the pair may be completed later */
	return has_v4 == r->want_v4 && has_v6 == r->want_v6;
}

/* One address of each family at most, unless a person chose them for a standalone service. */
static bool number_fits(const struct alloc_request *r, const struct addr *v, size_t n)
{
	return r->by_hand || n == 1 || (n == PAIR && v[0].family != v[1].family);
}

static bool allowed_in_pool(struct alloc *a, const struct alloc_request *r, const struct addr *addr,
			    const struct pool_space *expected, struct buf *why)
{
	const struct segment *seg = space_find(&a->space, addr);
	const struct pool_space *p = seg ? seg->pool : NULL;

	if (!p && (!r->by_hand || r->pool)) {
		say(why, "%s is in no pool", ADDR_TEXT(addr));
		return false;
	}
	if (p && r->pool && strcmp(p->cfg->name, r->pool) != 0) {
		say(why, "%s is in pool %s, not in pool %s", ADDR_TEXT(addr), p->cfg->name,
		    r->pool);
		return false;
	}
	if (p != expected) {
		say(why, "%s is not in the same pool as its other addresses", ADDR_TEXT(addr));
		return false;
	}
	if (p && space_avoids(p, addr)) {
		say(why, "pool %s never hands out %s (avoid-buggy-ips)", p->cfg->name,
		    ADDR_TEXT(addr));
		return false;
	}
	return true;
}

/* May the service have exactly these? */
static bool all_allowed(struct alloc *a, const struct alloc_request *r, const struct addr *v,
			size_t n, struct buf *why)
{
	const struct segment *seg = space_find(&a->space, &v[0]);

	if (!number_fits(r, v, n)) {
		say(why, "more than one address of a family is asked for");
		return false;
	}
	if (!families_fit(r, v, n)) {
		say(why, "the addresses are not of the families that the service asks for");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct lease *l = claims_lease(&a->claims, &v[i]);

		if (!allowed_in_pool(a, r, &v[i], seg ? seg->pool : NULL, why) ||
		    (l && !claims_shareable(l, r, why)))
			return false;
	}
	return true;
}

/* The lowest usable address: a free one, or one below it that is shared with us. */
static bool pool_lowest(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
			enum family family, struct addr *out, size_t *order)
{
	const struct lease *l = claims_lowest_shareable(&a->claims, r, p, family);
	struct segment *seg = NULL;
	bool is_free = space_lowest(p, family, &seg, out);

	if (is_free)
		*order = seg->order;
	if (!l || (is_free && (l->segment->order > *order ||
			       (l->segment->order == *order && addr_cmp(&l->addr, out) > 0))))
		return is_free;
	*out = l->addr;
	*order = l->segment->order;
	return true;
}

static bool pick_family(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
			enum family family, struct pick *pick)
{
	size_t order;

	if (!pool_lowest(a, r, p, family, &pick->v[pick->n], &order))
		return false;
	pick->n++;
	return true;
}

/* One of any family: the one whose element is written first. */
static bool pick_any(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
		     struct pick *pick)
{
	struct addr v4, v6;
	size_t order_v4 = 0, order_v6 = 0;
	bool has_v4 = pool_lowest(a, r, p, FAMILY_V4, &v4, &order_v4);
	bool has_v6 = pool_lowest(a, r, p, FAMILY_V6, &v6, &order_v6);

	if (!has_v4 && !has_v6)
		return false;
	pick->v[0] = !has_v6 || (has_v4 && order_v4 < order_v6) ? v4 : v6;
	pick->n = 1;
	return true;
}

static void say_pool_full(const struct pool_space *p, enum family family, struct buf *why)
{
	unsigned v = family;

	if (!why)
		return;
	say_next(why);
	if (!space_has_family(p, family))
		say(why, "pool %s: no IPv%u addresses", p->cfg->name, v);
	else
		say(why, "pool %s: all %llu IPv%u addresses are in use", p->cfg->name,
		    (unsigned long long)space_total(p, family), v);
}

/* All that is wanted out of one pool, IPv4 first; or nothing, and what is missing. */
static bool pick_from(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
		      bool want_v4, bool want_v6, struct pick *pick, struct buf *why)
{
	*pick = (struct pick){ 0 };
	if (!want_v4 && !want_v6) {
		if (pick_any(a, r, p, pick))
			return true;
		say_pool_full(p, space_has_family(p, FAMILY_V4) ? FAMILY_V4 : FAMILY_V6, why);
		return false;
	}
	if (want_v4 && !pick_family(a, r, p, FAMILY_V4, pick)) {
		say_pool_full(p, FAMILY_V4, why);
		return false;
	}
	if (want_v6 && !pick_family(a, r, p, FAMILY_V6, pick)) {
		say_pool_full(p, FAMILY_V6, why);
		return false;
	}
	return true;
}

/* The first of the pools that may be tried and has all that is wanted. */
static bool pick_pool(struct alloc *a, const struct alloc_request *r, bool want_v4, bool want_v6,
		      struct pick *pick, struct buf *why)
{
	for (size_t i = 0; i < a->space.n; i++) {
		struct pool_space *p = &a->space.pools[i];

		if (r->pool && strcmp(p->cfg->name, r->pool) != 0)
			continue;
		if (!r->pool && !p->cfg->auto_assign) {
			say_next(why);
			say(why, "pool %s: auto-assign is off", p->cfg->name);
			continue;
		}
		if (pick_from(a, r, p, want_v4, want_v6, pick, why))
			return true;
	}
	return false;
}

static bool pick_automatic(struct alloc *a, const struct alloc_request *r, struct pick *pick,
			   struct buf *why)
{
	if (r->pool && !space_pool(&a->space, r->pool)) {
		say(why, "there is no pool %s", r->pool);
		return false;
	}
	if (a->space.n == 0) {
		say(why, "there are no pools");
		return false;
	}
	if (pick_pool(a, r, r->want_v4, r->want_v6, pick, why))
		return true;
	if (!wants_pair(r) || r->policy != CFG_PREFER_DUAL_STACK)
		return false;
	/* Rather one address than none: the reasons stand in @why already. */
	return pick_pool(a, r, !r->v6_first, r->v6_first, pick, NULL) ||
	       pick_pool(a, r, r->v6_first, !r->v6_first, pick, NULL);
}

void alloc_release(struct alloc *a, const char *service)
{
	struct claim *claim = claims_find(&a->claims, service);

	if (claim)
		claims_remove(&a->claims, claim);
}

static bool in_set(const struct addr *v, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_eq(&v[i], a))
			return true;
	return false;
}

/* What is asked for by name, in any order. */
static bool is_as_asked(const struct alloc_request *r, const struct addr *v, size_t n)
{
	if (r->n_addresses == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!in_set(r->addresses, r->n_addresses, &v[i]))
			return false;
	return n == r->n_addresses;
}

int alloc_hold(struct alloc *a, const struct alloc_request *r, const struct addr *held, size_t n,
	       struct buf *why)
{
	/* @held may be what the claim itself has. */
	struct addr *v = n ? mem_dup(held, n * sizeof(*held)) : NULL;
	int rc = -1;

	alloc_release(a, r->service);
	if (n == 0) {
		say(why, "nothing was held");
	} else if (!is_as_asked(r, v, n)) {
		say(why, "other addresses are asked for");
	} else if (all_allowed(a, r, v, n, why)) {
		claims_add(&a->claims, &a->space, r, v, n);
		rc = 0;
	}
	free(v);
	return rc;
}

/* A pair that could not be had whole before: look for the other half in the same pool. */
static void complete_pair(struct alloc *a, const struct alloc_request *r)
{
	struct claim *claim = claims_find(&a->claims, r->service);
	struct pick pick = { .n = 1 };

	if (!wants_pair(r) || claim->n != 1 || !claim->pool || r->n_addresses)
		return;
	pick.v[0] = claim->addresses[0];
	bool has_v4 = pick.v[0].family == FAMILY_V4;
	if (!pick_family(a, r, claim->pool, has_v4 ? FAMILY_V6 : FAMILY_V4, &pick))
		return;
	if (!has_v4) {
		struct addr v6 = pick.v[0];
		pick.v[0] = pick.v[1];
		pick.v[1] = v6;
	}
	claims_remove(&a->claims, claim);
	claims_add(&a->claims, &a->space, r, pick.v, pick.n);
}

static int assign_afresh(struct alloc *a, const struct alloc_request *r, struct buf *why)
{
	struct buf tried = { 0 };
	struct pick pick;
	int rc = -1;

	if (r->n_addresses) {
		if (!all_allowed(a, r, r->addresses, r->n_addresses, why))
			return -1;
		claims_add(&a->claims, &a->space, r, r->addresses, r->n_addresses);
		return 0;
	}
	if (pick_automatic(a, r, &pick, &tried)) {
		claims_add(&a->claims, &a->space, r, pick.v, pick.n);
		rc = 0;
	} else if (why) {
		buf_puts(why, buf_text(&tried));
	}
	buf_fini(&tried);
	return rc;
}

int alloc_assign(struct alloc *a, const struct alloc_request *r, struct buf *why)
{
	const struct claim *claim = claims_find(&a->claims, r->service);

	if (claim && alloc_hold(a, r, claim->addresses, claim->n, NULL) == 0) {
		complete_pair(a, r);
		return 0;
	}
	return assign_afresh(a, r, why);
}

bool alloc_find(const struct alloc *a, const char *service, struct alloc_grant *out)
{
	const struct claim *claim = claims_find(&a->claims, service);

	if (!claim)
		return false;
	*out = (struct alloc_grant){
		.pool = claim->pool ? claim->pool->cfg->name : NULL,
		.addresses = claim->addresses,
		.n = claim->n,
	};
	return true;
}

bool alloc_usage(const struct alloc *a, const char *pool, struct alloc_usage *out)
{
	const struct pool_space *p = space_pool(&a->space, pool);

	if (!p)
		return false;
	*out = (struct alloc_usage){
		.total_v4 = space_total(p, FAMILY_V4),
		.used_v4 = p->used[0],
		.total_v6 = space_total(p, FAMILY_V6),
		.used_v6 = p->used[1],
	};
	return true;
}
