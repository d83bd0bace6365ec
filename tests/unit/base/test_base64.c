#include "base/base64.h"

#include <string.h>

#include "support.h"

/* RFC 4648 §10. */
static const struct pair {
	const char *name, *text;
} pairs[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void there_and_back(void **state)
{
	const struct pair *c = *state;
	struct buf text = { 0 }, plain = { 0 };

	base64_encode(c->name, strlen(c->name), &text);
	assert_string_equal(buf_text(&text), c->text);
	assert_true(base64_decode(c->text, &plain));
	assert_string_equal(buf_text(&plain), c->name);
	buf_fini(&text);
	buf_fini(&plain);
}

static void every_byte(void **state)
{
	struct buf text = { 0 }, plain = { 0 };
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	base64_encode(bytes, sizeof(bytes), &text);
	assert_true(base64_decode(buf_text(&text), &plain));
	assert_int_equal(plain.len, sizeof(bytes));
	assert_memory_equal(plain.p, bytes, sizeof(bytes));
	buf_fini(&text);
	buf_fini(&plain);
}

static void what_is_none(void **state)
{
	static const char *const texts[] = {
		"Z", "Zg", "Zg=", "Zg==Zg==", "=Zg=", "Z!==", "Zm9v="
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf plain = { 0 };

		assert_false(base64_decode(texts[i], &plain));
		buf_fini(&plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_byte),
					    cmocka_unit_test(what_is_none) };

	return RUN_TABLE("base64", pairs, there_and_back) +
	       cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
