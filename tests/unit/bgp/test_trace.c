#include "bgp/trace.h"

#include "bgp/msg.h"
#include "bgp_test.h"

static struct mono at_s(int64_t s)
{
	return (struct mono){ .ns = s * 1000000000 };
}

/* A message of this type and length whose body is filled with @fill. */
static size_t message(uint8_t *out, enum bgp_type type, size_t len, uint8_t fill)
{
	memset(out, 0xff, 16);
	memset(out + 16, fill, len - 16);
	out[16] = (uint8_t)(len >> 8);
	out[17] = (uint8_t)len;
	out[18] = (uint8_t)type;
	return len;
}

static void say(struct bgp_trace *t, bool sent, enum bgp_type type, size_t len, int64_t s)
{
	uint8_t wire[BGP_MSG_MAX];

	bgp_trace_put(t, sent, wire, message(wire, type, len, (uint8_t)s), at_s(s));
}

static size_t entries(const struct bgp_trace *t, struct bgp_trace_entry *out, size_t cap)
{
	struct bgp_trace_entry e;
	size_t n = 0;

	for (size_t at = 0; bgp_trace_next(t, &at, &e); n++)
		if (n < cap)
			out[n] = e;
	return n;
}

static void order_and_cutting(void **state)
{
	struct bgp_trace t = { 0 };
	struct bgp_trace_entry e[4];

	(void)state;
	assert_int_equal(entries(&t, e, 4), 0);
	say(&t, true, BGP_OPEN, 60, 1);
	say(&t, false, BGP_OPEN, 70, 2);
	say(&t, false, BGP_UPDATE, 4096, 3);
	assert_int_equal(entries(&t, e, 4), 3);
	assert_true(e[0].sent && !e[1].sent);
	assert_int_equal(e[1].len, 70);
	assert_int_equal(e[1].wire.left, 70);
	assert_int_equal(e[1].wire.p[69], 2);
	assert_int_equal(e[2].len, 4096);
	assert_int_equal(e[2].wire.left, BGP_TRACE_CUT);
	assert_int_equal(e[2].first.ns, at_s(3).ns);
	bgp_trace_fini(&t);
}

static void keepalives_are_counted(void **state)
{
	struct bgp_trace t = { 0 };
	struct bgp_trace_entry e[8];

	(void)state;
	for (int64_t s = 0; s < 100; s++) {
		say(&t, true, BGP_KEEPALIVE, 19, 2 * s);
		say(&t, false, BGP_KEEPALIVE, 19, 2 * s + 1);
	}
	assert_int_equal(entries(&t, e, 8), 2);
	assert_int_equal(e[0].count, 100);
	assert_int_equal(e[0].first.ns, 0);
	assert_int_equal(e[0].last.ns, at_s(198).ns);
	assert_int_equal(e[1].last.ns, at_s(199).ns);
	/* Behind something else they are new ones. */
	say(&t, true, BGP_UPDATE, 23, 200);
	say(&t, true, BGP_KEEPALIVE, 19, 201);
	say(&t, true, BGP_KEEPALIVE, 19, 202);
	assert_int_equal(entries(&t, e, 8), 4);
	assert_int_equal(e[3].count, 2);
	assert_int_equal(e[0].count, 100);
	bgp_trace_fini(&t);
}

/* The entry that they count for moves when old ones make room, and goes at last. */
static void keepalives_are_counted_in_a_full_ring(void **state)
{
	struct bgp_trace t = { 0 };
	struct bgp_trace_entry e[256];
	size_t n;

	(void)state;
	for (int64_t s = 0; s < 30; s++)
		say(&t, true, BGP_UPDATE, 300, s);
	for (int64_t s = 0; s < 9; s++)
		say(&t, s % 3 == 0, BGP_KEEPALIVE, 19, 100 + s);
	n = entries(&t, e, 256);
	assert_int_equal(e[n - 2].count, 3);
	assert_int_equal(e[n - 1].count, 6);
	say(&t, false, BGP_UPDATE, 300, 200);
	for (int64_t s = 0; s < 2; s++)
		say(&t, false, BGP_KEEPALIVE, 19, 300 + s);
	n = entries(&t, e, 256);
	assert_int_equal(e[n - 1].count, 2);
	assert_int_equal(e[n - 3].count, 6);
	bgp_trace_fini(&t);
}

static void old_ones_make_room(void **state)
{
	struct bgp_trace t = { 0 };
	struct bgp_trace_entry e[256];

	(void)state;
	for (int64_t s = 0; s < 1000; s++) {
		say(&t, true, BGP_UPDATE, (size_t)(23 + s % 700), s);
		size_t n = entries(&t, e, 256), bytes = 0;

		for (size_t i = 0; i < n; i++) {
			assert_int_equal(e[i].first.ns, at_s(s + 1 - (int64_t)(n - i)).ns);
			bytes += e[i].wire.left;
		}
		assert_true(n >= 8 || (int64_t)n == s + 1);
		assert_true(bytes <= BGP_TRACE_BYTES + 1024);
	}
	bgp_trace_fini(&t);
}

static void the_last_of_many(void **state)
{
	struct bgp_trace t = { 0 };
	struct bgp_trace_entry e[256];
	uint8_t wire[100 * 25];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		(void)message(wire + 25 * i, BGP_UPDATE, 25, (uint8_t)i);
	bgp_trace_put_all(&t, true, wire, sizeof(wire), 100, at_s(1));
	size_t n = entries(&t, e, 256);
	assert_true(n > 20 && n <= 100);
	assert_int_equal(e[n - 1].wire.p[24], 99);
	assert_int_equal(e[0].wire.p[24], 100 - n);
	bgp_trace_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_cutting),
		cmocka_unit_test(keepalives_are_counted),
		cmocka_unit_test(keepalives_are_counted_in_a_full_ring),
		cmocka_unit_test(old_ones_make_room),
		cmocka_unit_test(the_last_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
