#include "plan/touched.h"

#include "base/rng.h"
#include "unit/plan/scene.h"
#include "unit/world/objects.h"

/* --- what a change touched, planned again, equals everything planned again --- */

enum { ROUNDS = 60, STEPS = 60, OBJECTS = 3 };

/** The daemon's side: plans kept by what was touched alone. */
struct keeper {
	struct arena *a;
	struct world *w;
	struct map *plans; /* service -> text of its plan */
	size_t planned;
};

static void keep(void *ctx, const char *service)
{
	struct keeper *k = ctx;
	struct plan *p = plan_service(k->w, service, world_me(k->w));

	if (world_service(k->w, service))
		(void)map_put(k->plans, service, (void *)(uintptr_t)plan_text(k->a, p));
	else
		(void)map_del(k->plans, service);
	k->planned++;
	plan_free(p);
}

static void on_change(void *ctx, enum world_change what, const char *name)
{
	struct keeper *k = ctx;

	plan_touched(k->w, what, name, keep, k);
}

static void compare(struct keeper *k)
{
	const struct world_service *s;

	for (size_t at = 0; (s = world_next_service(k->w, &at));) {
		struct plan *p = plan_service(k->w, s->key, world_me(k->w));

		assert_string_equal(map_get(k->plans, s->key), plan_text(k->a, p));
		plan_free(p);
	}
}

static void change_node(struct scene *s, struct rng *rng)
{
	const char *name = scene_nodes[rng_below(rng, ARRAY_LEN(scene_nodes))];
	struct world_node node = scene_node(s, name);

	switch (rng_below(rng, 4)) {
	case 0:
		world_node_alive(s->w, name, rng_below(rng, 2));
		return;
	case 1:
		world_node_del(s->w, name);
		return;
	default:
		node.alive = rng_below(rng, 4) > 0;
		node.has_object = rng_below(rng, 4) > 0;
		node.excluded = rng_below(rng, 4) == 0;
		node.network_unavailable = rng_below(rng, 4) == 0;
		if (rng_below(rng, 4) == 0)
			node.labels = fx_labels(s->a, "role=other");
		world_node_set(s->w, &node);
	}
}

static void change_service(struct scene *s, struct rng *rng)
{
	static const char *const given[] = { "",
					     "10.20.30.1",
					     "10.20.30.1 2001:db8::1",
					     "2001:db8::1",
					     "10.20.30.2 2001:db8::1",
					     "10.20.30.2",
					     "10.99.0.1" };
	const char *service = s->services[rng_below(rng, SCENE_SERVICES)].name;
	size_t n;
	const struct addr *v = fx_addrs(s->a, given[rng_below(rng, ARRAY_LEN(given))], &n);

	world_service_assign(s->w, service, v, n);
}

static void change_endpoint(struct scene *s, struct rng *rng)
{
	const char *node = scene_nodes[rng_below(rng, ARRAY_LEN(scene_nodes))];

	if (rng_below(rng, 5) == 0)
		world_endpoints_forget(s->w, node);
	else
		world_service_endpoint(s->w, s->services[rng_below(rng, SCENE_SERVICES)].name, node,
				       rng_below(rng, 2));
}

/*
 * Pools for both modes, for one, for none; services that share, are checked, are for some nodes
 * only.
 */
static void random_config(struct scene *s, struct rng *rng)
{
	static const char *const roles[] = { "", "", "role=edge", "role=worker" };

	s->cfg.n_l2_advs = rng_below(rng, SCENE_ADVS + 1);
	s->cfg.n_bgp_advs = rng_below(rng, SCENE_ADVS + 1);
	s->cfg.n_services = 1 + rng_below(rng, SCENE_SERVICES);
	for (size_t i = 0; i < SCENE_ADVS; i++) {
		s->l2[i].pools.v = s->bgp[i].pools.v = &s->pool_of[rng_below(rng, 3) == 0];
		s->l2[i].node_selectors = fx_selectors(s->a, roles[rng_below(rng, 4)]);
		s->bgp[i].node_selectors = fx_selectors(s->a, roles[rng_below(rng, 4)]);
	}
	for (size_t i = 0; i < SCENE_SERVICES; i++) {
		s->services[i].node_selectors = fx_selectors(s->a, roles[rng_below(rng, 4)]);
		s->services[i].sharing_key = rng_below(rng, 4) ? "k" : NULL;
		s->services[i].health.kind = rng_below(rng, 2) ? CFG_HEALTH_TCP : CFG_HEALTH_NONE;
		s->services[i].traffic_policy =
			rng_below(rng, 3) ? CFG_TRAFFIC_CLUSTER : CFG_TRAFFIC_LOCAL;
	}
	world_set_config(s->w, &s->cfg);
}

#define PICK(rng, ...)                                               \
	({                                                           \
		static const char *const picks_[] = { __VA_ARGS__ }; \
		picks_[rng_below((rng), ARRAY_LEN(picks_))];         \
	})

/* Services of a cluster: of ours and of others', with addresses that standalone ones have, too. */
static void change_object(struct scene *s, struct rng *rng)
{
	const char *key = arena_printf(s->a, "default/k%u", (unsigned)rng_below(rng, OBJECTS));

	if (rng_below(rng, 5) == 0) {
		world_service_del(s->w, key);
		return;
	}
	world_service_set(
		s->w, fx_object_service(arena_printf(
			      s->a,
			      "metadata: {name: %s, annotations: {%s}}\n"
			      "spec: {type: %s, externalTrafficPolicy: %s%s}\n"
			      "status: {loadBalancer: {ingress: [%s]}}\n",
			      strchr(key, '/') + 1, PICK(rng, "", "metallb.io/allow-shared-ip: k"),
			      PICK(rng, "LoadBalancer", "LoadBalancer", "LoadBalancer", "NodePort"),
			      PICK(rng, "Local", "Cluster"),
			      PICK(rng, "", "", "", ", loadBalancerClass: x"),
			      PICK(rng, "", "{ip: 10.20.30.1}", "{ip: 10.20.30.1}",
				   "{ip: 10.20.30.1}, {ip: '2001:db8::1'}", "{ip: 10.20.30.2}",
				   "{ip: 10.99.0.1}", "{ip: 10.20.30.1}, {ip: x}"))));
}

static void change_slice(struct scene *s, struct rng *rng)
{
	unsigned i = (unsigned)rng_below(rng, 2 * OBJECTS);

	if (rng_below(rng, 5) == 0) {
		world_endpoints_del(s->w, true, arena_printf(s->a, "default/s%u", i));
		return;
	}
	world_endpoints_set(
		s->w, fx_object_endpoints(arena_printf(
			      s->a,
			      "metadata: {name: s%u, labels: {kubernetes.io/service-name: k%u}}\n"
			      "endpoints: [{nodeName: %s, conditions: {ready: %s}}]\n",
			      i, (unsigned)rng_below(rng, OBJECTS),
			      scene_nodes[rng_below(rng, ARRAY_LEN(scene_nodes))],
			      PICK(rng, "true", "false"))));
}

static void change(struct scene *s, struct rng *rng)
{
	uint64_t die = rng_below(rng, 30);

	if (die == 0)
		random_config(s, rng);
	else if (die == 1)
		world_set_reference(s->w, rng_below(rng, 2));
	else if (die < 7)
		change_node(s, rng);
	else if (die < 13)
		change_endpoint(s, rng);
	else if (die < 20)
		change_object(s, rng);
	else if (die < 24)
		change_slice(s, rng);
	else
		change_service(s, rng);
}

static void touched_is_enough(void **state)
{
	struct rng rng;
	size_t planned = 0;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t round = 0; round < ROUNDS; round++) {
		struct scene s;

		scene_init(&s);
		s.cfg.n_services = SCENE_SERVICES;
		scene_set(&s);
		struct keeper k = { .a = s.a, .w = s.w, .plans = map_new() };
		world_on_change(s.w, on_change, &k);
		random_config(&s, &rng);
		for (size_t i = 0; i < STEPS; i++) {
			change(&s, &rng);
			compare(&k);
		}
		planned += k.planned;
		map_free(k.plans);
		scene_fini(&s);
	}
	/* And it is less than everything: else the test would show nothing. */
	assert_in_range(planned, 1, ROUNDS * STEPS * (SCENE_SERVICES + OBJECTS) / 2);
}

struct touched {
	char text[128];
};

static void note(void *ctx, const char *service)
{
	struct touched *t = ctx;

	strcat(strcat(t->text, service), " ");
}

static const struct touch_case {
	const char *name;
	enum world_change what;
	const char *subject;
	const char *want;
} touch_cases[] = {
	{ "a service alone", WORLD_SERVICE, "ssh", "ssh " },
	{ "a service with its sharers, through others too", WORLD_SERVICE, "web", "web dns ntp " },
	{ "a service that is gone", WORLD_SERVICE, "gone", "gone " },
	{ "another node: what Layer 2 may announce", WORLD_NODE, "worker-a", "web dns ntp " },
	{ "a node that nobody knows (it left)", WORLD_NODE, "left", "web dns ntp " },
	{ "ourselves: whatever has an address", WORLD_NODE, "edge-a", "web dns ntp ssh " },
	{ "everything", WORLD_ALL, NULL, "web dns ntp ssh " },
};

static void touches(void **state)
{
	const struct touch_case *c = *state;
	struct touched t = { "" };
	struct scene s;

	scene_init(&s);
	s.cfg.n_services = SCENE_SERVICES;
	s.addresses[0] = "10.20.30.1";
	s.addresses[1] = "10.20.30.1 2001:db8::1";
	s.addresses[2] = "2001:db8::1";
	s.addresses[3] = "10.99.0.1";
	scene_set(&s);
	plan_touched(s.w, c->what, c->subject, note, &t);
	assert_string_equal(t.text, c->want);
	scene_fini(&s);
}

/* --- explanations --- */

static const char *explanation_text(struct arena *a, const struct plan_explanation *x)
{
	const char *t = "";

	for (size_t i = 0; i < x->n; i++)
		t = arena_printf(a, "%s%s %s: %s%s%s\n", t, x->v[i].ok ? "ok" : "NO", x->v[i].name,
				 x->v[i].value, x->v[i].reason ? " -> " : "",
				 x->v[i].reason ? x->v[i].reason : "");
	return t;
}

static const struct explain_case {
	const char *name;
	const char *service, *node;
	size_t n_l2_advs, n_bgp_advs;
	bool announced;
	const char *text;
} explain_cases[] = {
	{ "the owner", "web", "edge-b", 1, 0, true,
	  "ok address-assigned: 10.20.30.1\n"
	  "ok address-allowed: pool default\n"
	  "ok endpoints: the service is served\n"
	  "ok layer2-sharing: its advertisements do not hinder sharing\n"
	  "ok layer2-advertisement: a Layer 2 advertisement of pool default selects the node for "
	  "the "
	  "service\n"
	  "ok layer2-candidate: the node is a candidate\n"
	  "ok layer2-link: the node has a link with a carrier for it\n"
	  "ok ranking: edge-b is first of 4\n" },
	{ "a loser", "web", "edge-a", 1, 0, false,
	  "ok address-assigned: 10.20.30.1\n"
	  "ok address-allowed: pool default\n"
	  "ok endpoints: the service is served\n"
	  "ok layer2-sharing: its advertisements do not hinder sharing\n"
	  "ok layer2-advertisement: a Layer 2 advertisement of pool default selects the node for "
	  "the "
	  "service\n"
	  "ok layer2-candidate: the node is a candidate\n"
	  "ok layer2-link: the node has a link with a carrier for it\n"
	  "NO ranking: edge-b is first of 4 -> notOwner\n" },
	{ "by BGP", "web", "edge-a", 0, 1, true,
	  "ok address-assigned: 10.20.30.1\n"
	  "ok address-allowed: pool default\n"
	  "ok bgp-node: a BGP advertisement of pool default selects the node\n"
	  "ok bgp-advertisement: one of them is for the service\n"
	  "ok bgp-local-preference: no two local preferences for one prefix\n"
	  "ok node-network: available\n"
	  "ok node-not-excluded: no label excludes it\n"
	  "ok bgp-endpoints: the service is served\n"
	  "ok local-endpoints: served on the node\n"
	  "ok bgp-session: tor carries IPv4 for 10.20.30.1\n"
	  "ok bgp-session: core carries IPv4 for 10.20.30.1\n"
	  "ok bgp-peers: a peer of its advertisements runs on the node\n" },
	{ "in no mode at all", "web", "edge-a", 0, 0, false,
	  "ok address-assigned: 10.20.30.1\n"
	  "ok address-allowed: pool default\n"
	  "ok endpoints: the service is served\n"
	  "ok layer2-sharing: its advertisements do not hinder sharing\n"
	  "NO layer2-advertisement: no Layer 2 advertisement of pool default selects the node for "
	  "the "
	  "service -> noMatchingAdvertisement\n"
	  "NO bgp-node: no BGP advertisement of pool default selects the node -> notOwner\n" },
	{ "without an address", "dns", "edge-a", 1, 1, false,
	  "NO address-assigned: it has no address -> noIPAllocated\n" },
	{ "nobody", "nobody", "edge-a", 1, 1, false,
	  "NO service: there is no such service -> serviceDeleted\n" },
};

static void explains(void **state)
{
	const struct explain_case *c = *state;
	struct scene s;

	scene_init(&s);
	s.cfg.n_services = 2;
	s.cfg.n_l2_advs = c->n_l2_advs;
	s.cfg.n_bgp_advs = c->n_bgp_advs;
	scene_set(&s);
	struct plan_explanation *x = plan_explain(s.w, c->service, c->node);
	assert_string_equal(explanation_text(s.a, x), c->text);
	assert_int_equal(x->announced, c->announced);
	plan_explanation_free(x);
	scene_fini(&s);
}

static void before_any_configuration_nothing_is_said(void **state)
{
	struct world *w = world_new("me");
	struct plan *p = plan_service(w, "web", "me");

	(void)state;
	assert_int_equal(p->n_silent, 0);
	assert_int_equal(p->n_l2 + p->n_bgp, 0);
	plan_free(p);
	world_free(w);
}

static void peers_run_where_they_are_told(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.peers[1].node_selectors = fx_selectors(s.a, "role=worker");
	scene_set(&s);
	assert_true(plan_peer_runs(s.w, &s.peers[0], "edge-a"));
	assert_false(plan_peer_runs(s.w, &s.peers[1], "edge-a"));
	assert_true(plan_peer_runs(s.w, &s.peers[1], "worker-a"));
	assert_false(plan_peer_runs(s.w, &s.peers[0], "stranger"));
	scene_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(touched_is_enough),
		cmocka_unit_test(before_any_configuration_nothing_is_said),
		cmocka_unit_test(peers_run_where_they_are_told),
	};
	int failed = RUN_TABLE("what a change touches", touch_cases, touches);

	failed += RUN_TABLE("explanations", explain_cases, explains);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
