#include "app/routes.h"

#include <string.h>

#include "base/list.h"
#include "base/map.h"

struct service_routes {
	struct list shares;
};

/* One service's share in a route. */
struct share {
	struct list of_route; /* in order of arrival: the first one's preference counts */
	struct list of_service;
	struct route *route;
	struct service_routes *service;
	struct plan_bgp want; /* its arrays are ours */
	bool stale;	      /* while a service's wishes are compared */
};

struct route {
	char *peer;
	struct prefix prefix;
	struct list shares;
	struct list changed; /* in routes.changed while a comparison runs */
	bool told;
	struct route_wish wish; /* as told; its arrays are ours */
};

struct routes {
	struct routes_sink sink;
	struct map *routes;   /* peer NUL prefix -> struct route */
	struct map *services; /* key -> struct service_routes */
	struct list changed;
};

/* The key of a route: the peer's name, a zero byte, the prefix. */
struct route_key {
	uint8_t bytes[512];
	size_t len;
};

static struct route_key key_of(const char *peer, const struct prefix *p)
{
	struct route_key k = { 0 };
	size_t n = strnlen(peer, sizeof(k.bytes) - 20);

	memcpy(k.bytes, peer, n);
	k.len = n + 1;
	k.bytes[k.len++] = p->addr.family;
	k.bytes[k.len++] = p->len;
	memcpy(k.bytes + k.len, p->addr.b, sizeof(p->addr.b));
	k.len += sizeof(p->addr.b);
	return k;
}

struct routes *routes_new(const struct routes_sink *sink)
{
	struct routes *r = mem_new(struct routes);

	r->sink = *sink;
	r->routes = map_new();
	r->services = map_new();
	list_init(&r->changed);
	return r;
}

static void share_free(struct share *s)
{
	list_remove(&s->of_route);
	list_remove(&s->of_service);
	free((void *)(uintptr_t)s->want.communities);
	free((void *)(uintptr_t)s->want.large_communities);
	free((void *)(uintptr_t)s->want.ext_communities);
	free(s);
}

static void share_take(struct share *s, const struct plan_bgp *want)
{
	free((void *)(uintptr_t)s->want.communities);
	free((void *)(uintptr_t)s->want.large_communities);
	free((void *)(uintptr_t)s->want.ext_communities);
	s->want = *want;
	s->want.peer = NULL; /* of a configuration that may go */
	s->want.communities =
		mem_dup(want->communities, want->n_communities * sizeof(*want->communities));
	s->want.large_communities =
		mem_dup(want->large_communities,
			want->n_large_communities * sizeof(*want->large_communities));
	s->want.ext_communities = mem_dup(want->ext_communities,
					  want->n_ext_communities * sizeof(*want->ext_communities));
}

static bool communities_eq(const struct plan_bgp *a, const struct plan_bgp *b)
{
	return a->n_communities == b->n_communities &&
	       a->n_large_communities == b->n_large_communities &&
	       (!a->n_communities || memcmp(a->communities, b->communities,
					    a->n_communities * sizeof(*a->communities)) == 0) &&
	       (!a->n_large_communities ||
		memcmp(a->large_communities, b->large_communities,
		       a->n_large_communities * sizeof(*a->large_communities)) == 0) &&
	       a->n_ext_communities == b->n_ext_communities &&
	       (!a->n_ext_communities ||
		memcmp(a->ext_communities, b->ext_communities,
		       a->n_ext_communities * sizeof(*a->ext_communities)) == 0);
}

static bool want_eq(const struct plan_bgp *a, const struct plan_bgp *b)
{
	return a->has_local_pref == b->has_local_pref && a->local_pref == b->local_pref &&
	       a->has_med == b->has_med && a->med == b->med &&
	       a->as_path_prepend == b->as_path_prepend && communities_eq(a, b);
}

static const struct share *first_share(const struct route *route)
{
	return LIST_ENTRY(route->shares.next, struct share, of_route);
}

/*
 * What was told, and what the first share says of itself, hold with one share like @want more or
 * less as well. So thousands of services come to an aggregate, and go, without a look at all of
 * them each time.
 */
static bool is_no_news(const struct route *route, const struct plan_bgp *want)
{
	if (!route->told || list_empty(&route->shares))
		return false;
	const struct plan_bgp *first = &first_share(route)->want;
	const struct route_wish *told = &route->wish;

	return first->has_local_pref == told->has_local_pref &&
	       first->local_pref == told->local_pref && first->has_med == told->has_med &&
	       first->med == told->med && first->as_path_prepend == told->as_path_prepend &&
	       communities_eq(first, want);
}

static void route_changed(struct routes *r, struct route *route)
{
	if (list_empty(&route->changed))
		list_append(&r->changed, &route->changed);
}

static struct route *route_of(struct routes *r, const char *peer, const struct prefix *p)
{
	struct route_key k = key_of(peer, p);
	struct route *route = map_get_bytes(r->routes, k.bytes, k.len);

	if (route)
		return route;
	route = mem_new(struct route);
	route->peer = mem_strdup(peer);
	route->prefix = *p;
	list_init(&route->shares);
	list_init(&route->changed);
	(void)map_put_bytes(r->routes, k.bytes, k.len, route);
	return route;
}

/*
 * A service may have thousands of routes, and an aggregate thousands of services, but hardly both:
 * the two lists are walked side by side, up to the end of the shorter one.
 */
static struct share *share_of(const struct service_routes *sr, const struct route *route)
{
	const struct list *a = route->shares.next, *b = sr->shares.next;

	for (; a != &route->shares && b != &sr->shares; a = a->next, b = b->next) {
		struct share *of_route = LIST_ENTRY(a, struct share, of_route);
		struct share *of_service = LIST_ENTRY(b, struct share, of_service);

		if (of_route->service == sr)
			return of_route;
		if (of_service->route == route)
			return of_service;
	}
	return NULL;
}

static void want_one(struct routes *r, struct service_routes *sr, const struct plan_bgp *want)
{
	struct route *route = route_of(r, want->peer->name, &want->prefix);
	struct share *s = share_of(sr, route);

	if (s && want_eq(&s->want, want)) {
		s->stale = false;
		return;
	}
	if (s || !is_no_news(route, want))
		route_changed(r, route);
	if (!s) {
		s = mem_new(struct share);
		s->route = route;
		s->service = sr;
		list_append(&route->shares, &s->of_route);
		list_append(&sr->shares, &s->of_service);
	}
	share_take(s, want);
	s->stale = false;
}

static void want_no_more(struct routes *r, struct share *s)
{
	list_remove(&s->of_route);
	if (!is_no_news(s->route, &s->want))
		route_changed(r, s->route);
	share_free(s);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_large(const void *a, const void *b)
{
	const struct large_community *x = a, *y = b;

	if (x->global != y->global)
		return x->global < y->global ? -1 : 1;
	if (x->local1 != y->local1)
		return x->local1 < y->local1 ? -1 : 1;
	return (x->local2 > y->local2) - (x->local2 < y->local2);
}

/* Sorts @v and drops repetitions; returns how many are left. */
static size_t unite(void *v, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	char *at = v;
	size_t kept = 0;

	qsort(v, n, size, compare);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare(at + (kept - 1) * size, at + i * size) != 0)
			memmove(at + kept++ * size, at + i * size, size);
	return kept;
}

static void wish_fini(struct route_wish *w)
{
	free((void *)(uintptr_t)w->communities);
	free((void *)(uintptr_t)w->large_communities);
	free((void *)(uintptr_t)w->ext_communities);
	*w = (struct route_wish){ 0 };
}

/* Most services behind an aggregate say what the one before said. */
static bool repeats(const struct route *route, const struct share *s)
{
	return s->of_route.prev != &route->shares &&
	       communities_eq(&s->want,
			      &LIST_ENTRY(s->of_route.prev, struct share, of_route)->want);
}

/* Everybody's communities, arrays of the caller's. */
static void unite_communities(const struct route *route, struct route_wish *out)
{
	size_t n = 0, n_large = 0, n_ext = 0;
	struct share *s;

	LIST_EACH (s, &route->shares, of_route) {
		n += repeats(route, s) ? 0 : s->want.n_communities;
		n_large += repeats(route, s) ? 0 : s->want.n_large_communities;
		n_ext += repeats(route, s) ? 0 : s->want.n_ext_communities;
	}
	uint32_t *communities = mem_new_n(uint32_t, n);
	struct large_community *large = mem_new_n(struct large_community, n_large);
	uint64_t *ext = mem_new_n(uint64_t, n_ext);
	n = n_large = n_ext = 0;
	LIST_EACH (s, &route->shares, of_route) {
		if (repeats(route, s))
			continue;
		for (size_t i = 0; i < s->want.n_communities; i++)
			communities[n++] = s->want.communities[i];
		for (size_t i = 0; i < s->want.n_large_communities; i++)
			large[n_large++] = s->want.large_communities[i];
		for (size_t i = 0; i < s->want.n_ext_communities; i++)
			ext[n_ext++] = s->want.ext_communities[i];
	}
	out->communities = communities;
	out->n_communities = unite(communities, n, sizeof(*communities), compare_u32);
	out->large_communities = large;
	out->n_large_communities = unite(large, n_large, sizeof(*large), compare_large);
	out->ext_communities = ext;
	out->n_ext_communities = unite(ext, n_ext, sizeof(*ext), compare_u64);
}

/* The first share's preferences, everybody's communities. */
static struct route_wish route_wish_now(const struct route *route)
{
	const struct plan_bgp *first = &first_share(route)->want;
	struct route_wish wish = {
		.peer = route->peer,
		.prefix = route->prefix,
		.has_local_pref = first->has_local_pref,
		.local_pref = first->local_pref,
		.has_med = first->has_med,
		.med = first->med,
		.as_path_prepend = first->as_path_prepend,
	};

	unite_communities(route, &wish);
	return wish;
}

static bool wish_eq(const struct route_wish *a, const struct route_wish *b)
{
	return a->has_local_pref == b->has_local_pref && a->local_pref == b->local_pref &&
	       a->has_med == b->has_med && a->med == b->med &&
	       a->as_path_prepend == b->as_path_prepend && a->n_communities == b->n_communities &&
	       a->n_large_communities == b->n_large_communities &&
	       memcmp(a->communities, b->communities, a->n_communities * sizeof(*a->communities)) ==
		       0 &&
	       memcmp(a->large_communities, b->large_communities,
		      a->n_large_communities * sizeof(*a->large_communities)) == 0 &&
	       a->n_ext_communities == b->n_ext_communities &&
	       memcmp(a->ext_communities, b->ext_communities,
		      a->n_ext_communities * sizeof(*a->ext_communities)) == 0;
}

/* One more service behind an aggregate is rarely news. */
static void route_announce(struct routes *r, struct route *route)
{
	struct route_wish wish = route_wish_now(route);

	if (route->told && wish_eq(&route->wish, &wish)) {
		wish_fini(&wish);
		return;
	}
	wish_fini(&route->wish);
	route->wish = wish;
	route->told = true;
	r->sink.announce(r->sink.ctx, &route->wish);
}

static void route_free(struct route *route)
{
	list_remove(&route->changed);
	wish_fini(&route->wish);
	free(route->peer);
	free(route);
}

static void route_settle(struct routes *r, struct route *route)
{
	list_remove(&route->changed);
	if (!list_empty(&route->shares)) {
		route_announce(r, route);
		return;
	}
	if (route->told)
		r->sink.withdraw(r->sink.ctx, route->peer, &route->prefix);
	struct route_key k = key_of(route->peer, &route->prefix);
	(void)map_del_bytes(r->routes, k.bytes, k.len);
	route_free(route);
}

static struct service_routes *service_of(struct routes *r, const char *service)
{
	struct service_routes *sr = map_get(r->services, service);

	if (!sr) {
		sr = mem_new(struct service_routes);
		list_init(&sr->shares);
		(void)map_put(r->services, service, sr);
	}
	return sr;
}

void routes_set(struct routes *r, const char *service, const struct plan_bgp *wanted, size_t n)
{
	struct service_routes *sr = service_of(r, service);
	struct route *route;
	struct share *s;

	LIST_EACH (s, &sr->shares, of_service) {
		s->stale = true;
	}
	for (size_t i = 0; i < n; i++)
		want_one(r, sr, &wanted[i]);
	LIST_EACH (s, &sr->shares, of_service) {
		if (s->stale)
			want_no_more(r, s);
	}
	LIST_EACH (route, &r->changed, changed) {
		route_settle(r, route);
	}
	if (list_empty(&sr->shares))
		free(map_del(r->services, service));
}

void routes_replay(struct routes *r, const char *peer)
{
	const char *key;
	struct route *route;

	MAP_EACH (r->routes, key, route) {
		if (strcmp(route->peer, peer) == 0 && route->told)
			r->sink.announce(r->sink.ctx, &route->wish);
	}
	(void)key;
}

static void service_routes_free(void *value)
{
	struct service_routes *sr = value;
	struct share *s;

	LIST_EACH (s, &sr->shares, of_service) {
		share_free(s);
	}
	free(sr);
}

static void route_free_value(void *value)
{
	route_free(value);
}

struct routes *routes_free(struct routes *r)
{
	if (!r)
		return NULL;
	map_clear(r->services, service_routes_free);
	map_clear(r->routes, route_free_value);
	map_free(r->services);
	map_free(r->routes);
	free(r);
	return NULL;
}
