#include "bgp/msg.h"

#include "bgp/notify.h"
#include "bgp_test.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "

static const struct frame_case {
	const char *name;
	const char *hex;
	int want;
	uint8_t subcode;
	const char *data;
} frames[] = {
	{ "keepalive", MARKER "0013 04", 0, 0, "" },
	{ "shortest update", MARKER "0017 02 0000 0000", 0, 0, "" },
	{ "refresh", MARKER "0017 05 0001 00 01", 0, 0, "" },
	{ "two messages", MARKER "0013 04 ffff", 0, 0, "" },
	{ "nothing", "", BGP_NEED_MORE, 0, "" },
	{ "half a header", MARKER "00", BGP_NEED_MORE, 0, "" },
	{ "half a body", MARKER "0017 02 0000", BGP_NEED_MORE, 0, "" },
	{ "marker", "ffffffff ffffffff ffffffff fffffffe 0013 04", BGP_REFUSED, 1, "" },
	{ "shorter than a header", MARKER "0012 04", BGP_REFUSED, 2, "0012" },
	{ "longer than allowed", MARKER "1001 02", BGP_REFUSED, 2, "1001" },
	{ "type 0", MARKER "0013 00", BGP_REFUSED, 3, "00" },
	{ "type 6", MARKER "0013 06", BGP_REFUSED, 3, "06" },
	{ "open too short", MARKER "001c 01", BGP_REFUSED, 2, "001c" },
	{ "update too short", MARKER "0016 02", BGP_REFUSED, 2, "0016" },
	{ "notification too short", MARKER "0014 03", BGP_REFUSED, 2, "0014" },
	{ "keepalive too long", MARKER "0014 04", BGP_REFUSED, 2, "0014" },
	{ "refresh too short", MARKER "0016 05", BGP_REFUSED, 2, "0016" },
};

static void frames_decode(void **state)
{
	const struct frame_case *c = *state;
	struct bgp_frame frame = { 0 };
	struct bgp_fault fault = { 0 };
	uint8_t wire[64];
	uint8_t data[8];
	size_t len = unhex(c->hex, wire, sizeof(wire));

	assert_int_equal(bgp_frame_decode(rd_from(wire, len), BGP_MSG_MAX, &frame, &fault),
			 c->want);
	assert_int_equal(fault.code, c->want == BGP_REFUSED ? BGP_ERR_HEADER : 0);
	assert_int_equal(fault.subcode, c->subcode);
	assert_int_equal(fault.len, unhex(c->data, data, sizeof(data)));
	assert_memory_equal(fault.data, data, fault.len);
	assert_int_equal(frame.len, c->want == 0 ? (size_t)(wire[16] << 8 | wire[17]) : 0);
}

static void keepalive_is_written(void **state)
{
	uint8_t wire[32];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	bgp_keepalive_encode(&w);
	vector_is("keepalive.hex", wire, w.len);
}

static void refresh_goes_both_ways(void **state)
{
	const struct bgp_refresh want = { .afi = BGP_AFI_V6, .safi = BGP_SAFI_UNICAST };
	struct bgp_refresh got = { .subtype = 9 };
	struct bgp_frame frame;
	struct bgp_fault fault;
	uint8_t wire[32];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	bgp_refresh_encode(&w, &want);
	vector_is("refresh_v6.hex", wire, w.len);
	assert_int_equal(bgp_frame_decode(rd_from(wire, w.len), BGP_MSG_MAX, &frame, &fault), 0);
	bgp_refresh_decode(frame.body, &got);
	assert_int_equal(got.afi, want.afi);
	assert_int_equal(got.subtype, 0);
	assert_int_equal(got.safi, want.safi);
}

static void writing_past_the_end_latches(void **state)
{
	uint8_t wire[18];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	bgp_keepalive_encode(&w);
	assert_true(w.bad);
}

static void types_have_names(void **state)
{
	(void)state;
	assert_string_equal(bgp_type_name(BGP_UPDATE), "UPDATE");
	assert_string_equal(bgp_type_name(77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keepalive_is_written),
		cmocka_unit_test(refresh_goes_both_ways),
		cmocka_unit_test(writing_past_the_end_latches),
		cmocka_unit_test(types_have_names),
	};
	int failed = RUN_TABLE("bgp frames", frames, frames_decode);

	return failed + cmocka_run_group_tests_name("bgp messages", tests, NULL, NULL);
}
