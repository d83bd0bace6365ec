#include "app/foreign.h"

#include <string.h>

#include "support.h"

static const struct addr one = { .family = FAMILY_V4, .b = { 192, 0, 2, 1 } };
static const struct addr two = { .family = FAMILY_V4, .b = { 192, 0, 2, 2 } };

struct write_case {
	const char *name;
	const struct addr *had; /* we were content with; NULL: nothing */
	const struct addr *shown;
	const char *version; /* of a write of ours that may be carried out */
	bool foreign;
};

static const struct write_case writes[] = {
	{ "what we wrote", &one, &one, NULL, false },
	{ "another address", &one, &two, NULL, true },
	{ "nothing any more", &one, NULL, NULL, false },
	{ "an address where none was ours", NULL, &one, NULL, false },
	{ "another address, perhaps of our own write", &one, &two, "7", false },
};

static void who_wrote(void **state)
{
	const struct write_case *c = *state;
	char version[] = "7";
	struct held h = { .version = c->version ? version : NULL };
	struct world_service s = { .addresses = c->shown, .n_addresses = c->shown != NULL };

	if (c->had)
		h.has[h.n_has++] = *c->had;
	assert_int_equal(foreign_wrote(&h, &s), c->foreign);
}

static bool at(struct foreign *f, int64_t s)
{
	return foreign_count(f, (struct mono){ DUR_S(s).ns });
}

static void three_within_a_minute(void **state)
{
	struct foreign f = { 0 };

	(void)state;
	assert_false(at(&f, 1000));
	assert_false(at(&f, 1030));
	assert_false(at(&f, 1070)); /* the first was too long ago */
	assert_false(at(&f, 1080));
	assert_false(f.at_work);
	assert_true(at(&f, 1090));
	assert_true(f.at_work);
	assert_false(at(&f, 1091)); /* it was said */
	assert_true(f.at_work);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(three_within_a_minute) };

	return RUN_TABLE("foreign writes", writes, who_wrote) +
	       cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
