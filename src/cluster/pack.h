/**
 * What is wrapped around messages on their way: several in one packet (compound), CRC, compression,
 * encryption and the cluster's label, for packets and for streams. Pure.
 *
 * Outwards, innermost first: message, compound, compress, CRC, encrypt, label. CRC stands in
 * packets only; a stream carries one request one way and at most one answer the other way, and its
 * label is written by the side that dialled alone.
 */
#ifndef CLUSTER_PACK_H
#define CLUSTER_PACK_H

#include "base/buf.h"
#include "cluster/crypt.h"
#include "cluster/wire.h"

#define PACK_LABEL_MAX	  255
#define PACK_COMPOUND_MAX 255
#define PACK_PACKET_MAX	  65536
/** Caps on what a packet or stream may grow to when decompressed, and on a stream as it comes. */
#define PACK_INFLATED_MAX (64 << 10)
#define PACK_STREAM_MAX	  (8 << 20)

/** What all members of one cluster have in common. Borrowed texts. */
struct pack_conf {
	struct crypt_ring *ring; /* NULL or empty: plain text */
	const char *label;	 /* NULL or "": none */
	uint8_t crypt_version;	 /* 1, or 0 for protocol version 1 */
	bool accept_plain;	 /* with keys: take unencrypted input too */
	bool send_plain;	 /* with keys: send unencrypted all the same */
	bool compress;		 /* streams we send; packets are the core's choice */
};

/** Bytes that sealing adds to a packet. */
size_t pack_overhead(const struct pack_conf *c);

/** Walk the messages of a compound. */
struct pack_compound {
	struct rd lens;
	struct rd body;
	unsigned missing; /* messages that the packet was cut before */
};

/** @r stands behind the type byte. False when the table of lengths is cut. */
NODISCARD bool pack_compound_open(struct rd r, struct pack_compound *out);
bool pack_compound_next(struct pack_compound *c, struct rd *message);

/** Messages gathered for one packet. Two or more become a compound. */
struct pack_batch {
	struct wr body;
	uint16_t lens[PACK_COMPOUND_MAX];
	unsigned n;
	size_t left; /* bytes that may still be added, the table of lengths included */
};

/** Gather into @room up to @budget bytes of packet. */
void pack_batch_init(struct pack_batch *b, struct wr room, size_t budget);
/** False when the message does not fit any more. */
bool pack_batch_add(struct pack_batch *b, struct rd message);
/** Write what was gathered: nothing, the message, or a compound. */
void pack_batch_write(const struct pack_batch *b, struct wr *w);

/** @r stands behind the type byte; on success what remains is what the CRC covers. */
NODISCARD bool pack_crc_check(struct rd *r);
/** CRC header in front of @covered. */
void pack_crc_write(struct wr *w, struct rd covered);

/** A compressed message, type byte included. */
void pack_compress(struct wr *w, struct rd plain);
/**
 * @body stands behind the type byte. Decompresses into @room; false when malformed or larger than
 * the room.
 */
NODISCARD bool pack_decompress(struct rd body, struct wr room, struct rd *out);

enum pack_refusal {
	PACK_OK,
	PACK_LABEL,	/* not our cluster's */
	PACK_CRYPT,	/* no key of ours opens it */
	PACK_PLAIN,	/* not encrypted, but must be */
	PACK_ENCRYPTED, /* encrypted, but we have no key */
	PACK_MALFORMED,
	PACK_TOO_LONG,
	PACK_REFUSAL_COUNT
};
/** For people, and for the error message to the peer. */
const char *pack_refusal_text(enum pack_refusal r);

/** Label and encryption of one packet; @nonce is used only with keys. */
void pack_packet_seal(const struct pack_conf *c, const uint8_t *nonce, struct rd plain,
		      struct wr *w);
/** The reverse. @room: as many bytes as the packet has. */
enum pack_refusal pack_packet_open(const struct pack_conf *c, struct rd packet, uint8_t *room,
				   struct rd *out);

enum pack_side { PACK_DIALLER, PACK_ACCEPTOR };

/** Wrap the one message that a side sends; append it to @out. */
void pack_stream_seal(const struct pack_conf *c, enum pack_side side, const uint8_t *nonce,
		      struct rd message, struct buf *out);

/** The message that a side reads, arriving in pieces. */
struct pack_stream {
	const struct pack_conf *conf;
	enum pack_side side; /* ours */
	struct buf in;
	uint8_t *plain;	   /* decrypted */
	uint8_t *inflated; /* decompressed */
	size_t scanned;	   /* of an unwrapped message: whole values up to here */
	size_t wanted;	   /* bytes from there without which looking again is of no use */
	uint64_t values;   /* of a push/pull: nodes still to come */
	bool head_seen;
	uint32_t tail; /* raw bytes at the end */
};

enum pack_progress { PACK_MORE, PACK_WHOLE, PACK_REFUSED };

void pack_stream_init(struct pack_stream *s, const struct pack_conf *c, enum pack_side side);
void pack_stream_fini(struct pack_stream *s);
/**
 * Take in some more bytes. PACK_WHOLE sets *message, which lives as long as the stream;
 * PACK_REFUSED sets *why. Do not feed after either.
 */
NODISCARD enum pack_progress pack_stream_feed(struct pack_stream *s, const void *p, size_t n,
					      struct rd *message, enum pack_refusal *why);

#endif
