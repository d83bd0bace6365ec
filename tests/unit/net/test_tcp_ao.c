/*
 * The authentication option: what the kernel is handed, byte by byte as include/uapi/linux/tcp.h of Linux 6.7 says, and what
 * the kernel that runs answers, whether it has the option or not.
 */
#include "net/tcp_ao.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tcp.h"
#include "net/tcp_ao_abi.h"
#include "support.h"

static const struct tcp_ao_key sha1 = {
	.send_id = 7, .receive_id = 250, .algorithm = TCP_AO_HMAC_SHA1_96, .len = 3, .secret = "abc"
};
static const struct tcp_ao_key cmac = {
	.send_id = 1, .receive_id = 1, .algorithm = TCP_AO_AES_128_CMAC_96, .len = 1, .secret = "x"
};

static const struct encoding {
	const char *name;
	const char *peer;
	const struct tcp_ao_key *key;
	bool first;
	const char *sockaddr; /* the first bytes; the rest are 0 */
	const char *algorithm;
	uint8_t flags;	  /* in the byte order of the machine: the lowest bit is the first */
	const char *tail; /* prefix, SendID, RecvID, length of the MAC, flags, length of the key */
} encodings[] = {
	{ "IPv4, first", "192.0.2.1", &sha1, true, "0000 c0000201", "hmac(sha1)", 3,
	  "20 07 fa 0c 00 03" },
	{ "IPv6, another", "2001:db8::1", &cmac, false,
	  "0000 00000000 20010db8 00000000 00000000 00000001", "cmac(aes128)", 0,
	  "80 01 01 0c 00 01" },
};

static void encodes(void **state)
{
	const struct encoding *c = *state;
	uint8_t wire[sizeof(struct tcp_ao_add)], want[sizeof(wire)] = { 0 };
	struct tcp_ao_add add;
	struct addr peer;
	uint32_t flags = c->flags;

	assert_int_equal(addr_parse(c->peer, &peer), 0);
	tcp_ao_encode(&peer, c->key, c->first, &add);
	memcpy(wire, &add, sizeof(wire));
	memcpy(want, &(sa_family_t){ peer.family == FAMILY_V4 ? AF_INET : AF_INET6 }, 2);
	(void)unhex(c->sockaddr, want + 2, 26);
	memcpy(want + 128, c->algorithm, strlen(c->algorithm));
	memcpy(want + 196, &flags, sizeof(flags));
	(void)unhex(c->tail, want + 202, 6);
	memcpy(want + 208, c->key->secret, c->key->len);
	assert_memory_equal(wire, want, sizeof(wire));
}

static void keys_are_compared_whole(void **state)
{
	struct tcp_ao_key other = sha1;

	(void)state;
	assert_true(tcp_ao_key_eq(&sha1, &other));
	other.secret[2] = 'd';
	assert_false(tcp_ao_key_eq(&sha1, &other));
	other = sha1;
	other.receive_id = 7;
	assert_false(tcp_ao_key_eq(&sha1, &other));
	other = sha1;
	other.algorithm = TCP_AO_AES_128_CMAC_96;
	assert_false(tcp_ao_key_eq(&sha1, &other));
}

static bool kernel_has_it(void)
{
	const struct addr peer = addr_v4(127, 0, 0, 1);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err e;

	assert_true(fd >= 0);
	int rc = tcp_ao_add(fd, &peer, &sha1, true, &e);
	close(fd);
	return rc == 0;
}

/* Both keys on both ends: the connection comes up signed, and goes on when one of them goes. */
static void a_kernel_with_it_connects(void **state)
{
	const struct tcp_listen_conf listens = { .addr = addr_v4(127, 0, 0, 1) };
	const struct tcp_ao_key there[] = {
		{ .send_id = 250, .receive_id = 7, .len = 3, .secret = "abc" },
		{ .send_id = 1,
		  .receive_id = 1,
		  .algorithm = TCP_AO_AES_128_CMAC_96,
		  .len = 1,
		  .secret = "x" },
	};
	const struct tcp_ao_key here[] = { sha1, cmac };
	struct tcp_conf conf = { .peer = listens.addr, .ao = here, .n_ao = 2 };
	struct tcp_end end;

	(void)state;
	if (!kernel_has_it())
		skip();
	int listener = tcp_listen(&listens, NULL);
	assert_true(listener >= 0);
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		assert_int_equal(tcp_ao_add(listener, &conf.peer, &there[i], false, NULL), 0);
	assert_int_equal(tcp_local_end(listener, &end, NULL), 0);
	conf.port = end.port;
	int fd = tcp_connect(&conf, NULL);
	assert_true(fd >= 0);
	int got = tcp_accept(listener, &end, NULL);
	assert_true(got >= 0);
	assert_true(tcp_ao_is_on(fd) && tcp_ao_is_on(got));
	assert_int_equal(tcp_ao_ask_for(fd, &cmac, NULL), 0);
	assert_int_equal(tcp_ao_del(fd, &conf.peer, &sha1, &cmac, NULL), 0);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	close(got);
	close(fd);
	close(listener);
}

static void a_kernel_without_it_is_told_of(void **state)
{
	const struct tcp_conf conf = {
		.peer = addr_v4(127, 0, 0, 1), .port = 1, .ao = &sha1, .n_ao = 1
	};
	struct err e = { 0 };

	(void)state;
	if (kernel_has_it())
		skip();
	assert_int_equal(tcp_connect(&conf, &e), -ERR_SYSTEM);
	assert_string_equal(e.text, "this kernel has no TCP-AO: it takes Linux 6.7 or later with "
				    "CONFIG_TCP_AO; password (TCP MD5) works on every kernel");
}

/* A connection that was to have it and has not is refused. */
static void who_comes_without_it_is_refused(void **state)
{
	const struct tcp_listen_conf listens = { .addr = addr_v4(127, 0, 0, 1) };
	struct tcp_conf conf = { .peer = listens.addr };
	struct tcp_end end;
	struct err e = { 0 };

	(void)state;
	int listener = tcp_listen(&listens, NULL);
	assert_true(listener >= 0);
	assert_int_equal(tcp_local_end(listener, &end, NULL), 0);
	conf.port = end.port;
	int fd = tcp_connect(&conf, NULL), got = tcp_accept(listener, &end, NULL);
	assert_true(fd >= 0 && got >= 0);
	assert_int_equal(tcp_adopt(got, &conf, &e), 0);
	conf.ao = &sha1;
	conf.n_ao = 1;
	assert_int_equal(tcp_adopt(got, &conf, &e), -ERR_PROTOCOL);
	assert_string_equal(e.text, "the peer connected without TCP-AO");
	close(got);
	close(fd);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_compared_whole),
		cmocka_unit_test(a_kernel_with_it_connects),
		cmocka_unit_test(a_kernel_without_it_is_told_of),
		cmocka_unit_test(who_comes_without_it_is_refused),
	};
	int failed = RUN_TABLE("tcp-ao encoding", encodings, encodes);

	return failed + cmocka_run_group_tests_name("tcp-ao", tests, NULL, NULL);
}
