#include "bgp/notify.h"

#include "bgp_test.h"

static const struct words_case {
	const char *name;
	uint8_t code;
	uint8_t subcode;
	const char *want;
} words[] = {
	{ "RFC 4271 6.1: 1/1", 1, 1, "Message Header Error/Connection Not Synchronized (1/1)" },
	{ "RFC 4271 6.1: 1/2", 1, 2, "Message Header Error/Bad Message Length (1/2)" },
	{ "RFC 4271 6.1: 1/3", 1, 3, "Message Header Error/Bad Message Type (1/3)" },
	{ "RFC 4271 6.2: 2/1", 2, 1, "OPEN Message Error/Unsupported Version Number (2/1)" },
	{ "RFC 4271 6.2: 2/2", 2, 2, "OPEN Message Error/Bad Peer AS (2/2)" },
	{ "RFC 4271 6.2: 2/3", 2, 3, "OPEN Message Error/Bad BGP Identifier (2/3)" },
	{ "RFC 4271 6.2: 2/4", 2, 4, "OPEN Message Error/Unsupported Optional Parameter (2/4)" },
	{ "RFC 4271 6.2: 2/5", 2, 5, "OPEN Message Error/Authentication Failure (2/5)" },
	{ "RFC 4271 6.2: 2/6", 2, 6, "OPEN Message Error/Unacceptable Hold Time (2/6)" },
	{ "RFC 5492: 2/7", 2, 7, "OPEN Message Error/Unsupported Capability (2/7)" },
	{ "RFC 9234: 2/11", 2, 11, "OPEN Message Error/Role Mismatch (2/11)" },
	{ "RFC 4271 6.3: 3/1", 3, 1, "UPDATE Message Error/Malformed Attribute List (3/1)" },
	{ "RFC 4271 6.3: 3/2", 3, 2,
	  "UPDATE Message Error/Unrecognized Well-known Attribute (3/2)" },
	{ "RFC 4271 6.3: 3/3", 3, 3, "UPDATE Message Error/Missing Well-known Attribute (3/3)" },
	{ "RFC 4271 6.3: 3/4", 3, 4, "UPDATE Message Error/Attribute Flags Error (3/4)" },
	{ "RFC 4271 6.3: 3/5", 3, 5, "UPDATE Message Error/Attribute Length Error (3/5)" },
	{ "RFC 4271 6.3: 3/6", 3, 6, "UPDATE Message Error/Invalid ORIGIN Attribute (3/6)" },
	{ "RFC 4271 6.3: 3/7", 3, 7, "UPDATE Message Error/AS Routing Loop (3/7)" },
	{ "RFC 4271 6.3: 3/8", 3, 8, "UPDATE Message Error/Invalid NEXT_HOP Attribute (3/8)" },
	{ "RFC 4271 6.3: 3/9", 3, 9, "UPDATE Message Error/Optional Attribute Error (3/9)" },
	{ "RFC 4271 6.3: 3/10", 3, 10, "UPDATE Message Error/Invalid Network Field (3/10)" },
	{ "RFC 4271 6.3: 3/11", 3, 11, "UPDATE Message Error/Malformed AS_PATH (3/11)" },
	{ "RFC 4271 6.5: 4/0", 4, 0, "Hold Timer Expired (4/0)" },
	{ "RFC 6608: 5/1", 5, 1,
	  "Finite State Machine Error/Unexpected Message in OpenSent (5/1)" },
	{ "RFC 6608: 5/2", 5, 2,
	  "Finite State Machine Error/Unexpected Message in OpenConfirm (5/2)" },
	{ "RFC 6608: 5/3", 5, 3,
	  "Finite State Machine Error/Unexpected Message in Established (5/3)" },
	{ "RFC 4486: 6/1", 6, 1, "Cease/Maximum Number of Prefixes Reached (6/1)" },
	{ "RFC 4486: 6/2", 6, 2, "Cease/Administrative Shutdown (6/2)" },
	{ "RFC 4486: 6/3", 6, 3, "Cease/Peer De-configured (6/3)" },
	{ "RFC 4486: 6/4", 6, 4, "Cease/Administrative Reset (6/4)" },
	{ "RFC 4486: 6/5", 6, 5, "Cease/Connection Rejected (6/5)" },
	{ "RFC 4486: 6/6", 6, 6, "Cease/Other Configuration Change (6/6)" },
	{ "RFC 4486: 6/7", 6, 7, "Cease/Connection Collision Resolution (6/7)" },
	{ "RFC 4486: 6/8", 6, 8, "Cease/Out of Resources (6/8)" },
	{ "RFC 8538: 6/9", 6, 9, "Cease/Hard Reset (6/9)" },
	{ "RFC 9384: 6/10", 6, 10, "Cease/BFD Down (6/10)" },
	{ "RFC 7313: 7/1", 7, 1, "ROUTE-REFRESH Message Error/Invalid Message Length (7/1)" },
	{ "RFC 9687: 8/0", 8, 0, "Send Hold Timer Expired (8/0)" },
	{ "no subcode", 3, 0, "UPDATE Message Error (3/0)" },
	{ "unknown subcode", 3, 99, "UPDATE Message Error (3/99)" },
	{ "code 0", 0, 0, "unknown (0/0)" },
	{ "unknown code", 99, 1, "unknown (99/1)" },
};

static void names_are_right(void **state)
{
	const struct words_case *c = *state;
	char buf[BGP_NOTE_TEXT_MAX];

	assert_string_equal(bgp_note_words(c->code, c->subcode, buf), c->want);
}

static const struct text_case {
	const char *name;
	const char *body; /* of the NOTIFICATION */
	const char *want;
} texts[] = {
	{ "plain", "0602 02 6f6b", "ok" },
	{ "in a Hard Reset", "0609 0602 02 6f6b", "ok" },
	{ "Hard Reset without more", "0609", "" },
	{ "none", "0602", "" },
	{ "empty", "0604 00", "" },
	{ "euro", "0602 03 e282ac", "\xe2\x82\xac" },
	{ "length lies", "0602 05 6f6b", "" },
	{ "escape sequences stay out", "0602 03 1b5b4a", "?[J" },
	{ "delete and C1 too", "0602 03 7f c285", "???" },
	{ "overlong", "0602 02 c0af", "??" },
	{ "surrogate", "0602 03 eda080", "???" },
	{ "cut character", "0602 02 e282", "??" },
	{ "beyond Unicode", "0602 04 f4908080", "????" },
	{ "other subcodes carry none", "0603 02 6f6b", "" },
};

static void text_is_made_safe(void **state)
{
	const struct text_case *c = *state;
	struct bgp_note note;
	uint8_t body[64];
	size_t len = unhex(c->body, body, sizeof(body));

	bgp_notification_decode(rd_from(body, len), (struct mono){ 5 }, &note);
	assert_true(note.set);
	assert_false(note.sent);
	assert_int_equal(note.at.ns, 5);
	assert_string_equal(note.text, c->want);
}

static void encode_is(const struct bgp_fault *fault, const char *vector)
{
	uint8_t wire[64];
	struct wr w = wr_to(wire, sizeof(wire));

	bgp_notification_encode(&w, fault);
	assert_false(w.bad);
	vector_is(vector, wire, w.len);
}

static void vectors_are_written(void **state)
{
	struct bgp_fault fault;
	struct bgp_note note;

	(void)state;
	bgp_cease_set(&fault, BGP_CEASE_SHUTDOWN, "goodbye\xe2\x82\xac");
	encode_is(&fault, "notification_shutdown.hex");
	bgp_note_of_fault(&fault, (struct mono){ 1 }, &note);
	assert_true(note.sent);
	assert_string_equal(note.text, "goodbye\xe2\x82\xac");
	(void)bgp_fault_set(&fault, BGP_ERR_OPEN, BGP_OPEN_PEER_AS, NULL, 0);
	encode_is(&fault, "notification_bad_as.hex");
}

static void long_text_is_cut_between_characters(void **state)
{
	char text[400];
	struct bgp_fault fault;
	struct bgp_note note;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 254, "\xe2\x82\xac", 3);
	text[399] = '\0';
	bgp_cease_set(&fault, BGP_CEASE_RESET, text);
	assert_int_equal(fault.len, 255);
	assert_int_equal(fault.data[0], 254);
	bgp_note_of_fault(&fault, (struct mono){ 1 }, &note);
	assert_int_equal(strlen(note.text), 254);
}

static void text_goes_only_where_it_may(void **state)
{
	struct bgp_fault fault;

	(void)state;
	bgp_cease_set(&fault, BGP_CEASE_BFD_DOWN, "path died");
	assert_int_equal(fault.len, 0);
	bgp_cease_set(&fault, BGP_CEASE_SHUTDOWN, NULL);
	assert_int_equal(fault.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_written),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(text_goes_only_where_it_may),
	};
	int failed = RUN_TABLE("notification words", words, names_are_right);

	failed += RUN_TABLE("shutdown text", texts, text_is_made_safe);
	return failed + cmocka_run_group_tests_name("notification", tests, NULL, NULL);
}
