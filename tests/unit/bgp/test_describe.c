#include "bgp/describe.h"

#include "bgp_test.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "

static const struct words_case {
	const char *name;
	const char *hex; /* or a vector's file */
	size_t more;	 /* bytes that were cut away */
	const char *type;
	const char *want;
} cases[] = {
	{ "keepalive", "keepalive.hex", 0, "KEEPALIVE", "" },
	{ "end of rib", "eor_v4.hex", 0, "UPDATE", "IPv4 unicast End-of-RIB" },
	{ "end of rib, IPv6", "eor_v6.hex", 0, "UPDATE", "IPv6 unicast End-of-RIB" },
	{ "shutdown", "notification_shutdown.hex", 0, "NOTIFICATION",
	  "Cease/Administrative Shutdown (6/2): goodbye€" },
	{ "refresh", "refresh_v6.hex", 0, "ROUTE-REFRESH", "request of IPv6 unicast" },
	{ "refresh of a strange family", MARKER "0017 05 4004 01 46", 0, "ROUTE-REFRESH",
	  "begin of family 16388/70" },
	{ "open", "open_native.hex", 0, "OPEN",
	  "AS 64512, id 10.0.0.5, hold time 90 s; capabilities multiprotocol, 4-octet-as" },
	{ "open of version 3", MARKER "001d 01 03 fc00 005a 0a000001 00", 0, "OPEN",
	  "not understood: OPEN Message Error/Unsupported Version Number (2/1)" },
	{ "update",
	  MARKER "003b 02 0000 001b 400101 00 400206 0201 0000fc00 400304 0a000001 800404 00000007 "
		 "180a0100 200a020003",
	  0, "UPDATE",
	  "announces 10.1.0.0/24, 10.2.0.3/32; origin igp; as-path 64512; next-hop 10.0.0.1; "
	  "med 7" },
	{ "two octets", MARKER "0029 02 0000 0012 400101 02 400204 0201 fc00 c00804 fc00 0064 ", 0,
	  "UPDATE", "origin incomplete; as-path 64512; communities 64512:100" },
	{ "withdrawal", MARKER "001b 02 0004 180a0100 0000", 0, "UPDATE", "withdraws 10.1.0.0/24" },
	{ "communities",
	  MARKER "0000 02 0000 001e c00808 fc000001 ffffff01 c0200c 0000fc00 00000001 00000002 "
		 "e0630101 ",
	  0, "UPDATE",
	  "communities 64512:1 65535:65281; large-communities 64512:1:2; attribute 99 of 1 bytes" },
	{ "extended communities",
	  MARKER "0000 02 0000 0023 c01020 0002fc0000000064 0103c00002010007 0202000100000001 "
		 "4004fc004b3ebc20",
	  0, "UPDATE",
	  "extended-communities rt:64512:100 ro:192.0.2.1:7 rt:65536:1 0x4004fc004b3ebc20" },
	{ "IPv6, cut",
	  MARKER "0100 02 0000 00e9 900e00d6 0002 01 10 20010db8000000000000000000000001 00 "
		 "2020010db8 30",
	  202, "UPDATE",
	  "announces 2001:db8::/32 …; IPv6 unicast next-hop 2001:db8::1; cut after 54 of 256 "
	  "bytes" },
	{ "more than is shown",
	  MARKER "0000 02 0014 080a 080b 080c 080d 080e 080f 0810 0811 0812 0813 0000", 0, "UPDATE",
	  "withdraws 10.0.0.0/8, 11.0.0.0/8, 12.0.0.0/8, 13.0.0.0/8, 14.0.0.0/8, 15.0.0.0/8, "
	  "16.0.0.0/8, 17.0.0.0/8 and 2 more" },
	{ "no header", "ffff", 0, "unknown", "not a whole header" },
	{ "type 9", MARKER "0013 09", 0, "unknown", "" },
};

static void in_words(void **state)
{
	const struct words_case *c = *state;
	uint8_t wire[4096];
	size_t len = strstr(c->hex, ".hex") ? vector_load(c->hex, wire, sizeof(wire))
					    : unhex(c->hex, wire, sizeof(wire));
	struct buf text = { 0 };

	assert_string_equal(bgp_describe_type(rd_from(wire, len)), c->type);
	bgp_describe(rd_from(wire, len), len + c->more, &text);
	assert_string_equal(buf_text(&text), c->want);
	buf_fini(&text);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(cases)] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = in_words,
			.initial_state = (void *)&cases[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
