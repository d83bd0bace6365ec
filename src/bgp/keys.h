/**
 * How peers prove themselves to TCP: the keys of one listening socket (TCP MD5 passwords, TCP-AO keys), and keys that change under
 * connections. Driven by listen.c and speaker.c.
 *
 * A round: begin, keep() for every peer that the socket is for, drop(), put() for every one. What stays is never gone
 * for a moment, and what two kinds of keys would dispute is free before it is put.
 */
#ifndef BGP_KEYS_H
#define BGP_KEYS_H

#include "base/addr.h"
#include "base/err.h"

struct bgp_keys;
struct bgp_peer;
struct bgp_peer_conf;

struct bgp_keys *bgp_keys_new(void);
/** The socket's own go with the socket. */
struct bgp_keys *bgp_keys_free(struct bgp_keys *k);

void bgp_keys_begin(struct bgp_keys *k);
void bgp_keys_keep(struct bgp_keys *k, const struct bgp_peer *p);
void bgp_keys_drop(struct bgp_keys *k, int fd);
NODISCARD int bgp_keys_put(struct bgp_keys *k, int fd, const struct bgp_peer *p, struct err *e);
/** Does the socket have all keys of this peer? Else whoever comes from its address has proven nothing. */
bool bgp_keys_cover(const struct bgp_keys *k, const struct bgp_peer *p);

/** Can connections that were made with @old go on with @now? */
bool bgp_keys_are_live(const struct bgp_peer_conf *old, const struct bgp_peer_conf *now);
/** A connection with @peer goes on with the keys of @now. A refusal leaves the old ones, and the session on them. */
void bgp_keys_change(int fd, const struct addr *peer, const struct bgp_peer_conf *old,
		     const struct bgp_peer_conf *now);

#endif
