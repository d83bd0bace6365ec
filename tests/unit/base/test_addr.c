#include "base/addr.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "support.h"

/* .out NULL: must be refused. */
struct text_case {
	const char *name;
	const char *in;
	const char *out;
};

static const struct text_case addr_cases[] = {
	{ "v4", "192.0.2.1", "192.0.2.1" },
	{ "v4 lowest", "0.0.0.0", "0.0.0.0" },
	{ "v4 highest", "255.255.255.255", "255.255.255.255" },
	{ "v4 leading zero", "192.0.02.1", NULL },
	{ "v4 octal", "010.0.0.1", NULL },
	{ "v4 octet too large", "192.0.2.256", NULL },
	{ "v4 three octets", "192.0.2", NULL },
	{ "v4 five octets", "192.0.2.1.1", NULL },
	{ "v4 hex", "0xc0.0.2.1", NULL },
	{ "v4 with mask", "192.0.2.1/32", NULL },
	{ "v4 trailing space", "192.0.2.1 ", NULL },
	{ "v4 leading space", " 192.0.2.1", NULL },
	{ "empty", "", NULL },
	{ "v6", "2001:db8::1", "2001:db8::1" },
	{ "v6 any", "::", "::" },
	{ "v6 loopback", "::1", "::1" },
	{ "v6 full", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
	{ "v6 capitals", "2001:DB8::ABCD", "2001:db8::abcd" },
	{ "one zero group is written", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "one zero group as ::", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "longest run wins", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "first of equal runs", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "run at the end", "2001:db8:1:1:1:1:0:0", "2001:db8:1:1:1:1::" },
	{ "run at the start", "0:0:0:1:1:1:1:1", "::1:1:1:1:1" },
	{ "single zero at the end", "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0" },
	{ "single zero at the start", "0:2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "no zero", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	{ "low groups stay hex", "::102:304", "::102:304" },
	{ "v4-compatible", "::192.0.2.1", "::c000:201" },
	{ "v4-mapped is v4", "::ffff:192.0.2.1", "192.0.2.1" },
	{ "v4-mapped in hex is v4", "::ffff:c000:201", "192.0.2.1" },
	{ "two ::", "2001::db8::1", NULL },
	{ "too many groups", "1:2:3:4:5:6:7:8:9", NULL },
	{ "too few groups", "1:2:3:4:5:6:7", NULL },
	{ "group too long", "2001:db8::12345", NULL },
	{ "zone", "fe80::1%eth0", NULL },
	{ "brackets", "[2001:db8::1]", NULL },
	{ "colon alone", ":", NULL },
	{ "trailing colon", "2001:db8::1:", NULL },
	{ "word", "localhost", NULL },
};

static void addr_texts(void **state)
{
	const struct text_case *c = *state;
	struct addr a;

	memset(&a, 0xee, sizeof(a));
	if (!c->out) {
		assert_int_equal(addr_parse(c->in, &a), -1);
		assert_int_equal(a.family, 0xee); /* untouched when refused */
		return;
	}
	assert_int_equal(addr_parse(c->in, &a), 0);
	assert_string_equal(ADDR_TEXT(&a), c->out);
	if (a.family == FAMILY_V4) {
		static const uint8_t zero[12];
		assert_memory_equal(a.b + 4, zero, sizeof(zero));
	}
}

static const struct text_case prefix_cases[] = {
	{ "v4", "192.0.2.0/24", "192.0.2.0/24" },
	{ "host bits go", "192.0.2.77/24", "192.0.2.0/24" },
	{ "inside a byte", "192.0.2.255/27", "192.0.2.224/27" },
	{ "all of v4", "203.0.113.1/0", "0.0.0.0/0" },
	{ "host route", "192.0.2.1/32", "192.0.2.1/32" },
	{ "too long", "192.0.2.0/33", NULL },
	{ "negative", "192.0.2.0/-1", NULL },
	{ "plus", "192.0.2.0/+8", NULL },
	{ "no length", "192.0.2.0/", NULL },
	{ "no slash", "192.0.2.0", NULL },
	{ "mask in dots", "192.0.2.0/255.255.255.0", NULL },
	{ "huge length", "192.0.2.0/4294967328", NULL },
	{ "v6", "2001:db8::/32", "2001:db8::/32" },
	{ "v6 host bits go", "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
	{ "all of v6", "2001:db8::/0", "::/0" },
	{ "v6 host route", "2001:db8::1/128", "2001:db8::1/128" },
	{ "v6 too long", "2001:db8::/129", NULL },
	{ "mapped", "::ffff:192.0.2.7/120", "192.0.2.0/24" },
	{ "around mapped", "::ffff:192.0.2.7/80", "::/80" },
	{ "empty", "", NULL },
	{ "only a slash", "/24", NULL },
	{ "range", "192.0.2.1-192.0.2.9", NULL },
	{ "address too long", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64", NULL },
};

static void prefix_texts(void **state)
{
	const struct text_case *c = *state;
	struct prefix p;

	if (!c->out) {
		assert_int_equal(prefix_parse(c->in, &p), -1);
		return;
	}
	assert_int_equal(prefix_parse(c->in, &p), 0);
	assert_string_equal(PREFIX_TEXT(&p), c->out);
}

static const struct text_case mac_cases[] = {
	{ "colons", "02:00:5e:10:00:Ff", "02:00:5e:10:00:ff" },
	{ "dashes", "02-00-5E-10-00-FF", "02:00:5e:10:00:ff" },
	{ "mixed", "02:00-5e:10:00:ff", NULL },
	{ "short", "02:00:5e:10:00", NULL },
	{ "long", "02:00:5e:10:00:ff:01", NULL },
	{ "bad digit", "02:00:5e:10:00:fg", NULL },
	{ "sign for a digit", "02-00--5-10-00-ff", NULL },
	{ "one digit", "2:00:5e:10:00:ff0", NULL },
	{ "bare", "02005e1000ff", NULL },
	{ "empty", "", NULL },
};

static void mac_texts(void **state)
{
	const struct text_case *c = *state;
	struct mac m;

	if (!c->out) {
		assert_int_equal(mac_parse(c->in, &m), -1);
		return;
	}
	assert_int_equal(mac_parse(c->in, &m), 0);
	assert_string_equal(MAC_TEXT(&m), c->out);
}

/* .out is "address port"; a port of 7 is what was there before. */
static const struct text_case port_cases[] = {
	{ "v4 with port", "192.0.2.1:179", "192.0.2.1:179" },
	{ "v4 bare", "192.0.2.1", "192.0.2.1:7" },
	{ "v6 with port", "[2001:db8::1]:179", "[2001:db8::1]:179" },
	{ "v6 in brackets", "[2001:db8::1]", "[2001:db8::1]:7" },
	{ "v6 bare", "2001:db8::1", "[2001:db8::1]:7" },
	{ "any", "[::]:65535", "[::]:65535" },
	{ "port too large", "192.0.2.1:65536", NULL },
	{ "port empty", "192.0.2.1:", NULL },
	{ "port word", "192.0.2.1:bgp", NULL },
	{ "port signed", "192.0.2.1:+1", NULL },
	{ "v4 in brackets", "[192.0.2.1]:179", NULL },
	{ "open bracket", "[2001:db8::1", NULL },
	{ "text behind bracket", "[2001:db8::1]179", NULL },
	{ "host missing", ":179", NULL },
	{ "empty", "", NULL },
};

static void port_texts(void **state)
{
	const struct text_case *c = *state;
	struct addr a;
	uint16_t port = 7;
	char buf[ADDR_PORT_TEXT_MAX];

	if (!c->out) {
		assert_int_equal(addr_port_parse(c->in, &a, &port), -1);
		assert_int_equal(port, 7);
		return;
	}
	assert_int_equal(addr_port_parse(c->in, &a, &port), 0);
	assert_string_equal(addr_port_format(&a, port, buf), c->out);
}

struct range_case {
	const char *name;
	const char *first;
	const char *last;
	const char *prefixes; /* with a space behind each */
	uint64_t size;
};

static const struct range_case range_cases[] = {
	{ "one address", "192.0.2.1", "192.0.2.1", "192.0.2.1/32 ", 1 },
	{ "one prefix", "192.0.2.0", "192.0.2.255", "192.0.2.0/24 ", 256 },
	{ "unaligned both ends", "192.0.2.1", "192.0.2.6",
	  "192.0.2.1/32 192.0.2.2/31 192.0.2.4/31 192.0.2.6/32 ", 6 },
	{ "across a byte", "192.0.2.254", "192.0.3.1", "192.0.2.254/31 192.0.3.0/31 ", 4 },
	{ "two alike", "192.0.3.0", "192.0.4.255", "192.0.3.0/24 192.0.4.0/24 ", 512 },
	{ "all of v4", "0.0.0.0", "255.255.255.255", "0.0.0.0/0 ", UINT64_C(1) << 32 },
	{ "v4 but the last", "255.255.255.252", "255.255.255.254",
	  "255.255.255.252/31 255.255.255.254/32 ", 3 },
	{ "v4's end", "255.255.255.253", "255.255.255.255",
	  "255.255.255.253/32 255.255.255.254/31 ", 3 },
	{ "all of v6", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0 ", UINT64_MAX },
	{ "v6", "2001:db8::1", "2001:db8::4", "2001:db8::1/128 2001:db8::2/127 2001:db8::4/128 ",
	  4 },
	{ "v6's end", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127 ",
	  2 },
	{ "exactly 2^64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::/64 ",
	  UINT64_MAX },
};

static struct addr must_addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix must_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void ranges_split(void **state)
{
	const struct range_case *c = *state;
	struct range r = { must_addr(c->first), must_addr(c->last) };
	struct prefix p;
	CLEANUP(buf_fini) struct buf got = { 0 };

	assert_int_equal(range_size(&r), c->size);
	while (range_next_prefix(&r, &p)) {
		buf_printf(&got, "%s ", PREFIX_TEXT(&p));
		assert_true(got.len < 400);
	}
	assert_string_equal(buf_text(&got), c->prefixes);
	assert_false(range_next_prefix(&r, &p));
}

/* The pieces of a random range are in order, touch each other, and cover it. */
static void random_ranges_split(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (int i = 0; i < 2000; i++) {
		uint32_t lo = (uint32_t)rng_u64(&rng);
		uint32_t hi = lo + (uint32_t)rng_below(&rng, UINT32_MAX - (uint64_t)lo + 1);
		uint8_t first[4] = { lo >> 24, lo >> 16, lo >> 8, lo };
		uint8_t last[4] = { hi >> 24, hi >> 16, hi >> 8, hi };
		struct range r = { addr_from_bytes(FAMILY_V4, first),
				   addr_from_bytes(FAMILY_V4, last) };
		struct addr next = r.first;
		struct addr end = r.last;
		struct prefix p;
		int pieces = 0;

		while (range_next_prefix(&r, &p)) {
			struct range piece = prefix_range(&p);
			assert_true(addr_eq(&piece.first, &next));
			next = piece.last;
			if (!addr_eq(&next, &end))
				assert_true(addr_next(&next));
			pieces++;
		}
		assert_true(addr_eq(&next, &end));
		assert_true(pieces <= 62); /* the most that a minimal split needs */
	}
}

static void any_v6_text_survives(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (int i = 0; i < 5000; i++) {
		struct addr a = { .family = FAMILY_V6 };
		struct addr back;

		for (int g = 0; g < 16; g++)
			a.b[g] = rng_below(&rng, 3) ? 0 : (uint8_t)rng_u64(&rng);
		a.b[0] |= 0x20; /* not mapped */
		assert_int_equal(addr_parse(ADDR_TEXT(&a), &back), 0);
		assert_true(addr_eq(&a, &back));
		assert_true(addr_hash(&a) == addr_hash(&back));
	}
}

static void mapped_bytes_show_as_mixed(void **state)
{
	uint8_t b[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct addr a = addr_from_bytes(FAMILY_V6, b);
	struct addr unset = { 0 };

	(void)state;
	assert_string_equal(ADDR_TEXT(&a), "::ffff:192.0.2.1");
	assert_string_equal(ADDR_TEXT(&unset), "");
}

static void orders_and_steps(void **state)
{
	struct addr v4 = must_addr("255.255.255.255");
	struct addr v6 = must_addr("::");
	struct addr a = must_addr("10.0.255.255");
	struct addr last = must_addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	assert_true(addr_cmp(&v4, &v6) < 0);
	assert_true(addr_cmp(&v6, &v4) > 0);
	assert_true(addr_next(&a));
	assert_string_equal(ADDR_TEXT(&a), "10.1.0.0");
	assert_false(addr_next(&v4));
	assert_string_equal(ADDR_TEXT(&v4), "255.255.255.255");
	assert_false(addr_next(&last));
	assert_true(addr_next(&v6));
	assert_string_equal(ADDR_TEXT(&v6), "::1");
}

static void prefixes_hold(void **state)
{
	struct prefix net = must_prefix("10.0.0.0/8");
	struct prefix part = must_prefix("10.255.0.0/16");
	struct prefix other = must_prefix("11.0.0.0/8");
	struct prefix all6 = must_prefix("::/0");
	struct addr in = must_addr("10.255.255.255");
	struct addr out = must_addr("11.0.0.0");
	struct addr v6 = must_addr("2001:db8::1");

	(void)state;
	assert_true(prefix_contains(&net, &in));
	assert_false(prefix_contains(&net, &out));
	assert_false(prefix_contains(&net, &v6));
	assert_false(prefix_contains(&all6, &in));
	assert_true(prefix_contains(&all6, &v6));
	assert_true(prefix_overlaps(&net, &part));
	assert_true(prefix_overlaps(&part, &net));
	assert_false(prefix_overlaps(&net, &other));
	assert_true(prefix_cmp(&net, &part) < 0);
	assert_int_equal(prefix_cmp(&net, &net), 0);
	struct prefix wide = prefix_of(&in, 8);
	assert_int_equal(prefix_cmp(&wide, &net), 0);
	wide = prefix_of(&in, 200);
	assert_string_equal(PREFIX_TEXT(&wide), "10.255.255.255/32");
}

static void ranges_meet(void **state)
{
	struct range r = { must_addr("10.0.0.5"), must_addr("10.0.0.9") };
	struct range touches = { must_addr("10.0.0.9"), must_addr("10.0.0.20") };
	struct range beside = { must_addr("10.0.0.10"), must_addr("10.0.0.20") };
	struct range v6 = { must_addr("::"), must_addr("ffff::") };
	struct addr at = must_addr("10.0.0.9");

	(void)state;
	assert_true(range_contains(&r, &at));
	assert_false(range_contains(&beside, &at));
	assert_false(range_contains(&v6, &at));
	assert_true(range_overlaps(&r, &touches));
	assert_true(range_overlaps(&touches, &r));
	assert_false(range_overlaps(&r, &beside));
	assert_false(range_overlaps(&r, &v6));
}

struct kind_case {
	const char *name; /* the address */
	bool link_local, multicast, loopback, unspecified;
};

static const struct kind_case kind_cases[] = {
	{ "0.0.0.0", .unspecified = true },
	{ "::", .unspecified = true },
	{ "127.0.0.1", .loopback = true },
	{ "127.255.0.1", .loopback = true },
	{ "::1", .loopback = true },
	{ "::2" },
	{ "169.254.0.1", .link_local = true },
	{ "169.253.255.255" },
	{ "fe80::1", .link_local = true },
	{ "febf::1", .link_local = true },
	{ "fec0::1" },
	{ "224.0.0.1", .multicast = true },
	{ "239.255.255.255", .multicast = true },
	{ "240.0.0.1" },
	{ "ff02::1", .multicast = true },
	{ "192.0.2.1" },
	{ "2001:db8::1" },
};

static void kinds(void **state)
{
	const struct kind_case *c = *state;
	struct addr a = must_addr(c->name);

	assert_int_equal(addr_is_link_local(&a), c->link_local);
	assert_int_equal(addr_is_multicast(&a), c->multicast);
	assert_int_equal(addr_is_loopback(&a), c->loopback);
	assert_int_equal(addr_is_unspecified(&a), c->unspecified);
}

static void socket_addresses(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1", "fe80::1" };
	struct sockaddr_storage ss;
	struct addr back;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct addr a = must_addr(texts[i]);
		socklen_t len = addr_to_sockaddr(&a, 179, 3, &ss);

		assert_int_equal(len, a.family == FAMILY_V4 ? sizeof(struct sockaddr_in)
							    : sizeof(struct sockaddr_in6));
		addr_from_sockaddr(&ss, &back, &port);
		assert_true(addr_eq(&a, &back));
		assert_int_equal(port, 179);
	}
	uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct addr a = addr_from_bytes(FAMILY_V6, mapped);
	addr_to_sockaddr(&a, 1, 0, &ss);
	addr_from_sockaddr(&ss, &back, NULL);
	assert_string_equal(ADDR_TEXT(&back), "192.0.2.1");

	ss.ss_family = AF_UNIX;
	addr_from_sockaddr(&ss, &back, &port);
	assert_false(addr_is_set(&back));
}

static void solicited_node(void **state)
{
	struct addr target = must_addr("2001:db8::1234:5678:9abc");
	struct addr group = addr_solicited_node(&target);

	(void)state;
	assert_string_equal(ADDR_TEXT(&group), "ff02::1:ff78:9abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ranges_split),
		cmocka_unit_test(any_v6_text_survives),
		cmocka_unit_test(mapped_bytes_show_as_mixed),
		cmocka_unit_test(orders_and_steps),
		cmocka_unit_test(prefixes_hold),
		cmocka_unit_test(ranges_meet),
		cmocka_unit_test(socket_addresses),
		cmocka_unit_test(solicited_node),
	};
	int failed = cmocka_run_group_tests_name("addr", tests, NULL, NULL);

	failed += RUN_TABLE("addresses", addr_cases, addr_texts);
	failed += RUN_TABLE("prefixes", prefix_cases, prefix_texts);
	failed += RUN_TABLE("macs", mac_cases, mac_texts);
	failed += RUN_TABLE("ports", port_cases, port_texts);
	failed += RUN_TABLE("ranges", range_cases, ranges_split);
	failed += RUN_TABLE("kinds", kind_cases, kinds);
	return failed;
}
