#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cli/remote.h"

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct remote_args *a = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[1] = &a->fleet;
	return remote_take(key, arg, state, a);
}

static const struct argp argp = {
	.parser = take,
	.children = remote_fleet_children,
	.doc = "One screen: is this node healthy, and what is wrong.\v"
	       "Exit code 0 when it is healthy, 1 when something is wrong, 3 when no daemon "
	       "answers.",
};

static const char *text_of(const json_t *o, const char *key)
{
	return remote_text(o, key, "-");
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
	const json_t *layer2 = json_object_get(status, "layer2");
	size_t i;
	json_t *p;

	printf("%s: %s\n", text_of(status, "node"),
	       json_is_true(json_object_get(status, "healthy")) ? "healthy" : "NOT healthy");
	printf("  version   %s, running since %s\n", text_of(status, "version"),
	       text_of(status, "since"));
	printf("  config    %s, %s since %s\n", text_of(config, "files"), text_of(config, "state"),
	       text_of(config, "since"));
	printf("  packets   their thread has %s priority\n", text_of(status, "packet-thread"));
	if (json_object_get(layer2, "reason"))
		printf("  kernel    %s: %s\n",
		       strcmp(text_of(layer2, "filter"), "map") == 0
			       ? "does not answer on all links"
			       : "classic filters",
		       text_of(layer2, "reason"));
	print_counts(status);
	json_array_foreach(problems, i, p)
	{
		printf("  problem   %s\n", text_of(p, "text"));
		if (json_object_get(p, "hint"))
			printf("            %s\n", text_of(p, "hint"));
	}
}

/* Is every node healthy that answered? */
static bool all_healthy(const json_t *answers)
{
	const json_t *answer;
	size_t i;

	json_array_foreach(answers, i, answer)
	{
		if (!json_is_true(json_object_get(json_object_get(answer, "data"), "healthy")))
			return false;
	}
	return true;
}

static enum cli_exit status_of_all(const struct remote_args *a)
{
	json_t *answers;
	enum cli_exit code = fleet_ask(&a->fleet, "v1/status", &answers);

	remote_print_fleet(a, answers, print_text);
	if (code == CLI_DONE && !all_healthy(answers))
		code = CLI_NO;
	json_decref(answers);
	return code;
}

int cli_status(int argc, char **argv)
{
	struct remote_args a = { .format = CLI_TEXT,
				 .formats = 1u << CLI_TEXT | 1u << CLI_JSON | 1u << CLI_YAML };
	json_t *status = NULL;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CLI_USAGE;
	if (a.fleet.on)
		return (int)status_of_all(&a);
	enum cli_exit code = remote_call(&a, "status", NULL, &status);

	if (code != CLI_DONE)
		return (int)code;
	remote_print(&a, status, print_text);
	code = json_is_true(json_object_get(status, "healthy")) ? CLI_DONE : CLI_NO;
	json_decref(status);
	return (int)code;
}
