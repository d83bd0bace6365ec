/* Who is at the other end of a link, by what is heard there. */
#include "bgp/discover.h"
#include "support.h"

#define ADVERT	   "8600 0000 00 00 0000 00000000 00000000"
#define SOLICITING "8500 0000 00000000"

struct scene {
	struct discover d;
	struct mono now;
};

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static bool hear(struct scene *s, const char *from, uint8_t hops, const char *hex)
{
	uint8_t wire[64];
	struct addr a = at(from);

	return discover_input(&s->d, &a, hops, rd_from(wire, unhex(hex, wire, sizeof(wire))),
			      s->now);
}

/* An answer to our call, or to another's. */
static bool answer(struct scene *s, const char *from, uint16_t call)
{
	uint8_t wire[8] = { DISCOVER_ECHO_REPLY, 0, 0, 0, (uint8_t)(call >> 8), (uint8_t)call };
	struct addr a = at(from);

	return discover_input(&s->d, &a, 64, rd_from(wire, sizeof(wire)), s->now);
}

/* To the next thing to do; returns what is sent. */
static unsigned beat(struct scene *s, bool *found)
{
	unsigned send = 0;

	assert_true(s->d.at.ns >= s->now.ns);
	s->now = s->d.at;
	*found = discover_tick(&s->d, s->now, &send);
	return send;
}

static struct scene begin(void)
{
	struct scene s = { .now = { DUR_S(100).ns } };

	discover_init(&s.d, test_seed(), s.now);
	return s;
}

static bool knows(const struct scene *s, const char *peer)
{
	struct addr a = at(peer);

	return addr_eq(&s->d.peer, &a);
}

static const struct judged {
	const char *name;
	const char *from;
	const char *hex;
	uint8_t hops;
	bool found;
} judged[] = {
	{ "an advert", "fe80::1", ADVERT, 255, true },
	{ "an advert with options", "fe80::1", ADVERT "0101 020000000001", 255, true },
	{ "from further away", "fe80::1", ADVERT, 254, false },
	{ "from no link-local address", "fd00::1", ADVERT, 255, false },
	{ "from an IPv4 address", "10.0.0.1", ADVERT, 255, false },
	{ "with a code", "fe80::1", "8601 0000 00 00 0000 00000000 00000000", 255, false },
	{ "too short", "fe80::1", "8600 0000 00 00 0000 00000000 000000", 255, false },
	{ "nothing", "fe80::1", "", 255, false },
	{ "a solicitation", "fe80::1", SOLICITING, 255, false },
	{ "another message", "fe80::1", "8700 0000 00000000 00000000 00000000", 255, false },
};

static void adverts_are_judged(void **state)
{
	const struct judged *c = *state;
	struct scene s = begin();

	assert_int_equal(hear(&s, c->from, c->hops, c->hex), c->found);
	assert_int_equal(addr_is_set(&s.d.peer), c->found);
}

static void the_first_keeps_its_place_until_it_is_silent(void **state)
{
	struct scene s = begin();

	(void)state;
	assert_true(hear(&s, "fe80::1", 255, ADVERT));
	assert_false(hear(&s, "fe80::1", 255, ADVERT));
	s.now = mono_add(s.now, DUR_S(34));
	assert_false(hear(&s, "fe80::2", 255, ADVERT));
	assert_true(knows(&s, "fe80::1"));
	s.now = mono_add(s.now, DUR_S(1));
	assert_true(hear(&s, "fe80::2", 255, ADVERT));
	assert_true(knows(&s, "fe80::2"));
}

static void silence_is_asked_about_and_then_believed(void **state)
{
	struct scene s = begin();
	bool found, asked = false;

	(void)state;
	assert_true(hear(&s, "fe80::1", 255, ADVERT));
	struct mono heard = s.now;
	while (mono_sub(s.now, heard).ns < DUR_S(35).ns) {
		bool known = knows(&s, "fe80::1");
		unsigned sent = beat(&s, &found);

		assert_true(sent & DISCOVER_SEND_ADVERT);
		assert_false(found);
		asked |= known && (sent & DISCOVER_SEND_SOLICIT);
	}
	assert_true(asked);
	assert_false(addr_is_set(&s.d.peer));
	assert_string_equal(discover_trouble(&s.d), "no neighbour was heard");
}

/* 0, 1, 3, 7, 15, 25 … seconds after the start, and by the jitter up to a quarter earlier. */
static void we_ask_more_and_more_slowly(void **state)
{
	static const int64_t pauses_s[] = { 1, 2, 4, 8, 10, 10, 10 };
	struct scene s = begin();
	bool found;

	(void)state;
	assert_int_equal(beat(&s, &found), DISCOVER_SEND_ADVERT | DISCOVER_SEND_SOLICIT);
	for (size_t i = 0; i < ARRAY_LEN(pauses_s); i++) {
		struct mono before = s.now;
		unsigned sent = beat(&s, &found);

		assert_int_equal(sent,
				 DISCOVER_SEND_ADVERT | DISCOVER_SEND_SOLICIT | DISCOVER_SEND_CALL);
		assert_in_range(dur_ms(mono_sub(s.now, before)), pauses_s[i] * 750,
				pauses_s[i] * 1000);
	}
}

static void solicitations_are_answered_but_not_each(void **state)
{
	struct scene s = begin();
	bool found;

	(void)state;
	(void)beat(&s, &found);
	assert_true(hear(&s, "fe80::1", 255, ADVERT));
	(void)beat(&s, &found);
	for (int i = 0; i < 100; i++) {
		struct mono before = s.now;

		assert_false(hear(&s, "fe80::1", 255, ADVERT));
		assert_false(hear(&s, "fe80::1", 255, SOLICITING));
		assert_int_equal(beat(&s, &found), DISCOVER_SEND_ADVERT);
		assert_in_range(dur_ms(mono_sub(s.now, before)), 999, 1501);
	}
	assert_false(hear(&s, "fe80::1", 254, SOLICITING));
	assert_true(mono_sub(s.d.at, s.now).ns > DUR_S(2).ns);
}

static void a_single_neighbour_that_answers_is_the_peer(void **state)
{
	struct scene s = begin();
	bool found;

	(void)state;
	(void)beat(&s, &found);
	(void)beat(&s, &found);
	assert_false(answer(&s, "fe80::1", s.d.call ^ 1));
	assert_false(answer(&s, "fd00::1", s.d.call));
	(void)beat(&s, &found);
	assert_false(found);
	assert_false(answer(&s, "fe80::1", s.d.call));
	assert_false(answer(&s, "fe80::1", s.d.call));
	assert_int_equal(beat(&s, &found), DISCOVER_SEND_ADVERT);
	assert_true(found && knows(&s, "fe80::1"));
	/* Who says that it is a router goes before who only answers. */
	assert_true(hear(&s, "fe80::2", 255, ADVERT));
	assert_true(knows(&s, "fe80::2"));
}

static void of_several_that_answer_none_is_taken(void **state)
{
	struct scene s = begin();
	bool found;

	(void)state;
	(void)beat(&s, &found);
	(void)beat(&s, &found);
	(void)answer(&s, "fe80::1", s.d.call);
	(void)answer(&s, "fe80::2", s.d.call);
	(void)answer(&s, "fe80::1", s.d.call);
	(void)beat(&s, &found);
	assert_false(found || addr_is_set(&s.d.peer));
	assert_string_equal(discover_trouble(&s.d),
			    "several neighbours answer, and none of them says that it is a router");
	(void)answer(&s, "fe80::2", s.d.call);
	(void)beat(&s, &found);
	assert_true(found && knows(&s, "fe80::2"));
}

/* Another host took the place of one that only answered. */
static void a_doubted_peer_may_be_replaced(void **state)
{
	struct scene s = begin();
	bool found;

	(void)state;
	(void)beat(&s, &found);
	(void)beat(&s, &found);
	(void)answer(&s, "fe80::1", s.d.call);
	(void)beat(&s, &found);
	discover_doubt(&s.d, s.now);
	assert_true(knows(&s, "fe80::1"));
	assert_true(beat(&s, &found) & DISCOVER_SEND_CALL);
	(void)answer(&s, "fe80::1", s.d.call);
	assert_false(beat(&s, &found) & DISCOVER_SEND_CALL);
	assert_false(found);
	discover_doubt(&s.d, s.now);
	assert_true(beat(&s, &found) & DISCOVER_SEND_CALL);
	(void)answer(&s, "fe80::2", s.d.call);
	(void)beat(&s, &found);
	assert_true(found && knows(&s, "fe80::2"));
}

static void wire(void **state)
{
	static const struct {
		unsigned kind;
		const char *hex;
	} rows[] = {
		{ DISCOVER_SEND_ADVERT, "8600 0000 00 00 0000 00000000 00000000" },
		{ DISCOVER_SEND_SOLICIT, "8500 0000 00000000" },
		{ DISCOVER_SEND_CALL, "8000 0000 abcd 0000" },
	};
	struct scene s = begin();

	(void)state;
	s.d.call = 0xabcd;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t is[DISCOVER_WIRE_MAX], want[DISCOVER_WIRE_MAX];
		struct wr w = wr_to(is, sizeof(is));
		size_t len = unhex(rows[i].hex, want, sizeof(want));

		discover_encode(&s.d, rows[i].kind, &w);
		assert_false(w.bad);
		assert_int_equal(w.len, len);
		assert_memory_equal(is, want, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_keeps_its_place_until_it_is_silent),
		cmocka_unit_test(silence_is_asked_about_and_then_believed),
		cmocka_unit_test(we_ask_more_and_more_slowly),
		cmocka_unit_test(solicitations_are_answered_but_not_each),
		cmocka_unit_test(a_single_neighbour_that_answers_is_the_peer),
		cmocka_unit_test(of_several_that_answer_none_is_taken),
		cmocka_unit_test(a_doubted_peer_may_be_replaced),
		cmocka_unit_test(wire),
	};
	int failed = RUN_TABLE("bgp adverts", judged, adverts_are_judged);

	return failed + cmocka_run_group_tests_name("bgp discover", tests, NULL, NULL);
}
