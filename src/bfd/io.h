/**
 * The sockets of BFD: where control packets come in (one socket for each family and port), and the
 * sockets that sessions send from (one each, for its own source port).
 *
 * Time of arrival (design 7.15): the kernel stamps datagrams with the real-time clock. Their age is
 * the real-time clock now minus the stamp, both read in one wake-up and clamped to [0, since the
 * last wake-up], so that neither our own lateness nor a step of the clock looks like silence or
 * like life.
 *
 * The engine drives it on the packet thread; nothing here allocates after bfd_io_init().
 * RFC 5881 §4 (ports, source ports) and §5 (TTL sent); RFC 5883 §5 (port).
 */
#ifndef BFD_IO_H
#define BFD_IO_H

#include "base/loop.h"
#include "base/rng.h"
#include "net/udp.h"

#define BFD_PORT_SINGLE_HOP 3784
#define BFD_PORT_MULTI_HOP  4784
#define BFD_SOURCE_PORT_MIN 49152
#define BFD_SOURCE_PORT_MAX 65535

/** A received datagram, still to be decoded. */
struct bfd_rx {
	struct rd bytes;
	bool cut;
	bool multihop;
	struct addr peer;
	struct addr local;
	uint32_t ifindex;
	int ttl;
	struct mono at;
};

enum { BFD_LISTENER_COUNT = 4 }; /* two families, two ports */

struct bfd_listener {
	struct loop_io io;
	struct bfd_io *owner;
	int fd;
	bool multihop;
	enum family family;
};

struct bfd_io {
	struct loop *loop;
	void (*received)(void *ctx, const struct bfd_rx *rx);
	void *ctx;
	struct udp_batch *batch;
	struct mono drained_at; /* the last wake-up that read the sockets */
	struct bfd_listener listeners[BFD_LISTENER_COUNT];
	uint64_t ports_used[(BFD_SOURCE_PORT_MAX - BFD_SOURCE_PORT_MIN + 1) / 64];
};

void bfd_io_init(struct bfd_io *io, struct loop *loop,
		 void (*received)(void *ctx, const struct bfd_rx *rx), void *ctx);
void bfd_io_fini(struct bfd_io *io);

/** Open the socket for a family and port if it is not open yet; 0 or negative. */
NODISCARD int bfd_io_listen(struct bfd_io *io, enum family family, bool multihop, struct err *e);

/** Hand over every datagram that has arrived until now. */
void bfd_io_drain(struct bfd_io *io);

/** Both clocks, read together in one wake-up. */
struct bfd_wakeup {
	struct mono now;
	int64_t wall_ns; /* real-time clock */
	struct dur since_last;
};

/** When a datagram with the kernel's stamp @arrived_ns (0: none) arrived, as far as we believe it. */
struct mono bfd_arrival(const struct bfd_wakeup *w, int64_t arrived_ns);

/** Where a session sends from. */
struct bfd_sender {
	int fd; /* -1: not open */
	uint16_t port;
};

/**
 * Open a socket with a source port that no other session of ours has (RFC 5881 §4).
 * @local may be unset, @ifindex 0. Returns 0, or negative and leaves @out closed.
 */
NODISCARD int bfd_io_sender_open(struct bfd_io *io, struct rng *rng, enum family family,
				 const struct addr *local, uint32_t ifindex, struct bfd_sender *out,
				 struct err *e);
void bfd_io_sender_close(struct bfd_io *io, struct bfd_sender *s);

/** Returns 0 or -errno. */
NODISCARD int bfd_io_send(const struct bfd_sender *s, const struct addr *peer, uint32_t ifindex,
			  bool multihop, const void *bytes, size_t len);

#endif
