/* Packet sockets on a veth pair in a network namespace of our own. Needs root. */
#include "support.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/packet.h"

enum { ETHERTYPE = 0x0806, FRAME = 60 };

static int near_if;
static int far_if;

/** A frame to @dst (its last byte), with a mark to filter by. */
static void frame_make(uint8_t *f, uint8_t dst, uint8_t mark)
{
	const uint8_t head[] = { 2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, 0xa, 8, 6, mark };

	memset(f, 0, FRAME);
	memcpy(f, head, sizeof(head));
}

static struct pcap_prog marked(unsigned mark)
{
	struct pcap_prog p;
	char text[32];

	snprintf(text, sizeof(text), "ether[14] = %u", mark);
	assert_int_equal(pcap_prog_compile(text, &p, NULL), 0);
	return p;
}

static int open_on(int ifindex, const struct pcap_prog *filter)
{
	int fd = packet_open(ifindex, ETHERTYPE, filter, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void send_to(int fd, uint8_t dst, uint8_t mark)
{
	uint8_t f[FRAME];

	frame_make(f, dst, mark);
	assert_int_equal(packet_send(fd, f, sizeof(f)), 0);
}

/** Wait until something arrives: a busy machine delivers late, but in order. */
static int wait_recv(int fd, struct packet_inbox *in)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	return packet_recv(fd, in, PACKET_BATCH);
}

static void only_what_passes_is_queued(void **state)
{
	struct pcap_prog one = marked(1);
	struct pcap_prog two = marked(2);
	struct packet_inbox in;
	size_t len;
	bool cut;

	(void)state;
	packet_inbox_init(&in);
	int near = open_on(near_if, NULL);
	int far = open_on(far_if, &one);
	send_to(near, 0xb, 2);
	send_to(near, 0xb, 1);
	assert_int_equal(wait_recv(far, &in), 1);
	const uint8_t *f = packet_frame(&in, 0, &len, &cut);
	assert_int_equal(len, FRAME);
	assert_false(cut);
	assert_int_equal(f[14], 1);
	assert_int_equal(packet_set_filter(far, &two, NULL), 0);
	send_to(near, 0xb, 1);
	send_to(near, 0xb, 2);
	assert_int_equal(wait_recv(far, &in), 1);
	assert_int_equal(packet_frame(&in, 0, &len, &cut)[14], 2);
	assert_int_equal(packet_recv(far, &in, PACKET_BATCH), -EAGAIN);
	assert_int_equal(packet_dropped(far), 0);
	close(near);
	close(far);
	pcap_prog_fini(&one);
	pcap_prog_fini(&two);
}

static void own_frames_and_others_machines_do_not_arrive(void **state)
{
	struct pcap_prog one = marked(1);
	struct packet_inbox in;
	size_t len;
	bool cut;

	(void)state;
	packet_inbox_init(&in);
	int near = open_on(near_if, &one);
	int far = open_on(far_if, &one);
	send_to(far, 0xa, 1);
	send_to(near, 0xc, 1); /* promiscuous or not: not for this machine */
	send_to(near, 0xb, 1);
	assert_int_equal(wait_recv(far, &in), 1);
	assert_int_equal(packet_frame(&in, 0, &len, &cut)[5], 0xb);
	assert_int_equal(wait_recv(near, &in), 1);
	assert_int_equal(packet_frame(&in, 0, &len, &cut)[5], 0xa);
	close(near);
	close(far);
	pcap_prog_fini(&one);
}

static void tagged_frames_do_not_arrive(void **state)
{
	struct pcap_prog any;
	struct packet_inbox in;
	uint8_t f[FRAME + 4];
	size_t len;
	bool cut;

	(void)state;
	packet_inbox_init(&in);
	assert_int_equal(pcap_prog_compile("greater 1", &any, NULL), 0);
	int near = open_on(near_if, NULL);
	int far = open_on(far_if, &any);
	frame_make(f, 0xb, 1);
	memmove(f + 16, f + 12, FRAME - 12);
	memcpy(f + 12, (const uint8_t[]){ 0x81, 0, 0, 100 }, 4);
	assert_int_equal(packet_send(near, f, sizeof(f)), 0);
	send_to(near, 0xb, 1);
	assert_int_equal(wait_recv(far, &in), 1);
	packet_frame(&in, 0, &len, &cut);
	assert_int_equal(len, FRAME);
	close(near);
	close(far);
	pcap_prog_fini(&any);
}

static void batches_and_long_frames(void **state)
{
	struct pcap_prog one = marked(1);
	struct packet_batch out;
	struct packet_inbox in;
	uint8_t f[PACKET_FRAME_MAX + 1] = { 0 };
	unsigned n_cut = 0;
	size_t len;
	bool cut;

	(void)state;
	packet_batch_init(&out);
	packet_inbox_init(&in);
	int near = open_on(near_if, NULL);
	int far = open_on(far_if, &one);
	frame_make(f, 0xb, 1);
	for (size_t i = 0; i < PACKET_BATCH; i++)
		packet_batch_set(&out, i, f, i == 1 ? sizeof(f) : FRAME);
	assert_int_equal(packet_send_batch(near, &out, PACKET_BATCH), PACKET_BATCH);
	for (int left = PACKET_BATCH; left > 0;) {
		int n = wait_recv(far, &in);
		assert_in_range(n, 1, left);
		for (int i = 0; i < n; i++) {
			packet_frame(&in, (size_t)i, &len, &cut);
			n_cut += cut;
		}
		left -= n;
	}
	assert_int_equal(n_cut, 1);
	close(near);
	close(far);
	pcap_prog_fini(&one);
}

static void no_interface_is_an_error(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(packet_open(9999, ETHERTYPE, NULL, &e), -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "interface 9999"));
}

static void interface_that_goes_is_noticed(void **state)
{
	struct packet_inbox in;

	(void)state;
	packet_inbox_init(&in);
	int far = open_on(far_if, NULL);
	assert_int_equal(system("ip link set vb down"), 0);
	assert_int_equal(packet_recv(far, &in, PACKET_BATCH), -ENETDOWN);
	assert_true(packet_is_bound(far));
	assert_int_equal(system("ip link del vb"), 0);
	assert_false(packet_is_bound(far));
	close(far);
}

static int set_up(void **state)
{
	(void)state;
	if (system("ip link add va address 02:00:00:00:00:0a type veth peer name vb address "
		   "02:00:00:00:00:0b && ip link set va up && ip link set vb up") != 0)
		return -1;
	near_if = (int)if_nametoindex("va");
	far_if = (int)if_nametoindex("vb");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_passes_is_queued),
		cmocka_unit_test(own_frames_and_others_machines_do_not_arrive),
		cmocka_unit_test(tagged_frames_do_not_arrive),
		cmocka_unit_test(batches_and_long_frames),
		cmocka_unit_test(no_interface_is_an_error),
		cmocka_unit_test(interface_that_goes_is_noticed),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		printf("skipped: needs root and network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, NULL);
}
