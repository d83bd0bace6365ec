#include "kube/credentials.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* A command that prints who it is told to be, for as long as its argument says. */
static char script[] =
	"echo '{\"status\": {\"token\": \"'\"$WHO\"'\", \"expirationTimestamp\": \"'$0'\"}}'";

struct rig {
	struct loop *loop;
	struct loop_timer poll;
	struct kube_credentials *c;
	struct kube_identity who;
};

static void look(struct loop_timer *t, struct mono now)
{
	struct rig *rig = CONTAINER_OF(t, struct rig, poll);

	if (kube_credentials_get(rig->c, &rig->who) || kube_credentials_problem(rig->c))
		loop_stop(rig->loop);
	else
		loop_timer_set(t, mono_add(now, DUR_MS(1)));
}

struct end_case {
	const char *name;
	const char *ends;
};

static const struct end_case ends[] = {
	{ "never", "" },
	{ "soon", "2001-01-01T00:00:00Z" },
	{ "beyond what can be waited for", "9999-12-31T23:59:59Z" },
};

static size_t descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(all);
	while (readdir(all))
		n++;
	closedir(all);
	return n;
}

/* Run the loop until the command has answered, or could not. */
static void rig_run(struct rig *rig, const struct kube_access *access)
{
	assert_int_equal(loop_new(&rig->loop, NULL), 0);
	rig->c = kube_credentials_new(rig->loop, access);
	loop_timer_init(&rig->poll, rig->loop, look);
	loop_timer_set(&rig->poll, loop_now(rig->loop));
	loop_run(rig->loop);
}

static void rig_free(struct rig *rig)
{
	kube_credentials_free(rig->c);
	loop_free(rig->loop);
}

static void a_command_tells_who_we_are(void **state)
{
	const struct end_case *end = *state;
	char sh[] = "/bin/sh", option[] = "-c", own[] = "WHO=me",
	     api[] = "client.authentication.k8s.io/v1";
	char *ends_at = mem_strdup(end->ends);
	char *argv[] = { sh, option, script, ends_at, NULL }, *env[] = { own, NULL };
	const struct kube_access access = {
		.exec = { .command = sh, .api_version = api, .argv = argv, .env = env }
	};
	struct rig rig = { 0 };
	size_t before = descriptors();

	setenv("WHO", "nobody", 1); /* what the kubeconfig says counts more */
	rig_run(&rig, &access);
	assert_null(kube_credentials_problem(rig.c));
	assert_string_equal(rig.who.token, "me");
	rig_free(&rig);
	assert_int_equal(descriptors(), before);
	free(ends_at);
}

static void a_command_that_is_not_there(void **state)
{
	char nothing[] = "/nowhere/command", api[] = "client.authentication.k8s.io/v1";
	char *argv[] = { nothing, NULL }, *env[] = { NULL };
	const struct kube_access access = {
		.exec = { .command = nothing, .api_version = api, .argv = argv, .env = env }
	};
	struct rig rig = { 0 };
	size_t before = descriptors();

	(void)state;
	rig_run(&rig, &access);
	assert_non_null(strstr(kube_credentials_problem(rig.c), "/nowhere/command: No such file"));
	rig_free(&rig);
	assert_int_equal(descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_command_that_is_not_there) };

	return RUN_TABLE("commands", ends, a_command_tells_who_we_are) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
