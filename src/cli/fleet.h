/**
 * Every node of a Kubernetes cluster at once: the daemons are asked by the API server, which passes
 * a GET on to each pod (pods/proxy), so that nothing but a kubeconfig is needed. This is what crier
 * does when it is called kubectl-crier, or with --cluster.
 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include <argp.h>
#include <jansson.h>

#include "cli/cli.h"

struct fleet_args {
	bool on;
	const char *kubeconfig; /* NULL: KUBECONFIG, or ~/.kube/config */
	const char *context;	/* NULL: its current one */
	const char *node;	/* NULL: all of them */
};

/**
 * The options of this: a child of a command's parser, which sets the child's input to one of the
 * above.
 */
extern const struct argp fleet_argp;

/** From now on every command asks the cluster: we are kubectl's plugin. */
void fleet_always(void);

/**
 * GET @path, such as "v1/services", of every node.
 * @path:    escaped; a query may follow
 * @answers: [{"node", "data"}], by node; a new reference, also when some are missing
 * Says on standard error who did not answer. CLI_DONE: all did; CLI_NO: all did, and none has it;
 * CLI_UNREACHABLE: some did not.
 */
enum cli_exit fleet_ask(const struct fleet_args *f, const char *path, json_t **answers);

/** The items of all nodes' answers in one list, each with its "node"; a new reference. */
json_t *fleet_items(const json_t *answers);

#endif
