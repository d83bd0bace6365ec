/*
 * The shell against a real kernel: this process is one host, a child in a network namespace of its
 * own the other, and a veth pair the wire. The other host's kernel resolves addresses; nothing is
 * mocked. Needs root.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "l2/arp.h"
#include "l2/groups.h"
#include "l2/io.h"

enum { ME = 1, OTHER = 2, MANY = 3000, FEW = 100 };

static const uint16_t me_first[] = { ME, OTHER };
static const uint16_t other_first[] = { OTHER, ME };
static const struct mac mac_other = { { 2, 0, 0, 0, 0, 0x33 } };

struct world {
	struct loop *loop;
	struct l2_io *io;
	struct l2_groups *groups;
	struct l2_table *table;
	pid_t peer;
	int udp[2]; /* sockets of the other host, IPv4 and IPv6 */
	struct l2_address_stats stats[8];
	char events[256];
	int error; /* of the last event */
	bool stopped;
};

static struct world w;

static void shell(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void shell(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

/* The other host */

static pid_t peer_start(void)
{
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/** A socket that lives in the other host's namespace. */
static int peer_socket(int family)
{
	char path[64];
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)w.peer);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	close(there);
	assert_true(fd >= 0);
	return fd;
}

/** Make the other host's kernel look for @text. */
static void peer_ask(const char *text)
{
	struct sockaddr_storage ss;
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	socklen_t len = addr_to_sockaddr(&a, 9, 0, &ss);
	(void)sendto(w.udp[a.family == FAMILY_V6], "x", 1, 0, (struct sockaddr *)&ss, len);
}

/** Does the other host's neighbour table say @want of @text? */
static bool peer_sees(const char *text, const char *want)
{
	char cmd[128];
	char line[256] = "";

	snprintf(cmd, sizeof(cmd), "nsenter -t %d -n ip neigh show to %s", (int)w.peer, text);
	FILE *f = popen(cmd, "r");
	assert_non_null(f);
	bool got = fgets(line, sizeof(line), f);
	pclose(f);
	return got && strstr(line, want);
}

/* This host */

static void stop_running(struct loop_timer *t, struct mono now)
{
	(void)now;
	loop_stop(t->loop);
}

static void run_for(struct dur d)
{
	struct loop_timer t;

	loop_timer_init(&t, w.loop, stop_running);
	loop_timer_set(&t, mono_add(mono_clock(), d));
	loop_run(w.loop);
}

static bool comes_to_see(const char *text, const char *want)
{
	for (unsigned i = 0; i < 100; i++) {
		run_for(DUR_MS(20));
		if (peer_sees(text, want))
			return true;
	}
	return false;
}

static struct l2_iface iface_of(const char *name, const char *mac)
{
	struct l2_iface i = {
		.ifindex = (int)if_nametoindex(name), .arp = true, .ndp = true, .mtu = 1500
	};

	assert_true(i.ifindex > 0);
	snprintf(i.name, sizeof(i.name), "%s", name);
	assert_int_equal(mac_parse(mac, &i.mac), 0);
	return i;
}

static void on_event(void *ctx, const struct l2_event *ev)
{
	size_t len = strlen(w.events);

	(void)ctx;
	w.error = ev->error;
	snprintf(w.events + len, sizeof(w.events) - len, "%c%s ",
		 ev->kind == L2_TOOK ? '+' : (ev->kind == L2_LOST ? '-' : '!'),
		 ADDR_TEXT(&ev->addr));
}

static void apply(const struct l2_iface *ifaces, size_t n_ifaces)
{
	static const struct {
		const char *text;
		const uint16_t *nodes;
	} rows[] = {
		{ "192.0.2.1", me_first },
		{ "192.0.2.2", other_first },
		{ "2001:db8::1", me_first },
		{ "2001:db8::2", other_first },
	};
	struct l2_address_conf addresses[ARRAY_LEN(rows)];
	struct l2_nodes alive = { 0 };

	l2_nodes_set(&alive, OTHER, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		addresses[i] = (struct l2_address_conf){ .nodes = rows[i].nodes,
							 .n_nodes = 2,
							 .all_ifaces = true,
							 .stats = &w.stats[i] };
		assert_int_equal(addr_parse(rows[i].text, &addresses[i].addr), 0);
	}
	const struct l2_member other = { .mac = mac_other, .node = OTHER };
	const struct l2_table_conf conf = { .self = ME,
					    .policy = { .detect = true },
					    .members = &other,
					    .n_members = 1,
					    .alive = &alive,
					    .ifaces = ifaces,
					    .n_ifaces = n_ifaces,
					    .addresses = addresses,
					    .n_addresses = ARRAY_LEN(addresses),
					    .previous = w.table };
	struct l2_table *t;
	assert_int_equal(l2_table_new(&conf, &t, NULL), 0);
	l2_groups_apply(w.groups, t);
	l2_table_free(l2_io_apply(w.io, t));
	w.table = t;
}

static struct l2_stats stats(void)
{
	struct l2_stats s;

	l2_stats_read(l2_io_stats(w.io), &s);
	return s;
}

static int set_up(void **state)
{
	static const char no_dad[] = "sysctl -qw net.ipv6.conf.default.accept_dad=0";

	(void)state;
	w.peer = peer_start();
	int pid = (int)w.peer;
	shell("%s && nsenter -t %d -n %s", no_dad, pid, no_dad);
	shell("ip link add va address 02:00:00:00:00:0a type veth peer name vb netns %d", pid);
	shell("ip link add vc address 02:00:00:00:00:0c type veth peer name vd netns %d", pid);
	shell("ip link set va up && ip link set vc up");
	shell("nsenter -t %d -n sh -c 'ip link set vb up && ip link set vd up && "
	      "ip addr add 192.0.2.100/24 dev vb && ip addr add 2001:db8::64/64 dev vb nodad'",
	      pid);
	w.udp[0] = peer_socket(AF_INET);
	w.udp[1] = peer_socket(AF_INET6);
	assert_int_equal(loop_new(&w.loop, NULL), 0);
	w.groups = l2_groups_new(w.loop);
	const struct l2_io_conf conf = { .loop = w.loop, .event = on_event };
	w.io = l2_io_new(&conf);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (!w.stopped)
		l2_table_free(l2_io_stop(w.io));
	l2_io_free(w.io);
	l2_groups_free(w.groups);
	loop_free(w.loop);
	close(w.udp[0]);
	close(w.udp[1]);
	kill(w.peer, SIGKILL);
	waitpid(w.peer, NULL, 0);
	return 0;
}

static void owned_addresses_resolve(void **state)
{
	const struct l2_iface ifaces[] = { iface_of("va", "02:00:00:00:00:0a"),
					   iface_of("vc", "02:00:00:00:00:0c") };

	(void)state;
	apply(ifaces, 2);
	assert_string_equal(w.events, "+192.0.2.1 +2001:db8::1 ");
	assert_int_equal(l2_groups_count(w.groups).kernel, 4);
	peer_ask("192.0.2.1");
	assert_true(comes_to_see("192.0.2.1", "lladdr 02:00:00:00:00:0a REACHABLE"));
	peer_ask("2001:db8::1");
	assert_true(comes_to_see("2001:db8::1", "lladdr 02:00:00:00:00:0a REACHABLE"));
	assert_true(stats().replies >= 2);
}

static void foreign_requests_wake_nobody(void **state)
{
	(void)state;
	uint64_t before = stats().received;
	peer_ask("192.0.2.2");
	peer_ask("192.0.2.77");
	peer_ask("2001:db8::2");
	peer_ask("2001:db8::77");
	run_for(DUR_MS(300));
	assert_int_equal(stats().received, before);
	assert_false(peer_sees("192.0.2.2", "lladdr"));
	assert_false(peer_sees("2001:db8::2", "lladdr"));
}

/* The other node dies: its addresses answer here, and a neighbour with its old MAC is told. */
static void takeover_corrects_neighbours(void **state)
{
	(void)state;
	shell("nsenter -t %d -n ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:ff dev vb nud "
	      "stale",
	      (int)w.peer);
	shell("nsenter -t %d -n ip neigh replace 2001:db8::2 lladdr 02:00:00:00:00:ff dev vb nud "
	      "stale",
	      (int)w.peer);
	w.events[0] = '\0';
	l2_io_set_alive(w.io, OTHER, false);
	assert_string_equal(w.events, "+192.0.2.2 +2001:db8::2 ");
	assert_true(comes_to_see("192.0.2.2", "lladdr 02:00:00:00:00:0a"));
	assert_true(comes_to_see("2001:db8::2", "lladdr 02:00:00:00:00:0a"));
	shell("nsenter -t %d -n ip neigh flush dev vb", (int)w.peer);
	peer_ask("192.0.2.2");
	assert_true(comes_to_see("192.0.2.2", "lladdr 02:00:00:00:00:0a REACHABLE"));
	l2_io_set_alive(w.io, OTHER, true);
	assert_non_null(strstr(w.events, "-192.0.2.2 -2001:db8::2 "));
}

/** Of a link of the other host, where the socket lives. */
static int ifindex_at(int fd, const char *link)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", link);
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &r), 0);
	return r.ifr_ifindex;
}

/** The other host asks with our address for its sender, and waits for nothing. */
static void peer_claims(int fd, const struct addr *a)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ARP_ETHERTYPE),
				  .sll_ifindex = ifindex_at(fd, "vb"),
				  .sll_halen = 6,
				  .sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	uint8_t frame[ARP_FRAME_LEN];
	struct wr f = wr_to(frame, sizeof(frame));

	arp_gratuitous_build(&f, ARP_REQUEST, &mac_other, a);
	assert_int_equal(sendto(fd, frame + 14, f.len - 14, 0, (struct sockaddr *)&to, sizeof(to)),
			 f.len - 14);
}

/* What is to be said a moment after a claim does not wait until something else is due. */
static void claims_are_answered_soon(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	int fd = peer_socket(AF_PACKET);
	peer_claims(fd, &a);
	run_for(DUR_MS(50));
	assert_int_equal(stats().defended, 1);
	uint32_t said = w.stats[0].gratuitous;
	peer_claims(fd, &a);
	for (unsigned i = 0; i < 10 && w.stats[0].gratuitous == said; i++)
		run_for(DUR_MS(10));
	assert_int_equal(stats().defended, 2);
	assert_true(w.stats[0].gratuitous > said);
	close(fd);
}

static void link_down_and_up_is_survived(void **state)
{
	(void)state;
	shell("ip link set va down");
	run_for(DUR_MS(50));
	shell("ip link set va up && nsenter -t %d -n ip neigh flush dev vb", (int)w.peer);
	peer_ask("192.0.2.1");
	assert_true(comes_to_see("192.0.2.1", "lladdr 02:00:00:00:00:0a REACHABLE"));
}

/* One interface vanishes under us; the other goes on, before and after the table knows. */
static void vanished_interface_harms_no_other(void **state)
{
	const struct l2_iface left[] = { iface_of("vc", "02:00:00:00:00:0c") };

	(void)state;
	shell("ip link del va");
	shell("nsenter -t %d -n sh -c 'ip addr add 192.0.2.100/24 dev vd && "
	      "ip addr add 2001:db8::64/64 dev vd nodad'",
	      (int)w.peer);
	run_for(DUR_MS(50));
	peer_ask("192.0.2.1");
	assert_true(comes_to_see("192.0.2.1", "lladdr 02:00:00:00:00:0c REACHABLE"));
	apply(left, 1);
	assert_int_equal(l2_groups_count(w.groups).kernel, 2);
	peer_ask("2001:db8::1");
	assert_true(comes_to_see("2001:db8::1", "lladdr 02:00:00:00:00:0c REACHABLE"));
}

static void interface_that_is_not_there_is_told(void **state)
{
	const struct l2_iface ifaces[] = { iface_of("vc", "02:00:00:00:00:0c"),
					   { .ifindex = 9999, .arp = true } };

	(void)state;
	w.events[0] = '\0';
	apply(ifaces, 2);
	assert_string_equal(w.events, "! ");
	assert_int_equal(w.error, ENODEV);
	run_for(DUR_MS(1100)); /* tried again, said once */
	assert_string_equal(w.events, "! ");
	assert_true(stats().socket_errors >= 2);
	apply(ifaces, 1);
}

/* Groups */

/** Listen to the groups of the first @n addresses of a prefix, on the link that is left. */
static void listen_on(unsigned n, unsigned mtu)
{
	static struct l2_address_conf addresses[MANY];
	struct l2_iface vc = iface_of("vc", "02:00:00:00:00:0c");
	const struct l2_nodes alive = { 0 };
	struct l2_table *t;

	vc.mtu = mtu;
	for (unsigned i = 0; i < n; i++) {
		struct l2_address_conf *c = &addresses[i];
		*c = (struct l2_address_conf){
			.nodes = me_first, .n_nodes = 2, .all_ifaces = true, .stats = &w.stats[0]
		};
		assert_int_equal(addr_parse("2001:db8:1::", &c->addr), 0);
		c->addr.b[14] = (uint8_t)(i >> 8);
		c->addr.b[15] = (uint8_t)i;
	}
	const struct l2_table_conf conf = { .self = ME,
					    .alive = &alive,
					    .ifaces = &vc,
					    .n_ifaces = 1,
					    .addresses = addresses,
					    .n_addresses = n };
	assert_int_equal(l2_table_new(&conf, &t, NULL), 0);
	l2_groups_apply(w.groups, t);
	l2_table_free(t);
	for (unsigned i = 0; i < 200 && l2_groups_count(w.groups).missing > 0; i++)
		run_for(DUR_MS(10));
	assert_int_equal(l2_groups_count(w.groups).missing, 0);
}

static void listen_to(unsigned n)
{
	listen_on(n, 1500);
}

static void assert_held(size_t kernel, size_t ours)
{
	struct l2_groups_count c = l2_groups_count(w.groups);

	assert_int_equal(c.kernel, kernel);
	assert_int_equal(c.ours, ours);
}

static bool lets_all_multicast_in(void)
{
	return system("ip -d link show vc | grep -q 'allmulti 1'") == 0;
}

static enum l2_holder holder_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return l2_groups_holder(w.groups, (int)if_nametoindex("vc"), &a);
}

static bool kernel_listens(const char *group)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "grep -q 'vc *%s' /proc/net/igmp6", group);
	return system(cmd) == 0;
}

/* A link too narrow for IPv6 loses its groups in the kernel, and has to get them again. */
static void groups_come_again_with_ipv6(void **state)
{
	(void)state;
	listen_to(1);
	assert_true(kernel_listens("ff0200000000000000000001ff000000"));
	shell("ip link set vc mtu 1000");
	listen_on(1, 1000);
	assert_held(0, 0);
	shell("ip link set vc mtu 1500");
	listen_to(1);
	assert_held(1, 0);
	assert_true(kernel_listens("ff0200000000000000000001ff000000"));
}

/* Those that the kernel has stay there; of more than it should hold it gets none. */
static void thousands_of_groups(void **state)
{
	(void)state;
	listen_to(L2_GROUPS_KERNEL);
	assert_held(L2_GROUPS_KERNEL, 0);
	assert_false(lets_all_multicast_in());
	listen_to(MANY);
	assert_held(L2_GROUPS_KERNEL, MANY - L2_GROUPS_KERNEL);
	assert_true(lets_all_multicast_in());
	assert_int_equal(holder_of("2001:db8:1::1"), L2_HOLDER_KERNEL);
	assert_int_equal(holder_of("2001:db8:1::bb7"), L2_HOLDER_OURS);
	assert_int_equal(holder_of("2001:db8:1::bb8"), L2_HOLDER_NONE);
	assert_true(l2_groups_stats(w.groups)->reports > 0);
	assert_int_equal(l2_groups_stats(w.groups)->lost, 0);
}

static void few_are_the_kernels_again(void **state)
{
	(void)state;
	listen_to(0);
	assert_held(0, 0);
	listen_to(MANY);
	assert_held(0, MANY);
	listen_to(L2_GROUPS_FEW + 1); /* not yet */
	assert_held(0, L2_GROUPS_FEW + 1);
	listen_to(FEW);
	for (unsigned i = 0; i < 200 && l2_groups_count(w.groups).ours > 0; i++)
		run_for(DUR_MS(10));
	assert_held(FEW, 0);
	for (unsigned i = 0; i < 300 && lets_all_multicast_in(); i++)
		run_for(DUR_MS(10)); /* the second copies of what was left */
	assert_false(lets_all_multicast_in());
}

static void stopped_is_silent(void **state)
{
	(void)state;
	struct l2_table *t = l2_io_stop(w.io);
	assert_ptr_equal(t, w.table);
	l2_table_free(t);
	w.stopped = true;
	shell("nsenter -t %d -n ip neigh flush dev vd", (int)w.peer);
	peer_ask("192.0.2.1");
	run_for(DUR_MS(100));
	assert_false(peer_sees("192.0.2.1", "lladdr"));
}

/* With the kernel's map */

/** Own the first @n of 192.0.2.1, 192.0.2.2, … on the link that is left; returns the table before. */
static struct l2_table *own_by_map(struct l2_io *io, unsigned n, bool by_map)
{
	static struct l2_address_stats counts[4];
	const struct l2_iface vc = iface_of("vc", "02:00:00:00:00:0c");
	const struct l2_nodes alive = { 0 };
	struct l2_address_conf addresses[ARRAY_LEN(counts)];
	struct l2_table *t;

	for (unsigned i = 0; i < n; i++)
		addresses[i] =
			(struct l2_address_conf){ .addr = addr_v4(192, 0, 2, (uint8_t)(i + 1)),
						  .nodes = me_first,
						  .n_nodes = 2,
						  .all_ifaces = true,
						  .stats = &counts[i] };
	const struct l2_table_conf conf = { .self = ME,
					    .alive = &alive,
					    .ifaces = &vc,
					    .n_ifaces = 1,
					    .addresses = addresses,
					    .n_addresses = n,
					    .by_map = by_map };
	assert_int_equal(l2_table_new(&conf, &t, NULL), 0);
	return l2_io_apply(io, t);
}

static uint64_t answered_in_driver(const struct fast *fast)
{
	struct fast_stats s;

	fast_stats(fast, &s);
	return s.arp_answered;
}

static void peer_asks_anew(const char *text)
{
	shell("nsenter -t %d -n ip neigh flush dev vd", (int)w.peer);
	peer_ask(text);
}

static void fill_map(struct fast *fast)
{
	struct fast_entry junk = { .ifindex = 9999 };

	for (uint32_t i = 0; fast_put(fast, &junk) == 0; i++)
		junk.addr = addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
}

/* What is given up after the map was found full stays in it; nobody may answer by it. */
static void full_map_falls_silent(void **state)
{
	struct fast *fast = NULL;
	struct err e = { 0 };

	(void)state;
	if (fast_new(&fast, &e) < 0) {
		print_message("not here: %s\n", e.text);
		return;
	}
	const struct l2_io_conf conf = { .loop = w.loop, .event = on_event, .fast = fast };
	struct l2_io *io = l2_io_new(&conf);
	int ifindex = (int)if_nametoindex("vc");
	assert_int_equal(fast_attach(fast, ifindex, FAST_GENERIC, FAST_ANSWERS, &e), 0);
	assert_null(own_by_map(io, 1, true));
	peer_asks_anew("192.0.2.1");
	assert_true(comes_to_see("192.0.2.1", "REACHABLE"));
	uint64_t answered = answered_in_driver(fast);
	assert_true(answered > 0);
	fill_map(fast);
	w.events[0] = '\0';
	l2_table_free(own_by_map(io, 2, true));
	assert_non_null(strstr(w.events, "! "));
	l2_table_free(own_by_map(io, 2, false));
	peer_asks_anew("192.0.2.1");
	assert_true(comes_to_see("192.0.2.1", "REACHABLE")); /* by the process */
	l2_table_free(own_by_map(io, 0, false));
	peer_asks_anew("192.0.2.1");
	run_for(DUR_MS(300));
	assert_false(peer_sees("192.0.2.1", "lladdr"));
	assert_int_equal(answered_in_driver(fast), answered);
	fast_detach(fast, ifindex);
	l2_table_free(l2_io_stop(io));
	l2_io_free(io);
	fast_free(fast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owned_addresses_resolve),
		cmocka_unit_test(foreign_requests_wake_nobody),
		cmocka_unit_test(takeover_corrects_neighbours),
		cmocka_unit_test(claims_are_answered_soon),
		cmocka_unit_test(link_down_and_up_is_survived),
		cmocka_unit_test(vanished_interface_harms_no_other),
		cmocka_unit_test(interface_that_is_not_there_is_told),
		cmocka_unit_test(groups_come_again_with_ipv6),
		cmocka_unit_test(thousands_of_groups),
		cmocka_unit_test(few_are_the_kernels_again),
		cmocka_unit_test(stopped_is_silent),
		cmocka_unit_test(full_map_falls_silent),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		printf("skipped: needs root and network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
