#include "unit/plan/scene.h"

/*
 * Reference 4.1: the tests in their order, each with its word. The owner of 10.20.30.1 is edge-b,
 * then worker-a, edge-a, worker-b.
 */
struct rule {
	const char *name;
	void (*change)(struct scene *s); /* the configuration, before */
	void (*happen)(struct scene *s); /* the world, after */
	const char *node;
	const char *reason; /* "" : it is the owner */
	const char *order;  /* of succession, where the node is a candidate */
};

static void nothing(struct scene *s)
{
	(void)s;
}

static void no_address(struct scene *s)
{
	s->addresses[0] = NULL;
}

static void two_pools(struct scene *s)
{
	s->addresses[0] = "10.20.30.1 10.99.0.1";
}

static void outside(struct scene *s)
{
	s->addresses[0] = "172.16.0.1";
	s->services[0].protocol = CFG_LAYER2;
	s->l2[1] = (struct cfg_l2_adv){ .name = "outside", .outside_pools = true };
	s->cfg.n_l2_advs = 2;
}

static void outside_for_bgp(struct scene *s)
{
	outside(s);
	s->services[0].protocol = CFG_BGP;
}

static void checked(struct scene *s)
{
	s->services[0].health.kind = CFG_HEALTH_TCP;
}

static void passes_on_workers(struct scene *s)
{
	world_service_endpoint(s->w, "web", "worker-a", true);
	world_service_endpoint(s->w, "web", "worker-b", true);
	world_service_endpoint(s->w, "web", "edge-b", false);
}

static void local(struct scene *s)
{
	checked(s);
	s->services[0].traffic_policy = CFG_TRAFFIC_LOCAL;
}

static void shared(struct scene *s)
{
	s->services[0].sharing_key = "k";
}

static void selects_services(struct scene *s)
{
	s->l2[0].service_selectors = fx_selectors(s->a, "tier=front");
}

static void shared_and_selects(struct scene *s)
{
	shared(s);
	selects_services(s);
}

static void selects_other_services(struct scene *s)
{
	s->l2[0].service_selectors = fx_selectors(s->a, "tier=back");
}

static void no_advs(struct scene *s)
{
	s->cfg.n_l2_advs = 0;
}

static void for_other_pool(struct scene *s)
{
	s->l2[0].pools.v = &s->pool_of[1];
}

static void on_edges(struct scene *s)
{
	s->l2[0].node_selectors = fx_selectors(s->a, "role=edge");
}

static void service_on_workers(struct scene *s)
{
	s->services[0].node_selectors = fx_selectors(s->a, "role=worker");
}

static void both_selectors(struct scene *s)
{
	on_edges(s);
	service_on_workers(s);
}

static void two_advs(struct scene *s)
{
	on_edges(s);
	s->l2[1].node_selectors = fx_selectors(s->a, "host=worker-b");
	s->cfg.n_l2_advs = 2;
}

static void owner_dies(struct scene *s)
{
	world_node_alive(s->w, "edge-b", false);
}

static void network_down(struct scene *s)
{
	struct world_node node = scene_node(s, "edge-b");

	node.network_unavailable = true;
	world_node_set(s->w, &node);
}

static void excluded(struct scene *s)
{
	struct world_node node = scene_node(s, "edge-b");

	node.excluded = true;
	world_node_set(s->w, &node);
}

static void says_links(struct scene *s, const char *node, bool any, const char *up,
		       const char *down)
{
	const struct world_reach r = {
		.said = true, .any = any, .up = { &up, up != NULL }, .down = { &down, down != NULL }
	};

	world_node_reach(s->w, node, &r);
}

static void owner_has_no_carrier(struct scene *s)
{
	says_links(s, "edge-b", false, NULL, NULL);
	says_links(s, "edge-a", true, NULL, NULL);
}

static void nobody_has_a_carrier(struct scene *s)
{
	for (size_t i = 0; i < ARRAY_LEN(scene_nodes); i++)
		says_links(s, scene_nodes[i], false, NULL, NULL);
}

static void owner_lost_the_network(struct scene *s)
{
	const struct addr in = fx_addr("10.20.30.0");
	struct prefix lost = prefix_of(&in, 24);
	const struct world_reach r = { .said = true, .any = true, .lost = &lost, .n_lost = 1 };

	world_node_reach(s->w, "edge-b", &r);
}

static void no_carrier_beside_others(struct scene *s)
{
	owner_has_no_carrier(s);
	world_set_reference(s->w, true);
}

static void on_eth1(struct scene *s)
{
	static const char *const names[] = { "eth1" };

	s->l2[0].interfaces = (struct cfg_texts){ names, 1 };
}

static void links_differ(struct scene *s)
{
	says_links(s, "edge-a", true, "eth1", NULL);
	says_links(s, "edge-b", true, NULL, "eth1");
	says_links(s, "worker-a", true, NULL, NULL);
}

static void smaller_part(struct scene *s)
{
	world_set_quorum(s->w, &(struct world_quorum){ .of = 5, .alive = 2, .tie = "edge-b" });
}

static void half_with_the_tie(struct scene *s)
{
	world_set_quorum(s->w, &(struct world_quorum){ .of = 4, .alive = 2, .tie_alive = true });
}

static void half_without(struct scene *s)
{
	world_set_quorum(s->w, &(struct world_quorum){ .of = 4, .alive = 2 });
}

static void stays(struct scene *s)
{
	s->cfg.l2.preempt = false;
	world_service_holder(s->w, "web", "worker-b", 3);
}

static void stays_without_carrier(struct scene *s)
{
	stays(s);
	says_links(s, "worker-b", false, NULL, NULL);
}

static void stays_beside_others(struct scene *s)
{
	stays(s);
	world_set_reference(s->w, true);
}

static void would_stay_with_the_dead(struct scene *s)
{
	stays(s);
	world_node_alive(s->w, "worker-b", false);
}

static void was_there(struct scene *s)
{
	world_service_holder(s->w, "web", "worker-b", 3);
}

static void prefer_edge_a(struct scene *s)
{
	static struct cfg_preference p;
	struct selectors sel = fx_selectors(s->a, "host=edge-a");

	p = (struct cfg_preference){ .weight = 100, .nodes = sel.v[0] };
	s->l2[0].preferred = &p;
	s->l2[0].n_preferred = 1;
}

static void prefer_two(struct scene *s)
{
	static const struct cfg_node_weight w[] = { { "worker-b", 60 }, { "edge-a", 60 } };

	s->services[0].preferred = w;
	s->services[0].n_preferred = 2;
}

static void preferences_add_up(struct scene *s)
{
	static const struct cfg_node_weight w[] = { { "worker-b", 99 }, { "edge-a", 1 } };

	prefer_edge_a(s);
	s->services[0].preferred = w;
	s->services[0].n_preferred = 2;
}

/* The preference is for a node that its own advertisement does not select. */
static void prefer_elsewhere(struct scene *s)
{
	prefer_edge_a(s);
	s->l2[0].node_selectors = fx_selectors(s->a, "role=worker");
	s->l2[1] = s->l2[0];
	s->l2[1].n_preferred = 0;
	s->l2[1].node_selectors = (struct selectors){ 0 };
	s->cfg.n_l2_advs = 2;
}

#define ALL_ORDER "edge-b worker-a edge-a worker-b"

static const struct rule rules[] = {
	{ "no such service", nothing, NULL, "edge-b", NULL, NULL },
	{ "no address", no_address, NULL, "edge-b", "noIPAllocated", NULL },
	{ "addresses of two pools", two_pools, NULL, "edge-b", "ipNotAllowed", NULL },
	{ "the owner", nothing, NULL, "edge-b", "", ALL_ORDER },
	{ "a loser", nothing, NULL, "worker-b", "notOwner", ALL_ORDER },
	{ "outside every pool", outside, NULL, "edge-b", "", "edge-b worker-b worker-a edge-a" },
	{ "outside every pool, for the other mode", outside_for_bgp, NULL, "edge-a",
	  "noMatchingAdvertisement", NULL },
	{ "1: served nowhere", checked, NULL, "edge-b", "notOwner", NULL },
	{ "1 comes before 4", local, no_advs, "edge-b", "notOwner", NULL },
	{ "2: a service selector that matches", selects_services, NULL, "edge-b", "", ALL_ORDER },
	{ "2: a service selector that does not", selects_other_services, NULL, "edge-b",
	  "noMatchingAdvertisement", NULL },
	{ "3: shared and selected", shared_and_selects, NULL, "edge-b",
	  "sharedIPWithServiceSelector", NULL },
	{ "3: shared, nothing selected", shared, NULL, "edge-b", "", ALL_ORDER },
	{ "4: no advertisement", no_advs, NULL, "edge-b", "noMatchingAdvertisement", NULL },
	{ "4: only of another pool", for_other_pool, NULL, "edge-b", "noMatchingAdvertisement",
	  NULL },
	{ "4: none selects the node", on_edges, NULL, "worker-a", "noMatchingAdvertisement", NULL },
	{ "4: the service's own selector counts too", service_on_workers, NULL, "edge-b",
	  "noMatchingAdvertisement", NULL },
	{ "4: a node that nobody knows", nothing, NULL, "stranger", "noMatchingAdvertisement",
	  NULL },
	{ "selectors of advertisement and service: both", both_selectors, NULL, "worker-a",
	  "noMatchingAdvertisement", NULL },
	{ "5: advertisements unite", two_advs, NULL, "edge-b", "", "edge-b edge-a worker-b" },
	{ "5: not alive", nothing, owner_dies, "worker-a", "", "worker-a edge-a worker-b" },
	{ "5: not alive, itself", nothing, owner_dies, "edge-b", "notOwner", NULL },
	{ "5: network unavailable", nothing, network_down, "worker-a", "",
	  "worker-a edge-a worker-b" },
	{ "5: network unavailable, itself", nothing, network_down, "edge-b", "notOwner", NULL },
	{ "5: excluded", nothing, excluded, "worker-a", "", "worker-a edge-a worker-b" },
	{ "5: excluded, itself", nothing, excluded, "edge-b", "notOwner", NULL },
	{ "5: served elsewhere (Local)", local, passes_on_workers, "worker-a", "",
	  "worker-a worker-b" },
	{ "5: not served here (Local)", local, passes_on_workers, "edge-b", "notOwner", NULL },
	{ "5: a health check that fails here", checked, passes_on_workers, "edge-b", "notOwner",
	  NULL },
	{ "5: a health check that passes here", checked, passes_on_workers, "worker-a", "",
	  "worker-a worker-b" },
	{ "5: no carrier", nothing, owner_has_no_carrier, "worker-a", "",
	  "worker-a edge-a worker-b edge-b" },
	{ "5: no carrier, itself", nothing, owner_has_no_carrier, "edge-b", "notOwner",
	  "worker-a edge-a worker-b edge-b" },
	{ "5: nobody has a carrier", nothing, nobody_has_a_carrier, "edge-b", "", ALL_ORDER },
	{ "5: the link of the network has none", nothing, owner_lost_the_network, "worker-a", "",
	  "worker-a edge-a worker-b edge-b" },
	{ "5: no carrier, beside the reference", nothing, no_carrier_beside_others, "edge-b", "",
	  ALL_ORDER },
	{ "5: a named link", on_eth1, links_differ, "edge-a", "", "edge-a worker-b edge-b" },
	{ "5: a named link that it has not", on_eth1, links_differ, "worker-a", "notOwner", NULL },
	{ "whoever has it keeps it", nothing, stays, "worker-b", "",
	  "worker-b edge-b worker-a edge-a" },
	{ "whoever has it goes, without a carrier", nothing, stays_without_carrier, "edge-b", "",
	  "edge-b worker-a edge-a worker-b" },
	{ "whoever had it is dead", nothing, would_stay_with_the_dead, "edge-b", "",
	  "edge-b worker-a edge-a" },
	{ "whoever has it, beside the reference", nothing, stays_beside_others, "edge-b", "",
	  ALL_ORDER },
	{ "whoever has it, with preempt", nothing, was_there, "edge-b", "", ALL_ORDER },
	{ "the smaller part", nothing, smaller_part, "edge-b", "noQuorum", NULL },
	{ "one half, with the tie", nothing, half_with_the_tie, "edge-b", "", ALL_ORDER },
	{ "the other half", nothing, half_without, "edge-b", "noQuorum", NULL },
	{ "6: preference of the advertisement", prefer_edge_a, NULL, "edge-a", "",
	  "edge-a edge-b worker-a worker-b" },
	{ "6: equal preferences are ranked by hash", prefer_two, NULL, "edge-a", "",
	  "edge-a worker-b edge-b worker-a" },
	{ "6: preferences add up", preferences_add_up, NULL, "edge-a", "",
	  "edge-a worker-b edge-b worker-a" },
	{ "6: only where the advertisement selects the node", prefer_elsewhere, NULL, "edge-b", "",
	  ALL_ORDER },
};

static const char *order_text(struct arena *a, const struct plan_l2 *l2)
{
	const char *text = "";

	for (size_t i = 0; i < l2->n_succession; i++)
		text = arena_printf(a, "%s%s%s", text, i ? " " : "", l2->succession[i].node);
	return text;
}

static void decides(void **state)
{
	const struct rule *r = *state;
	struct scene s;

	scene_init(&s);
	r->change(&s);
	scene_set(&s);
	if (r->happen)
		r->happen(&s);
	struct plan *p = plan_service(s.w, r->reason ? "web" : "nobody", r->node);
	const char *want = r->reason ? r->reason : "serviceDeleted";
	assert_string_equal(plan_reason(p, CFG_LAYER2), want);
	assert_int_equal(p->owner, !*want);
	if (r->order)
		assert_string_equal(order_text(s.a, &p->l2[0]), r->order);
	else if (*want)
		assert_int_equal(p->n_l2, 0);
	plan_free(p);
	scene_fini(&s);
}

/* Reference 4.2: worked examples, through the whole decision. */
static const struct example {
	const char *name;
	const char *nodes;
	const char *ip;
	const char *order;
} examples[] = {
	{ "10.0.0.1", "node-a node-b node-c", "10.0.0.1", "node-b node-a node-c" },
	{ "10.0.0.2", "node-a node-b node-c", "10.0.0.2", "node-b node-c node-a" },
	{ "2001:db8::10", "node-a node-b node-c", "2001:db8::10", "node-b node-a node-c" },
	{ "four workers", "worker-1 worker-2 worker-3 worker-4", "192.168.1.240",
	  "worker-2 worker-1 worker-3 worker-4" },
	{ "a fifth", "worker-1 worker-2 worker-3 worker-4 worker-5", "192.168.1.240",
	  "worker-5 worker-2 worker-1 worker-3 worker-4" },
};

static void ranks(void **state)
{
	const struct example *e = *state;
	struct scene s;

	scene_init(&s);
	s.pools[0] = fx_pool(s.a, "default", "10.0.0.0/24 192.168.1.0/24 2001:db8::/64");
	s.addresses[0] = e->ip;
	scene_set(&s);
	for (size_t i = 0; i < ARRAY_LEN(scene_nodes); i++)
		world_node_set(s.w,
			       &(struct world_node){ .name = scene_nodes[i], .excluded = true });
	char *rest = arena_strdup(s.a, e->nodes), *last = NULL;
	for (char *name; (name = strsep(&rest, " ")); last = name)
		world_node_set(s.w, &(struct world_node){ .name = name, .alive = true });
	struct plan *p = plan_service(s.w, "web", last);
	assert_string_equal(order_text(s.a, &p->l2[0]), e->order);
	plan_free(p);
	scene_fini(&s);
}

/* Several advertisements: the interfaces of those that select the node. */
static void interfaces(void **state)
{
	static const char *const first[] = { "eth0", "eth1" }, *const second[] = { "eth1", "eth2" };
	struct scene s;

	(void)state;
	scene_init(&s);
	s.l2[0].interfaces = (struct cfg_texts){ first, 2 };
	s.l2[1].interfaces = (struct cfg_texts){ second, 2 };
	s.l2[2].node_selectors = fx_selectors(s.a, "role=worker");
	s.cfg.n_l2_advs = 3;
	scene_set(&s);
	struct plan *edge = plan_service(s.w, "web", "edge-b");
	struct plan *worker = plan_service(s.w, "web", "worker-a");
	assert_false(edge->l2[0].all_interfaces);
	assert_int_equal(edge->l2[0].interfaces->n, 3);
	assert_string_equal(edge->l2[0].interfaces->v[2], "eth2");
	assert_true(worker->l2[0].all_interfaces);
	plan_free(edge);
	plan_free(worker);
	scene_fini(&s);
}

/* Both families of a service live on one node, ranked by the first address. */
static void both_families_on_one_node(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.addresses[0] = "10.20.30.1 2001:db8::1";
	scene_set(&s);
	struct plan *p = plan_service(s.w, "web", "edge-b");
	assert_true(p->owner);
	assert_int_equal(p->n_l2, 2);
	assert_string_equal(order_text(s.a, &p->l2[0]), ALL_ORDER);
	assert_string_equal(order_text(s.a, &p->l2[1]), ALL_ORDER);
	plan_free(p);
	scene_fini(&s);
}

/* --- services that share an address --- */

static void sharing(struct scene *s, const char *web, const char *dns, const char *web_on,
		    const char *dns_on)
{
	scene_init(s);
	s->services[0].sharing_key = s->services[1].sharing_key = "k";
	s->services[0].node_selectors = fx_selectors(s->a, web_on);
	s->services[1].node_selectors = fx_selectors(s->a, dns_on);
	s->addresses[0] = web;
	s->addresses[1] = dns;
	s->cfg.n_services = 2;
}

/* Who is the owner of a service, as each node sees it: there is at most one. */
static const char *owner_of(const struct scene *s, const char *service)
{
	const char *owner = "";

	for (size_t i = 0; i < ARRAY_LEN(scene_nodes); i++) {
		struct plan *p = plan_service(s->w, service, scene_nodes[i]);

		if (p->owner) {
			assert_string_equal(owner, "");
			owner = scene_nodes[i];
		}
		plan_free(p);
	}
	return owner;
}

static const struct share_case {
	const char *name;
	const char *web, *dns;	     /* addresses */
	const char *web_on, *dns_on; /* node selectors */
	bool reference;
	const char *web_owner, *dns_owner;
} share_cases[] = {
	{ "where both may", "10.20.30.1", "10.20.30.1", "", "role=worker", false, "worker-a",
	  "worker-a" },
	{ "to the letter of the reference: each alone", "10.20.30.1", "10.20.30.1", "",
	  "role=worker", true, "edge-b", "worker-a" },
	{ "a pair and one of its halves", "10.20.30.1 2001:db8::1", "2001:db8::1", "role=edge", "",
	  false, "edge-b", "edge-b" },
	{ "nowhere both: the address stays on one node", "10.20.30.1", "10.20.30.1", "role=edge",
	  "role=worker", false, "edge-b", "" },
	{ "not shared at all", "10.20.30.1", "10.20.30.2", "role=edge", "role=worker", false,
	  "edge-b", "worker-b" },
};

static void shares(void **state)
{
	const struct share_case *c = *state;
	struct scene s;

	sharing(&s, c->web, c->dns, c->web_on, c->dns_on);
	scene_set(&s);
	world_set_reference(s.w, c->reference);
	assert_string_equal(owner_of(&s, "web"), c->web_owner);
	assert_string_equal(owner_of(&s, "dns"), c->dns_owner);
	scene_fini(&s);
}

/* A sharer that nobody may announce does not hold the others back. */
static void an_unserved_sharer_does_not_count(void **state)
{
	struct scene s;

	(void)state;
	sharing(&s, "10.20.30.1", "10.20.30.1", "", "role=worker");
	s.services[1].health.kind = CFG_HEALTH_TCP;
	scene_set(&s);
	assert_string_equal(owner_of(&s, "web"), "edge-b");
	world_service_endpoint(s.w, "dns", "worker-b", true);
	assert_string_equal(owner_of(&s, "web"), "worker-b");
	assert_string_equal(owner_of(&s, "dns"), "worker-b");
	struct plan *p = plan_service(s.w, "web", "edge-b");
	assert_string_equal(plan_reason(p, CFG_LAYER2), "notOwner");
	assert_false(p->silent[0].plain_loser);
	plan_free(p);
	scene_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces),
		cmocka_unit_test(both_families_on_one_node),
		cmocka_unit_test(an_unserved_sharer_does_not_count),
	};
	int failed = RUN_TABLE("layer 2: who may announce", rules, decides);

	failed += RUN_TABLE("layer 2: election order", examples, ranks);
	failed += RUN_TABLE("layer 2: shared addresses", share_cases, shares);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
