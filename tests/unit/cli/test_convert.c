/* `crier convert` as a person types it: exit codes, what goes where, and that the text is good. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"

#define LEGACY	  TEST_SEEDS "/legacy/most-keys.yaml"
#define RESOURCES TEST_SEEDS "/resources/multi-router.yaml"
#define ARGS_MAX  12

struct outcome {
	int status;
	struct buf out, err;
};

static void outcome_fini(struct outcome *o)
{
	buf_fini(&o->out);
	buf_fini(&o->err);
}

static int file_for(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* A process of its own: a wrong command line ends it. */
static struct outcome run(const char *const *args)
{
	struct outcome o = { 0 };
	struct err e = { 0 };
	char *argv[ARGS_MAX] = { mem_strdup("crier"), mem_strdup("convert") };
	int argc = 2, status, out = file_for("convert.out"), err = file_for("convert.err");

	for (; args[argc - 2]; argc++)
		argv[argc] = mem_strdup(args[argc - 2]);
	/* A command gives its words other texts; what ends in the middle of that has leaked nothing. */
	static char *words[ARGS_MAX];

	memcpy(words, argv, sizeof(words));
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		int rc = cli_main(argc, argv);
		fflush(NULL);
		_exit(rc);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	o.status = WEXITSTATUS(status);
	assert_int_equal(file_read("convert.out", 1 << 20, &o.out, &e), 0);
	assert_int_equal(file_read("convert.err", 1 << 20, &o.err, &e), 0);
	while (argc)
		free(argv[--argc]);
	close(out);
	close(err);
	unlink("convert.out");
	unlink("convert.err");
	return o;
}

struct usage {
	const char *name;
	const char *args[8];
	int status;
	const char *out, *err; /* what has to stand there; NULL: nothing must */
};

static const struct usage usages[] = {
	{ "into resources",
	  { "--to", "resources", "-f", LEGACY },
	  CLI_DONE,
	  "kind: BGPPeer",
	  "note: Passwords" },
	{ "a comment at its head",
	  { "--to", "resources", "-f", LEGACY },
	  CLI_DONE,
	  "# Source: ",
	  "" },
	{ "into our own format",
	  { "--to", "native", "-f", RESOURCES },
	  CLI_DONE,
	  "bgp-advertisements:\n- name: dc1-primary-advertisement\n",
	  "" },
	{ "what our own format has no place for",
	  { "--to", "native", "-f", TEST_SEEDS "/resources/peer-with-secret.yaml", "-f",
	    TEST_SEEDS "/resources/secret.yaml" },
	  CLI_DONE,
	  "password: ",
	  "note: Passwords of Secrets" },
	{ "to standard output by name",
	  { "--to", "native", "-f", LEGACY, "-o", "-" },
	  CLI_DONE,
	  "address-pools:",
	  "" },
	{ "from what it is",
	  { "--from", "configmap,resources", "--to", "native", "-f", LEGACY },
	  CLI_DONE,
	  "peers:",
	  "" },
	{ "from what it is not",
	  { "--from", "resources", "--to", "native", "-f", LEGACY },
	  CLI_NO,
	  NULL,
	  "is no resource" },
	{ "from a ConfigMap that has resources",
	  { "--from", "configmap", "--to", "native", "-f", RESOURCES },
	  CLI_NO,
	  NULL,
	  "is a resource" },
	{ "from what is not there",
	  { "--to", "native", "-f", "/nonexistent.yaml" },
	  CLI_NO,
	  NULL,
	  "nonexistent" },
	{ "what is wrong already",
	  { "--to", "resources", "-f", TEST_SEEDS "/legacy/too-wide.yaml" },
	  CLI_NO,
	  NULL,
	  "widest prefix is /27" },
	{ "to a folder that is not there",
	  { "--to", "native", "-f", LEGACY, "-o", "/nonexistent/x" },
	  CLI_NO,
	  NULL,
	  "nonexistent" },
	{ "no direction", { "-f", LEGACY }, CLI_USAGE, NULL, "--to resources" },
	{ "no file", { "--to", "native" }, CLI_USAGE, NULL, "which file" },
	{ "no such format", { "--to", "yaml", "-f", LEGACY }, CLI_USAGE, NULL, "not 'yaml'" },
	{ "into a ConfigMap",
	  { "--to", "configmap", "-f", LEGACY },
	  CLI_USAGE,
	  NULL,
	  "--to takes" },
	{ "keepalived",
	  { "--from", "keepalived", "--to", "native", "-f", LEGACY },
	  CLI_USAGE,
	  NULL,
	  "not built yet" },
};

static void answers(void **state)
{
	const struct usage *u = *state;
	struct outcome o = run(u->args);

	if (o.status != u->status)
		fail_msg("exit code %d\n%s%s", o.status, buf_text(&o.out), buf_text(&o.err));
	if (u->out ? !strstr(buf_text(&o.out), u->out) : o.out.len > 0)
		fail_msg("standard output:\n%s", buf_text(&o.out));
	if (!strstr(buf_text(&o.err), u->err))
		fail_msg("standard error:\n%s", buf_text(&o.err));
	outcome_fini(&o);
}

/* A contradiction that only resources forbid: nothing is written. */
static void refuses_what_resources_forbid(void **state)
{
	static const char text[] =
		"peers: [{my-asn: 1, peer-asn: 1, peer-address: 10.0.0.1}]\n"
		"address-pools: [{name: pp, protocol: bgp, addresses: [10.8.0.0/24], "
		"bgp-advertisements: [{localpref: 1}, {localpref: 2}]}]\n";
	const char *const args[] = { "--to", "resources", "-f", "in.yaml", "-o", "out.yaml", NULL };
	struct err e = { 0 };

	(void)state;
	unlink("out.yaml");
	assert_int_equal(file_replace("in.yaml", text, sizeof(text) - 1, 0600, &e), 0);
	struct outcome o = run(args);
	assert_int_equal(o.status, CLI_NO);
	assert_non_null(strstr(buf_text(&o.err), "different local preferences"));
	assert_int_equal(access("out.yaml", F_OK), -1);
	outcome_fini(&o);
	unlink("in.yaml");
}

static mode_t mode_of(const char *source)
{
	const char *const args[] = { "--to", "native", "-f", source, "-o", "out.yaml", NULL };
	struct outcome o = run(args);
	struct stat st;

	assert_int_equal(o.status, CLI_DONE);
	assert_int_equal(o.out.len, 0);
	assert_int_equal(stat("out.yaml", &st), 0);
	unlink("out.yaml");
	outcome_fini(&o);
	return st.st_mode & 0777;
}

static void a_file_with_passwords_is_its_owners(void **state)
{
	(void)state;
	assert_int_equal(mode_of(LEGACY), 0600);
	assert_int_equal(mode_of(TEST_SEEDS "/legacy/minimal-layer2.yaml"), 0644);
}

/* What is written in one format and back is, byte for byte, what the first way wrote. */
static void yaml_goes_there_and_back(void **state)
{
	const char *const first[] = { "--to", "native", "-f", RESOURCES, "-o", "a.yaml", NULL };
	const char *const there[] = { "--to", "resources", "-f", "a.yaml", "-o", "b.yaml", NULL };
	const char *const back[] = { "--to", "native", "-f", "b.yaml", NULL };
	const char *const again[] = { "--to", "native", "-f", "a.yaml", NULL };

	(void)state;
	struct outcome o[] = { run(first), run(there), run(back), run(again) };
	for (size_t i = 0; i < ARRAY_LEN(o); i++)
		assert_int_equal(o[i].status, CLI_DONE);
	assert_string_equal(strstr(buf_text(&o[2].out), "bgp-communities"),
			    strstr(buf_text(&o[3].out), "bgp-communities"));
	for (size_t i = 0; i < ARRAY_LEN(o); i++)
		outcome_fini(&o[i]);
	unlink("a.yaml");
	unlink("b.yaml");
}

int main(void)
{
	static char folder[] = "/tmp/crier-convert-XXXXXX";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_resources_forbid),
		cmocka_unit_test(a_file_with_passwords_is_its_owners),
		cmocka_unit_test(yaml_goes_there_and_back),
	};

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	int failed = RUN_TABLE("usage", usages, answers) +
		     cmocka_run_group_tests_name("files", tests, NULL, NULL);
	return failed + (chdir("/") < 0) + (rmdir(folder) < 0);
}
