/*
 * Requests as Linux and arping(8) send them (captured on a veth pair), and siblings that are
 * wrong in one place.
 */
#include "support.h"

#include <string.h>

#include "l2/arp.h"

struct decode_case {
	const char *name;
	const char *hex;
	enum l2_rx want;
};

static const struct decode_case cases[] = {
	{ "kernel broadcast",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_OK },
	{ "kernel unicast refresh",
	  "02000000000b 02000000000a 0806 0001 0800 06 04 0001 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_OK },
	{ "arping -D probe",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a 00000000 ffffffffffff "
	  "c000020a",
	  L2_RX_OK },
	{ "padded",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a c0000201 000000000000 "
	  "c000020a"
	  "000000000000000000000000000000000000",
	  L2_RX_OK },
	{ "kernel reply",
	  "02000000000a 02000000000b 0806 0001 0800 06 04 0002 02000000000b c0000214 02000000000a "
	  "c0000201",
	  L2_RX_OPERATION },
	{ "reverse ARP's operation",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0003 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_OPERATION },
	{ "one byte short",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a c0000201 000000000000 "
	  "c00002",
	  L2_RX_SHORT },
	{ "no Ethernet header", "ffffffffffff 02000000000a 08", L2_RX_SHORT },
	{ "empty", "", L2_RX_SHORT },
	{ "VLAN tag in the frame",
	  "ffffffffffff 02000000000a 8100 0064 0806 0001 0800 06 04 0001 02000000000a c0000201"
	  "000000000000 c000020a",
	  L2_RX_TYPE },
	{ "IPv4", "ffffffffffff 02000000000a 0800 45000014", L2_RX_TYPE },
	{ "token ring",
	  "ffffffffffff 02000000000a 0806 0006 0800 06 04 0001 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_FORMAT },
	{ "other protocol",
	  "ffffffffffff 02000000000a 0806 0001 86dd 06 04 0001 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_FORMAT },
	{ "long hardware address",
	  "ffffffffffff 02000000000a 0806 0001 0800 08 04 0001 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_FORMAT },
	{ "long protocol address",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 10 0001 02000000000a c0000201 000000000000 "
	  "c000020a",
	  L2_RX_FORMAT },
	{ "sender is a group",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 ffffffffffff c0000201 000000000000 "
	  "c000020a",
	  L2_RX_SENDER },
	{ "sender is nobody",
	  "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 000000000000 c0000201 000000000000 "
	  "c000020a",
	  L2_RX_SENDER },
};

static void decodes(void **state)
{
	const struct decode_case *c = *state;
	const struct addr want = addr_v4(192, 0, 2, 10);
	struct arp_request req = { 0 };
	uint8_t wire[128];
	size_t len = unhex(c->hex, wire, sizeof(wire));

	assert_int_equal(arp_request_decode(rd_from(wire, len), &req), c->want);
	if (c->want == L2_RX_OK)
		assert_true(addr_eq(&req.target, &want));
	else
		assert_false(addr_is_set(&req.target)); /* untouched when refused */
}

static const struct mac mac_b = { { 0x02, 0, 0, 0, 0, 0x0b } };

static void assert_frame(const struct wr *w, const char *hex)
{
	uint8_t want[128];
	size_t len = unhex(hex, want, sizeof(want));

	assert_false(w->bad);
	assert_int_equal(w->len, len);
	assert_memory_equal(w->p, want, len);
}

/* The kernel's own reply, captured, and padded to Ethernet's least length. */
static void reply_is_the_kernels(void **state)
{
	const struct arp_request req = {
		.sender_mac = { { 0x02, 0, 0, 0, 0, 0x0a } },
		.sender = addr_v4(192, 0, 2, 1),
		.target = addr_v4(192, 0, 2, 20),
	};
	uint8_t wire[ARP_FRAME_LEN];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	arp_reply_build(&w, &mac_b, &req);
	assert_frame(&w, "02000000000a02000000000b08060001080006040002"
			 "02000000000bc000021402000000000ac0000201"
			 "000000000000000000000000000000000000");
}

/* Layout of MetalLB's announcements: target hardware address all ones, both operations. */
static void gratuitous_has_both_forms(void **state)
{
	const struct addr vip = addr_v4(192, 0, 2, 10);
	uint8_t wire[ARP_FRAME_LEN];

	(void)state;
	struct wr w = wr_to(wire, sizeof(wire));
	arp_gratuitous_build(&w, ARP_REQUEST, &mac_b, &vip);
	assert_frame(&w, "ffffffffffff02000000000b08060001080006040001"
			 "02000000000bc000020affffffffffffc000020a"
			 "000000000000000000000000000000000000");
	w = wr_to(wire, sizeof(wire));
	arp_gratuitous_build(&w, ARP_REPLY, &mac_b, &vip);
	assert_frame(&w, "ffffffffffff02000000000b08060001080006040002"
			 "02000000000bc000020affffffffffffc000020a"
			 "000000000000000000000000000000000000");
}

static void no_room_latches(void **state)
{
	const struct addr vip = addr_v4(192, 0, 2, 10);
	uint8_t wire[ARP_FRAME_LEN - 1];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	arp_gratuitous_build(&w, ARP_REPLY, &mac_b, &vip);
	assert_true(w.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_is_the_kernels),
		cmocka_unit_test(gratuitous_has_both_forms),
		cmocka_unit_test(no_room_latches),
	};

	return RUN_TABLE("arp decode", cases, decodes) + cmocka_run_group_tests(tests, NULL, NULL);
}
