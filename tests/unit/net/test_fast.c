/* The programs inside a real kernel: a veth pair in a namespace of our own. Skipped where they are not to be had. */
#include "support.h"

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "net/fast.h"
#include "net/packet.h"

static const struct mac here = { { 2, 0, 0, 0, 0, 1 } };
static const struct mac there = { { 2, 0, 0, 0, 0, 2 } };

struct wire {
	struct fast *fast;
	int near, far; /* links */
	int client;    /* hears all on the far link */
};

static void shell(const char *cmd)
{
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

/* Everything that arrives: the guard of packet_set_filter() and nothing more. */
static int hear_all(int ifindex, uint16_t ethertype)
{
	struct pcap_prog all;
	struct err e;

	assert_int_equal(pcap_prog_compile("", &all, &e), 0);
	int fd = packet_open(ifindex, ethertype, &all, &e);
	pcap_prog_fini(&all);
	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	struct wire *w = mem_new(struct wire);
	struct err e = { 0 };

	*state = w;
	w->client = -1;
	if (unshare(CLONE_NEWNET) < 0 || fast_new(&w->fast, &e) < 0) {
		print_message("not here: %s\n", e.text);
		return 0;
	}
	shell("ip link add near address 02:00:00:00:00:01 type veth peer name far address "
	      "02:00:00:00:00:02; ip link set near up; ip link set far up");
	w->near = (int)if_nametoindex("near");
	w->far = (int)if_nametoindex("far");
	w->client = hear_all(w->far, 0x0806);
	return 0;
}

static int teardown(void **state)
{
	struct wire *w = *state;

	fast_free(w->fast);
	if (w->client >= 0)
		close(w->client);
	free(w);
	return 0;
}

static void put(const struct wire *w, struct addr addr, bool answers)
{
	const struct fast_entry entry = {
		.ifindex = w->near, .addr = addr, .mac = here, .answers = answers
	};

	assert_int_equal(fast_put(w->fast, &entry), 0);
}

static size_t arp(uint8_t *out, unsigned op, struct addr sender, struct addr target)
{
	struct wr f = wr_to(out, 60);

	wr_fill(&f, 0xff, 6);
	wr_bytes(&f, there.b, 6);
	wr_u16(&f, 0x0806);
	wr_u16(&f, 1);
	wr_u16(&f, 0x0800);
	wr_u8(&f, 6);
	wr_u8(&f, 4);
	wr_u16(&f, (uint16_t)op);
	wr_bytes(&f, there.b, 6);
	wr_bytes(&f, sender.b, 4);
	wr_fill(&f, 0, 6);
	wr_bytes(&f, target.b, 4);
	wr_fill(&f, 0, 60 - f.len);
	return f.len;
}

static bool arrives(int fd, uint8_t *frame, size_t cap)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 200) == 1 && recv(fd, frame, cap, MSG_DONTWAIT) > 0;
}

/** Ask from the far end; true when an answer comes back. */
static bool asks(const struct wire *w, struct addr sender, struct addr target, uint8_t reply[60])
{
	uint8_t frame[60];
	size_t len = arp(frame, 1, sender, target);

	assert_int_equal(packet_send(w->client, frame, len), 0);
	return arrives(w->client, reply, 60);
}

static void answers_what_is_ours(void **state)
{
	const struct wire *w = *state;
	struct addr ours = addr_v4(192, 0, 2, 1), heard = addr_v4(192, 0, 2, 2);
	struct addr client = addr_v4(192, 0, 2, 100);
	uint8_t reply[60];
	uint64_t n = 0;
	struct mono last;
	bool got = false;

	if (!w->fast)
		skip();
	put(w, ours, true);
	put(w, heard, false);
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, NULL), 0);
	assert_true(fast_needs_beat(w->fast));
	assert_false(asks(w, client, ours, reply)); /* no heartbeat yet */
	/* A busy machine may take longer than a heartbeat lasts. */
	for (unsigned i = 0; i < 20 && !got; i++) {
		fast_beat(w->fast);
		got = asks(w, client, ours, reply);
	}
	assert_true(got);
	assert_memory_equal(reply, there.b, 6);
	assert_memory_equal(reply + 6, here.b, 6);
	assert_int_equal(reply[21], 2);
	assert_memory_equal(reply + 22, here.b, 6);
	assert_memory_equal(reply + 28, ours.b, 4);
	assert_memory_equal(reply + 32, there.b, 6);
	assert_memory_equal(reply + 38, client.b, 4);
	assert_true(fast_answers(w->fast, w->near, &ours, &n, &last));
	assert_true(n >= 1);
	fast_beat(w->fast);
	assert_false(asks(w, client, heard, reply));
	fast_beat(w->fast);
	assert_false(asks(w, ours, ours, reply)); /* a claim */
	fast_beat(w->fast);
	fast_silence(w->fast);
	assert_false(asks(w, client, ours, reply));
	fast_beat(w->fast);
	fast_del(w->fast, w->near, &ours);
	assert_false(asks(w, client, ours, reply));
	fast_detach(w->fast, w->near);
	assert_false(fast_needs_beat(w->fast));
}

static void respects_another_program(void **state)
{
	const struct wire *w = *state;
	struct fast *other;
	struct err e;

	if (!w->fast)
		skip();
	assert_int_equal(fast_new(&other, &e), 0);
	assert_int_equal(fast_attach(other, w->near, FAST_GENERIC, &e), 0);
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, &e), -ERR_STATE);
	assert_false(fast_is_attached(w->fast, w->near));
	fast_free(other);
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, &e), 0);
	fast_detach(w->fast, w->near);
}

static void filters_hear_what_concerns_us(void **state)
{
	const struct wire *w = *state;
	struct addr ours = addr_v4(192, 0, 2, 1), other = addr_v4(192, 0, 2, 9);
	struct fast_stats before, after;
	uint8_t frame[60];
	size_t len;

	if (!w->fast)
		skip();
	put(w, ours, true);
	int fd = packet_open(w->near, 0x0806, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(fast_filter(w->fast, fd, false, NULL), 0);
	fast_stats(w->fast, &before);
	const struct {
		unsigned op;
		struct addr sender, target;
		bool heard;
	} rows[] = {
		{ 1, other, ours, true },  { 1, ours, other, true },   { 2, ours, other, true },
		{ 2, other, ours, false }, { 1, other, other, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		len = arp(frame, rows[i].op, rows[i].sender, rows[i].target);
		assert_int_equal(packet_send(w->client, frame, len), 0);
		assert_int_equal(arrives(fd, frame, sizeof(frame)), rows[i].heard);
	}
	fast_stats(w->fast, &after);
	assert_int_equal(after.unwanted - before.unwanted, 1);
	close(fd);
	fast_del(w->fast, w->near, &ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_what_is_ours),
		cmocka_unit_test(respects_another_program),
		cmocka_unit_test(filters_hear_what_concerns_us),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
