#include "cluster/queue.h"

#include "support.h"

/* Take one packet of @budget bytes; the messages' first letters in the order of sending. */
static const char *take(struct queue *q, unsigned limit, size_t budget)
{
	static char letters[64];
	uint8_t room[2048];
	struct pack_batch b;
	size_t at = 0;

	pack_batch_init(&b, wr_to(room, sizeof(room)), budget);
	queue_take(q, limit, &b);
	for (unsigned i = 0; i < b.n; i++) {
		letters[i] = (char)room[at];
		at += b.lens[i];
	}
	letters[b.n] = '\0';
	return letters;
}

static void put(struct queue *q, const char *name, const char *message)
{
	assert_true(queue_put(q, name, rd_from(message, strlen(message))));
}

static void least_sent_then_largest_then_newest(void **state)
{
	struct queue q;

	(void)state;
	queue_init(&q, 16);
	put(&q, "a", "aa");
	put(&q, "b", "bbbb");
	put(&q, "c", "cc");
	assert_string_equal(take(&q, 9, 100), "bca");
	put(&q, "d", "d");
	assert_string_equal(take(&q, 9, 100), "dbca");
	/* Two for the frame, two for each: room for four bytes, or for two and one. */
	assert_string_equal(take(&q, 9, 2 + 2 + 4), "d");
	assert_string_equal(take(&q, 9, 2 + 2 + 4), "b");
	assert_string_equal(take(&q, 9, 2 + 2 + 3), "c");
	queue_fini(&q);
}

static void dropped_when_told_often_enough(void **state)
{
	struct queue q;

	(void)state;
	queue_init(&q, 16);
	put(&q, "a", "a");
	put(&q, NULL, "x");
	assert_string_equal(take(&q, 2, 100), "xa");
	assert_true(queue_has(&q, "a"));
	assert_string_equal(take(&q, 2, 100), "xa");
	assert_false(queue_has(&q, "a"));
	assert_int_equal(q.n, 0);
	queue_fini(&q);
}

static void news_replace_old_news(void **state)
{
	struct queue q;

	(void)state;
	queue_init(&q, 16);
	put(&q, "a", "old");
	put(&q, NULL, "x");
	put(&q, NULL, "y");
	take(&q, 9, 100);
	put(&q, "a", "new");
	assert_int_equal(q.n, 3);
	assert_string_equal(take(&q, 9, 2 + 2 + 3), "n");
	queue_fini(&q);
}

static void full_queue_gives_up_the_most_told(void **state)
{
	struct queue q;

	(void)state;
	queue_init(&q, 2);
	put(&q, "a", "a");
	take(&q, 9, 100);
	put(&q, "b", "b");
	put(&q, "c", "c");
	assert_false(queue_has(&q, "a"));
	assert_string_equal(take(&q, 9, 100), "cb");
	queue_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_sent_then_largest_then_newest),
		cmocka_unit_test(dropped_when_told_often_enough),
		cmocka_unit_test(news_replace_old_news),
		cmocka_unit_test(full_queue_gives_up_the_most_told),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
