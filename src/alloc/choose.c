#include "alloc/choose.h"

#include <stdio.h>
#include <string.h>

#include "alloc/reserve.h"

/* So long a reason is kept for each service that gets nothing: pools beyond are only counted. */
enum { WHY_ENOUGH = 2048 };

/** Families that are to be had together; none: one address of any. */
struct wish {
	bool v4, v6;
};

static void say(struct buf *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct buf *why, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	if (!why)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0)
		buf_puts(why, text);
	va_end(args);
	free(text);
}

static bool name_fits(const struct alloc_request *r, struct buf *why)
{
	bool fits = strlen(r->service) <= ALLOC_SERVICE_MAX;

	if (!fits)
		say(why, "the service's name is longer than %d bytes", ALLOC_SERVICE_MAX);
	return fits;
}

/* --- addresses by name --- */

static bool families_fit(const struct alloc_request *r, const struct addr *v, size_t n)
{
	bool has_v4 = false, has_v6 = false;

	for (size_t i = 0; i < n; i++) {
		has_v4 |= v[i].family == FAMILY_V4;
		has_v6 |= v[i].family == FAMILY_V6;
	}
	if (!r->want_v4 && !r->want_v6)
		return r->by_hand || n == 1;
	if (r->want_v4 && r->want_v6 && r->policy == CFG_PREFER_DUAL_STACK && r->n_addresses == 0)
		return true; /* the pair may be completed later */
	return has_v4 == r->want_v4 && has_v6 == r->want_v6;
}

static int compare_addrs(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

struct addr *choose_sorted(const struct addr *v, size_t n)
{
	struct addr *sorted = mem_dup(v, n * sizeof(*v));

	qsort(sorted, n, sizeof(*sorted), compare_addrs);
	return sorted;
}

static bool has_twice(const struct addr *v, size_t n)
{
	bool twice = false;

	if (n < 2)
		return false;
	struct addr *sorted = choose_sorted(v, n);
	for (size_t i = 1; i < n; i++)
		twice |= addr_eq(&sorted[i - 1], &sorted[i]);
	free(sorted);
	return twice;
}

/* One address of each family at most, unless a person chose them for a standalone service. */
static bool number_fits(const struct alloc_request *r, const struct addr *v, size_t n,
			struct buf *why)
{
	bool is_pair = n == 2 && v[0].family != v[1].family;

	if (n > ALLOC_ADDRESSES_MAX)
		say(why, "more than %d addresses are asked for", ALLOC_ADDRESSES_MAX);
	else if (has_twice(v, n))
		say(why, "an address is asked for twice");
	else if (!r->by_hand && n != 1 && !is_pair)
		say(why, "more than one address of a family is asked for");
	else
		return true;
	return false;
}

static bool pool_allows(const struct pool_space *p, const struct alloc_request *r,
			const struct addr *a, struct buf *why)
{
	const char *name = p->cfg->name;

	if (r->pool && strcmp(name, r->pool) != 0)
		say(why, "%s is in pool %s, not in pool %s", ADDR_TEXT(a), name, r->pool);
	else if (!reserve_allows(p->cfg->reserved, p->selected, r))
		say(why, "%s is in pool %s: reserved (for other namespaces or services)",
		    ADDR_TEXT(a), name);
	else if (space_avoids(p, a))
		say(why, "pool %s never hands out %s (avoid-buggy-ips)", name, ADDR_TEXT(a));
	else
		return true;
	return false;
}

static bool is_rested(const struct alloc *a, const struct alloc_request *r, const struct addr *addr,
		      struct buf *why)
{
	const struct departure *d = past_is_off(&a->past) ? NULL : past_resting(&a->past, addr);

	if (!d || strcmp(d->service, r->service) == 0)
		return true;
	say(why, "%s rests for %lld more seconds, after %s gave it back", ADDR_TEXT(addr),
	    (long long)(d->rests_until_s - a->now_s), d->service);
	return false;
}

static bool address_allowed(struct alloc *a, const struct alloc_request *r, const struct addr *addr,
			    const struct pool_space *first, struct buf *why)
{
	const struct segment *seg = space_find(&a->space, addr);
	const struct pool_space *p = seg ? seg->pool : NULL;

	if (!p && (!r->by_hand || r->pool)) {
		say(why, "%s is in no pool", ADDR_TEXT(addr));
		return false;
	}
	if (p && !pool_allows(p, r, addr, why))
		return false;
	if (p != first) {
		say(why, "%s is not in the same pool as its other addresses", ADDR_TEXT(addr));
		return false;
	}
	return claims_shareable(&a->claims, addr, r, why) && is_rested(a, r, addr, why);
}

bool choose_allows(struct alloc *a, const struct alloc_request *r, const struct addr *v, size_t n,
		   struct buf *why)
{
	const struct segment *seg = space_find(&a->space, &v[0]);

	if (!name_fits(r, why) || !number_fits(r, v, n, why))
		return false;
	if (!families_fit(r, v, n)) {
		say(why, "the addresses are not of the families that the service asks for");
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!address_allowed(a, r, &v[i], seg ? seg->pool : NULL, why))
			return false;
	return true;
}

/* --- out of a pool --- */

/* The lowest usable address: a free one, or one below it that is shared with us. */
static bool pool_lowest(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
			enum family family, struct addr *out, size_t *order)
{
	struct segment *free_in = NULL, *shared_in = NULL;
	struct addr shared;
	bool is_free = space_lowest(p, family, &free_in, out);
	bool is_shared = sharing_lowest(&a->claims.sharing, r, p, family, &shared_in, &shared);

	if (is_shared && (!is_free || shared_in->order < free_in->order ||
			  (shared_in == free_in && addr_cmp(&shared, out) < 0))) {
		*out = shared;
		free_in = shared_in;
	}
	if (is_free || is_shared)
		*order = free_in->order;
	return is_free || is_shared;
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
static bool pick_either(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
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

static void say_pool(const struct pool_space *p, struct buf *why, const char *word)
{
	say(why, "%spool %s: %s", why && why->len ? "; " : "", p->cfg->name, word);
}

static void say_full(const struct pool_space *p, enum family family, struct buf *why)
{
	unsigned long long total, resting = p->resting[family == FAMILY_V6];

	if (!why)
		return;
	total = space_total(p, family);
	if (!space_has_family(p, family)) {
		say_pool(p, why, "no-family");
		say(why, " (no IPv%u addresses)", (unsigned)family);
	} else if (resting) {
		say_pool(p, why, "resting");
		say(why, " (of %llu IPv%u addresses, those that are not in use rest: %llu)", total,
		    (unsigned)family, resting);
	} else {
		say_pool(p, why, "full");
		say(why, " (all %llu IPv%u addresses are in use)", total, (unsigned)family);
	}
}

/* All that is wanted out of one pool, IPv4 first; or nothing, and what is missing. */
static bool pick_from(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
		      struct wish wish, struct pick *pick, struct buf *why)
{
	*pick = (struct pick){ 0 };
	if (!wish.v4 && !wish.v6) {
		if (pick_either(a, r, p, pick))
			return true;
		say_full(p, space_has_family(p, FAMILY_V4) ? FAMILY_V4 : FAMILY_V6, why);
		return false;
	}
	if (wish.v4 && !pick_family(a, r, p, FAMILY_V4, pick)) {
		say_full(p, FAMILY_V4, why);
		return false;
	}
	if (wish.v6 && !pick_family(a, r, p, FAMILY_V6, pick)) {
		say_full(p, FAMILY_V6, why);
		return false;
	}
	return true;
}

/* --- which pool --- */

bool choose_offers(const struct pool_space *p, const struct alloc_request *r)
{
	const struct cfg_reservation *reserved = p->cfg->reserved;

	if (r->pool)
		return strcmp(p->cfg->name, r->pool) == 0 &&
		       reserve_allows(reserved, p->selected, r);
	return p->cfg->auto_assign && (!reserved || reserve_offers(reserved, p->selected, r));
}

static void say_not_offered(const struct pool_space *p, const struct alloc_request *r,
			    struct buf *why)
{
	if (!r->pool && !p->cfg->auto_assign)
		say_pool(p, why, "manual (auto-assign is off)");
	else
		say_pool(p, why, "reserved (for other namespaces or services)");
}

static bool pick_pool(struct alloc *a, const struct alloc_request *r, struct wish wish,
		      struct pick *pick, struct buf *why)
{
	size_t unnamed = 0;

	for (size_t i = 0; i < a->space.n; i++) {
		struct pool_space *p = a->space.ranked[i];
		struct buf *still = why && why->len < WHY_ENOUGH ? why : NULL;

		if (r->pool && strcmp(p->cfg->name, r->pool) != 0)
			continue;
		unnamed += !still;
		if (!choose_offers(p, r))
			say_not_offered(p, r, still);
		else if (pick_from(a, r, p, wish, pick, still))
			return true;
	}
	if (unnamed)
		say(why, "; and %zu more pools", unnamed);
	return false;
}

static bool pick_ranked(struct alloc *a, const struct alloc_request *r, struct pick *pick,
			struct buf *why)
{
	struct wish all = { .v4 = r->want_v4, .v6 = r->want_v6 };
	struct wish first = { .v4 = !r->v6_first, .v6 = r->v6_first };
	struct wish second = { .v4 = r->v6_first, .v6 = !r->v6_first };

	if (pick_pool(a, r, all, pick, why))
		return true;
	if (!all.v4 || !all.v6 || r->policy != CFG_PREFER_DUAL_STACK)
		return false;
	/* Rather one address than none: the reasons stand in @why already. */
	return pick_pool(a, r, first, pick, NULL) || pick_pool(a, r, second, pick, NULL);
}

bool choose_any(struct alloc *a, const struct alloc_request *r, struct pick *out, struct buf *why)
{
	struct buf tried = { 0 };
	bool found = false;

	if (!name_fits(r, why))
		return false;
	if (a->space.n == 0)
		say(why, "there are no pools");
	else if (r->pool && !space_pool(&a->space, r->pool))
		say(why, "there is no pool %s", r->pool);
	else
		found = pick_ranked(a, r, out, why ? &tried : NULL);
	if (!found && why)
		buf_puts(why, buf_text(&tried));
	buf_fini(&tried);
	return found;
}

bool choose_other_half(struct alloc *a, const struct alloc_request *r, struct pool_space *p,
		       const struct addr *one, struct pick *out)
{
	*out = (struct pick){ 0 };
	if (one->family == FAMILY_V6)
		return pick_family(a, r, p, FAMILY_V4, out) && (out->v[out->n++] = *one, true);
	out->v[out->n++] = *one;
	return pick_family(a, r, p, FAMILY_V6, out);
}
