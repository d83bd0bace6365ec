/**
 * Packet sockets (AF_PACKET, SOCK_RAW): whole Ethernet frames of one type on one interface, in
 * batches.
 *
 * A socket is born deaf: its filter is in place before it is bound, so no frame that the filter
 * would refuse is ever queued. Frames for other machines (promiscuous mode, foreign VLANs) and our
 * own outgoing ones never arrive. Nothing here blocks, except closing, which waits for the kernel's
 * readers for some milliseconds: leave it to a thread that has the time.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "net/pcap.h"

enum {
	PACKET_BATCH = 32,     /* frames for each system call */
	PACKET_FRAME_MAX = 512 /* longer frames arrive cut and marked */
};

/**
 * Open a socket for frames of @ethertype (host order) on interface @ifindex that pass @filter
 * (NULL: none does).
 * Returns the descriptor, or -ERR_SYSTEM.
 */
NODISCARD int packet_open(int ifindex, uint16_t ethertype, const struct pcap_prog *filter,
			  struct err *e);

/** Replace the filter in one step; 0 or -ERR_SYSTEM, and then the old one stays. */
NODISCARD int packet_set_filter(int fd, const struct pcap_prog *filter, struct err *e);

/** Let nothing more in, until the descriptor is closed. */
void packet_mute(int fd);

/** The Ethernet address of the interface. */
void packet_own_mac(int fd, uint8_t out[static 6]);

/** False once the interface that it was bound to is gone: it will never hear anything again. */
bool packet_is_bound(int fd);

/** Frames that passed the filter but found the socket's buffer full, since the last call. */
uint64_t packet_dropped(int fd);

/** Frames of one system call. Set up once, used again and again. */
struct packet_batch {
	struct mmsghdr msgs[PACKET_BATCH];
	struct iovec iov[PACKET_BATCH];
};

/** Room for what comes in. */
struct packet_inbox {
	struct packet_batch batch;
	uint8_t bytes[PACKET_BATCH][PACKET_FRAME_MAX];
};

void packet_batch_init(struct packet_batch *b);
void packet_inbox_init(struct packet_inbox *in);

/**
 * Receive what is there, at most @max frames (of PACKET_BATCH); their number, or -errno (-EAGAIN: nothing).
 */
int packet_recv(int fd, struct packet_inbox *in, unsigned max);

/** Frame @i of the last packet_recv(); *cut tells that the end is missing. */
const uint8_t *packet_frame(const struct packet_inbox *in, size_t i, size_t *len, bool *cut);

/**
 * Put a frame into place @i for packet_send_batch(). It stays the caller's, untouched until then.
 */
void packet_batch_set(struct packet_batch *b, size_t i, const void *frame, size_t len);

/** Send frames 0 to @n - 1; how many the kernel took, or -errno when it took none. */
int packet_send_batch(int fd, struct packet_batch *b, size_t n);

/** Receive one frame; its length, which may be more than @cap: then its end is missing. Or -errno. */
int packet_recv_one(int fd, void *frame, size_t cap);

/** Let all multicast in on the interface, as long as the socket lives and wants it; 0 or -ERR_SYSTEM. */
NODISCARD int packet_all_multicast(int fd, int ifindex, bool on, struct err *e);

/** Send one frame; 0 or -errno (-EAGAIN, -ENOBUFS: try again later). */
int packet_send(int fd, const void *frame, size_t len);

#endif
