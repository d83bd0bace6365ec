#include <argp.h>
#include <stdio.h>

#include "cli/remote.h"

struct explain_args {
	struct remote_args remote;
	const char *subject;
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct explain_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->remote;
		state->child_inputs[1] = &a->remote.fleet;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			return remote_no_word(state, arg);
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
	.parser = take,
	.children = remote_fleet_children,
	.args_doc = "ADDRESS|SERVICE",
	.doc = "Why it is, or is not, announced from this node: each condition, in order, with its "
	       "value.",
};

static const char *text_of(const json_t *o, const char *key)
{
	return remote_text(o, key, "");
}

static const char *verdict_of(const json_t *x)
{
	if (json_is_true(json_object_get(x, "announced")))
		return "announced from here";
	if (json_is_true(json_object_get(x, "planned")))
		return "to be announced from here, but nobody hears it";
	return "not announced from here";
}

static void print_candidate(const json_t *c)
{
	json_int_t place = json_integer_value(json_object_get(c, "place"));
	json_int_t score = json_integer_value(json_object_get(c, "score"));
	const char *reason = text_of(c, "reason");
	char at[24] = "-";

	if (place)
		snprintf(at, sizeof(at), "%" JSON_INTEGER_FORMAT, place);
	printf("  %-4s %s", at, text_of(c, "node"));
	if (score)
		printf(", preferred by %" JSON_INTEGER_FORMAT, score);
	printf("%s%s\n", reason[0] ? ": " : "", reason);
}

static void print_ranking(const json_t *list)
{
	size_t i;
	json_t *c;

	printf("ranking of %s\n", text_of(list, "address"));
	json_array_foreach(json_object_get(list, "nodes"), i, c)
	{
		print_candidate(c);
	}
}

static void print_text(const json_t *x)
{
	size_t i;
	json_t *c;

	printf("%s on %s: %s\n", text_of(x, "subject"), text_of(x, "node"), verdict_of(x));
	json_array_foreach(json_object_get(x, "conditions"), i, c)
	{
		const char *reason = text_of(c, "reason");

		printf("  %-4s %-24s %s%s%s\n",
		       json_is_true(json_object_get(c, "ok")) ? "ok" : "NO", text_of(c, "name"),
		       text_of(c, "value"), reason[0] ? ": " : "", reason);
	}
	json_array_foreach(json_object_get(x, "ranking"), i, c)
	{
		print_ranking(c);
	}
}

static enum cli_exit explain_of_all(const struct explain_args *a)
{
	struct buf path = { 0 };
	json_t *answers;

	buf_puts(&path, "v1/explain?subject=");
	buf_put_escaped(&path, a->subject);
	enum cli_exit code = fleet_ask(&a->remote.fleet, buf_text(&path), &answers);

	remote_print_fleet(&a->remote, answers, print_text);
	json_decref(answers);
	buf_fini(&path);
	return code;
}

int cli_explain(int argc, char **argv)
{
	struct explain_args a = {
		.remote = { .format = CLI_TEXT,
			    .formats = 1u << CLI_TEXT | 1u << CLI_JSON | 1u << CLI_YAML },
	};
	json_t *data = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	if (a.remote.fleet.on)
		return (int)explain_of_all(&a);
	enum cli_exit code =
		remote_call(&a.remote, "explain", json_pack("{s:s}", "subject", a.subject), &data);

	if (code == CLI_DONE)
		remote_print(&a.remote, data, print_text);
	json_decref(data);
	return (int)code;
}
