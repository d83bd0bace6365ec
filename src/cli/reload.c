#include <argp.h>
#include <stdio.h>

#include "cli/remote.h"

struct reload_args {
	struct remote_args remote;
	bool force;
};

static const struct argp_option options[] = {
	{ "force", 'F', NULL, 0,
	  "Also when services lose their address by it, or all pools or services go", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct reload_args *a = state->input;

	if (key != 'F')
		return remote_take(key, arg, state, &a->remote);
	a->force = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.children = remote_children,
	.doc = "Re-read the configuration and print what changed.\v"
	       "A configuration that can't be loaded, or that takes away an address in use, all "
	       "pools or all services without --force, changes nothing: the one before stays in "
	       "force, and the exit code is 1.",
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

static bool keep_difference(void *ctx, const json_t *item)
{
	json_t **diff = ctx;

	json_decref(*diff);
	*diff = json_deep_copy(item);
	return true;
}

int cli_reload(int argc, char **argv)
{
	struct reload_args a = {
		.remote = { .format = CLI_TEXT,
			    .formats = 1u << CLI_TEXT | 1u << CLI_JSON | 1u << CLI_YAML },
	};
	json_t *diff = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	enum cli_exit code = remote_stream(
		&a.remote, "reload", json_pack("{s:b}", "force", a.force), keep_difference, &diff);

	if (code == CLI_DONE)
		remote_print(&a.remote, diff, print_text);
	json_decref(diff);
	return (int)code;
}
