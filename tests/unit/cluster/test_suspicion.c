#include "cluster/suspicion.h"

#include "support.h"

struct wait_case {
	const char *name;
	size_t members;
	unsigned confirmations;
	int64_t want_ms;
};

/* LAN: multiplier 4, at most 6 times as long, probes each second. */
static const struct wait_case cases[] = {
	{ "three: nobody can confirm", 3, 0, 4000 },
	{ "three, though somebody does", 3, 1, 4000 },
	{ "four, alone", 4, 0, 24000 },
	{ "four, one confirms", 4, 1, 11381 },
	{ "four, two confirm", 4, 2, 4000 },
	{ "four, a third changes nothing", 4, 3, 4000 },
	{ "a hundred, alone", 100, 0, 48000 },
	{ "a hundred, two confirm", 100, 2, 8000 },
	{ "fifty, two confirm", 50, 2, 6792 },
	{ "none is known", 0, 0, 4000 },
};

static void waits(void **state)
{
	const struct wait_case *c = *state;
	static const char *const others[] = { "b", "c", "d" };
	struct suspicion s;
	struct mono now = { .ns = 1000 };

	suspicion_start(&s, "a", c->members, 4, 6, DUR_S(1), now);
	for (unsigned i = 0; i < c->confirmations; i++)
		suspicion_confirm(&s, others[i]);
	assert_int_equal(dur_ms(mono_sub(s.at, now)), c->want_ms);
}

static void nobody_counts_twice(void **state)
{
	struct suspicion s;

	(void)state;
	suspicion_start(&s, "a", 10, 4, 6, DUR_S(1), (struct mono){ 0 });
	assert_false(suspicion_confirm(&s, "a"));
	assert_true(suspicion_confirm(&s, "b"));
	assert_false(suspicion_confirm(&s, "b"));
	assert_true(suspicion_confirm(&s, "c"));
	assert_false(suspicion_confirm(&s, "d")); /* enough */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nobody_counts_twice) };

	return RUN_TABLE("suspicion waits", cases, waits) +
	       cmocka_run_group_tests_name("suspicion", tests, NULL, NULL);
}
