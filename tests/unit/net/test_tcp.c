/* What sockets of sessions are told: read back from the kernel, on the loopback. */
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tcp.h"
#include "support.h"

static int int_of(int fd, int level, int option)
{
	int v = 0;
	socklen_t len = sizeof(v);

	assert_int_equal(getsockopt(fd, level, option, &v, &len), 0);
	return v;
}

static const char *device_of(int fd, char buf[static IF_NAMESIZE])
{
	socklen_t len = IF_NAMESIZE;

	memset(buf, 0, IF_NAMESIZE);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, buf, &len), 0);
	return buf;
}

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const struct option_case {
	const char *name;
	const char *peer;
	struct tcp_conf conf;
	int ttl, min_ttl, tos, user_timeout_ms;
	const char *device;
} options[] = {
	{ "as it comes, IPv4", "127.0.0.1", { .ttl = 0 }, 64, 0, 0, 0, "" },
	{ "as it comes, IPv6", "::1", { .ttl = 0 }, 64, 0, 0, 0, "" },
	{ "DSCP CS6, IPv4", "127.0.0.1", { .dscp = 48 }, 64, 0, 0xc0, 0, "" },
	{ "DSCP CS6, IPv6", "::1", { .dscp = 48 }, 64, 0, 0xc0, 0, "" },
	{ "one hop, IPv4", "127.0.0.1", { .ttl = 1 }, 1, 0, 0, 0, "" },
	{ "one hop, IPv6", "::1", { .ttl = 1 }, 1, 0, 0, 0, "" },
	{ "TTL security, IPv4", "127.0.0.1", { .ttl = 255, .min_ttl = 254 }, 255, 254, 0, 0, "" },
	{ "TTL security, IPv6", "::1", { .ttl = 255, .min_ttl = 254 }, 255, 254, 0, 0, "" },
	{ "user time-out", "127.0.0.1", { .user_timeout = { 90000000000 } }, 64, 0, 0, 90000, "" },
	/* A VRF is a device like others here. */
	{ "bound to a device, IPv4", "127.0.0.1", { .device = "lo" }, 64, 0, 0, 0, "lo" },
	{ "bound to a device, IPv6", "::1", { .device = "lo" }, 64, 0, 0, 0, "lo" },
};

static void options_reach_the_kernel(void **state)
{
	const struct option_case *c = *state;
	bool v4 = at(c->peer).family == FAMILY_V4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	struct tcp_conf conf = c->conf;
	char device[IF_NAMESIZE];
	struct err e = { 0 };

	conf.peer = at(c->peer);
	conf.port = 1;
	int fd = tcp_connect(&conf, &e);
	if (fd < 0 && !v4) /* a host without IPv6 */
		skip();
	assert_true(fd >= 0);
	assert_int_equal(int_of(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS), c->ttl);
	assert_int_equal(int_of(fd, level, v4 ? IP_MINTTL : IPV6_MINHOPCOUNT), c->min_ttl);
	assert_int_equal(int_of(fd, level, v4 ? IP_TOS : IPV6_TCLASS), c->tos);
	assert_int_equal(int_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), c->user_timeout_ms);
	assert_int_equal(int_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_string_equal(device_of(fd, device), c->device);
	close(fd);
}

static void a_device_that_is_not_there_is_an_error(void **state)
{
	const struct tcp_conf conf = { .peer = at("127.0.0.1"), .port = 1, .device = "nothere0" };
	const struct tcp_listen_conf listens = { .addr = at("127.0.0.1"), .device = "nothere0" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(tcp_connect(&conf, &e), -ERR_SYSTEM);
	assert_string_equal(e.text, "bind to device nothere0: No such device");
	assert_int_equal(tcp_listen(&listens, &e), -ERR_SYSTEM);
	assert_string_equal(e.text, "bind to device nothere0: No such device");
}

static struct tcp_end end_of(int fd)
{
	struct tcp_end end;

	assert_int_equal(tcp_local_end(fd, &end, NULL), 0);
	return end;
}

static const struct device_case {
	const char *name;
	const char *addr;
} devices[] = { { "IPv4", "127.0.0.1" }, { "IPv6", "::1" } };

/* Whoever comes over a device gets the socket that is bound to it, whichever was there first. */
static void listeners_of_a_device_go_before(void **state)
{
	const struct device_case *c = *state;
	struct tcp_listen_conf any = { .addr = at(c->addr), .shared = true };
	struct tcp_conf conf = { .peer = at(c->addr) };
	struct tcp_end from;

	int all = tcp_listen(&any, NULL);
	if (all < 0 && any.addr.family == FAMILY_V6) /* a host without IPv6 */
		skip();
	assert_true(all >= 0);
	any.port = conf.port = end_of(all).port;
	any.device = "lo";
	any.shared = false;
	assert_int_equal(tcp_listen(&any, NULL), -ERR_SYSTEM); /* both have to share */
	any.shared = true;
	int bound = tcp_listen(&any, NULL);
	assert_true(bound >= 0);
	assert_int_equal(tcp_share(all, false, NULL), 0);
	assert_int_equal(tcp_share(bound, false, NULL), 0);
	int fd = tcp_connect(&conf, NULL);
	assert_true(fd >= 0);
	int got = tcp_accept(bound, &from, NULL);
	assert_true(got >= 0);
	assert_int_equal(from.port, end_of(fd).port);
	assert_int_equal(tcp_accept(all, &from, NULL), -ERR_NOT_FOUND);
	close(got);
	close(fd);
	close(bound);
	close(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_is_not_there_is_an_error),
	};
	int failed = RUN_TABLE("tcp options", options, options_reach_the_kernel);

	failed += RUN_TABLE("tcp listeners of a device", devices, listeners_of_a_device_go_before);
	return failed + cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
