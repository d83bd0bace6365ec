/**
 * What two nodes of the mesh say on their connection: frames, and the pure core of one connection's byte stream.
 *
 *   preamble  "CRM1" | sealed u8 | reserved 3 | random 16      each side sends one first
 *   frame     length u16 | body
 *   body      type u8 | content, or sealed: the blob of cluster/crypt.h around it
 *
 * What a sealed body vouches for besides itself: both sides' random bytes, who speaks, and the number of the frame.
 * So nothing of another connection, or of another place in this one, opens.
 *
 * mesh_stream_input() takes bytes, mesh_stream_next() gives frames; mesh_stream_open() and mesh_stream_write()
 * say what to send. No socket, no clock, no allocation. docs/mesh.md has the protocol.
 */
#ifndef CLUSTER_MESH_FRAME_H
#define CLUSTER_MESH_FRAME_H

#include "base/bytes.h"
#include "cluster/crypt.h"

#define MESH_NAME_MAX	  255
#define MESH_BODY_MAX	  1024
#define MESH_FRAME_MAX	  (2 + MESH_BODY_MAX + CRYPT_OVERHEAD)
#define MESH_PREAMBLE_LEN 24
#define MESH_RANDOM_LEN	  16

enum mesh_frame_type {
	MESH_HELLO =
		1, /* name: who speaks; the first frame of each side, and the only one of its type */
	MESH_HEARD = 2,	 /* query, name: have you heard this node lately? */
	MESH_ANSWER = 3, /* query, yes */
	MESH_AWAY = 4,	 /* yes: I give everything up, take it; no: I am back */
	MESH_TAKEN = 5,	 /* what you gave up is announced here */
	MESH_NEWS = 6,	 /* text: what members share, faster than by gossip */
};

struct mesh_frame {
	enum mesh_frame_type type;
	uint32_t query;
	bool yes;
	const char *name; /* not terminated in what was received; lives until the next input */
	size_t name_len;
	struct rd text; /* lives as long */
};

/** Write a body; latches @w when it does not fit. */
void mesh_body_encode(const struct mesh_frame *f, struct wr *w);
/** False: malformed, or of a type that is not known. What stands behind is for later versions. */
NODISCARD bool mesh_body_decode(struct rd body, struct mesh_frame *out);

struct mesh_stream {
	struct crypt_ring ring; /* one key, or none: not sealed */
	bool dialled;		/* we opened the connection */
	bool greeted;		/* the other side's preamble is here */
	uint8_t ours[MESH_RANDOM_LEN];
	uint8_t theirs[MESH_RANDOM_LEN];
	uint64_t sent, received; /* frames */
	uint8_t in[2 * MESH_FRAME_MAX];
	size_t in_len;
	size_t in_taken; /* of in_len: consumed */
	uint8_t room[MESH_FRAME_MAX];
};

/** Begin, and write our preamble. @ring is copied; @random: MESH_RANDOM_LEN bytes that nobody foresees. */
void mesh_stream_open(struct mesh_stream *s, const struct crypt_ring *ring, bool dialled,
		      const uint8_t *random, struct wr *w);

/** Room for received bytes, and how many have come there. */
uint8_t *mesh_stream_room(struct mesh_stream *s, size_t *cap);
void mesh_stream_input(struct mesh_stream *s, size_t n);

enum mesh_next { MESH_NEXT_FRAME, MESH_NEXT_MORE, MESH_NEXT_BROKEN };
/** The next frame; BROKEN: end the connection. */
NODISCARD enum mesh_next mesh_stream_next(struct mesh_stream *s, struct mesh_frame *out);

/** The other side's preamble is here: frames may be written. */
static inline bool mesh_stream_is_greeted(const struct mesh_stream *s)
{
	return s->greeted;
}

/** Write a frame. @nonce: CRYPT_NONCE_LEN unpredictable bytes. Latches @w when it does not fit. */
void mesh_stream_write(struct mesh_stream *s, const struct mesh_frame *f, const uint8_t *nonce,
		       struct wr *w);

#endif
