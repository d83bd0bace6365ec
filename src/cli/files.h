/**
 * Configuration files on a command line, and what is wrong with them: what check, convert and plan share.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <argp.h>

#include "config/load.h"

/** Files, folders, or - for standard input; borrowed from the command line. */
struct cli_files {
	const char **v;
	size_t n, cap;
};

/** Their row in a table of options. */
#define CLI_FILES_OPTION                                                                \
	{                                                                               \
		"file", 'f', "FILE", 0,                                                 \
			"A file, a folder, or - for standard input; may be repeated", 0 \
	}

void cli_files_add(struct cli_files *f, const char *path);
/** At the end of the words: ends the program when there are none. */
void cli_files_check(const struct cli_files *f, struct argp_state *state);
void cli_files_fini(struct cli_files *f);

/** A path as people know it. */
const char *cli_file_name(const char *path);

/** Tell on standard error what a report holds. */
void cli_files_issues(const struct cfg_report *r);

#endif
