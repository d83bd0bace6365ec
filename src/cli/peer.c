#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/remote.h"

struct peer_args {
	struct remote_args remote;
	const char *name;
	const char *action;
	const char *text;
};

static const struct argp_option options[] = {
	{ "text", 't', "TEXT", 0,
	  "Why, for the people on the other side (down and reset; RFC 9003)", 0 },
	{ 0 },
};

static void take_action(struct peer_args *a, const char *word, struct argp_state *state)
{
	static const char *const actions[] = { "down", "up", "reset", "refresh" };
	const char *near = text_nearest(word, actions, ARRAY_LEN(actions));

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (strcmp(word, actions[i]) == 0)
			a->action = word;
	if (!a->action && near)
		argp_error(state, "'%s' is no action; did you mean '%s'?", word, near);
	else if (!a->action)
		argp_error(state, "'%s' is none of down, up, reset, refresh", word);
}

static void check(const struct peer_args *a, struct argp_state *state)
{
	if (!a->name || !a->action)
		argp_error(state, "a peer and what to do are needed: crier peer NAME down");
	else if (a->text && strcmp(a->action, "down") != 0 && strcmp(a->action, "reset") != 0)
		argp_error(state, "--text goes with down and reset");
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct peer_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->remote;
		return 0;
	case 't':
		a->text = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (!a->name)
			a->name = arg;
		else if (!a->action)
			take_action(a, arg, state);
		else
			return remote_no_word(state, arg);
		return 0;
	case ARGP_KEY_END:
		check(a, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.args_doc = "NAME down|up|reset|refresh",
	.children = remote_children,
	.doc = "Act on one BGP peer.\v"
	       "down ends the session and keeps it down until up, or until the daemon starts "
	       "again. "
	       "reset ends it and connects again. refresh sends all routes again. crier get peers "
	       "lists the names.",
};

int cli_peer(int argc, char **argv)
{
	struct peer_args a = { .remote = { .format = CLI_TEXT, .formats = 1u << CLI_TEXT } };
	json_t *data = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	json_t *args =
		json_pack("{s:s, s:s, s:s*}", "name", a.name, "action", a.action, "text", a.text);
	if (!args) {
		fprintf(stderr, "crier: the name and the text must be UTF-8\n");
		return CLI_USAGE;
	}
	enum cli_exit code = remote_call(&a.remote, "peer", args, &data);

	json_decref(data);
	return (int)code;
}
