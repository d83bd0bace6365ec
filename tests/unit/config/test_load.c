/* Whole documents: what a load gives, and where its problems point. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/print.h"

static const struct cfg *load_good(const char *text)
{
	struct cfg_report report;
	const struct cfg *c = NULL;
	struct buf said = { 0 };

	if (cfg_load_text("t.yaml", text, strlen(text), "host", &c, &report) < 0) {
		cfg_report_text(&report, false, &said);
		fail_msg("%s", buf_text(&said));
	}
	cfg_report_fini(&report);
	return c;
}

static void typical(void **state)
{
	(void)state;
	const struct cfg *c = load_good("apiVersion: v1\n"
					"kind: ConfigMap\n"
					"metadata: {namespace: metallb-system, name: config}\n"
					"data:\n"
					"  config: |\n"
					"    peers:\n"
					"    - my-asn: 64512\n"
					"      peer-asn: 64513\n"
					"      peer-address: 10.1.0.1\n"
					"    address-pools:\n"
					"    - name: lan\n"
					"      protocol: layer2\n"
					"      addresses: [\"192.168.50.200-192.168.50.220\"]\n"
					"    - name: public\n"
					"      protocol: bgp\n"
					"      addresses: [203.0.113.0/26]\n"
					"    services:\n"
					"    - {name: web, address-pool: lan, ports: [80/tcp]}\n");

	assert_int_equal(c->n_peers, 1);
	assert_string_equal(c->peers[0].name, "10.1.0.1");
	assert_int_equal(c->peers[0].hold.ns, DUR_S(90).ns);
	assert_int_equal(c->n_pools, 2);
	assert_int_equal(c->n_services, 1);
	assert_int_equal(c->http.at.port, 7472);
	cfg_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(typical) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
