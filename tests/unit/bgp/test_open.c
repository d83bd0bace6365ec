#include "bgp/open.h"

#include "bgp/notify.h"
#include "bgp_test.h"

static struct rd body_of(const char *vector, uint8_t *wire, size_t cap)
{
	struct bgp_frame frame;
	struct bgp_fault fault;
	size_t len = vector_load(vector, wire, cap);

	assert_int_equal(bgp_frame_decode(rd_from(wire, len), BGP_MSG_MAX, &frame, &fault), 0);
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

/* Whatever we may say. */
static const struct bgp_open all = {
	.as = 4200000001,
	.id = 0xc0000201,
	.hold_s = 90,
	.families = BGP_V4 | BGP_V6,
	.as4 = true,
	.refresh = true,
	.enhanced_refresh = true,
	.extended_message = true,
	.extended_hop = BGP_V4,
	.role = BGP_ROLE_CUSTOMER,
	.restart = { .on = true,
		     .restarting = true,
		     .notifications = true,
		     .time_s = 4095,
		     .families = BGP_V4 | BGP_V6,
		     .forwarding = BGP_V6,
		     .stale_s = 0x123456 },
	.host = "rack1-a",
};

/* Every capability that we may say comes back as it was. */
static void all_capabilities_go_both_ways(void **state)
{
	struct bgp_open got;
	struct bgp_frame frame;
	struct bgp_fault fault;
	uint8_t wire[256];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	bgp_open_encode(&w, &all);
	assert_int_equal(bgp_frame_decode(rd_from(wire, w.len), BGP_MSG_MAX, &frame, &fault), 0);
	assert_int_equal(bgp_open_decode(frame.body, &got, &fault), 0);
	assert_int_equal(got.families, all.families);
	assert_true(got.refresh && got.enhanced_refresh && got.extended_message && got.as4);
	assert_int_equal(got.extended_hop, BGP_V4);
	assert_int_equal(got.role, BGP_ROLE_CUSTOMER);
	assert_true(got.restart.on && got.restart.restarting && got.restart.notifications);
	assert_int_equal(got.restart.time_s, 4095);
	assert_int_equal(got.restart.families, BGP_V4 | BGP_V6);
	assert_int_equal(got.restart.forwarding, BGP_V6);
	assert_string_equal(got.host, "rack1-a");
	assert_int_equal(got.n_caps, 10);
	const uint8_t stale[] = { 71,	14, 0, 1, 1,	0,    0x12, 0x34,
				  0x56, 0,  2, 1, 0x80, 0x12, 0x34, 0x56 };
	assert_non_null(memmem(wire, w.len, stale, sizeof(stale)));
}

/* Nothing that can be configured takes more: RFC 9072's longer form is for 256 bytes and more. */
static void the_largest_has_133_bytes_of_parameters(void **state)
{
	struct bgp_open open = all, got;
	struct bgp_fault fault;
	uint8_t wire[512];
	struct wr w = wr_to(wire, sizeof(wire));

	(void)state;
	memset(open.host, 'x', BGP_HOST_MAX - 1);
	bgp_open_encode(&w, &open);
	assert_int_equal(w.len, BGP_HEADER_LEN + 10 + 133);
	assert_int_equal(wire[BGP_HEADER_LEN + 9], 133);
	struct rd body = rd_from(wire + BGP_HEADER_LEN, w.len - BGP_HEADER_LEN);
	assert_int_equal(bgp_open_decode(body, &got, &fault), 0);
	assert_string_equal(got.host, open.host);
}

static const struct capability_case {
	const char *name;
	const char *caps; /* behind code and length of the parameter */
	struct bgp_open want;
} capabilities[] = {
	{ "restart without families",
	  "4002 c078",
	  { .restart = { .on = true, .restarting = true, .notifications = true, .time_s = 120 } } },
	{ "restart of other families",
	  "4006 0078 0019 41 80",
	  { .restart = { .on = true, .time_s = 120 } } },
	{ "restart, half a family", "4004 0078 0001", { 0 } },
	{ "restart, empty", "4000", { 0 } },
	{ "long-lived restart is tolerated", "4707 0001 01 80 000e10", { 0 } },
	{ "role of the peer", "0901 04", { .role = BGP_ROLE_PEER } },
	{ "role unheard of", "0901 05", { .role = BGP_ROLE_OTHER } },
	{ "role twice", "0901 03 0901 03", { .role = BGP_ROLE_CUSTOMER } },
	{ "roles that differ", "0901 03 0901 00", { .role = BGP_ROLE_OTHER } },
	{ "role, empty", "0900", { 0 } },
	{ "extended next hop of IPv4", "0506 0001 0001 0002", { .extended_hop = BGP_V4 } },
	{ "extended next hop of a VPN", "0506 0001 0080 0002", { 0 } },
	{ "extended next hop by IPv4", "0506 0001 0001 0001", { 0 } },
	{ "extended next hop, half", "0503 0001 00", { 0 } },
	{ "name", "4908 03 746f72 03 6c616e", { .host = "tor" } },
	{ "name that overruns", "4904 09 746f72", { 0 } },
	{ "name that a terminal would obey", "4905 03 1b5b32 00", { .host = "?[2" } },
};

static void capabilities_are_read(void **state)
{
	const struct capability_case *c = *state;
	uint8_t caps[64], body[96];
	size_t len = unhex(c->caps, caps, sizeof(caps));
	struct wr w = wr_to(body, sizeof(body));
	struct bgp_open got;
	struct bgp_fault fault;

	w.len = unhex("04 fc00 005a 0a000005", body, sizeof(body));
	wr_u8(&w, (uint8_t)(len + 2));
	wr_u8(&w, 2);
	wr_u8(&w, (uint8_t)len);
	wr_bytes(&w, caps, len);
	assert_int_equal(bgp_open_decode(rd_from(body, w.len), &got, &fault), 0);
	assert_memory_equal(&got.restart, &c->want.restart, sizeof(got.restart));
	assert_int_equal(got.role, c->want.role);
	assert_int_equal(got.extended_hop, c->want.extended_hop);
	assert_string_equal(got.host, c->want.host);
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
		cmocka_unit_test(all_capabilities_go_both_ways),
		cmocka_unit_test(the_largest_has_133_bytes_of_parameters),
	};
	int failed = RUN_TABLE("bgp capabilities", capabilities, capabilities_are_read) +
		     RUN_TABLE("open vectors", vectors, vectors_go_both_ways);

	failed += RUN_TABLE("open capabilities", capabilities, capabilities_are_read);
	failed += RUN_TABLE("open bodies", cases, bodies_decode);
	return failed + cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
