/* The table of allocations among the members: what is refused, and how loudly. */
#include "app/allocation.h"

#include <string.h>

#include "app/events.h"
#include "support.h"

static size_t times_said(const struct events *ev, json_int_t *counted)
{
	json_t *list = events_list(ev), *event;
	size_t i, n = 0;

	*counted = 0;
	json_array_foreach(list, i, event)
	{
		if (strcmp(json_string_value(json_object_get(event, "event")),
			   "allocationsRefused") != 0)
			continue;
		*counted += json_integer_value(json_object_get(event, "times"));
		n++;
	}
	json_decref(list);
	return n;
}

static void refuse(struct allocation *al, int times)
{
	json_t *nonsense = json_pack("[i]", 1);

	for (int i = 0; i < times; i++)
		assert_false(allocation_merge(al, nonsense));
	json_decref(nonsense);
}

static void a_member_that_sends_nonsense_is_not_the_whole_log(void **state)
{
	struct loop *loop = loop_new_virtual();
	struct world *world = world_new("a");
	struct events *ev = events_new();
	struct allocation *al;
	json_int_t counted;

	(void)state;
	assert_int_equal(allocation_new(loop, world, "/nonexistent/table.json",
					&(struct allocation_hooks){ 0 }, &al, NULL),
			 0);
	refuse(al, 1);
	assert_int_equal(times_said(ev, &counted), 1);
	refuse(al, 1000);
	assert_int_equal(times_said(ev, &counted), 1);
	loop_advance(loop, DUR_S(61));
	refuse(al, 1);
	assert_int_equal(times_said(ev, &counted), 2);
	assert_int_equal(counted, 1002);
	allocation_free(al);
	events_free(ev);
	world_free(world);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_that_sends_nonsense_is_not_the_whole_log),
	};

	return cmocka_run_group_tests_name("allocation", tests, NULL, NULL);
}
