/* Adding and removing addresses, against a real kernel, in a namespace of its own. */
#include "net/ifaddr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <string.h>

#include "netns.h"

static struct netlink *nl;
static int veth0;

static struct addr must(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* Copy the entry of @a, if the host has it. */
static bool found(const struct addr *a, struct net_addr *out)
{
	struct net_addr *all;
	size_t n;
	bool yes = false;

	assert_int_equal(ifaddr_list(nl, &all, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		if (addr_eq(&all[i].addr, a)) {
			*out = all[i];
			yes = true;
		}
	}
	free(all);
	return yes;
}

struct family_case {
	const char *name; /* the address */
	int len;
};

static const struct family_case families[] = {
	{ "192.0.2.10", 32 },
	{ "2001:db8::10", 128 },
};

static void adds_renews_removes(void **state)
{
	const struct family_case *c = *state;
	struct addr a = must(c->name);
	struct net_addr got;
	struct err e = { 0 };

	assert_int_equal(ifaddr_add(nl, veth0, &a, 30, &e), 0);
	assert_true(found(&a, &got));
	assert_int_equal(got.ifindex, veth0);
	assert_int_equal(got.prefix_len, c->len);
	assert_true(got.flags & IFA_F_NOPREFIXROUTE);
	assert_false(got.flags & (IFA_F_TENTATIVE | IFA_F_PERMANENT));
	assert_in_range(got.valid_s, 25, 30);
	if (ifaddr_proto_kept())
		assert_int_equal(got.proto, IFADDR_PROTO);

	assert_int_equal(ifaddr_add(nl, veth0, &a, 30, &e), IFADDR_EXISTS);
	assert_int_equal(ifaddr_renew(nl, veth0, &a, 90, &e), 0);
	assert_true(found(&a, &got));
	assert_in_range(got.valid_s, 85, 90);
	if (ifaddr_proto_kept())
		assert_int_equal(got.proto, IFADDR_PROTO);

	assert_int_equal(ifaddr_remove(nl, veth0, &a, &e), 0);
	assert_false(found(&a, &got));
	assert_int_equal(ifaddr_remove(nl, veth0, &a, &e), IFADDR_ABSENT);
	assert_int_equal(ifaddr_remove(nl, 9999, &a, &e), IFADDR_ABSENT);
}

static void leaves_no_route(void **state)
{
	struct addr a = must("192.0.2.11");

	(void)state;
	assert_int_equal(ifaddr_add(nl, veth0, &a, 30, NULL), 0);
	netns_run("test -z \"$(ip route show table main)\"");
	netns_run("test -n \"$(ip route show table local 192.0.2.11)\"");
	assert_int_equal(ifaddr_remove(nl, veth0, &a, NULL), 0);
}

static void the_kernel_takes_it_away(void **state)
{
	struct addr a = must("192.0.2.12");
	struct net_addr got;

	(void)state;
	assert_int_equal(ifaddr_add(nl, veth0, &a, 1, NULL), 0);
	for (int i = 0; i < 50 && found(&a, &got); i++)
		netns_run("sleep 0.1");
	assert_false(found(&a, &got));
}

static void refusals_say_why(void **state)
{
	struct addr a = must("192.0.2.13");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ifaddr_add(nl, 9999, &a, 30, &e), -ERR_SYSTEM);
	assert_string_equal(e.text, "add 192.0.2.13/32, link 9999: No such device");
	netns_run("sysctl -qw net.ipv6.conf.veth1.disable_ipv6=1");
	struct addr v6 = must("2001:db8::13");
	assert_int_equal(ifaddr_add(nl, (int)if_nametoindex("veth1"), &v6, 30, &e), -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "Permission denied"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_no_route),
		cmocka_unit_test(the_kernel_takes_it_away),
		cmocka_unit_test(refusals_say_why),
	};
	struct err e;

	if (!netns_enter())
		return 0;
	netns_run("ip link add veth0 type veth peer name veth1");
	netns_run("ip link set veth0 up");
	veth0 = (int)if_nametoindex("veth0");
	if (netlink_open(&nl, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	int failed = RUN_TABLE("families", families, adds_renews_removes);
	failed += cmocka_run_group_tests_name("ifaddr", tests, NULL, NULL);
	nl = netlink_close(nl);
	return failed;
}
