#include "unit/world/fixture.h"
#include "unit/world/heard.h"
#include "unit/world/objects.h"

static void set_service(struct world *w, const char *name, const char *more)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "metadata: {name: %s, namespace: shop}\nspec: {type: LoadBalancer}\n%s",
		       name, more);
	world_service_set(w, fx_object_service(text));
}

#define HAS(list) "status: {loadBalancer: {ingress: [" list "]}}\n"

static void set_slice(struct world *w, const char *name, const char *service, const char *endpoints)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "metadata: {name: %s, namespace: shop, labels: {%s%s}}\nendpoints: [%s]\n",
		       name, *service ? "kubernetes.io/service-name: " : "", service, endpoints);
	world_endpoints_set(w, fx_object_endpoints(text));
}

static void set_endpoints(struct world *w, const char *name, const char *addresses)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "metadata: {name: %s, namespace: shop}\nsubsets: [{addresses: [%s]}]\n",
		       name, addresses);
	world_endpoints_set(w, fx_object_endpoints(text));
}

#define ON(node)  "{nodeName: " node "}"
#define OFF(node) "{nodeName: " node ", conditions: {ready: false}}"

static void services_come_change_and_go(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	set_service(w, "web", HAS("{ip: 10.0.0.1}"));
	assert_heard(&h, "S shop/web");
	const struct world_service *s = world_service(w, "shop/web");
	assert_int_equal(s->origin, WORLD_KUBERNETES);
	assert_int_equal(s->n_addresses, 1);
	set_service(w, "web", HAS("{ip: 10.0.0.1}"));
	assert_heard(&h, "");
	set_service(w, "web", HAS("{ip: 10.0.0.2}"));
	assert_heard(&h, "S shop/web");
	assert_ptr_equal(world_service(w, "shop/web"), s);
	assert_string_equal(ADDR_TEXT(&s->addresses[0]), "10.0.0.2");
	world_service_del(w, "shop/web");
	assert_heard(&h, "S shop/web");
	assert_true(h.is_gone);
	world_service_del(w, "shop/web");
	assert_heard(&h, "");
	world_free(w);
}

/* What a sharer may do depended on it. */
static void who_shared_hears_of_it(void **state)
{
	struct heard h;
	struct world *w = listening(&h);
	struct addr a = fx_addr("10.0.0.1");
	size_t n;

	(void)state;
	set_service(w, "web", HAS("{ip: 10.0.0.1}"));
	set_service(w, "dns", HAS("{ip: 10.0.0.1}"));
	h.text[0] = '\0';
	assert_non_null(world_holders(w, &a, &n));
	assert_int_equal(n, 2);
	world_service_del(w, "shop/web");
	assert_heard(&h, "S shop/web, S shop/dns");
	assert_non_null(world_holders(w, &a, &n));
	assert_int_equal(n, 1);
	set_service(w, "dns", "");
	assert_heard(&h, "S shop/dns");
	assert_null(world_holders(w, &a, &n));
	world_free(w);
}

static void a_bad_status_is_known(void **state)
{
	struct heard h;
	struct world *w = listening(&h);
	struct addr a = fx_addr("10.0.0.1");

	(void)state;
	set_service(w, "web", HAS("{ip: 10.0.0.1}, {hostname: x}"));
	assert_true(world_service(w, "shop/web")->has_bad_address);
	assert_int_equal(world_service(w, "shop/web")->n_addresses, 1);
	h.text[0] = '\0';
	world_service_assign(w, "shop/web", &a, 1);
	assert_heard(&h, "S shop/web");
	assert_false(world_service(w, "shop/web")->has_bad_address);
	world_service_assign(w, "shop/web", &a, 1);
	assert_heard(&h, "");
	world_free(w);
}

static void endpoints_of_all_slices_count(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	set_service(w, "web", "");
	const struct world_service *s = world_service(w, "shop/web");
	assert_false(s->has_endpoints_object);
	h.text[0] = '\0';
	set_slice(w, "web-1", "web", ON("b") "," OFF("c"));
	assert_heard(&h, "S shop/web");
	set_slice(w, "web-2", "web", ON("a") "," ON("b"));
	assert_heard(&h, "S shop/web");
	assert_int_equal(s->n_endpoints, 2);
	assert_int_equal(s->n_backends, 4);
	assert_true(world_servable(s, "a") && world_servable(s, "b") && world_servable(s, NULL));
	assert_false(world_servable(s, "c"));
	set_slice(w, "web-2", "web", ON("b") "," ON("a"));
	assert_heard(&h, "");
	world_endpoints_del(w, true, "shop/web-1");
	assert_heard(&h, "S shop/web");
	assert_true(world_servable(s, "a") && world_servable(s, "b"));
	world_endpoints_del(w, true, "shop/web-2");
	assert_heard(&h, "S shop/web");
	assert_false(world_servable(s, NULL) || s->has_endpoints_object);
	world_endpoints_del(w, true, "shop/web-2");
	assert_heard(&h, "");
	world_free(w);
}

static void slices_wait_for_their_service(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	set_slice(w, "web-1", "web", ON("a"));
	set_slice(w, "lost", "", ON("a"));
	assert_heard(&h, "");
	set_service(w, "web", "");
	assert_heard(&h, "S shop/web");
	assert_true(world_servable(world_service(w, "shop/web"), "a"));
	world_service_del(w, "shop/web");
	set_service(w, "web", "");
	assert_true(world_servable(world_service(w, "shop/web"), "a"));
	world_free(w);
}

static void a_slice_may_move_to_another_service(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	set_service(w, "web", "");
	set_service(w, "dns", "");
	set_slice(w, "one", "web", ON("a"));
	h.text[0] = '\0';
	set_slice(w, "one", "dns", ON("a"));
	assert_heard(&h, "S shop/dns, S shop/web");
	assert_false(world_servable(world_service(w, "shop/web"), NULL));
	assert_true(world_servable(world_service(w, "shop/dns"), "a"));
	set_slice(w, "one", "", ON("a"));
	assert_heard(&h, "S shop/dns");
	world_free(w);
}

static void endpoints_count_where_there_is_no_slice(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	set_service(w, "web", "");
	const struct world_service *s = world_service(w, "shop/web");
	set_endpoints(w, "web", ON("a") ", {ip: 10.1.0.1}");
	assert_true(world_servable(s, "a"));
	set_slice(w, "web-1", "web", ON("b"));
	assert_true(world_servable(s, "b"));
	assert_false(world_servable(s, "a"));
	h.text[0] = '\0';
	set_endpoints(w, "web", ON("c"));
	assert_heard(&h, "");
	world_endpoints_del(w, true, "shop/web-1");
	assert_heard(&h, "S shop/web");
	assert_true(world_servable(s, "c"));
	world_endpoints_del(w, false, "shop/web");
	assert_false(world_servable(s, NULL));
	world_free(w);
}

/* Health checks and members that leave are about standalone services. */
static void verdicts_are_not_for_them(void **state)
{
	struct heard h;
	struct world *w = listening(&h);

	(void)state;
	set_service(w, "web", "");
	set_slice(w, "web-1", "web", ON("a"));
	h.text[0] = '\0';
	world_service_endpoint(w, "shop/web", "b", true);
	world_service_endpoint_forget(w, "shop/web", "a");
	world_endpoints_forget(w, "a");
	assert_heard(&h, "");
	assert_int_equal(world_service(w, "shop/web")->n_endpoints, 1);
	world_free(w);
}

static void a_configuration_leaves_them_alone(void **state)
{
	struct cfg_service own = { .name = "own" };
	struct cfg c = { .services = &own, .n_services = 1 };
	struct world *w = world_new("me");
	size_t at = 0;

	(void)state;
	set_service(w, "a", "");
	set_service(w, "b", "");
	world_service_del(w, "shop/a");
	world_set_config(w, &c);
	assert_string_equal(world_next_service(w, &at)->key, "own");
	assert_string_equal(world_next_service(w, &at)->key, "shop/b");
	assert_null(world_next_service(w, &at));
	world_service_set(w, fx_object_service("metadata: {name: c}\nspec: {}\n"));
	world_set_config(w, &(struct cfg){ 0 });
	at = 0;
	assert_string_equal(world_next_service(w, &at)->key, "shop/b");
	assert_string_equal(world_next_service(w, &at)->key, "default/c");
	world_free(w);
}

/* Their order is that in which they came, whoever goes in between. */
static void many_go_and_the_order_stays(void **state)
{
	enum { N = 100 };
	struct world *w = world_new("me");
	const struct world_service *s;
	char name[32];
	int last = -1, n = 0;

	(void)state;
	for (int i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "s%03d", i);
		set_service(w, name, "");
	}
	for (int i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "shop/s%03d", i * 37 % N);
		if (i % 4)
			world_service_del(w, name);
	}
	for (size_t at = 0; (s = world_next_service(w, &at)); n++) {
		assert_true(atoi(s->key + strlen("shop/s")) > last);
		last = atoi(s->key + strlen("shop/s"));
		assert_ptr_equal(world_service(w, s->key), s);
	}
	assert_int_equal(n, N / 4);
	world_free(w);
}

static void namespaces(void **state)
{
	struct heard h;
	struct world *w = listening(&h);
	struct label red = { "team", "red" }, blue = { "team", "blue" };

	(void)state;
	assert_null(world_namespace(w, "shop"));
	world_namespace_set(w, "shop", &(struct labels){ &red, 1 });
	assert_heard(&h, "NS shop");
	world_namespace_set(w, "shop", &(struct labels){ &red, 1 });
	assert_heard(&h, "");
	world_namespace_set(w, "shop", &(struct labels){ &blue, 1 });
	assert_heard(&h, "NS shop");
	assert_string_equal(labels_get(world_namespace(w, "shop"), "team"), "blue");
	world_namespace_del(w, "shop");
	assert_heard(&h, "NS shop");
	world_namespace_del(w, "shop");
	assert_heard(&h, "");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_come_change_and_go),
		cmocka_unit_test(who_shared_hears_of_it),
		cmocka_unit_test(a_bad_status_is_known),
		cmocka_unit_test(endpoints_of_all_slices_count),
		cmocka_unit_test(slices_wait_for_their_service),
		cmocka_unit_test(a_slice_may_move_to_another_service),
		cmocka_unit_test(endpoints_count_where_there_is_no_slice),
		cmocka_unit_test(verdicts_are_not_for_them),
		cmocka_unit_test(a_configuration_leaves_them_alone),
		cmocka_unit_test(many_go_and_the_order_stays),
		cmocka_unit_test(namespaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
