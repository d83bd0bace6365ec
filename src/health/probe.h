/**
 * One probe under way: it ends with exactly one call of `done`, unless it is cancelled first. The two kinds
 * (a TCP connection, an HTTP request) look the same from outside.
 */
#ifndef HEALTH_PROBE_H
#define HEALTH_PROBE_H

#include "base/addr.h"
#include "base/loop.h"

struct health_probe;

struct health_probe_end {
	bool good;
	char reason[160]; /* why it was bad; "" when good */
};

typedef void (*health_probe_done)(void *ctx, const struct health_probe_end *end);

/** Connect to @addr; good when the connection is accepted within @timeout. */
NODISCARD struct health_probe *health_probe_tcp(struct loop *l, const struct addr *addr,
						uint16_t port, struct dur timeout,
						health_probe_done done, void *ctx);

/** What all HTTP probes of one loop share: libcurl's multi handle. */
struct health_http;

NODISCARD int health_http_new(struct loop *l, struct health_http **out, struct err *e);
struct health_http *health_http_free(struct health_http *h); /* no probe may be under way */

/** GET @url; good when the final answer is 200 to 399 within @timeout. Bodies are thrown away. */
NODISCARD struct health_probe *health_probe_http(struct health_http *h, const char *url,
						 struct dur timeout, health_probe_done done,
						 void *ctx);

/** End it without a verdict. Takes NULL; returns NULL. */
struct health_probe *health_probe_cancel(struct health_probe *p);

/* How a kind plugs in; for probe implementations. */
struct health_probe {
	void (*cancel)(struct health_probe *p); /* frees it too */
};

#endif
