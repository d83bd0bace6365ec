/**
 * The last messages of a session, in both directions, as they were on the wire: a ring of bytes for people who ask
 * what was said. Long messages are cut, and KEEPALIVEs in a row are one entry with a count. Pure.
 */
#ifndef BGP_TRACE_H
#define BGP_TRACE_H

#include "base/bytes.h"
#include "base/time.h"

enum {
	BGP_TRACE_BYTES = 4096, /* of wire, all entries together */
	BGP_TRACE_CUT = 512,	/* of one message */
};

/** Zero-initialised is empty. */
struct bgp_trace {
	uint8_t *ring; /* grows up to its full size */
	uint32_t cap;
	uint32_t at;  /* where the oldest entry stands */
	uint32_t len; /* entries from there on: heads and bytes */
	/* By direction, received and sent: the place of the entry that one more KEEPALIVE counts for, plus 1; or 0. */
	uint32_t keepalive[2];
};

struct bgp_trace_entry {
	struct mono first, last; /* the same unless it was repeated */
	uint32_t count;
	bool sent;	/* by us */
	uint16_t len;	/* of the message on the wire, for a malformed one of what was looked at */
	struct rd wire; /* its beginning, header included; borrowed until the next message */
};

void bgp_trace_fini(struct bgp_trace *t);

/** Remember one message. */
void bgp_trace_put(struct bgp_trace *t, bool sent, const uint8_t *bytes, size_t len,
		   struct mono now);
/** Remember the last ones of many whole messages that stand one behind the other. */
void bgp_trace_put_all(struct bgp_trace *t, bool sent, const uint8_t *bytes, size_t len,
		       size_t n_messages, struct mono now);

/** Walk from the oldest: start with *at = 0; false at the end. */
bool bgp_trace_next(const struct bgp_trace *t, size_t *at, struct bgp_trace_entry *out);

#endif
