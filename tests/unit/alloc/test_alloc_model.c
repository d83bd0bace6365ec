#include "alloc/alloc.h"

#include "base/rng.h"
#include "unit/world/fixture.h"

enum { STEPS = 1000000, SERVICES = 60, SPOTS_MAX = 64, PORTS = 3, GONE_MAX = 2 * SPOTS_MAX };

/* The naive twin: every address of every pool in one list, in the order of allocation. */
struct spot {
	struct addr addr;
	int pool;
};

struct holder {
	bool holds;
	size_t spots[2];
	size_t n;
	struct alloc_request terms;
};

/* What a service gave back at once. */
struct gone {
	size_t service;
	size_t spots[2];
	size_t n;
	int64_t until_s;
	bool resting;
	bool latest; /* of its service */
};

struct twin {
	const struct cfg *cfg;
	struct spot spots[SPOTS_MAX];
	size_t n_spots;
	struct holder services[SERVICES];
	struct gone gone[GONE_MAX]; /* in the order of time */
	size_t n_gone;
	int64_t rest_s, now_s;
};

static bool avoided(const struct cfg_pool *p, const struct addr *a)
{
	return p->avoid_buggy_ips && a->family == FAMILY_V4 && (a->b[3] == 0 || a->b[3] == 255);
}

static void twin_init(struct twin *t, const struct cfg *c)
{
	*t = (struct twin){ .cfg = c, .rest_s = c->allocation.rest.ns / DUR_S(1).ns };
	for (size_t i = 0; i < c->n_pools; i++)
		for (size_t j = 0; j < c->pools[i].n_addresses; j++)
			for (size_t k = 0; k < c->pools[i].addresses[j].n; k++) {
				struct range r = prefix_range(&c->pools[i].addresses[j].v[k]);

				for (struct addr a = r.first; range_contains(&r, &a);
				     (void)addr_next(&a))
					t->spots[t->n_spots++] =
						(struct spot){ .addr = a, .pool = (int)i };
			}
}

static bool ports_meet(const struct alloc_request *a, const struct alloc_request *b)
{
	for (size_t i = 0; i < a->n_ports; i++)
		for (size_t j = 0; j < b->n_ports; j++)
			if (a->ports[i].port == b->ports[j].port)
				return true;
	return false;
}

static bool holds_spot(const struct holder *h, size_t spot)
{
	for (size_t i = 0; h->holds && i < h->n; i++)
		if (h->spots[i] == spot)
			return true;
	return false;
}

/* --- what was given back --- */

/* Who is waited for, or NULL. */
static struct gone *resting(struct twin *t, size_t spot)
{
	for (size_t i = 0; i < t->n_gone; i++)
		for (size_t j = 0; t->gone[i].resting && j < t->gone[i].n; j++)
			if (t->gone[i].spots[j] == spot)
				return &t->gone[i];
	return NULL;
}

static struct gone *latest(struct twin *t, size_t service)
{
	for (size_t i = 0; i < t->n_gone; i++)
		if (t->gone[i].service == service && t->gone[i].latest)
			return &t->gone[i];
	return NULL;
}

static void forget(struct twin *t, struct gone *g)
{
	size_t at = (size_t)(g - t->gone);

	t->n_gone--;
	memmove(g, g + 1, (t->n_gone - at) * sizeof(*g));
}

static void twin_advance(struct twin *t, int64_t now_s)
{
	t->now_s = now_s;
	for (size_t i = 0; i < t->n_gone;) {
		struct gone *g = &t->gone[i];

		if (g->resting && g->until_s <= now_s)
			g->resting = false;
		if (!g->resting && !(t->cfg->allocation.sticky && g->latest))
			forget(t, g);
		else
			i++;
	}
}

static bool is_held(const struct twin *t, size_t spot)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (holds_spot(&t->services[i], spot))
			return true;
	return false;
}

/* @had before, and whoever has it now is known. */
static void twin_settle(struct twin *t, size_t me, const struct holder *had)
{
	struct gone g = { .service = me,
			  .until_s = t->now_s + t->rest_s,
			  .resting = t->rest_s > 0,
			  .latest = true };
	struct gone *before;

	if (!had->holds || (!t->rest_s && (!t->cfg->allocation.sticky || t->services[me].holds)))
		return;
	for (size_t i = 0; i < had->n; i++)
		if (!is_held(t, had->spots[i]) && !resting(t, had->spots[i]))
			g.spots[g.n++] = had->spots[i];
	if (g.n == 0)
		return;
	if ((before = latest(t, me)))
		before->latest = false;
	if (before && !before->resting)
		forget(t, before);
	assert_true(t->n_gone < GONE_MAX);
	t->gone[t->n_gone++] = g;
}

/* It has these again. */
static void twin_return(struct twin *t, size_t me)
{
	const struct holder *h = &t->services[me];
	struct gone *g;

	for (size_t i = 0; i < h->n; i++)
		if ((g = resting(t, h->spots[i]))) {
			assert_int_equal(g->service, me); /* rests for nobody else */
			if (g->spots[0] == h->spots[i])
				g->spots[0] = g->spots[1];
			if (--g->n == 0)
				forget(t, g);
		}
	if ((g = latest(t, me)) && !g->resting)
		forget(t, g);
}

/* --- who may have what --- */

/* As far as its holders go, and those that it waits for. */
static bool usable(struct twin *t, size_t me, size_t spot, const struct alloc_request *r)
{
	const struct spot *s = &t->spots[spot];
	const struct gone *g = resting(t, spot);

	if (avoided(&t->cfg->pools[s->pool], &s->addr) || (g && g->service != me))
		return false;
	for (size_t i = 0; i < SERVICES; i++) {
		const struct alloc_request *other = &t->services[i].terms;

		if (i == me || !holds_spot(&t->services[i], spot))
			continue;
		if (!r->sharing_key || !other->sharing_key ||
		    strcmp(r->sharing_key, other->sharing_key) != 0 || ports_meet(r, other) ||
		    strcmp(r->backend, other->backend) != 0)
			return false;
	}
	return true;
}

/* A pool's namespaces: nobody, "x", or whatever; see the pools below. */
static bool admits(const struct cfg_pool *p, const struct alloc_request *r)
{
	return !p->reserved || strcmp(r->namespace, p->reserved->namespaces.v[0]) == 0;
}

static bool lowest(struct twin *t, size_t me, const struct alloc_request *r, int pool, int family,
		   size_t *out)
{
	for (size_t i = 0; i < t->n_spots; i++)
		if (t->spots[i].pool == pool && (!family || t->spots[i].addr.family == family) &&
		    usable(t, me, i, r) && !resting(t, i)) {
			*out = i;
			return true;
		}
	return false;
}

static bool from_pool(struct twin *t, size_t me, const struct alloc_request *r, int pool)
{
	struct holder *h = &t->services[me];
	int families[] = { r->want_v4 ? FAMILY_V4 : 0, r->want_v6 ? FAMILY_V6 : 0 };

	h->n = 0;
	if (!r->want_v4 && !r->want_v6) {
		h->n = 1;
		return lowest(t, me, r, pool, 0, &h->spots[0]);
	}
	for (size_t i = 0; i < 2; i++)
		if (families[i] && !lowest(t, me, r, pool, families[i], &h->spots[h->n++]))
			return false;
	return true;
}

/* What it has already, when that is still right. */
static bool keeps(struct twin *t, size_t me, const struct alloc_request *r)
{
	const struct holder *h = &t->services[me];
	bool v4 = false, v6 = false;

	if (!h->holds)
		return false;
	for (size_t i = 0; i < h->n; i++) {
		const struct spot *s = &t->spots[h->spots[i]];

		v4 |= s->addr.family == FAMILY_V4;
		v6 |= s->addr.family == FAMILY_V6;
		if (!usable(t, me, h->spots[i], r))
			return false;
		if (r->pool && strcmp(r->pool, t->cfg->pools[s->pool].name) != 0)
			return false;
		if (!admits(&t->cfg->pools[s->pool], r))
			return false;
		if (r->n_addresses && !addr_eq(&r->addresses[0], &s->addr))
			return false;
	}
	if (!r->want_v4 && !r->want_v6)
		return h->n == 1;
	if (r->policy == CFG_PREFER_DUAL_STACK && !r->n_addresses)
		return true;
	return v4 == r->want_v4 && v6 == r->want_v6;
}

static bool by_address(struct twin *t, size_t me, const struct alloc_request *r)
{
	struct holder *h = &t->services[me];

	for (size_t i = 0; i < t->n_spots; i++) {
		if (!addr_eq(&t->spots[i].addr, &r->addresses[0]))
			continue;
		h->spots[0] = i;
		h->n = 1;
		h->holds = true;
		h->holds = keeps(t, me, r);
		return h->holds;
	}
	return false;
}

/* What it gave back last, if it comes as somebody who would be offered that pool. */
static bool as_before(struct twin *t, size_t me, const struct alloc_request *r)
{
	const struct gone *g = latest(t, me);
	struct holder *h = &t->services[me];

	if (!g || (!r->pool && !t->cfg->pools[t->spots[g->spots[0]].pool].auto_assign))
		return false;
	*h = (struct holder){ .holds = true, .n = g->n, .spots = { g->spots[0], g->spots[1] } };
	h->holds = keeps(t, me, r);
	return h->holds;
}

static bool from_those(struct twin *t, size_t me, const struct alloc_request *r, bool reserved)
{
	for (size_t i = 0; i < t->cfg->n_pools; i++) {
		const struct cfg_pool *p = &t->cfg->pools[i];
		bool tried = r->pool ? strcmp(r->pool, p->name) == 0 : p->auto_assign;

		if (tried && admits(p, r) && (p->reserved != NULL) == reserved &&
		    from_pool(t, me, r, (int)i))
			return true;
	}
	return false;
}

static bool from_pools(struct twin *t, size_t me, const struct alloc_request *r)
{
	return from_those(t, me, r, true) || from_those(t, me, r, false);
}

/* All that it wants, else one family, else the other. */
static bool from_any(struct twin *t, size_t me, const struct alloc_request *r)
{
	struct alloc_request one = *r;

	if (from_pools(t, me, r))
		return true;
	if (r->policy != CFG_PREFER_DUAL_STACK)
		return false;
	one.want_v6 = r->v6_first;
	one.want_v4 = !r->v6_first;
	if (from_pools(t, me, &one))
		return true;
	one.want_v6 = !r->v6_first;
	one.want_v4 = r->v6_first;
	return from_pools(t, me, &one);
}

/* Half a pair, whose other half may be there by now. */
static void complete(struct twin *t, size_t me, const struct alloc_request *r)
{
	struct holder *h = &t->services[me];
	const struct spot *one = &t->spots[h->spots[0]];
	bool is_v4 = one->addr.family == FAMILY_V4;
	size_t other;

	if (!r->want_v4 || !r->want_v6 || r->n_addresses || h->n != 1 ||
	    !lowest(t, me, r, one->pool, is_v4 ? FAMILY_V6 : FAMILY_V4, &other))
		return;
	h->spots[1] = is_v4 ? other : h->spots[0];
	h->spots[0] = is_v4 ? h->spots[0] : other;
	h->n = 2;
}

static bool twin_assign(struct twin *t, size_t me, const struct alloc_request *r)
{
	struct holder *h = &t->services[me], had = *h;
	bool kept = had.holds ? keeps(t, me, r) : as_before(t, me, r);

	if (kept)
		complete(t, me, r);
	h->holds = false;
	if (r->n_addresses && !kept)
		kept = by_address(t, me, r);
	else if (!kept)
		kept = from_any(t, me, r);
	h->holds = kept;
	h->terms = *r;
	if (kept)
		twin_return(t, me);
	twin_settle(t, me, &had);
	return kept;
}

static void twin_release(struct twin *t, size_t me)
{
	struct holder had = t->services[me];

	t->services[me].holds = false;
	twin_settle(t, me, &had);
}

/* --- at random --- */

static struct alloc_request random_request(struct rng *rng, const struct twin *t)
{
	static const char *const keys[] = { NULL, NULL, "k", "l" };
	static const char *const pools[] = { NULL, NULL, NULL, "a", "b", "c", "absent" };
	static const struct cfg_port ports[PORTS] = { { 1, CFG_TCP },
						      { 2, CFG_TCP },
						      { 3, CFG_TCP } };
	unsigned families = (unsigned)rng_below(rng, 4);
	size_t port = rng_below(rng, PORTS);
	struct alloc_request r = {
		.pool = pools[rng_below(rng, ARRAY_LEN(pools))],
		.sharing_key = keys[rng_below(rng, ARRAY_LEN(keys))],
		.ports = &ports[port],
		.n_ports = rng_below(rng, 10) ? 1 : PORTS - port,
		.backend = rng_below(rng, 5) ? "" : "app=x",
		.want_v4 = families & 1,
		.want_v6 = families & 2,
		.policy = families < 3	      ? CFG_SINGLE_STACK
			  : rng_below(rng, 2) ? CFG_REQUIRE_DUAL_STACK
					      : CFG_PREFER_DUAL_STACK,
		.v6_first = rng_below(rng, 2),
		.namespace = rng_below(rng, 3) ? "others" : "team",
	};

	if (rng_below(rng, 5) == 0) {
		r.addresses = &t->spots[rng_below(rng, t->n_spots)].addr;
		r.n_addresses = 1;
	}
	return r;
}

static void compare(struct alloc *a, const struct twin *t, size_t me, const char *name)
{
	const struct holder *h = &t->services[me];
	struct alloc_grant g;

	assert_int_equal(alloc_find(a, name, &g), h->holds);
	if (!h->holds)
		return;
	assert_int_equal(g.n, h->n);
	for (size_t i = 0; i < g.n; i++)
		if (!addr_eq(&g.addresses[i], &t->spots[h->spots[i]].addr))
			fail_msg("%s: %s, the twin says %s", name, ADDR_TEXT(&g.addresses[i]),
				 ADDR_TEXT(&t->spots[h->spots[i]].addr));
}

/* How many of the pool's addresses of a family are held, rest, and are there to be had. */
static void count(struct twin *t, int pool, int family, struct alloc_family_usage *out)
{
	*out = (struct alloc_family_usage){ 0 };
	for (size_t i = 0; i < t->n_spots; i++) {
		const struct spot *s = &t->spots[i];

		if (s->pool != pool || s->addr.family != family ||
		    avoided(&t->cfg->pools[pool], &s->addr))
			continue;
		out->total++;
		if (is_held(t, i))
			out->used++;
		else if (resting(t, i))
			out->resting++;
		else if (out->free++ == 0)
			out->next = s->addr;
	}
}

static void compare_family(const struct alloc_family_usage *a, const struct alloc_family_usage *b)
{
	assert_int_equal(a->total, b->total);
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->resting, b->resting);
	assert_int_equal(a->free, b->free);
	assert_true(addr_eq(&a->next, &b->next));
}

static void compare_usage(struct alloc *a, struct twin *t)
{
	for (size_t i = 0; i < t->cfg->n_pools; i++) {
		struct alloc_usage got;
		struct alloc_family_usage v4, v6;

		assert_true(alloc_usage(a, t->cfg->pools[i].name, &got));
		count(t, (int)i, FAMILY_V4, &v4);
		count(t, (int)i, FAMILY_V6, &v6);
		compare_family(&got.v4, &v4);
		compare_family(&got.v6, &v6);
	}
}

static void step(struct alloc *a, struct twin *t, struct rng *rng)
{
	size_t me = rng_below(rng, SERVICES);
	char name[16];

	(void)snprintf(name, sizeof(name), "s%zu", me);
	if (rng_below(rng, 20) == 0) {
		int64_t now_s = t->now_s + (int64_t)rng_below(rng, 5);

		alloc_advance(a, now_s);
		twin_advance(t, now_s);
	} else if (rng_below(rng, 3) == 0) {
		alloc_release(a, name);
		twin_release(t, me);
	} else {
		struct alloc_request r = random_request(rng, t);

		r.service = name;
		bool got = alloc_assign(a, &r, NULL) == 0;
		assert_int_equal(got, twin_assign(t, me, &r));
	}
	compare(a, t, me, name);
}

static const struct manner {
	const char *name;
	struct cfg_allocation allocation;
} manners[] = {
	{ "the twin says the same: as the reference does it", { 0 } },
	{ "the twin says the same: who returns has the same", { .sticky = true } },
	{ "the twin says the same: what was given back rests", { .rest = DUR_S(7) } },
	{ "the twin says the same: both", { .sticky = true, .rest = DUR_S(3) } },
};

static void same_as_the_twin(void **state)
{
	static const char *const team[] = { "team" };
	static const struct cfg_reservation for_team = { .namespaces = { .v = team, .n = 1 } };
	const struct manner *m = *state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cfg_pool pools[] = {
		fx_pool(arena, "a", "10.0.0.250-10.0.1.4 2001:db8::/126"),
		fx_pool(arena, "b", "10.1.0.9/32 2001:db8:1::/127 10.1.0.0/30 2001:db8:2::7/128"),
		fx_pool(arena, "c", "10.2.0.0/29"),
		fx_pool(arena, "d", "10.3.0.0/30 2001:db8:3::/127"),
	};
	struct cfg c = { .pools = pools, .n_pools = 4, .allocation = m->allocation };
	struct alloc *a;
	struct twin t;
	struct rng rng;

	pools[0].avoid_buggy_ips = true;
	for (size_t i = 0; i < ARRAY_LEN(pools); i++)
		pools[i].auto_assign = i != 2;
	pools[3].reserved = &for_team;
	a = alloc_new(&c);
	twin_init(&t, &c);
	rng_seed(&rng, test_seed());
	for (size_t i = 0; i < STEPS / ARRAY_LEN(manners); i++) {
		step(a, &t, &rng);
		if (i % 500 == 0)
			compare_usage(a, &t);
	}
	alloc_free(a);
}

int main(void)
{
	return RUN_TABLE("a naive twin", manners, same_as_the_twin);
}
