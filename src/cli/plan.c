#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "config/print.h"
#include "plan/report.h"

/* Keys of options that have no letter. */
enum { KEY_NODES = 256, KEY_ALL, KEY_REFERENCE };

struct plan_args {
	const char **paths;
	size_t n, cap;
	const char **nodes;
	size_t n_nodes, cap_nodes;
	enum cli_format format;
	bool all;
	bool reference;
};

static const struct argp_option options[] = {
	{ "file", 'f', "FILE", 0, "A file, a folder, or - for standard input; may be repeated", 0 },
	{ "nodes", KEY_NODES, "A,B,C", 0,
	  "The live members (default: all Node objects; without any, this machine alone)", 0 },
	{ "output", 'o', "FORMAT", 0, "table (default), json or yaml", 0 },
	{ "all", KEY_ALL, 0, 0,
	  "Show the nodes that merely lost a ranking, too, and services that are none of ours", 0 },
	{ "reference", KEY_REFERENCE, 0, 0,
	  "Decide as MetalLB does, without crier's own improvements", 0 },
	{ 0 },
};

static void take_nodes(struct plan_args *a, char *list)
{
	for (char *name; (name = strsep(&list, ","));) {
		if (!*name)
			continue;
		mem_grow(a->nodes, a->n_nodes, a->cap_nodes);
		a->nodes[a->n_nodes++] = name;
	}
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct plan_args *a = state->input;

	switch (key) {
	case 'f':
	case ARGP_KEY_ARG:
		mem_grow(a->paths, a->n, a->cap);
		a->paths[a->n++] = arg;
		return 0;
	case 'o':
		if (cli_format_parse(arg, 1u << CLI_TABLE | 1u << CLI_JSON | 1u << CLI_YAML,
				     &a->format) < 0)
			argp_error(state, "-o takes table, json or yaml, not '%s'", arg);
		return 0;
	case KEY_NODES:
		take_nodes(a, arg);
		return 0;
	case KEY_ALL:
		a->all = true;
		return 0;
	case KEY_REFERENCE:
		a->reference = true;
		return 0;
	case ARGP_KEY_END:
		if (!a->n)
			argp_error(state, "which file? -f FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.args_doc = "-f FILE…",
	.doc = "Who would get which address, and who would say it, and why not: what the daemons "
	       "would decide, without any of them.\v"
	       "Health checks are taken as passed. Exit code 0, 1 when the configuration is "
	       "invalid, "
	       "2 for a wrong command line.",
};

static const struct cli_column allocation_columns[] = {
	{ "SERVICE", "service", false },
	{ "POOL", "pool", false },
	{ "ADDRESSES", "addresses", false },
};

static const struct cli_column unallocated_columns[] = {
	{ "SERVICE", "service", false },
	{ "REASON", "reason", false },
};

static const struct cli_column announcement_columns[] = {
	{ "SERVICE", "service", false },
	{ "ADDRESS", "address", false },
	{ "MODE", "mode", false },
	{ "NODE", "node", false },
	{ "INTERFACES", "interfaces", false },
	{ "PEER", "peer", false },
	{ "PREFIX", "prefix", false },
	{ "LOCAL-PREF", "local-pref", false },
	{ "COMMUNITIES", "communities", false },
};

static const struct cli_column silence_columns[] = {
	{ "SERVICE", "service", false }, { "MODE", "mode", false },
	{ "NODE", "node", false },	 { "PEER", "peer", false },
	{ "REASON", "reason", false },	 { "DETAIL", "detail", false },
};

/* A list of the answer; one that is empty is not worth a headline unless @always. */
static void print_section(const json_t *plan, const char *key, const char *title,
			  const struct cli_column *columns, size_t n, bool always)
{
	const json_t *items = json_object_get(plan, key);

	if (!always && json_array_size(items) == 0)
		return;
	printf("%s\n", title);
	cli_print_table(items, columns, n, false);
	putchar('\n');
}

static void print_tables(const json_t *plan)
{
	print_section(plan, "allocations", "Addresses:", allocation_columns,
		      ARRAY_LEN(allocation_columns), true);
	print_section(plan, "unallocated", "Without an address:", unallocated_columns,
		      ARRAY_LEN(unallocated_columns), false);
	print_section(plan, "announcements", "Announced:", announcement_columns,
		      ARRAY_LEN(announcement_columns), true);
	print_section(plan, "silent", "Silent:", silence_columns, ARRAY_LEN(silence_columns),
		      false);
}

static void print_plan(const struct plan_args *a, const struct offline *o)
{
	struct plan_report_options how = {
		.all = a->all,
		.brief = a->format == CLI_TABLE && !a->all,
	};
	json_t *plan = plan_report(o, &how);

	if (a->format == CLI_JSON)
		cli_print_json(plan);
	else if (a->format == CLI_YAML)
		cli_print_yaml(plan);
	else
		print_tables(plan);
	json_decref(plan);
}

static void print_issues(const struct cfg_report *r)
{
	struct buf text = { 0 };

	cfg_report_text(r, isatty(STDERR_FILENO) && cli_colour(), &text);
	fputs(buf_text(&text), stderr);
	buf_fini(&text);
}

/* NULL: what is wrong is told. */
static const struct cfg *load(const struct plan_args *a, struct object_set *objects)
{
	char host[256] = "localhost";
	const struct cfg *c = NULL;
	struct cfg_report report;
	struct cfg_sink sink = object_set_sink(objects);

	(void)gethostname(host, sizeof(host) - 1);
	(void)!cfg_load_with(a->paths, a->n, host, &sink, &c, &report);
	print_issues(&report);
	cfg_report_fini(&report);
	return c;
}

static int plan(const struct plan_args *a)
{
	CLEANUP(object_set_freep) struct object_set *objects = object_set_new();
	const struct cfg *c = load(a, objects);

	if (!c)
		return CLI_NO;
	struct offline_conf conf = {
		.objects = objects,
		.nodes = a->nodes,
		.n_nodes = a->n_nodes,
		.reference = a->reference,
	};
	struct offline *o = offline_new(c, &conf);
	print_plan(a, o);
	offline_free(o);
	cfg_free(c);
	return CLI_DONE;
}

int cli_plan(int argc, char **argv)
{
	struct plan_args a = { .format = CLI_TABLE };

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int rc = plan(&a);
	free(a.paths);
	free(a.nodes);
	return rc;
}
