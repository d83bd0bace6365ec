#include "alloc/table.h"

#include "base/rng.h"
#include "unit/world/fixture.h"

static struct alloc_entry entry(const char *service, const struct addr *addr, uint64_t epoch,
				const char *node)
{
	return (struct alloc_entry){ .service = service,
				     .addresses = addr,
				     .n = addr ? 1 : 0,
				     .epoch = epoch,
				     .node = node };
}

static void the_higher_epoch_wins(void **state)
{
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	struct addr one = fx_addr("192.0.2.1"), two = fx_addr("192.0.2.2");
	struct alloc_entry first = entry("web", &one, 3, "b"), later = entry("web", &two, 4, "c");
	struct alloc_entry lower = entry("web", &one, 4, "a"), gone = entry("web", NULL, 5, "z");

	(void)state;
	assert_int_equal(alloc_table_put(t, &first), 1);
	assert_int_equal(alloc_table_put(t, &first), 0);
	assert_int_equal(alloc_table_put(t, &later), 1);
	assert_int_equal(alloc_table_put(t, &first), 0);
	assert_string_equal(alloc_table_find(t, "web")->node, "c");
	assert_int_equal(alloc_table_put(t, &lower), 1);
	assert_string_equal(alloc_table_find(t, "web")->node, "a");
	assert_int_equal(alloc_table_put(t, &gone), 1);
	assert_int_equal(alloc_table_put(t, &lower), 0);
	assert_int_equal(alloc_table_find(t, "web")->n, 0);
	assert_int_equal(alloc_table_epoch(t), 5);
}

static void what_the_floor_buried_does_not_return(void **state)
{
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	CLEANUP(alloc_table_freep) struct alloc_table *absent = alloc_table_new();
	struct addr one = fx_addr("192.0.2.1");
	struct alloc_entry old = entry("old", &one, 3, "b"), late = entry("late", &one, 4, "b");

	(void)state;
	assert_int_equal(alloc_table_put(absent, &old), 1);
	assert_int_equal(alloc_table_merge(t, absent), 1);
	assert_int_equal(alloc_table_put(t, &late), 1);
	assert_int_equal(alloc_table_raise(t, 3), 1);
	assert_int_equal(alloc_table_raise(t, 3), 0);
	assert_int_equal(alloc_table_raise(t, 2), 0);
	assert_null(alloc_table_find(t, "old"));
	assert_non_null(alloc_table_find(t, "late"));
	assert_int_equal(alloc_table_put(t, &old), 0);
	assert_int_equal(alloc_table_merge(t, absent), 0);
	assert_int_equal(alloc_table_merge(absent, t), 1);
	assert_null(alloc_table_find(absent, "old"));
	assert_true(alloc_table_eq(t, absent));
}

enum { TABLES = 4 };

static struct alloc_table *random_table(struct rng *rng)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	static const char *const keys[] = { NULL, "k" };
	struct alloc_table *t = alloc_table_new();

	for (size_t i = 0; i < 12; i++) {
		struct addr addr = addr_v4(10, 0, 0, (uint8_t)rng_below(rng, 4));
		struct addr past = addr_v4(10, 0, 1, (uint8_t)rng_below(rng, 2));
		struct alloc_entry e = entry(
			names[rng_below(rng, ARRAY_LEN(names))], rng_below(rng, 4) ? &addr : NULL,
			1 + rng_below(rng, 4), names[rng_below(rng, ARRAY_LEN(names))]);

		e.sharing_key = keys[rng_below(rng, 2)];
		e.past = &past;
		e.n_past = rng_below(rng, 2);
		e.left_s = (int64_t)(e.n_past * (1 + rng_below(rng, 2)));
		assert_true(alloc_table_put(t, &e) >= 0);
	}
	if (rng_below(rng, 4) == 0)
		(void)alloc_table_raise(t, rng_below(rng, 3));
	return t;
}

/* Commutative, associative, idempotent: what gossip needs. */
static void any_order_of_merging_ends_alike(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (size_t round = 0; round < 500; round++) {
		struct alloc_table *tables[TABLES], *in_order = alloc_table_new();
		struct alloc_table *anyhow = alloc_table_new();

		for (size_t i = 0; i < TABLES; i++) {
			tables[i] = random_table(&rng);
			(void)alloc_table_merge(in_order, tables[i]);
		}
		for (size_t i = 0; i < 40; i++)
			(void)alloc_table_merge(anyhow, tables[rng_below(&rng, TABLES)]);
		for (size_t i = TABLES; i > 0; i--)
			(void)alloc_table_merge(anyhow, tables[i - 1]);
		assert_true(alloc_table_eq(in_order, anyhow));
		assert_int_equal(alloc_table_merge(anyhow, in_order), 0);
		for (size_t i = 0; i < TABLES; i++)
			alloc_table_free(tables[i]);
		alloc_table_free(in_order);
		alloc_table_free(anyhow);
	}
}

static void text_and_back(void **state)
{
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	CLEANUP(alloc_table_freep) struct alloc_table *back = NULL;
	struct addr pair[] = { fx_addr("192.0.2.1"), fx_addr("2001:db8::1") };
	struct addr past = fx_addr("192.0.2.9");
	struct alloc_entry web = { .service = "web",
				   .addresses = pair,
				   .n = 2,
				   .sharing_key = "k",
				   .epoch = 7,
				   .node = "a" };
	struct alloc_entry dns = { .service = "dns",
				   .epoch = 9,
				   .node = "b",
				   .past = &past,
				   .n_past = 1,
				   .left_s = 1700000000 };
	struct err e;

	(void)state;
	assert_int_equal(alloc_table_put(t, &web), 1);
	assert_int_equal(alloc_table_put(t, &dns), 1);
	assert_int_equal(alloc_table_raise(t, 6), 1);
	json_t *json = alloc_table_encode(t);
	char *text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text,
			    "{\"version\":1,\"entries\":[{\"floor\":6},"
			    "{\"service\":\"dns\",\"addresses\":[],\"epoch\":9,\"node\":\"b\","
			    "\"past\":[\"192.0.2.9\"],\"left\":1700000000},"
			    "{\"service\":\"web\",\"addresses\":[\"192.0.2.1\",\"2001:db8::1\"],"
			    "\"sharing-key\":\"k\",\"epoch\":7,\"node\":\"a\"}]}");
	assert_int_equal(alloc_table_parse(text, strlen(text), &back, &e), 0);
	assert_true(alloc_table_eq(t, back));
	free(text);
	json_decref(json);
}

static const struct refusal {
	const char *name;
	const char *text;
	const char *error; /* a part of it */
} refusals[] = {
	{ "not JSON", "{", "allocations: line 1" },
	{ "another version", "{\"version\":2,\"entries\":[]}", "version" },
	{ "no entries", "{\"version\":1}", "entries are missing" },
	{ "a list", "[]", "version" },
	{ "nameless", "{\"version\":1,\"entries\":[{\"node\":\"a\",\"epoch\":1,\"addresses\":[]}]}",
	  "entries[0]: service and node" },
	{ "no epoch",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"addresses\":[]}]}",
	  "epoch is out of range" },
	{ "epoch too high",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"addresses\":[],"
	  "\"epoch\":9007199254740993}]}",
	  "epoch is out of range" },
	{ "no list",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,"
	  "\"addresses\":\"10.0.0.1\"}]}",
	  "no list" },
	{ "bad address",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,"
	  "\"addresses\":[\"10.0.0.1\",\"10.0.0\"]}]}",
	  "addresses[1] is no address" },
	{ "too many addresses",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,\"addresses\":"
	  "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}]}",
	  "at most 16" },
	{ "a past without its end",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,"
	  "\"addresses\":[],\"past\":[\"10.0.0.1\"]}]}",
	  "past is empty or without its end" },
	{ "a past that is no list",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,"
	  "\"addresses\":[],\"past\":1,\"left\":1}]}",
	  "past: no list" },
	{ "an end before all time",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,"
	  "\"addresses\":[],\"left\":-1}]}",
	  "left is out of range" },
	{ "a floor above all", "{\"version\":1,\"entries\":[{\"floor\":9007199254740992}]}",
	  "floor is out of range" },
	{ "empty key",
	  "{\"version\":1,\"entries\":[{\"service\":\"s\",\"node\":\"a\",\"epoch\":1,"
	  "\"sharing-key\":\"\",\"addresses\":[]}]}",
	  "sharing-key" },
};

static void refused(void **state)
{
	const struct refusal *r = *state;
	struct alloc_table *t = NULL;
	struct err e = { 0 };

	assert_true(alloc_table_parse(r->text, strlen(r->text), &t, &e) < 0);
	assert_null(t);
	if (!strstr(e.text, r->error))
		fail_msg("wanted '%s', got '%s'", r->error, e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_higher_epoch_wins),
		cmocka_unit_test(what_the_floor_buried_does_not_return),
		cmocka_unit_test(any_order_of_merging_ends_alike),
		cmocka_unit_test(text_and_back),
	};
	int failed = RUN_TABLE("tables refused", refusals, refused);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
