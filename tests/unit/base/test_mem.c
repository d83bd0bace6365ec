#include "base/mem.h"

#include <string.h>

#include "base/buf.h"
#include "support.h"

static void growing_keeps_what_is_there(void **state)
{
	int *v = NULL;
	size_t n = 0, cap = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		mem_grow(v, n, cap);
		v[n++] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	free(v);
}

static void nothing_is_not_null(void **state)
{
	(void)state;
	void *a = mem_zero(0, 8);
	void *b = mem_try(0, 0);
	assert_true(a && b);
	free(a);
	free(b);
	volatile size_t huge = SIZE_MAX / 2;
	assert_null(mem_try(huge, 4)); /* the product does not fit */
}

static void text(void **state)
{
	CLEANUP(mem_freep) char *a = mem_printf("%d-%s", 7, "x");
	CLEANUP(mem_freep) char *b = mem_strndup("abcdef", 3);
	char *c = mem_strdup("taken");
	char *taken = TAKE(c);

	(void)state;
	assert_string_equal(a, "7-x");
	assert_string_equal(b, "abc");
	assert_null(c);
	free(taken);
}

/* Pieces of all sizes: zeroed, aligned, apart from each other, and freed together. */
static void an_arena_hands_out_pieces(void **state)
{
	struct arena *a = arena_new();
	unsigned char *piece[300];
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(piece); i++) {
		size_t size = i % 7 == 0 ? i * 977 : i % 40;

		piece[i] = arena_zero(a, size, 1);
		assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(piece[i][k], 0);
		if (size)
			memset(piece[i], (int)i, size);
		total += size;
	}
	for (size_t i = 0; i < ARRAY_LEN(piece); i++) {
		size_t size = i % 7 == 0 ? i * 977 : i % 40;
		for (size_t k = 0; k < size; k++)
			assert_int_equal(piece[i][k], (unsigned char)i);
	}
	assert_true(arena_used(a) >= total);
	assert_null(arena_free(a));
	assert_null(arena_free(NULL));
}

static void a_small_arena_grows(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new_small(64);

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memset(arena_zero(a, 1 + i, 1), 0xff, 1 + i);
	assert_true(arena_used(a) >= 5050);
}

static void an_arena_copies_text(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();

	(void)state;
	assert_string_equal(arena_strdup(a, ""), "");
	assert_string_equal(arena_strndup(a, "abcdef", 2), "ab");
	assert_string_equal(arena_strndup(a, "ab", 20), "ab");
	assert_string_equal(arena_printf(a, "%05d", 42), "00042");
}

static void a_buffer_grows_and_is_consumed(void **state)
{
	CLEANUP(buf_fini) struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_text(&b), "");
	buf_consume(&b, 5);
	buf_puts(&b, "hello");
	buf_printf(&b, " %s %d", "world", 1);
	buf_append(&b, "\0x", 2);
	assert_int_equal(b.len, 15);
	assert_string_equal(buf_text(&b), "hello world 1");
	buf_consume(&b, 6);
	assert_string_equal(buf_text(&b), "world 1");
	buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "0123456789");
	assert_int_equal(strlen(buf_text(&b)), 10000);
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growing_keeps_what_is_there),
		cmocka_unit_test(nothing_is_not_null),
		cmocka_unit_test(text),
		cmocka_unit_test(an_arena_hands_out_pieces),
		cmocka_unit_test(a_small_arena_grows),
		cmocka_unit_test(an_arena_copies_text),
		cmocka_unit_test(a_buffer_grows_and_is_consumed),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
