#include <errno.h>
#include <string.h>

#include "bfd/io.h"
#include "support.h"

#define WALL_NS INT64_C(1700000000000000000)
#define NOW_NS	INT64_C(5000000000)
#define MS	INT64_C(1000000)

/* ---- design 7.15: what a stamp of the real-time clock is worth ---- */

struct arrival_case {
	const char *name;
	int64_t stamp_ns;
	int64_t since_last_ns;
	int64_t want_ns; /* on the loop's clock */
};

static const struct arrival_case arrival_cases[] = {
	{ "just now", WALL_NS, 10 * MS, NOW_NS },
	{ "waited", WALL_NS - 7 * MS, 10 * MS, NOW_NS - 7 * MS },
	{ "waited since the last wake-up", WALL_NS - 10 * MS, 10 * MS, NOW_NS - 10 * MS },
	{ "arrived while we read", WALL_NS + 1 * MS, 10 * MS, NOW_NS },
	{ "no stamp", 0, 10 * MS, NOW_NS },
	{ "the clock stepped an hour ahead", WALL_NS - 3600000 * MS, 10 * MS, NOW_NS - 10 * MS },
	{ "the clock stepped an hour back", WALL_NS + 3600000 * MS, 10 * MS, NOW_NS },
};

static void arrivals(void **state)
{
	const struct arrival_case *c = *state;
	struct bfd_wakeup w = { { NOW_NS }, WALL_NS, { c->since_last_ns } };

	assert_int_equal(bfd_arrival(&w, c->stamp_ns).ns, c->want_ns);
}

/* ---- sockets on the loopback ---- */

static void ignore(void *ctx, const struct bfd_rx *rx)
{
	(void)ctx;
	(void)rx;
}

static void source_ports_are_unique_and_come_back(void **state)
{
	(void)state;
	static const struct addr any;
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();
	struct bfd_sender senders[200];
	struct rng rng;
	bool seen[BFD_SOURCE_PORT_MAX - BFD_SOURCE_PORT_MIN + 1] = { false };

	rng_seed(&rng, 1);
	bfd_io_init(&io, loop, ignore, NULL);
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		struct bfd_sender *s = &senders[i];

		assert_int_equal(bfd_io_sender_open(&io, &rng, i % 2 ? FAMILY_V4 : FAMILY_V6, &any,
						    0, s, NULL),
				 0);
		assert_in_range(s->port, BFD_SOURCE_PORT_MIN, BFD_SOURCE_PORT_MAX);
		assert_false(seen[s->port - BFD_SOURCE_PORT_MIN]);
		seen[s->port - BFD_SOURCE_PORT_MIN] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		bfd_io_sender_close(&io, &senders[i]);
		bfd_io_sender_close(&io, &senders[i]); /* may be repeated */
	}
	for (size_t i = 0; i < ARRAY_LEN(io.ports_used); i++)
		assert_int_equal(io.ports_used[i], 0);
	bfd_io_fini(&io);
	loop_free(loop);
}

static void absent_address_is_an_error_with_its_reason(void **state)
{
	(void)state;
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();
	struct addr absent = addr_v4(192, 0, 2, 1);
	struct bfd_sender s;
	struct rng rng;
	struct err e = { 0 };

	rng_seed(&rng, 1);
	bfd_io_init(&io, loop, ignore, NULL);
	assert_true(bfd_io_sender_open(&io, &rng, FAMILY_V4, &absent, 0, &s, &e) < 0);
	assert_int_equal(s.fd, -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "192.0.2.1"));
	assert_int_equal(bfd_io_send(&s, &absent, 0, false, "", 0), -EBADF);
	bfd_io_fini(&io);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(source_ports_are_unique_and_come_back),
		cmocka_unit_test(absent_address_is_an_error_with_its_reason),
	};

	return RUN_TABLE("bfd arrival", arrival_cases, arrivals) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
