/**
 * The daemon: owns one of each and wires them together. Sources change the world, the planner decides, the
 * announcers make the wire match; everything runs on the control thread but for the packet thread.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>

#include "base/err.h"

struct app_conf {
	const char *const *paths; /* configuration files, folders, or "-" */
	size_t n_paths;
	const char *node;	 /* --node, or NULL: the configuration's, else the host's name */
	const char *runtime_dir; /* socket and records; NULL: $RUNTIME_DIRECTORY, else /run/crier */
	bool is_announcer;	 /* says what the plan wants */
	bool is_allocator;	 /* of Kubernetes' services, when it is its turn */
	bool kubernetes;	 /* services and configuration of a Kubernetes API, too */
	bool is_shadow; /* says what it would do, and does nothing: neither of the roles above */
	const char *state_dir; /* allocations; NULL: $STATE_DIRECTORY, else /var/lib/crier */
};

/** Run until SIGTERM or SIGINT. Returns 0, or negative with the reason why it did not start. */
NODISCARD int app_run(const struct app_conf *conf, struct err *e);

/** `crier cleanup`: remove addresses that earlier daemons of this host left behind. */
NODISCARD int app_cleanup(const struct app_conf *conf, size_t *removed, struct err *e);

#endif
