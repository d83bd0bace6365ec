/**
 * One client of the control socket: lines in, answers out, and the streams that it has started.
 * Private to control/.
 */
#ifndef CONTROL_LINK_H
#define CONTROL_LINK_H

#include "base/buf.h"
#include "base/list.h"
#include "control/server.h"

/** What all clients of one server share. */
struct control_env {
	struct loop *loop;
	struct control_ops ops;
	size_t max_queue_bytes;
	struct control_stats stats;
};

struct control_link {
	struct list list; /* the server's */
	struct control_env *env;
	struct loop_io io;
	struct loop_task work;
	int fd;
	struct buf in;
	size_t in_at; /* requests before this have been taken */
	struct buf out;
	size_t out_at; /* answers before this have been sent */
	struct list streams;
	struct control_feed feed; /* take is NULL: requests come */
	bool no_more_input; /* the client has said all that it will, or all that we want to hear */
	bool dying;	    /* freed by the task, never inside a call of somebody else */
};

/** @fd is taken: connected and not blocking. The link ends by itself when its client has gone. */
void control_link_new(struct control_env *env, struct list *links, int fd);
/** Runs the closed callbacks of its streams. */
void control_link_free(struct control_link *l);

#endif
