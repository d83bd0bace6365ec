/**
 * Asking the daemon: what status, get, explain, monitor and reload share. Errors are printed here, with the
 * remedy, and come back as exit codes.
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <jansson.h>

#include "cli/cli.h"
#include "cli/output.h"

#define REMOTE_SOCKET_DEFAULT "/run/crier/crier.sock"

/** --socket's value, or CRIER_SOCKET of the environment, or the default. */
const char *remote_socket(const char *given);

/**
 * Run one operation.
 * @args: taken; may be NULL
 * Returns CLI_DONE with *data (a new reference), or another exit code after printing why.
 */
enum cli_exit remote_call(const char *socket, const char *op, json_t *args, json_t **data);

/** Run a stream, until it ends or @each returns false; the items are borrowed. */
enum cli_exit remote_stream(const char *socket, const char *op, json_t *args,
			    bool (*each)(void *ctx, const json_t *item), void *ctx);

#endif
