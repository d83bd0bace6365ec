#include "base/time.h"

#include <string.h>

#include "support.h"

#define BAD  INT64_MIN /* stands for "refused" */
#define HOUR INT64_C(3600000000000)

struct parse_case {
	const char *name; /* the text */
	int64_t ns;
};

static const struct parse_case parse_cases[] = {
	{ "0", 0 },
	{ "-0", 0 },
	{ "+0", 0 },
	{ "0s", 0 },
	{ "5s", 5000000000 },
	{ "+5s", 5000000000 },
	{ "-5s", -5000000000 },
	{ "90s", 90000000000 },
	{ "1m30s", 90000000000 },
	{ "300ms", 300000000 },
	{ "3.3ms", 3300000 },
	{ "1.5h", HOUR * 3 / 2 },
	{ "5.s", 5000000000 },
	{ ".5s", 500000000 },
	{ "-.5s", -500000000 },
	{ "1.0s", 1000000000 },
	{ "1.004s", 1004000000 },
	{ "100.00100s", 100001000000 },
	{ "10ns", 10 },
	{ "11us", 11000 },
	{ "12\xc2\xb5s", 12000 },
	{ "12\xce\xbcs", 12000 },
	{ "13ms", 13000000 },
	{ "14s", 14000000000 },
	{ "15m", 900000000000 },
	{ "16h", 16 * HOUR },
	{ "3h30m", 3 * HOUR + HOUR / 2 },
	{ "30m3h", 3 * HOUR + HOUR / 2 },
	{ "10.5s4m", 250500000000 },
	{ "-2m3.4s", -123400000000 },
	{ "1h2m3s4ms5us6ns", HOUR + 123004005006 },
	{ "39h9m14.425s", 39 * HOUR + 554425000000 },
	{ "52763797000ns", 52763797000 },
	{ "0.3333333333333333333h", 1200000000000 },
	{ "0.100000000000000000000h", 360000000000 },
	{ "0.830103483285477580700h", 2988372539827 },
	{ "9007199254740993ns", 9007199254740993 },
	{ "9223372036854775807ns", INT64_MAX },
	{ "9223372036854775.807us", INT64_MAX },
	{ "9223372036s854ms775us807ns", INT64_MAX },
	{ "-9223372036854775807ns", -INT64_MAX },
	{ "", BAD },
	{ "3", BAD },
	{ "-", BAD },
	{ "+", BAD },
	{ "s", BAD },
	{ ".", BAD },
	{ "-.", BAD },
	{ ".s", BAD },
	{ "+.s", BAD },
	{ "1d", BAD },
	{ "1S", BAD },
	{ "1 s", BAD },
	{ "1s ", BAD },
	{ " 1s", BAD },
	{ "1s1", BAD },
	{ "1s-1s", BAD },
	{ "--1s", BAD },
	{ "1..5s", BAD },
	{ "1e3s", BAD },
	{ "0x1s", BAD },
	{ "1msx", BAD },
	{ "9223372036854775808ns", BAD },
	{ "9223372036854775.808us", BAD },
	{ "9223372036854ms775us808ns", BAD },
	{ "3000000h", BAD },
	{ "99999999999999999999s", BAD },
	{ "9223372036854775807ns9223372036854775807ns", BAD },
	{ "-9223372036854775809ns", BAD },
};

static void parses(void **state)
{
	const struct parse_case *c = *state;
	struct dur d = DUR_NS(77);

	assert_int_equal(dur_parse(c->name, &d), c->ns == BAD ? -1 : 0);
	assert_true(d.ns == (c->ns == BAD ? 77 : c->ns));
}

struct format_case {
	const char *name; /* the text */
	int64_t ns;
};

static const struct format_case format_cases[] = {
	{ "0s", 0 },
	{ "1ns", 1 },
	{ "999ns", 999 },
	{ "1.1\xc2\xb5s", 1100 },
	{ "2.2ms", 2200000 },
	{ "300ms", 300000000 },
	{ "3.3s", 3300000000 },
	{ "59.999999999s", 59999999999 },
	{ "1m0s", 60000000000 },
	{ "1m30s", 90000000000 },
	{ "4m5.001s", 245001000000 },
	{ "1h0m0s", HOUR },
	{ "5h6m7.001s", 5 * HOUR + 367001000000 },
	{ "8m0.000000001s", 480000000001 },
	{ "-1.5s", -1500000000 },
	{ "-1m30s", -90000000000 },
	{ "2562047h47m16.854775807s", INT64_MAX },
	{ "-2562047h47m16.854775808s", INT64_MIN },
};

static void formats(void **state)
{
	const struct format_case *c = *state;
	struct dur back;

	assert_string_equal(DUR_TEXT(DUR_NS(c->ns)), c->name);
	assert_int_equal(dur_parse(c->name, &back), 0);
	assert_true(back.ns == c->ns);
}

static void the_clock_moves_on(void **state)
{
	struct mono a = mono_clock();
	struct mono b = mono_clock();

	(void)state;
	assert_false(mono_before(b, a));
	assert_true(mono_before(b, MONO_NEVER));
	assert_true(mono_add(a, DUR_MS(5)).ns - a.ns == 5000000);
}

static void wall_texts(void **state)
{
	char now[WALL_TEXT_MAX], then[WALL_TEXT_MAX];

	(void)state;
	wall_now_text(now);
	assert_int_equal(strlen(now), strlen("2006-01-02T15:04:05.000Z"));
	assert_int_equal(now[10], 'T');
	assert_int_equal(now[23], 'Z');
	wall_text_of(mono_add(mono_clock(), DUR_S(-86400)), then);
	assert_int_equal(strlen(then), strlen(now));
	assert_true(strcmp(then, now) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_moves_on),
		cmocka_unit_test(wall_texts),
	};
	int failed = cmocka_run_group_tests_name("time", tests, NULL, NULL);

	failed += RUN_TABLE("parse", parse_cases, parses);
	failed += RUN_TABLE("format", format_cases, formats);
	return failed;
}
