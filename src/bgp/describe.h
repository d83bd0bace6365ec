/**
 * One message in words, for people: also one that is malformed, or of which only the beginning is left. Pure.
 *
 * OPEN, UPDATE with the attributes that we know, NOTIFICATION and ROUTE-REFRESH in full; KEEPALIVE has nothing to say.
 */
#ifndef BGP_DESCRIBE_H
#define BGP_DESCRIBE_H

#include "base/buf.h"
#include "base/bytes.h"

/** "OPEN", "UPDATE", …; "unknown" for what is no message. @wire begins with the header. */
const char *bgp_describe_type(struct rd wire);

/** @wire: what there is of the message; @len: its length on the wire. Appends to @out. */
void bgp_describe(struct rd wire, size_t len, struct buf *out);

#endif
