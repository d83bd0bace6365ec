/**
 * The messages of the gossip protocol: a type byte and a msgpack map whose keys are field names.
 *
 * What is encoded equals what the Go program sends, byte for byte: keys sorted, text as raw, IPv4
 * addresses of four bytes. Decoding takes any order, unknown keys and missing ones, and every
 * current form of a value. Wrappers around messages (compound, CRC, compression, encryption, label)
 * are in pack.h.
 */
#ifndef CLUSTER_WIRE_H
#define CLUSTER_WIRE_H

#include "base/addr.h"
#include "cluster/msgpack.h"

enum wire_type {
	WIRE_PING = 0,
	WIRE_INDIRECT_PING = 1,
	WIRE_ACK = 2,
	WIRE_SUSPECT = 3,
	WIRE_ALIVE = 4,
	WIRE_DEAD = 5,
	WIRE_SYNC = 6, /* "push/pull": both ends tell all that they know */
	WIRE_COMPOUND = 7,
	WIRE_USER = 8,
	WIRE_COMPRESSED = 9,
	WIRE_ENCRYPTED = 10,
	WIRE_NACK = 11,
	WIRE_CRC = 12,
	WIRE_ERROR = 13,
	WIRE_LABEL = 244,
};

#define WIRE_NAME_MAX 255 /* a cap of ours; longer names are malformed */
#define WIRE_META_MAX 512
#define WIRE_VSN_LEN  6

/** The places in `vsn`: versions of the protocol, and of the application ("delegate"). */
enum { VSN_MIN, VSN_MAX, VSN_CUR, VSN_APP_MIN, VSN_APP_MAX, VSN_APP_CUR };

enum wire_state { WIRE_STATE_ALIVE, WIRE_STATE_SUSPECT, WIRE_STATE_DEAD, WIRE_STATE_LEFT };

struct wire_ping {
	uint32_t seq;
	char node[WIRE_NAME_MAX + 1]; /* who is meant; empty: whoever gets it */
	struct addr source;	      /* optional: where the ack shall go */
	uint16_t source_port;
	char source_node[WIRE_NAME_MAX + 1];
};

struct wire_indirect {
	uint32_t seq;
	char node[WIRE_NAME_MAX + 1];
	struct addr target;
	uint16_t port;
	bool nack; /* tell when the target is silent */
	struct addr source;
	uint16_t source_port;
	char source_node[WIRE_NAME_MAX + 1];
};

struct wire_ack {
	uint32_t seq;
	struct msgpack_raw payload;
};

struct wire_nack {
	uint32_t seq;
};

/** Suspect and dead; dead by oneself means left. */
struct wire_accusation {
	uint32_t incarnation;
	char node[WIRE_NAME_MAX + 1];
	char from[WIRE_NAME_MAX + 1];
};

/** A node as alive messages and push/pulls carry it. */
struct wire_node {
	uint32_t incarnation;
	char name[WIRE_NAME_MAX + 1];
	struct addr addr;
	uint16_t port;		 /* 0: the port of whoever reads this */
	struct msgpack_raw meta; /* at most WIRE_META_MAX */
	uint8_t vsn[WIRE_VSN_LEN];
	bool has_vsn;
	int32_t state; /* enum wire_state; push/pull only */
};

struct wire_sync {
	int32_t nodes;
	int32_t user_len;
	bool join;
};

struct wire_user {
	int32_t len;
};

struct wire_error {
	struct msgpack_raw text;
};

struct wire_compressed {
	uint16_t algorithm; /* 0: LZW */
	struct msgpack_raw bytes;
};

/**
 * Write one body (without its type byte), or read one and leave the cursor behind it. Decoding
 * returns false when the body is malformed or short; *out is of no use then. Borrowed bytes live as
 * long as the input.
 */
#define WIRE_BODY(body, type)                                    \
	void wire_##body##_encode(struct wr *w, const type *in); \
	NODISCARD bool wire_##body##_decode(struct rd *r, type *out);
WIRE_BODY(ping, struct wire_ping)
WIRE_BODY(indirect, struct wire_indirect)
WIRE_BODY(ack, struct wire_ack)
WIRE_BODY(nack, struct wire_nack)
WIRE_BODY(accusation, struct wire_accusation)
WIRE_BODY(alive, struct wire_node)
WIRE_BODY(sync, struct wire_sync)
WIRE_BODY(sync_node, struct wire_node)
WIRE_BODY(user, struct wire_user)
WIRE_BODY(error, struct wire_error)
WIRE_BODY(compressed, struct wire_compressed)
#undef WIRE_BODY

#endif
