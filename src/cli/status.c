#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cli/remote.h"

struct status_args {
	const char *socket;
	enum cli_format format;
};

static const struct argp_option options[] = {
	{ "socket", 's', "PATH", 0, "Control socket of the daemon", 0 },
	{ "output", 'o', "FORMAT", 0, "text (default), json, yaml", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct status_args *a = state->input;

	switch (key) {
	case 's':
		a->socket = arg;
		return 0;
	case 'o':
		if (cli_format_parse(arg, 1u << CLI_TEXT | 1u << CLI_JSON | 1u << CLI_YAML,
				     &a->format) < 0)
			argp_error(state, "-o takes text, json or yaml, not '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is one word too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.doc = "One screen: is this node healthy, and what is wrong.\v"
	       "Exit code 0 when it is healthy, 1 when something is wrong, 3 when no daemon "
	       "answers.",
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static void print_counts(const json_t *status)
{
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(status, "counts"), key, value)
	{
		const json_t *total = json_object_get(value, "total"),
			     *good = json_object_get(value, "good");

		printf("  %-9s %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " %s\n", key,
		       json_integer_value(good), json_integer_value(total),
		       text_of(value, "meaning"));
	}
}

static void print_text(const json_t *status)
{
	const json_t *problems = json_object_get(status, "problems");
	const json_t *config = json_object_get(status, "config");
	size_t i;
	json_t *p;

	printf("%s: %s\n", text_of(status, "node"),
	       json_is_true(json_object_get(status, "healthy")) ? "healthy" : "NOT healthy");
	printf("  version   %s, running since %s\n", text_of(status, "version"),
	       text_of(status, "since"));
	printf("  config    %s, %s since %s\n", text_of(config, "files"), text_of(config, "state"),
	       text_of(config, "since"));
	print_counts(status);
	json_array_foreach(problems, i, p)
	{
		printf("  problem   %s\n", text_of(p, "text"));
		if (json_object_get(p, "hint"))
			printf("            %s\n", text_of(p, "hint"));
	}
}

int cli_status(int argc, char **argv)
{
	struct status_args a = { .format = CLI_TEXT };
	json_t *status = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	enum cli_exit code = remote_call(remote_socket(a.socket), "status", NULL, &status);

	if (code != CLI_DONE)
		return code;
	if (a.format == CLI_JSON)
		cli_print_json(status);
	else if (a.format == CLI_YAML)
		cli_print_yaml(status);
	else
		print_text(status);
	code = json_is_true(json_object_get(status, "healthy")) ? CLI_DONE : CLI_NO;
	json_decref(status);
	return code;
}
