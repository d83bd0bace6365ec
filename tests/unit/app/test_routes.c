/*
 * What peers should hear, against a twin that keeps every wish and merges all of them anew each
 * time.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/routes.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/rng.h"
#include "support.h"

enum {
	N_PEERS = 3,
	N_SERVICES = 6,
	N_PREFIXES = 5,
	WANTS_MAX = N_PEERS * N_PREFIXES,
	STEPS = 4000
};

static struct cfg_peer peers[N_PEERS] = { { .name = "a" }, { .name = "ab" }, { .name = "c" } };

/* --- a sink that believes what it hears --- */

struct heard {
	struct map *routes; /* "peer prefix" -> text of the attributes */
	size_t announced, withdrawn;
	size_t empty; /* said though nothing was new */
};

static char *route_name(const char *peer, const struct prefix *p)
{
	return mem_printf("%s %s", peer, PREFIX_TEXT(p));
}

static char *wish_text(const struct route_wish *w)
{
	struct buf b = { 0 };

	buf_printf(&b, "lp %d %u med %d %u prepend %u:", w->has_local_pref, w->local_pref,
		   w->has_med, w->med, w->as_path_prepend);
	for (size_t i = 0; i < w->n_communities; i++)
		buf_printf(&b, " %u", w->communities[i]);
	for (size_t i = 0; i < w->n_large_communities; i++)
		buf_printf(&b, " %u:%u:%u", w->large_communities[i].global,
			   w->large_communities[i].local1, w->large_communities[i].local2);
	return b.p;
}

static void on_announce(void *ctx, const struct route_wish *wish)
{
	struct heard *h = ctx;
	char *name = route_name(wish->peer, &wish->prefix), *text = wish_text(wish);
	char *before = map_put(h->routes, name, text);

	h->announced++;
	h->empty += before && strcmp(before, text) == 0;
	free(before);
	free(name);
}

static void on_withdraw(void *ctx, const char *peer, const struct prefix *prefix)
{
	struct heard *h = ctx;
	char *name = route_name(peer, prefix), *before = map_del(h->routes, name);

	h->withdrawn++;
	h->empty += !before;
	free(before);
	free(name);
}

static struct heard heard_new(void)
{
	return (struct heard){ .routes = map_new() };
}

static void heard_fini(struct heard *h)
{
	map_clear(h->routes, free);
	map_free(h->routes);
}

static struct routes *routes_for(struct heard *h)
{
	return routes_new(&(struct routes_sink){
		.ctx = h, .announce = on_announce, .withdraw = on_withdraw });
}

/* --- the twin --- */

struct twin_share {
	struct plan_bgp want;
	uint32_t communities[3];
	struct large_community large[2];
	uint64_t since; /* when it came; 0: it is not there */
};

struct twin {
	struct twin_share v[N_SERVICES][N_PEERS][N_PREFIXES];
	uint64_t clock;
};

static struct prefix prefix_no(size_t i)
{
	static const char *const text[N_PREFIXES] = { "192.0.2.0/24", "192.0.2.0/32",
						      "192.0.2.1/32", "2001:db8::/32",
						      "2001:db8::/128" };
	struct prefix p = { 0 };

	assert_int_equal(prefix_parse(text[i], &p), 0);
	return p;
}

static struct twin_share random_share(struct rng *r, size_t peer, size_t prefix)
{
	struct twin_share t = { .want = { .peer = &peers[peer], .prefix = prefix_no(prefix) } };
	struct plan_bgp *w = &t.want;

	w->has_local_pref = rng_below(r, 2);
	w->local_pref = w->has_local_pref ? (uint32_t)rng_below(r, 2) : 0;
	w->has_med = rng_below(r, 4) == 0;
	w->as_path_prepend = (uint8_t)rng_below(r, 2);
	/* As the configuration has them: ascending, none twice. */
	for (uint32_t c = 0; c < 3; c++)
		if (rng_below(r, 2))
			t.communities[w->n_communities++] = c;
	for (uint32_t c = 0; c < 2; c++)
		if (rng_below(r, 4) == 0)
			t.large[w->n_large_communities++] = (struct large_community){ 1, c, 2 - c };
	return t;
}

/* A service changes its mind about some of its routes. */
static size_t twin_change(struct twin *t, struct rng *r, size_t service, struct plan_bgp *wanted)
{
	size_t n = 0, k = rng_below(r, 3);

	for (size_t i = 0; i < WANTS_MAX; i++) {
		struct twin_share *s = &t->v[service][i / N_PREFIXES][i % N_PREFIXES];

		if (rng_below(r, 3) < k) {
			bool wants = k == 2 || rng_below(r, 2);
			uint64_t since = s->since ? s->since : ++t->clock;

			*s = random_share(r, i / N_PREFIXES, i % N_PREFIXES);
			s->since = wants ? since : 0;
		} else if (k == 0) {
			s->since = 0;
		}
		if (!s->since)
			continue;
		wanted[n] = s->want;
		wanted[n].communities = s->communities;
		wanted[n++].large_communities = s->large;
	}
	return n;
}

static const struct twin_share *twin_first(const struct twin *t, size_t peer, size_t prefix)
{
	const struct twin_share *first = NULL;

	for (size_t s = 0; s < N_SERVICES; s++) {
		const struct twin_share *one = &t->v[s][peer][prefix];

		if (one->since && (!first || one->since < first->since))
			first = one;
	}
	return first;
}

/* The route as the twin has it: NULL where nobody wants it. */
static char *twin_text(const struct twin *t, size_t peer, size_t prefix)
{
	const struct twin_share *first = twin_first(t, peer, prefix);
	bool has[3] = { 0 }, has_large[2] = { 0 };
	uint32_t communities[3];
	struct large_community large[2];

	if (!first)
		return NULL;
	struct route_wish w = {
		.has_local_pref = first->want.has_local_pref,
		.local_pref = first->want.local_pref,
		.has_med = first->want.has_med,
		.as_path_prepend = first->want.as_path_prepend,
		.communities = communities,
		.large_communities = large,
	};
	for (size_t s = 0; s < N_SERVICES; s++) {
		const struct twin_share *one = &t->v[s][peer][prefix];

		for (size_t i = 0; one->since && i < one->want.n_communities; i++)
			has[one->communities[i]] = true;
		for (size_t i = 0; one->since && i < one->want.n_large_communities; i++)
			has_large[one->large[i].local1] = true;
	}
	for (uint32_t c = 0; c < 3; c++)
		if (has[c])
			communities[w.n_communities++] = c;
	for (uint32_t c = 0; c < 2; c++)
		if (has_large[c])
			large[w.n_large_communities++] = (struct large_community){ 1, c, 2 - c };
	return wish_text(&w);
}

static void compare(const struct heard *h, const struct twin *t, const char *only_peer)
{
	size_t n = 0;

	for (size_t i = 0; i < WANTS_MAX; i++) {
		struct prefix p = prefix_no(i % N_PREFIXES);
		const char *peer = peers[i / N_PREFIXES].name;

		if (only_peer && strcmp(peer, only_peer) != 0)
			continue;
		CLEANUP(mem_freep) char *name = route_name(peer, &p);
		CLEANUP(mem_freep) char *want = twin_text(t, i / N_PREFIXES, i % N_PREFIXES);
		const char *is = map_get(h->routes, name);

		n += want != NULL;
		if (want ? !is || strcmp(want, is) != 0 : is != NULL)
			fail_msg("%s: should be '%s', is '%s'", name, want, is);
	}
	assert_int_equal(map_len(h->routes), n);
}

static void equals_the_twin(void **state)
{
	struct rng rng;
	struct heard h = heard_new();
	struct routes *r = routes_for(&h);
	CLEANUP(mem_freep) struct twin *t = mem_new(struct twin);

	(void)state;
	rng_seed(&rng, test_seed());
	for (int step = 0; step < STEPS; step++) {
		size_t service = rng_below(&rng, N_SERVICES);
		struct plan_bgp wanted[WANTS_MAX];
		char name[] = { 's', (char)('0' + service), '\0' };
		size_t n = twin_change(t, &rng, service, wanted);

		routes_set(r, name, wanted, n);
		compare(&h, t, NULL);
		assert_int_equal(h.empty, 0);
		/* What was handed over is not kept. */
		memset(wanted, 0xff, sizeof(wanted));
	}
	routes_free(r);
	heard_fini(&h);
}

static void replay_tells_one_peer_all(void **state)
{
	struct rng rng;
	struct heard h = heard_new();
	struct routes *r = routes_for(&h);
	CLEANUP(mem_freep) struct twin *t = mem_new(struct twin);
	struct plan_bgp wanted[WANTS_MAX];

	(void)state;
	rng_seed(&rng, test_seed());
	for (int i = 0; i < 20; i++)
		routes_set(r, i % 2 ? "s1" : "s0", wanted, twin_change(t, &rng, i % 2, wanted));
	map_clear(h.routes, free);
	routes_replay(r, "a"); /* and nothing for "ab" */
	compare(&h, t, "a");
	routes_replay(r, "nobody");
	compare(&h, t, "a");
	routes_free(r);
	heard_fini(&h);
}

static struct plan_bgp plain(const char *prefix)
{
	struct plan_bgp want = { .peer = &peers[0] };

	assert_int_equal(prefix_parse(prefix, &want.prefix), 0);
	return want;
}

static void the_same_again_is_no_news(void **state)
{
	struct heard h = heard_new();
	struct routes *r = routes_for(&h);
	struct plan_bgp want = plain("192.0.2.0/24");

	(void)state;
	routes_set(r, "web", &want, 1);
	routes_set(r, "web", &want, 1);
	assert_int_equal(h.announced, 1);
	routes_set(r, "mail", &want, 1); /* behind the same aggregate */
	assert_int_equal(h.announced, 1);
	routes_set(r, "web", NULL, 0);
	assert_int_equal(h.announced, 1);
	assert_int_equal(h.withdrawn, 0);
	routes_set(r, "mail", NULL, 0);
	routes_set(r, "mail", NULL, 0);
	assert_int_equal(h.withdrawn, 1);
	routes_free(r);
	heard_fini(&h);
}

/* Who came first decides, as long as it stays. */
static void preference_is_the_firsts(void **state)
{
	struct heard h = heard_new();
	struct routes *r = routes_for(&h);
	struct plan_bgp first = plain("192.0.2.0/24"), second = first;

	(void)state;
	first.has_local_pref = second.has_local_pref = true;
	first.local_pref = 100;
	second.local_pref = 200;
	routes_set(r, "web", &first, 1);
	routes_set(r, "mail", &second, 1);
	assert_int_equal(h.announced, 1);
	first.local_pref = 150;
	routes_set(r, "web", &first, 1);
	assert_non_null(strstr(map_get(h.routes, "a 192.0.2.0/24"), "lp 1 150"));
	routes_set(r, "web", NULL, 0);
	assert_non_null(strstr(map_get(h.routes, "a 192.0.2.0/24"), "lp 1 200"));
	routes_free(r);
	heard_fini(&h);
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* @n services come to one aggregate, say the same again, and go. */
static double aggregate_seconds(int n)
{
	static const uint32_t communities[] = { 1, 2 };
	struct heard h = heard_new();
	struct routes *r = routes_for(&h);
	struct plan_bgp want = plain("192.0.2.0/24");
	double from = cpu_seconds();

	want.communities = communities;
	want.n_communities = 2;
	for (int i = 0; i < 3 * n; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "s%d", i % n);
		routes_set(r, name, &want, i < 2 * n);
	}
	assert_int_equal(h.announced, 1);
	assert_int_equal(h.withdrawn, 1);
	routes_free(r);
	heard_fini(&h);
	return cpu_seconds() - from;
}

static void an_aggregate_of_many_is_linear(void **state)
{
	double few = 1e9, many = 1e9;

	(void)state;
	for (int i = 0; i < 3; i++) {
		few = MIN(few, aggregate_seconds(1000));
		many = MIN(many, aggregate_seconds(8000));
	}
	print_message("1000 services: %.1f ms, 8000: %.1f ms\n", few * 1e3, many * 1e3);
	assert_true(many < few * 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_twin),
		cmocka_unit_test(replay_tells_one_peer_all),
		cmocka_unit_test(the_same_again_is_no_news),
		cmocka_unit_test(preference_is_the_firsts),
		cmocka_unit_test(an_aggregate_of_many_is_linear),
	};

	return cmocka_run_group_tests_name("app/routes", tests, NULL, NULL);
}
