#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "cli/cli.h"

struct run_args {
	struct app_conf conf;
	const char **paths;
};

enum { OPTION_SHADOW = 256 }; /* no letter */

static const struct argp_option options[] = {
	{ "file", 'f', "PATH", 0, "Configuration: a file, a folder, or -; may be repeated", 0 },
	{ "node", 'n', "NAME", 0, "This node's name (default: node.name, else the host's name)",
	  0 },
	{ "runtime-dir", 'r', "PATH", 0, "Socket and records (default: /run/crier)", 0 },
	{ "role", 'R', "ROLES", 0, "announcer,allocator (default: both)", 0 },
	{ "source", 'S', "SOURCES", 0, "file (default), kubernetes, or both; etcd is not built yet",
	  0 },
	{ "shadow", OPTION_SHADOW, NULL, 0,
	  "Allocate and announce nothing; tell what would be different: crier get shadow", 0 },
	{ "state-dir", 'd', "PATH", 0, "Allocations (default: /var/lib/crier)", 0 },
	{ 0 },
};

/* The next of some words with commas between them; false at the end. */
static bool next_word(const char **at, const char **word, size_t *len)
{
	if (!**at)
		return false;
	*word = *at;
	*len = strcspn(*at, ",");
	*at += *len + ((*at)[*len] == ',');
	return true;
}

static bool is_word(const char *word, size_t len, const char *wanted)
{
	return len == strlen(wanted) && strncmp(word, wanted, len) == 0;
}

static void take_sources(struct run_args *a, const char *arg, struct argp_state *state)
{
	const char *at = arg, *word;
	size_t len;

	while (next_word(&at, &word, &len))
		if (is_word(word, len, "kubernetes"))
			a->conf.kubernetes = true;
		else if (!is_word(word, len, "file"))
			argp_error(state, "--source %s: there are file and kubernetes", arg);
}

static void take_roles(struct run_args *a, const char *arg, struct argp_state *state)
{
	const char *at = arg, *word;
	size_t len;

	a->conf.is_announcer = a->conf.is_allocator = false;
	while (next_word(&at, &word, &len))
		if (is_word(word, len, "announcer"))
			a->conf.is_announcer = true;
		else if (is_word(word, len, "allocator"))
			a->conf.is_allocator = true;
		else
			argp_error(state, "--role %s: there are announcer and allocator", arg);
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct run_args *a = state->input;

	switch (key) {
	case 'f':
		a->paths[a->conf.n_paths++] = arg;
		return 0;
	case 'n':
		a->conf.node = arg;
		return 0;
	case 'r':
		a->conf.runtime_dir = arg;
		return 0;
	case 'd':
		a->conf.state_dir = arg;
		return 0;
	case 'R':
		take_roles(a, arg, state);
		return 0;
	case OPTION_SHADOW:
		a->conf.is_shadow = true;
		a->conf.is_announcer = a->conf.is_allocator = false;
		return 0;
	case 'S':
		take_sources(a, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (a->conf.is_shadow && !a->conf.kubernetes)
			argp_error(state, "--shadow looks at a cluster: --source kubernetes");
		if (a->conf.is_shadow && (a->conf.is_announcer || a->conf.is_allocator))
			argp_error(state, "--shadow has no role");
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': configuration files are named with -f", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp run_argp = {
	.options = options,
	.parser = take,
	.args_doc = "-f PATH…",
	.doc = "The daemon: announces what the configuration asks for, until SIGTERM.\v"
	       "SIGHUP reloads. It needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_NET_BIND_SERVICE.",
};

static int parse(const struct argp *argp, int argc, char **argv, struct run_args *a)
{
	/* No more files than words. */
	a->paths = mem_new_n(const char *, (size_t)argc);
	a->conf.paths = a->paths;
	return argp_parse(argp, argc, argv, 0, NULL, a);
}

int cli_run(int argc, char **argv)
{
	struct run_args a = { .conf = { .is_announcer = true, .is_allocator = true } };
	struct err e = { 0 };
	int code = CLI_USAGE;
	bool understood = parse(&run_argp, argc, argv, &a) == 0;

	if (understood && a.conf.n_paths == 0 && !a.conf.kubernetes)
		fputs("crier run: which configuration? crier run -f /etc/crier/crier.yaml\n",
		      stderr);
	else if (understood)
		code = app_run(&a.conf, &e) < 0 ? CLI_NO : CLI_DONE;
	if (code == CLI_NO)
		fprintf(stderr, "crier run: %s\n", e.text);
	free(a.paths);
	return code;
}

static const struct argp_option cleanup_options[] = {
	{ "runtime-dir", 'r', "PATH", 0, "Records of bound addresses (default: /run/crier)", 0 },
	{ 0 },
};

static const struct argp cleanup_argp = {
	.options = cleanup_options,
	.parser = take,
	.doc = "Remove the service addresses that a dead daemon left on this host's links.\v"
	       "Only addresses that crier added are touched. A running daemon keeps its own.",
};

int cli_cleanup(int argc, char **argv)
{
	struct run_args a = { 0 };
	struct err e = { 0 };
	size_t removed = 0;
	int code = CLI_USAGE;

	if (parse(&cleanup_argp, argc, argv, &a) == 0) {
		code = app_cleanup(&a.conf, &removed, &e) < 0 ? CLI_NO : CLI_DONE;
		if (code == CLI_NO)
			fprintf(stderr, "crier cleanup: %s\n", e.text);
		else if (removed)
			printf("%zu address%s removed\n", removed, removed == 1 ? "" : "es");
	}
	free(a.paths);
	return code;
}
