#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "cluster/cluster_priv.h"
#include "net/tcp.h"

#define READ_CHUNK   16384
#define LINGER	     DUR_S(1)	 /* for the other side to read our last words */
#define ACCEPT_PAUSE DUR_MS(100) /* while the system is out of descriptors */
#define BACKLOG	     128

enum conn_state { CONN_CONNECTING, CONN_WRITING, CONN_READING, CONN_LINGERING };

/* One stream: a request one way, at most one answer the other way. */
struct conn {
	struct list link;
	struct cluster *owner;
	enum conn_state state;
	bool inbound;
	struct addr peer;
	uint8_t key; /* of the ring: what the other side understands */
	uint32_t id; /* ours for accepted ones, the core's for those it asked for */
	int fd;
	struct loop_io io;
	struct loop_timer timer;
	struct buf out;
	struct pack_stream in;
};

static void conn_free(struct conn *k)
{
	struct cluster *c = k->owner;

	list_remove(&k->link);
	loop_io_stop(&k->io);
	loop_timer_stop(&k->timer);
	if (k->fd >= 0)
		close(k->fd);
	c->conns_bytes -= k->in.in.len;
	c->n_conns_in -= k->inbound;
	pack_stream_fini(&k->in);
	buf_fini(&k->out);
	free(k);
}

static void conn_fail(struct conn *k)
{
	struct cluster *c = k->owner;
	bool asked = !k->inbound;
	uint32_t id = k->id;

	c->stats.streams_failed += k->state != CONN_LINGERING;
	/* It was there, and has read our words: perhaps it has another key. */
	if (asked && k->state == CONN_READING)
		keys_failed(&c->keys, &k->peer, (uint8_t)c->ring.n);
	conn_free(k);
	if (!asked)
		return;
	gossip_stream_failed(c->gossip, id);
	cluster_drain(c);
}

static void conn_timeout(struct loop_timer *t, struct mono now)
{
	(void)now;
	conn_fail(CONTAINER_OF(t, struct conn, timer));
}

static void conn_seal(struct conn *k, enum pack_side side, struct rd message)
{
	uint8_t nonce[CRYPT_NONCE_LEN];

	rng_secure(nonce, sizeof(nonce));
	k->owner->ring.seals = k->key;
	pack_stream_seal(&k->owner->pack, side, nonce, message, &k->out);
}

/*
 * Our words are out: no more will come, but what is still under way to us must not become a reset.
 */
static void conn_linger(struct conn *k)
{
	k->state = CONN_LINGERING;
	shutdown(k->fd, SHUT_WR);
	loop_timer_set(&k->timer, mono_add(loop_now(k->owner->loop), LINGER));
	loop_io_watch(&k->io, k->fd, LOOP_READ);
}

static void conn_write(struct conn *k)
{
	while (k->out.len) {
		ssize_t n = send(k->fd, k->out.p, k->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			loop_io_watch(&k->io, k->fd, LOOP_WRITE);
			return;
		}
		if (n < 0) {
			conn_fail(k);
			return;
		}
		buf_consume(&k->out, (size_t)n);
	}
	if (k->inbound) {
		conn_linger(k);
		return;
	}
	k->state = CONN_READING;
	loop_io_watch(&k->io, k->fd, LOOP_READ);
}

static void conn_connected(struct conn *k)
{
	if (tcp_connect_result(k->fd, NULL) < 0) {
		conn_fail(k);
		return;
	}
	k->state = CONN_WRITING;
	conn_write(k);
}

/* The one message of the other side is here. @k may be gone afterwards. */
static void conn_whole(struct conn *k, struct rd message)
{
	struct cluster *c = k->owner;
	struct mono now = loop_now(c->loop);

	loop_io_stop(&k->io);
	if (c->ring.n)
		k->key = c->ring.opened;
	cluster_heard(c, &k->peer);
	if (k->inbound) {
		gossip_stream_request(c->gossip, k->id, message, now);
	} else {
		gossip_stream_answer(c->gossip, k->id, message, now);
		conn_free(k);
	}
	cluster_drain(c);
}

/* Tell the other side why, unless it is of another cluster. */
static void conn_refuse(struct conn *k, enum pack_refusal why)
{
	const char *text = pack_refusal_text(why);
	struct wire_error error = { .text = { (const uint8_t *)text, strlen(text) } };
	uint8_t room[128];
	struct wr w = wr_to(room, sizeof(room));

	cluster_count_refusal(k->owner, why);
	cluster_note_outsider(k->owner, &k->peer, why);
	if (!k->inbound || why == PACK_LABEL) {
		conn_fail(k);
		return;
	}
	wr_u8(&w, WIRE_ERROR);
	wire_error_encode(&w, &error);
	conn_seal(k, PACK_ACCEPTOR, rd_from(w.p, w.len));
	k->state = CONN_WRITING;
	conn_write(k);
}

static void conn_take(struct conn *k, const uint8_t *bytes, size_t n)
{
	struct cluster *c = k->owner;
	size_t before = k->in.in.len;
	enum pack_refusal why;
	struct rd message;

	if (c->conns_bytes + n > CONNS_BYTES_MAX) {
		conn_refuse(k, PACK_TOO_LONG);
		return;
	}
	c->ring.opened = k->key; /* what is not sealed changes nothing */
	enum pack_progress p = pack_stream_feed(&k->in, bytes, n, &message, &why);
	c->conns_bytes += k->in.in.len - before;
	if (p == PACK_WHOLE)
		conn_whole(k, message);
	else if (p == PACK_REFUSED)
		conn_refuse(k, why);
}

static void conn_read(struct conn *k)
{
	uint8_t bytes[READ_CHUNK];
	ssize_t n = recv(k->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		conn_fail(k);
	else if (k->state == CONN_READING)
		conn_take(k, bytes, (size_t)n);
}

static void conn_ready(struct loop_io *io, unsigned events)
{
	struct conn *k = CONTAINER_OF(io, struct conn, io);

	(void)events;
	switch (k->state) {
	case CONN_CONNECTING:
		conn_connected(k);
		break;
	case CONN_WRITING:
		conn_write(k);
		break;
	case CONN_READING:
	case CONN_LINGERING:
		conn_read(k);
		break;
	}
}

static struct conn *conn_new(struct cluster *c, int fd, bool inbound, struct dur within)
{
	struct conn *k = mem_new(struct conn);

	*k = (struct conn){ .owner = c, .fd = fd, .inbound = inbound };
	loop_io_init(&k->io, c->loop, conn_ready);
	loop_timer_init(&k->timer, c->loop, conn_timeout);
	pack_stream_init(&k->in, &c->pack, inbound ? PACK_ACCEPTOR : PACK_DIALLER);
	list_append(&c->conns, &k->link);
	loop_timer_set(&k->timer, mono_add(loop_now(c->loop), within));
	return k;
}

void conns_dial(struct cluster *c, const struct gossip_out *out)
{
	struct tcp_conf conf = { .peer = out->addr, .port = out->port };

	if (!addr_is_unspecified(&c->bind.addr))
		conf.source = c->bind.addr;
	int fd = tcp_connect(&conf, NULL);
	if (fd < 0) {
		c->stats.streams_failed++;
		gossip_stream_failed(c->gossip, out->stream);
		return;
	}
	c->stats.streams_out++;
	struct conn *k = conn_new(c, fd, false, out->within);
	k->id = out->stream;
	k->peer = out->addr;
	k->key = keys_for_stream(&c->keys, &k->peer);
	k->state = CONN_CONNECTING;
	conn_seal(k, PACK_DIALLER, out->bytes);
	loop_io_watch(&k->io, fd, LOOP_WRITE);
}

static struct conn *conn_find(struct cluster *c, uint32_t id)
{
	struct conn *k;

	LIST_EACH (k, &c->conns, link) {
		if (k->inbound && k->id == id)
			return k;
	}
	return NULL;
}

void conns_reply(struct cluster *c, uint32_t id, struct rd message)
{
	struct conn *k = conn_find(c, id);

	if (!k)
		return;
	if (message.left == 0) {
		conn_free(k);
		return;
	}
	conn_seal(k, PACK_ACCEPTOR, message);
	k->state = CONN_WRITING;
	conn_write(k);
}

static void accept_one(struct cluster *c, int fd, const struct sockaddr_storage *from)
{
	uint16_t port;

	if (c->n_conns_in == CONNS_IN_MAX) {
		c->stats.streams_refused++;
		close(fd);
		return;
	}
	c->stats.streams_in++;
	c->n_conns_in++;
	struct conn *k = conn_new(c, fd, true, c->stream_timeout);
	k->id = ++c->last_conn;
	addr_from_sockaddr(from, &k->peer, &port);
	k->key = keys_for(&c->keys, &k->peer);
	k->state = CONN_READING;
	loop_io_watch(&k->io, fd, LOOP_READ);
}

static void accept_ready(struct loop_io *io, unsigned events)
{
	struct cluster *c = CONTAINER_OF(io, struct cluster, tcp_io);

	(void)events;
	for (int i = 0; i < BACKLOG; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(c->tcp_fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			accept_one(c, fd, &from);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			/* The connection stays in the queue: looking again at once would spin. */
			loop_io_stop(&c->tcp_io);
			loop_timer_set(&c->accept_timer, mono_add(loop_now(c->loop), ACCEPT_PAUSE));
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}

static void accept_again(struct loop_timer *t, struct mono now)
{
	struct cluster *c = CONTAINER_OF(t, struct cluster, accept_timer);

	(void)now;
	loop_io_watch(&c->tcp_io, c->tcp_fd, LOOP_READ);
}

void conns_init(struct cluster *c)
{
	list_init(&c->conns);
	c->tcp_fd = -1;
	loop_io_init(&c->tcp_io, c->loop, accept_ready);
	loop_timer_init(&c->accept_timer, c->loop, accept_again);
}

void conns_fini(struct cluster *c)
{
	struct conn *k;

	LIST_EACH (k, &c->conns, link)
		conn_free(k);
	loop_io_stop(&c->tcp_io);
	loop_timer_stop(&c->accept_timer);
	if (c->tcp_fd >= 0)
		close(c->tcp_fd);
	c->tcp_fd = -1;
}

int conns_listen(struct cluster *c, struct err *e)
{
	const int on = 1;
	bool v6 = c->bind.addr.family == FAMILY_V6;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&c->bind.addr, c->bind.port, 0, &ss);

	c->tcp_fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->tcp_fd < 0)
		return err_errno(e, "open a TCP socket");
	if (setsockopt(c->tcp_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (v6 && setsockopt(c->tcp_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(c->tcp_fd, (struct sockaddr *)&ss, len) < 0 || listen(c->tcp_fd, BACKLOG) < 0)
		return err_bind(e, "TCP port %u of %s", c->bind.port, ADDR_TEXT(&c->bind.addr));
	loop_io_watch(&c->tcp_io, c->tcp_fd, LOOP_READ);
	return 0;
}
