#include "control/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "control/protocol.h"

enum {
	READ_BYTES = 16 * 1024, /* at one go; on the stack, whose pages are touched one by one */
	LINES_AT_ONCE = 16,
};

struct control_stream {
	struct list list;
	struct control_link *link;
	json_t *id;
	void (*closed)(void *ctx);
	void *ctx;
};

static size_t backlog(const struct control_link *l)
{
	return l->out.len - l->out_at;
}

static bool may_read(const struct control_link *l)
{
	return !l->no_more_input && backlog(l) == 0;
}

static void watch(struct control_link *l)
{
	unsigned events = (may_read(l) ? LOOP_READ : 0u) | (backlog(l) > 0 ? LOOP_WRITE : 0u);

	loop_io_watch(&l->io, l->fd, events);
}

static void die(struct control_link *l)
{
	l->dying = true;
	loop_io_stop(&l->io);
	loop_task_queue(&l->work);
}

static void send_some(struct control_link *l)
{
	while (backlog(l) > 0) {
		ssize_t n = send(l->fd, l->out.p + l->out_at, backlog(l), MSG_NOSIGNAL);

		if (n >= 0)
			l->out_at += (size_t)n;
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			die(l);
		if (l->dying)
			return;
	}
}

static void flush(struct control_link *l)
{
	send_some(l);
	if (l->dying)
		return;
	if (backlog(l) == 0) {
		/* One huge answer must not keep its memory for as long as the client stays. */
		buf_fini(&l->out);
		l->out_at = 0;
		if (l->in_at < l->in.len || l->no_more_input) /* what has waited for this */
			loop_task_queue(&l->work);
	}
	watch(l);
}

static int append(const char *chunk, size_t len, void *out)
{
	buf_append(out, chunk, len);
	return 0;
}

/* Send one answer (taken). A client that has let too much pile up before it is ended. */
static void answer(struct control_link *l, json_t *message)
{
	if (!l->dying && backlog(l) > l->env->max_queue_bytes) {
		l->env->stats.dropped_slow++;
		die(l);
	}
	if (!l->dying) {
		json_dump_callback(message, append, &l->out, JSON_COMPACT);
		buf_puts(&l->out, "\n");
		flush(l);
	}
	json_decref(message);
}

static struct control_stream *stream_new(struct control_link *l, json_t *id)
{
	struct control_stream *s = mem_new(struct control_stream);

	s->link = l;
	s->id = json_incref(id);
	list_append(&l->streams, &s->list);
	return s;
}

static void stream_free(struct control_stream *s)
{
	list_remove(&s->list);
	json_decref(s->id);
	free(s);
}

void control_stream_send(struct control_stream *s, json_t *item)
{
	answer(s->link, control_answer(s->id, json_incref(item)));
}

void control_stream_end(struct control_stream *s)
{
	answer(s->link, control_answer_done(s->id));
	stream_free(s);
}

void control_stream_answer(struct control_stream *s, json_t *data)
{
	answer(s->link, control_answer(s->id, data));
	stream_free(s);
}

void control_stream_fail(struct control_stream *s, const struct err *e)
{
	answer(s->link, control_answer_error(s->id, e));
	stream_free(s);
}

void control_stream_on_close(struct control_stream *s, void (*closed)(void *ctx), void *ctx)
{
	s->closed = closed;
	s->ctx = ctx;
}

void control_stream_feed(struct control_stream *s, const struct control_feed *feed)
{
	s->link->feed = *feed;
}

static int start_stream(struct control_link *l, const struct control_op *op,
			const struct control_request *r, struct err *e)
{
	struct control_stream *s = stream_new(l, r->id);
	int rc = op->start(l->env->ops.ctx, r->args, s, e);

	if (rc < 0)
		stream_free(s);
	return rc;
}

static int run_request(struct control_link *l, const struct control_request *r, struct err *e)
{
	const struct control_op *op = control_op_find(&l->env->ops, r->op, e);
	json_t *data = NULL;

	if (!op) {
		l->env->stats.bad_requests++;
		return -ERR_PROTOCOL;
	}
	if (op->start)
		return start_stream(l, op, r, e);
	int rc = control_op_run(&l->env->ops, op, r->args, &data, e);
	if (rc == 0)
		answer(l, control_answer(r->id, data));
	return rc;
}

static void take_line(struct control_link *l, const char *line, size_t len)
{
	struct control_request r = { 0 };
	struct err e = { 0 };

	l->env->stats.requests++;
	int rc = control_request_parse(line, len, &r, &e);
	if (rc < 0)
		l->env->stats.bad_requests++;
	else
		rc = run_request(l, &r, &e);
	if (rc < 0)
		answer(l, control_answer_error(r.id, &e));
	control_request_fini(&r);
}

static void refuse_long_line(struct control_link *l)
{
	struct err e;

	l->env->stats.bad_requests++;
	l->no_more_input = true;
	buf_fini(&l->in);
	err_set(&e, ERR_LIMIT, "a request may have at most %d bytes", CONTROL_REQUEST_MAX);
	answer(l, control_answer_error(json_null(), &e));
}

/* No whole line is left. */
static void input_used_up(struct control_link *l)
{
	buf_consume(&l->in, l->in_at);
	l->in_at = 0;
	if (l->in.len > CONTROL_REQUEST_MAX)
		refuse_long_line(l);
	else if (l->no_more_input)
		die(l);
	else if (l->in.len == 0)
		buf_fini(&l->in);
}

/* The next request in the input; blank lines are nothing. False when there is no whole one. */
static bool next_line(struct control_link *l, const char **line, size_t *len)
{
	for (;;) {
		const char *start = l->in.p + l->in_at;
		size_t left = l->in.len - l->in_at;
		const char *end = left > 0 ? memchr(start, '\n', left) : NULL;

		if (!end && !(l->no_more_input && left > 0))
			return false;
		*line = start;
		*len = end ? (size_t)(end - start) : left;
		l->in_at += *len + (end ? 1 : 0);
		if (*len > 0 && (*line)[*len - 1] == '\r')
			--*len;
		if (*len > 0)
			return true;
	}
}

/* The rest of a piece waits for the next turn; the client's last word ends the feed. */
static void feed(struct control_link *l)
{
	const struct control_feed f = l->feed;
	size_t left = l->in.len - l->in_at;
	size_t n = left > 0 ? f.take(f.ctx, l->in.p + l->in_at, left) : 0;

	l->in_at += n;
	if (l->dying)
		return;
	if (n > 0 && n < left) {
		loop_task_queue(&l->work);
		return;
	}
	buf_consume(&l->in, l->in_at);
	l->in_at = 0;
	if (!l->no_more_input)
		return;
	l->feed = (struct control_feed){ 0 };
	buf_fini(&l->in);
	f.end(f.ctx);
	loop_task_queue(&l->work);
}

/*
 * Take the requests that have come. An answer that is not read yet stops this, and flush() begins
 * it again; after some of them other work of the loop gets its turn.
 */
static void take_lines(struct control_link *l)
{
	const char *line = NULL;
	size_t len = 0;

	for (int i = 0; i < LINES_AT_ONCE; i++) {
		if (l->dying || backlog(l) > 0)
			return;
		if (l->feed.take) {
			feed(l);
			return;
		}
		if (!next_line(l, &line, &len)) {
			input_used_up(l);
			return;
		}
		take_line(l, line, len);
	}
	loop_task_queue(&l->work);
}

static void link_work(struct loop_task *t)
{
	struct control_link *l = CONTAINER_OF(t, struct control_link, work);

	if (!l->dying)
		take_lines(l);
	else
		control_link_free(l);
}

static void link_read(struct control_link *l)
{
	char bytes[READ_BYTES];
	ssize_t n = recv(l->fd, bytes, sizeof(bytes), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		die(l);
		return;
	}
	if (n == 0)
		l->no_more_input = true;
	else
		buf_append(&l->in, bytes, (size_t)n);
	take_lines(l);
}

static void link_ready(struct loop_io *io, unsigned events)
{
	struct control_link *l = CONTAINER_OF(io, struct control_link, io);

	if (events & LOOP_WRITE)
		flush(l);
	/* What waits for its turn goes first, else it would grow without end. */
	if (!l->dying && (events & LOOP_READ) && may_read(l) && !l->work.queued)
		link_read(l);
	if (!l->dying)
		watch(l);
}

void control_link_new(struct control_env *env, struct list *links, int fd)
{
	struct control_link *l = mem_new(struct control_link);

	l->env = env;
	l->fd = fd;
	list_init(&l->streams);
	loop_io_init(&l->io, env->loop, link_ready);
	loop_task_init(&l->work, env->loop, link_work);
	list_append(links, &l->list);
	env->stats.clients++;
	watch(l);
}

void control_link_free(struct control_link *l)
{
	struct control_stream *s;

	l->dying = true; /* what the callbacks still send goes nowhere */
	LIST_EACH (s, &l->streams, list) {
		if (s->closed)
			s->closed(s->ctx);
		stream_free(s);
	}
	loop_io_stop(&l->io);
	loop_task_cancel(&l->work);
	list_remove(&l->list);
	l->env->stats.clients--;
	close(l->fd);
	buf_fini(&l->in);
	buf_fini(&l->out);
	free(l);
}
