#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/remote.h"

struct monitor_args {
	const char *socket;
	const char *filter;
	enum cli_format format;
};

static const struct argp_option options[] = {
	{ "socket", 's', "PATH", 0, "Control socket of the daemon", 0 },
	{ "filter", 'f', "WORD", 0, "Only events whose name has WORD in it", 0 },
	{ "output", 'o', "FORMAT", 0, "text (default), json", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct monitor_args *a = state->input;

	switch (key) {
	case 's':
		a->socket = arg;
		return 0;
	case 'f':
		a->filter = arg;
		return 0;
	case 'o':
		if (cli_format_parse(arg, 1u << CLI_TEXT | 1u << CLI_JSON, &a->format) < 0)
			argp_error(state, "-o takes text or json, not '%s'", arg);
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
	.doc = "Events of this node as they happen, until interrupted.",
};

/* The keys that every event has are its line's beginning; the rest follows. */
static bool is_common(const char *key)
{
	static const char *const common[] = { "ts", "level", "event", "msg", "caller" };

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcmp(key, common[i]) == 0)
			return true;
	return false;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void print_text(const json_t *event)
{
	const char *key;
	json_t *value;

	printf("%s %-5s %s", text_of(event, "ts"), text_of(event, "level"),
	       text_of(event, "event"));
	json_object_foreach((json_t *)(uintptr_t)event, key, value)
	{
		if (is_common(key))
			continue;
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		printf(" %s=%s", key, json_is_string(value) ? json_string_value(value) : text);
		free(text);
	}
	printf(": %s\n", text_of(event, "msg"));
}

static bool print_event(void *ctx, const json_t *event)
{
	const struct monitor_args *a = ctx;

	if (a->format == CLI_JSON) {
		char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);

		puts(text);
		free(text);
	} else {
		print_text(event);
	}
	return fflush(stdout) == 0; /* nobody reads any more: end */
}

int cli_monitor(int argc, char **argv)
{
	struct monitor_args a = { .format = CLI_TEXT };

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	return (int)remote_stream(remote_socket(a.socket), "monitor",
				  json_pack("{s:s*}", "filter", a.filter), print_event, &a);
}
