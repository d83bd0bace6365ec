/* Source ports and sockets, on the loopback of a namespace of our own. */
#include "bfd/tx.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/udp.h"
#include "netns.h"
#include "support.h"

static bool in_namespace;
static int outcomes, failures;

static void sent(void *owner, int error)
{
	(void)owner;
	outcomes++;
	failures += error != 0;
}

struct kind_case {
	const char *name;
	const char *peer;
	const char *local;
	bool udp_only;
};

static const struct kind_case kind_cases[] = {
	{ "raw v4", "127.0.0.1", NULL, false },
	{ "raw v4, local set", "127.0.0.1", "127.0.0.9", false },
	{ "raw v6", "::1", NULL, false },
	{ "UDP v4", "127.0.0.1", NULL, true },
	{ "UDP v6, local set", "::1", "::1", true },
};

static struct bfd_path path_of(const struct kind_case *c)
{
	struct bfd_path path = { 0 };

	assert_int_equal(addr_parse(c->peer, &path.peer), 0);
	if (c->local)
		assert_int_equal(addr_parse(c->local, &path.local), 0);
	return path;
}

static void source_ports_are_unique_and_come_back(void **state)
{
	const struct kind_case *c = *state;
	if (!in_namespace)
		skip();
	static struct bfd_tx tx;
	static struct bfd_sender senders[200];
	static bool seen[BFD_SOURCE_PORTS];
	struct bfd_path path = path_of(c);
	struct rng rng;

	rng_seed(&rng, 1);
	memset(seen, 0, sizeof(seen));
	bfd_tx_init(&tx, &rng, 0, sent);
	tx.udp_only = c->udp_only;
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		struct bfd_sender *s = &senders[i];

		assert_int_equal(bfd_tx_open(&tx, &path, s, NULL), 0);
		assert_int_equal(s->raw, !c->udp_only);
		assert_in_range(s->port, BFD_SOURCE_PORT_MIN, BFD_SOURCE_PORT_MAX);
		assert_false(seen[s->port - BFD_SOURCE_PORT_MIN]);
		seen[s->port - BFD_SOURCE_PORT_MIN] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		bfd_tx_close(&tx, &senders[i]);
		bfd_tx_close(&tx, &senders[i]); /* may be repeated */
	}
	for (size_t i = 0; i < ARRAY_LEN(tx.ports_used); i++)
		assert_int_equal(tx.ports_used[i], 0);
	bfd_tx_fini(&tx);
}

/* More than a batch; each arrives whole, with its port, from the right address, with TTL 255. */
static void packets_arrive(void **state)
{
	const struct kind_case *c = *state;
	enum { COUNT = 150 };
	if (!in_namespace)
		skip();
	static struct bfd_tx tx;
	struct bfd_path path = path_of(c);
	struct bfd_sender s = { 0 };
	struct udp_batch *batch = udp_batch_new();
	struct rng rng;
	int got = 0;
	struct udp_conf conf = { .family = path.peer.family,
				 .port = BFD_PORT_SINGLE_HOP,
				 .rcvbuf_bytes = 1 << 20,
				 .details = true };
	int fd = udp_open(&conf, NULL);

	assert_true(fd >= 0);
	outcomes = failures = 0;
	rng_seed(&rng, 1);
	bfd_tx_init(&tx, &rng, 0, sent);
	tx.udp_only = c->udp_only;
	assert_int_equal(bfd_tx_open(&tx, &path, &s, NULL), 0);
	assert_true(bfd_tx_is_current(&path, &s));
	for (int i = 0; i < COUNT; i++) {
		uint8_t bytes[53] = { [0] = (uint8_t)i, [52] = (uint8_t)i };

		bfd_tx_send(&tx, &path, &s, bytes, 24 + i % 30, NULL); /* even and odd lengths */
	}
	bfd_tx_flush(&tx);
	assert_int_equal(outcomes, COUNT);
	assert_int_equal(failures, 0);
	for (int n; (n = udp_batch_recv(batch, fd)) > 0;) {
		for (int i = 0; i < n; i++, got++) {
			struct udp_msg m;

			udp_batch_get(batch, i, &m);
			assert_int_equal(m.bytes.left, 24 + got % 30);
			assert_int_equal(m.bytes.p[0], got);
			assert_int_equal(m.from_port, s.port);
			assert_int_equal(m.ttl, 255);
			assert_true(!c->local || addr_eq(&m.from, &path.local));
			assert_int_equal(m.lost, 0);
		}
	}
	assert_int_equal(got, COUNT);
	bfd_tx_close(&tx, &s);
	bfd_tx_fini(&tx);
	udp_batch_free(batch);
	close(fd);
}

static void absent_address_is_an_error_with_its_reason(void **state)
{
	const struct kind_case *c = *state;
	if (!in_namespace)
		skip();
	static struct bfd_tx tx;
	struct bfd_path path = path_of(c);
	struct bfd_sender s = { 0 };
	struct rng rng;
	struct err e = { 0 };

	assert_int_equal(addr_parse(path.peer.family == FAMILY_V6 ? "2001:db8::1" : "192.0.2.1",
				    &path.local),
			 0);
	rng_seed(&rng, 1);
	bfd_tx_init(&tx, &rng, 0, sent);
	tx.udp_only = c->udp_only;
	assert_true(bfd_tx_open(&tx, &path, &s, &e) < 0);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(s.port, 0);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, ADDR_TEXT(&path.local)));
	bfd_tx_fini(&tx);
}

/* A packet that cannot leave does not hold back those behind it. */
static void one_refusal_is_one_failure(void **state)
{
	(void)state;
	if (!in_namespace)
		skip();
	static struct bfd_tx tx;
	struct bfd_path good = path_of(&kind_cases[0]), bad = good;
	struct bfd_sender s_good = { 0 }, s_bad = { 0 };
	struct rng rng;

	rng_seed(&rng, 1);
	outcomes = failures = 0;
	bfd_tx_init(&tx, &rng, 0, sent);
	assert_int_equal(bfd_tx_open(&tx, &good, &s_good, NULL), 0);
	assert_int_equal(bfd_tx_open(&tx, &bad, &s_bad, NULL), 0);
	s_bad.flow.ifindex = 4711; /* as after the interface has gone */
	for (int i = 0; i < 10; i++)
		bfd_tx_send(&tx, i % 3 ? &good : &bad, i % 3 ? &s_good : &s_bad, "x", 1, NULL);
	bfd_tx_flush(&tx);
	assert_int_equal(outcomes, 10);
	assert_int_equal(failures, 4);
	bfd_tx_fini(&tx);
}

int main(void)
{
	const struct CMUnitTest plain[] = { cmocka_unit_test(one_refusal_is_one_failure) };

	in_namespace = netns_enter();
	if (in_namespace)
		netns_run("ip link set lo up");
	return RUN_TABLE("bfd ports", kind_cases, source_ports_are_unique_and_come_back) |
	       RUN_TABLE("bfd packets", kind_cases, packets_arrive) |
	       RUN_TABLE("bfd absent", kind_cases, absent_address_is_an_error_with_its_reason) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
