/* Extended communities in text: what they stand for, and back. */
#include "config/community.h"
#include "support.h"

static const struct good_case {
	const char *name; /* as it is written */
	uint64_t value;
	const char *back; /* as we write it; NULL: the same */
} good[] = {
	{ "rt:64512:100", 0x0002fc0000000064, NULL },
	{ "rt:0:0", 0x0002000000000000, NULL },
	{ "rt:65535:4294967295", 0x0002ffffffffffff, NULL },
	{ "rt:65536:1", 0x0202000100000001, NULL },
	{ "rt:4294967295:65535", 0x0202ffffffffffff, NULL },
	{ "rt:192.0.2.1:7", 0x0102c00002010007, NULL },
	{ "ro:64512:100", 0x0003fc0000000064, NULL },
	{ "soo:64512:100", 0x0003fc0000000064, "ro:64512:100" },
	{ "target:64512:100", 0x0002fc0000000064, "rt:64512:100" },
	{ "origin:192.0.2.1:65535", 0x0103c0000201ffff, "ro:192.0.2.1:65535" },
	{ "0x0002fc0000000064", 0x0002fc0000000064, "rt:64512:100" },
	{ "0x4004fc004B3EBC20", 0x4004fc004b3ebc20, "0x4004fc004b3ebc20" }, /* link bandwidth */
	{ "0x02020000fc000064", 0x02020000fc000064, NULL }, /* a small AS number in the long form */
	{ "0x0302000000000000", 0x0302000000000000, NULL },
	{ "0xffffffffffffffff", UINT64_MAX, NULL },
};

static void reads_and_writes(void **state)
{
	const struct good_case *c = *state;
	char text[EXT_COMMUNITY_TEXT_MAX];
	uint64_t v = 1;

	assert_true(ext_community_parse(c->name, &v));
	assert_true(v == c->value);
	assert_string_equal(ext_community_format(v, text), c->back ? c->back : c->name);
	assert_true(ext_community_parse(text, &v));
	assert_true(v == c->value);
}

static const struct bad_case {
	const char *name;
} bad[] = {
	{ "" },
	{ "rt" },
	{ "rt:" },
	{ "rt:1" },
	{ "rt:1:" },
	{ "rt:1:2:3" },
	{ "rt:1:2 " },
	{ "RT:1:2" },
	{ "rx:1:2" },
	{ "1:2" },
	{ "rt:65536:65536" },
	{ "rt:65535:4294967296" },
	{ "rt:192.0.2.1:65536" },
	{ "rt:192.0.2:1" },
	{ "rt:2001:db8::1:1" },
	{ "rt:-1:1" },
	{ "0x0002fc000000006" },
	{ "0x0002fc00000000644" },
	{ "0x0002fc000000006g" },
	{ "0002fc0000000064" },
};

static void is_refused(void **state)
{
	uint64_t v;

	assert_false(ext_community_parse(((const struct bad_case *)*state)->name, &v));
}

static void doubles_go(void **state)
{
	uint64_t v[] = { 3, 1, 3, UINT64_MAX, 1 };
	static const uint64_t want[] = { 1, 3, UINT64_MAX };

	(void)state;
	assert_int_equal(ext_communities_unique(v, ARRAY_LEN(v)), ARRAY_LEN(want));
	assert_memory_equal(v, want, sizeof(want));
	assert_int_equal(ext_communities_unique(v, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(doubles_go) };
	int failed = RUN_TABLE("extended communities", good, reads_and_writes);

	failed += RUN_TABLE("none", bad, is_refused);
	return failed + cmocka_run_group_tests_name("lists", tests, NULL, NULL);
}
