#include "cli/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "control/client.h"

/* A daemon that is busy with a large configuration may take a while. */
#define ANSWER_WITHIN DUR_S(20)

static const struct {
	const char *word;
	enum cli_format format;
} words[] = {
	{ "text", CLI_TEXT }, { "table", CLI_TABLE }, { "wide", CLI_WIDE },
	{ "json", CLI_JSON }, { "yaml", CLI_YAML },
};

static void refuse_format(struct argp_state *state, unsigned formats, const char *word)
{
	struct buf all = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (formats & 1u << words[i].format)
			buf_printf(&all, "%s%s", all.len ? ", " : "", words[i].word);
	fprintf(state->err_stream, "%s: -o takes one of %s, not '%s'\n", state->name,
		buf_text(&all), word);
	buf_fini(&all);
	argp_state_help(state, state->err_stream, ARGP_HELP_STD_ERR);
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct remote_args *a = state->input;

	switch (key) {
	case 's':
		a->socket = arg;
		return 0;
	case 'o':
		if (cli_format_parse(arg, a->formats, &a->format) < 0)
			refuse_format(state, a->formats, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "socket", 's', "PATH", 0, "Control socket of the daemon", 0 },
	{ "output", 'o', "FORMAT", 0,
	  "text or table (default), wide, json, yaml: what the command has", 0 },
	{ 0 },
};

static const struct argp remote_argp = { .options = options, .parser = take };
const struct argp_child remote_children[] = { { &remote_argp, 0, NULL, 0 }, { 0 } };
const struct argp_child remote_fleet_children[] = { { &remote_argp, 0, NULL, 0 },
						    { &fleet_argp, 0, NULL, 0 },
						    { 0 } };

error_t remote_no_word(struct argp_state *state, const char *word)
{
	argp_error(state, "'%s' is one word too many", word);
	return 0;
}

error_t remote_take(int key, char *arg, struct argp_state *state, struct remote_args *a)
{
	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = a;
		return 0;
	}
	return key == ARGP_KEY_ARG ? remote_no_word(state, arg) : ARGP_ERR_UNKNOWN;
}

static const char *socket_of(const struct remote_args *a)
{
	const char *env = getenv("CRIER_SOCKET");

	if (a->socket)
		return a->socket;
	return env && env[0] ? env : REMOTE_SOCKET_DEFAULT;
}

/* The exit code for what a call returned; says why on standard error. */
static enum cli_exit code_of(int status, const struct err *e)
{
	if (status == 0)
		return CLI_DONE;
	struct err said = *e;

	text_calm(said.text); /* it may quote what others have said */
	fprintf(stderr, "crier: %s\n", said.text);
	if (status != CONTROL_REFUSED)
		return CLI_UNREACHABLE;
	return e->kind == ERR_PROTOCOL ? CLI_USAGE : CLI_NO;
}

static struct dur patience(const struct remote_args *a)
{
	return DUR_NS(ANSWER_WITHIN.ns + a->work.ns);
}

enum cli_exit remote_connect(const struct remote_args *a, struct control_client **out)
{
	struct err e = { 0 };

	return code_of(control_client_connect(socket_of(a), patience(a), out, &e), &e);
}

enum cli_exit remote_ask(struct control_client *c, const char *op, json_t *args, json_t **data)
{
	struct err e = { 0 };

	return code_of(control_client_call(c, op, args, data, &e), &e);
}

enum cli_exit remote_call(const struct remote_args *a, const char *op, json_t *args, json_t **data)
{
	struct control_client *c = NULL;
	enum cli_exit code = remote_connect(a, &c);

	if (code == CLI_DONE)
		code = remote_ask(c, op, args, data);
	else
		json_decref(args);
	control_client_free(c);
	return code;
}

enum cli_exit remote_stream(const struct remote_args *a, const char *op, json_t *args,
			    bool (*each)(void *ctx, const json_t *item), void *ctx)
{
	struct control_client *c = NULL;
	struct err e = { 0 };
	int status = control_client_connect(socket_of(a), patience(a), &c, &e);

	if (status == 0)
		status = control_client_stream(c, op, args, each, ctx, &e);
	else
		json_decref(args);
	control_client_free(c);
	return code_of(status, &e);
}

enum cli_exit remote_feed(struct control_client *c, const char *op, json_t *args,
			  bool (*each)(void *ctx, const json_t *item), void *ctx)
{
	struct err e = { 0 };

	return code_of(control_client_feed(c, op, args, STDIN_FILENO, each, ctx, &e), &e);
}

static json_t *calm_text(const json_t *v)
{
	char *text = mem_strdup(json_string_value(v));

	text_calm(text);
	json_t *calm = json_string(text);
	free(text);
	return calm;
}

json_t *remote_calm(const json_t *v)
{
	json_t *copy, *one;
	const char *key;
	size_t i;

	if (json_is_string(v))
		return calm_text(v);
	if (json_is_array(v)) {
		copy = json_array();
		json_array_foreach(v, i, one) json_array_append_new(copy, remote_calm(one));
		return copy;
	}
	if (!json_is_object(v))
		return json_deep_copy(v);
	copy = json_object();
	json_object_foreach((json_t *)(uintptr_t)v, key, one)
	{
		char *name = mem_strdup(key);

		text_calm(name);
		json_object_set_new(copy, name, remote_calm(one));
		free(name);
	}
	return copy;
}

void remote_print(const struct remote_args *a, const json_t *data, void (*text)(const json_t *))
{
	if (a->format == CLI_JSON)
		cli_print_json(data);
	else if (a->format == CLI_YAML)
		cli_print_yaml(data);
	else {
		json_t *calm = remote_calm(data);

		text(calm);
		json_decref(calm);
	}
}

void remote_print_fleet(const struct remote_args *a, const json_t *answers,
			void (*text)(const json_t *))
{
	json_t *items = json_array(), *answer;
	size_t i;

	json_array_foreach(answers, i, answer)
	{
		json_t *data = json_object_get(answer, "data");

		json_object_set(data, "on", json_object_get(answer, "node"));
		json_array_append(items, data);
		if (a->format == CLI_TEXT)
			remote_print(a, data, text);
	}
	if (a->format != CLI_TEXT) {
		json_t *all = json_pack("{s:O}", "items", items);

		remote_print(a, all, text);
		json_decref(all);
	}
	json_decref(items);
}

const char *remote_text(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : otherwise;
}
