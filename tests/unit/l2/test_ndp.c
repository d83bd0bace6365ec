/*
 * Solicitations as Linux sends them (captured on a veth pair; the first, and the probe with a
 * nonce), and siblings that are wrong in one place, their check sums made right again.
 */
#include "support.h"

#include <string.h>

#include "l2/ndp.h"

struct decode_case {
	const char *name;
	const char *hex;
	enum l2_rx want;
};

static const struct decode_case cases[] = {
	{ "kernel multicast",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_OK },
	{ "without source option",
	  "3333ff00001002000000000a86dd 6000000000183aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001f1500000000 20010db8000000000000000000000010",
	  L2_RX_OK },
	{ "unicast to the address",
	  "02000000000b02000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "20010db8000000000000000000000010 8700ec4d00000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_OK },
	{ "unknown option skipped",
	  "3333ff00001002000000000a86dd 6000000000283aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 8700925600000000 20010db8000000000000000000000010 "
	  "0e01c416dbd6dbb4010102000000000a",
	  L2_RX_OK },
	{ "padded by Ethernet",
	  "3333ff00001002000000000a86dd 6000000000183aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001f1500000000 20010db8000000000000000000000010 "
	  "000000000000",
	  L2_RX_OK },
	{ "probe",
	  "3333ff00001002000000000a86dd 6000000000183aff 00000000000000000000000000000000 "
	  "ff0200000000000000000001ff000010 87004ccf00000000 20010db8000000000000000000000010",
	  L2_RX_OK },
	{ "probe with nonce",
	  "3333ff00001002000000000a86dd 6000000000203aff 00000000000000000000000000000000 "
	  "ff0200000000000000000001ff000010 8700c32300000000 20010db8000000000000000000000010 "
	  "0e01c416dbd6dbb4",
	  L2_RX_OK },
	{ "probe with source option",
	  "3333ff00001002000000000a86dd 6000000000203aff 00000000000000000000000000000000 "
	  "ff0200000000000000000001ff000010 870049bc00000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_OPTION },
	{ "probe to unicast",
	  "3333ff00001002000000000a86dd 6000000000183aff 00000000000000000000000000000000 "
	  "20010db8000000000000000000000010 87001d1b00000000 20010db8000000000000000000000010",
	  L2_RX_SENDER },
	{ "hop limit 254",
	  "3333ff00001002000000000a86dd 6000000000203afe 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_HOP_LIMIT },
	{ "check sum wrong",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0300000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_CHECKSUM },
	{ "code 1",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87011c0100000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_FORMAT },
	{ "version 4",
	  "3333ff00001002000000000a86dd 4000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_FORMAT },
	{ "UDP",
	  "3333ff00001002000000000a86dd 60000000002011ff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_TYPE },
	{ "VLAN tag",
	  "3333ff00001002000000000a8100 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_TYPE },
	{ "advertisement",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 88001b0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_OPERATION },
	{ "router solicitation",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 85001e0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_OPERATION },
	{ "length beyond frame",
	  "3333ff00001002000000000a86dd 6000000000283aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0200000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_SHORT },
	{ "option of length 0",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0300000000 20010db8000000000000000000000010 "
	  "010002000000000a",
	  L2_RX_OPTION },
	{ "option beyond end",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001c0100000000 20010db8000000000000000000000010 "
	  "010202000000000a",
	  L2_RX_OPTION },
	{ "half an option",
	  "3333ff00001002000000000a86dd 6000000000193aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001e1400000000 20010db8000000000000000000000010 "
	  "01",
	  L2_RX_OPTION },
	{ "source option of 16 bytes",
	  "3333ff00001002000000000a86dd 6000000000283aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001bf900000000 20010db8000000000000000000000010 "
	  "010202000000000a0000000000000000",
	  L2_RX_OPTION },
	{ "multicast target",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87004ac700000000 ff020000000000000000000000000001 "
	  "010102000000000a",
	  L2_RX_TARGET },
	{ "no target",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 870049cb00000000 00000000000000000000000000000000 "
	  "010102000000000a",
	  L2_RX_TARGET },
	{ "multicast source",
	  "3333ff00001002000000000a86dd 6000000000203aff ff020000000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87004ab800000000 20010db8000000000000000000000010 "
	  "010102000000000a",
	  L2_RX_SENDER },
	{ "group MAC in option",
	  "3333ff00001002000000000a86dd 6000000000203aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001e0c00000000 20010db8000000000000000000000010 "
	  "0101ffffffffffff",
	  L2_RX_SENDER },
	{ "target cut off",
	  "3333ff00001002000000000a86dd 60000000000c3aff 20010db8000000000000000000000001 "
	  "ff0200000000000000000001ff000010 87001f3100000000 20010db8",
	  L2_RX_SHORT },
	{ "no IPv6 header", "3333ff00001002000000000a86dd 6000", L2_RX_SHORT },
	{ "empty", "", L2_RX_SHORT },
};

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void decodes(void **state)
{
	const struct decode_case *c = *state;
	const struct addr want = addr_of("2001:db8::10");
	const struct mac asker = { { 0x02, 0, 0, 0, 0, 0x0a } };
	struct ndp_solicit s = { 0 };
	uint8_t wire[256];
	size_t len = unhex(c->hex, wire, sizeof(wire));

	assert_int_equal(ndp_solicit_decode(rd_from(wire, len), &s), c->want);
	if (c->want == L2_RX_OK) {
		assert_true(addr_eq(&s.target, &want));
		assert_true(mac_eq(&s.source_mac, &asker));
	} else {
		assert_false(addr_is_set(&s.target)); /* untouched when refused */
	}
}

static const struct mac mac_b = { { 0x02, 0, 0, 0, 0, 0x0b } };

struct reply_case {
	const char *name;
	const char *source;
	const char *asker;
	const char *target;
	const char *hex;
};

static const struct reply_case replies[] = {
	{ "the kernel's own, captured", "2001:db8::20", "2001:db8::1", "2001:db8::20",
	  "02000000000a02000000000b86dd 6000000000203aff 20010db8000000000000000000000020 "
	  "20010db8000000000000000000000001 88008a2c60000000 20010db8000000000000000000000020 "
	  "020102000000000b" },
	{ "from the link-local address", "fe80::b", "2001:db8::1", "2001:db8::10",
	  "02000000000a02000000000b86dd 6000000000203aff fe80000000000000000000000000000b "
	  "20010db8000000000000000000000001 8800b98960000000 20010db8000000000000000000000010 "
	  "020102000000000b" },
	{ "to a probe: all nodes, not solicited", "fe80::b", "::", "2001:db8::10",
	  "33330000000102000000000b86dd 6000000000203aff fe80000000000000000000000000000b "
	  "ff020000000000000000000000000001 8800284020000000 20010db8000000000000000000000010 "
	  "020102000000000b" },
};

static void assert_frame(const struct wr *w, const char *hex)
{
	uint8_t want[128];
	size_t len = unhex(hex, want, sizeof(want));

	assert_false(w->bad);
	assert_int_equal(w->len, len);
	assert_memory_equal(w->p, want, len);
}

static void answers(void **state)
{
	const struct reply_case *c = *state;
	const struct addr source = addr_of(c->source);
	const struct ndp_solicit solicit = {
		.source_mac = { { 0x02, 0, 0, 0, 0, 0x0a } },
		.source = addr_of(c->asker),
		.target = addr_of(c->target),
	};
	uint8_t wire[NDP_ADVERT_LEN];
	struct wr w = wr_to(wire, sizeof(wire));

	ndp_reply_build(&w, &mac_b, &source, &solicit);
	assert_frame(&w, c->hex);
}

static void unsolicited_overrides(void **state)
{
	const struct addr source = addr_of("fe80::b");
	const struct addr target = addr_of("2001:db8::10");
	uint8_t wire[NDP_ADVERT_LEN];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	ndp_unsolicited_build(&w, &mac_b, &source, &target);
	assert_frame(&w, replies[2].hex);
}

/* What we build must pass the check sum and the walk of options, and be no solicitation. */
static void own_advertisement_is_well_formed(void **state)
{
	const struct addr source = addr_of("fe80::b");
	const struct addr target = addr_of("2001:db8::10");
	struct ndp_solicit s;
	uint8_t wire[NDP_ADVERT_LEN];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	ndp_unsolicited_build(&w, &mac_b, &source, &target);
	assert_int_equal(ndp_solicit_decode(rd_from(wire, w.len), &s), L2_RX_OPERATION);
}

struct claim_case {
	const char *name;
	size_t at; /* the byte of a good advertisement that is another one here */
	uint8_t byte;
	bool claims;
	bool to_one; /* its destination is one machine */
};

static const struct claim_case claims[] = {
	{ "to all nodes", 58, 0x20, true },
	{ "without override", 58, 0x00, true },
	{ "a router's", 58, 0xa0, true },
	{ "solicited, but to all nodes", 58, 0x60, false },
	{ "solicited, to one", 58, 0x60, true, true },
	{ "hop limit 254", 21, 254, false },
	{ "code 1", 55, 1, false },
	{ "router advertisement", 54, 134, false },
	{ "of a group", 62, 0xff, false },
	{ "option of length 0", 79, 0, false },
	{ "option beyond end", 79, 2, false },
	{ "at a group's Ethernet address", 80, 0x03, false },
};

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The check sum is made right again, so that nothing else refuses what was changed. */
static void make_right(uint8_t *frame)
{
	uint32_t sum = 32 + 58;

	put16(frame + 56, 0);
	sum = bytes_csum_add(sum, frame + 22, 32);
	put16(frame + 56, bytes_csum_fold(bytes_csum_add(sum, frame + 54, 32)));
}

static void claims_of(void **state)
{
	const struct claim_case *c = *state;
	const struct addr source = addr_of("fe80::b");
	const struct addr target = addr_of("2001:db8::10");
	uint8_t wire[NDP_ADVERT_LEN];
	struct wr w = wr_to(wire, sizeof(wire));
	struct l2_claim claim;

	ndp_unsolicited_build(&w, &mac_b, &source, &target);
	wire[c->at] = c->byte;
	if (c->to_one)
		memcpy(wire + 38, source.b, 16);
	make_right(wire);
	assert_int_equal(ndp_claim_decode(rd_from(wire, w.len), &claim), c->claims);
	if (c->claims)
		assert_true(addr_eq(&claim.addr, &target) && mac_eq(&claim.mac, &mac_b));
	wire[57] ^= 1;
	assert_false(ndp_claim_decode(rd_from(wire, w.len), &claim));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsolicited_overrides),
		cmocka_unit_test(own_advertisement_is_well_formed),
	};

	return RUN_TABLE("solicitation decode", cases, decodes) +
	       RUN_TABLE("solicited advertisements", replies, answers) +
	       RUN_TABLE("claims", claims, claims_of) + cmocka_run_group_tests(tests, NULL, NULL);
}
