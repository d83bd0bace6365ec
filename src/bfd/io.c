#include "bfd/io.h"

#include <errno.h>
#include <netinet/ip.h>
#include <time.h>
#include <unistd.h>

/* Enough for a second of a thousand sessions at 50 ms while the process does not run. */
#define RCVBUF_BYTES (16 << 20)
#define SOURCE_PORTS (BFD_SOURCE_PORT_MAX - BFD_SOURCE_PORT_MIN + 1)
#define TTL_SENT     255

static int64_t wall_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void listener_ready(struct loop_io *io, unsigned events)
{
	struct bfd_listener *l = CONTAINER_OF(io, struct bfd_listener, io);

	(void)events;
	bfd_io_drain(l->owner);
}

void bfd_io_init(struct bfd_io *io, struct loop *loop,
		 void (*received)(void *ctx, const struct bfd_rx *rx), void *ctx)
{
	*io = (struct bfd_io){ .loop = loop, .received = received, .ctx = ctx };
	io->batch = udp_batch_new();
	io->drained_at = mono_clock();
	for (int i = 0; i < BFD_LISTENER_COUNT; i++) {
		struct bfd_listener *l = &io->listeners[i];

		l->owner = io;
		l->fd = -1;
		l->multihop = i & 1;
		l->family = i & 2 ? FAMILY_V6 : FAMILY_V4;
		loop_io_init(&l->io, loop, listener_ready);
	}
}

void bfd_io_fini(struct bfd_io *io)
{
	for (int i = 0; i < BFD_LISTENER_COUNT; i++) {
		struct bfd_listener *l = &io->listeners[i];

		if (l->fd < 0)
			continue;
		loop_io_stop(&l->io);
		close(l->fd);
		l->fd = -1;
	}
	io->batch = udp_batch_free(io->batch);
}

int bfd_io_listen(struct bfd_io *io, enum family family, bool multihop, struct err *e)
{
	struct bfd_listener *l = &io->listeners[(family == FAMILY_V6 ? 2 : 0) + multihop];

	if (l->fd >= 0)
		return 0;
	int fd = udp_open(
		&(struct udp_conf){ .family = family,
				    .port = multihop ? BFD_PORT_MULTI_HOP : BFD_PORT_SINGLE_HOP,
				    .rcvbuf_bytes = RCVBUF_BYTES,
				    .details = true },
		e);
	if (fd < 0)
		return err_wrap(e, "BFD");
	l->fd = fd;
	loop_io_watch(&l->io, fd, LOOP_READ);
	return 0;
}

struct mono bfd_arrival(const struct bfd_wakeup *w, int64_t arrived_ns)
{
	int64_t age_ns = arrived_ns ? w->wall_ns - arrived_ns : 0;

	return mono_add(w->now, DUR_NS(-MAX(0, MIN(age_ns, w->since_last.ns))));
}

/* True when the datagram came after this wake-up began. */
static bool hand_over(struct bfd_listener *l, const struct bfd_wakeup *w, int i)
{
	struct bfd_io *io = l->owner;
	struct udp_msg msg;

	udp_batch_get(io->batch, i, &msg);
	struct bfd_rx rx = {
		.bytes = msg.bytes,
		.cut = msg.cut,
		.multihop = l->multihop,
		.peer = msg.from,
		.local = msg.to,
		.ifindex = msg.ifindex,
		.ttl = msg.ttl,
		.at = bfd_arrival(w, msg.arrived_ns),
	};
	io->received(io->ctx, &rx);
	return msg.arrived_ns > w->wall_ns;
}

/*
 * Until the socket is empty, or until what came after the wake-up: what is older is bounded by the
 * socket's buffer, so a flood cannot keep us here. Should the real-time clock step back, a batch is
 * read at a time.
 */
static void listener_drain(struct bfd_listener *l, const struct bfd_wakeup *w)
{
	for (;;) {
		int n = udp_batch_recv(l->owner->batch, l->fd);
		bool newer = false;

		for (int i = 0; i < n; i++)
			newer |= hand_over(l, w, i);
		if (n < UDP_BATCH || newer)
			return;
	}
}

void bfd_io_drain(struct bfd_io *io)
{
	struct bfd_wakeup w = { .now = mono_clock(), .wall_ns = wall_clock_ns() };

	w.since_last = mono_sub(w.now, io->drained_at);
	for (int i = 0; i < BFD_LISTENER_COUNT; i++) {
		if (io->listeners[i].fd >= 0)
			listener_drain(&io->listeners[i], &w);
	}
	io->drained_at = w.now;
}

static bool port_is_used(const struct bfd_io *io, unsigned i)
{
	return io->ports_used[i / 64] >> i % 64 & 1;
}

int bfd_io_sender_open(struct bfd_io *io, struct rng *rng, enum family family,
		       const struct addr *local, uint32_t ifindex, struct bfd_sender *out,
		       struct err *e)
{
	struct udp_conf conf = { .family = family,
				 .local = *local,
				 .ifindex = ifindex,
				 .ttl = TTL_SENT,
				 .tos = IPTOS_CLASS_CS6 };
	unsigned start = (unsigned)rng_below(rng, SOURCE_PORTS);

	*out = (struct bfd_sender){ .fd = -1 };
	for (unsigned tried = 0; tried < SOURCE_PORTS; tried++) {
		unsigned i = (start + tried) % SOURCE_PORTS;

		if (port_is_used(io, i))
			continue;
		conf.port = (uint16_t)(BFD_SOURCE_PORT_MIN + i);
		int fd = udp_open(&conf, e);
		if (fd < 0 && errno == EADDRINUSE)
			continue;
		if (fd < 0)
			return fd;
		io->ports_used[i / 64] |= UINT64_C(1) << i % 64;
		*out = (struct bfd_sender){ .fd = fd, .port = conf.port };
		return 0;
	}
	return err_set(e, ERR_LIMIT, "no source port is free");
}

void bfd_io_sender_close(struct bfd_io *io, struct bfd_sender *s)
{
	unsigned i = s->port - BFD_SOURCE_PORT_MIN;

	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	io->ports_used[i / 64] &= ~(UINT64_C(1) << i % 64);
}

int bfd_io_send(const struct bfd_sender *s, const struct addr *peer, uint32_t ifindex,
		bool multihop, const void *bytes, size_t len)
{
	uint16_t port = multihop ? BFD_PORT_MULTI_HOP : BFD_PORT_SINGLE_HOP;

	return s->fd < 0 ? -EBADF : udp_send(s->fd, peer, port, ifindex, bytes, len);
}
