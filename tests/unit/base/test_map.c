#include "base/map.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "support.h"

static void puts_gets_deletes(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();
	char a[] = "first";
	char b[] = "second";

	(void)state;
	assert_null(map_get(m, "x"));
	assert_null(map_put(m, "x", a));
	assert_ptr_equal(map_put(m, "x", b), a);
	assert_ptr_equal(map_get(m, "x"), b);
	assert_int_equal(map_len(m), 1);
	assert_null(map_del(m, "y"));
	assert_ptr_equal(map_del(m, "x"), b);
	assert_null(map_get(m, "x"));
	assert_int_equal(map_len(m), 0);
}

static void keys_of_any_bytes(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();
	char a[1], b[1], c[1];

	(void)state;
	map_put_bytes(m, "a\0b", 3, a);
	map_put_bytes(m, "a\0c", 3, b);
	map_put_bytes(m, "", 0, c);
	assert_ptr_equal(map_get_bytes(m, "a\0b", 3), a);
	assert_ptr_equal(map_get_bytes(m, "a\0c", 3), b);
	assert_ptr_equal(map_get(m, ""), c);
	assert_null(map_get(m, "a"));
}

static void walks_in_order_of_insertion(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();
	const char *key;
	const char *value;
	CLEANUP(buf_fini) struct buf seen = { 0 };

	(void)state;
	map_put(m, "zebra", "1");
	map_put(m, "ant", "2");
	map_put(m, "mole", "3");
	map_put(m, "zebra", "4"); /* keeps its place */
	map_del(m, "ant");
	map_put(m, "ant", "5"); /* gets a new one */
	MAP_EACH (m, key, value)
		buf_printf(&seen, "%s%s", key, value);
	assert_string_equal(buf_text(&seen), "zebra4mole3ant5");
}

static void a_walk_may_delete(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();
	const char *key;
	void *value;
	int seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "k%d", i);
		map_put(m, name, m);
	}
	MAP_EACH (m, key, value) {
		seen++;
		assert_ptr_equal(map_del(m, key), value);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(map_len(m), 0);
}

static void clear_frees_the_values(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();

	(void)state;
	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "k%d", i);
		free(map_put(m, name, mem_strdup(name)));
	}
	map_clear(m, free);
	assert_int_equal(map_len(m), 0);
	assert_null(map_get(m, "k1"));
	map_put(m, "k1", m);
	assert_ptr_equal(map_get(m, "k1"), m);
}

#define TWIN_KEYS 200

/* Random operations against the simplest twin: an array with a slot for each key. */
static void agrees_with_an_array(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();
	static char values[16];
	void *twin[TWIN_KEYS] = { 0 };
	size_t live = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	for (int i = 0; i < 50000; i++) {
		uint32_t k = (uint32_t)rng_below(&rng, TWIN_KEYS);
		void *v = &values[rng_below(&rng, sizeof(values))];
		void *had = twin[k];

		if (rng_below(&rng, 2)) {
			assert_ptr_equal(map_put_bytes(m, &k, sizeof(k), v), had);
			twin[k] = v;
			live += !had;
		} else {
			assert_ptr_equal(map_del_bytes(m, &k, sizeof(k)), had);
			twin[k] = NULL;
			live -= !!had;
		}
		assert_int_equal(map_len(m), live);
		k = (uint32_t)rng_below(&rng, TWIN_KEYS);
		assert_ptr_equal(map_get_bytes(m, &k, sizeof(k)), twin[k]);
	}
	size_t walked = 0;
	void *value;
	const char *key;
	MAP_EACH (m, key, value) {
		(void)key;
		assert_non_null(value);
		walked++;
	}
	assert_int_equal(walked, live);
}

static void grows_large(void **state)
{
	CLEANUP(map_freep) struct map *m = map_new();

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++)
		map_put_bytes(m, &i, sizeof(i), (void *)(uintptr_t)i);
	assert_int_equal(map_len(m), 20000);
	for (uint64_t i = 1; i <= 20000; i++)
		assert_true((uintptr_t)map_get_bytes(m, &i, sizeof(i)) == i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_gets_deletes),
		cmocka_unit_test(keys_of_any_bytes),
		cmocka_unit_test(walks_in_order_of_insertion),
		cmocka_unit_test(a_walk_may_delete),
		cmocka_unit_test(clear_frees_the_values),
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(grows_large),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
