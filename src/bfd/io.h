/**
 * Where BFD packets come in: one socket for each family and port, and one more of each for each VRF.
 *
 * Time of arrival (design 7.15): the kernel stamps datagrams with the real-time clock. Their age is
 * the real-time clock now minus the stamp, both read in one wake-up and clamped to [0, since the
 * socket was last empty], so that neither our own lateness nor a step of the clock looks like silence
 * or like life.
 *
 * Each has three sockets, and the kernel sorts (enum bfd_class). Only packets to our sessions that
 * may change something wake us at once. Those that can only prolong a session wait until the engine
 * is awake for something else, at the latest for the end of a detection time. Those to no session
 * of ours, or that name none, have a small buffer and are read a few at a time: a flood of them takes
 * nothing from the others. When many wake us, all sockets are read each `pause` instead. The stamps
 * keep detection exact all the same.
 *
 * The engine drives it on the packet thread; nothing here allocates but bfd_io_listen(), and the
 * change between waiting and pausing. RFC 5881 §4 and RFC 5883 §5 (ports).
 */
#ifndef BFD_IO_H
#define BFD_IO_H

#include "base/loop.h"
#include "net/udp.h"

/** What the kernel sorts packets into, by what RFC 5880 §4.1 has at a fixed place. */
enum bfd_class {
	BFD_CLASS_NEWS, /* to one of our discriminators: a state other than Up, a poll or a final */
	BFD_CLASS_BULK, /* the same, but it only says Up: nobody need wake for it */
	BFD_CLASS_STRANGERS, /* to no discriminator that we could have drawn; also to none (zero) */
	BFD_CLASS_COUNT
};

/** A received datagram, still to be decoded. */
struct bfd_rx {
	struct rd bytes;
	bool cut;
	bool multihop;
	struct addr peer;
	struct addr local;
	uint32_t ifindex;
	uint32_t vrf; /* that its socket belongs to; 0: none */
	int ttl;
	struct mono at;
};

struct bfd_listener {
	struct loop_io io;
	struct bfd_io *owner;
	int fd;
	enum bfd_class class;
	bool multihop;
	enum family family;
	uint32_t vrf;
	uint32_t lost;		/* as the kernel counts: since it is open */
	struct mono empty_at;	/* when it was last read to its end */
	struct mono read_until; /* what came before this instant has been handed over */
};

#define BFD_LISTENERS_MAX 128

struct bfd_io {
	struct loop *loop;
	void (*received)(void *ctx, const struct bfd_rx *rx);
	void *ctx;
	struct udp_batch *batch;
	struct bfd_listener listeners[BFD_LISTENERS_MAX];
	size_t n_listeners;
	uint64_t lost; /* packets that found a buffer full */
	uint64_t strangers_lost;
	struct mono read_until; /* of all sockets but the strangers' */
	struct mono turn;	/* the wake-up that they were read in */

	uint32_t disc_mul; /* odd: what makes our discriminators recognisable, to us alone */
	uint32_t disc_tag;
	uint16_t port;	  /* for both kinds of hop; 0: those of the RFCs */
	bool lazy;	  /* nobody wakes for the bulk */
	struct dur pause; /* how long a packet may wait; 0: not at all */
	bool pausing;
	struct loop_timer wake;
	struct mono window_start; /* packets are counted by windows of some milliseconds */
	unsigned window_packets;
};

/** @port: 0, or one that takes the place of those of RFC 5881 and RFC 5883 */
void bfd_io_init(struct bfd_io *io, struct loop *loop, uint16_t port,
		 void (*received)(void *ctx, const struct bfd_rx *rx), void *ctx);
void bfd_io_fini(struct bfd_io *io);

/** Open the sockets for a family, port and VRF if they are not open yet; 0, or negative (errno kept). */
NODISCARD int bfd_io_listen(struct bfd_io *io, enum family family, bool multihop, uint32_t vrf,
			    struct err *e);

/** Close the sockets of all VRFs that @wanted does not want. */
void bfd_io_prune(struct bfd_io *io, bool (*wanted)(void *ctx, uint32_t vrf), void *ctx);

/**
 * A discriminator that the kernel recognises as ours, out of 22 random bits. From outside it is as
 * random as any: the rest comes from a number that was drawn at the start.
 */
uint32_t bfd_io_disc(const struct bfd_io *io, uint32_t random);

/** Wake for the bulk too, or not: a session that is half up (Init) waits for a packet of it. */
void bfd_io_set_lazy(struct bfd_io *io, bool lazy);

/**
 * Hand over what has arrived; once in a wake-up, further calls do nothing. Where more waits than one turn has time for, the oldest comes first,
 * and io->read_until says how far it went.
 */
void bfd_io_drain(struct bfd_io *io);

/** Both clocks, read together in one wake-up. */
struct bfd_wakeup {
	struct mono now;
	int64_t wall_ns; /* real-time clock */
	struct dur since_last;
};

/** When a datagram with the kernel's stamp @arrived_ns (0: none) arrived, as far as we believe it. */
struct mono bfd_arrival(const struct bfd_wakeup *w, int64_t arrived_ns);

#endif
