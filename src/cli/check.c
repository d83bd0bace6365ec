#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/output.h"
#include "config/print.h"

struct check_args {
	struct cli_files files;
	enum cli_format format;
};

static const struct argp_option options[] = {
	CLI_FILES_OPTION,
	{ "output", 'o', "FORMAT", 0, "text (default) or json", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct check_args *a = state->input;

	switch (key) {
	case 'f':
	case ARGP_KEY_ARG:
		cli_files_add(&a->files, arg);
		return 0;
	case 'o':
		if (cli_format_parse(arg, 1u << CLI_TEXT | 1u << CLI_JSON, &a->format) < 0)
			argp_error(state, "-o takes text or json, not '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		cli_files_check(&a->files, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.args_doc = "-f FILE…",
	.doc = "Validate configuration files: every mistake with its place, its cause and its "
	       "remedy.\v"
	       "Exit code 0 when the configuration is valid, 1 when it is not, 2 for a wrong "
	       "command line.",
};

static void print_count(size_t n, const char *one, const char *many, const char *before)
{
	printf("%s%zu %s", before, n, n == 1 ? one : many);
}

static void print_summary(const struct check_args *a, const struct cfg *c,
			  const struct cfg_report *r)
{
	if (a->files.n == 1)
		printf("%s: ", cli_file_name(a->files.v[0]));
	else
		printf("%zu files: ", a->files.n);
	if (!c) {
		print_count(r->errors.n, "error", "errors", "");
	} else {
		print_count(c->n_peers, "peer", "peers", "valid: ");
		print_count(c->n_pools, "pool", "pools", ", ");
		print_count(c->n_services, "service", "services", ", ");
	}
	if (r->warnings.n)
		print_count(r->warnings.n, "warning", "warnings", ", ");
	putchar('\n');
}

static void print_text(const struct check_args *a, const struct cfg *c, const struct cfg_report *r)
{
	struct buf text = { 0 };

	cfg_report_text(r, cli_colour(), &text);
	fputs(buf_text(&text), stdout);
	buf_fini(&text);
	print_summary(a, c, r);
}

static void print_json(const struct cfg *c, const struct cfg_report *r)
{
	json_t *o = cfg_report_json(r, c);

	cli_print_json(o);
	json_decref(o);
}

static int check(const struct check_args *a)
{
	char host[256] = "localhost";
	const struct cfg *c = NULL;
	struct cfg_report report;

	gethostname(host, sizeof(host) - 1);
	int rc = cfg_load(a->files.v, a->files.n, host, &c, &report);
	if (a->format == CLI_JSON)
		print_json(c, &report);
	else
		print_text(a, c, &report);
	cfg_report_fini(&report);
	cfg_free(c);
	return rc < 0 ? CLI_NO : CLI_DONE;
}

int cli_check(int argc, char **argv)
{
	struct check_args a = { .format = CLI_TEXT };

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int rc = check(&a);
	cli_files_fini(&a.files);
	return rc;
}
