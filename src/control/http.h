/**
 * The HTTP port: metrics, health, the status page, and what is so now as JSON. Read-only for ever:
 * it runs no operation that is not marked so, and takes no method but GET and HEAD.
 *
 *   /metrics                Prometheus' text
 *   /healthz /readyz        200, or 503 with the reason
 *   /                       the status page
 *   /v1/<kind>[/<name>]     the operation "get"
 *   /v1/status, /v1/explain?subject=…   any other read-only operation; its arguments are the query
 *
 * libmicrohttpd runs without threads of its own, on the loop, and is loaded when somebody connects for the first time.
 * Bounds: connections, their memory and their time.
 */
#ifndef CONTROL_HTTP_H
#define CONTROL_HTTP_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/loop.h"
#include "control/ops.h"

struct http_conf {
	struct addr addr; /* :: takes IPv4 too */
	uint16_t port;	  /* 0: any free one, see http_server_port() */
	struct control_ops ops;
	void *ctx; /* of the callbacks below; each of them may be NULL */
	void (*metrics)(void *ctx, struct buf *out);
	int (*healthy)(void *ctx, struct err *e); /* 0, or an error: the reason */
	int (*ready)(void *ctx, struct err *e);
};

struct http_server;

/** Listen. ERR_STATE when another program has the port, else ERR_SYSTEM. */
NODISCARD int http_server_new(const struct http_conf *conf, struct loop *loop,
			      struct http_server **out, struct err *e);
/** Ends the connections. Takes NULL, returns NULL. */
struct http_server *http_server_free(struct http_server *s);
void http_server_freep(struct http_server **s);

uint16_t http_server_port(const struct http_server *s);

#endif
