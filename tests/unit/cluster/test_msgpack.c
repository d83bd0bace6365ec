#include "cluster/msgpack.h"

#include "support.h"

static struct rd input(const char *hex, uint8_t *room, size_t cap)
{
	return rd_from(room, unhex(hex, room, cap));
}

struct int_case {
	const char *name;
	const char *hex;
	int64_t lo, hi, want;
	bool bad;
};

static const struct int_case int_cases[] = {
	{ "small", "7f", 0, UINT32_MAX, 127, false },
	{ "negative small", "ff", -10, 10, -1, false },
	{ "u8", "cc ff", 0, UINT32_MAX, 255, false },
	{ "u16", "cd 1f0a", 0, UINT16_MAX, 7946, false },
	{ "u32", "ce ffffffff", 0, UINT32_MAX, UINT32_MAX, false },
	{ "u64 that fits", "cf 00000000 00000007", 0, UINT32_MAX, 7, false },
	{ "33 bits", "cf 00000001 00000000", 0, UINT32_MAX, 0, true },
	{ "u64 beyond all", "cf ffffffff ffffffff", 0, INT64_MAX, 0, true },
	{ "i8", "d0 80", -128, 127, -128, false },
	{ "i16 where unsigned is meant", "d1 1f0a", 0, UINT16_MAX, 7946, false },
	{ "i32", "d2 fffffffe", -2, 0, -2, false },
	{ "i64", "d3 00000000 00000001", 0, 1, 1, false },
	{ "negative where unsigned is meant", "d0 ff", 0, UINT32_MAX, 0, true },
	{ "nil is zero", "c0", 0, 1, 0, false },
	{ "text is none", "a1 31", 0, 9, 0, true },
	{ "bool is none", "c3", 0, 9, 0, true },
	{ "short", "ce 0000", 0, 9, 0, true },
	{ "empty", "", 0, 9, 0, true },
};

static void reads_int(void **state)
{
	const struct int_case *c = *state;
	uint8_t room[16];
	struct rd r = input(c->hex, room, sizeof(room));

	assert_int_equal(msgpack_read_int(&r, c->lo, c->hi), c->want);
	assert_int_equal(r.bad, c->bad);
	assert_int_equal(r.left, 0);
}

struct raw_case {
	const char *name;
	const char *hex;
	const char *want; /* NULL: nil */
	bool bad;
};

static const struct raw_case raw_cases[] = {
	{ "fixraw", "a2 6162", "ab", false },
	{ "empty", "a0", "", false },
	{ "str8", "d9 02 6162", "ab", false },
	{ "raw16", "da 0002 6162", "ab", false },
	{ "raw32", "db 00000002 6162", "ab", false },
	{ "bin8", "c4 02 6162", "ab", false },
	{ "bin16", "c5 0002 6162", "ab", false },
	{ "bin32", "c6 00000002 6162", "ab", false },
	{ "nil", "c0", NULL, false },
	{ "longer than the input", "a3 6162", NULL, true },
	{ "much longer", "db ffffffff 6162", NULL, true },
	{ "number", "01", NULL, true },
	{ "array", "91 01", NULL, true },
};

static void reads_raw(void **state)
{
	const struct raw_case *c = *state;
	uint8_t room[16];
	struct rd r = input(c->hex, room, sizeof(room));
	struct msgpack_raw raw = msgpack_read_raw(&r);

	assert_int_equal(r.bad, c->bad);
	assert_int_equal(raw.p != NULL, c->want != NULL);
	if (c->want)
		assert_true(msgpack_raw_is(raw, c->want));
}

struct extent_case {
	const char *name;
	const char *hex;
	enum msgpack_extent want;
	size_t len;
};

static const struct extent_case extent_cases[] = {
	{ "number", "01 ff", MSGPACK_WHOLE, 1 },
	{ "map in map", "81 a1 61 82 01 02 03 04 ff", MSGPACK_WHOLE, 8 },
	{ "array16", "dc 0002 01 02", MSGPACK_WHOLE, 5 },
	{ "map32", "df 00000001 01 02", MSGPACK_WHOLE, 7 },
	{ "float32", "ca 00000000", MSGPACK_WHOLE, 5 },
	{ "float64", "cb 00000000 00000000", MSGPACK_WHOLE, 9 },
	{ "fixext 1", "d4 05 00", MSGPACK_WHOLE, 3 },
	{ "fixext 16", "d8 05 00000000 00000000 00000000 00000000", MSGPACK_WHOLE, 18 },
	{ "ext8", "c7 02 05 0000", MSGPACK_WHOLE, 5 },
	{ "i64", "d3 00000000 00000000", MSGPACK_WHOLE, 9 },
	{ "cut raw", "a3 61", MSGPACK_SHORT, 4 },
	{ "cut map", "82 01 02", MSGPACK_SHORT, 5 },
	{ "huge map", "df ffffffff 01", MSGPACK_SHORT, 5 + 2 * (size_t)UINT32_MAX },
	{ "cut length", "92 da 00", MSGPACK_SHORT, 5 },
	{ "cut in a container in one", "93 92 01 c4 ff 00", MSGPACK_SHORT, 262 },
	{ "nothing", "", MSGPACK_SHORT, 1 },
	{ "as deep as allowed", "91 91 91 91 91 91 91 01", MSGPACK_WHOLE, 8 },
	{ "too deep", "91 91 91 91 91 91 91 91 01", MSGPACK_BAD, 0 },
};

static void measures(void **state)
{
	const struct extent_case *c = *state;
	uint8_t room[32];
	size_t len = 0;

	assert_int_equal(msgpack_extent(input(c->hex, room, sizeof(room)), &len), c->want);
	assert_int_equal(len, c->len);
}

static void writes_as_go_does(void **state)
{
	uint8_t room[128];
	uint8_t want[128];
	struct wr w = wr_to(room, sizeof(room));

	(void)state;
	msgpack_write_map(&w, 2);
	msgpack_write_text(&w, "Node");
	msgpack_write_nil(&w);
	msgpack_write_bool(&w, true);
	msgpack_write_bool(&w, false);
	for (uint32_t v = 127; v < 70000; v = v * 2 + 2)
		msgpack_write_uint(&w, v);
	msgpack_write_int(&w, 127);
	msgpack_write_int(&w, 128);
	msgpack_write_int(&w, -32);
	msgpack_write_int(&w, 70000);
	size_t n =
		unhex("82 a4 4e6f6465 c0 c3 c2 7f cd0100 cd0202 cd0406 cd080e cd101e cd203e cd407e"
		      "cd80fe ce000101fe 7f d10080 e0 d200011170",
		      want, sizeof(want));
	assert_false(w.bad);
	assert_int_equal(w.len, n);
	assert_memory_equal(room, want, n);
}

static void writes_long_text(void **state)
{
	uint8_t room[70000];
	struct wr w = wr_to(room, sizeof(room));
	static const uint8_t long_text[65536];

	(void)state;
	msgpack_write_raw(&w, long_text, 32);
	assert_int_equal(room[0], 0xda);
	assert_int_equal(w.len, 35);
	w.len = 0;
	msgpack_write_raw(&w, long_text, 65536);
	assert_int_equal(room[0], 0xdb);
	assert_int_equal(w.len, 65541);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_as_go_does),
		cmocka_unit_test(writes_long_text),
	};

	return RUN_TABLE("msgpack int", int_cases, reads_int) +
	       RUN_TABLE("msgpack raw", raw_cases, reads_raw) +
	       RUN_TABLE("msgpack extent", extent_cases, measures) +
	       cmocka_run_group_tests_name("msgpack write", tests, NULL, NULL);
}
