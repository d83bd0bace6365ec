/* Elements of `addresses`, and communities: the small parsers. */
#include "config_test.h"

#include "config/blocks.h"
#include "config/community.h"

struct blocks_case {
	const char *name; /* the text */
	enum blocks_result want;
	const char *blocks; /* joined by spaces */
};

static const struct blocks_case cases[] = {
	{ "10.0.0.0/24", BLOCKS_OK, "10.0.0.0/24" },
	{ "192.168.1.37/24", BLOCKS_OK, "192.168.1.0/24" },
	{ "10.0.0.1/32", BLOCKS_OK, "10.0.0.1/32" },
	{ "0.0.0.0/0", BLOCKS_OK, "0.0.0.0/0" },
	{ "0.0.0.0-255.255.255.255", BLOCKS_OK, "0.0.0.0/0" },
	{ "2001:db8::1/64", BLOCKS_OK, "2001:db8::/64" },
	{ "::ffff:10.0.0.0/120", BLOCKS_OK, "10.0.0.0/24" },
	{ "::/0", BLOCKS_OK, "::/0" },
	{ "10.0.0.1-10.0.0.1", BLOCKS_OK, "10.0.0.1/32" },
	{ "10.0.0.1-10.0.0.6", BLOCKS_OK, "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32" },
	{ "10.0.0.1 - 10.0.0.3", BLOCKS_OK, "10.0.0.1/32 10.0.0.2/31" },
	{ "  10.0.0.2\t-  10.0.0.3 ", BLOCKS_OK, "10.0.0.2/31" },
	{ "203.0.113.128-203.0.113.159", BLOCKS_OK, "203.0.113.128/27" },
	{ "2001:db8::1-2001:db8::2", BLOCKS_OK, "2001:db8::1/128 2001:db8::2/128" },
	{ "10.0.0.1", BLOCKS_NO_MASK },
	{ "2001:db8::1", BLOCKS_NO_MASK },
	{ "", BLOCKS_BAD },
	{ "lan", BLOCKS_BAD },
	{ "10.0.0.0/33", BLOCKS_BAD },
	{ "10.0.0.0/-1", BLOCKS_BAD_END },
	{ "10.0.0/24", BLOCKS_BAD },
	{ "10.0.0.0/24 ", BLOCKS_BAD },
	{ "-", BLOCKS_BAD_END },
	{ "10.0.0.1-", BLOCKS_BAD_END },
	{ "-10.0.0.1", BLOCKS_BAD_END },
	{ "10.0.0.1-10", BLOCKS_BAD_END },
	{ "10.0.0.1-10.0.0.2-10.0.0.3", BLOCKS_BAD_END },
	{ "10.0.0.9-10.0.0.3", BLOCKS_ORDER },
	{ "10.0.0.1-::1", BLOCKS_FAMILIES },
	{ "::1-10.0.0.1", BLOCKS_FAMILIES },
};

static void parses(void **state)
{
	const struct blocks_case *c = *state;
	struct prefix split[BLOCKS_MAX];
	struct range r;
	struct buf text = { 0 };

	assert_int_equal(blocks_parse(c->name, &r), c->want);
	if (c->want != BLOCKS_OK)
		return;
	size_t n = blocks_split(&r, split);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%s", i ? " " : "", PREFIX_TEXT(&split[i]));
	assert_string_equal(buf_text(&text), c->blocks);
	buf_fini(&text);
}

/* No range needs more blocks than there is room for. */
static void worst_range_fits(void **state)
{
	(void)state;
	struct prefix split[BLOCKS_MAX];
	struct range r;

	assert_int_equal(blocks_parse("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", &r),
			 BLOCKS_OK);
	assert_int_equal(blocks_split(&r, split), BLOCKS_MAX);
	assert_int_equal(blocks_parse("0.0.0.1-255.255.255.254", &r), BLOCKS_OK);
	assert_int_equal(blocks_split(&r, split), 62);
}

static void communities(void **state)
{
	static const char *const bad[] = { "",	      "1",    "1:",    ":1",   "1:2:3", "65536:1",
					   "1:65536", "-1:1", "0x1:1", " 1:1", "1:1 ",	"a:b" };
	char text[COMMUNITY_TEXT_MAX];
	uint32_t c = 0;

	(void)state;
	assert_true(community_parse("65535:65535", &c));
	assert_int_equal(c, UINT32_MAX);
	assert_true(community_parse("007:0", &c));
	assert_string_equal(community_format(c, text), "7:0");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (community_parse(bad[i], &c))
			fail_msg("'%s'", bad[i]);
}

static void large_communities(void **state)
{
	static const char *const bad[] = { "",	   "1:2",	  "1:2:3:4",	   "large:1:2",
					   "1::3", "LARGE:1:2:3", "4294967296:1:1" };
	char text[LARGE_COMMUNITY_TEXT_MAX];
	struct large_community c;

	(void)state;
	assert_true(large_community_parse("4294967295:4294967295:4294967295", &c));
	assert_string_equal(large_community_format(&c, text), "4294967295:4294967295:4294967295");
	assert_true(large_community_parse("large:1:2:3", &c));
	assert_string_equal(large_community_format(&c, text), "1:2:3");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (large_community_parse(bad[i], &c))
			fail_msg("'%s'", bad[i]);
}

static void sets_are_sorted_and_unique(void **state)
{
	uint32_t v[] = { 5, 1, 5, 0xffffffff, 1 };
	struct large_community large[] = { { 1, 2, 3 }, { 1, 1, 9 }, { 1, 2, 3 } };

	(void)state;
	assert_int_equal(communities_unique(v, ARRAY_LEN(v)), 3);
	assert_true(v[0] == 1 && v[1] == 5 && v[2] == 0xffffffff);
	assert_int_equal(large_communities_unique(large, ARRAY_LEN(large)), 2);
	assert_int_equal(large[0].local1, 1);
	assert_int_equal(communities_unique(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worst_range_fits),
		cmocka_unit_test(communities),
		cmocka_unit_test(large_communities),
		cmocka_unit_test(sets_are_sorted_and_unique),
	};

	return RUN_TABLE("blocks", cases, parses) + cmocka_run_group_tests(tests, NULL, NULL);
}
