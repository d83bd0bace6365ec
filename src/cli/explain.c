#include <argp.h>
#include <stdio.h>

#include "cli/remote.h"

struct explain_args {
	const char *socket;
	const char *subject;
	enum cli_format format;
};

static const struct argp_option options[] = {
	{ "socket", 's', "PATH", 0, "Control socket of the daemon", 0 },
	{ "output", 'o', "FORMAT", 0, "text (default), json, yaml", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct explain_args *a = state->input;

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
		if (state->arg_num > 0)
			argp_error(state, "'%s' is one word too many", arg);
		a->subject = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "explain what? an address or a service's name");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.args_doc = "ADDRESS|SERVICE",
	.doc = "Why it is, or is not, announced from this node: each condition, in order, with its "
	       "value.",
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void print_text(const json_t *x)
{
	size_t i;
	json_t *c;

	printf("%s on %s: %s\n", text_of(x, "subject"), text_of(x, "node"),
	       json_is_true(json_object_get(x, "announced")) ? "announced from here"
							     : "not announced from here");
	json_array_foreach(json_object_get(x, "conditions"), i, c)
	{
		const char *reason = text_of(c, "reason");

		printf("  %-4s %-24s %s%s%s\n",
		       json_is_true(json_object_get(c, "ok")) ? "ok" : "NO", text_of(c, "name"),
		       text_of(c, "value"), reason[0] ? ": " : "", reason);
	}
}

int cli_explain(int argc, char **argv)
{
	struct explain_args a = { .format = CLI_TEXT };
	json_t *data = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	enum cli_exit code = remote_call(remote_socket(a.socket), "explain",
					 json_pack("{s:s}", "subject", a.subject), &data);

	if (code != CLI_DONE)
		return code;
	if (a.format == CLI_JSON)
		cli_print_json(data);
	else if (a.format == CLI_YAML)
		cli_print_yaml(data);
	else
		print_text(data);
	json_decref(data);
	return CLI_DONE;
}
