/**
 * TCP connections to peers, and what the operating system is to do with them: source address, device, MD5
 * signatures (RFC 2385), TCP-AO (tcp_ao.h), hop limits (RFC 5082), DSCP, user time-out (RFC 5482). Everything is non-blocking.
 *
 * Driven by protocol shells; no state of its own.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/addr.h"
#include "base/time.h"
#include "net/tcp_ao.h"

/** Longest password that the kernel takes (TCP_MD5SIG_MAXKEYLEN). */
#define TCP_PASSWORD_MAX 80

struct tcp_conf {
	struct addr peer;
	uint16_t port;
	const char *zone;	     /* interface of a link-local peer; NULL otherwise */
	struct addr source;	     /* unset: the kernel chooses */
	const char *device;	     /* bind to this interface or VRF; NULL: no */
	const char *password;	     /* NULL: no signatures */
	const struct tcp_ao_key *ao; /* instead of a password; the first is sent with */
	size_t n_ao;
	uint8_t ttl;	 /* hop limit of what we send; 0: the system's default */
	uint8_t min_ttl; /* drop what arrives with less; 0: take all */
	uint8_t dscp;	 /* 48 is CS6 */
	struct dur
		user_timeout; /* give up when sent data stays unacknowledged; 0: the system's default */
};

struct tcp_end {
	struct addr addr;
	uint16_t port;
	uint32_t scope; /* interface index of a link-local address, else 0 */
};

/**
 * Open a socket with all options and begin to connect; it is writable when the outcome is known.
 * Returns the descriptor (the caller closes it) or -kind.
 */
NODISCARD int tcp_connect(const struct tcp_conf *conf, struct err *e);

/** The outcome of a connect: 0, or -ERR_SYSTEM with the reason. */
NODISCARD int tcp_connect_result(int fd, struct err *e);

/**
 * Set or replace the key for segments from and to @peer, also while connected; NULL takes it away. On a listening socket
 * it is for connections of that peer.
 */
NODISCARD int tcp_set_password(int fd, const struct addr *peer, const char *password,
			       struct err *e);

struct tcp_listen_conf {
	struct addr addr; /* unspecified: all addresses of its family */
	uint16_t port;
	const char *device; /* a VRF or link whose connections are meant; NULL: those of no VRF */
	bool shared; /* others of ours listen there, each on a link; all of them have to say so */
	uint8_t dscp;
};

/**
 * Listen, with the largest backlog that the system has. What it answers leaves with hop limit 255, because some peer may
 * ask for that (RFC 5082). Returns the descriptor or -kind.
 */
NODISCARD int tcp_listen(const struct tcp_listen_conf *conf, struct err *e);
/**
 * Say it later, and take it back: while it holds a connection may come to the wrong one of them, so it is for the time in which
 * others are opened.
 */
NODISCARD int tcp_share(int fd, bool on, struct err *e);
/** Take the next connection: the descriptor, -ERR_NOT_FOUND when none waits, or -ERR_SYSTEM. */
NODISCARD int tcp_accept(int fd, struct tcp_end *peer, struct err *e);
/**
 * Give an accepted connection the options that one of our own would have. Its keys it has by the listener's; one that was to have
 * TCP-AO and has not is an error.
 */
NODISCARD int tcp_adopt(int fd, const struct tcp_conf *conf, struct err *e);

/** Our end of a connected socket. */
NODISCARD int tcp_local_end(int fd, struct tcp_end *out, struct err *e);

/**
 * An address of @family on the interface that owns @local, neither link-local nor loopback. Addresses with a
 * subnet go before single ones; then the first IPv4 or the lowest IPv6 address. Returns false when there is none.
 */
bool tcp_neighbour_addr(const struct tcp_end *local, enum family family, struct addr *out);

#endif
