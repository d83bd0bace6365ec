#include "bgp/rib.h"

#include <stdio.h>

#include "bgp/update.h"
#include "bgp_test.h"

struct fixture {
	struct bgp_attr_table *attrs;
	struct bgp_rib *rib;
	unsigned peer;
	struct bgp_batch *batch; /* taken, and read up to @at */
	size_t at;
};

static void wake(void *ctx, unsigned peer)
{
	(void)ctx, (void)peer;
}

static int setup(void **state)
{
	struct fixture *f = mem_new(struct fixture);

	f->attrs = bgp_attr_table_new();
	f->rib = bgp_rib_new(&(struct bgp_rib_conf){ .wake = wake });
	assert_int_equal(bgp_rib_peer_add(f->rib, &f->peer), 0);
	*state = f;
	return 0;
}

/* Also proves that every reference was given back. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	bgp_batch_unref(f->batch);
	bgp_rib_free(f->rib);
	int leaked = bgp_attr_table_len(f->attrs) != 0;
	bgp_attr_table_free(f->attrs);
	free(f);
	return leaked;
}

static void set(struct fixture *f, const char *prefix, const struct bgp_route_attrs *v)
{
	struct bgp_attr *a;
	struct prefix p = pfx(prefix);
	struct err e;

	assert_int_equal(bgp_attr_intern(f->attrs, v, &a, &e), 0);
	bgp_rib_set(f->rib, f->peer, &p, a);
	bgp_attr_unref(a);
}

static bool del(struct fixture *f, const char *prefix)
{
	struct prefix p = pfx(prefix);

	return bgp_rib_del(f->rib, f->peer, &p);
}

/* The next message; empty when there is none. */
static struct rd next(struct fixture *f)
{
	if (f->batch && f->at == f->batch->len) {
		bgp_batch_unref(f->batch);
		f->batch = NULL;
	}
	if (!f->batch) {
		f->batch = bgp_rib_take(f->rib, f->peer);
		f->at = 0;
	}
	if (!f->batch)
		return rd_from(NULL, 0);
	struct rd length = rd_from(f->batch->bytes + f->at + 16, 2);
	size_t len = rd_u16(&length);
	struct rd message = rd_from(f->batch->bytes + f->at, len);

	f->at += len;
	return message;
}

/* The next message has to be this vector. */
static void next_is(struct fixture *f, const char *vector)
{
	struct rd message = next(f);

	vector_is(vector, message.p, message.left);
}

static void nothing_follows(struct fixture *f)
{
	assert_int_equal(next(f).left, 0);
	assert_false(bgp_rib_pending(f->rib, f->peer));
}

static void drain(struct fixture *f)
{
	while (next(f).left > 0)
		;
}

static const struct bgp_route_attrs plain = { 0 };

static struct bgp_format external(uint8_t families)
{
	return (struct bgp_format){
		.as4 = true,
		.families = families,
		.local_as = 64512,
		.hop4 = ip("10.0.0.5"),
		.hop6 = ip("2001:db8::5"),
	};
}

static void external_announcement(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	set(f, "192.0.2.10/32", &plain);
	nothing_follows(f);
	bgp_rib_up(f->rib, f->peer, &format);
	next_is(f, "update_ebgp.hex");
	next_is(f, "eor_v4.hex");
	nothing_follows(f);
}

static void internal_announcement(void **state)
{
	static const uint32_t community[] = { 64512U << 16 | 1234 };
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	const struct bgp_route_attrs v = {
		.has_local_pref = true,
		.local_pref = 100,
		.communities = community,
		.n_communities = 1,
	};

	format.ibgp = true;
	bgp_rib_up(f->rib, f->peer, &format);
	next_is(f, "eor_v4.hex");
	set(f, "192.0.2.0/24", &v);
	next_is(f, "update_ibgp.hex");
	nothing_follows(f);
}

static void withdrawal(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	set(f, "192.0.2.10/32", &plain);
	set(f, "192.0.2.0/24", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	drain(f);
	assert_true(del(f, "192.0.2.10/32"));
	assert_true(del(f, "192.0.2.0/24"));
	assert_false(del(f, "192.0.2.0/24"));
	next_is(f, "update_withdraw.hex");
	nothing_follows(f);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).wanted, 0);
}

static void old_speakers_get_as4_path(void **state)
{
	static const uint32_t path[] = { 65000 };
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	const struct bgp_route_attrs v = {
		.prepend = 2,
		.as_path = path,
		.n_as_path = 1,
		.has_med = true,
		.med = 7,
	};

	format.as4 = false;
	format.local_as = 4200000001;
	set(f, "192.0.2.10/32", &v);
	bgp_rib_up(f->rib, f->peer, &format);
	next_is(f, "update_as4_path.hex");
}

static void ipv6(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V6);

	set(f, "2001:db8:1::/48", &plain);
	set(f, "2001:db8::a/128", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	next_is(f, "update_v6.hex");
	next_is(f, "eor_v6.hex");
	del(f, "2001:db8:1::/48");
	next_is(f, "update_v6_withdraw.hex");
	nothing_follows(f);
}

static void what_undoes_itself_is_not_sent(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	const struct bgp_route_attrs med = { .has_med = true };

	set(f, "192.0.2.10/32", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	drain(f);
	set(f, "192.0.2.10/32", &med);
	set(f, "192.0.2.10/32", &plain);
	nothing_follows(f);
	del(f, "192.0.2.10/32");
	set(f, "192.0.2.10/32", &plain);
	nothing_follows(f);
	set(f, "198.51.100.0/24", &plain);
	del(f, "198.51.100.0/24");
	nothing_follows(f);
}

/* Nobody sees what was written before the session is up. */
static void what_is_prepared_waits(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	set(f, "192.0.2.10/32", &plain);
	bgp_rib_prepare(f->rib, f->peer, &format);
	nothing_follows(f);
	assert_null(bgp_rib_format(f->rib, f->peer));
	assert_int_equal(bgp_rib_count(f->rib, f->peer).sent, 0);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).pending, 1);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).queued_bytes, 0);
	bgp_rib_refresh(f->rib, f->peer, BGP_V4);
	bgp_rib_up(f->rib, f->peer, NULL);
	next_is(f, "update_ebgp.hex");
	next_is(f, "eor_v4.hex");
	nothing_follows(f);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).sent, 1);
}

/* It has to be true, and End-of-RIB stands behind all of it. */
static void what_is_prepared_changes(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	unsigned other;

	assert_int_equal(bgp_rib_peer_add(f->rib, &other), 0);
	set(f, "198.51.100.0/24", &plain);
	bgp_rib_prepare(f->rib, f->peer, &format);
	del(f, "198.51.100.0/24");
	bgp_rib_prepare(f->rib, other, &format);
	assert_int_equal(bgp_rib_groups(f->rib), 1);
	set(f, "192.0.2.10/32", &plain);
	bgp_rib_up(f->rib, f->peer, NULL);
	next_is(f, "update_ebgp.hex");
	next_is(f, "eor_v4.hex");
	nothing_follows(f);
	bgp_rib_up(f->rib, other, NULL);
	f->peer = other;
	next_is(f, "eor_v4.hex"); /* the route is the first peer's alone */
	nothing_follows(f);
}

static void what_is_prepared_may_be_in_vain(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	set(f, "192.0.2.10/32", &plain);
	bgp_rib_prepare(f->rib, f->peer, &format);
	bgp_rib_down(f->rib, f->peer);
	del(f, "192.0.2.10/32");
	bgp_rib_prepare(f->rib, f->peer, &format);
	bgp_rib_prepare(f->rib, f->peer, &format);
	bgp_rib_up(f->rib, f->peer, NULL);
	next_is(f, "eor_v4.hex");
	nothing_follows(f);
}

static void other_family_stays_silent(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	set(f, "2001:db8::/48", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	next_is(f, "eor_v4.hex");
	nothing_follows(f);
	struct bgp_rib_counts c = bgp_rib_count(f->rib, f->peer);
	assert_int_equal(c.silent, 1);
	assert_int_equal(c.pending, 0);
	assert_int_equal(c.sent, 0);
	/* The next session may carry it. */
	format = external(BGP_V4 | BGP_V6);
	bgp_rib_up(f->rib, f->peer, &format);
	drain(f);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).sent, 1);
}

static void refresh_sends_again_and_still_withdraws(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	set(f, "192.0.2.10/32", &plain);
	set(f, "192.0.2.0/24", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	drain(f);
	bgp_rib_refresh(f->rib, f->peer, BGP_V6);
	nothing_follows(f);
	bgp_rib_refresh(f->rib, f->peer, BGP_V4);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).pending, 2);
	del(f, "192.0.2.0/24");
	next_is(f, "update_ebgp.hex");
	assert_true(next(f).left > 0);
	nothing_follows(f);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).sent, 1);
}

/* RFC 7313: what answers a request stands between two marks. */
static void refresh_is_marked_where_both_know_that(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	uint8_t want[64];

	format.enhanced_refresh = true;
	set(f, "192.0.2.10/32", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	drain(f);
	bgp_rib_refresh(f->rib, f->peer, BGP_V4);
	struct rd begin = next(f);
	size_t len =
		unhex("ffffffffffffffffffffffffffffffff 0017 05 0001 01 01", want, sizeof(want));
	assert_int_equal(begin.left, len);
	assert_memory_equal(begin.p, want, len);
	next_is(f, "update_ebgp.hex");
	struct rd end = next(f);
	want[21] = 2;
	assert_int_equal(end.left, len);
	assert_memory_equal(end.p, want, len);
	nothing_follows(f);
}

/* RFC 8950: IPv4 routes whose next hop is an IPv6 address stand in MP_REACH_NLRI. */
static void ipv4_by_an_ipv6_next_hop(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	struct bgp_update update;
	struct bgp_fault fault;
	struct prefix p;

	format.hop4 = ip("2001:db8::5");
	set(f, "192.0.2.10/32", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	struct rd message = next(f);
	rd_skip(&message, BGP_HEADER_LEN);
	assert_int_equal(bgp_update_decode(message, true, false, &update, &fault), BGP_VERDICT_OK);
	assert_int_equal(update.reach_afi, BGP_AFI_V4);
	assert_int_equal(update.reach_hop.left, 16);
	assert_memory_equal(update.reach_hop.p, format.hop4.b, 16);
	assert_true(bgp_nlri_next(&update.reach_nlri, FAMILY_V4, &p));
	assert_string_equal(PREFIX_TEXT(&p), "192.0.2.10/32");
	next_is(f, "eor_v4.hex");
	set(f, "192.0.2.0/24", &plain);
	drain(f);
	assert_true(del(f, "192.0.2.10/32"));
	assert_true(del(f, "192.0.2.0/24"));
	next_is(f, "update_withdraw.hex");
}

static void extended_messages_are_full(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	size_t messages = 0;
	char text[32];

	format.extended_message = true;
	for (int i = 0; i < 30000; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.0/24", i / 256, i % 256);
		set(f, text, &plain);
	}
	bgp_rib_up(f->rib, f->peer, &format);
	for (struct rd m; (m = next(f)).left > 0; messages++)
		assert_true(m.left > BGP_MSG_EXTENDED_MAX - 4 || messages >= 1);
	assert_int_equal(messages, 3); /* 120,000 bytes of prefixes, and End-of-RIB */
}

/* RFC 9234 §5: what a provider, a peer or a route server says is only for customers. */
static void routes_may_be_only_to_customer(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	const uint8_t want[] = { 0xc0, 35, 4, 0, 0, 0xfc, 0 };

	format.otc = true;
	set(f, "192.0.2.10/32", &plain);
	bgp_rib_up(f->rib, f->peer, &format);
	struct rd m = next(f);
	assert_memory_equal(m.p + m.left - 5 - sizeof(want), want, sizeof(want));
}

/* After a restart End-of-RIB waits until all is known that was announced before. */
static void end_of_rib_may_wait(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);

	bgp_rib_hold_marks(f->rib, true);
	bgp_rib_up(f->rib, f->peer, &format);
	nothing_follows(f);
	set(f, "192.0.2.10/32", &plain);
	next_is(f, "update_ebgp.hex");
	nothing_follows(f);
	bgp_rib_hold_marks(f->rib, false);
	assert_true(bgp_rib_pending(f->rib, f->peer));
	next_is(f, "eor_v4.hex");
	nothing_follows(f);
}

static void leaving_marks_all_routes(void **state)
{
	static const uint32_t community[] = { 64512U << 16 | 1, 0xffff0000U };
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	const uint8_t marked[] = { 0xc0, 8, 4, 0xff, 0xff, 0, 0 };
	const uint8_t both[] = { 0xc0, 8, 8, 0xfc, 0, 0, 1, 0xff, 0xff, 0, 0 };
	const struct bgp_route_attrs v[] = {
		{ 0 },
		{ .communities = community, .n_communities = 1 },
		{ .communities = community, .n_communities = 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		set(f, "192.0.2.10/32", &v[i]);
		format.leaving = false;
		bgp_rib_up(f->rib, f->peer, &format);
		drain(f);
		format.leaving = true;
		bgp_rib_reformat(f->rib, f->peer, &format);
		struct rd m = next(f);
		const uint8_t *want = i == 0 ? marked : both;
		size_t len = i == 0 ? sizeof(marked) : sizeof(both);
		assert_memory_equal(m.p + m.left - 5 - len, want, len);
		nothing_follows(f);
		bgp_rib_down(f->rib, f->peer);
	}
}

static void messages_are_full(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V4);
	size_t messages = 0;

	for (unsigned i = 0; i < 10000; i++) {
		char text[PREFIX_TEXT_MAX];

		snprintf(text, sizeof(text), "10.%u.%u.1/32", i / 250, i % 250);
		set(f, text, &plain);
	}
	bgp_rib_up(f->rib, f->peer, &format);
	while (next(f).left > 0)
		messages++;
	/* 43 bytes of overhead leave room for 810 prefixes of 5 bytes; the last one is End-of-RIB. */
	assert_int_equal(messages, 10000 / 810 + 1 + 1);
}

static void largest_attributes_leave_room(void **state)
{
	struct fixture *f = *state;
	struct bgp_format format = external(BGP_V6);
	uint32_t *many = mem_new_n(uint32_t, 950);

	for (uint32_t i = 0; i < 950; i++)
		many[i] = i;
	set(f, "2001:db8::1/128",
	    &(struct bgp_route_attrs){ .communities = many, .n_communities = 950 });
	format.hop6_ll = ip("fe80::1");
	bgp_rib_up(f->rib, f->peer, &format);
	assert_true(next(f).left > 3800);
	assert_int_equal(bgp_rib_count(f->rib, f->peer).sent, 1);
	free(many);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(external_announcement),
		TEST(internal_announcement),
		TEST(withdrawal),
		TEST(old_speakers_get_as4_path),
		TEST(ipv6),
		TEST(what_undoes_itself_is_not_sent),
		TEST(what_is_prepared_waits),
		TEST(what_is_prepared_changes),
		TEST(what_is_prepared_may_be_in_vain),
		TEST(other_family_stays_silent),
		TEST(refresh_sends_again_and_still_withdraws),
		TEST(refresh_is_marked_where_both_know_that),
		TEST(ipv4_by_an_ipv6_next_hop),
		TEST(extended_messages_are_full),
		TEST(routes_may_be_only_to_customer),
		TEST(end_of_rib_may_wait),
		TEST(leaving_marks_all_routes),
		TEST(messages_are_full),
		TEST(largest_attributes_leave_room),
	};

	return cmocka_run_group_tests_name("adj-rib-out", tests, NULL, NULL);
}
