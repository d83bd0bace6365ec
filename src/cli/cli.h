/**
 * What a person types: `crier COMMAND …`. One file for each command; arguments by argp, so that each has
 * --help and --usage. A command returns an exit code, and never exits by itself.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** The contract's exit codes. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_NO = 1,	     /* the answer is no: invalid, not found, unhealthy */
	CLI_USAGE = 2,	     /* used wrongly */
	CLI_UNREACHABLE = 3, /* the daemon can't be reached */
};

struct cli_command {
	const char *name;
	const char *summary;		   /* one line for `crier --help` */
	int (*run)(int argc, char **argv); /* argv[0] is "crier COMMAND" */
};

/** The whole command line; returns the exit code. */
int cli_main(int argc, char **argv);

int cli_check(int argc, char **argv);
int cli_convert(int argc, char **argv);
int cli_plan(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_get(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_monitor(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_announce(int argc, char **argv);
int cli_withdraw(int argc, char **argv);
int cli_peer(int argc, char **argv);
int cli_drain(int argc, char **argv);
int cli_undrain(int argc, char **argv);
int cli_cleanup(int argc, char **argv);
int cli_version(int argc, char **argv);

#endif
