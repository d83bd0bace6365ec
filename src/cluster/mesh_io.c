#include "cluster/mesh_io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rng.h"
#include "net/fd.h"
#include "net/tcp.h"

#define HELLO_WITHIN DUR_S(1)
#define RETRY_AFTER  DUR_S(1)
#define OUT_MAX	     (8 * MESH_FRAME_MAX)
#define ASKS_MAX     3

/* One turn of the loop has so much for one of them: others wait for it, and heartbeats. */
enum { READS_AT_ONCE = 8, ACCEPTS_AT_ONCE = 16 };

/** A connection: of a peer, or of a stranger that has not said who it is. */
struct link {
	struct mesh_io *io;
	struct slot *slot; /* NULL: a stranger */
	int fd;
	struct loop_io watch;
	struct loop_timer limit; /* for connecting and for HELLO */
	bool connecting;
	bool said_hello;
	bool heard_hello;
	bool in_use; /* what it brought is being looked at */
	bool doomed; /* and by that it has ended: freed afterwards */
	struct mesh_stream stream;
	uint8_t out[OUT_MAX];
	size_t out_len;
};

/** What we have with one peer. */
struct slot {
	struct mesh_io *io;
	struct mesh_peer peer;
	bool used;
	bool wanted;
	struct link *link;  /* dialling, or established */
	struct link *probe; /* only asks whether the port is there */
	unsigned asks_left; /* the connection has ended: is the port still there? */
	struct loop_timer again;
};

struct listener {
	struct mesh_io *io;
	struct loop_io watch;
	int fd;
};

struct mesh_io {
	struct mesh_io_conf conf;
	char *name;
	struct listener listeners[2]; /* IPv4, IPv6 */
	_Atomic int listen_errno;
	struct loop_timer listen_again;
	struct slot slots[MESH_PEERS_MAX];
	struct link *strangers[MESH_STRANGERS_MAX]; /* the oldest first */
	size_t n_strangers;
};

static void link_ended(struct link *l, int error);

static struct slot *slot_of(struct mesh_io *io, uint16_t id)
{
	for (size_t i = 0; i < MESH_PEERS_MAX; i++)
		if (io->slots[i].used && io->slots[i].peer.id == id)
			return &io->slots[i];
	return NULL;
}

/* --- the life of a connection --- */

static void strangers_remove(const struct link *l)
{
	struct mesh_io *io = l->io;
	size_t kept = 0;

	for (size_t i = 0; i < io->n_strangers; i++)
		if (io->strangers[i] != l)
			io->strangers[kept++] = io->strangers[i];
	io->n_strangers = kept;
}

static void link_free(struct link *l)
{
	loop_io_stop(&l->watch);
	loop_timer_stop(&l->limit);
	close(l->fd);
	strangers_remove(l);
	if (l->slot && l->slot->link == l)
		l->slot->link = NULL;
	if (l->slot && l->slot->probe == l)
		l->slot->probe = NULL;
	if (l->in_use)
		l->doomed = true;
	else
		free(l);
}

static void overdue(struct loop_timer *t, struct mono now)
{
	(void)now;
	link_ended(CONTAINER_OF(t, struct link, limit), ETIMEDOUT);
}

static void ready(struct loop_io *io, unsigned events);

static struct link *link_new(struct mesh_io *io, int fd, struct slot *slot, bool dialled)
{
	struct link *l = mem_new(struct link);
	uint8_t random[MESH_RANDOM_LEN];
	struct wr w = wr_to(l->out, sizeof(l->out));
	int on = 1;

	fd = fd_to_end(fd,
		       FD_ENDS_EARLY); /* its end is what tells the others that this process died */
	l->io = io;
	l->fd = fd;
	l->slot = slot;
	l->connecting = dialled;
	if (!slot)
		io->strangers[io->n_strangers++] = l;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	rng_secure(random, sizeof(random));
	mesh_stream_open(&l->stream, &io->conf.ring, dialled, random, &w);
	l->out_len = w.len;
	loop_io_init(&l->watch, io->conf.loop, ready);
	loop_io_watch(&l->watch, fd, dialled ? LOOP_WRITE : LOOP_READ | LOOP_WRITE);
	loop_timer_init(&l->limit, io->conf.loop, overdue);
	loop_timer_set(&l->limit, mono_add(loop_now(io->conf.loop), HELLO_WITHIN));
	return l;
}

static struct link *link_dial(struct slot *s)
{
	struct tcp_conf conf = { .peer = s->peer.addr, .port = s->io->conf.port };
	int fd = tcp_connect(&conf, NULL);

	return fd < 0 ? NULL : link_new(s->io, fd, s, true);
}

/* --- sending --- */

/* False when the connection is broken. */
static bool flush(struct link *l)
{
	while (l->out_len) {
		ssize_t n = send(l->fd, l->out, l->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		l->out_len -= (size_t)n;
		memmove(l->out, l->out + n, l->out_len);
	}
	return true;
}

static void watch_again(struct link *l)
{
	loop_io_watch(&l->watch, l->fd, LOOP_READ | (l->out_len ? LOOP_WRITE : 0));
}

static bool queue(struct link *l, const struct mesh_frame *f)
{
	struct wr w = wr_to(l->out + l->out_len, sizeof(l->out) - l->out_len);
	uint8_t nonce[CRYPT_NONCE_LEN];

	rng_secure(nonce, sizeof(nonce));
	mesh_stream_write(&l->stream, f, nonce, &w);
	if (w.bad)
		return false;
	l->out_len += w.len;
	return true;
}

bool mesh_io_send(struct mesh_io *io, uint16_t id, const struct mesh_frame *f)
{
	struct slot *s = slot_of(io, id);

	if (!s || !s->link || !s->link->heard_hello || !queue(s->link, f))
		return false;
	if (!flush(s->link)) {
		loop_timer_set(&s->link->limit,
			       loop_now(io->conf.loop)); /* ended in its own turn */
		return false;
	}
	watch_again(s->link);
	return true;
}

/* --- who is who --- */

static bool we_dial(const struct slot *s)
{
	return strcmp(s->io->name, s->peer.name) < 0;
}

static void dial(struct slot *s)
{
	if (!s->used || !s->wanted || s->link || !we_dial(s))
		return;
	s->link = link_dial(s);
	if (!s->link)
		loop_timer_set(&s->again, mono_add(loop_now(s->io->conf.loop), RETRY_AFTER));
}

static void dial_again(struct loop_timer *t, struct mono now)
{
	(void)now;
	dial(CONTAINER_OF(t, struct slot, again));
}

static struct slot *slot_named(struct mesh_io *io, const struct mesh_frame *f)
{
	for (size_t i = 0; i < MESH_PEERS_MAX; i++) {
		struct slot *s = &io->slots[i];

		if (s->used && strlen(s->peer.name) == f->name_len &&
		    memcmp(s->peer.name, f->name, f->name_len) == 0)
			return s;
	}
	return NULL;
}

/* A newer connection takes the place of one that its other end may have forgotten. */
static void adopt(struct link *l, struct slot *s)
{
	if (s->link)
		link_free(s->link);
	strangers_remove(l);
	l->slot = s;
	s->link = l;
}

/* False: it is nobody that may talk to us. */
static bool on_hello(struct link *l, const struct mesh_frame *f)
{
	struct slot *s = slot_named(l->io, f);

	if (l->heard_hello || !s || (l->slot ? l->slot != s : we_dial(s)))
		return false;
	if (!l->slot)
		adopt(l, s);
	l->heard_hello = true;
	s->asks_left = 0;
	loop_timer_stop(&l->limit);
	l->io->conf.hooks.linked(l->io->conf.hooks.ctx, s->peer.id, true);
	return true;
}

static bool say_hello(struct link *l)
{
	struct mesh_frame f = { .type = MESH_HELLO,
				.name = l->io->name,
				.name_len = strlen(l->io->name) };

	l->said_hello = true;
	return queue(l, &f);
}

/* --- receiving --- */

/* 0, or an errno: the connection ends. */
static int take_frames(struct link *l)
{
	const struct mesh_io_hooks *hooks = &l->io->conf.hooks;
	struct mesh_frame f;

	for (;;) {
		enum mesh_next next = mesh_stream_next(&l->stream, &f);

		if (!l->said_hello && mesh_stream_is_greeted(&l->stream) && !say_hello(l))
			return ENOBUFS;
		if (next == MESH_NEXT_MORE)
			return 0;
		if (next == MESH_NEXT_BROKEN)
			return EPROTO;
		if (f.type == MESH_HELLO ? !on_hello(l, &f) : !l->heard_hello)
			return EPROTO;
		if (f.type != MESH_HELLO)
			hooks->frame(hooks->ctx, l->slot->peer.id, &f);
		if (l->doomed)
			return ECANCELED;
	}
}

static int receive(struct link *l)
{
	for (int i = 0; i < READS_AT_ONCE; i++) {
		size_t cap;
		uint8_t *room = mesh_stream_room(&l->stream, &cap);
		ssize_t n = recv(l->fd, room, cap, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		if (n == 0)
			return ECONNRESET;
		mesh_stream_input(&l->stream, (size_t)n);
		int error = take_frames(l);
		if (error)
			return error;
	}
	return 0;
}

static int connected(struct link *l)
{
	int error = 0;
	socklen_t len = sizeof(error);

	l->connecting = false;
	return getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

static void ready(struct loop_io *io, unsigned events)
{
	struct link *l = CONTAINER_OF(io, struct link, watch);
	int error = l->connecting ? connected(l) : 0;

	if (error == 0 && l->slot && l->slot->probe == l) {
		link_free(l); /* somebody is there: that was the question */
		return;
	}
	l->in_use = true;
	if (error == 0 && events & LOOP_READ)
		error = receive(l);
	l->in_use = false;
	if (l->doomed) {
		free(l);
		return;
	}
	if (error == 0 && !flush(l))
		error = EPIPE;
	if (error)
		link_ended(l, error);
	else
		watch_again(l);
}

/* --- the end of one --- */

/* Its process may have ended: its kernel knows. Dialling asks the same. */
static void ask_port(struct slot *s)
{
	if (we_dial(s))
		dial(s);
	else if (!s->probe)
		s->probe = link_dial(s);
}

static void lost(struct slot *s)
{
	const struct mesh_io_hooks *hooks = &s->io->conf.hooks;

	hooks->linked(hooks->ctx, s->peer.id, false);
	s->asks_left = ASKS_MAX;
	ask_port(s);
}

/* A port whose process is ending may still be answered, and the connection cut a moment later. */
static void unanswered(struct slot *s, int error)
{
	const struct mesh_io_hooks *hooks = &s->io->conf.hooks;

	if (s->asks_left && error == ECONNREFUSED)
		hooks->refused(hooks->ctx, s->peer.id);
	if (s->asks_left && error == ECONNRESET) {
		s->asks_left--;
		ask_port(s);
		return;
	}
	s->asks_left = 0;
	loop_timer_set(&s->again, mono_add(loop_now(s->io->conf.loop), RETRY_AFTER));
}

static void link_ended(struct link *l, int error)
{
	struct slot *s = l->slot;
	bool was_linked = l->heard_hello;

	link_free(l);
	if (s && was_linked)
		lost(s);
	else if (s)
		unanswered(s, error);
}

/* --- listening --- */

/* A flood of strangers ends the oldest of them. */
static void make_room(struct mesh_io *io)
{
	if (io->n_strangers >= MESH_STRANGERS_MAX)
		link_free(io->strangers[0]);
}

static void arrived(struct loop_io *watch, unsigned events)
{
	struct listener *at = CONTAINER_OF(watch, struct listener, watch);
	struct mesh_io *io = at->io;
	struct tcp_end peer;

	(void)events;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = tcp_accept(at->fd, &peer, NULL);

		if (fd == -ERR_NOT_FOUND)
			return;
		if (fd < 0) { /* out of descriptors: they wait in the backlog, and nobody spins */
			loop_io_stop(&at->watch);
			loop_timer_set(&io->listen_again,
				       mono_add(loop_now(io->conf.loop), RETRY_AFTER));
			return;
		}
		make_room(io);
		(void)link_new(io, fd, NULL, false);
	}
}

static void listen_now(struct loop_timer *t, struct mono now)
{
	struct mesh_io *io = CONTAINER_OF(t, struct mesh_io, listen_again);
	const struct addr any[2] = { addr_v4(0, 0, 0, 0), { .family = FAMILY_V6 } };
	int why = 0;

	for (size_t i = 0; i < ARRAY_LEN(io->listeners); i++) {
		struct listener *at = &io->listeners[i];
		struct tcp_listen_conf conf = { .addr = any[i], .port = io->conf.port };

		if (at->fd < 0)
			/* Who hears of the end asks here: nobody is to answer any more. */
			at->fd = fd_to_end(tcp_listen(&conf, NULL), FD_ENDS_FIRST);
		if (at->fd >= 0) {
			loop_io_watch(&at->watch, at->fd, LOOP_READ);
			continue;
		}
		if (i == 0 || errno != EAFNOSUPPORT) /* a host may do without IPv6 */
			why = errno;
		loop_timer_set(t, mono_add(now, RETRY_AFTER));
	}
	atomic_store(&io->listen_errno, why);
}

int mesh_io_listen_errno(const struct mesh_io *io)
{
	return atomic_load(&io->listen_errno);
}

/* --- the door --- */

static void slot_end(struct slot *s)
{
	if (s->link)
		link_free(s->link);
	if (s->probe)
		link_free(s->probe);
	loop_timer_stop(&s->again);
	s->used = s->wanted = false;
}

static bool is_same(const struct slot *s, const struct mesh_peer *p)
{
	return s->used && s->peer.id == p->id && addr_eq(&s->peer.addr, &p->addr);
}

static const struct mesh_peer *peer_of(const struct slot *s, const struct mesh_peer *peers,
				       size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_same(s, &peers[i]))
			return &peers[i];
	return NULL;
}

static void slot_begin(struct mesh_io *io, const struct mesh_peer *p)
{
	struct slot *s = slot_of(io, p->id);

	for (size_t i = 0; !s && i < MESH_PEERS_MAX; i++)
		if (!io->slots[i].used)
			s = &io->slots[i];
	if (!s)
		return;
	if (!s->used)
		s->asks_left = 0;
	s->used = true;
	s->peer = *p; /* the name lies somewhere else now */
}

void mesh_io_set_peers(struct mesh_io *io, const struct mesh_peer *peers, size_t n)
{
	for (size_t i = 0; i < MESH_PEERS_MAX; i++) {
		struct slot *s = &io->slots[i];

		if (!s->used || peer_of(s, peers, n))
			continue;
		if (s->link && s->link->heard_hello)
			io->conf.hooks.linked(io->conf.hooks.ctx, s->peer.id, false);
		slot_end(s);
	}
	for (size_t i = 0; i < n; i++)
		slot_begin(io, &peers[i]);
}

void mesh_io_want(struct mesh_io *io, uint16_t id, bool wanted)
{
	struct slot *s = slot_of(io, id);

	if (!s || s->wanted == wanted)
		return;
	s->wanted = wanted;
	if (wanted) {
		dial(s);
		return;
	}
	if (s->link && s->link->heard_hello)
		io->conf.hooks.linked(io->conf.hooks.ctx, id, false);
	if (s->link)
		link_free(s->link);
}

struct mesh_io *mesh_io_new(const struct mesh_io_conf *conf)
{
	struct mesh_io *io = mem_new(struct mesh_io);

	io->conf = *conf;
	io->name = mem_strdup(conf->name);
	for (size_t i = 0; i < ARRAY_LEN(io->listeners); i++) {
		io->listeners[i].io = io;
		io->listeners[i].fd = -1;
		loop_io_init(&io->listeners[i].watch, conf->loop, arrived);
	}
	for (size_t i = 0; i < MESH_PEERS_MAX; i++) {
		io->slots[i].io = io;
		loop_timer_init(&io->slots[i].again, conf->loop, dial_again);
	}
	loop_timer_init(&io->listen_again, conf->loop, listen_now);
	listen_now(&io->listen_again, loop_now(conf->loop));
	return io;
}

struct mesh_io *mesh_io_free(struct mesh_io *io)
{
	if (!io)
		return NULL;
	loop_timer_stop(&io->listen_again);
	for (size_t i = 0; i < MESH_PEERS_MAX; i++)
		slot_end(&io->slots[i]);
	while (io->n_strangers)
		link_free(io->strangers[0]);
	for (size_t i = 0; i < ARRAY_LEN(io->listeners); i++) {
		loop_io_stop(&io->listeners[i].watch);
		if (io->listeners[i].fd >= 0)
			close(io->listeners[i].fd);
	}
	explicit_bzero(&io->conf.ring, sizeof(io->conf.ring));
	free(io->name);
	free(io);
	return NULL;
}
