#include "bgp/open.h"

#include "bgp/notify.h"
#include "bgp_test.h"

static struct rd body_of(const char *vector, uint8_t *wire, size_t cap)
{
	struct bgp_frame frame;
	struct bgp_fault fault;
	size_t len = vector_load(vector, wire, cap);

	assert_int_equal(bgp_frame_decode(rd_from(wire, len), &frame, &fault), 0);
	assert_int_equal(frame.type, BGP_OPEN);
	return frame.body;
}

static const struct vector_case {
	const char *name; /* of the file */
	bool encodes;	  /* ours to write, too */
	struct bgp_open open;
	uint8_t n_caps;
} vectors[] = {
	{ "open_native.hex",
	  true,
	  { .as = 64512, .id = 0x0a000005, .hold_s = 90, .families = BGP_V4 | BGP_V6, .as4 = true },
	  2 },
	{ "open_as_trans.hex",
	  true,
	  { .as = 4200000001,
	    .id = 0xc0000201,
	    .hold_s = 180,
	    .families = BGP_V4,
	    .as4 = true,
	    .refresh = true },
	  3 },
	{ "open_extended.hex",
	  false,
	  { .as = 64513, .id = 0x0a000001, .hold_s = 3, .families = BGP_V4, .as4 = true },
	  2 },
};

static void vectors_go_both_ways(void **state)
{
	const struct vector_case *c = *state;
	struct bgp_open got;
	struct bgp_fault fault;
	uint8_t wire[128];

	assert_int_equal(bgp_open_decode(body_of(c->name, wire, sizeof(wire)), &got, &fault), 0);
	assert_int_equal(got.as, c->open.as);
	assert_int_equal(got.id, c->open.id);
	assert_int_equal(got.hold_s, c->open.hold_s);
	assert_int_equal(got.families, c->open.families);
	assert_int_equal(got.as4, c->open.as4);
	assert_int_equal(got.refresh, c->open.refresh);
	assert_int_equal(got.n_caps, c->n_caps);
	if (!c->encodes)
		return;
	struct wr w = wr_to(wire, sizeof(wire));
	bgp_open_encode(&w, &c->open);
	vector_is(c->name, wire, w.len);
}

static const struct decode_case {
	const char *name;
	const char *body;
	int want;
	uint8_t subcode;
	const char *data;
} cases[] = {
	{ "no parameters", "04 fc00 005a 0a000005 00", 0, 0, "" },
	{ "hold 0", "04 fc00 0000 0a000005 00", 0, 0, "" },
	{ "unknown capability", "04 fc00 005a 0a000005 06 02 04 c8 02 beef", 0, 0, "" },
	{ "same capability twice", "04 fc00 005a 0a000005 06 02 04 0200 0200", 0, 0, "" },
	{ "empty capabilities", "04 fc00 005a 0a000005 02 0200", 0, 0, "" },
	{ "graceful restart of any shape", "04 fc00 005a 0a000005 05 0203 4001 ff", 0, 0, "" },
	{ "version 3", "03 fc00 005a 0a000005 00", BGP_REFUSED, 1, "0004" },
	{ "AS 0", "04 0000 005a 0a000005 00", BGP_REFUSED, 2, "" },
	{ "AS 0 in the capability", "04 fc00 005a 0a000005 08 0206 4104 00000000", BGP_REFUSED, 2,
	  "" },
	{ "id 0", "04 fc00 005a 00000000 00", BGP_REFUSED, 3, "" },
	{ "hold 1", "04 fc00 0001 0a000005 00", BGP_REFUSED, 6, "" },
	{ "hold 2", "04 fc00 0002 0a000005 00", BGP_REFUSED, 6, "" },
	{ "authentication parameter", "04 fc00 005a 0a000005 03 0101 00", BGP_REFUSED, 4, "" },
	{ "parameters longer than the message", "04 fc00 005a 0a000005 04 0200", BGP_REFUSED, 0,
	  "" },
	{ "bytes behind the parameters", "04 fc00 005a 0a000005 00 00", BGP_REFUSED, 0, "" },
	{ "parameter overruns", "04 fc00 005a 0a000005 02 0201", BGP_REFUSED, 0, "" },
	{ "capability overruns", "04 fc00 005a 0a000005 04 0202 0205", BGP_REFUSED, 0, "" },
	{ "capability without length", "04 fc00 005a 0a000005 03 0201 02", BGP_REFUSED, 0, "" },
	{ "multiprotocol of 3 bytes", "04 fc00 005a 0a000005 07 0205 0103 000100", BGP_REFUSED, 0,
	  "" },
	{ "4-octet AS of 2 bytes", "04 fc00 005a 0a000005 06 0204 4102 fc00", BGP_REFUSED, 0, "" },
	{ "extended length lies", "04 fc00 005a 0a000005 ff ff 0003 02 0001", BGP_REFUSED, 0, "" },
	{ "extended and empty", "04 fc00 005a 0a000005 ff ff 0000", 0, 0, "" },
};

static void bodies_decode(void **state)
{
	const struct decode_case *c = *state;
	struct bgp_open open = { 0 };
	struct bgp_fault fault = { 0 };
	uint8_t body[64];
	uint8_t data[8];
	size_t len = unhex(c->body, body, sizeof(body));

	assert_int_equal(bgp_open_decode(rd_from(body, len), &open, &fault), c->want);
	assert_int_equal(fault.code, c->want ? BGP_ERR_OPEN : 0);
	assert_int_equal(fault.subcode, c->subcode);
	assert_int_equal(fault.len, unhex(c->data, data, sizeof(data)));
	assert_memory_equal(fault.data, data, fault.len);
	assert_int_equal(open.as, c->want ? 0 : 64512);
}

static void families_default_to_ipv4(void **state)
{
	struct bgp_open open;
	struct bgp_fault fault;
	uint8_t body[32];

	(void)state;
	size_t len = unhex("04 fc00 005a 0a000005 00", body, sizeof(body));
	assert_int_equal(bgp_open_decode(rd_from(body, len), &open, &fault), 0);
	assert_int_equal(open.families, BGP_V4);
	/* Multiprotocol for IPv6 alone takes IPv4 away. */
	len = unhex("04 fc00 005a 0a000005 08 0206 0104 0002 00 01", body, sizeof(body));
	assert_int_equal(bgp_open_decode(rd_from(body, len), &open, &fault), 0);
	assert_int_equal(open.families, BGP_V6);
}

static void capabilities_have_names(void **state)
{
	(void)state;
	assert_string_equal(bgp_cap_name(BGP_CAP_AS4), "4-octet-as");
	assert_null(bgp_cap_name(200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_default_to_ipv4),
		cmocka_unit_test(capabilities_have_names),
	};
	int failed = RUN_TABLE("open vectors", vectors, vectors_go_both_ways);

	failed += RUN_TABLE("open bodies", cases, bodies_decode);
	return failed + cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
