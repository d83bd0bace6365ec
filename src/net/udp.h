/**
 * UDP sockets for protocols that look at more than the payload: TTL sent, TTL and interface
 * received, the kernel's receive time, and datagrams read in batches.
 *
 * Sockets are non-blocking and close-on-exec; the caller owns the descriptors. IPv6 sockets carry
 * IPv6 only.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/time.h"

struct udp_conf {
	enum family family;
	struct addr local; /* unset: any address; the kernel chooses the one to send from */
	uint16_t port;	   /* 0: the kernel's choice */
	uint32_t ifindex; /* where datagrams leave; 0: by route. The scope of a link-local @local */
	uint8_t ttl;	  /* or hop limit; 0: the system's default */
	uint8_t tos;	  /* or traffic class */
	int rcvbuf_bytes; /* 0: the least there is, for sockets that only send */
	bool details;	  /* deliver destination, interface, TTL and time with each datagram */
	uint32_t vrf;	  /* interface of the VRF that the socket belongs to; 0: none */
	bool grouped;	  /* others of ours have the same port: see udp_sort() */
};

/** Open and bind; returns the descriptor, or negative with ERR_SYSTEM (errno kept). */
NODISCARD int udp_open(const struct udp_conf *conf, struct err *e);

/**
 * The address that the kernel would send from to @to, with @conf's local address (which must be one
 * of this host's), interface and VRF. 0, or negative with ERR_SYSTEM (errno kept).
 */
NODISCARD int udp_source(const struct udp_conf *conf, const struct addr *to, struct addr *out,
			 struct err *e);

struct sock_filter;

/**
 * Sort the datagrams of a group of sockets, in the order that they were opened in: @insns, classic
 * BPF over the payload, gives the number of the socket. Returns 0 or -ERR_SYSTEM.
 */
NODISCARD int udp_sort(int fd, const struct sock_filter *insns, size_t n, struct err *e);

/** Send one datagram; @scope is the interface of a link-local @to. Returns 0 or -errno. */
NODISCARD int udp_send(int fd, const struct addr *to, uint16_t port, uint32_t scope,
		       const void *bytes, size_t len);

/** One received datagram. @bytes lies in the batch and lives until its next receive. */
struct udp_msg {
	struct rd bytes;
	bool cut; /* longer than UDP_MSG_MAX */
	struct addr from;
	uint16_t from_port;
	struct addr to;	    /* unset without details */
	uint32_t ifindex;   /* where it came in; 0 without details */
	int ttl;	    /* -1 when the kernel did not say */
	int64_t arrived_ns; /* real-time clock of the kernel; 0 when it did not say */
	uint32_t lost; /* datagrams that found the socket's buffer full before this one, ever */
};

#define UDP_BATCH   64
#define UDP_MSG_MAX 256

struct udp_batch;

NODISCARD struct udp_batch *udp_batch_new(void);
struct udp_batch *udp_batch_free(struct udp_batch *b);

/** Receive up to UDP_BATCH datagrams without waiting; returns how many, or -errno. */
NODISCARD int udp_batch_recv(struct udp_batch *b, int fd);
/** The @i-th of the last receive. */
void udp_batch_get(struct udp_batch *b, int i, struct udp_msg *out);

#endif
