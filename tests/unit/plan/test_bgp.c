#include "unit/plan/scene.h"

/*
 * Reference 5.7, and what is sent to whom. The service web has 10.20.30.1; tor is an eBGP, core an
 * iBGP peer; the one advertisement has local preference 0, as every legacy one.
 */
struct rule {
	const char *name;
	void (*change)(struct scene *s);
	void (*happen)(struct scene *s);
	const char *node;
	const char *want; /* the BGP part of the plan's text */
};

#define PLAIN " bgp tor 10.20.30.1/32; bgp core 10.20.30.1/32 pref 0;"

static void nothing(struct scene *s)
{
	(void)s;
}

static void on_workers(struct scene *s)
{
	s->bgp[0].node_selectors = fx_selectors(s->a, "role=worker");
}

static void service_on_workers(struct scene *s)
{
	s->services[0].node_selectors = fx_selectors(s->a, "role=worker");
}

static void for_other_services(struct scene *s)
{
	s->bgp[0].service_selectors = fx_selectors(s->a, "tier=back");
}

static void no_advs(struct scene *s)
{
	s->cfg.n_bgp_advs = 0;
}

static void conflict(struct scene *s)
{
	s->bgp[0].service_selectors = fx_selectors(s->a, "tier=front");
	s->bgp[1].local_pref = 100;
	s->cfg.n_bgp_advs = 2;
}

static void conflict_but_lengths_differ(struct scene *s)
{
	conflict(s);
	s->bgp[1].aggregation_v4 = 24;
}

static void conflict_but_peers_differ(struct scene *s)
{
	static const char *const tor[] = { "tor" }, *const core[] = { "core" };

	conflict(s);
	s->bgp[0].peers = (struct cfg_texts){ tor, 1 };
	s->bgp[1].peers = (struct cfg_texts){ core, 1 };
}

/* v0.12 never looked: the first one's preference counts. */
static void legacy_conflict(struct scene *s)
{
	conflict(s);
	s->bgp[0].service_selectors = (struct selectors){ 0 };
}

static void local(struct scene *s)
{
	s->services[0].traffic_policy = CFG_TRAFFIC_LOCAL;
	s->services[0].health.kind = CFG_HEALTH_TCP;
}

static void checked(struct scene *s)
{
	s->services[0].health.kind = CFG_HEALTH_TCP;
}

static void passes_on_worker_a(struct scene *s)
{
	world_service_endpoint(s->w, "web", "worker-a", true);
}

static void set_node(struct scene *s, bool network_unavailable, bool excluded)
{
	struct world_node node = scene_node(s, "edge-b");

	node.network_unavailable = network_unavailable;
	node.excluded = excluded;
	world_node_set(s->w, &node);
}

static void network_down(struct scene *s)
{
	set_node(s, true, true);
}

static void excluded(struct scene *s)
{
	set_node(s, false, true);
}

static void aggregated(struct scene *s)
{
	s->bgp[0].aggregation_v4 = 24;
}

static void only_tor(struct scene *s)
{
	static const char *const tor[] = { "tor" };

	s->bgp[0].peers = (struct cfg_texts){ tor, 1 };
}

static void peer_nobody_has(struct scene *s)
{
	static const char *const names[] = { "gone" };

	s->bgp[0].peers = (struct cfg_texts){ names, 1 };
}

static void core_on_edges(struct scene *s)
{
	s->peers[1].node_selectors = fx_selectors(s->a, "role=edge");
}

static void resource_without_preference(struct scene *s)
{
	s->bgp[0].has_local_pref = false;
}

static void merged(struct scene *s)
{
	static const uint32_t first[] = { 5, 10, 20 }, second[] = { 1, 10, 30 };
	static const struct large_community large[] = { { 1, 1, 7 }, { 1, 1, 8 } };
	static const struct large_community more[] = { { 1, 1, 6 }, { 1, 1, 8 } };

	s->bgp[0].communities = first;
	s->bgp[0].n_communities = 3;
	s->bgp[0].large_communities = large;
	s->bgp[0].n_large_communities = 2;
	s->bgp[1].communities = second;
	s->bgp[1].n_communities = 3;
	s->bgp[1].large_communities = more;
	s->bgp[1].n_large_communities = 2;
	s->bgp[1].local_pref = 7;
	s->cfg.n_bgp_advs = 2;
	s->cfg.n_peers = 1;
}

static void two_lengths(struct scene *s)
{
	s->bgp[1].aggregation_v4 = 24;
	s->bgp[1].local_pref = 50;
	s->cfg.n_bgp_advs = 2;
}

static void dual(struct scene *s)
{
	s->addresses[0] = "10.20.30.1 2001:db8::1";
}

static void dual_on_one_session(struct scene *s)
{
	dual(s);
	s->peers[0].dual_stack = true;
	s->cfg.n_peers = 1;
}

static void unnumbered(struct scene *s)
{
	dual(s);
	s->peers[0].addr = (struct addr){ 0 };
	s->cfg.n_peers = 1;
}

static void outside(struct scene *s)
{
	s->addresses[0] = "172.16.0.1";
	s->services[0].protocol = CFG_BGP;
	s->bgp[1] = (struct cfg_bgp_adv){ .name = "outside",
					  .outside_pools = true,
					  .aggregation_v4 = 32,
					  .aggregation_v6 = 128 };
	s->cfg.n_bgp_advs = 2;
}

static void outside_for_layer2(struct scene *s)
{
	outside(s);
	s->services[0].protocol = CFG_LAYER2;
}

static const struct rule rules[] = {
	{ "every node says the same", nothing, NULL, "worker-b", PLAIN },
	{ "1: no advertisement", no_advs, NULL, "edge-b", " !bgp notOwner;" },
	{ "1: none selects the node", on_workers, NULL, "edge-b", " !bgp notOwner;" },
	{ "1: selected", on_workers, NULL, "worker-a", PLAIN },
	{ "1: the service's own selector counts too", service_on_workers, NULL, "edge-b",
	  " !bgp notOwner;" },
	{ "1: a node that nobody knows", nothing, NULL, "stranger", " !bgp notOwner;" },
	{ "2: for other services", for_other_services, NULL, "edge-b",
	  " !bgp noMatchingAdvertisement;" },
	{ "3: two preferences", conflict, NULL, "edge-b", " !bgp conflictingAdvertisements;" },
	{ "3: of different prefixes", conflict_but_lengths_differ, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp tor 10.20.30.0/24; bgp core 10.20.30.1/32 pref 0;"
	  " bgp core 10.20.30.0/24 pref 100;" },
	{ "3: towards different peers", conflict_but_peers_differ, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp core 10.20.30.1/32 pref 100;" },
	{ "3: legacy: the first one counts", legacy_conflict, NULL, "edge-b", PLAIN },
	{ "4: network unavailable, before 5", nothing, network_down, "edge-b",
	  " !bgp nodeNetworkUnavailable;" },
	{ "5: excluded", nothing, excluded, "edge-b", " !bgp nodeLabeledExcludeBalancers;" },
	{ "4 and 5 of another node", nothing, network_down, "edge-a", PLAIN },
	{ "6: nothing local", local, passes_on_worker_a, "edge-b", " !bgp noLocalEndpoints;" },
	{ "6: comes before 7", local, NULL, "edge-b", " !bgp noLocalEndpoints;" },
	{ "6: local", local, passes_on_worker_a, "worker-a", PLAIN },
	{ "7: served nowhere", checked, NULL, "edge-b", " !bgp noEndpoints;" },
	{ "a health check that fails here", checked, passes_on_worker_a, "edge-b",
	  " !bgp noLocalEndpoints;" },
	{ "a health check that passes here", checked, passes_on_worker_a, "worker-a", PLAIN },
	{ "aggregation", aggregated, NULL, "edge-b",
	  " bgp tor 10.20.30.0/24; bgp core 10.20.30.0/24 pref 0;" },
	{ "peers of the advertisement", only_tor, NULL, "edge-b", " bgp tor 10.20.30.1/32;" },
	{ "peers that do not exist", peer_nobody_has, NULL, "edge-b", " !bgp noPeers;" },
	{ "peers run where they are told", core_on_edges, NULL, "worker-a",
	  " bgp tor 10.20.30.1/32;" },
	{ "no preference set: iBGP's default", resource_without_preference, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp core 10.20.30.1/32 pref 100;" },
	{ "one prefix of two advertisements", merged, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32 1 5 10 20 30 L6 L7 L8;" },
	{ "two prefixes of two advertisements", two_lengths, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp tor 10.20.30.0/24; bgp core 10.20.30.1/32 pref 0;"
	  " bgp core 10.20.30.0/24 pref 50;" },
	{ "a family that the session does not carry", dual, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp core 10.20.30.1/32 pref 0;"
	  " !bgp familyNotOnSession tor; !bgp familyNotOnSession core;" },
	{ "both families on one session", dual_on_one_session, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp tor 2001:db8::1/128;" },
	{ "both families on an unnumbered one", unnumbered, NULL, "edge-b",
	  " bgp tor 10.20.30.1/32; bgp tor 2001:db8::1/128;" },
	{ "outside every pool", outside, NULL, "edge-b",
	  " bgp tor 172.16.0.1/32; bgp core 172.16.0.1/32 pref 100;" },
	{ "outside every pool, for the other mode", outside_for_layer2, NULL, "edge-b",
	  " !bgp notOwner;" },
};

static void decides(void **state)
{
	const struct rule *r = *state;
	struct scene s;

	scene_init(&s);
	s.cfg.n_l2_advs = 0;
	r->change(&s);
	scene_set(&s);
	if (r->happen)
		r->happen(&s);
	struct plan *p = plan_service(s.w, "web", r->node);
	const char *text = plan_text(s.a, p), *l2 = strstr(text, " !l2 ");
	const char *want = arena_printf(s.a, "web on %s:%s", r->node, r->want);

	/* Without its own silence in Layer 2, which stands before the others. */
	assert_non_null(l2);
	text = arena_printf(s.a, "%.*s%s", (int)(l2 - text), text, strchr(l2, ';') + 1);
	assert_string_equal(text, want);
	plan_free(p);
	scene_fini(&s);
}

static void med_and_prepending(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.bgp[1].has_med = true;
	s.bgp[1].med = 20;
	s.bgp[1].as_path_prepend = 2;
	s.bgp[2].has_med = true;
	s.bgp[2].med = 30;
	s.cfg.n_bgp_advs = 3;
	scene_set(&s);
	struct plan *p = plan_service(s.w, "web", "edge-a");
	assert_int_equal(p->n_bgp, 2);
	assert_true(p->bgp[0].has_med);
	assert_int_equal(p->bgp[0].med, 20);
	assert_int_equal(p->bgp[0].as_path_prepend, 2);
	plan_free(p);
	scene_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(med_and_prepending) };
	int failed = RUN_TABLE("bgp: what is announced to whom", rules, decides);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
