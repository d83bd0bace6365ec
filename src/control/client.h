/**
 * The other end of the control socket, for commands: it blocks. One question, or one stream, at a
 * time.
 *
 * Every function returns 0; CONTROL_REFUSED when the daemon answered with an error (*e holds its
 * kind and text); or a negative error when no daemon could be asked, with a text that names the
 * remedy.
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/time.h"

enum { CONTROL_REFUSED = 1 };

struct control_client;

/** @timeout: how long connecting and each answer may take */
NODISCARD int control_client_connect(const char *path, struct dur timeout,
				     struct control_client **out, struct err *e);
struct control_client *control_client_free(struct control_client *c); /* takes NULL, returns NULL */
void control_client_freep(struct control_client **c);

/** @args: taken; may be NULL. *data is a new reference, never NULL on 0. */
NODISCARD int control_client_call(struct control_client *c, const char *op, json_t *args,
				  json_t **data, struct err *e);

/**
 * @each: gets a borrowed item, without limit of time; false ends it, and the client is only to be
 * freed then.
 */
NODISCARD int control_client_stream(struct control_client *c, const char *op, json_t *args,
				    bool (*each)(void *ctx, const json_t *item), void *ctx,
				    struct err *e);

/**
 * Ask for what takes a feed: all that can be read from @from goes to it, with an end to its last line. @each gets the items that
 * come meanwhile, borrowed; it returns true to go on.
 */
NODISCARD int control_client_feed(struct control_client *c, const char *op, json_t *args, int from,
				  bool (*each)(void *ctx, const json_t *item), void *ctx,
				  struct err *e);

#endif
