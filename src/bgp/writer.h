/**
 * UPDATE messages about many routes: given routes one after the other, each with what is to be said of it, it fills
 * messages up to their full size and puts them into one batch of bytes, which many peers may send. Pure.
 *
 * Covered: RFC 4271 §4.3, RFC 4760 for IPv6 unicast, RFC 4724 §2 (End-of-RIB), RFC 7313 marks, RFC 8654, RFC 8950.
 */
#ifndef BGP_WRITER_H
#define BGP_WRITER_H

#include "bgp/attr.h"

/** Whole messages, ready for the wire; shared by reference. */
struct bgp_batch {
	uint32_t refs;
	uint32_t messages; /* UPDATEs */
	uint32_t refreshes;
	size_t len;
	uint8_t bytes[];
};

struct bgp_batch *bgp_batch_ref(struct bgp_batch *b);
void bgp_batch_unref(struct bgp_batch *b); /* NULL is fine */

/** Zero-initialised but for @format is ready. */
struct bgp_writer {
	const struct bgp_format *format;
	struct bgp_batch *batch;
	size_t cap; /* of the batch's bytes */
	struct wr msg;
	enum { BGP_WRITER_IDLE, BGP_WRITER_REACH, BGP_WRITER_UNREACH } open;
	enum family family;
	bool mp;		     /* the open message has a multiprotocol attribute */
	const struct bgp_attr *attr; /* of the open message, while it announces */
	size_t attrs_mark;
	size_t field_mark;	   /* the multiprotocol attribute, or IPv4's withdrawn routes */
	size_t limit;		   /* the message's length where no further prefix fits */
	uint8_t tail[BGP_MSG_MAX]; /* attributes behind MP_REACH_NLRI */
	size_t tail_len;
};

/** Announce a prefix (@len and its bytes as on the wire) with these attributes. */
void bgp_writer_reach(struct bgp_writer *w, enum family family, const struct bgp_attr *attr,
		      uint8_t len, const uint8_t *bytes);
void bgp_writer_unreach(struct bgp_writer *w, enum family family, uint8_t len,
			const uint8_t *bytes);
/** A mark around repeated routes (RFC 7313): @type is BGP_REFRESH_BEGIN or BGP_REFRESH_END. */
void bgp_writer_refresh(struct bgp_writer *w, enum family family, uint8_t type);
/** End-of-RIB. */
void bgp_writer_mark(struct bgp_writer *w, enum family family);
/** Close the last message and hand the batch over; NULL when nothing was written. */
struct bgp_batch *bgp_writer_finish(struct bgp_writer *w);

#endif
