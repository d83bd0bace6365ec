/**
 * How BFD packets leave. Each session has a source port that no other session of ours has (RFC 5881
 * §4); the packets of all of them go out together through one raw socket for each family and VRF.
 * Where raw sockets are not permitted, or not wanted, a session has a UDP socket of its own.
 *
 * The engine drives it on the packet thread: bfd_tx_send() for each packet, bfd_tx_flush() at the
 * end of a turn. Only opening allocates.
 */
#ifndef BFD_TX_H
#define BFD_TX_H

#include "base/rng.h"
#include "net/rawudp.h"

#define BFD_PORT_SINGLE_HOP 3784
#define BFD_PORT_MULTI_HOP  4784
#define BFD_SOURCE_PORT_MIN 49152
#define BFD_SOURCE_PORT_MAX 65535
#define BFD_SOURCE_PORTS    (BFD_SOURCE_PORT_MAX - BFD_SOURCE_PORT_MIN + 1)
#define BFD_TX_SOCKETS_MAX  64 /* families times VRFs */

/** From where to where. */
struct bfd_path {
	struct addr peer;
	struct addr local; /* unset: the kernel chooses */
	uint32_t ifindex;  /* 0: by route */
	uint32_t vrf;	   /* interface of the VRF; 0: none */
	bool multihop;
};

/** Where a session sends from; zero-initialised is "not open". */
struct bfd_sender {
	uint16_t port; /* 0: not open */
	bool raw;
	int fd; /* its own, or the raw socket of all */
	struct addr from;
	struct rawudp_flow flow;
};

struct bfd_tx_socket {
	enum family family;
	uint32_t vrf;
	int fd;
	struct rawudp_batch *batch;
};

struct bfd_tx {
	bool udp_only;
	uint16_t port; /* that peers listen on, for both kinds of hop; 0: those of the RFCs */
	struct rng *rng;
	/** Each packet's outcome: 0 or an errno. Must not send. */
	void (*sent)(void *owner, int error);
	struct bfd_tx_socket sockets[BFD_TX_SOCKETS_MAX];
	size_t n_sockets;
	uint64_t ports_used[BFD_SOURCE_PORTS / 64];
};

/** Where packets go: @own, or where that is 0 the port of the kind of hop. */
static inline uint16_t bfd_tx_port(uint16_t own, bool multihop)
{
	uint16_t rfc = multihop ? BFD_PORT_MULTI_HOP : BFD_PORT_SINGLE_HOP;

	return own ? own : rfc;
}

void bfd_tx_init(struct bfd_tx *tx, struct rng *rng, uint16_t port,
		 void (*sent)(void *owner, int error));
void bfd_tx_fini(struct bfd_tx *tx);

/** Open, if it is not open; 0, or negative (errno kept) and closed. */
NODISCARD int bfd_tx_open(struct bfd_tx *tx, const struct bfd_path *path, struct bfd_sender *s,
			  struct err *e);
/** What waits is sent first. May be repeated. */
void bfd_tx_close(struct bfd_tx *tx, struct bfd_sender *s);

/** Is the address that an open sender sends from still the right one? */
NODISCARD bool bfd_tx_is_current(const struct bfd_path *path, const struct bfd_sender *s);

/** Send now or with the next flush; `sent` tells the outcome. @s is open. */
void bfd_tx_send(struct bfd_tx *tx, const struct bfd_path *path, const struct bfd_sender *s,
		 const void *bytes, size_t len, void *owner);

void bfd_tx_flush(struct bfd_tx *tx);

#endif
