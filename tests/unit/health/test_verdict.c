#include "health/verdict.h"
#include "support.h"

/* '+' is a good probe, '-' a bad one; after them the verdict, and how often it changed on the way. */
static const struct verdict_case {
	const char *name;
	uint32_t rise, fall;
	const char *probes;
	bool healthy;
	unsigned changes;
} cases[] = {
	{ "nothing yet is not healthy", 2, 3, "", false, 0 },
	{ "one good probe is not enough", 2, 3, "+", false, 0 },
	{ "rise reached", 2, 3, "++", true, 1 },
	{ "good ones must stand in a row", 2, 3, "+-+", false, 0 },
	{ "two bad ones are forgiven", 2, 3, "++--+", true, 1 },
	{ "fall reached", 2, 3, "++---", false, 2 },
	{ "bad ones must stand in a row", 2, 3, "++--+--+", true, 1 },
	{ "and back again", 2, 3, "++---++", true, 3 },
	{ "rise and fall of one follow each probe", 1, 1, "+-+-", false, 4 },
};

static void judges(void **state)
{
	const struct verdict_case *c = *state;
	struct health_verdict v = { .rise = c->rise, .fall = c->fall };
	unsigned changes = 0;

	for (const char *p = c->probes; *p; p++)
		changes += health_verdict_take(&v, *p == '+');
	assert_int_equal(v.healthy, c->healthy);
	assert_int_equal(changes, c->changes);
}

int main(void)
{
	return RUN_TABLE("health/verdict", cases, judges);
}
