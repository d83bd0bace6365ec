/**
 * Who is at the other end of a link: the link-local address of the router that an *unnumbered* peer is, configured by its
 * interface alone. A pure core: it is given the ICMPv6 messages that came over the link and the time, and says what to send.
 *
 * Routers tell where they are by advertisements. We send them too, as a router that is configured in the same way waits for
 * ours; with a lifetime of zero, so that nobody takes us for a way out (RFC 4861 §6.2.3). Where nothing
 * advertises itself, everybody on the link is called by an echo request: a single neighbour is the peer.
 *
 * Covered: RFC 4861 §4.1, §4.2, §6.1.1, §6.1.2 (what is believed) and §6.2.6 (solicitations are answered); RFC 4443 §4.
 * Left out: all that a host or a router learns or tells by advertisements beyond its address.
 */
#ifndef BGP_DISCOVER_H
#define BGP_DISCOVER_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

enum { DISCOVER_ECHO_REPLY = 129, DISCOVER_SOLICITATION = 133, DISCOVER_ADVERT = 134 };

/** What to send, as a set. */
enum {
	DISCOVER_SEND_ADVERT = 1,  /* to all nodes */
	DISCOVER_SEND_SOLICIT = 2, /* to all routers */
	DISCOVER_SEND_CALL = 4,	   /* to all nodes */
	DISCOVER_KINDS = 3,
};

#define DISCOVER_WIRE_MAX 16

struct discover {
	struct addr peer; /* unset: nobody is known */
	struct mono at;	  /* when to send next */
	bool adverts;	  /* the peer is known by them */
	bool doubted;	  /* no session with it: the next call may find another one */
	struct mono heard;
	struct mono advertised;
	unsigned beats; /* without a peer */
	uint16_t call;	/* identifies our echo requests */
	struct rng rng;
	struct addr answered; /* the call: this one, */
	bool crowded;	      /* and others */
	bool was_crowded;     /* the call before */
};

void discover_init(struct discover *d, uint64_t seed, struct mono now);

/**
 * An ICMPv6 message.
 * @from: its source
 * @hops: its hop limit
 * Returns true when the peer is known now, or is another one.
 */
bool discover_input(struct discover *d, const struct addr *from, uint8_t hops, struct rd msg,
		    struct mono now);

/**
 * It is time (d->at).
 * @send: gets the set of what to send
 * Returns true when the peer is known now.
 */
bool discover_tick(struct discover *d, struct mono now, unsigned *send);

/** No session came about, or it ended: the peer may be somebody else now. */
void discover_doubt(struct discover *d, struct mono now);

/** One message of the set, without its checksum: DISCOVER_WIRE_MAX bytes at most. */
void discover_encode(const struct discover *d, unsigned kind, struct wr *w);

/** Why no peer is known. */
const char *discover_trouble(const struct discover *d);

#endif
