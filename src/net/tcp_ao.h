/**
 * The TCP authentication option (RFC 5925) with the algorithms of RFC 5926, by Linux 6.7 or later with CONFIG_TCP_AO:
 * keys of a socket for one peer. A connection takes several, so that both sides can change in turn:
 * whatever key it has is accepted, and each side sends with the one that the other asks for.
 *
 * Left out: ports and networks of peers in a key, keys of one VRF (sockets here are bound), MACs of other lengths, TCP options outside the MAC.
 */
#ifndef NET_TCP_AO_H
#define NET_TCP_AO_H

#include "base/addr.h"
#include "base/err.h"

/** Longest secret that the kernel takes (TCP_AO_MAXKEYLEN). */
#define TCP_AO_SECRET_MAX 80

enum tcp_ao_algorithm { TCP_AO_HMAC_SHA1_96, TCP_AO_AES_128_CMAC_96 };

/** RFC 5925 calls it a master key tuple; without the addresses. */
struct tcp_ao_key {
	uint8_t send_id;    /* KeyID in what we send */
	uint8_t receive_id; /* and in what the peer sends */
	enum tcp_ao_algorithm algorithm;
	uint8_t len;
	uint8_t secret[TCP_AO_SECRET_MAX];
};

/** Whether all of it is the same. */
bool tcp_ao_key_eq(const struct tcp_ao_key *a, const struct tcp_ao_key *b);

/**
 * Give a socket one more key for @peer: one that listens, one that is about to connect, or one whose connection has keys.
 * @first: send with it, and ask the peer to; not for a socket that listens
 */
NODISCARD int tcp_ao_add(int fd, const struct addr *peer, const struct tcp_ao_key *key, bool first,
			 struct err *e);
/**
 * Take it away. @instead: of a connection, a key that it has, which is used from now on where @key was in use; NULL for a
 * socket that listens.
 */
NODISCARD int tcp_ao_del(int fd, const struct addr *peer, const struct tcp_ao_key *key,
			 const struct tcp_ao_key *instead, struct err *e);
/** Of a connection: ask the peer to send with this key, which it may not have yet. It asks us in the same way. */
NODISCARD int tcp_ao_ask_for(int fd, const struct tcp_ao_key *key, struct err *e);
/** Is the connection authenticated? */
bool tcp_ao_is_on(int fd);

#endif
