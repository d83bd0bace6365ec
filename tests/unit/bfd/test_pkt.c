#include "bfd/pkt.h"
#include "support.h"

/* ---- decoding: each bad packet beside the good one it comes from ---- */

struct decode_case {
	const char *name;
	const char *hex;
	enum bfd_decode want;
	uint8_t state;
};

static const struct decode_case decode_cases[] = {
	{ "up", "20c00318 00000001 00000002 000f4240 000f4240 00000000", BFD_PKT_OK, BFD_UP },
	{ "down without your disc", "20400318 00000001 00000000 000f4240 000f4240 00000000",
	  BFD_PKT_OK, BFD_DOWN },
	{ "admin down without your disc", "27000318 00000001 00000000 000f4240 000f4240 00000000",
	  BFD_PKT_OK, BFD_ADMIN_DOWN },
	{ "bytes behind the packet", "20c00318 00000001 00000002 000f4240 000f4240 00000000 ffff",
	  BFD_PKT_OK, BFD_UP },
	{ "empty", "", BFD_PKT_SHORT, 0 },
	{ "one byte short", "20c00318 00000001 00000002 000f4240 000f4240 000000", BFD_PKT_SHORT,
	  0 },
	{ "version 0", "00c00318 00000001 00000002 000f4240 000f4240 00000000", BFD_PKT_VERSION,
	  0 },
	{ "version 2", "40c00318 00000001 00000002 000f4240 000f4240 00000000", BFD_PKT_VERSION,
	  0 },
	{ "length below 24", "20c00317 00000001 00000002 000f4240 000f4240 00000000",
	  BFD_PKT_LENGTH, 0 },
	{ "length lies", "20c003ff 00000001 00000002 000f4240 000f4240 00000000", BFD_PKT_LENGTH,
	  0 },
	{ "length one too many", "20c00319 00000001 00000002 000f4240 000f4240 00000000",
	  BFD_PKT_LENGTH, 0 },
	{ "detect multiplier 0", "20c00018 00000001 00000002 000f4240 000f4240 00000000",
	  BFD_PKT_DETECT_MULT, 0 },
	{ "multipoint", "20c10318 00000001 00000002 000f4240 000f4240 00000000", BFD_PKT_MULTIPOINT,
	  0 },
	{ "my disc 0", "20c00318 00000000 00000002 000f4240 000f4240 00000000", BFD_PKT_MY_DISC,
	  0 },
	{ "up without your disc", "20c00318 00000001 00000000 000f4240 000f4240 00000000",
	  BFD_PKT_YOUR_DISC, 0 },
	{ "init without your disc", "20800318 00000001 00000000 000f4240 000f4240 00000000",
	  BFD_PKT_YOUR_DISC, 0 },
	{ "auth bit, no section", "20c40318 00000001 00000002 000f4240 000f4240 00000000",
	  BFD_PKT_LENGTH, 0 },
	{ "simple password",
	  "20c40321 00000001 00000002 000f4240 000f4240 00000000 0109 01736563726574", BFD_PKT_OK,
	  BFD_UP },
	{ "section of an unknown type",
	  "20c40321 00000001 00000002 000f4240 000f4240 00000000 0609 01736563726574",
	  BFD_PKT_AUTH_FORM, 0 },
	{ "section shorter than it says",
	  "20c40321 00000001 00000002 000f4240 000f4240 00000000 010a 01736563726574",
	  BFD_PKT_AUTH_FORM, 0 },
	{ "password without a byte", "20c4031b 00000001 00000002 000f4240 000f4240 00000000 010301",
	  BFD_PKT_AUTH_FORM, 0 },
	{ "MD5 of the length of SHA1",
	  "20c40334 00000001 00000002 000f4240 000f4240 00000000 021c0100 00000007"
	  "0000000000000000000000000000000000000000",
	  BFD_PKT_AUTH_FORM, 0 },
};

static void decodes(void **state)
{
	const struct decode_case *c = *state;
	struct bfd_pkt pkt = { 0 };
	uint8_t wire[64];
	size_t len = unhex(c->hex, wire, sizeof(wire));

	assert_int_equal(bfd_pkt_decode(rd_from(wire, len), &pkt), c->want);
	assert_int_equal(pkt.state, c->state); /* untouched when refused */
	assert_int_equal(pkt.my_disc, c->want == BFD_PKT_OK ? 1 : 0);
}

/* ---- every bit in its place ---- */

struct field_case {
	const char *name;
	const char *hex;
	struct bfd_pkt pkt;
};

static const struct field_case field_cases[] = {
	{ "numbers",
	  "20c00518 01020304 05060708 0000c350 000186a0 00030d40",
	  { .state = BFD_UP,
	    .detect_mult = 5,
	    .my_disc = 0x01020304,
	    .your_disc = 0x05060708,
	    .desired_min_tx_us = 50000,
	    .required_min_rx_us = 100000,
	    .required_min_echo_us = 200000 } },
	{ "poll",
	  "20e00118 00000001 00000002 00000000 00000000 00000000",
	  { .state = BFD_UP, .poll = true, .detect_mult = 1, .my_disc = 1, .your_disc = 2 } },
	{ "final",
	  "20d00118 00000001 00000002 00000000 00000000 00000000",
	  { .state = BFD_UP, .final = true, .detect_mult = 1, .my_disc = 1, .your_disc = 2 } },
	{ "control plane independent",
	  "20c80118 00000001 00000002 00000000 00000000 00000000",
	  { .state = BFD_UP, .cpi = true, .detect_mult = 1, .my_disc = 1, .your_disc = 2 } },
	{ "demand",
	  "20c20118 00000001 00000002 00000000 00000000 00000000",
	  { .state = BFD_UP, .demand = true, .detect_mult = 1, .my_disc = 1, .your_disc = 2 } },
	{ "diagnostic 31",
	  "3f40ff18 ffffffff ffffffff ffffffff ffffffff ffffffff",
	  { .state = BFD_DOWN,
	    .diag = 31,
	    .detect_mult = 255,
	    .my_disc = UINT32_MAX,
	    .your_disc = UINT32_MAX,
	    .desired_min_tx_us = UINT32_MAX,
	    .required_min_rx_us = UINT32_MAX,
	    .required_min_echo_us = UINT32_MAX } },
};

static void assert_pkt_equal(const struct bfd_pkt *a, const struct bfd_pkt *b)
{
	assert_int_equal(a->diag, b->diag);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->poll, b->poll);
	assert_int_equal(a->final, b->final);
	assert_int_equal(a->cpi, b->cpi);
	assert_int_equal(a->demand, b->demand);
	assert_int_equal(a->detect_mult, b->detect_mult);
	assert_int_equal(a->my_disc, b->my_disc);
	assert_int_equal(a->your_disc, b->your_disc);
	assert_int_equal(a->desired_min_tx_us, b->desired_min_tx_us);
	assert_int_equal(a->required_min_rx_us, b->required_min_rx_us);
	assert_int_equal(a->required_min_echo_us, b->required_min_echo_us);
}

static void both_ways(void **state)
{
	const struct field_case *c = *state;
	uint8_t wire[64], ours[64];
	size_t len = unhex(c->hex, wire, sizeof(wire));
	struct wr w = wr_to(ours, sizeof(ours));
	struct bfd_pkt pkt;

	assert_int_equal(bfd_pkt_decode(rd_from(wire, len), &pkt), BFD_PKT_OK);
	assert_pkt_equal(&pkt, &c->pkt);
	bfd_pkt_encode(&c->pkt, 0, &w);
	assert_false(w.bad);
	assert_int_equal(w.len, BFD_PKT_LEN);
	assert_memory_equal(ours, wire, BFD_PKT_LEN);
}

/* ---- frames of other implementations ---- */

static const struct vector_case {
	const char *name;
	struct bfd_pkt pkt;
} vector_cases[] = {
	{ "frr_down",
	  { .state = BFD_DOWN,
	    .detect_mult = 3,
	    .my_disc = 0xc5a43041,
	    .desired_min_tx_us = 1000000,
	    .required_min_rx_us = 1000000,
	    .required_min_echo_us = 50000 } },
	{ "frr_init_expired",
	  { .state = BFD_INIT,
	    .diag = BFD_DIAG_EXPIRED,
	    .detect_mult = 3,
	    .my_disc = 0xc5a43041,
	    .your_disc = 0xc8327b0c,
	    .desired_min_tx_us = 1000000,
	    .required_min_rx_us = 1000000,
	    .required_min_echo_us = 50000 } },
	{ "frr_up_poll",
	  { .state = BFD_UP,
	    .poll = true,
	    .detect_mult = 3,
	    .my_disc = 0x7c320f5b,
	    .your_disc = 0xc9b514e7,
	    .desired_min_tx_us = 50000,
	    .required_min_rx_us = 50000,
	    .required_min_echo_us = 50000 } },
	{ "frr_up_final",
	  { .state = BFD_UP,
	    .final = true,
	    .detect_mult = 3,
	    .my_disc = 0x7c320f5b,
	    .your_disc = 0xc9b514e7,
	    .desired_min_tx_us = 50000,
	    .required_min_rx_us = 50000,
	    .required_min_echo_us = 50000 } },
	{ "frr_admin_down",
	  { .state = BFD_ADMIN_DOWN,
	    .detect_mult = 5,
	    .my_disc = 0xc5a43041,
	    .your_disc = 0xdc6478dc,
	    .desired_min_tx_us = 200000,
	    .required_min_rx_us = 300000,
	    .required_min_echo_us = 50000 } },
	{ "bird_init_poll",
	  { .state = BFD_INIT,
	    .poll = true,
	    .detect_mult = 4,
	    .my_disc = 0x7b4ac2b4,
	    .your_disc = 0x7603b371,
	    .desired_min_tx_us = 1000000,
	    .required_min_rx_us = 40000 } },
	{ "bird_down_poll",
	  { .state = BFD_DOWN,
	    .diag = BFD_DIAG_NEIGHBOR_DOWN,
	    .poll = true,
	    .detect_mult = 4,
	    .my_disc = 0x130f2bee,
	    .your_disc = 0x67d1a0f4,
	    .desired_min_tx_us = 1000000,
	    .required_min_rx_us = 40000 } },
};

static void real_frames(void **state)
{
	const struct vector_case *c = *state;
	CLEANUP(mem_freep) char *path = mem_printf("%s/bfd/%s.hex", TEST_VECTORS, c->name);
	CLEANUP(mem_freep) char *hex = read_file(path, NULL);
	uint8_t wire[64];
	size_t len = unhex(hex, wire, sizeof(wire));
	struct bfd_pkt pkt;

	assert_int_equal(bfd_pkt_decode(rd_from(wire, len), &pkt), BFD_PKT_OK);
	assert_pkt_equal(&pkt, &c->pkt);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(bfd_state_name(BFD_ADMIN_DOWN), "AdminDown");
	assert_string_equal(bfd_state_name(BFD_STATE_COUNT), "?");
	assert_string_equal(bfd_diag_name(BFD_DIAG_EXPIRED), "control detection time expired");
	assert_string_equal(bfd_diag_name(31), "reserved");
}

int main(void)
{
	const struct CMUnitTest plain[] = { cmocka_unit_test(names) };

	return RUN_TABLE("bfd decode", decode_cases, decodes) |
	       RUN_TABLE("bfd fields", field_cases, both_ways) |
	       RUN_TABLE("bfd frames", vector_cases, real_frames) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
