/* crier announce and crier withdraw: each route is a line (app/route_line.h), and so are their options. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "app/route_line.h"
#include "base/buf.h"
#include "cli/remote.h"
#include "control/client.h"

struct announce_args {
	struct remote_args remote;
	const char *verb;
	char **prefixes;
	size_t n_prefixes;
	struct buf words; /* what the options say, as a line does */
	bool while_connected;
};

/* One connection, and what came of the lines that went over it. */
struct feeder {
	const struct announce_args *args;
	struct control_client *client;
	json_t *owner; /* or NULL */
	enum cli_exit code;
};

enum { WHILE_CONNECTED = 'w' };

/* The keys are unimportant: each option is the line's word of the same name. */
static const struct argp_option announce_options[] = {
	{ "next-hop", 'n', "ADDRESS", 0, "Next hop; default: self, the session's own address", 0 },
	{ "med", 'm', "N", 0, "MULTI_EXIT_DISC", 0 },
	{ "local-pref", 'l', "N", 0, "LOCAL_PREF, towards peers of our own AS", 0 },
	{ "origin", 'O', "WORD", 0, "igp (default), egp or incomplete", 0 },
	{ "as-path", 'a', "LIST", 0, "AS numbers behind our own: 65001,65002", 0 },
	{ "as-path-prepend", 'P', "N", 0, "Our own AS so many times more", 0 },
	{ "community", 'c', "C,C", 0, "Communities: 64512:100, or a name such as no-export", 0 },
	{ "large-community", 'L', "C,C", 0, "Large communities: 64512:1:2", 0 },
	{ "extended-community", 'x', "C,C", 0, "Extended communities: rt:64512:100, ro:192.0.2.1:7",
	  0 },
	{ "peer", 'p', "LIST", 0, "Peers that hear it, by name or address; default: all", 0 },
	{ "while-connected", WHILE_CONNECTED, NULL, 0, "The routes end with this command", 0 },
	{ 0 },
};

static const struct argp_option withdraw_options[] = {
	{ "peer", 'p', "LIST", 0, "From these peers only, by name or address", 0 },
	{ 0 },
};

static const char *word_of(int key)
{
	for (const struct argp_option *o = announce_options; o->name; o++)
		if (o->key == key)
			return o->name;
	return NULL;
}

static bool is_list(int key)
{
	return strchr("acLxp", key) != NULL;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct announce_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->remote;
		return 0;
	case WHILE_CONNECTED:
		a->while_connected = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->prefixes = state->argv + state->next;
		a->n_prefixes = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a prefix is missing, or '-' for lines of standard input");
		return 0;
	default:
		break;
	}
	const char *word = key > 0 && key < 256 ? word_of(key) : NULL;
	if (!word)
		return ARGP_ERR_UNKNOWN;
	buf_printf(&a->words, is_list(key) ? " %s [ %s ]" : " %s %s", word, arg);
	return 0;
}

static const struct argp announce_argp = {
	.options = announce_options,
	.parser = take,
	.args_doc = "PREFIX…\n-",
	.children = remote_children,
	.doc = "Announce prefixes by BGP, until they are withdrawn or the daemon starts again.\v"
	       "With '-' lines come from standard input: announce PREFIX [next-hop A] [med N] "
	       "[local-pref N] [origin W] [as-path AS…] [as-path-prepend N] [community C…] "
	       "[large-community C…] [extended-community C…] [peer NAME…], or withdraw PREFIX; "
	       "ExaBGP's announce route and "
	       "neighbor ADDRESS announce route are understood. Each line that is refused is told "
	       "as "
	       "one line of JSON, and at the end how many there were.",
};

static const struct argp withdraw_argp = {
	.options = withdraw_options,
	.parser = take,
	.args_doc = "PREFIX…\n-",
	.children = remote_children,
	.doc = "Take back prefixes that were announced by hand.\v"
	       "With '-' lines come from standard input, as for crier announce.",
};

/* --- feeding the daemon --- */

static void print_line(const json_t *what)
{
	json_dumpf(what, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
}

/* JSON carries text; bytes that are none would be refused in any case. */
static json_t *text_json(char *text, size_t len)
{
	json_t *json = json_stringn(text, len);

	for (size_t i = 0; !json && i < len; i++)
		if (text[i] & 0x80)
			text[i] = '?';
	return json ? json : json_stringn(text, len);
}

/* A line that was refused; or, at the end, how many there were. */
static bool hear(void *ctx, const json_t *item)
{
	struct feeder *f = ctx;
	const json_t *refused = json_object_get(item, "refused");

	if (json_integer_value(refused))
		f->code = CLI_NO;
	print_line(item);
	return true;
}

static void feed_input(struct feeder *f)
{
	json_t *args = json_pack("{s:O*}", "owner", f->owner);
	enum cli_exit code = remote_feed(f->client, "route-feed", args, hear, f);

	if (code != CLI_DONE)
		f->code = code;
}

/* One prefix of the command line. */
static void feed_prefix(struct feeder *f, const char *prefix)
{
	char *line = mem_printf("%s \"%s\"%s", f->args->verb, prefix, buf_text(&f->args->words));
	json_t *args =
		json_pack("{s:o, s:O*}", "lines", text_json(line, strlen(line)), "owner", f->owner);
	json_t *data = NULL;
	enum cli_exit code = remote_ask(f->client, "route-lines", args, &data);
	const json_t *error = json_array_get(json_object_get(data, "errors"), 0);

	if (error) {
		fprintf(stderr, "crier: %s\n", remote_text(error, "message", "refused"));
		code = CLI_NO;
	}
	if (code != CLI_DONE)
		f->code = code;
	json_decref(data);
	free(line);
}

static bool is_input(const struct announce_args *a)
{
	return a->n_prefixes == 1 && strcmp(a->prefixes[0], "-") == 0;
}

static void feed_all(struct feeder *f)
{
	if (is_input(f->args))
		feed_input(f);
	for (size_t i = 0; !is_input(f->args) && i < f->args->n_prefixes; i++)
		if (f->code != CLI_UNREACHABLE)
			feed_prefix(f, f->args->prefixes[i]);
}

/* The daemon has given a number; it lets go of what goes by that when the stream ends. */
static bool hold(void *ctx, const json_t *item)
{
	struct feeder *f = ctx;

	f->owner = json_object_get(item, "owner");
	feed_all(f);
	f->owner = NULL;
	return !is_input(f->args) && f->code == CLI_DONE; /* prefixes stay until we are stopped */
}

/* --- the commands --- */

/* What is wrong with the command line itself is told without asking anybody. */
static enum cli_exit check_words(const struct announce_args *a)
{
	struct route_line *line = mem_new(struct route_line);
	enum cli_exit code = CLI_DONE;

	for (size_t i = 0; !is_input(a) && i < a->n_prefixes; i++) {
		struct err e = { 0 };
		char *text =
			mem_printf("%s \"%s\"%s", a->verb, a->prefixes[i], buf_text(&a->words));

		if (route_line_parse(text, strlen(text), line, &e) < 0) {
			const char *what = strchr(e.text, ':'); /* behind the column */

			fprintf(stderr, "crier %s:%s\n", a->verb, what ? what + 1 : e.text);
			code = CLI_USAGE;
		}
		free(text);
	}
	if (is_input(a) && a->words.len) {
		fprintf(stderr, "crier %s: attributes stand on the lines of standard input\n",
			a->verb);
		code = CLI_USAGE;
	}
	free(line);
	return code;
}

static enum cli_exit run(const struct announce_args *a)
{
	struct feeder *f = mem_new(struct feeder);
	enum cli_exit code = remote_connect(&a->remote, &f->client);

	f->args = a;
	f->code = code;
	if (code == CLI_DONE && a->while_connected)
		code = remote_stream(&a->remote, "route-hold", NULL, hold, f);
	else if (code == CLI_DONE)
		feed_all(f);
	if (code == CLI_DONE)
		code = f->code;
	control_client_free(f->client);
	free(f);
	return code;
}

static int announce(const char *verb, const struct argp *argp, int argc, char **argv)
{
	struct announce_args a = {
		.remote = { .format = CLI_TEXT, .formats = 1u << CLI_TEXT },
		.verb = verb,
	};
	enum cli_exit code = CLI_USAGE;

	if (argp_parse(argp, argc, argv, 0, NULL, &a) == 0)
		code = check_words(&a);
	if (code == CLI_DONE)
		code = run(&a);
	buf_fini(&a.words);
	return (int)code;
}

int cli_announce(int argc, char **argv)
{
	return announce("announce", &announce_argp, argc, argv);
}

int cli_withdraw(int argc, char **argv)
{
	return announce("withdraw", &withdraw_argp, argc, argv);
}
