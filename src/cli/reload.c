#include <argp.h>
#include <stdio.h>

#include "cli/remote.h"

struct reload_args {
	const char *socket;
	bool force;
	enum cli_format format;
};

static const struct argp_option options[] = {
	{ "socket", 's', "PATH", 0, "Control socket of the daemon", 0 },
	{ "force", 'F', NULL, 0, "Also when services lose their address by it", 0 },
	{ "output", 'o', "FORMAT", 0, "text (default), json, yaml", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct reload_args *a = state->input;

	switch (key) {
	case 's':
		a->socket = arg;
		return 0;
	case 'F':
		a->force = true;
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
	.doc = "Re-read the configuration and print what changed.\v"
	       "A configuration that can't be loaded changes nothing: the one before stays in "
	       "force, and "
	       "the exit code is 1.",
};

static size_t print_names(const json_t *diff, const char *key, char sign)
{
	const json_t *list = json_object_get(diff, key);
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		printf("%c %s\n", sign, json_string_value(one));
	}
	return json_array_size(list);
}

static size_t print_changed(const json_t *diff)
{
	const json_t *list = json_object_get(diff, "changed");
	json_t *one, *field;
	size_t i, k;

	json_array_foreach(list, i, one)
	{
		printf("~ %s:", json_string_value(json_object_get(one, "object")));
		json_array_foreach(json_object_get(one, "fields"), k, field)
		{
			printf("%s %s", k ? "," : "", json_string_value(field));
		}
		puts(json_is_true(json_object_get(one, "needs-restart")) ? " (needs reset)" : "");
	}
	return json_array_size(list);
}

static void print_text(const json_t *diff)
{
	size_t n = print_names(diff, "removed", '-') + print_names(diff, "added", '+') +
		   print_changed(diff);

	if (n == 0)
		puts("in force; nothing has changed");
	else
		printf("in force; %zu change%s\n", n, n == 1 ? "" : "s");
}

int cli_reload(int argc, char **argv)
{
	struct reload_args a = { .format = CLI_TEXT };
	json_t *diff = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	enum cli_exit code = remote_call(remote_socket(a.socket), "reload",
					 json_pack("{s:b}", "force", a.force), &diff);

	if (code != CLI_DONE)
		return (int)code;
	if (a.format == CLI_JSON)
		cli_print_json(diff);
	else if (a.format == CLI_YAML)
		cli_print_yaml(diff);
	else
		print_text(diff);
	json_decref(diff);
	return CLI_DONE;
}
