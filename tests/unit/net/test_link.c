/* The table of links against a real kernel, in a namespace of its own. */
#include "net/link.h"

#include <string.h>

#include "netns.h"

struct fixture {
	struct loop *loop;
	struct net_links *links;
	struct net_watch watch;
	int changes;
	int told_first;
	bool (*want)(struct fixture *f); /* what the loop runs for */
	struct loop_timer deadline;
};

static void look(struct fixture *f)
{
	if (f->want && f->want(f))
		loop_stop(f->loop);
}

static void changed(struct net_watch *w)
{
	struct fixture *f = CONTAINER_OF(w, struct fixture, watch);

	f->changes++;
	look(f);
}

static void first_changed(void *ctx)
{
	struct fixture *f = ctx;

	f->told_first++;
}

static void too_late(struct loop_timer *t, struct mono now)
{
	(void)t;
	(void)now;
	fail_msg("no such change within 5 s");
}

/* Turn the loop until the table looks as wanted. */
static void until(struct fixture *f, bool (*want)(struct fixture *))
{
	if (want(f))
		return;
	f->want = want;
	loop_timer_set(&f->deadline, mono_add(mono_clock(), DUR_S(5)));
	loop_run(f->loop);
	loop_timer_stop(&f->deadline);
	f->want = NULL;
}

static int up(void **state)
{
	static struct fixture f;
	struct err e;

	f = (struct fixture){ .watch.changed = changed };
	netns_run("ip link add veth0 type veth peer name veth1");
	if (loop_new(&f.loop, &e) < 0 ||
	    net_links_new(f.loop, first_changed, &f, &f.links, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	net_links_watch(f.links, &f.watch);
	loop_timer_init(&f.deadline, f.loop, too_late);
	*state = &f;
	return 0;
}

static int down(void **state)
{
	struct fixture *f = *state;

	net_links_unwatch(&f->watch);
	f->links = net_links_free(f->links);
	f->loop = loop_free(f->loop);
	netns_run("ip link del veth0; ip link del br0 2>/dev/null || true");
	return 0;
}

static const struct net_link *veth0(struct fixture *f)
{
	return net_links_by_name(f->links, "veth0");
}

static bool has(struct fixture *f, const char *text)
{
	const struct net_link *l = veth0(f);

	for (size_t i = 0; l && i < l->n_addrs; i++) {
		if (strcmp(ADDR_TEXT(&l->addrs[i].addr), text) == 0)
			return true;
	}
	return false;
}

static void starts_with_what_is_there(void **state)
{
	struct fixture *f = *state;
	const struct net_link *lo = net_links_by_name(f->links, "lo");
	size_t n;
	const struct net_link *all = net_links_all(f->links, &n);

	assert_int_equal(n, 3);
	assert_true(all[0].ifindex < all[1].ifindex && all[1].ifindex < all[2].ifindex);
	assert_true(lo && lo->loopback && !lo->up && !lo->has_mac);
	assert_ptr_equal(net_links_by_index(f->links, lo->ifindex), lo);
	assert_true(veth0(f) && veth0(f)->has_mac && veth0(f)->broadcast);
	assert_string_equal(veth0(f)->kind, "veth");
	assert_false(veth0(f)->up || veth0(f)->running || veth0(f)->noarp);
	assert_int_equal(veth0(f)->mtu, 1500);
	assert_true(veth0(f)->lower > 0 && veth0(f)->lower != veth0(f)->ifindex);
	assert_false(net_links_has_vlans(f->links, veth0(f)->lower)); /* that is its other end */
	assert_null(net_links_by_name(f->links, "nowhere"));
	assert_null(net_links_by_index(f->links, 9999));
}

static bool is_running(struct fixture *f)
{
	return veth0(f)->up && veth0(f)->running;
}

static bool lost_carrier(struct fixture *f)
{
	return veth0(f)->up && !veth0(f)->running;
}

static void follows_state_and_carrier(void **state)
{
	struct fixture *f = *state;

	netns_run("ip link set veth0 up");
	netns_run("ip link set veth1 up");
	until(f, is_running);
	netns_run("ip link set veth1 down");
	until(f, lost_carrier);
}

static bool has_v4(struct fixture *f)
{
	return has(f, "192.0.2.1");
}

static bool has_v6(struct fixture *f)
{
	return has(f, "2001:db8::1");
}

static bool has_none(struct fixture *f)
{
	return !has_v4(f) && !has_v6(f);
}

static void follows_addresses(void **state)
{
	struct fixture *f = *state;

	netns_run("ip addr add 192.0.2.1/24 dev veth0");
	netns_run("ip addr add 2001:db8::1/64 dev veth0 valid_lft 600 preferred_lft 300");
	until(f, has_v4);
	until(f, has_v6);
	const struct net_addr *a = veth0(f)->addrs;
	assert_string_equal(PREFIX_TEXT(&a[0].subnet), "192.0.2.0/24");
	assert_int_equal(a[0].valid_s, NET_LIFE_EVER);
	assert_int_equal(a[0].ifindex, veth0(f)->ifindex);
	assert_string_equal(PREFIX_TEXT(&a[1].subnet), "2001:db8::/64");
	assert_in_range(a[1].valid_s, 590, 600);
	struct addr near4 = addr_v4(192, 0, 2, 200);
	struct addr far4 = addr_v4(192, 0, 3, 200);
	assert_ptr_equal(net_links_connected(f->links, &near4), veth0(f));
	assert_null(net_links_connected(f->links, &far4));
	netns_run("ip addr flush dev veth0");
	until(f, has_none);
}

static bool has_peer(struct fixture *f)
{
	return has(f, "192.0.2.7");
}

static void a_peer_is_the_subnet(void **state)
{
	struct fixture *f = *state;

	netns_run("ip addr add 192.0.2.7 peer 198.51.100.0/30 dev veth0");
	until(f, has_peer);
	assert_string_equal(PREFIX_TEXT(&veth0(f)->addrs[0].subnet), "198.51.100.0/30");
}

static bool has_master(struct fixture *f)
{
	return veth0(f)->master != 0;
}

static bool has_left(struct fixture *f)
{
	return veth0(f) && veth0(f)->master == 0;
}

static void a_port_that_leaves_its_bridge_is_no_lost_link(void **state)
{
	struct fixture *f = *state;

	netns_run("ip link add br0 type bridge && ip link set veth0 master br0");
	until(f, has_master);
	const struct net_link *br = net_links_by_name(f->links, "br0");
	assert_int_equal(veth0(f)->master, br->ifindex);
	assert_string_equal(br->kind, "bridge");
	netns_run("ip link set veth0 nomaster");
	until(f, has_left);
}

static bool renamed(struct fixture *f)
{
	return net_links_by_name(f->links, "uplink") && !veth0(f);
}

static bool gone(struct fixture *f)
{
	size_t n;

	net_links_all(f->links, &n);
	return n == 1;
}

static void links_come_and_go(void **state)
{
	struct fixture *f = *state;

	netns_run("ip link set veth0 name uplink");
	until(f, renamed);
	netns_run("ip link del uplink");
	until(f, gone);
	netns_run("ip link add veth0 type veth peer name veth1");
}

static void a_burst_is_told_once(void **state)
{
	struct fixture *f = *state;

	netns_run("for i in $(seq 1 20); do ip addr add 192.0.2.$i/24 dev veth0; done");
	until(f, has_v4);
	assert_true(f->changes >= 1 && f->changes <= 2);
	int before = f->changes;
	netns_run("ip addr change 192.0.2.1/24 dev veth0 valid_lft 100 preferred_lft 100");
	netns_run("ip addr change 192.0.2.1/24 dev veth0 valid_lft 90 preferred_lft 90");
	net_links_catch_up(f->links);
	assert_in_range(veth0(f)->addrs[0].valid_s, 80, 90);
	assert_int_equal(f->changes, before);
	assert_int_equal(f->told_first, f->changes);
}

static bool has_last(struct fixture *f)
{
	return has(f, "10.0.15.255");
}

/* More events than the socket holds: 4096 addresses twice, while nobody reads. */
static void lost_events_are_made_good(void **state)
{
	struct fixture *f = *state;

	netns_run("for i in $(seq 0 15); do for k in $(seq 0 255); do "
		  "echo addr add 10.0.$i.$k/32 dev veth0; done; done > /tmp/crier_test_batch.$$; "
		  "ip -batch /tmp/crier_test_batch.$$ && ip addr flush dev veth0 && "
		  "ip -batch /tmp/crier_test_batch.$$; s=$?; rm /tmp/crier_test_batch.$$; exit $s");
	until(f, has_last);
	net_links_catch_up(f->links);
	assert_true(net_links_resyncs(f->links) >= 1);
	assert_int_equal(veth0(f)->n_addrs, 4096);
}

static void finds_the_default_route(void **state)
{
	struct fixture *f = *state;
	int index = veth0(f)->ifindex;

	netns_run("ip link set veth0 up && ip link set veth1 up");
	netns_run("ip addr add 192.0.2.1/24 dev veth0");
	netns_run("ip -6 addr add 2001:db8::1/64 dev veth0 nodad");
	assert_int_equal(net_links_default(f->links, FAMILY_V4), 0);
	assert_int_equal(net_links_default(f->links, FAMILY_V6), 0);
	netns_run("ip route add 240.0.0.0/8 via 192.0.2.2");
	assert_int_equal(net_links_default(f->links, FAMILY_V4), 0);
	netns_run("ip route del 240.0.0.0/8");
	netns_run("ip route add default via 192.0.2.254");
	netns_run("ip -6 route add default via 2001:db8::ff dev veth0");
	assert_int_equal(net_links_default(f->links, FAMILY_V4), index);
	assert_int_equal(net_links_default(f->links, FAMILY_V6), index);
	netns_run("ip route change default nexthop via 192.0.2.253 nexthop via 192.0.2.252");
	assert_int_equal(net_links_default(f->links, FAMILY_V4), index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_with_what_is_there, up, down),
		cmocka_unit_test_setup_teardown(follows_state_and_carrier, up, down),
		cmocka_unit_test_setup_teardown(follows_addresses, up, down),
		cmocka_unit_test_setup_teardown(a_peer_is_the_subnet, up, down),
		cmocka_unit_test_setup_teardown(a_port_that_leaves_its_bridge_is_no_lost_link, up,
						down),
		cmocka_unit_test_setup_teardown(links_come_and_go, up, down),
		cmocka_unit_test_setup_teardown(a_burst_is_told_once, up, down),
		cmocka_unit_test_setup_teardown(lost_events_are_made_good, up, down),
		cmocka_unit_test_setup_teardown(finds_the_default_route, up, down),
	};

	if (!netns_enter())
		return 0;
	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
