#include "cli/cli.h"

#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/fleet.h"

static const struct cli_command commands[] = {
	{ "run", "the daemon", cli_run },
	{ "check", "validate configuration files", cli_check },
	{ "convert", "write a configuration as custom resources, or in crier's own format",
	  cli_convert },
	{ "plan", "who would get which address and who would say it, offline", cli_plan },
	{ "status", "is this node healthy, and what is wrong", cli_status },
	{ "get", "what is so now: services, pools, peers, routes, bfd, l2, members, nodes, events",
	  cli_get },
	{ "explain", "why an address or service is, or is not, announced from here", cli_explain },
	{ "monitor", "events as they happen", cli_monitor },
	{ "reload", "re-read the configuration and print what changed", cli_reload },
	{ "announce", "routes by hand or by program, until withdrawn", cli_announce },
	{ "withdraw", "take routes by hand back", cli_withdraw },
	{ "peer", "take one BGP peer down, up, reset it, or send it all routes again", cli_peer },
	{ "drain", "move everything away from this node, without loss", cli_drain },
	{ "undrain", "let a drained node take part again", cli_undrain },
	{ "cleanup", "remove service addresses that a dead daemon left behind", cli_cleanup },
	{ "version", "print the version", cli_version },
};

/* Promised by the contract; until they are built they say so. */
static const char *const planned[] = { "doctor", "completion" };

static void cli_usage(FILE *to)
{
	fputs("usage: crier COMMAND [OPTION…]\n\n"
	      "Announces service addresses by Layer 2 (ARP, NDP) and by BGP.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\nEach command has --help. Exit codes: 0 done, 1 the answer is no, 2 used wrongly,\n"
	      "3 the daemon can't be reached.\n",
	      to);
}

static int cli_unknown(const char *word)
{
	const char *names[ARRAY_LEN(commands)];

	for (size_t i = 0; i < ARRAY_LEN(planned); i++)
		if (strcmp(word, planned[i]) == 0) {
			fprintf(stderr, "crier: '%s' is not built yet\n", word);
			return CLI_USAGE;
		}

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		names[i] = commands[i].name;
	const char *near = text_nearest(word, names, ARRAY_LEN(names));

	fprintf(stderr, "crier: there is no command '%s'", word);
	fprintf(stderr, near ? "; did you mean '%s'?\n" : "; crier --help lists them\n", near);
	return CLI_USAGE;
}

/* Called kubectl-crier we are kubectl's plugin, and ask every node. */
static bool is_plugin(const char *called)
{
	const char *slash = strrchr(called, '/');

	return strcmp(slash ? slash + 1 : called, "kubectl-crier") == 0;
}

/* What the HTTP port of a node can answer. */
static bool is_for_plugin(const struct cli_command *c)
{
	return c->run == cli_get || c->run == cli_status || c->run == cli_explain ||
	       c->run == cli_version;
}

/* argp prints argv[0] in its messages: "crier check", not "check". */
static int cli_dispatch(const struct cli_command *c, bool plugin, int argc, char **argv)
{
	char title[64];

	if (plugin && !is_for_plugin(c)) {
		fprintf(stderr,
			"kubectl crier %s: through the API server a node only answers get, status "
			"and explain; on the node itself: kubectl -n NAMESPACE exec POD -- crier "
			"%s\n",
			c->name, c->name);
		return CLI_USAGE;
	}
	if (plugin)
		fleet_always();
	argp_err_exit_status = CLI_USAGE;
	snprintf(title, sizeof(title), "%s %s", plugin ? "kubectl crier" : "crier", c->name);
	argv[0] = title;
	return c->run(argc, argv);
}

/* Where a standard descriptor is closed, the next file or socket would take its place, and hear what we print. */
static void fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int cli_main(int argc, char **argv)
{
	fill_descriptors();
	if (argc < 2) {
		cli_usage(stderr);
		return CLI_USAGE;
	}
	const char *word = argv[1];

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		cli_usage(stdout);
		return CLI_DONE;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		word = "version";
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return cli_dispatch(&commands[i], is_plugin(argv[0]), argc - 1, argv + 1);
	return cli_unknown(word);
}

int cli_version(int argc, char **argv)
{
	static const struct argp argp = { .doc = "Print the version." };

	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return CLI_USAGE;
	puts("crier " CRIER_VERSION);
	return CLI_DONE;
}
