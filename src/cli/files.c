#include "cli/files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "config/print.h"

void cli_files_add(struct cli_files *f, const char *path)
{
	mem_grow(f->v, f->n, f->cap);
	f->v[f->n++] = path;
}

void cli_files_check(const struct cli_files *f, struct argp_state *state)
{
	if (!f->n)
		argp_error(state, "which file? -f FILE");
}

void cli_files_fini(struct cli_files *f)
{
	free(f->v);
	*f = (struct cli_files){ 0 };
}

const char *cli_file_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

void cli_files_issues(const struct cfg_report *r)
{
	struct buf text = { 0 };

	cfg_report_text(r, isatty(STDERR_FILENO) && cli_colour(), &text);
	fputs(buf_text(&text), stderr);
	buf_fini(&text);
}
