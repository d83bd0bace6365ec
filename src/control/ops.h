/**
 * What the daemon can be asked: a table of operations that the app hands in. The control socket
 * runs all of them, the HTTP port only those that change nothing.
 */
#ifndef CONTROL_OPS_H
#define CONTROL_OPS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/**
 * The answer that goes on: items are sent as they come up, until one side ends it. See
 * control/server.h.
 */
struct control_stream;

/** One of @run and @start is set. */
struct control_op {
	const char *name;
	bool read_only; /* HTTP may ask for it; never for a stream */

	/**
	 * Answer at once.
	 * @args: an object, never NULL; borrowed
	 * @data: a new reference, or left alone for null
	 * Returns 0, or err_set()'s value: the kind tells the client what sort of "no" it is.
	 */
	int (*run)(void *ctx, const json_t *args, json_t **data, struct err *e);

	/**
	 * Begin a stream. On 0 the stream is the operation's until control_stream_end() or its
	 * closed callback; on an error it must not have been ended, and is gone.
	 */
	int (*start)(void *ctx, const json_t *args, struct control_stream *s, struct err *e);
};

struct control_ops {
	const struct control_op *v;
	size_t n;
	void *ctx;
};

/** NULL with ERR_PROTOCOL, naming the nearest one, when there is none of that name. */
const struct control_op *control_op_find(const struct control_ops *ops, const char *name,
					 struct err *e);

/** Run an operation that answers at once; *data is never NULL on 0. */
NODISCARD int control_op_run(const struct control_ops *ops, const struct control_op *op,
			     const json_t *args, json_t **data, struct err *e);

#endif
