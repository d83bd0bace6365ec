#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "health/probe.h"

struct tcp_probe {
	struct health_probe base;
	struct loop_io io;
	struct loop_timer timer; /* the deadline, or "report at once" */
	health_probe_done done;
	void *ctx;
	int fd;
	int failed; /* errno of a connect that failed at once */
	struct dur timeout;
};

static void tcp_free(struct tcp_probe *p)
{
	loop_io_stop(&p->io);
	loop_timer_stop(&p->timer);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

static void tcp_cancel(struct health_probe *base)
{
	tcp_free(CONTAINER_OF(base, struct tcp_probe, base));
}

/* The probe is gone before its owner hears of it, so that the owner may start the next one. */
static void tcp_end(struct tcp_probe *p, const struct health_probe_end *end)
{
	health_probe_done done = p->done;
	void *ctx = p->ctx;

	tcp_free(p);
	done(ctx, end);
}

static void tcp_end_errno(struct tcp_probe *p, int error)
{
	struct health_probe_end end = { .good = error == 0 };

	if (error)
		snprintf(end.reason, sizeof(end.reason), "connect: %s", strerror(error));
	tcp_end(p, &end);
}

static void tcp_ready(struct loop_io *io, unsigned events)
{
	struct tcp_probe *p = CONTAINER_OF(io, struct tcp_probe, io);
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	tcp_end_errno(p, error);
}

static void tcp_due(struct loop_timer *t, struct mono now)
{
	struct tcp_probe *p = CONTAINER_OF(t, struct tcp_probe, timer);

	(void)now;
	if (p->failed) {
		tcp_end_errno(p, p->failed);
		return;
	}
	struct health_probe_end end = { 0 };

	snprintf(end.reason, sizeof(end.reason), "connect: no answer in %s", DUR_TEXT(p->timeout));
	tcp_end(p, &end);
}

struct health_probe *health_probe_tcp(struct loop *l, const struct addr *addr, uint16_t port,
				      struct dur timeout, health_probe_done done, void *ctx)
{
	struct tcp_probe *p = mem_new(struct tcp_probe);
	struct sockaddr_storage to;
	socklen_t to_len = addr_to_sockaddr(addr, port, 0, &to);

	p->base.cancel = tcp_cancel;
	p->done = done;
	p->ctx = ctx;
	p->timeout = timeout;
	loop_io_init(&p->io, l, tcp_ready);
	loop_timer_init(&p->timer, l, tcp_due);

	p->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 ||
	    (connect(p->fd, (struct sockaddr *)&to, to_len) < 0 && errno != EINPROGRESS)) {
		p->failed = errno;
		loop_timer_set(&p->timer, loop_now(l));
		return &p->base;
	}
	loop_io_watch(&p->io, p->fd, LOOP_WRITE);
	loop_timer_set(&p->timer, mono_add(loop_now(l), timeout));
	return &p->base;
}

struct health_probe *health_probe_cancel(struct health_probe *p)
{
	if (p)
		p->cancel(p);
	return NULL;
}
