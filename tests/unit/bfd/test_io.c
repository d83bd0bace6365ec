#include "bfd/io.h"

#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"
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

/* ---- two sockets, and what comes to which ---- */

struct sort_case {
	const char *name;
	uint8_t state_flags; /* the second byte */
	bool ours;
	size_t len;
	enum bfd_class class;
};

static const struct sort_case sort_cases[] = {
	{ "Up", 0xc0, true, 24, BFD_CLASS_BULK },
	{ "Up, demand", 0xc2, true, 24, BFD_CLASS_BULK },
	{ "Up, authenticated", 0xc4, true, 50, BFD_CLASS_BULK },
	{ "Up, poll", 0xe0, true, 24, BFD_CLASS_NEWS },
	{ "Up, final", 0xd0, true, 24, BFD_CLASS_NEWS },
	{ "Init", 0x80, true, 24, BFD_CLASS_NEWS },
	{ "Down", 0x40, true, 24, BFD_CLASS_NEWS },
	{ "AdminDown", 0x00, true, 24, BFD_CLASS_NEWS },
	{ "Down, to nobody yet", 0x40, false, 24, BFD_CLASS_STRANGERS },
	{ "Up, to another", 0xc0, false, 24, BFD_CLASS_STRANGERS },
	{ "short", 0xc0, true, 23, BFD_CLASS_STRANGERS },
	{ "empty", 0, false, 0, BFD_CLASS_STRANGERS },
};

static bool in_namespace;
static unsigned n_received;
static uint8_t first_state;

static void received(void *ctx, const struct bfd_rx *rx)
{
	(void)ctx;
	if (n_received++ == 0)
		first_state = rx->bytes.p[1];
}

static void send_to_us(uint32_t disc, uint8_t state_flags, size_t len, int times)
{
	struct udp_conf conf = { .family = FAMILY_V4 };
	struct addr us = addr_v4(127, 0, 0, 1);
	uint8_t bytes[64] = { 0x20, state_flags };
	struct wr w = wr_to(bytes + 8, 4);

	wr_u32(&w, disc);
	int fd = udp_open(&conf, NULL);

	assert_true(fd >= 0);
	for (int i = 0; i < times; i++)
		assert_int_equal(udp_send(fd, &us, 3784, 0, bytes, len), 0);
	close(fd);
}

static void kernel_sorts(void **state)
{
	const struct sort_case *c = *state;
	if (!in_namespace)
		skip();
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();
	char byte;

	bfd_io_init(&io, loop, 0, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0); /* once is enough */
	assert_int_equal(io.n_listeners, BFD_CLASS_COUNT);
	uint32_t disc = bfd_io_disc(&io, 4711);
	send_to_us(c->ours ? disc : 0, c->state_flags, c->len, 1);
	if (!c->ours)
		send_to_us(disc ^ 0x00100000, c->state_flags, c->len, 1);
	for (int i = 0; i < BFD_CLASS_COUNT; i++) {
		bool right = io.listeners[i].class == c->class;
		ssize_t n = recv(io.listeners[i].fd, &byte, 1, MSG_DONTWAIT);

		assert_int_equal(n >= 0, right);
	}
	bfd_io_fini(&io);
	loop_free(loop);
}

static void bulk_is_read_first_and_once_in_a_turn(void **state)
{
	(void)state;
	if (!in_namespace)
		skip();
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();

	n_received = 0;
	bfd_io_init(&io, loop, 0, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	uint32_t disc = bfd_io_disc(&io, 4711);
	send_to_us(disc, 0x40, 24, 1);
	send_to_us(disc, 0xc0, 24, 1);
	bfd_io_drain(&io);
	assert_int_equal(n_received, 2);
	assert_int_equal(first_state, 0xc0);
	send_to_us(disc, 0x40, 24, 1);
	bfd_io_drain(&io);
	assert_int_equal(n_received, 2);
	loop_advance(loop, DUR_MS(1));
	bfd_io_drain(&io);
	assert_int_equal(n_received, 3);
	bfd_io_fini(&io);
	loop_free(loop);
}

struct late {
	uint32_t disc;
	struct mono sent, dated;
};

/* The first packet is being looked at when the second one comes, on another socket. */
static void second_comes(void *ctx, const struct bfd_rx *rx)
{
	struct late *late = ctx;

	if (rx->bytes.p[1] != 0xc0) {
		late->dated = rx->at;
		return;
	}
	usleep(5000);
	late->sent = mono_clock();
	send_to_us(late->disc, 0x40, 24, 1);
}

static void what_comes_while_we_read_is_not_dated_back(void **state)
{
	static struct bfd_io io;
	struct late late = { 0 };
	(void)state;
	if (!in_namespace)
		skip();
	struct loop *loop = loop_new_virtual();

	bfd_io_init(&io, loop, 0, second_comes, &late);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	late.disc = bfd_io_disc(&io, 4711);
	send_to_us(late.disc, 0xc0, 24, 1);
	bfd_io_drain(&io);
	assert_true(late.dated.ns >= late.sent.ns);
	bfd_io_fini(&io);
	loop_free(loop);
}

static bool no_vrf(void *ctx, uint32_t vrf)
{
	(void)ctx;
	(void)vrf;
	return false;
}

static void vrf_has_sockets_of_its_own(void **state)
{
	(void)state;
	if (!in_namespace)
		skip();
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();

	bfd_io_init(&io, loop, 0, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 1, NULL), 0);
	assert_int_equal(io.n_listeners, 2 * BFD_CLASS_COUNT);
	bfd_io_prune(&io, no_vrf, NULL);
	assert_int_equal(io.listeners[BFD_CLASS_COUNT].fd, -1);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, true, 1, NULL), 0);
	assert_int_equal(io.n_listeners, 2 * BFD_CLASS_COUNT); /* places are used again */
	bfd_io_fini(&io);
	loop_free(loop);
}

/* ---- the pace ---- */

static void many_packets_are_read_by_pace(void **state)
{
	(void)state;
	if (!in_namespace)
		skip();
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();

	bfd_io_init(&io, loop, 0, received, NULL);
	io.pause = DUR_US(500);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	send_to_us(bfd_io_disc(&io, 1), 0x40, 24, 1000);
	usleep(12000);
	loop_advance(loop, DUR_MS(1));
	bfd_io_drain(&io);
	assert_true(io.pausing);
	assert_true(loop_timer_active(&io.wake));
	usleep(12000); /* nothing came meanwhile */
	loop_advance(loop, DUR_MS(1));
	bfd_io_drain(&io);
	assert_false(io.pausing);
	bfd_io_fini(&io);
	loop_free(loop);
}

/* ---- discriminators ---- */

static void discriminators_differ_and_are_never_zero(void **state)
{
	(void)state;
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();

	bfd_io_init(&io, loop, 0, received, NULL);
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t disc = bfd_io_disc(&io, i << 10);

		assert_int_not_equal(disc, 0);
		assert_int_equal(disc * io.disc_mul >> 22, io.disc_tag);
		assert_int_not_equal(disc, bfd_io_disc(&io, (i + 1) << 10));
	}
	bfd_io_fini(&io);
	loop_free(loop);
}

/* A flood of strangers' is read a little at a time, and what is too much is counted. */
static void strangers_are_rationed(void **state)
{
	(void)state;
	if (!in_namespace)
		skip();
	static struct bfd_io io;
	struct loop *loop = loop_new_virtual();

	n_received = 0;
	bfd_io_init(&io, loop, 0, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	send_to_us(0, 0x40, 24, 20000);
	send_to_us(bfd_io_disc(&io, 5), 0xc0, 24, 10);
	bfd_io_drain(&io);
	assert_int_equal(n_received, UDP_BATCH + 10);
	assert_int_equal(first_state, 0xc0);
	while (n_received > 10) {
		n_received = 0;
		loop_advance(loop, DUR_MS(1));
		bfd_io_drain(&io);
	}
	send_to_us(0, 0x40, 24, 1);
	loop_advance(loop, DUR_MS(1));
	bfd_io_drain(&io);
	assert_true(io.strangers_lost > 0);
	assert_int_equal(io.lost, 0);
	bfd_io_fini(&io);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(discriminators_differ_and_are_never_zero),
		cmocka_unit_test(strangers_are_rationed),
		cmocka_unit_test(bulk_is_read_first_and_once_in_a_turn),
		cmocka_unit_test(what_comes_while_we_read_is_not_dated_back),
		cmocka_unit_test(vrf_has_sockets_of_its_own),
		cmocka_unit_test(many_packets_are_read_by_pace),
	};

	in_namespace = netns_enter();
	if (in_namespace)
		netns_run("ip link set lo up");
	return RUN_TABLE("bfd arrival", arrival_cases, arrivals) |
	       RUN_TABLE("bfd sort", sort_cases, kernel_sorts) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
