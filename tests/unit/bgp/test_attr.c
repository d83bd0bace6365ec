#include "bgp/attr.h"

#include "bgp/update.h"
#include "bgp_test.h"

static struct bgp_attr *intern(struct bgp_attr_table *t, const struct bgp_route_attrs *v)
{
	struct bgp_attr *a = NULL;
	struct err e;

	assert_int_equal(bgp_attr_intern(t, v, &a, &e), 0);
	return a;
}

static void equal_sets_are_one(void **state)
{
	static const uint32_t up[] = { 1, 2, 3 };
	static const uint32_t down[] = { 3, 1, 2, 2 };
	struct bgp_attr_table *t = bgp_attr_table_new();

	(void)state;
	struct bgp_attr *a = intern(t, &(struct bgp_route_attrs){
					       .communities = up,
					       .n_communities = 3,
				       });
	struct bgp_attr *b = intern(t, &(struct bgp_route_attrs){
					       .communities = down,
					       .n_communities = 4,
				       });
	assert_ptr_equal(a, b);
	assert_int_equal(bgp_attr_table_len(t), 1);
	bgp_attr_unref(a);
	assert_int_equal(bgp_attr_table_len(t), 1);
	bgp_attr_unref(b);
	assert_int_equal(bgp_attr_table_len(t), 0);
	bgp_attr_table_free(t);
}

static void different_sets_differ(void **state)
{
	static const uint32_t one[] = { 1 };
	static const struct bgp_large large[] = { { 0, 0, 1 } };
	static const uint64_t ext[] = { 1 };
	const struct bgp_route_attrs sets[] = {
		{ 0 },
		{ .origin = BGP_ORIGIN_INCOMPLETE },
		{ .has_local_pref = true },
		{ .has_med = true },
		{ .has_med = true, .med = 1 },
		{ .prepend = 1 },
		{ .next_hop = ip("10.0.0.1") },
		{ .as_path = one, .n_as_path = 1 },
		{ .communities = one, .n_communities = 1 },
		{ .large = large, .n_large = 1 },
		{ .ext = ext, .n_ext = 1 },
	};
	struct bgp_attr *interned[ARRAY_LEN(sets)];
	struct bgp_attr_table *t = bgp_attr_table_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		interned[i] = intern(t, &sets[i]);
	assert_int_equal(bgp_attr_table_len(t), ARRAY_LEN(sets));
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		bgp_attr_unref(interned[i]);
	bgp_attr_table_free(t);
}

static void values_that_are_not_sent_do_not_count(void **state)
{
	struct bgp_attr_table *t = bgp_attr_table_new();

	(void)state;
	struct bgp_attr *a = intern(t, &(struct bgp_route_attrs){ .med = 5, .local_pref = 7 });
	struct bgp_attr *b = intern(t, &(struct bgp_route_attrs){ 0 });
	assert_ptr_equal(a, b);
	bgp_attr_unref(a);
	bgp_attr_unref(b);
	bgp_attr_table_free(t);
}

static void too_large_is_refused(void **state)
{
	uint32_t *many = mem_new_n(uint32_t, 1000);
	struct bgp_attr_table *t = bgp_attr_table_new();
	struct bgp_attr *a = NULL;
	struct err e;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		many[i] = i;
	const struct bgp_route_attrs v = { .communities = many, .n_communities = 1000 };
	assert_int_equal(bgp_attr_intern(t, &v, &a, &e), -ERR_LIMIT);
	assert_null(a);
	bgp_attr_table_free(t);
	free(many);
}

static void long_paths_are_cut_into_segments(void **state)
{
	uint32_t path[300];
	uint8_t wire[2048];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_attr_table *t = bgp_attr_table_new();
	const struct bgp_format f = { .as4 = true, .local_as = 64512, .hop4 = ip("10.0.0.5") };

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		path[i] = i + 1;
	struct bgp_attr *a = intern(t, &(struct bgp_route_attrs){
					       .as_path = path,
					       .n_as_path = 300,
				       });
	bgp_attr_encode_v4(&w, a, &f);
	assert_false(w.bad);

	struct rd r = rd_from(wire, w.len);
	struct bgp_attr_view view;
	assert_true(bgp_attr_next(&r, &view));
	assert_true(bgp_attr_next(&r, &view));
	assert_int_equal(view.code, BGP_ATTR_AS_PATH);
	assert_int_equal(view.flags, BGP_FLAG_TRANSITIVE | BGP_FLAG_EXTENDED);
	assert_int_equal(view.value.left, 2 + 255 * 4 + 2 + 46 * 4);
	bgp_attr_unref(a);
	bgp_attr_table_free(t);
}

static void the_as_that_the_peer_takes_us_for_stands_before_our_own(void **state)
{
	uint8_t wire[256];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_attr_table *t = bgp_attr_table_new();
	const struct bgp_format f = {
		.as4 = true, .local_as = 65001, .real_as = 64512, .hop4 = ip("10.0.0.5")
	};
	struct bgp_attr *a = intern(t, &(struct bgp_route_attrs){ .prepend = 1 });

	(void)state;
	bgp_attr_encode_v4(&w, a, &f);

	struct rd r = rd_from(wire, w.len);
	struct bgp_attr_view view;
	assert_true(bgp_attr_next(&r, &view));
	assert_true(bgp_attr_next(&r, &view));
	assert_int_equal(view.code, BGP_ATTR_AS_PATH);
	assert_int_equal(rd_u8(&view.value), 2);
	assert_int_equal(rd_u8(&view.value), 3);
	assert_int_equal(rd_u32(&view.value), 65001);
	assert_int_equal(rd_u32(&view.value), 64512);
	assert_int_equal(rd_u32(&view.value), 64512);
	bgp_attr_unref(a);
	bgp_attr_table_free(t);
}

static void local_pref_is_for_internal_peers(void **state)
{
	struct bgp_attr_table *t = bgp_attr_table_new();
	struct bgp_attr *plain = intern(t, &(struct bgp_route_attrs){ 0 });
	struct bgp_attr *zero = intern(t, &(struct bgp_route_attrs){ .has_local_pref = true });
	const struct bgp_format internal = { .ibgp = true };
	const struct bgp_format external = { .ibgp = false };
	uint32_t pref = 7;

	(void)state;
	assert_false(bgp_attr_local_pref(zero, &external, &pref));
	assert_true(bgp_attr_local_pref(plain, &internal, &pref));
	assert_int_equal(pref, 100);
	assert_true(bgp_attr_local_pref(zero, &internal, &pref));
	assert_int_equal(pref, 0);
	bgp_attr_unref(plain);
	bgp_attr_unref(zero);
	bgp_attr_table_free(t);
}

static void next_hop_follows_the_family(void **state)
{
	struct bgp_attr_table *t = bgp_attr_table_new();
	struct bgp_attr *a = intern(t, &(struct bgp_route_attrs){ .next_hop = ip("192.0.2.1") });
	const struct bgp_format f = {
		.hop4 = ip("10.0.0.5"),
		.hop6 = ip("2001:db8::5"),
		.hop6_ll = ip("fe80::5"),
	};
	uint8_t wire[64];
	struct wr w = wr_to(wire, sizeof(wire));
	struct addr want4 = ip("192.0.2.1");
	struct addr hop4 = bgp_attr_hop(a, &f, FAMILY_V4);
	struct addr hop6 = bgp_attr_hop(a, &f, FAMILY_V6);

	(void)state;
	assert_true(addr_eq(&hop4, &want4));
	assert_true(addr_eq(&hop6, &f.hop6));
	bgp_attr_encode_mp_hop(&w, a, &f, FAMILY_V6);
	assert_int_equal(w.len, 33);
	assert_int_equal(wire[0], 32);
	assert_memory_equal(wire + 1, f.hop6.b, 16);
	assert_memory_equal(wire + 17, f.hop6_ll.b, 16);
	bgp_attr_unref(a);
	bgp_attr_table_free(t);
}

/* Between COMMUNITIES and those with higher codes; sorted, and each once. */
static void extended_communities_are_sent(void **state)
{
	static const uint64_t ext[] = { 0x4004fc004b3ebc20, 0x0002fc0000000064,
					0x4004fc004b3ebc20 };
	static const uint32_t community[] = { 1 };
	static const struct bgp_large large[] = { { 1, 2, 3 } };
	static const uint8_t want[] = { 0xc0, 16, 16,	0, 2,	 0xfc, 0,    0,	   0,	 0,  100,
					0x40, 4,  0xfc, 0, 0x4b, 0x3e, 0xbc, 0x20, 0xc0, 32, 12 };
	uint8_t wire[256];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_attr_table *t = bgp_attr_table_new();
	const struct bgp_format f = { .as4 = true, .local_as = 64512, .hop4 = ip("10.0.0.5") };
	struct bgp_attr *a = intern(t, &(struct bgp_route_attrs){
					       .communities = community,
					       .n_communities = 1,
					       .large = large,
					       .n_large = 1,
					       .ext = ext,
					       .n_ext = ARRAY_LEN(ext),
				       });

	(void)state;
	bgp_attr_encode_v4(&w, a, &f);
	assert_memory_equal(wire + w.len - 12 - sizeof(want), want, sizeof(want));
	bgp_attr_unref(a);
	bgp_attr_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_sets_are_one),
		cmocka_unit_test(different_sets_differ),
		cmocka_unit_test(values_that_are_not_sent_do_not_count),
		cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(long_paths_are_cut_into_segments),
		cmocka_unit_test(the_as_that_the_peer_takes_us_for_stands_before_our_own),
		cmocka_unit_test(local_pref_is_for_internal_peers),
		cmocka_unit_test(next_hop_follows_the_family),
		cmocka_unit_test(extended_communities_are_sent),
	};

	return cmocka_run_group_tests_name("bgp attributes", tests, NULL, NULL);
}
