/**
 * Echo packets on the wire: an IPv4 packet from ourselves to ourselves, in a frame to the neighbour, which its
 * kernel sends back. And the other half: frames of a neighbour's echo function, which are sent back here where
 * our own kernel does not forward packets.
 *
 * One packet socket for each interface that has such a session; its filter lets nothing but echo packets in.
 * The engine drives it on the packet thread; only bfd_echo_io_open() allocates.
 *
 * RFC 5881 §4 (port 3785; addresses that the neighbour routes back) and §5 (TTL 255): covered. Left out: IPv6.
 */
#ifndef BFD_ECHO_IO_H
#define BFD_ECHO_IO_H

#include "base/addr.h"
#include "base/list.h"
#include "base/loop.h"
#include "bfd/echo.h"

#define BFD_PORT_ECHO 3785

/** An echo packet that came in. */
struct bfd_echo_frame {
	uint32_t ifindex;
	struct addr from; /* both addresses of the packet: whose echo it is */
	struct addr to;
	uint8_t ttl;
	struct rd payload;
	const void *frame; /* for bfd_echo_io_reflect() */
	size_t len;
};

struct bfd_echo_io {
	struct loop *loop;
	void (*received)(void *ctx, const struct bfd_echo_frame *f);
	void *ctx;
	struct list links;
	struct packet_inbox *inbox; /* NULL until a socket is open */
};

void bfd_echo_io_init(struct bfd_echo_io *io, struct loop *loop,
		      void (*received)(void *ctx, const struct bfd_echo_frame *f), void *ctx);
void bfd_echo_io_fini(struct bfd_echo_io *io);

/** Open the socket of an interface if it is not open yet; 0 or -ERR_SYSTEM. */
NODISCARD int bfd_echo_io_open(struct bfd_echo_io *io, uint32_t ifindex, struct err *e);

/** Hand over all frames that have arrived until now. */
void bfd_echo_io_drain(struct bfd_echo_io *io);

/**
 * Send @payload from and to @own, by the neighbour @peer.
 * Returns 0 or -errno; -EHOSTUNREACH while its link address is not known.
 */
NODISCARD int bfd_echo_io_send(struct bfd_echo_io *io, uint32_t ifindex, const struct addr *own,
			       const struct addr *peer, uint16_t port,
			       const uint8_t payload[static BFD_ECHO_LEN]);

/** Send a neighbour's packet back, unless the kernel forwards (and does so itself). True when it was sent. */
bool bfd_echo_io_reflect(struct bfd_echo_io *io, const struct bfd_echo_frame *f);

#endif
