#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/remote.h"

struct monitor_args {
	struct remote_args remote;
	const char *filter;
};

static const struct argp_option options[] = {
	{ "filter", 'f', "WORD", 0, "Only events whose name has WORD in it", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct monitor_args *a = state->input;

	if (key != 'f')
		return remote_take(key, arg, state, &a->remote);
	a->filter = arg;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.children = remote_children,
	.doc = "Events of this node as they happen, until interrupted.",
};

static const char *text_of(const json_t *o, const char *key)
{
	return remote_text(o, key, "");
}

static void print_text(const json_t *event)
{
	const char *key;
	json_t *value;

	printf("%s %-5s %s", text_of(event, "ts"), text_of(event, "level"),
	       text_of(event, "event"));
	json_object_foreach((json_t *)(uintptr_t)event, key, value)
	{
		if (!cli_event_detail(key))
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

	if (a->remote.format == CLI_JSON) {
		char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);

		puts(text);
		free(text);
	} else {
		json_t *calm = remote_calm(event);

		print_text(calm);
		json_decref(calm);
	}
	return fflush(stdout) == 0; /* nobody reads any more: end */
}

int cli_monitor(int argc, char **argv)
{
	struct monitor_args a = {
		.remote = { .format = CLI_TEXT, .formats = 1u << CLI_TEXT | 1u << CLI_JSON },
	};

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	return (int)remote_stream(&a.remote, "monitor", json_pack("{s:s*}", "filter", a.filter),
				  print_event, &a);
}
