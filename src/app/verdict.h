/**
 * May this node announce a standalone service at all? Its own word on that, told to the world and to the other
 * members: the service's health check passes here, and its Layer 2 addresses find a link here. Without a check,
 * and with a place for every address, there is nothing to say: the service is served here as everywhere.
 */
#ifndef APP_VERDICT_H
#define APP_VERDICT_H

#include <stddef.h>

struct app;

/** Say what is so now; what was said already is not said again. */
void verdict_settle(struct app *a, const char *service);
/** The same for all: links have changed. */
void verdict_settle_all(struct app *a);

/** Why a service's addresses find no link here, or NULL; void when the loop turns. */
const char *verdict_unplaced(struct app *a, const char *service);

#endif
