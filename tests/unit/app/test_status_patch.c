#include "app/status_patch.h"

#include <string.h>

#include "support.h"

static const struct addr v4 = { .family = FAMILY_V4, .b = { 192, 0, 2, 1 } };
static const struct addr v6 = { .family = FAMILY_V6, .b = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };

static void expect(const struct converge_result *r, enum cfg_ip_mode mode, const char *want)
{
	struct converge_service s = { .key = "ns/name", .ip_mode = mode };
	char *text = status_patch(&s, r, "7");

	assert_string_equal(text, want);
	free(text);
}

#define HEAD "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{"
#define OLD  "\"metallb.universe.tf/ip-allocated-from-pool\":null}},"

static void what_is_written(void **state)
{
	struct converge_result r = { .pool = "default", .n = 2 };

	(void)state;
	r.addresses[0] = v4;
	r.addresses[1] = v6;
	expect(&r, CFG_IP_MODE_VIP,
	       HEAD "\"metallb.io/ip-allocated-from-pool\":\"default\"," OLD
		    "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\"},"
		    "{\"ip\":\"2001:db8::1\"}]}}}");
	r.n = 1;
	expect(&r, CFG_IP_MODE_PROXY,
	       HEAD "\"metallb.io/ip-allocated-from-pool\":\"default\"," OLD
		    "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\","
		    "\"ipMode\":\"Proxy\"}]}}}");
}

/* A merge patch takes away what is null. */
static void what_is_cleared(void **state)
{
	struct converge_result r = { 0 };

	(void)state;
	expect(&r, CFG_IP_MODE_VIP,
	       HEAD "\"metallb.io/ip-allocated-from-pool\":null," OLD
		    "\"status\":{\"loadBalancer\":{\"ingress\":null}}}");
}

static void where_it_is_written(void **state)
{
	struct buf path = { 0 };

	(void)state;
	status_path("ns/name", &path);
	assert_string_equal(buf_text(&path), "/api/v1/namespaces/ns/services/name/status");
	buf_fini(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written),
		cmocka_unit_test(what_is_cleared),
		cmocka_unit_test(where_it_is_written),
	};

	return cmocka_run_group_tests_name("status_patch", tests, NULL, NULL);
}
