/**
 * The shell around bgp/discover.h for one unnumbered peer: listens to what its interface's neighbours say, and sends what the
 * core wants sent. An interface that is not there (yet) is tried every second.
 */
#ifndef BGP_UNNUMBERED_H
#define BGP_UNNUMBERED_H

#include "base/loop.h"
#include "bgp/discover.h"

struct bgp_unnumbered;

/**
 * @found: the peer is known, or is another one; from the loop
 */
struct bgp_unnumbered *bgp_unnumbered_new(struct loop *loop, const char *ifname, uint64_t seed,
					  void (*found)(void *ctx), void *ctx);
struct bgp_unnumbered *bgp_unnumbered_free(struct bgp_unnumbered *u); /* takes NULL, returns NULL */

bool bgp_unnumbered_is_on(const struct bgp_unnumbered *u, const char *ifname);
/** The peer's link-local address; unset while it is not known. */
const struct addr *bgp_unnumbered_peer(const struct bgp_unnumbered *u);
/** Why it is not known. */
const char *bgp_unnumbered_trouble(const struct bgp_unnumbered *u);
/** No session came about, or it ended. */
void bgp_unnumbered_doubt(struct bgp_unnumbered *u);

#endif
