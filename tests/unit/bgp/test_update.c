#include "bgp/update.h"

#include "bgp/notify.h"
#include "bgp_test.h"

#define ORIGIN	 "40010100"
#define PATH	 "400206 0201 0000fc00"
#define NEXT_HOP "400304 0a000005"
#define REACH	 "800e1a 000201 10 20010db8000000000000000000000005 00 20 20010db8"

#define GOOD	 ORIGIN PATH NEXT_HOP
#define PREFIX	 "08 0a"
#define PREF	 "400504 00000064"

/* Rows are named by the section of RFC 7606 that decides; RFC 4271, 4760 and others where that says nothing. */
static const struct update_case {
	const char *name;
	const char *attrs;
	const char *nlri;
	enum bgp_verdict want;
	uint8_t subcode;
	uint32_t announced;
	bool ibgp;
	bool as2;
} cases[] = {
	{ "plain", GOOD, "20c000020a", BGP_VERDICT_OK, 0, 1 },
	{ "default route", GOOD, "00", BGP_VERDICT_OK, 0, 1 },
	{ "IPv6", REACH ORIGIN PATH, "", BGP_VERDICT_OK, 0, 1 },
	{ "nothing: End-of-RIB", "", "", BGP_VERDICT_OK, 0, 0 },
	{ "optional unknown", GOOD "c0c801aa", PREFIX, BGP_VERDICT_OK, 0, 1 },
	{ "another family", "800e05 400448 00 00", "", BGP_VERDICT_OK, 0, 0 },
	{ "every attribute, as it should be",
	  GOOD "800404 00000000" PREF "400600 c00708 0000fc00 0a000001 c00804 fc000001"
	       "800904 0a000001 800a04 0a000001 c01008 0002fc0000000064"
	       "c01914 0002 20010db8000000000000000000000001 0064 c0200c fc0000000000000100000002"
	       "c02304 0000fc00",
	  PREFIX, BGP_VERDICT_OK, 0, 1, .ibgp = true },
	{ "with AS numbers of two bytes",
	  ORIGIN "400204 0201 fc00" NEXT_HOP "c00706 fc00 0a000001 c01106 0201 00010000"
		 "c01208 00010000 0a000001",
	  PREFIX, BGP_VERDICT_OK, 0, 1, .as2 = true },

	{ "3c: ORIGIN optional", "c0010100" PATH NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3c: AS_PATH not transitive", ORIGIN "000206 0201 0000fc00" NEXT_HOP, PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3c: NEXT_HOP optional", ORIGIN PATH "c00304 0a000005", PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "3c: MED transitive", GOOD "c00404 00000000", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3c: ATOMIC_AGGREGATE optional", GOOD "c00600", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3c: AGGREGATOR well-known", GOOD "400708 0000fc00 0a000001", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3c: communities not transitive", GOOD "800804 fc000001", PREFIX, BGP_TREAT_AS_WITHDRAW,
	  0, 1 },
	{ "3c: MP_REACH well-known: its routes go",
	  "400e1a 000201 10 20010db8000000000000000000000005 00 20 20010db8" ORIGIN PATH, "",
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3c: the unused bits mean nothing", "4f010100" PATH NEXT_HOP, PREFIX, BGP_VERDICT_OK, 0,
	  1 },
	{ "3c: nor does the partial bit", "60010100" PATH NEXT_HOP, PREFIX, BGP_VERDICT_OK, 0, 1 },
	{ "3d: no ORIGIN", PATH NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3d: no AS_PATH", ORIGIN NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3d: no NEXT_HOP", ORIGIN PATH, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3d: no LOCAL_PREF inside", GOOD, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1, .ibgp = true },
	{ "3g: ORIGIN twice", ORIGIN GOOD, PREFIX, BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "3g: the first counts", GOOD "40010103", PREFIX, BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "3g: MP_REACH twice", REACH REACH ORIGIN PATH, "", BGP_SESSION_RESET, 1, 0 },
	{ "3g: MP_UNREACH twice", "800f03 000201 800f03 000201", "", BGP_SESSION_RESET, 1, 0 },
	{ "3h: of two that are wrong the worse", GOOD "400601 00 c00803 000000", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "3h: and a reset is the worst", GOOD "c00803 000000 400c00", PREFIX, BGP_SESSION_RESET, 2,
	  0 },
	{ "4: attribute overruns", GOOD "c00810 00000000", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "4: attribute header cut", GOOD "c0", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "4: ORIGIN without a value", "400100" PATH NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "4: an empty AS_PATH is one", ORIGIN "400200" NEXT_HOP PREF, PREFIX, BGP_VERDICT_OK, 0, 1,
	  .ibgp = true },
	{ "5.2: nothing to withdraw", GOOD "c00803 000000", "", BGP_SESSION_RESET, 1, 0 },
	{ "5.2: nor where all is cut", ORIGIN "800e", "", BGP_SESSION_RESET, 1, 0 },
	{ "5.2: what is only discarded does no harm", GOOD "400601 00", "", BGP_ATTRIBUTE_DISCARD,
	  0, 0 },
	{ "5.2: nor does a withdrawal", "800f08 000201 20 20010db8", "", BGP_VERDICT_OK, 0, 0 },
	{ "5.3: prefix of 33 bits", GOOD, "21c000020a00", BGP_SESSION_RESET, 10, 0 },
	{ "5.3: prefix cut", GOOD, "20c00002", BGP_SESSION_RESET, 10, 0 },
	{ "5.3: MP_REACH prefix of 129 bits",
	  "800e16 000201 10 20010db8000000000000000000000005 00 81" ORIGIN PATH, "",
	  BGP_SESSION_RESET, 9, 0 },
	{ "5.3: MP_UNREACH prefix cut", "800f06 000201 20 2001", "", BGP_SESSION_RESET, 9, 0 },
	{ "7.1: ORIGIN 3", "40010103" PATH NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.1: ORIGIN of 2 bytes", "4001020000" PATH NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "7.2: AS_PATH segment overruns", ORIGIN "400206 0202 0000fc00" NEXT_HOP, PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.2: AS_PATH segment cut", ORIGIN "400207 0201 0000fc00 02" NEXT_HOP, PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.2: AS_PATH empty segment", ORIGIN "400202 0200" NEXT_HOP, PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.2: AS_PATH unknown segment", ORIGIN "400206 0501 0000fc00" NEXT_HOP, PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "5065 5: a confederation's sequence from outside",
	  ORIGIN "40020c 0301 0000fc01 0201 0000fc00" NEXT_HOP, PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "5065 5: a confederation's set from outside", ORIGIN "400206 0401 0000fc01" NEXT_HOP,
	  PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "5065: a confederation's sequence from inside",
	  ORIGIN "40020c 0301 0000fc01 0201 0000fc00" NEXT_HOP PREF, PREFIX, BGP_VERDICT_OK, 0, 1,
	  .ibgp = true },
	{ "6793 6: a confederation in AS4_PATH is ignored",
	  ORIGIN "400204 0201 fc00" NEXT_HOP "c0110c 0301 00010001 0201 00010000", PREFIX,
	  BGP_VERDICT_OK, 0, 1, .as2 = true },
	{ "7.2: AS_PATH of the other size", GOOD, PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1,
	  .as2 = true },
	{ "7.3: NEXT_HOP of 3 bytes", ORIGIN PATH "400303 0a0000", PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "7.4: MED of 3 bytes", GOOD "800403 000000", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.5: LOCAL_PREF from outside", GOOD PREF, PREFIX, BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "7.5: LOCAL_PREF of 3 bytes inside", GOOD "400503 000064", PREFIX, BGP_TREAT_AS_WITHDRAW,
	  0, 1, .ibgp = true },
	{ "7.5: and outside", GOOD "400503 000064", PREFIX, BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "7.6: ATOMIC_AGGREGATE with a value", GOOD "400601 00", PREFIX, BGP_ATTRIBUTE_DISCARD, 0,
	  1 },
	{ "7.7: AGGREGATOR of 6 bytes", GOOD "c00706 000000000000", PREFIX, BGP_ATTRIBUTE_DISCARD,
	  0, 1 },
	{ "7.7: AGGREGATOR of 8 bytes, old",
	  ORIGIN "400204 0201 fc00" NEXT_HOP "c00708 0000fc00 0a000001", PREFIX,
	  BGP_ATTRIBUTE_DISCARD, 0, 1, .as2 = true },
	{ "7.8: communities of 3 bytes", GOOD "c00803 000000", PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1 },
	{ "7.8: no communities", GOOD "c00800", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.9: ORIGINATOR_ID from outside", GOOD "800904 0a000001", PREFIX, BGP_ATTRIBUTE_DISCARD,
	  0, 1 },
	{ "7.9: ORIGINATOR_ID of 3 bytes inside", GOOD PREF "800903 0a0000", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1, .ibgp = true },
	{ "7.10: CLUSTER_LIST from outside", GOOD "800a04 0a000001", PREFIX, BGP_ATTRIBUTE_DISCARD,
	  0, 1 },
	{ "7.10: CLUSTER_LIST of 6 bytes inside", GOOD PREF "800a06 0a0000010000", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1, .ibgp = true },
	{ "7.10: CLUSTER_LIST of none inside", GOOD PREF "800a00", PREFIX, BGP_TREAT_AS_WITHDRAW, 0,
	  1, .ibgp = true },
	{ "7.11: MP_REACH next hop overruns", "800e05 000201 10 00", "", BGP_SESSION_RESET, 9, 0 },
	{ "7.11: MP_REACH next hop of 8 bytes", "800e0d 000201 08 20010db800000000 00", "",
	  BGP_SESSION_RESET, 9, 0 },
	{ "7.12: MP_UNREACH cut", "800f02 0002", "", BGP_SESSION_RESET, 9, 0 },
	{ "7.14: extended communities of 7 bytes", GOOD "c01007 0002fc00000000", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "7.15: IPv6 extended communities of 8 bytes", GOOD "c01908 0002fc0000000064", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "RFC 4271 6.3: well-known unknown", GOOD "400c00", PREFIX, BGP_SESSION_RESET, 2, 0 },
	{ "RFC 6793 6: AS4_PATH broken", GOOD "c01102 0201", PREFIX, BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "RFC 6793 6: AS4_AGGREGATOR of 6 bytes", GOOD "c01206 00000a000001", PREFIX,
	  BGP_ATTRIBUTE_DISCARD, 0, 1 },
	{ "RFC 8092 6: large communities of 8 bytes", GOOD "c02008 0000000000000000", PREFIX,
	  BGP_TREAT_AS_WITHDRAW, 0, 1 },
	{ "RFC 9234 5: OTC of 3 bytes", GOOD "c02303 00fc00", PREFIX, BGP_TREAT_AS_WITHDRAW, 0, 1 },
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

	assert_int_equal(bgp_update_decode(rd_from(body, w.len), !c->as2, c->ibgp, &update, &fault),
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
