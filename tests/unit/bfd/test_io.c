#include "bfd/io.h"
#include "support.h"

#define WALL_NS INT64_C(1700000000000000000)
#define NOW_NS	INT64_C(5000000000)
#define MS	INT64_C(1000000)

/* ---- design 7.15: what a stamp of the real-time clock is worth ---- */

struct arrival_case {
	const char *name;
	int64_t stamp_ns;
	int64_t since_last_ns;
	int64_t want_ns; /* on the loop's clock */
};

static const struct arrival_case arrival_cases[] = {
	{ "just now", WALL_NS, 10 * MS, NOW_NS },
	{ "waited", WALL_NS - 7 * MS, 10 * MS, NOW_NS - 7 * MS },
	{ "waited since the last wake-up", WALL_NS - 10 * MS, 10 * MS, NOW_NS - 10 * MS },
	{ "arrived while we read", WALL_NS + 1 * MS, 10 * MS, NOW_NS },
	{ "no stamp", 0, 10 * MS, NOW_NS },
	{ "the clock stepped an hour ahead", WALL_NS - 3600000 * MS, 10 * MS, NOW_NS - 10 * MS },
	{ "the clock stepped an hour back", WALL_NS + 3600000 * MS, 10 * MS, NOW_NS },
};

static void arrivals(void **state)
{
	const struct arrival_case *c = *state;
	struct bfd_wakeup w = { { NOW_NS }, WALL_NS, { c->since_last_ns } };

	assert_int_equal(bfd_arrival(&w, c->stamp_ns).ns, c->want_ns);
}

int main(void)
{
	return RUN_TABLE("bfd arrival", arrival_cases, arrivals);
}
