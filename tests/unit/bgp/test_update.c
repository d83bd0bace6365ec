#include "bgp/update.h"

#include "bgp/notify.h"
#include "bgp_test.h"

#define ORIGIN	 "40010100"
#define PATH	 "400206 0201 0000fc00"
#define NEXT_HOP "400304 0a000005"
#define REACH	 "800e1a 000201 10 20010db8000000000000000000000005 00 20 20010db8"

static const struct update_case {
	const char *name;
	const char *attrs;
	const char *nlri;
	enum bgp_verdict want;
	uint8_t subcode;
	uint32_t announced;
} cases[] = {
	{ "plain", ORIGIN PATH NEXT_HOP, "20c000020a", BGP_VERDICT_OK, 0, 1 },
	{ "default route", ORIGIN PATH NEXT_HOP, "00", BGP_VERDICT_OK, 0, 1 },
	{ "IPv6", REACH ORIGIN PATH, "", BGP_VERDICT_OK, 0, 1 },
	{ "nothing", "", "", BGP_VERDICT_OK, 0, 0 },
	{ "optional unknown", ORIGIN PATH NEXT_HOP "c0c801aa", "08 0a", BGP_VERDICT_OK, 0, 1 },
	{ "another family", "800e05 400448 00 00", "", BGP_VERDICT_OK, 0, 0 },

	{ "no ORIGIN", PATH NEXT_HOP, "08 0a", BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "no AS_PATH", ORIGIN NEXT_HOP, "08 0a", BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "no NEXT_HOP", ORIGIN PATH, "08 0a", BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "ORIGIN 3", "40010103" PATH NEXT_HOP, "08 0a", BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "ORIGIN optional", "c0010100" PATH NEXT_HOP, "08 0a", BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "AS_PATH segment overruns", ORIGIN "400206 0202 0000fc00" NEXT_HOP, "08 0a",
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "AS_PATH empty segment", ORIGIN "400202 0200" NEXT_HOP, "08 0a", BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "AS_PATH unknown segment", ORIGIN "400206 0501 0000fc00" NEXT_HOP, "08 0a",
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "NEXT_HOP of 3 bytes", ORIGIN PATH "400303 0a0000", "08 0a", BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "MED of 3 bytes", ORIGIN PATH NEXT_HOP "800403 000000", "08 0a", BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "communities of 3 bytes", ORIGIN PATH NEXT_HOP "c00803 000000", "08 0a",
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "large communities of 8 bytes", ORIGIN PATH NEXT_HOP "c02008 0000000000000000", "08 0a",
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "attribute overruns", ORIGIN PATH NEXT_HOP "c00810 00000000", "08 0a",
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "attribute header cut", ORIGIN PATH NEXT_HOP "c0", "08 0a", BGP_TREAT_AS_WITHDRAW, 0, 1 },

	{ "LOCAL_PREF from outside", ORIGIN PATH NEXT_HOP "400504 00000064", "08 0a",
	  BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "ATOMIC_AGGREGATE with a value", ORIGIN PATH NEXT_HOP "400601 00", "08 0a",
	  BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "AGGREGATOR of 6 bytes", ORIGIN PATH NEXT_HOP "c00706 000000000000", "08 0a",
	  BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "ORIGIN twice", ORIGIN ORIGIN PATH NEXT_HOP, "08 0a", BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "AS4_PATH broken", ORIGIN PATH NEXT_HOP "c01102 0201", "08 0a", BGP_ATTRIBUTE_DISCARD, 0,
	  1 },

	{ "well-known unknown", ORIGIN PATH NEXT_HOP "400c00", "08 0a", BGP_SESSION_RESET, 2, 0 },
	{ "MP_REACH twice", REACH REACH ORIGIN PATH, "", BGP_SESSION_RESET, 1, 0 },
	{ "MP_REACH prefix of 129 bits",
	  "800e16 000201 10 20010db8000000000000000000000005 00 81" ORIGIN PATH, "",
	  BGP_SESSION_RESET, 9, 0 },
	{ "MP_REACH next hop overruns", "800e05 000201 10 00", "", BGP_SESSION_RESET, 9, 0 },
	{ "MP_REACH next hop of 8 bytes", "800e0d 000201 08 20010db800000000 00", "",
	  BGP_SESSION_RESET, 9, 0 },
	{ "MP_REACH well-known", "400e05 000201 00 00", "", BGP_SESSION_RESET, 9, 0 },
	{ "MP_UNREACH cut", "800f02 0002", "", BGP_SESSION_RESET, 9, 0 },
	{ "prefix of 33 bits", ORIGIN PATH NEXT_HOP, "21c000020a00", BGP_SESSION_RESET, 10, 0 },
	{ "prefix cut", ORIGIN PATH NEXT_HOP, "20c00002", BGP_SESSION_RESET, 10, 0 },
};

static void bodies_are_judged(void **state)
{
	const struct update_case *c = *state;
	struct bgp_update update;
	struct bgp_fault fault = { 0 };
	uint8_t body[256];
	struct wr w = wr_to(body, sizeof(body));
	uint8_t part[128];

	wr_u16(&w, 0);
	size_t mark = wr_mark16(&w);
	wr_bytes(&w, part, unhex(c->attrs, part, sizeof(part)));
	wr_fill16(&w, mark);
	wr_bytes(&w, part, unhex(c->nlri, part, sizeof(part)));

	assert_int_equal(bgp_update_decode(rd_from(body, w.len), true, false, &update, &fault),
			 c->want);
	assert_int_equal(fault.code, c->want == BGP_SESSION_RESET ? BGP_ERR_UPDATE : 0);
	assert_int_equal(fault.subcode, c->subcode);
	if (c->want != BGP_SESSION_RESET)
		assert_int_equal(update.announced, c->announced);
}

static void lengths_that_lie_reset(void **state)
{
	static const char *const bodies[] = { "0001 0000", "0000 0001", "0005 20c00002 0000" };
	struct bgp_update update;
	struct bgp_fault fault;
	uint8_t body[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		size_t len = unhex(bodies[i], body, sizeof(body));

		assert_int_equal(
			bgp_update_decode(rd_from(body, len), true, false, &update, &fault),
			BGP_SESSION_RESET);
		assert_int_equal(fault.subcode, BGP_UPDATE_ATTRIBUTE_LIST);
	}
}

static void internal_peers_must_send_local_pref(void **state)
{
	struct bgp_update update;
	struct bgp_fault fault;
	uint8_t body[64];

	(void)state;
	size_t len = unhex("0000 000e" ORIGIN "400200" NEXT_HOP "08 0a", body, sizeof(body));
	assert_int_equal(bgp_update_decode(rd_from(body, len), true, true, &update, &fault),
			 BGP_TREAT_AS_WITHDRAW);
	len = unhex("0000 0015" ORIGIN "400200" NEXT_HOP "400504 00000064 08 0a", body,
		    sizeof(body));
	assert_int_equal(bgp_update_decode(rd_from(body, len), true, true, &update, &fault),
			 BGP_VERDICT_OK);
}

static void withdrawals_are_counted(void **state)
{
	struct bgp_update update;
	struct bgp_fault fault;
	uint8_t wire[64];

	(void)state;
	size_t len = vector_load("update_withdraw.hex", wire, sizeof(wire));
	assert_int_equal(
		bgp_update_decode(rd_from(wire + 19, len - 19), true, false, &update, &fault),
		BGP_VERDICT_OK);
	assert_int_equal(update.withdrew, 2);
	len = vector_load("update_v6_withdraw.hex", wire, sizeof(wire));
	assert_int_equal(
		bgp_update_decode(rd_from(wire + 19, len - 19), true, false, &update, &fault),
		BGP_VERDICT_OK);
	assert_int_equal(update.withdrew, 1);
	assert_int_equal(update.unreach_afi, BGP_AFI_V6);
}

static void fault_carries_the_attribute(void **state)
{
	struct bgp_update update;
	struct bgp_fault fault;
	uint8_t body[32];
	uint8_t want[8];

	(void)state;
	size_t len = unhex("0000 0005 400c02 aabb", body, sizeof(body));
	assert_int_equal(bgp_update_decode(rd_from(body, len), true, false, &update, &fault),
			 BGP_SESSION_RESET);
	assert_int_equal(fault.len, unhex("400c02aabb", want, sizeof(want)));
	assert_memory_equal(fault.data, want, fault.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_that_lie_reset),
		cmocka_unit_test(internal_peers_must_send_local_pref),
		cmocka_unit_test(withdrawals_are_counted),
		cmocka_unit_test(fault_carries_the_attribute),
	};
	int failed = RUN_TABLE("update bodies", cases, bodies_are_judged);

	return failed + cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
