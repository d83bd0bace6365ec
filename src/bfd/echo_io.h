/**
 * Echo packets on the wire: a packet from ourselves to ourselves, in a frame to the neighbour, which its kernel sends
 * back. And the other half: frames of a neighbour's echo function, which are sent back here where our own kernel does not
 * forward packets.
 *
 * FRR has a way of its own over IPv6: its packets are for the neighbour's address, whose process answers with both
 * addresses changed over. These are answered, too.
 *
 * One packet socket for each interface and family that has such a session; its filter lets nothing but echo packets in.
 * Over IPv6 the kernel takes what is for us for a datagram as well, and would complain to its sender that nobody wants
 * it: a socket that nobody waits for swallows these.
 *
 * The engine drives it on the packet thread; only bfd_echo_io_open() allocates.
 *
 * RFC 5881 §4 (port 3785; addresses that the neighbour routes back) and §5 (TTL 255): covered. Kernels don't forward
 * what is from a link-local address, so none is sent from there.
 */
#ifndef BFD_ECHO_IO_H
#define BFD_ECHO_IO_H

#include "base/addr.h"
#include "base/list.h"
#include "base/loop.h"
#include "bfd/echo.h"

#define BFD_PORT_ECHO 3785

/** Does a kernel that forwards send packets back that are from and to this address? */
static inline bool bfd_echo_is_forwarded(const struct addr *a)
{
	return a->family == FAMILY_V4 || !addr_is_link_local(a);
}

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
	struct udp_batch *swallowed;
	int swallow_fd; /* -1: not open */
};

void bfd_echo_io_init(struct bfd_echo_io *io, struct loop *loop,
		      void (*received)(void *ctx, const struct bfd_echo_frame *f), void *ctx);
void bfd_echo_io_fini(struct bfd_echo_io *io);

/** Open the socket of an interface if it is not open yet; 0 or -ERR_SYSTEM. */
NODISCARD int bfd_echo_io_open(struct bfd_echo_io *io, uint32_t ifindex, enum family family,
			       struct err *e);

/** Hand over all frames that have arrived until now. */
void bfd_echo_io_drain(struct bfd_echo_io *io);

/**
 * Send @payload from and to @own, by the neighbour @peer.
 * Returns 0 or -errno; -EHOSTUNREACH while its link address is not known.
 */
NODISCARD int bfd_echo_io_send(struct bfd_echo_io *io, uint32_t ifindex, const struct addr *own,
			       const struct addr *peer, uint16_t port,
			       const uint8_t payload[static BFD_ECHO_LEN]);

/**
 * Send a neighbour's packet back, unless the kernel forwards (and does so itself); one that is for us with both addresses
 * changed over. True when it was sent.
 */
bool bfd_echo_io_reflect(struct bfd_echo_io *io, const struct bfd_echo_frame *f);

#endif
