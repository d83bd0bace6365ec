#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/plan_diff.h"
#include "config/print.h"
#include "plan/compare.h"
#include "plan/report.h"

/* Keys of options that have no letter. */
enum { KEY_NODES = 256, KEY_ALL, KEY_REFERENCE, KEY_DIFF };

struct plan_args {
	struct cli_files files;
	struct cli_files old; /* to compare with */
	const char **nodes;
	size_t n_nodes, cap_nodes;
	enum cli_format format;
	bool all;
	bool reference;
};

static const struct argp_option options[] = {
	CLI_FILES_OPTION,
	{ "nodes", KEY_NODES, "A,B,C", 0,
	  "The live members (default: all Node objects; without any, this machine alone)", 0 },
	{ "output", 'o', "FORMAT", 0, "table (default), json or yaml", 0 },
	{ "all", KEY_ALL, 0, 0,
	  "Show the nodes that merely lost a ranking, too, and services that are none of ours", 0 },
	{ "reference", KEY_REFERENCE, 0, 0,
	  "Decide as MetalLB does, without crier's own improvements", 0 },
	{ "diff", KEY_DIFF, "OLD", 0,
	  "What would change against OLD, a file or folder, whose addresses are in force; may be "
	  "repeated",
	  0 },
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

static bool has_stdin(const struct cli_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->v[i], "-") == 0)
			return true;
	return false;
}

static void check_files(const struct plan_args *a, struct argp_state *state)
{
	if (!a->files.n && a->old.n)
		argp_error(state, "which new file? --diff OLD NEW");
	cli_files_check(&a->files, state);
	if (has_stdin(&a->files) && has_stdin(&a->old))
		argp_error(state, "standard input is one configuration, not two");
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct plan_args *a = state->input;

	switch (key) {
	case 'f':
	case ARGP_KEY_ARG:
		cli_files_add(&a->files, arg);
		return 0;
	case KEY_DIFF:
		cli_files_add(&a->old, arg);
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
		check_files(a, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.args_doc = "-f FILE…\n--diff OLD NEW",
	.doc = "Who would get which address, and who would say it, and why not: what the daemons "
	       "would decide, without any of them. With --diff: what would change.\v"
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

static void print_as(enum cli_format format, const json_t *answer, void (*table)(const json_t *))
{
	if (format == CLI_JSON)
		cli_print_json(answer);
	else if (format == CLI_YAML)
		cli_print_yaml(answer);
	else
		table(answer);
}

static void print_plan(const struct plan_args *a, const struct offline *o)
{
	struct plan_report_options how = {
		.all = a->all,
		.brief = a->format == CLI_TABLE && !a->all,
	};
	json_t *plan = plan_report(o, &how);

	print_as(a->format, plan, print_tables);
	json_decref(plan);
}

/* @o came after @old. Each silence may be the reason of a difference. */
static void print_difference(const struct plan_args *a, const struct offline *old,
			     const struct offline *o)
{
	struct plan_report_options how = { .all = a->all };
	json_t *before = plan_report(old, &how), *after = plan_report(o, &how);
	json_t *difference = plan_compare(before, after);
	struct err e = { 0 };

	if (offline_check(old, world_config(offline_world(o)), &e) < 0)
		json_object_set_new(difference, "refused", json_string(e.text));
	print_as(a->format, difference, cli_print_plan_diff);
	json_decref(difference);
	json_decref(after);
	json_decref(before);
}

/* NULL: what is wrong is told. */
static const struct cfg *load(const struct cli_files *files, struct object_set *objects)
{
	char host[256] = "localhost";
	const struct cfg *c = NULL;
	struct cfg_report report;
	struct cfg_sink sink = object_set_sink(objects);

	(void)gethostname(host, sizeof(host) - 1);
	(void)!cfg_load_with(files->v, files->n, host, &sink, &c, &report);
	cli_files_issues(&report);
	cfg_report_fini(&report);
	return c;
}

/** One configuration, and the world that it makes. */
struct side {
	const struct cfg *cfg;
	struct offline *world;
};

static void side_fini(struct side *side)
{
	offline_free(side->world);
	cfg_free(side->cfg);
}

/* @held: what is in force when this one comes, or NULL. */
static int side_make(struct side *side, const struct cli_files *files, const struct plan_args *a,
		     const struct offline *held)
{
	CLEANUP(object_set_freep) struct object_set *objects = object_set_new();

	side->cfg = load(files, objects);
	if (!side->cfg)
		return -1;
	struct offline_conf conf = {
		.objects = objects,
		.nodes = a->nodes,
		.n_nodes = a->n_nodes,
		.reference = a->reference,
		.held = held,
	};
	side->world = offline_new(side->cfg, &conf);
	return 0;
}

static int plan(const struct plan_args *a)
{
	CLEANUP(side_fini) struct side old = { 0 }, new = { 0 };
	int rc = a->old.n ? side_make(&old, &a->old, a, NULL) : 0;

	/* The problems of both are worth telling. */
	if (side_make(&new, &a->files, a, old.world) < 0 || rc < 0)
		return CLI_NO;
	if (old.world)
		print_difference(a, old.world, new.world);
	else
		print_plan(a, new.world);
	return CLI_DONE;
}

int cli_plan(int argc, char **argv)
{
	struct plan_args a = { .format = CLI_TABLE };

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int rc = plan(&a);
	cli_files_fini(&a.files);
	cli_files_fini(&a.old);
	free(a.nodes);
	return rc;
}
