/**
 * UDP datagrams from any source port through one raw socket, many in one system call.
 *
 * A protocol that wants a source port of its own for each of its sessions needs no socket for each:
 * the headers are written here, and the kernel routes the packet and finds the neighbour as always.
 * Nothing is ever received. The caller must see to it that nobody else uses its source ports, and
 * that the source address is this host's.
 *
 *   rawudp_open()      one socket for each family, and for each VRF
 *   rawudp_flow_init() the headers from one port to another, once
 *   rawudp_add()       copies a datagram of a flow into a batch; rawudp_flush() sends them all
 *
 * Nothing here blocks, and only rawudp_batch_new() allocates. RFC 768 (always with a checksum).
 */
#ifndef NET_RAWUDP_H
#define NET_RAWUDP_H

#include <netinet/in.h>

#include "base/addr.h"

/** @vrf: the interface that the socket belongs to, 0: none. The descriptor, or -ERR_SYSTEM. */
NODISCARD int rawudp_open(enum family family, uint32_t vrf, struct err *e);

struct rawudp_path {
	struct addr from;
	struct addr to;
	uint16_t from_port;
	uint16_t to_port;
	uint32_t ifindex; /* where it leaves; 0: by route */
	uint8_t ttl;
	uint8_t tos;
};

#define RAWUDP_HEAD_MAX	   48
#define RAWUDP_PAYLOAD_MAX 80
#define RAWUDP_BATCH	   64

/** Headers and destination; the fields are the implementation's. */
struct rawudp_flow {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t to_len;
	uint32_t ifindex;
	uint8_t head_len;
	uint8_t head[RAWUDP_HEAD_MAX];
	uint32_t sum; /* of pseudo-header and ports */
};

void rawudp_flow_init(struct rawudp_flow *f, const struct rawudp_path *path);

struct rawudp_batch;

NODISCARD struct rawudp_batch *rawudp_batch_new(void);
struct rawudp_batch *rawudp_batch_free(struct rawudp_batch *b);

/**
 * Put a datagram of at most RAWUDP_PAYLOAD_MAX bytes behind the others.
 * @flow:  borrowed until the flush
 * @owner: given back with the outcome
 * Returns false when the batch is full: flush first.
 */
NODISCARD bool rawudp_add(struct rawudp_batch *b, const struct rawudp_flow *flow, const void *bytes,
			  size_t len, void *owner);

bool rawudp_is_empty(const struct rawudp_batch *b);

/** Send all; @done is told each one's outcome (0 or errno) in order, and must not add to @b. */
void rawudp_flush(struct rawudp_batch *b, int fd, void (*done)(void *owner, int error));

#endif
