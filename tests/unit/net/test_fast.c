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
	wr_fill(&f, 0x5a,
		60 - f.len); /* zeros by custom; what somebody else puts there is not sent back */
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

/** The same with something behind it, which may be a secret of the sender's or a trick. */
static bool asks_at_length(const struct wire *w, struct addr sender, struct addr target,
			   uint8_t reply[60])
{
	uint8_t frame[90] = { 0 };

	(void)arp(frame, 1, sender, target);
	assert_int_equal(packet_send(w->client, frame, sizeof(frame)), 0);
	return arrives(w->client, reply, 60);
}

static void answers_what_is_ours(void **state)
{
	const struct wire *w = *state;
	struct addr ours = addr_v4(192, 0, 2, 1), heard = addr_v4(192, 0, 2, 2);
	struct addr client = addr_v4(192, 0, 2, 100);
	static const uint8_t no_padding[18];
	uint8_t reply[60];
	uint64_t n = 0;
	struct mono last;
	bool got = false;

	if (!w->fast)
		skip();
	put(w, ours, true);
	put(w, heard, false);
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, FAST_ANSWERS, NULL), 0);
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
	assert_memory_equal(reply + 42, no_padding, sizeof(no_padding));
	assert_true(fast_answers(w->fast, w->near, &ours, &n, &last));
	assert_true(n >= 1);
	fast_beat(w->fast);
	assert_false(asks_at_length(w, client, ours, reply)); /* what follows is not echoed */
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
	assert_int_equal(fast_attach(other, w->near, FAST_GENERIC, FAST_ANSWERS, &e), 0);
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, FAST_ANSWERS, &e), -ERR_STATE);
	assert_int_equal(fast_uses(w->fast, w->near), 0);
	fast_free(other);
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, FAST_ANSWERS, &e), 0);
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

/* Ethernet, IP, UDP and a BFD packet in state Up. */
static size_t bfd(uint8_t *out, const struct addr *from, const struct addr *to, uint32_t disc)
{
	struct wr f = wr_to(out, 100);
	bool v6 = from->family == FAMILY_V6;

	wr_bytes(&f, here.b, 6);
	wr_bytes(&f, there.b, 6);
	wr_u16(&f, v6 ? 0x86dd : 0x0800);
	if (v6) {
		wr_u32(&f, 0x6c000000);
		wr_u16(&f, 32);
		wr_u16(&f, 17 << 8 | 255);
	} else {
		wr_u32(&f, 0x45c00034);
		wr_u32(&f, 0x00004000);
		wr_u32(&f, 0xff110000); /* nobody looks at the checksum but the kernel */
	}
	wr_bytes(&f, from->b, v6 ? 16 : 4);
	wr_bytes(&f, to->b, v6 ? 16 : 4);
	wr_u32(&f, 50000u << 16 | 3784);
	wr_u32(&f, 32 << 16);
	wr_u32(&f, 0x20c00318);
	wr_u32(&f, 7);
	wr_u32(&f, disc);
	wr_u32(&f, 10000);
	wr_u32(&f, 10000);
	wr_u32(&f, 0);
	return f.len;
}

/** How many of a frame were noted; a busy machine may take its time. */
static uint64_t noted(const struct wire *w, struct fast_note *n, const uint8_t *frame, size_t len,
		      bool wanted)
{
	struct mono last;
	uint64_t before = fast_note_read(n, &last), now = before;

	assert_int_equal(packet_send(w->client, frame, len), 0);
	for (int i = 0; i < (wanted ? 2000 : 20) && now == before; i++) {
		usleep(1000);
		now = fast_note_read(n, &last);
	}
	return now - before;
}

static void notes_what_only_repeats(const struct wire *w, struct addr from, struct addr to)
{
	struct fast_note n = { 0 };
	struct mono last = { 0 };
	uint8_t frame[100];
	size_t len = bfd(frame, &from, &to, 0x11223344), ip = 14;
	size_t udp = ip + (from.family == FAMILY_V6 ? 40 : 20);

	assert_int_equal(fast_note_open(w->fast, w->near, 0x11223344, &n), 0);
	assert_int_equal(noted(w, &n, frame, len, false), 0); /* not begun */
	fast_note_begin(&n, &from, &to, frame + udp + 8, mono_add(mono_clock(), DUR_S(60)));
	struct mono began = mono_clock();
	assert_int_equal(noted(w, &n, frame, len, true), 1);
	(void)fast_note_read(&n, &last);
	assert_true(last.ns >= began.ns && last.ns <= mono_clock().ns);
	/* Each byte counts, but type of service, identification and label, checksums and the port that it comes from. */
	for (size_t i = 12; i < len; i++) {
		bool free_v4 =
			i == ip + 1 || i == ip + 4 || i == ip + 5 || i == ip + 10 || i == ip + 11;
		bool free_v6 = i >= ip && i < ip + 4;
		bool may = (from.family == FAMILY_V4 ? free_v4 : free_v6) || i == udp ||
			   i == udp + 1 || i == udp + 6 || i == udp + 7;

		frame[i] ^= 1;
		if (!may)
			assert_int_equal(noted(w, &n, frame, len, false), 0);
		frame[i] ^= 1;
	}
	assert_int_equal(noted(w, &n, frame, len - 1, false), 0);
	assert_int_equal(noted(w, &n, frame, len, true), 1);
	fast_note_end(&n);
	assert_int_equal(noted(w, &n, frame, len, false), 0);
	fast_note_begin(&n, &from, &to, frame + udp + 8, mono_clock());
	assert_int_equal(noted(w, &n, frame, len, false), 0); /* its time is over */
	fast_note_close(w->fast, &n);
	assert_false(fast_note_is_open(&n));
}

static void notes(void **state)
{
	const struct wire *w = *state;

	if (!w->fast)
		skip();
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, FAST_NOTES, NULL), 0);
	assert_int_equal(fast_uses(w->fast, w->near), FAST_NOTES);
	assert_false(fast_needs_beat(w->fast));
	notes_what_only_repeats(w, addr_v4(192, 0, 2, 100), addr_v4(192, 0, 2, 1));
	struct addr from6, to6;
	assert_int_equal(addr_parse("fe80::2", &from6), 0);
	assert_int_equal(addr_parse("fe80::1", &to6), 0);
	notes_what_only_repeats(w, from6, to6);
	fast_detach(w->fast, w->near);
}

static void does_both_at_once(void **state)
{
	const struct wire *w = *state;
	struct addr ours = addr_v4(192, 0, 2, 1), client = addr_v4(192, 0, 2, 100);
	struct fast_note n = { 0 };
	uint8_t frame[100], reply[60];
	size_t len = bfd(frame, &client, &ours, 5);
	bool got = false;

	if (!w->fast)
		skip();
	put(w, ours, true);
	assert_int_equal(fast_note_open(w->fast, w->near, 5, &n), 0);
	fast_note_begin(&n, &client, &ours, frame + 42, mono_add(mono_clock(), DUR_S(60)));
	assert_int_equal(fast_attach(w->fast, w->near, FAST_GENERIC, FAST_ANSWERS, NULL), 0);
	assert_int_equal(noted(w, &n, frame, len, false), 0);
	assert_int_equal(
		fast_attach(w->fast, w->near, FAST_GENERIC, FAST_ANSWERS | FAST_NOTES, NULL), 0);
	assert_int_equal(noted(w, &n, frame, len, true), 1);
	for (unsigned i = 0; i < 20 && !got; i++) {
		fast_beat(w->fast);
		got = asks(w, client, ours, reply);
	}
	assert_true(got);
	fast_detach(w->fast, w->near);
	fast_note_close(w->fast, &n);
	fast_del(w->fast, w->near, &ours);
}

static void has_so_many_slots_and_no_more(void **state)
{
	const struct wire *w = *state;
	struct fast_note *n;
	uint32_t i = 0;

	if (!w->fast)
		skip();
	n = mem_new_n(struct fast_note, 4096);
	while (i < 4096 && fast_note_open(w->fast, w->near, i, &n[i]) == 0)
		i++;
	assert_int_equal(i, 2048);
	fast_note_close(w->fast, &n[7]);
	fast_note_close(w->fast, &n[7]);
	assert_int_equal(fast_note_open(w->fast, w->near, 7, &n[7]), 0);
	while (i-- > 0)
		fast_note_close(w->fast, &n[i]);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_what_is_ours),
		cmocka_unit_test(respects_another_program),
		cmocka_unit_test(filters_hear_what_concerns_us),
		cmocka_unit_test(notes),
		cmocka_unit_test(does_both_at_once),
		cmocka_unit_test(has_so_many_slots_and_no_more),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
