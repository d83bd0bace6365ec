/* The thread that reads a configuration: what it hands over, what it refuses, and that it never keeps us. */
#include "app/loader.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define POOL "address-pools: [{name: %s, protocol: layer2, addresses: [192.0.2.0/29]}]\n"

struct fixture {
	struct loop *loop;
	struct loader *loader;
	struct app_conf conf;
	const char *path;
	char name[64];
	const struct cfg *in_force;
	struct loaded got;
};

static void write_file(const struct fixture *f, const char *fmt, const char *word)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_true(fprintf(file, fmt, word) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	struct fixture *f = mem_new(struct fixture);
	struct loaded first;

	snprintf(f->name, sizeof(f->name), "/tmp/crier-loader.XXXXXX");
	close(mkstemp(f->name));
	f->path = f->name;
	f->conf = (struct app_conf){ .paths = &f->path, .n_paths = 1, .node = "n" };
	write_file(f, POOL, "lan");
	loader_load(&f->conf, &first);
	assert_int_equal(first.status, 0);
	cfg_report_fini(&first.report);
	f->in_force = first.cfg;
	assert_int_equal(loop_new(&f->loop, NULL), 0);
	assert_int_equal(loader_new(f->loop, &f->conf, &f->loader, NULL), 0);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	loader_free(f->loader);
	loop_free(f->loop);
	cfg_free(f->in_force);
	cfg_report_fini(&f->got.report);
	cfg_free(f->got.cfg);
	json_decref(f->got.diff);
	cfg_changes_free(f->got.changes);
	unlink(f->name);
	free(f);
	return 0;
}

static void on_done(void *ctx, struct loaded *result)
{
	struct fixture *f = ctx;

	f->got = *result;
	loop_stop(f->loop);
}

static void load(struct fixture *f)
{
	assert_int_equal(loader_start(f->loader, f->in_force, NULL, 0, on_done, f, NULL), 0);
	assert_true(loader_is_busy(f->loader));
	loop_run(f->loop);
	assert_false(loader_is_busy(f->loader));
}

static void what_changed_comes_along(void **state)
{
	struct fixture *f = *state;

	write_file(f, POOL, "wan");
	load(f);
	assert_int_equal(f->got.status, 0);
	assert_string_equal(f->got.cfg->pools[0].name, "wan");
	char *text = json_dumps(f->got.diff, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(
		text, "{\"added\":[\"pools/wan\"],\"changed\":[],\"removed\":[\"pools/lan\"]}");
	free(text);
}

static void errors_are_in_the_report(void **state)
{
	struct fixture *f = *state;

	write_file(f, "%s: [\n", "address-pools");
	load(f);
	assert_int_equal(f->got.status, -ERR_CONFIG);
	assert_int_equal(f->got.why.kind, ERR_NONE);
	assert_int_equal(f->got.report.errors.n, 1);
	assert_null(f->got.cfg);
	assert_null(f->got.diff);
}

static void what_can_be_read_once_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlink(f->name), 0);
	assert_int_equal(mkfifo(f->name, 0600), 0); /* nobody will ever write into it */
	load(f);
	assert_int_equal(f->got.status, -ERR_STATE);
	assert_non_null(strstr(f->got.why.text, "not a file"));
	f->path = "-";
	load(f);
	assert_int_equal(f->got.status, -ERR_STATE);
	assert_non_null(strstr(f->got.why.text, "standard input"));
}

static void one_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct err e;

	assert_int_equal(loader_start(f->loader, f->in_force, NULL, 0, on_done, f, &e), 0);
	assert_int_equal(loader_start(f->loader, f->in_force, NULL, 0, on_done, f, &e), -ERR_STATE);
	/* Its end is not waited for here: what it made is thrown away with it. */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_changed_comes_along),
		TEST(errors_are_in_the_report),
		TEST(what_can_be_read_once_is_refused),
		TEST(one_at_a_time),
	};

	return cmocka_run_group_tests_name("app/loader", tests, NULL, NULL);
}
