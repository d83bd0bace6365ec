/**
 * What a path of the HTTP port asks for. Pure: the server hands in the path and runs what comes
 * out.
 */
#ifndef CONTROL_ROUTE_H
#define CONTROL_ROUTE_H

#include "control/ops.h"

enum route_what {
	ROUTE_NOTHING, /* 404 */
	ROUTE_PAGE,    /* / */
	ROUTE_METRICS, /* /metrics */
	ROUTE_HEALTH,  /* /healthz */
	ROUTE_READY,   /* /readyz */
	ROUTE_OP,      /* /v1/… */
};

struct route {
	enum route_what what;
	const struct control_op *op; /* ROUTE_OP: read-only, and answers at once */
	json_t *args;		     /* ROUTE_OP: a new reference */
};

/**
 * /v1/<operation>, where there is a read-only one of that name; else /v1/<kind>[/<name>] is the
 * operation "get". An operation that changes something is ROUTE_NOTHING, whatever the method.
 * @path: without the query, percent signs decoded; any bytes
 */
struct route route_find(const struct control_ops *ops, const char *path);

/** One key of the query; what the path said stays as it is. */
void route_add_query(struct route *r, const char *key, const char *value);

void route_fini(struct route *r);

#endif
