#include "app/events.h"

#include <fcntl.h>

#include "base/log.h"
#include "support.h"

struct ear {
	struct event_listener listener;
	struct event_listener *other; /* told to stop when the first event comes */
	size_t heard;
	json_int_t last;
};

static void on_heard(struct event_listener *l, json_t *event)
{
	struct ear *e = CONTAINER_OF(l, struct ear, listener);

	e->heard++;
	e->last = json_integer_value(json_object_get(event, "n"));
	if (e->other)
		events_unlisten(e->other);
	e->other = NULL;
}

static void say(size_t n)
{
	log_event(LOG_INFO, "test", "an event", KV_U64("n", n));
}

static json_int_t nth(const json_t *list, size_t i)
{
	return json_integer_value(json_object_get(json_array_get(list, i), "n"));
}

static void the_latest_are_kept_in_order(void **state)
{
	struct events *ev = events_new();

	(void)state;
	for (size_t n = 0; n < 2 * EVENTS_KEPT + 3; say(n++)) {
		if (n % 50 != 0)
			continue;
		json_t *list = events_list(ev);
		size_t kept = json_array_size(list);

		assert_int_equal(kept, MIN(n, EVENTS_KEPT));
		if (kept) {
			assert_int_equal(nth(list, 0), n - kept);
			assert_int_equal(nth(list, kept - 1), n - 1);
		}
		json_decref(list);
	}
	log_event(LOG_DEBUG, "test", "too small to keep", KV_U64("n", 9999));
	json_t *list = events_list(ev);
	assert_int_equal(nth(list, EVENTS_KEPT - 1), 2 * EVENTS_KEPT + 2);
	events_free(ev);
	/* What was taken stays the taker's. */
	assert_int_equal(nth(list, 0), EVENTS_KEPT + 3);
	json_decref(list);
}

static void listeners_come_and_go(void **state)
{
	struct events *ev = events_new();
	struct ear a = { .listener.heard = on_heard }, b = a;

	(void)state;
	events_listen(ev, &a.listener);
	say(1);
	events_listen(ev, &b.listener);
	say(2);
	assert_int_equal(a.heard, 2);
	assert_int_equal(b.heard, 1);
	b.other = &b.listener; /* from inside */
	say(3);
	say(4);
	assert_int_equal(a.last, 4);
	assert_int_equal(b.last, 3);
	events_unlisten(&a.listener);
	events_unlisten(&a.listener);
	say(5);
	assert_int_equal(a.last, 4);
	events_free(ev);
}

static void a_listener_may_outlive_the_events(void **state)
{
	struct events *ev = events_new();
	struct ear a = { .listener.heard = on_heard }, b = a;

	(void)state;
	events_listen(ev, &a.listener);
	events_listen(ev, &b.listener);
	assert_null(events_free(ev));
	say(1); /* nobody hears */
	assert_int_equal(a.heard, 0);
	events_unlisten(&a.listener);
	events_unlisten(&b.listener);
	assert_null(events_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_are_kept_in_order),
		cmocka_unit_test(listeners_come_and_go),
		cmocka_unit_test(a_listener_may_outlive_the_events),
	};

	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests_name("app/events", tests, NULL, NULL);
}
