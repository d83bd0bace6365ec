#include "control/client.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "control/protocol.h"

enum {
	ANSWER_MAX = 1 << 30, /* a full table of routes is large; more than this is not an answer */
	READ_BYTES = 64 * 1024,
};

struct control_client {
	int fd;
	char *path;
	struct dur timeout;
	bool patient; /* an answer may take any time */
	struct buf in;
};

static void set_send_timeout(int fd, struct dur d)
{
	struct timeval tv = { .tv_sec = d.ns / 1000000000, .tv_usec = d.ns % 1000000000 / 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int no_permission(const char *path, struct err *e)
{
	struct stat st;
	const struct group *group = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;

	if (!group || st.st_gid == 0)
		return err_set(e, ERR_SYSTEM,
			       "no permission for the control socket %s: only root may use it; try "
			       "sudo",
			       path);
	return err_set(e, ERR_SYSTEM,
		       "no permission for the control socket %s: only root and the group '%s' may "
		       "use it; try sudo, or join with: usermod -aG %s USER (and log in again)",
		       path, group->gr_name, group->gr_name);
}

static int explain_connect(const char *path, struct dur timeout, int why, struct err *e)
{
	switch (why) {
	case ENOENT:
	case ENOTDIR:
		return err_set(e, ERR_SYSTEM,
			       "there is no control socket %s: no crier runs here, or it uses "
			       "another path (--socket)",
			       path);
	case EACCES:
	case EPERM:
		return no_permission(path, e);
	case ECONNREFUSED:
		return err_set(e, ERR_SYSTEM,
			       "nobody listens on the control socket %s: crier has died; see "
			       "systemctl status crier",
			       path);
	case EAGAIN:
		return err_set(e, ERR_SYSTEM,
			       "the daemon took no connection on %s within %s: it is overloaded or "
			       "hangs",
			       path, DUR_TEXT(timeout));
	default:
		errno = why;
		return err_errno(e, "control socket %s", path);
	}
}

int control_client_connect(const char *path, struct dur timeout, struct control_client **out,
			   struct err *e)
{
	CLEANUP(control_client_freep) struct control_client *c = mem_new(struct control_client);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	c->path = mem_strdup(path);
	c->timeout = timeout;
	c->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_SYSTEM, "control socket %s: the path is too long", path);
	memcpy(address.sun_path, path, strlen(path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_errno(e, "control socket");
	set_send_timeout(c->fd, timeout);
	if (connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return explain_connect(path, timeout, errno, e);
	*out = TAKE(c);
	return 0;
}

struct control_client *control_client_free(struct control_client *c)
{
	if (!c)
		return NULL;
	if (c->fd >= 0)
		close(c->fd);
	buf_fini(&c->in);
	free(c->path);
	free(c);
	return NULL;
}

void control_client_freep(struct control_client **c)
{
	control_client_free(*c);
}

static int ask(struct control_client *c, const char *op, json_t *args, struct err *e)
{
	json_t *request = json_pack("{s:i, s:s, s:o*}", "id", 1, "op", op, "args", args);
	char *line = json_dumps(request, JSON_COMPACT);
	struct buf out = { 0 };
	int rc = 0;

	buf_puts(&out, line);
	buf_puts(&out, "\n");
	for (size_t at = 0; rc == 0 && at < out.len;) {
		ssize_t n = send(c->fd, out.p + at, out.len - at, MSG_NOSIGNAL);

		if (n >= 0)
			at += (size_t)n;
		else if (errno == EPIPE)
			break; /* it may have said why before it closed */
		else if (errno != EINTR)
			rc = err_errno(e, "control socket %s: ask", c->path);
	}
	buf_fini(&out);
	free(line);
	json_decref(request);
	return rc;
}

/*
 * Wait until there is something. A reader that sleeps in recv() would also be woken when the daemon has taken what was
 * asked, at the daemon's cost (unix_write_space() of Linux 6); one that sleeps in poll() is not.
 */
static int await(struct control_client *c, struct err *e)
{
	struct pollfd in = { .fd = c->fd, .events = POLLIN };
	int n = poll(&in, 1, c->patient ? -1 : (int)dur_ms(c->timeout));

	if (n == 0)
		return err_set(e, ERR_SYSTEM, "the daemon on %s gave no answer within %s", c->path,
			       DUR_TEXT(c->timeout));
	return n < 0 && errno != EINTR ? err_errno(e, "control socket %s", c->path) : 0;
}

static int receive(struct control_client *c, struct err *e)
{
	char bytes[READ_BYTES];

	for (;;) {
		int rc = await(c, e);
		if (rc < 0)
			return rc;
		ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n > 0) {
			buf_append(&c->in, bytes, (size_t)n);
			return 0;
		}
		if (n == 0 || errno == ECONNRESET)
			return err_set(e, ERR_SYSTEM,
				       "the daemon closed the connection on %s before it answered: "
				       "it stops, or died",
				       c->path);
		if (errno != EINTR && errno != EAGAIN)
			return err_errno(e, "control socket %s: read the answer", c->path);
	}
}

static bool has_line(const struct control_client *c)
{
	return c->in.len > 0 && memchr(c->in.p, '\n', c->in.len);
}

/* The next line as JSON, a new reference. */
static int read_answer(struct control_client *c, json_t **out, struct err *e)
{
	const char *end = NULL;
	json_error_t bad;

	for (size_t seen = 0;;) {
		end = c->in.len > seen ? memchr(c->in.p + seen, '\n', c->in.len - seen) : NULL;
		if (end)
			break;
		seen = c->in.len;
		if (seen > ANSWER_MAX)
			return err_set(e, ERR_SYSTEM, "the answer on %s has no end", c->path);
		int rc = receive(c, e);
		if (rc < 0)
			return rc;
	}
	size_t len = (size_t)(end - c->in.p);
	*out = json_loadb(c->in.p, len, 0, &bad);
	buf_consume(&c->in, len + 1);
	if (!*out)
		return err_set(e, ERR_SYSTEM, "what answers on %s is not crier: %s", c->path,
			       bad.text);
	return 0;
}

/* The next answer that is no error. */
static int read_good(struct control_client *c, json_t **out, struct err *e)
{
	json_t *message = NULL;
	int rc = read_answer(c, &message, e);

	if (rc < 0)
		return rc;
	if (!json_is_true(json_object_get(message, "ok"))) {
		control_error_read(json_object_get(message, "error"), e);
		json_decref(message);
		return CONTROL_REFUSED;
	}
	*out = message;
	return 0;
}

int control_client_call(struct control_client *c, const char *op, json_t *args, json_t **data,
			struct err *e)
{
	json_t *message = NULL;
	int rc = ask(c, op, args, e);

	c->patient = false;
	if (rc == 0)
		rc = read_good(c, &message, e);
	if (rc == 0) {
		json_t *found = json_object_get(message, "data");

		*data = found ? json_incref(found) : json_null();
		json_decref(message);
	}
	return rc;
}

int control_client_stream(struct control_client *c, const char *op, json_t *args,
			  bool (*each)(void *ctx, const json_t *item), void *ctx, struct err *e)
{
	int rc = ask(c, op, args, e);

	c->patient = true;
	for (bool more = true; rc == 0 && more;) {
		json_t *message = NULL;

		rc = read_good(c, &message, e);
		if (rc != 0)
			break;
		more = !json_is_true(json_object_get(message, "done"));
		if (more)
			more = each(ctx, json_object_get(message, "data"));
		json_decref(message);
	}
	return rc;
}

/* --- feeding --- */

/** What is on its way to the daemon. */
struct feed {
	struct control_client *c;
	int from;
	bool at_end; /* of the input */
	bool closed; /* and the daemon knows */
	char last;
	size_t at, len;
	char bytes[READ_BYTES];
};

static int feed_read(struct feed *f, struct err *e)
{
	ssize_t n = read(f->from, f->bytes, sizeof(f->bytes));

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return err_errno(e, "read the input");
	f->at = 0;
	f->len = n > 0 ? (size_t)n : 0;
	if (n > 0)
		f->last = f->bytes[n - 1];
	if (n != 0)
		return 0;
	f->at_end = true;
	if (f->last != '\n')
		f->bytes[f->len++] = '\n';
	return 0;
}

static int feed_send(struct feed *f, struct err *e)
{
	ssize_t n = send(f->c->fd, f->bytes + f->at, f->len - f->at, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		f->at += (size_t)n;
	else if (errno == EPIPE || errno == ECONNRESET)
		f->at = f->len; /* it may have said why before it closed */
	else if (errno != EINTR && errno != EAGAIN)
		return err_errno(e, "control socket %s: send", f->c->path);
	return 0;
}

/* What goes to the daemon, as far as it goes at once. */
static int feed_on(struct feed *f, bool readable, struct err *e)
{
	int rc = readable ? feed_read(f, e) : 0;

	if (rc == 0 && f->at < f->len)
		rc = feed_send(f, e);
	if (rc == 0 && f->at_end && f->at == f->len && !f->closed) {
		f->closed = true;
		(void)shutdown(f->c->fd, SHUT_WR);
	}
	return rc;
}

/* Items that have come; *more is false at the last. */
static int feed_hear(struct control_client *c, bool (*each)(void *ctx, const json_t *item),
		     void *ctx, bool *more, struct err *e)
{
	int rc = has_line(c) ? 0 : receive(c, e);

	while (rc == 0 && *more && has_line(c)) {
		json_t *message = NULL;

		rc = read_good(c, &message, e);
		if (rc != 0)
			break;
		*more = !json_is_true(json_object_get(message, "done")) &&
			each(ctx, json_object_get(message, "data"));
		json_decref(message);
	}
	return rc;
}

/* One wait, and what can be done then. */
static int feed_turn(struct feed *f, bool (*each)(void *ctx, const json_t *item), void *ctx,
		     bool *more, struct err *e)
{
	bool waits = f->at < f->len;
	struct pollfd p[] = {
		{ .fd = f->c->fd, .events = (short)(POLLIN | (waits ? POLLOUT : 0)) },
		{ .fd = waits || f->at_end ? -1 : f->from, .events = POLLIN },
	};

	if (poll(p, ARRAY_LEN(p), -1) < 0)
		return errno == EINTR ? 0 : err_errno(e, "control socket %s", f->c->path);
	int rc = 0;
	if (p[1].revents || (p[0].revents & POLLOUT))
		rc = feed_on(f, p[1].revents != 0, e);
	if (rc == 0 && (p[0].revents & (POLLIN | POLLHUP | POLLERR)))
		rc = feed_hear(f->c, each, ctx, more, e);
	return rc;
}

int control_client_feed(struct control_client *c, const char *op, json_t *args, int from,
			bool (*each)(void *ctx, const json_t *item), void *ctx, struct err *e)
{
	struct feed *f = mem_new(struct feed);
	bool more = true;
	int rc = ask(c, op, args, e);

	f->c = c;
	f->from = from;
	f->last = '\n';
	c->patient = true;
	while (rc == 0 && more)
		rc = feed_turn(f, each, ctx, &more, e);
	free(f);
	return rc;
}
