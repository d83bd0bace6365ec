/**
 * BGP on the wire: the header that frames every message, and the messages without a body worth a file of
 * their own (KEEPALIVE, ROUTE-REFRESH). OPEN is in open.h, UPDATE in update.h, NOTIFICATION in notify.h.
 *
 * Pure. Decoders borrow from the receive buffer. A decoder that refuses fills a struct bgp_fault, which is
 * just what goes into a NOTIFICATION.
 *
 * Covered: RFC 4271 §4.1, §4.4, §6.1; RFC 2918, RFC 7313, RFC 8654.
 */
#ifndef BGP_MSG_H
#define BGP_MSG_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/mem.h"

enum { BGP_PORT = 179, BGP_HEADER_LEN = 19, BGP_MSG_MAX = 4096, BGP_AS_TRANS = 23456 };

/** RFC 8654: of all messages but OPEN and KEEPALIVE, where both sides know it. */
enum { BGP_MSG_EXTENDED_MAX = 65535 };

enum bgp_type {
	BGP_OPEN = 1,
	BGP_UPDATE = 2,
	BGP_NOTIFICATION = 3,
	BGP_KEEPALIVE = 4,
	BGP_REFRESH = 5,
	BGP_TYPE_COUNT,
};

/** Address families as a set: what a session carries. */
enum { BGP_V4 = 1, BGP_V6 = 2 };

/** Address family numbers of IANA, and the only SAFI we speak. */
enum { BGP_AFI_V4 = 1, BGP_AFI_V6 = 2, BGP_SAFI_UNICAST = 1 };

/** The set bit of an address family; 0 for FAMILY_NONE. */
static inline uint8_t bgp_family_bit(uint8_t family)
{
	return family == FAMILY_V4 ? BGP_V4 : family == FAMILY_V6 ? BGP_V6 : 0;
}

/** The set bit of AFI and SAFI; 0 for what we do not carry. */
uint8_t bgp_afi_bit(uint16_t afi, uint8_t safi);

/** Why a message is refused: code, subcode and data of the NOTIFICATION. */
#define BGP_FAULT_DATA_MAX 258 /* a text of RFC 9003 in a Hard Reset */
struct bgp_fault {
	uint8_t code;
	uint8_t subcode;
	uint16_t len; /* of data; longer data is cut */
	uint8_t data[BGP_FAULT_DATA_MAX];
};

/** Fill @f and return BGP_REFUSED, for `return bgp_fault_set(...)`. @data may be NULL. */
int bgp_fault_set(struct bgp_fault *f, uint8_t code, uint8_t subcode, const void *data, size_t len);

/** What every decoder of this room returns when it refuses; 0 is success. */
enum { BGP_REFUSED = 1, BGP_NEED_MORE = 2 };

struct bgp_frame {
	enum bgp_type type;
	size_t len;	/* of the whole message */
	struct rd body; /* after the header */
};

/**
 * Find the message at the front of @bytes (RFC 4271 §6.1).
 * @max: BGP_MSG_MAX, or BGP_MSG_EXTENDED_MAX
 * Returns 0, BGP_NEED_MORE, or BGP_REFUSED with @fault.
 */
NODISCARD int bgp_frame_decode(struct rd bytes, size_t max, struct bgp_frame *out,
			       struct bgp_fault *fault);

/** Begin a message; returns the mark for bgp_frame_end(), which writes the length. */
size_t bgp_frame_begin(struct wr *w, enum bgp_type type);
void bgp_frame_end(struct wr *w, size_t mark);

void bgp_keepalive_encode(struct wr *w);

/** RFC 7313 §4: a request, or the marks around what answers it. */
enum bgp_refresh_type { BGP_REFRESH_REQUEST, BGP_REFRESH_BEGIN, BGP_REFRESH_END };

struct bgp_refresh {
	uint16_t afi;
	uint8_t subtype; /* enum bgp_refresh_type */
	uint8_t safi;
};

/** @body was framed as a ROUTE-REFRESH, so its length is right. */
void bgp_refresh_decode(struct rd body, struct bgp_refresh *out);
void bgp_refresh_encode(struct wr *w, const struct bgp_refresh *r);

/** "OPEN", "UPDATE", … for people. */
const char *bgp_type_name(enum bgp_type type);

#endif
