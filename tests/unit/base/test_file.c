#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

struct place {
	char folder[32];
	char path[48];
};

static int place_new(void **state)
{
	struct place *p = mem_new(struct place);

	strcpy(p->folder, "/tmp/crier-file.XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/x", p->folder);
	*state = p;
	return 0;
}

static int place_free(void **state)
{
	struct place *p = *state;

	(void)unlink(p->path);
	int status = rmdir(p->folder); /* fails when a file is left over */
	free(p);
	return status;
}

static void a_missing_file_says_so(void **state)
{
	struct place *p = *state;
	struct buf text = { 0 };
	struct err e = { 0 };

	assert_int_equal(file_read(p->path, 10, &text, &e), -ERR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(e.text, p->path));
	buf_fini(&text);
}

static void the_newest_is_read(void **state)
{
	struct place *p = *state;
	struct buf text = { 0 };
	struct stat st;

	assert_int_equal(file_replace(p->path, "a longer one", 12, 0644, NULL), 0);
	assert_int_equal(file_replace(p->path, "short", 5, 0600, NULL), 0);
	assert_int_equal(file_read(p->path, 5, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "short");
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_fini(&text);
}

static void a_long_file_is_refused(void **state)
{
	struct place *p = *state;
	struct buf text = { 0 };

	assert_int_equal(file_replace(p->path, "123456", 6, 0600, NULL), 0);
	assert_int_equal(file_read(p->path, 5, &text, NULL), -ERR_LIMIT);
	buf_fini(&text);
}

/* The name is taken by a folder: it stays, and no half-made file beside it does. */
static void a_failure_leaves_the_old_one(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };

	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(file_replace(p->path, "x", 1, 0600, &e), -ERR_SYSTEM);
	assert_int_equal(rmdir(p->path), 0);
}

/* Somebody who may write into the folder gets nothing to read, and nothing written elsewhere. */
static void what_lies_in_the_way_is_not_used(void **state)
{
	struct place *p = *state;
	struct buf text = { 0 };
	char aside[64], other[64];
	struct stat st;

	snprintf(aside, sizeof(aside), "%s.new", p->path);
	snprintf(other, sizeof(other), "%s.other", p->path);
	assert_int_equal(file_replace(other, "kept", 4, 0644, NULL), 0);
	assert_int_equal(symlink(other, aside), 0);
	assert_int_equal(file_replace(p->path, "secret", 6, 0600, NULL), 0);
	assert_int_equal(file_read(other, 9, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "kept");
	assert_int_equal(rename(other, aside), 0);
	assert_int_equal(file_replace(p->path, "secret", 6, 0600, NULL), 0);
	assert_int_equal(lstat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_fini(&text);
}

static void a_device_is_not_replaced(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_int_equal(file_replace(p->path, "x", 1, 0600, NULL), -ERR_STATE);
	assert_int_equal(lstat(p->path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_missing_file_says_so, place_new, place_free),
		cmocka_unit_test_setup_teardown(the_newest_is_read, place_new, place_free),
		cmocka_unit_test_setup_teardown(a_long_file_is_refused, place_new, place_free),
		cmocka_unit_test_setup_teardown(a_failure_leaves_the_old_one, place_new,
						place_free),
		cmocka_unit_test_setup_teardown(what_lies_in_the_way_is_not_used, place_new,
						place_free),
		cmocka_unit_test_setup_teardown(a_device_is_not_replaced, place_new, place_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
