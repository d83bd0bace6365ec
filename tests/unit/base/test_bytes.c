#include "base/bytes.h"

#include "support.h"

static void reads_in_network_order(void **state)
{
	uint8_t wire[32];
	size_t len = unhex("01 0203 04050607 08090a0b0c0d0e0f aabb", wire, sizeof(wire));
	struct rd r = rd_from(wire, len);
	uint8_t two[2];

	(void)state;
	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u32(&r), 0x04050607);
	assert_true(rd_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	rd_copy(&r, two, 2);
	assert_int_equal(two[1], 0xbb);
	assert_int_equal(r.left, 0);
	assert_false(r.bad);
}

static void short_input_latches(void **state)
{
	uint8_t wire[3] = { 1, 2, 3 };
	struct rd r = rd_from(wire, sizeof(wire));
	uint8_t out[4] = { 9, 9, 9, 9 };

	(void)state;
	assert_int_equal(rd_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(r.left, 0);
	assert_int_equal(rd_u8(&r), 0); /* although there were bytes */
	rd_copy(&r, out, 4);
	assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
	assert_null(rd_bytes(&r, 0));
}

static void sub_cursor_is_a_fence(void **state)
{
	uint8_t wire[6] = { 1, 2, 3, 4, 5, 6 };
	struct rd r = rd_from(wire, sizeof(wire));
	struct rd sub = rd_sub(&r, 2);

	(void)state;
	assert_int_equal(rd_u16(&sub), 0x0102);
	assert_int_equal(rd_u8(&sub), 0);
	assert_true(sub.bad);
	assert_false(r.bad);
	assert_int_equal(rd_u8(&r), 3);
	sub = rd_sub(&r, 4);
	assert_true(sub.bad && r.bad);
}

static void writes_and_fills_lengths(void **state)
{
	uint8_t out[32], want[32];
	struct wr w = wr_to(out, sizeof(out));

	(void)state;
	size_t outer = wr_mark16(&w);
	wr_u8(&w, 0xaa);
	size_t inner = wr_mark8(&w);
	wr_u32(&w, 0x01020304);
	wr_fill8(&w, inner);
	wr_u64(&w, UINT64_C(0x1112131415161718));
	wr_fill(&w, 0xee, 2);
	wr_fill16(&w, outer);
	assert_false(w.bad);
	size_t len = unhex("0010 aa 04 01020304 1112131415161718 eeee", want, sizeof(want));
	assert_int_equal(w.len, len);
	assert_memory_equal(out, want, len);
}

static void full_writer_latches(void **state)
{
	uint8_t out[4] = { 0 };
	struct wr w = wr_to(out, 3);

	(void)state;
	wr_u16(&w, 1);
	wr_u16(&w, 2);
	assert_true(w.bad);
	assert_int_equal(w.len, 2);
	wr_u8(&w, 9);
	assert_int_equal(out[2], 0);
	wr_fill16(&w, 0); /* leaves the buffer alone */
	assert_int_equal(out[1], 1);
}

static void length_too_large_for_its_field(void **state)
{
	uint8_t out[300];
	struct wr w = wr_to(out, sizeof(out));

	(void)state;
	size_t at = wr_mark8(&w);
	wr_fill(&w, 0, 256);
	wr_fill8(&w, at);
	assert_true(w.bad);
}

struct csum_case {
	const char *name;
	const char *hex;
	uint16_t want;
};

static const struct csum_case csum_cases[] = {
	{ "the example of RFC 1071", "0001 f203 f4f5 f6f7", 0x220d },
	{ "odd length", "0001 f203 f4f5 f6", (uint16_t)~0xdcfb },
	{ "nothing", "", 0xffff },
	{ "an IPv4 header verifies", "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7", 0 },
};

static void checksums(void **state)
{
	const struct csum_case *c = *state;
	uint8_t wire[64];
	size_t len = unhex(c->hex, wire, sizeof(wire));

	assert_int_equal(bytes_csum_fold(bytes_csum_add(0, wire, len)), c->want);
}

struct hex_case {
	const char *name;
	const char *text;
	long want;
};

static const struct hex_case hex_cases[] = {
	{ "plain", "00ff10", 3 },    { "spaced", " 00 ff\n10\t", 3 },
	{ "colons", "00:FF:10", 3 }, { "empty", "", 0 },
	{ "odd", "00f", -1 },	     { "split pair", "0 0", -1 },
	{ "not hex", "zz", -1 },     { "too many", "0001020304", -1 },
	{ "full", "00010203", 4 },
};

static void hex_texts(void **state)
{
	const struct hex_case *c = *state;
	uint8_t out[4];

	assert_int_equal(bytes_unhex(c->text, out, sizeof(out)), c->want);
	if (c->want == 3)
		assert_memory_equal(out, "\x00\xff\x10", 3);
}

static void crc32_of_ieee_802_3(void **state)
{
	(void)state;
	assert_int_equal(bytes_crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(bytes_crc32("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_network_order),
		cmocka_unit_test(short_input_latches),
		cmocka_unit_test(sub_cursor_is_a_fence),
		cmocka_unit_test(writes_and_fills_lengths),
		cmocka_unit_test(crc32_of_ieee_802_3),
		cmocka_unit_test(full_writer_latches),
		cmocka_unit_test(length_too_large_for_its_field),
	};
	int failed = cmocka_run_group_tests_name("bytes", tests, NULL, NULL);

	failed += RUN_TABLE("checksum", csum_cases, checksums);
	failed += RUN_TABLE("hex", hex_cases, hex_texts);
	return failed;
}
