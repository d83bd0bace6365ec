#include "control/http.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/microhttpd.h"
#include "control/page.h"
#include "control/protocol.h"
#include "control/route.h"

enum {
	CONNECTIONS_MAX = 64,
	CONNECTION_BYTES = 32 * 1024, /* request line and headers have to fit */
	IDLE_S = 15,
	BACKLOG = 128,
};

#define TYPE_JSON    "application/json"
#define TYPE_TEXT    "text/plain; charset=utf-8"
#define TYPE_HTML    "text/html; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct http_server {
	struct http_conf conf;
	int listener;		   /* until libmicrohttpd has it; -1: it has */
	struct MHD_Daemon *daemon; /* NULL until somebody connects */
	uint16_t port;
	struct loop *loop;
	struct loop_io io; /* on the listener; on libmicrohttpd's own epoll descriptor */
	struct loop_timer timer;
};

/* What is sent back. The body is given away. */
struct reply {
	unsigned status;
	const char *type;
	struct buf body;
};

static enum MHD_Result send_reply(struct MHD_Connection *c, struct reply *r)
{
	struct MHD_Response *response =
		r->body.p ? MHD_create_response_from_buffer(r->body.len, r->body.p,
							    MHD_RESPMEM_MUST_FREE)
			  : MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);

	if (!response) {
		buf_fini(&r->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Content-Security-Policy",
				"default-src 'none'; style-src 'unsafe-inline'");
	if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result rc = MHD_queue_response(c, r->status, response);
	MHD_destroy_response(response);
	return rc;
}

static int append(const char *chunk, size_t len, void *out)
{
	buf_append(out, chunk, len);
	return 0;
}

/* @value is taken. */
static struct reply reply_json(unsigned status, json_t *value)
{
	struct reply r = { .status = status, .type = TYPE_JSON };

	json_dump_callback(value, append, &r.body, JSON_COMPACT | JSON_ENCODE_ANY);
	buf_puts(&r.body, "\n");
	json_decref(value);
	return r;
}

static unsigned status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_NOT_FOUND:
		return MHD_HTTP_NOT_FOUND;
	case ERR_CONFIG:
	case ERR_PROTOCOL:
		return MHD_HTTP_BAD_REQUEST;
	case ERR_LIMIT:
	case ERR_STATE:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	default:
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
}

static struct reply reply_error(unsigned status, const struct err *e)
{
	return reply_json(status, json_pack("{s:o}", "error", control_error(e)));
}

static struct reply reply_nothing(const char *path)
{
	struct err e;

	err_set(&e, ERR_NOT_FOUND, "there is nothing at %.200s", path);
	return reply_error(MHD_HTTP_NOT_FOUND, &e);
}

static struct reply reply_method(const char *method)
{
	struct err e;

	err_set(&e, ERR_PROTOCOL,
		"%.16s is not possible here: this port only reads; changes go through the control "
		"socket",
		method);
	return reply_error(MHD_HTTP_METHOD_NOT_ALLOWED, &e);
}

static struct reply reply_probe(const struct http_server *s, int (*probe)(void *, struct err *))
{
	struct reply r = { .status = MHD_HTTP_OK, .type = TYPE_TEXT };
	struct err e = { 0 };

	if (probe && probe(s->conf.ctx, &e) < 0) {
		r.status = MHD_HTTP_SERVICE_UNAVAILABLE;
		buf_printf(&r.body, "%s\n", e.text);
	} else {
		buf_puts(&r.body, "ok\n");
	}
	return r;
}

static struct reply reply_metrics(const struct http_server *s)
{
	struct reply r = { .status = MHD_HTTP_OK, .type = TYPE_METRICS };

	if (s->conf.metrics)
		s->conf.metrics(s->conf.ctx, &r.body);
	return r;
}

static struct reply reply_page(const struct http_server *s)
{
	struct route status = route_find(&s->conf.ops, "/v1/status");
	struct reply r = { .status = MHD_HTTP_OK, .type = TYPE_HTML };
	struct err e = { 0 };
	json_t *data = NULL;

	if (status.what != ROUTE_OP || !status.op)
		r = reply_nothing("/");
	else if (control_op_run(&s->conf.ops, status.op, status.args, &data, &e) < 0)
		r = reply_error(status_of(e.kind), &e);
	else
		page_render(data, &r.body);
	json_decref(data);
	route_fini(&status);
	return r;
}

static enum MHD_Result add_query(void *route, enum MHD_ValueKind kind, const char *key,
				 const char *value)
{
	(void)kind;
	route_add_query(route, key, value);
	return MHD_YES;
}

static struct reply reply_op(const struct http_server *s, struct MHD_Connection *c,
			     struct route *route)
{
	struct err e = { 0 };
	json_t *data = NULL;

	MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, add_query, route);
	if (control_op_run(&s->conf.ops, route->op, route->args, &data, &e) < 0)
		return reply_error(status_of(e.kind), &e);
	return reply_json(MHD_HTTP_OK, data);
}

static struct reply reply_to(const struct http_server *s, struct MHD_Connection *c,
			     const char *path)
{
	struct route route = route_find(&s->conf.ops, path);
	struct reply r;

	switch (route.what) {
	case ROUTE_PAGE:
		r = reply_page(s);
		break;
	case ROUTE_METRICS:
		r = reply_metrics(s);
		break;
	case ROUTE_HEALTH:
		r = reply_probe(s, s->conf.healthy);
		break;
	case ROUTE_READY:
		r = reply_probe(s, s->conf.ready);
		break;
	case ROUTE_OP:
		r = reply_op(s, c, &route);
		break;
	default:
		r = reply_nothing(path);
	}
	route_fini(&route);
	return r;
}

/* libmicrohttpd calls once for the headers, and again for each piece of a body and for its end. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *c, const char *path,
			      const char *method, const char *version, const char *body,
			      size_t *body_len, void **seen)
{
	const struct http_server *s = ctx;
	struct reply r;

	(void)version;
	(void)body;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		r = reply_method(method); /* at once: nobody wants its body */
		return send_reply(c, &r);
	}
	if (!*seen) {
		*seen = c;
		return MHD_YES;
	}
	if (*body_len > 0) {
		*body_len = 0;
		return MHD_YES;
	}
	r = reply_to(s, c, path);
	return send_reply(c, &r);
}

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
		loop_timer_set(&s->timer,
			       mono_add(loop_now(s->loop), DUR_MS(MIN(ms, IDLE_S * 1000ULL))));
	else
		loop_timer_stop(&s->timer);
}

static void http_ready(struct loop_io *io, unsigned events)
{
	(void)events;
	run(CONTAINER_OF(io, struct http_server, io));
}

static void http_timer(struct loop_timer *t, struct mono now)
{
	(void)now;
	run(CONTAINER_OF(t, struct http_server, timer));
}

static int say_bind(const struct http_conf *conf, struct err *e)
{
	char at[ADDR_PORT_TEXT_MAX];

	addr_port_format(&conf->addr, conf->port, at);
	if (errno == EADDRINUSE)
		return err_set(
			e, ERR_STATE,
			"http: another program listens on %s; stop it, or set http: {listen: "
			"…} to another port or to off",
			at);
	return err_errno(e, "http: listen on %s", at);
}

/* A listening socket of our own making: one that takes both families where the address is "::". */
static int listen_on(const struct http_conf *conf, uint16_t *port, struct err *e)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&conf->addr, conf->port, 0, &ss);
	struct addr bound;
	int on = 1;
	int off = 0;
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, "http: socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (conf->addr.family == FAMILY_V6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0) {
		int rc = say_bind(conf, e);

		close(fd);
		return rc;
	}
	getsockname(fd, (struct sockaddr *)&ss, &len);
	addr_from_sockaddr(&ss, &bound, port);
	return fd;
}

/*
 * libmicrohttpd takes the socket; it asks for nothing else of the system but an epoll descriptor.
 */
static int start_daemon(struct http_server *s, struct err *e)
{
	int rc = microhttpd_load(e);

	if (rc < 0)
		return rc;
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, s->listener,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_BYTES, MHD_OPTION_END);
	if (!s->daemon)
		return err_set(e, ERR_SYSTEM, "the server could not be started");
	s->listener = -1;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(e, ERR_SYSTEM, "libmicrohttpd was built without epoll");
	loop_io_init(&s->io, s->loop, http_ready);
	loop_io_watch(&s->io, info->epoll_fd, LOOP_READ);
	return 0;
}

static void http_stop(struct http_server *s)
{
	loop_io_stop(&s->io);
	loop_timer_stop(&s->timer);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	if (s->listener >= 0)
		close(s->listener);
	s->daemon = NULL;
	s->listener = -1;
}

/* Somebody is there: only now libmicrohttpd is needed, and what it brings along. */
static void first_connection(struct loop_io *io, unsigned events)
{
	struct http_server *s = CONTAINER_OF(io, struct http_server, io);
	struct err e = { 0 };

	(void)events;
	loop_io_stop(io);
	if (start_daemon(s, &e) == 0) {
		run(s);
		return;
	}
	log_event(LOG_ERROR, "httpFailed", "no metrics and status page", KV_STR("error", e.text));
	http_stop(s);
}

int http_server_new(const struct http_conf *conf, struct loop *loop, struct http_server **out,
		    struct err *e)
{
	CLEANUP(http_server_freep) struct http_server *s = mem_new(struct http_server);

	s->conf = *conf;
	s->loop = loop;
	loop_io_init(&s->io, loop, first_connection);
	loop_timer_init(&s->timer, loop, http_timer);
	s->listener = listen_on(conf, &s->port, e);
	if (s->listener < 0)
		return s->listener;
	loop_io_watch(&s->io, s->listener, LOOP_READ);
	*out = TAKE(s);
	return 0;
}

struct http_server *http_server_free(struct http_server *s)
{
	if (!s)
		return NULL;
	http_stop(s);
	free(s);
	return NULL;
}

void http_server_freep(struct http_server **s)
{
	http_server_free(*s);
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}
