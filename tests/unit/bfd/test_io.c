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
	bool bulk;
};

static const struct sort_case sort_cases[] = {
	{ "Up", 0xc0, true },	      { "Up, demand", 0xc2, true }, { "Up, poll", 0xe0, false },
	{ "Up, final", 0xd0, false }, { "Init", 0x80, false },	    { "Down", 0x40, false },
	{ "AdminDown", 0x00, false },
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

static void send_to_us(uint8_t state_flags, int times)
{
	struct udp_conf conf = { .family = FAMILY_V4 };
	struct addr us = addr_v4(127, 0, 0, 1);
	uint8_t bytes[24] = { 0x20, state_flags };
	int fd = udp_open(&conf, NULL);

	assert_true(fd >= 0);
	for (int i = 0; i < times; i++)
		assert_int_equal(udp_send(fd, &us, 3784, 0, bytes, sizeof(bytes)), 0);
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

	bfd_io_init(&io, loop, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0); /* once is enough */
	assert_int_equal(io.n_listeners, 2);
	send_to_us(c->state_flags, 1);
	for (int i = 0; i < 2; i++) {
		bool right = io.listeners[i].bulk == c->bulk;

		assert_int_equal(recv(io.listeners[i].fd, &byte, 1, MSG_DONTWAIT), right ? 1 : -1);
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
	bfd_io_init(&io, loop, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	send_to_us(0x40, 1);
	send_to_us(0xc0, 1);
	bfd_io_drain(&io);
	assert_int_equal(n_received, 2);
	assert_int_equal(first_state, 0xc0);
	send_to_us(0x40, 1);
	bfd_io_drain(&io);
	assert_int_equal(n_received, 2);
	loop_advance(loop, DUR_MS(1));
	bfd_io_drain(&io);
	assert_int_equal(n_received, 3);
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

	bfd_io_init(&io, loop, received, NULL);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 1, NULL), 0);
	assert_int_equal(io.n_listeners, 4);
	bfd_io_prune(&io, no_vrf, NULL);
	assert_int_equal(io.listeners[2].fd, -1);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, true, 1, NULL), 0);
	assert_int_equal(io.n_listeners, 4); /* places are used again */
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

	bfd_io_init(&io, loop, received, NULL);
	io.pause = DUR_US(500);
	assert_int_equal(bfd_io_listen(&io, FAMILY_V4, false, 0, NULL), 0);
	send_to_us(0x40, 1000);
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

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(bulk_is_read_first_and_once_in_a_turn),
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
