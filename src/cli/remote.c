#include "cli/remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/client.h"

/* A daemon that is busy with a large configuration may take a while. */
#define ANSWER_WITHIN DUR_S(20)

const char *remote_socket(const char *given)
{
	const char *env = getenv("CRIER_SOCKET");

	if (given)
		return given;
	return env && env[0] ? env : REMOTE_SOCKET_DEFAULT;
}

/* The exit code for what a call returned; says why on standard error. */
static enum cli_exit code_of(int status, const struct err *e)
{
	if (status == 0)
		return CLI_DONE;
	fprintf(stderr, "crier: %s\n", e->text);
	if (status != CONTROL_REFUSED)
		return CLI_UNREACHABLE;
	return e->kind == ERR_PROTOCOL ? CLI_USAGE : CLI_NO;
}

enum cli_exit remote_call(const char *socket, const char *op, json_t *args, json_t **data)
{
	struct control_client *c = NULL;
	struct err e = { 0 };
	int status = control_client_connect(socket, ANSWER_WITHIN, &c, &e);

	if (status == 0)
		status = control_client_call(c, op, args, data, &e);
	else
		json_decref(args);
	control_client_free(c);
	return code_of(status, &e);
}

enum cli_exit remote_stream(const char *socket, const char *op, json_t *args,
			    bool (*each)(void *ctx, const json_t *item), void *ctx)
{
	struct control_client *c = NULL;
	struct err e = { 0 };
	int status = control_client_connect(socket, ANSWER_WITHIN, &c, &e);

	if (status == 0)
		status = control_client_stream(c, op, args, each, ctx, &e);
	else
		json_decref(args);
	control_client_free(c);
	return code_of(status, &e);
}
