/* What the messages of the peer do to the session. */
#include <stdio.h>

#include "session_bench.h"

static const struct open_case {
	const char *name;
	struct bgp_session_conf conf;
	const char *peer_open;
	uint8_t subcode; /* of the refusal; 0: fine */
	uint16_t hold_s;
	uint16_t keepalive_s;
	bool ibgp;
	const char *reason;
} opens[] = {
	{ "plain", { 64512, 64513, 0, 90, 0, BGP_V4 }, OPEN, 0, 90, 30, false, "OPEN received" },
	{ "our hold time is less",
	  { 64512, 64513, 0, 9, 0, BGP_V4 },
	  OPEN,
	  0,
	  9,
	  3,
	  false,
	  "OPEN received" },
	{ "theirs is less",
	  { 64512, 64513, 0, 240, 0, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  30,
	  false,
	  "OPEN received" },
	{ "ours is 0", { 64512, 64513, 0, 0, 0, BGP_V4 }, OPEN, 0, 0, 0, false, "OPEN received" },
	{ "keepalive on request",
	  { 64512, 64513, 0, 90, 5, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  5,
	  false,
	  "OPEN received" },
	{ "no keepalive without hold time",
	  { 64512, 64513, 0, 0, 5, BGP_V4 },
	  OPEN,
	  0,
	  0,
	  0,
	  false,
	  "OPEN received" },
	{ "wrong AS",
	  { 64512, 65000, 0, 90, 0, BGP_V4 },
	  OPEN,
	  BGP_OPEN_PEER_AS,
	  0,
	  0,
	  false,
	  "peer says AS 64513, expected AS 65000" },
	{ "internal and right",
	  { 64513, 0, BGP_ASN_INTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  30,
	  true,
	  "OPEN received" },
	{ "internal and wrong",
	  { 64512, 0, BGP_ASN_INTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  BGP_OPEN_PEER_AS,
	  0,
	  0,
	  false,
	  "peer says AS 64513, expected no other AS than our own 64512" },
	{ "external and right",
	  { 64512, 0, BGP_ASN_EXTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  0,
	  90,
	  30,
	  false,
	  "OPEN received" },
	{ "external and wrong",
	  { 64513, 0, BGP_ASN_EXTERNAL, 90, 0, BGP_V4 },
	  OPEN,
	  BGP_OPEN_PEER_AS,
	  0,
	  0,
	  false,
	  "peer says AS 64513, expected another AS than our own 64513" },
	{ "our router id, internal",
	  { 64513, 64513, 0, 90, 0, BGP_V4 },
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01",
	  BGP_OPEN_IDENTIFIER,
	  0,
	  0,
	  false,
	  "peer has our router id" },
	{ "our router id, external",
	  { 64512, 64513, 0, 90, 0, BGP_V4 },
	  MARKER "002d 01 04 fc01 005a 0a000005 10 02 0e 0104 0001 00 01 0200 4104 0000fc01",
	  0,
	  90,
	  30,
	  false,
	  "OPEN received" },
	{ "hold time 2",
	  { 64512, 64513, 0, 90, 0, BGP_V4 },
	  MARKER "001d 01 04 fc01 0002 0a000001 00",
	  BGP_OPEN_HOLD_TIME,
	  0,
	  0,
	  false,
	  "notification sent: OPEN Message Error/Unacceptable Hold Time (2/6)" },
};

static void opens_are_judged(void **state)
{
	const struct open_case *c = *state;
	struct bench b;

	bring_to(&b, &c->conf, BGP_OPEN_SENT);
	hear(&b, c->peer_open);
	assert_string_equal(b.s.reason, c->reason);
	if (c->subcode) {
		assert_int_equal(b.s.state, BGP_IDLE);
		assert_int_equal(b.s.note_out.code, BGP_ERR_OPEN);
		assert_int_equal(b.s.note_out.subcode, c->subcode);
		return;
	}
	assert_int_equal(b.s.state, BGP_OPEN_CONFIRM);
	assert_int_equal(b.s.agreed.hold_s, c->hold_s);
	assert_int_equal(b.s.agreed.keepalive_s, c->keepalive_s);
	assert_int_equal(b.s.agreed.ibgp, c->ibgp);
}

/* What our next OPEN says. */
static struct bgp_open next_open(struct bench *b)
{
	struct bgp_open open = { 0 };
	struct bgp_frame frame;
	struct bgp_fault fault;

	while (b->s.state != BGP_CONNECT) {
		b->now = bgp_session_deadline(&b->s);
		bgp_session_tick(&b->s, b->now);
		look(b);
	}
	forget(b);
	bgp_session_connected(&b->s, 0x0a000005, b->now);
	look(b);
	assert_int_equal(
		bgp_frame_decode(rd_from(b->sent, b->sent_len), BGP_MSG_MAX, &frame, &fault), 0);
	assert_int_equal(bgp_open_decode(frame.body, &open, &fault), 0);
	return open;
}

static void what_the_peer_refuses_is_left_away(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.host = "rack1-a";
	bring_to(&b, &c, BGP_OPEN_SENT);
	hear(&b, MARKER "0019 03 02 07 4900 0600"); /* it names the two that it minds */
	assert_in_range(mono_sub(bgp_session_deadline(&b.s), b.now).ns, 0, DUR_MS(100).ns);
	struct bgp_open open = next_open(&b);
	assert_string_equal(open.host, "");
	assert_false(open.extended_message);
	assert_true(open.as4 && open.refresh && open.enhanced_refresh);

	hear(&b, MARKER "0015 03 02 07"); /* it does not say which */
	open = next_open(&b);
	assert_true(open.as4);
	assert_false(open.refresh || open.enhanced_refresh);
	assert_int_equal(open.n_caps, 2);

	hear(&b, MARKER "0015 03 02 04"); /* no capabilities at all, please */
	open = next_open(&b);
	assert_int_equal(open.n_caps, 0);
	hear(&b, OPEN);
	hear(&b, ALIVE);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_false(b.s.agreed.as4);
	assert_int_equal(b.s.agreed.families, BGP_V4);

	hear(&b, MARKER "0015 03 02 07");
	assert_true(mono_sub(bgp_session_deadline(&b.s), b.now).ns >= DUR_MS(750).ns);
}

static const struct role_case {
	const char *theirs; /* the number on the wire; "" none */
	uint8_t ours;
	bool fits;
} roles[] = {
	{ "03", BGP_ROLE_PROVIDER, true }, { "00", BGP_ROLE_PROVIDER, false },
	{ "00", BGP_ROLE_CUSTOMER, true }, { "04", BGP_ROLE_CUSTOMER, false },
	{ "02", BGP_ROLE_RS, true },	   { "01", BGP_ROLE_RS_CLIENT, true },
	{ "03", BGP_ROLE_RS, false },	   { "04", BGP_ROLE_PEER, true },
	{ "09", BGP_ROLE_PEER, false },	   { "", BGP_ROLE_PEER, true },
	{ "02", BGP_ROLE_NONE, true },
};

static void roles_have_to_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct bgp_session_conf c = conf;
		char open[256];
		struct bench b;

		c.role = roles[i].ours;
		bring_to(&b, &c, BGP_OPEN_SENT);
		snprintf(open, sizeof(open),
			 MARKER "%s 01 04 fc01 005a 0a000001 %s 0104 0001 00 01 4104 0000fc01 %s%s",
			 *roles[i].theirs ? "002e" : "002b",
			 *roles[i].theirs ? "11 02 0f" : "0e 02 0c", *roles[i].theirs ? "0901" : "",
			 roles[i].theirs);
		hear(&b, open);
		assert_int_equal(b.s.state == BGP_OPEN_CONFIRM, roles[i].fits);
		if (!roles[i].fits)
			assert_int_equal(b.s.note_out.subcode, BGP_OPEN_ROLE);
	}
}

static void internal_peers_have_no_role(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.role = BGP_ROLE_PEER;
	c.peer_as = c.local_as;
	bring_to(&b, &c, BGP_OPEN_SENT);
	assert_int_equal(b.s.leg[BGP_OURS].said.role, BGP_ROLE_NONE);
}

/* With enhanced refresh: capabilities 2 and 70. */
#define OPEN_ENHANCED \
	MARKER "002f 01 04 fc01 005a 0a000001 12 02 10 0104 0001 00 01 0200 4600 4104 0000fc01"

static const struct refresh_case {
	const char *open;
	const char *message;
	const char *answer; /* "" fine, or the end of the NOTIFICATION */
} refreshes[] = {
	{ OPEN_ENHANCED, MARKER "0017 05 0001 01 01", "" },
	{ OPEN_ENHANCED, MARKER "0018 05 0001 01 01 00", "07 01 " MARKER "0018 05 0001 01 01 00" },
	{ OPEN_ENHANCED, MARKER "0018 05 0001 00 01 00", "01 02 0018" },
	{ OPEN, MARKER "0018 05 0001 01 01 00", "01 02 0018" },
};

static void refreshes_have_a_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refreshes); i++) {
		const struct refresh_case *c = &refreshes[i];
		uint8_t want[64];
		struct bench b;

		bring_to(&b, &conf, BGP_OPEN_SENT);
		hear(&b, c->open);
		hear(&b, ALIVE);
		forget(&b);
		hear(&b, c->message);
		size_t len = unhex(c->answer, want, sizeof(want));
		assert_int_equal(b.s.state == BGP_ESTABLISHED, len == 0);
		assert_true(b.sent_len >= len);
		assert_memory_equal(b.sent + b.sent_len - len, want, len);
	}
}

/* RFC 8654: up to 65535 bytes, but an OPEN of more than 4096 is refused. */
static void messages_may_be_long(void **state)
{
	static uint8_t wire[BGP_MSG_EXTENDED_MAX];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	size_t mark = bgp_frame_begin(&w, BGP_UPDATE);
	wr_u16(&w, BGP_MSG_EXTENDED_MAX - BGP_HEADER_LEN - 4);
	for (size_t left = BGP_MSG_EXTENDED_MAX - BGP_HEADER_LEN - 4; left > 0; left--)
		wr_u8(&w, 0); /* withdraws the default route, again and again */
	wr_u16(&w, 0);
	bgp_frame_end(&w, mark);
	assert_false(w.bad);
	assert_int_equal(bgp_session_input(&b.s, BGP_OURS, rd_from(wire, w.len), b.now), w.len);
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	assert_int_equal(b.s.withdrawn_in, BGP_MSG_EXTENDED_MAX - BGP_HEADER_LEN - 4);

	bring_to(&b, &conf, BGP_OPEN_SENT);
	hear(&b, MARKER "1001 01");
	assert_int_equal(b.s.note_out.code, BGP_ERR_HEADER);
	assert_int_equal(b.s.note_out.subcode, BGP_HEADER_LENGTH);
}

/* An UPDATE with the attributes that have to be there, and these IPv4 prefixes. */
#define UPDATE_OF(len, nlri) \
	MARKER len " 02 0000 0014 400101 00 400206 0201 0000fc01 400304 0a000001 " nlri

static void a_peer_may_announce_so_many_prefixes(void **state)
{
	struct bgp_session_conf c = conf;
	struct bench b;

	(void)state;
	c.max_prefix = 2;
	bring_to(&b, &c, BGP_ESTABLISHED);
	hear(&b, UPDATE_OF("0033", "180a0001 180a0002"));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	for (int i = 0; i < 5; i++) /* the same ones again are no more */
		hear(&b, UPDATE_OF("0033", "180a0001 180a0002"));
	hear(&b, MARKER "001b 02 0004 180a0001 0000");
	hear(&b, UPDATE_OF("002f", "180a0003"));
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	hear(&b, UPDATE_OF("002f", "180a0004"));
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_int_equal(b.s.note_out.code, BGP_ERR_CEASE);
	assert_int_equal(b.s.note_out.subcode, BGP_CEASE_MAX_PREFIXES);
	assert_string_equal(b.s.reason, "the peer announces more than 2 prefixes");
	/* The family and the limit are told, RFC 4486. */
	const uint8_t data[] = { 6, 1, 0, 1, 1, 0, 0, 0, 2 };
	assert_memory_equal(b.sent + b.sent_len - sizeof(data), data, sizeof(data));
	assert_true(mono_sub(bgp_session_deadline(&b.s), b.now).ns >= DUR_S(45).ns);
	bgp_session_fini(&b.s);
}

static void refresh_only_for_what_was_agreed(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0017 05 0002 00 01");
	assert_int_equal(b.refresh, 0);
	hear(&b, MARKER "0017 05 0001 00 02");
	assert_int_equal(b.refresh, 0);
	hear(&b, MARKER "0017 05 0001 01 01"); /* RFC 7313's marks are not requests */
	assert_int_equal(b.refresh, 0);
	hear(&b, MARKER "0017 05 0001 00 01");
	assert_int_equal(b.refresh, BGP_V4);
}

static void updates_are_judged(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b,
	     MARKER "002f 02 0000 0014 40010100 400206 0201 0000fc01 400304 0a000001 18 c00002");
	assert_int_equal(b.s.announced_in, 1);
	hear(&b, MARKER "0027 02 0000 000b 40010100 400304 0a000001 20 c000020a");
	assert_int_equal(b.s.state, BGP_ESTABLISHED);
	hear(&b, MARKER "0018 02 0000 0000 21");
	assert_int_equal(b.s.state, BGP_IDLE);
	assert_int_equal(b.s.note_out.code, BGP_ERR_UPDATE);
	assert_int_equal(b.s.note_out.subcode, 10);
}

static void input_is_used_one_message_at_a_time(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	assert_int_equal(hear(&b, ALIVE ALIVE), 19);
	assert_int_equal(hear(&b, MARKER "00"), 0);
	assert_int_equal(hear(&b, MARKER "0017 02 0000"), 0);
	assert_int_equal(b.s.msgs_in[BGP_KEEPALIVE], 2);
}

static void shutdown_text_is_shown(void **state)
{
	struct bench b;

	(void)state;
	bring_to(&b, &conf, BGP_ESTABLISHED);
	hear(&b, MARKER "0018 03 06 02 02 6869");
	assert_string_equal(b.s.note_in.text, "hi");
	assert_string_equal(b.s.reason,
			    "notification received: Cease/Administrative Shutdown (6/2)");
	bring_to(&b, &conf, BGP_ESTABLISHED);
	bgp_session_stop(&b.s, BGP_CEASE_SHUTDOWN, "goodbye\xe2\x82\xac", b.now);
	look(&b);
	vector_is("notification_shutdown.hex", b.sent, b.sent_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_peer_refuses_is_left_away),
		cmocka_unit_test(roles_have_to_fit),
		cmocka_unit_test(internal_peers_have_no_role),
		cmocka_unit_test(refreshes_have_a_length),
		cmocka_unit_test(messages_may_be_long),
		cmocka_unit_test(a_peer_may_announce_so_many_prefixes),
		cmocka_unit_test(refresh_only_for_what_was_agreed),
		cmocka_unit_test(updates_are_judged),
		cmocka_unit_test(input_is_used_one_message_at_a_time),
		cmocka_unit_test(shutdown_text_is_shown),
	};
	int failed = RUN_TABLE("bgp open", opens, opens_are_judged);

	return failed + cmocka_run_group_tests_name("bgp session, messages", tests, NULL, NULL);
}
