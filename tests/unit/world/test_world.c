#include "unit/world/fixture.h"
#include "unit/world/heard.h"
#include "world/world.h"

static const char *service_order(const struct world *w, struct arena *a)
{
	const struct world_service *s;
	const char *text = "";

	for (size_t at = 0; (s = world_next_service(w, &at));)
		text = arena_printf(a, "%s%s ", text, s->key);
	return text;
}

static void own_node_never_goes(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	world_node_alive(w, "me", false);
	world_node_del(w, "me");
	assert_heard(&h, "");
	assert_true(world_node(w, "me")->alive);
	world_node_set(w, &(struct world_node){ .name = "me", .excluded = true });
	assert_heard(&h, "N me");
	assert_true(world_node(w, "me")->alive);
	assert_true(world_node(w, "me")->excluded);
	world_free(w);
}

static void own_labels_are_the_configurations(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct world *w = world_new("me");
	struct cfg with = { .node = { .labels = fx_labels(a, "rack=1") } };
	struct cfg without = { 0 };

	(void)state;
	world_node_set(w, &(struct world_node){ .name = "me", .labels = fx_labels(a, "rack=9") });
	assert_string_equal(labels_get(&world_node(w, "me")->labels, "rack"), "9");
	world_set_config(w, &with);
	assert_string_equal(labels_get(&world_node(w, "me")->labels, "rack"), "1");
	world_node_set(w, &(struct world_node){ .name = "me", .labels = fx_labels(a, "rack=8") });
	assert_string_equal(labels_get(&world_node(w, "me")->labels, "rack"), "1");
	world_set_config(w, &without);
	assert_string_equal(labels_get(&world_node(w, "me")->labels, "rack"), "8");
	world_free(w);
}

static void nodes_walk_by_name(void **state)
{
	struct heard h;
	struct world *w = listening(&h);
	const struct world_node *node;
	char order[32] = "";

	(void)state;
	world_node_set(w, &(struct world_node){ .name = "z" });
	world_node_set(w, &(struct world_node){ .name = "b", .alive = true });
	world_node_set(w, &(struct world_node){ .name = "b", .alive = true });
	world_node_alive(w, "z", true);
	world_node_alive(w, "nobody", true);
	assert_heard(&h, "N z, N b, N z");
	for (size_t at = 0; (node = world_next_node(w, &at));)
		strcat(order, node->name);
	assert_string_equal(order, "bmez");
	world_node_del(w, "b");
	world_node_del(w, "b");
	assert_heard(&h, "N b");
	assert_null(world_node(w, "b"));
	world_free(w);
}

static void an_onlooker_is_no_node(void **state)
{
	struct world *w = world_new(NULL);
	struct cfg c = { 0 };

	(void)state;
	world_set_config(w, &c);
	assert_null(world_me(w));
	assert_null(world_next_node(w, &(size_t){ 0 }));
	world_free(w);
}

static void services_follow_the_file(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_service first[] = { { .name = "web" }, { .name = "dns" } };
	struct cfg_service second[] = { { .name = "new" }, { .name = "dns", .pool = "p" } };
	struct cfg one = { .services = first, .n_services = 2 };
	struct cfg two = { .services = second, .n_services = 2 };
	struct addr ip = addr_v4(192, 0, 2, 1);
	struct heard h;
	struct world *w = listening(&h);
	size_t n;

	(void)state;
	world_set_config(w, &one);
	assert_string_equal(service_order(w, a), "web dns ");
	world_service_assign(w, "dns", &ip, 1);
	world_service_assign(w, "dns", &ip, 1);
	world_service_endpoint(w, "dns", "b", false);
	world_service_endpoint(w, "dns", "b", false);
	assert_heard(&h, "*, S dns, S dns");

	world_set_config(w, &two);
	assert_string_equal(service_order(w, a), "new dns ");
	assert_null(world_service(w, "web"));
	const struct world_service *dns = world_service(w, "dns");
	assert_string_equal(dns->pool, "p");
	assert_ptr_equal(dns->cfg, &second[1]);
	assert_int_equal(dns->n_addresses, 1);
	assert_int_equal(dns->n_endpoints, 1);
	assert_ptr_equal(world_holders(w, &ip, &n)[0], dns);

	world_set_config(w, &one);
	world_set_config(w, NULL);
	assert_null(world_service(w, "dns"));
	assert_null(world_holders(w, &ip, &n));
	world_free(w);
}

static void texts_are_copies(void **state)
{
	struct arena *a = arena_new();
	struct cfg_service *s = arena_new_of(a, struct cfg_service);
	struct cfg c = { .services = s, .n_services = 1 };
	struct cfg_node_weight *preferred = arena_new_of(a, struct cfg_node_weight);
	struct world *w = world_new("me");

	(void)state;
	*preferred = (struct cfg_node_weight){ .node = arena_strdup(a, "b"), .weight = 7 };
	*s = (struct cfg_service){
		.name = arena_strdup(a, "web"),
		.labels = fx_labels(a, "tier=front"),
		.sharing_key = arena_strdup(a, "key"),
		.node_selectors = fx_selectors(a, "rack=1"),
		.ports = fx_ports(a, "80/tcp", &s->n_ports),
		.preferred = preferred,
		.n_preferred = 1,
	};
	s->n_ports = 1;
	world_set_config(w, &c);
	arena_free(a);
	const struct world_service *web = world_service(w, "web");
	assert_string_equal(labels_get(&web->labels, "tier"), "front");
	assert_string_equal(web->sharing_key, "key");
	assert_string_equal(web->node_selectors.v[0].terms[0].values[0], "1");
	assert_string_equal(web->preferred[0].node, "b");
	assert_int_equal(web->ports[0].port, 80);
	world_free(w);
}

static void servable(void **state)
{
	struct cfg_service services[] = {
		{ .name = "free" },
		{ .name = "checked", .health = { .kind = CFG_HEALTH_TCP } },
	};
	struct cfg c = { .services = services, .n_services = 2 };
	struct world *w = world_new("me");

	(void)state;
	world_set_config(w, &c);
	const struct world_service *open = world_service(w, "free");
	const struct world_service *checked = world_service(w, "checked");
	assert_true(world_servable(open, "me") && world_servable(open, NULL));
	assert_false(world_servable(checked, "me") || world_servable(checked, NULL));
	world_service_endpoint(w, "free", "me", false);
	assert_false(world_servable(open, "me"));
	assert_true(world_servable(open, "b"));
	world_service_endpoint(w, "checked", "me", false);
	world_service_endpoint(w, "checked", "b", true);
	assert_false(world_servable(checked, "me"));
	assert_true(world_servable(checked, "b") && world_servable(checked, NULL));
	world_endpoints_forget(w, "b");
	assert_false(world_servable(checked, NULL));

	/* The check is taken out of the file: its verdicts go with it. */
	services[1].health.kind = CFG_HEALTH_NONE;
	world_set_config(w, &c);
	assert_true(world_servable(world_service(w, "checked"), "me"));
	world_free(w);
}

static void leaving_an_address_tells_those_who_stay(void **state)
{
	struct cfg_service services[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct cfg c = { .services = services, .n_services = 3 };
	struct addr shared[] = { addr_v4(192, 0, 2, 1), addr_v4(192, 0, 2, 2) };
	struct heard h;
	struct world *w = listening(&h);
	size_t n;

	(void)state;
	world_set_config(w, &c);
	world_service_assign(w, "a", shared, 2);
	world_service_assign(w, "b", shared, 1);
	world_service_assign(w, "c", &shared[1], 1);
	assert_heard(&h, "*, S a, S b, S c");
	(void)world_holders(w, &shared[0], &n);
	assert_int_equal(n, 2);
	world_service_assign(w, "a", &shared[1], 1);
	assert_heard(&h, "S a, S b");
	world_service_assign(w, "a", NULL, 0);
	assert_heard(&h, "S a, S c");
	world_service_assign(w, "nobody", shared, 1);
	world_service_endpoint(w, "nobody", "me", true);
	world_set_reference(w, true);
	world_set_reference(w, true);
	assert_heard(&h, "*");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_node_never_goes),
		cmocka_unit_test(own_labels_are_the_configurations),
		cmocka_unit_test(nodes_walk_by_name),
		cmocka_unit_test(an_onlooker_is_no_node),
		cmocka_unit_test(services_follow_the_file),
		cmocka_unit_test(texts_are_copies),
		cmocka_unit_test(servable),
		cmocka_unit_test(leaving_an_address_tells_those_who_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
