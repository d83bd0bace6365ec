/* The thread that writes a file, here a table of allocations: what is in the file in the end, and that it never keeps us. */
#include "app/saver.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc/table.h"
#include "base/file.h"
#include "support.h"

struct fixture {
	struct loop *loop;
	struct saver *saver;
	struct alloc_table *table;
	char path[64];
	int told, failed;
};

static char *text_of(void *table)
{
	json_t *json = alloc_table_encode(table);
	char *text = json_dumps(json, 0);

	json_decref(json);
	alloc_table_free(table);
	return text;
}

static void drop(void *table)
{
	alloc_table_free(table);
}

static void done(void *ctx, const struct err *why)
{
	struct fixture *f = ctx;

	f->told++;
	f->failed += why != NULL;
}

static int begin(void **state)
{
	struct fixture *f = mem_new(struct fixture);
	const struct saver_conf conf = {
		.path = f->path, .mode = 0644, .text = text_of, .drop = drop, .done = done, .ctx = f
	};

	snprintf(f->path, sizeof(f->path), "/tmp/crier-saver.XXXXXX");
	close(mkstemp(f->path));
	assert_int_equal(loop_new(&f->loop, NULL), 0);
	assert_int_equal(saver_new(f->loop, &conf, &f->saver, NULL), 0);
	f->table = alloc_table_new();
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	saver_free(f->saver);
	alloc_table_free(f->table);
	loop_free(f->loop);
	unlink(f->path);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *service, uint8_t last)
{
	struct addr a = addr_v4(192, 0, 2, last);
	struct alloc_entry e = {
		.service = service,
		.addresses = &a,
		.n = 1,
		.epoch = alloc_table_epoch(f->table) + 1,
		.node = "n",
	};

	assert_true(alloc_table_put(f->table, &e) > 0);
	struct alloc_table *copy = alloc_table_new();
	(void)alloc_table_merge(copy, f->table);
	saver_save(f->saver, copy);
}

static void assert_written(const struct fixture *f)
{
	struct alloc_table *there = NULL;
	struct buf text = { 0 };

	assert_int_equal(file_read(f->path, 1 << 20, &text, NULL), 0);
	assert_int_equal(alloc_table_parse(buf_text(&text), text.len, &there, NULL), 0);
	assert_true(alloc_table_eq(there, f->table));
	alloc_table_free(there);
	buf_fini(&text);
}

static void the_last_word_is_in_the_file(void **state)
{
	struct fixture *f = *state;

	put(f, "a", 1);
	put(f, "b", 2); /* the first write is under way */
	put(f, "a", 3);
	f->saver = saver_free(f->saver);
	assert_written(f);
	assert_int_equal(f->told, 2); /* the second was not worth a write any more */
	assert_int_equal(f->failed, 0);
}

static void a_failure_is_told(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	snprintf(f->path, sizeof(f->path), "/nowhere/crier");
	put(f, "a", 1);
	f->saver = saver_free(f->saver);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->failed, 1);
}

struct watch {
	struct fixture *f;
	struct loop_timer look;
};

/* Until the loop itself has had all of it written: nobody frees the saver meanwhile. */
static void look(struct loop_timer *t, struct mono now)
{
	struct watch *w = CONTAINER_OF(t, struct watch, look);
	struct alloc_table *there = NULL;
	struct buf text = { 0 };
	bool done = file_read(w->f->path, 1 << 20, &text, NULL) == 0 &&
		    alloc_table_parse(buf_text(&text), text.len, &there, NULL) == 0 &&
		    alloc_table_eq(there, w->f->table);

	alloc_table_free(there);
	buf_fini(&text);
	if (done)
		loop_stop(w->f->loop);
	else
		loop_timer_set(t, mono_add(now, DUR_MS(1)));
}

static void what_waited_is_written_by_itself(void **state)
{
	struct watch w = { .f = *state };

	put(w.f, "a", 1);
	put(w.f, "b", 2);
	loop_timer_init(&w.look, w.f->loop, look);
	loop_timer_set(&w.look, loop_now(w.f->loop));
	loop_run(w.f->loop);
	loop_timer_stop(&w.look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_word_is_in_the_file, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_is_told, begin, end),
		cmocka_unit_test_setup_teardown(what_waited_is_written_by_itself, begin, end),
	};

	return cmocka_run_group_tests_name("saver", tests, NULL, NULL);
}
