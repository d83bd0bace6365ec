#include "alloc/alloc.h"

#include <string.h>

#include "alloc/choose.h"

/** What a service had before a call; almost always few. */
struct had {
	struct addr few[CLAIM_ADDRESSES_MAX];
	struct addr *v; /* those, or more of our own */
	size_t n;
};

static void had_init(struct had *h, size_t n)
{
	h->v = n > ARRAY_LEN(h->few) ? mem_new_n(struct addr, n) : h->few;
	h->n = n;
}

static void had_fini(struct had *h)
{
	if (h->v != h->few)
		free(h->v);
}

struct alloc *alloc_new(const struct cfg *c)
{
	struct alloc *a = mem_new(struct alloc);

	space_init(&a->space, c);
	claims_init(&a->claims);
	past_init(&a->past, &c->allocation);
	return a;
}

struct alloc *alloc_free(struct alloc *a)
{
	if (!a)
		return NULL;
	past_fini(&a->past);
	claims_fini(&a->claims);
	space_fini(&a->space);
	free(a->lent);
	free(a);
	return NULL;
}

void alloc_freep(struct alloc **a)
{
	*a = alloc_free(*a);
}

static bool matches_any(const struct selectors *s, const struct labels *v, size_t n)
{
	for (size_t i = 0; s->n && i < n; i++)
		if (selectors_match(s, &v[i]))
			return true;
	return false;
}

bool alloc_set_namespaces(struct alloc *a, const struct labels *v, size_t n)
{
	bool changed = false;

	for (size_t i = 0; i < a->space.n; i++) {
		struct pool_space *p = &a->space.pools[i];

		bool selected = p->cfg->reserved &&
				matches_any(&p->cfg->reserved->namespace_selectors, v, n);

		changed |= selected != p->selected;
		p->selected = selected;
	}
	return changed;
}

/* --- what was given back --- */

static void wake(struct alloc *a, const struct departure *d)
{
	for (size_t i = 0; d->resting && i < d->n; i++)
		space_wake(space_find(&a->space, &d->addresses[i]), &d->addresses[i]);
}

static void wake_due(struct alloc *a)
{
	for (struct departure *d; (d = past_due(&a->past, a->now_s));) {
		wake(a, d);
		past_wake(&a->past, d);
	}
}

void alloc_advance(struct alloc *a, int64_t now_s)
{
	a->now_s = MAX(a->now_s, now_s);
	wake_due(a);
}

int64_t alloc_next_wake(const struct alloc *a)
{
	return past_next(&a->past);
}

static bool is_past(const struct alloc *a, const struct addr *addr)
{
	return space_find(&a->space, addr) && !claims_in_use(&a->claims, addr) &&
	       !past_resting(&a->past, addr);
}

void alloc_remember(struct alloc *a, const char *service, const struct addr *v, size_t n,
		    int64_t at_s)
{
	struct addr gone[ALLOC_PAST_MAX];
	size_t n_gone = 0;

	if (past_is_off(&a->past))
		return;
	for (size_t i = 0; i < n && n_gone < ARRAY_LEN(gone); i++)
		if (is_past(a, &v[i]))
			gone[n_gone++] = v[i];
	if (n_gone == 0)
		return;
	for (size_t i = 0; a->past.rest_s && i < n_gone; i++)
		space_rest(space_find(&a->space, &gone[i]), &gone[i]);
	past_add(&a->past, service, gone, n_gone, at_s);
	wake_due(a);
}

/* The service gets these: nobody needs to wait for it any more. */
static void return_to(struct alloc *a, const char *service, const struct addr *v, size_t n)
{
	struct departure *d;

	for (size_t i = 0; i < n; i++)
		if ((d = past_resting(&a->past, &v[i]))) {
			space_wake(space_find(&a->space, &v[i]), &v[i]);
			past_return(&a->past, d, &v[i]);
		}
	d = past_of(&a->past, service);
	if (d && !d->resting)
		past_forget(&a->past, d);
}

/* --- changing hands --- */

static void take(struct alloc *a, const struct alloc_request *r, const struct addr *v, size_t n)
{
	if (!past_is_off(&a->past))
		return_to(a, r->service, v, n);
	claims_add(&a->claims, &a->space, r, v, n);
}

static void let_go(struct alloc *a, const char *service, struct had *out)
{
	uint32_t claim = claims_find(&a->claims, service);

	had_init(out, claim ? claims_count(&a->claims, claim) : 0);
	if (!claim)
		return;
	claims_addresses(&a->claims, claim, out->v);
	claims_remove(&a->claims, &a->space, claim);
}

/* Of what the service had, some may be nobody's now. */
static void settle(struct alloc *a, const char *service, const struct had *had)
{
	bool stays = !past_is_off(&a->past) && claims_find(&a->claims, service);

	if (had->n && (a->past.rest_s || !stays))
		alloc_remember(a, service, had->v, had->n, a->now_s);
}

void alloc_release(struct alloc *a, const char *service)
{
	struct had had;

	let_go(a, service, &had);
	settle(a, service, &had);
	had_fini(&had);
}

static bool same_set(const struct addr *v, const struct addr *w, size_t n)
{
	struct addr *both[] = { choose_sorted(v, n), choose_sorted(w, n) };
	bool same = true;

	for (size_t i = 0; same && i < n; i++)
		same = addr_eq(&both[0][i], &both[1][i]);
	free(both[0]);
	free(both[1]);
	return same;
}

/* What is asked for by name, in any order; no address twice. */
static bool is_as_asked(const struct alloc_request *r, const struct addr *v, size_t n)
{
	if (r->n_addresses == 0)
		return true;
	if (n != r->n_addresses)
		return false;
	return memcmp(v, r->addresses, n * sizeof(*v)) == 0 || same_set(v, r->addresses, n);
}

static int take_again(struct alloc *a, const struct alloc_request *r, const struct addr *v,
		      size_t n, struct buf *why)
{
	const char *text = n == 0 ? "nothing was held" : "other addresses are asked for";

	if (n && is_as_asked(r, v, n)) {
		if (!choose_allows(a, r, v, n, why))
			return -1;
		take(a, r, v, n);
		return 0;
	}
	if (why)
		buf_puts(why, text);
	return -1;
}

int alloc_hold(struct alloc *a, const struct alloc_request *r, const struct addr *held, size_t n,
	       struct buf *why)
{
	struct had had;

	let_go(a, r->service, &had);
	int rc = take_again(a, r, held, n, why);
	settle(a, r->service, &had);
	had_fini(&had);
	return rc;
}

/* A pair that could not be had whole before: look for the other half in the same pool. */
static void complete_pair(struct alloc *a, const struct alloc_request *r)
{
	uint32_t claim = claims_find(&a->claims, r->service);
	struct pick pick;

	if (!r->want_v4 || !r->want_v6 || r->n_addresses)
		return;
	struct addr one = claims_first(&a->claims, claim);
	struct segment *seg = space_find(&a->space, &one);
	if (claims_count(&a->claims, claim) != 1 || !seg ||
	    !choose_other_half(a, r, seg->pool, &one, &pick))
		return;
	claims_remove(&a->claims, &a->space, claim);
	take(a, r, pick.v, pick.n);
}

/* What it had before it went away, unless somebody else has that by now. */
static int take_back(struct alloc *a, const struct alloc_request *r)
{
	const struct departure *d = past_is_off(&a->past) ? NULL : past_of(&a->past, r->service);
	struct addr had[ALLOC_PAST_MAX];

	if (!d || !choose_offers(space_find(&a->space, &d->addresses[0])->pool, r))
		return -1;
	size_t n = d->n; /* taking them ends the departure */
	memcpy(had, d->addresses, n * sizeof(had[0]));
	return take_again(a, r, had, n, NULL);
}

static int take_new(struct alloc *a, const struct alloc_request *r, struct buf *why)
{
	struct pick pick;

	if (r->n_addresses) {
		if (!choose_allows(a, r, r->addresses, r->n_addresses, why))
			return -1;
		take(a, r, r->addresses, r->n_addresses);
		return 0;
	}
	if (!choose_any(a, r, &pick, why))
		return -1;
	take(a, r, pick.v, pick.n);
	return 0;
}

int alloc_assign(struct alloc *a, const struct alloc_request *r, struct buf *why)
{
	struct had had;
	int rc;

	let_go(a, r->service, &had);
	rc = had.n ? take_again(a, r, had.v, had.n, NULL) : take_back(a, r);
	if (rc == 0)
		complete_pair(a, r);
	else
		rc = take_new(a, r, why);
	settle(a, r->service, &had);
	had_fini(&had);
	return rc;
}

bool alloc_find(struct alloc *a, const char *service, struct alloc_grant *out)
{
	uint32_t claim = claims_find(&a->claims, service);

	if (!claim)
		return false;
	out->n = claims_count(&a->claims, claim);
	while (a->cap_lent < out->n)
		mem_grow(a->lent, a->cap_lent, a->cap_lent);
	claims_addresses(&a->claims, claim, a->lent);
	out->addresses = a->lent;
	const struct segment *seg = space_find(&a->space, &out->addresses[0]);
	out->pool = seg ? seg->pool->cfg->name : NULL;
	return true;
}

static struct alloc_family_usage family_usage(struct pool_space *p, enum family family)
{
	size_t i = family == FAMILY_V6;
	struct alloc_family_usage u = {
		.total = space_total(p, family),
		.used = p->used[i],
		.resting = p->resting[i],
	};
	struct segment *seg;
	struct addr next;

	u.free = u.total - MIN(u.total, u.used + u.resting);
	if (space_lowest(p, family, &seg, &next))
		u.next = next;
	return u;
}

bool alloc_usage(struct alloc *a, const char *pool, struct alloc_usage *out)
{
	struct pool_space *p = space_pool(&a->space, pool);

	if (!p)
		return false;
	out->v4 = family_usage(p, FAMILY_V4);
	out->v6 = family_usage(p, FAMILY_V6);
	return true;
}
