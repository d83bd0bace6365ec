#include <argp.h>
#include <stdio.h>

#include "base/time.h"
#include "cli/remote.h"

#define TIMEOUT_MAX DUR_S(3600)

struct drain_args {
	struct remote_args remote;
	struct dur timeout;
};

static const struct argp_option options[] = {
	{ "timeout", 't', "TIME", 0,
	  "How long routers have to find another path before BGP routes are withdrawn (5s)", 0 },
	{ 0 },
};

static error_t take_drain(int key, char *arg, struct argp_state *state)
{
	struct drain_args *a = state->input;

	if (key != 't')
		return remote_take(key, arg, state, &a->remote);
	if (dur_parse(arg, &a->timeout) < 0 || a->timeout.ns > TIMEOUT_MAX.ns)
		argp_error(state, "'%s' is no time up to an hour; such as 5s or 500ms", arg);
	return 0;
}

static error_t take_undrain(int key, char *arg, struct argp_state *state)
{
	return remote_take(key, arg, state, &((struct drain_args *)state->input)->remote);
}

static const struct argp argp_drain = {
	.options = options,
	.parser = take_drain,
	.children = remote_children,
	.doc = "Move everything away from this node without loss, for good.\v"
	       "By Layer 2 the next in rank announces an address before this node falls silent. "
	       "BGP "
	       "routes carry the GRACEFUL_SHUTDOWN community (RFC 8326) and the lowest local "
	       "preference for --timeout, then they are withdrawn and the sessions closed. It "
	       "stays "
	       "so until crier undrain, or until the daemon starts again.",
};

static const struct argp argp_undrain = {
	.parser = take_undrain,
	.children = remote_children,
	.doc = "Let this node take part again after crier drain.",
};

static void print_drained(const json_t *data)
{
	printf(json_is_true(json_object_get(data, "drained"))
		       ? "drained; nothing is announced from %s any more\n"
		       : "%s is not drained: crier undrain came meanwhile\n",
	       remote_text(data, "node", "this node"));
}

static void print_undrained(const json_t *data)
{
	(void)data;
	puts("takes part again");
}

static struct drain_args args_new(void)
{
	return (struct drain_args){
		.remote = { .format = CLI_TEXT,
			    .formats = 1u << CLI_TEXT | 1u << CLI_JSON | 1u << CLI_YAML },
		.timeout = DUR_S(5),
	};
}

int cli_drain(int argc, char **argv)
{
	struct drain_args a = args_new();
	json_t *data = NULL;

	if (argp_parse(&argp_drain, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	a.remote.work = a.timeout;
	enum cli_exit code = remote_call(
		&a.remote, "drain",
		json_pack("{s:I}", "timeout-ms", (json_int_t)(a.timeout.ns / 1000000)), &data);

	if (code == CLI_DONE)
		remote_print(&a.remote, data, print_drained);
	json_decref(data);
	return (int)code;
}

int cli_undrain(int argc, char **argv)
{
	struct drain_args a = args_new();
	json_t *data = NULL;

	if (argp_parse(&argp_undrain, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	enum cli_exit code = remote_call(&a.remote, "undrain", NULL, &data);

	if (code == CLI_DONE)
		remote_print(&a.remote, data, print_undrained);
	json_decref(data);
	return (int)code;
}
