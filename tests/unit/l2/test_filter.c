/* Covers, and the filters made of them against libpcap's interpreter and a naive test. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "l2/arp.h"
#include "l2/cover.h"
#include "l2/filter.h"
#include "l2/ndp.h"

struct cover_case {
	const char *name;
	const char *addrs[8];
	size_t max;
	const char *want;
};

static const struct cover_case cases[] = {
	{ "none", { NULL }, 4, "" },
	{ "one", { "10.0.0.1" }, 4, "10.0.0.1/32 " },
	{ "pair", { "10.0.0.2", "10.0.0.3" }, 4, "10.0.0.2/31 " },
	{ "neighbours but no pair", { "10.0.0.1", "10.0.0.2" }, 4, "10.0.0.1/32 10.0.0.2/32 " },
	{ "run",
	  { "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8" },
	  4,
	  "10.0.0.4/30 10.0.0.8/32 " },
	{ "nearest merge first",
	  { "10.0.0.1", "10.0.0.4", "10.0.1.1" },
	  2,
	  "10.0.0.0/29 10.0.1.1/32 " },
	{ "all in one", { "10.0.0.1", "10.0.0.4", "10.0.1.1" }, 1, "10.0.0.0/23 " },
	{ "nothing shared", { "1.0.0.0", "255.0.0.0" }, 1, "0.0.0.0/0 " },
	{ "last address", { "255.255.255.254", "255.255.255.255" }, 4, "255.255.255.254/31 " },
	{ "v6",
	  { "2001:db8::1", "2001:db8::2", "2001:db8::3" },
	  4,
	  "2001:db8::1/128 2001:db8::2/127 " },
	{ "v6 merged",
	  { "2001:db8::1", "2001:db8:0:1::1", "2001:dbf::" },
	  2,
	  "2001:db8::/63 2001:dbf::/128 " },
};

static void covers(void **state)
{
	const struct cover_case *c = *state;
	struct addr addrs[8];
	struct prefix out[8];
	char text[512] = "";
	size_t n = 0;

	for (; n < 8 && c->addrs[n]; n++)
		assert_int_equal(addr_parse(c->addrs[n], &addrs[n]), 0);
	size_t n_out = l2_cover(addrs, n, c->max, out);
	for (size_t i = 0; i < n_out; i++) {
		strcat(text, PREFIX_TEXT(&out[i]));
		strcat(text, " ");
	}
	assert_string_equal(text, c->want);
}

static size_t arp_frame(uint8_t *out, const struct addr *target, enum arp_op op)
{
	struct wr w = wr_to(out, ARP_FRAME_LEN);
	const struct mac mac = { { 2, 0, 0, 0, 0, 1 } };

	arp_gratuitous_build(&w, op, &mac, target);
	return w.len;
}

/* An advertisement with its type made that of a solicitation: filters see no check sum. */
static size_t ndp_frame(uint8_t *out, const struct addr *target, uint8_t type)
{
	struct wr w = wr_to(out, NDP_ADVERT_LEN);
	const struct mac mac = { { 2, 0, 0, 0, 0, 1 } };

	ndp_unsolicited_build(&w, &mac, target, target);
	out[54] = type;
	return w.len;
}

static bool passes(enum l2_proto proto, const struct l2_filter *f, const struct addr *a)
{
	uint8_t frame[NDP_ADVERT_LEN];
	size_t len = proto == L2_ARP ? arp_frame(frame, a, ARP_REQUEST) : ndp_frame(frame, a, 135);

	return pcap_prog_passes(&f->prog, frame, len);
}

static int compare(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

/** Random addresses of a net whose hosts have @bits bits, ascending, none twice. */
static size_t random_set(struct rng *rng, enum l2_proto proto, unsigned bits, size_t n,
			 struct addr *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t host = rng_below(rng, UINT64_C(1) << bits);
		struct addr a =
			addr_v4(10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host);
		if (proto == L2_NDP) {
			assert_int_equal(addr_parse("2001:db8::", &a), 0);
			a.b[7] = (uint8_t)(host >> 16);
			a.b[14] = (uint8_t)(host >> 8);
			a.b[15] = (uint8_t)host;
		}
		out[i] = a;
	}
	qsort(out, n, sizeof(*out), compare);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || !addr_eq(&out[kept - 1], &out[i]))
			out[kept++] = out[i];
	}
	return kept;
}

static void check_filter(enum l2_proto proto, const struct addr *set, size_t n, bool exact,
			 const struct addr *others, size_t n_others)
{
	struct l2_filter f;
	struct err e;

	if (l2_filter_make(proto, set, n, false, NULL, &f, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(f.n_prefixes <= L2_FILTER_TERMS);
	for (size_t i = 0; i < n; i++)
		assert_true(passes(proto, &f, &set[i]));
	for (size_t i = 0; exact && i < n_others; i++) {
		bool in = bsearch(&others[i], set, n, sizeof(*set), compare);
		assert_int_equal(passes(proto, &f, &others[i]), in);
	}
	l2_filter_fini(&f);
}

enum { MANY = 10000 };

static void filters_agree_with_sets(void **state)
{
	static struct addr set[MANY];
	static struct addr others[MANY];
	static const struct {
		size_t n;
		unsigned bits;
	} rows[] = { { 1, 24 }, { 5, 4 }, { 40, 8 }, { 250, 24 }, { 250, 9 } };
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		enum l2_proto proto = i % 2 ? L2_NDP : L2_ARP;
		size_t n = random_set(&rng, proto, rows[i / 2].bits, rows[i / 2].n, set);
		size_t n_others = random_set(&rng, proto, rows[i / 2].bits, 500, others);
		check_filter(proto, set, n, true, others, n_others);
	}
}

static void filters_cover_many(void **state)
{
	static struct addr set[MANY];
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t i = 0; i < 2; i++) {
		enum l2_proto proto = i ? L2_NDP : L2_ARP;
		size_t n = random_set(&rng, proto, 24, MANY, set);
		check_filter(proto, set, n, false, NULL, 0);
	}
}

static void only_requests_pass(void **state)
{
	struct addr v4 = addr_v4(192, 0, 2, 10);
	struct addr v6;
	struct l2_filter f;
	uint8_t frame[NDP_ADVERT_LEN];

	(void)state;
	assert_int_equal(addr_parse("2001:db8::10", &v6), 0);
	assert_int_equal(l2_filter_make(L2_ARP, &v4, 1, false, NULL, &f, NULL), 0);
	assert_true(pcap_prog_passes(&f.prog, frame, arp_frame(frame, &v4, ARP_REQUEST)));
	assert_false(pcap_prog_passes(&f.prog, frame, arp_frame(frame, &v4, ARP_REPLY)));
	l2_filter_fini(&f);
	assert_int_equal(l2_filter_make(L2_NDP, &v6, 1, false, NULL, &f, NULL), 0);
	assert_true(pcap_prog_passes(&f.prog, frame, ndp_frame(frame, &v6, 135)));
	assert_false(pcap_prog_passes(&f.prog, frame, ndp_frame(frame, &v6, 136)));
	assert_false(pcap_prog_passes(&f.prog, frame, arp_frame(frame, &v4, ARP_REQUEST)));
	l2_filter_fini(&f);
}

/* What claims an address: any ARP or solicitation of its sender, an advertisement. */
static void claims_pass_where_wanted(void **state)
{
	struct addr v4 = addr_v4(192, 0, 2, 10);
	struct addr other = addr_v4(192, 0, 2, 11);
	struct addr v6;
	struct l2_filter f;
	uint8_t frame[NDP_ADVERT_LEN];

	(void)state;
	assert_int_equal(addr_parse("2001:db8::10", &v6), 0);
	assert_int_equal(l2_filter_make(L2_ARP, &v4, 1, true, NULL, &f, NULL), 0);
	size_t len = arp_frame(frame, &v4, ARP_REPLY);
	assert_true(pcap_prog_passes(&f.prog, frame, len));
	memcpy(frame + 38, other.b, 4); /* asks for, or tells, another */
	assert_true(pcap_prog_passes(&f.prog, frame, len));
	len = arp_frame(frame, &other, ARP_REPLY);
	assert_false(pcap_prog_passes(&f.prog, frame, len));
	memcpy(frame + 38, v4.b, 4); /* another's reply to us is no claim */
	assert_false(pcap_prog_passes(&f.prog, frame, len));
	l2_filter_fini(&f);
	assert_int_equal(l2_filter_make(L2_NDP, &v6, 1, true, NULL, &f, NULL), 0);
	assert_true(pcap_prog_passes(&f.prog, frame, ndp_frame(frame, &v6, 135)));
	assert_true(pcap_prog_passes(&f.prog, frame, ndp_frame(frame, &v6, 136)));
	assert_false(pcap_prog_passes(&f.prog, frame, ndp_frame(frame, &v6, 134)));
	len = ndp_frame(frame, &v6, 135);
	frame[77]++; /* asks for another */
	assert_true(pcap_prog_passes(&f.prog, frame, len));
	frame[54] = 136; /* tells of another */
	assert_false(pcap_prog_passes(&f.prog, frame, len));
	l2_filter_fini(&f);
}

static void known_filter_is_taken_over(void **state)
{
	struct addr a = addr_v4(192, 0, 2, 10);
	struct l2_filter first;
	struct l2_filter second;

	(void)state;
	assert_int_equal(l2_filter_make(L2_ARP, &a, 1, false, NULL, &first, NULL), 0);
	assert_int_equal(l2_filter_make(L2_ARP, &a, 1, false, &first, &second, NULL), 0);
	assert_true(pcap_prog_eq(&first.prog, &second.prog));
	l2_filter_fini(&first);
	assert_true(passes(L2_ARP, &second, &a));
	l2_filter_fini(&second);
}

static void nothing_passes_the_empty_filter(void **state)
{
	struct addr a = addr_v4(192, 0, 2, 10);
	struct l2_filter f;

	(void)state;
	assert_int_equal(l2_filter_make(L2_ARP, NULL, 0, false, NULL, &f, NULL), 0);
	assert_false(passes(L2_ARP, &f, &a));
	l2_filter_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_agree_with_sets),
		cmocka_unit_test(filters_cover_many),
		cmocka_unit_test(only_requests_pass),
		cmocka_unit_test(claims_pass_where_wanted),
		cmocka_unit_test(known_filter_is_taken_over),
		cmocka_unit_test(nothing_passes_the_empty_filter),
	};

	return RUN_TABLE("covers", cases, covers) + cmocka_run_group_tests(tests, NULL, NULL);
}
