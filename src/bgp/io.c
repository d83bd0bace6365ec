#include "bgp/io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/msg.h"

enum { RX_SIZE = 2 * BGP_MSG_MAX, TX_SIZE = 4 * BGP_MSG_MAX };

#define LINGER_TIME DUR_S(1)

void bgp_conn_init(struct bgp_conn *c, struct loop *l, void (*ready)(struct loop_io *, unsigned))
{
	*c = (struct bgp_conn){ .fd = -1 };
	loop_io_init(&c->io, l, ready);
}

int bgp_conn_open(struct bgp_conn *c, const struct tcp_conf *conf, struct err *e)
{
	int fd = tcp_connect(conf, e);

	if (fd < 0)
		return fd;
	c->fd = fd;
	c->connecting = true;
	loop_io_watch(&c->io, fd, LOOP_WRITE);
	return 0;
}

int bgp_conn_finish(struct bgp_conn *c, struct tcp_end *local, struct err *e)
{
	c->connecting = false;
	int rc = tcp_connect_result(c->fd, e);
	if (rc == 0)
		rc = tcp_local_end(c->fd, local, e);
	return rc;
}

int bgp_conn_adopt(struct bgp_conn *c, int fd, const struct tcp_conf *conf, struct tcp_end *local,
		   struct err *e)
{
	c->fd = fd;
	int rc = tcp_adopt(fd, conf, e);
	return rc < 0 ? rc : tcp_local_end(fd, local, e);
}

void bgp_conn_close(struct bgp_conn *c)
{
	loop_io_stop(&c->io);
	if (c->fd >= 0)
		close(c->fd);
	free(c->rx);
	free(c->tx);
	bgp_batch_unref(c->batch);
	c->fd = -1;
	c->batch = NULL;
	c->batch_at = c->batch_end = c->message_end = 0;
	c->connecting = false;
	c->rx = NULL;
	c->tx = NULL;
	c->rx_at = c->rx_len = 0;
	c->tx_at = c->tx_len = 0;
}

/* The session refuses what is too long, so a full buffer is part of a message that may be as long as any. */
static void rx_make_room(struct bgp_conn *c)
{
	if (c->rx_at && c->rx_len)
		memmove(c->rx, c->rx + c->rx_at, c->rx_len);
	c->rx_at = 0;
	if (c->rx && c->rx_len < c->rx_cap)
		return;
	c->rx_cap = c->rx ? BGP_MSG_EXTENDED_MAX + RX_SIZE : RX_SIZE;
	c->rx = mem_resize(c->rx, c->rx_cap, 1);
}

int bgp_conn_read(struct bgp_conn *c, struct err *e)
{
	rx_make_room(c);
	ssize_t n = recv(c->fd, c->rx + c->rx_len, c->rx_cap - c->rx_len, 0);
	if (n > 0) {
		c->rx_len += (size_t)n;
		return (int)n;
	}
	if (n == 0)
		return err_set(e, ERR_PROTOCOL, "connection closed by the peer");
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return err_errno(e, "connection lost");
}

struct rd bgp_conn_input(const struct bgp_conn *c)
{
	return rd_from(c->rx + c->rx_at, c->rx_len);
}

void bgp_conn_consume(struct bgp_conn *c, size_t n)
{
	c->rx_at += n;
	c->rx_len -= n;
	if (c->rx_len > 0)
		return;
	free(c->rx); /* a thousand idle peers need none */
	c->rx = NULL;
	c->rx_at = 0;
}

bool bgp_conn_say(struct bgp_conn *c, const void *bytes, size_t len)
{
	if (c->tx_len + len > TX_SIZE)
		return false;
	if (!c->tx)
		c->tx = mem_resize(NULL, TX_SIZE, 1);
	if (c->tx_at && c->tx_len)
		memmove(c->tx, c->tx + c->tx_at, c->tx_len);
	c->tx_at = 0;
	memcpy(c->tx + c->tx_len, bytes, len);
	c->tx_len += len;
	return true;
}

void bgp_conn_batch(struct bgp_conn *c, struct bgp_batch *b)
{
	c->batch = b;
	c->batch_at = 0;
	c->batch_end = b->len;
	c->message_end = 0;
}

size_t bgp_conn_waiting(const struct bgp_conn *c)
{
	return c->tx_len + c->batch_end - c->batch_at;
}

static void batch_drop(struct bgp_conn *c)
{
	bgp_batch_unref(c->batch);
	c->batch = NULL;
	c->batch_at = c->batch_end = 0;
}

/* Where the message ends that is being written: here, between two. */
static size_t batch_edge(struct bgp_conn *c)
{
	while (c->message_end < c->batch_at) {
		struct rd length = rd_from(c->batch->bytes + c->message_end + 16, 2);

		c->message_end += rd_u16(&length);
	}
	return c->message_end;
}

/* What goes next: the rest of a message, then the session's own, then the batch. */
static size_t next_bytes(struct bgp_conn *c, const uint8_t **p)
{
	if (c->tx_len > 0 && (!c->batch || batch_edge(c) == c->batch_at)) {
		*p = c->tx + c->tx_at;
		return c->tx_len;
	}
	if (!c->batch)
		return 0;
	*p = c->batch->bytes + c->batch_at;
	return (c->tx_len > 0 ? batch_edge(c) : c->batch_end) - c->batch_at;
}

static void written(struct bgp_conn *c, const uint8_t *p, size_t n)
{
	if (c->tx && p == c->tx + c->tx_at) {
		c->tx_at += n;
		c->tx_len -= n;
		if (c->tx_len == 0) {
			free(c->tx);
			c->tx = NULL;
			c->tx_at = 0;
		}
		return;
	}
	c->batch_at += n;
	if (c->batch_at == c->batch_end)
		batch_drop(c);
}

long bgp_conn_write(struct bgp_conn *c, struct err *e)
{
	const uint8_t *p = NULL;
	long total = 0;
	size_t len;

	while ((len = next_bytes(c, &p)) > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return total;
		if (n < 0)
			return err_errno(e, "connection lost");
		written(c, p, (size_t)n);
		total += n;
	}
	return total;
}

/* Of the batch only the message that is on its way already. */
static void batch_cut(struct bgp_conn *c)
{
	if (!c->batch)
		return;
	c->batch_end = batch_edge(c);
	if (c->batch_at == c->batch_end)
		batch_drop(c);
}

void bgp_conn_watch(struct bgp_conn *c, bool more)
{
	bool write = bgp_conn_waiting(c) > 0 || more;

	loop_io_watch(&c->io, c->fd, LOOP_READ | (write ? LOOP_WRITE : 0));
}

static void linger_free(struct bgp_linger *l)
{
	loop_timer_stop(&l->timer);
	list_remove(&l->link);
	bgp_conn_close(&l->conn);
	free(l);
}

static void linger_finish(struct bgp_linger *l)
{
	void (*done)(void *) = l->done;
	void *ctx = l->ctx;

	linger_free(l);
	if (done)
		done(ctx);
}

static void linger_ready(struct loop_io *io, unsigned events)
{
	struct bgp_linger *l = CONTAINER_OF(io, struct bgp_linger, conn.io);
	bool had = bgp_conn_waiting(&l->conn) > 0;

	if ((events & LOOP_WRITE) && bgp_conn_write(&l->conn, NULL) < 0) {
		linger_finish(l);
		return;
	}
	if (had && bgp_conn_waiting(&l->conn) == 0)
		shutdown(l->conn.fd, SHUT_WR);
	l->conn.rx_len = 0;
	if ((events & LOOP_READ) && bgp_conn_read(&l->conn, NULL) < 0) {
		linger_finish(l);
		return;
	}
	bgp_conn_watch(&l->conn, false);
}

static void linger_timeout(struct loop_timer *t, struct mono now)
{
	(void)now;
	linger_finish(CONTAINER_OF(t, struct bgp_linger, timer));
}

void bgp_linger_start(struct bgp_conn *c, struct list *list, void (*done)(void *), void *ctx)
{
	struct bgp_linger *l = mem_new(struct bgp_linger);
	struct loop *loop = c->io.loop;
	void (*ready)(struct loop_io *, unsigned) = c->io.ready;

	loop_io_stop(&c->io);
	batch_cut(c);
	l->conn = *c;
	l->done = done;
	l->ctx = ctx;
	bgp_conn_init(c, loop, ready);
	loop_io_init(&l->conn.io, loop, linger_ready);
	loop_timer_init(&l->timer, loop, linger_timeout);
	loop_timer_set(&l->timer, mono_add(loop_now(loop), LINGER_TIME));
	list_append(list, &l->link);

	/* Most often the kernel takes it all at once; a failure shows when the descriptor is ready. */
	(void)!bgp_conn_write(&l->conn, NULL);
	if (bgp_conn_waiting(&l->conn) == 0)
		shutdown(l->conn.fd, SHUT_WR);
	bgp_conn_watch(&l->conn, false);
}

void bgp_linger_end_all(struct list *list)
{
	struct bgp_linger *l;

	LIST_EACH (l, list, link)
		linger_free(l);
}
