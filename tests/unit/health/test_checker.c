/* The checker against real listeners on loopback: accepted, refused, silent, and HTTP of each status. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health/checker.h"
#include "support.h"

enum server_kind { SERVER_ACCEPTS, SERVER_REFUSES, SERVER_SILENT, SERVER_HTTP };

static const struct checker_case {
	const char *name;
	enum server_kind server;
	const char *answer; /* HTTP */
	bool healthy;
	const char *reason; /* part of it */
} cases[] = {
	{ "tcp accepted", SERVER_ACCEPTS, NULL, true, "" },
	{ "tcp refused", SERVER_REFUSES, NULL, false, "refused" },
	{ "http 200", SERVER_HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, "" },
	{ "http 302", SERVER_HTTP, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", true, "" },
	{ "http 503", SERVER_HTTP, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false,
	  "status 503" },
	{ "http garbage", SERVER_HTTP, "what?\r\n\r\n", false, "http: " },
	{ "http never answers", SERVER_SILENT, NULL, false, "http: " },
};

struct server {
	int fd;
	uint16_t port;
	const struct checker_case *c;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct server *s = arg;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		char request[1024];

		if (fd < 0)
			return NULL;
		if (s->c->answer && read(fd, request, sizeof(request)) > 0)
			assert_true(write(fd, s->c->answer, strlen(s->c->answer)) > 0);
		if (s->c->server == SERVER_SILENT)
			continue; /* keeps it open; the end of the process closes it */
		close(fd);
	}
}

static void server_start(struct server *s, const struct checker_case *c)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	s->c = c;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	if (c->server == SERVER_REFUSES)
		return;
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	if (s->c->server != SERVER_REFUSES)
		pthread_join(s->thread, NULL);
	close(s->fd);
}

struct watch {
	struct loop *loop;
	struct loop_timer timer;
	struct health_checker *checker;
	struct health_status status;
	bool changed;
};

static void on_change(void *ctx, const char *name, bool healthy, const char *reason)
{
	struct watch *w = ctx;

	(void)name;
	(void)healthy;
	(void)reason;
	w->changed = true;
}

/* Ends the loop after two probes. */
static void look(struct loop_timer *t, struct mono now)
{
	struct watch *w = CONTAINER_OF(t, struct watch, timer);

	assert_true(health_checker_status(w->checker, "web", &w->status));
	if (w->status.probes >= 2)
		loop_stop(w->loop);
	else
		loop_timer_set(t, mono_add(now, DUR_MS(5)));
}

static void checks(void **state)
{
	const struct checker_case *c = *state;
	struct server server = { 0 };
	struct watch w = { 0 };
	struct err e = { 0 };
	char url[64];

	server_start(&server, c);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/healthz", server.port);
	struct health_conf conf = {
		.name = "web",
		.kind = c->answer || c->server == SERVER_SILENT ? HEALTH_HTTP : HEALTH_TCP,
		.addr = addr_v4(127, 0, 0, 1),
		.port = server.port,
		.url = url,
		.interval = DUR_MS(20),
		.timeout = DUR_MS(100),
		.rise = 2,
		.fall = 2,
	};
	assert_int_equal(loop_new(&w.loop, &e), 0);
	w.checker = health_checker_new(w.loop,
				       &(struct health_hooks){ .ctx = &w, .changed = on_change });
	assert_int_equal(health_checker_set(w.checker, &conf, &e), 0);
	loop_timer_init(&w.timer, w.loop, look);
	loop_timer_set(&w.timer, loop_now(w.loop));
	loop_run(w.loop);

	assert_int_equal(w.status.healthy, c->healthy);
	assert_int_equal(w.changed, c->healthy);
	assert_non_null(strstr(w.status.reason, c->reason));

	health_checker_free(w.checker);
	loop_free(w.loop);
	server_stop(&server);
}

int main(void)
{
	return RUN_TABLE("health/checker", cases, checks);
}
