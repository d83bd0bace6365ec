/**
 * The control socket: a UNIX stream socket on the loop. Many clients; each line is one request of
 * control/protocol.h, run through the app's table of operations.
 *
 * Bounds: clients, the length of a request, and what waits to be read by a client. A client that
 * asks and does not read is not asked on; one that does not read its streams is dropped, with a
 * counter.
 *
 * Who may use it: the file's mode is 0660 and its group is the one that is given.
 */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include "base/loop.h"
#include "base/metric.h"
#include "control/ops.h"

#define CONTROL_METRICS(X, S)                                                 \
	X(S, GAUGE, clients, "Clients connected to the control socket")       \
	X(S, COUNTER, accepted, "Clients accepted on the control socket")     \
	X(S, COUNTER, refused, "Clients refused because there were too many") \
	X(S, COUNTER, requests, "Requests read")                              \
	X(S, COUNTER, bad_requests, "Requests that could not be understood")  \
	X(S, COUNTER, dropped_slow, "Clients dropped because they did not read")
struct control_stats {
	CONTROL_METRICS(METRIC_FIELD, )
};

struct control_conf {
	const char *path;
	const char *group; /* or NULL; borrowed during the call, as is @path */
	struct control_ops ops;
	size_t max_clients;	/* 0: 64 */
	size_t max_queue_bytes; /* of answers that wait for a client; 0: 4 MiB */
};

struct control_server;

/**
 * Listen. A socket file that nobody listens on is removed first; its folder is made when only the
 * last part of the path is missing. A group that does not exist, or may not be given, is logged;
 * then only root may connect. Errors: ERR_STATE when another daemon listens there, ERR_CONFIG for
 * a bad path, ERR_SYSTEM.
 */
NODISCARD int control_server_new(const struct control_conf *conf, struct loop *loop,
				 struct control_server **out, struct err *e);

/**
 * Ends every stream (their closed callbacks run) and removes the socket file. Takes NULL, returns
 * NULL.
 */
struct control_server *control_server_free(struct control_server *s);
void control_server_freep(struct control_server **s);

void control_server_metrics(const struct control_server *s, struct metric_writer *w);

/**
 * Send one item; @item is borrowed. Never calls back; a client that is too slow is dropped later.
 */
void control_stream_send(struct control_stream *s, json_t *item);

/** No more items: tells the client, and frees the stream. The closed callback does not run. */
void control_stream_end(struct control_stream *s);

/**
 * For an operation that answers once, later: @data (taken) is its answer, as if it had come at once; frees the stream.
 */
void control_stream_answer(struct control_stream *s, json_t *data);

/** As control_stream_end(), with an error. */
void control_stream_fail(struct control_stream *s, const struct err *e);

/** Who takes what a client sends after its request. */
struct control_feed {
	/**
	 * Returns how many bytes were used up: the rest comes again, in the loop's next turn or with more. Never 0 for long input.
	 */
	size_t (*take)(void *ctx, const char *bytes, size_t len);
	/** The client has no more to say; what take() left is lost. Ends the stream. */
	void (*end)(void *ctx);
	void *ctx;
};

/** From inside start(): what the client sends from now on are no requests but @feed's. */
void control_stream_feed(struct control_stream *s, const struct control_feed *feed);

/** @closed runs when the client has gone or the server ends; the stream is freed after it. */
void control_stream_on_close(struct control_stream *s, void (*closed)(void *ctx), void *ctx);

#endif
