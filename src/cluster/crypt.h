/**
 * Sealing of gossip packets and streams: AES-GCM with a ring of keys.
 *
 *   blob = version u8 | nonce 12 | ciphertext | tag 16
 *
 * Version 1 encrypts the plain bytes; version 0 (spoken by protocol 1) pads them as PKCS#7 does
 * first. Both are opened. Sealing uses one key, opening tries each. Nonces come from the
 * caller: 12 unpredictable bytes, never the same twice.
 */
#ifndef CLUSTER_CRYPT_H
#define CLUSTER_CRYPT_H

#include "base/bytes.h"
#include "base/mem.h"

#define CRYPT_KEY_MAX	32
#define CRYPT_KEYS_MAX	4
#define CRYPT_NONCE_LEN 12
#define CRYPT_TAG_LEN	16
#define CRYPT_OVERHEAD	(1 + CRYPT_NONCE_LEN + CRYPT_TAG_LEN) /* version 1 */
#define CRYPT_PADDING	16				      /* version 0: up to this much more */

struct crypt_key {
	uint8_t bytes[CRYPT_KEY_MAX];
	uint8_t len; /* 16, 24 or 32 */
};

/** No keys: nothing is encrypted. */
struct crypt_ring {
	struct crypt_key keys[CRYPT_KEYS_MAX];
	size_t n;
	uint8_t seals;	/* which of them: the first, unless it is set before a sealing */
	uint8_t opened; /* which one has opened the last that could be */
};

/** Add a key at the end; -1 when the length is none of AES's or the ring is full. */
NODISCARD int crypt_ring_add(struct crypt_ring *ring, const void *key, size_t len);

/**
 * The key that MetalLB makes of a secret: its first @key_len bytes (16 before MetalLB 0.14.2, 32
 * since), and where it is shorter the SHA-256 of nothing behind it.
 */
struct crypt_key crypt_key_from_secret(const void *secret, size_t len, uint8_t key_len);

/**
 * Append the blob of @plain to @w.
 * @version: 0 or 1
 * @aad:     what stands outside of the blob and is vouched for
 * Latches @w when the room is too small.
 */
void crypt_seal(const struct crypt_ring *ring, uint8_t version, const uint8_t *nonce,
		struct rd plain, struct rd aad, struct wr *w);

/**
 * Open a blob. @room has at least blob.left bytes.
 * Returns false when no key fits or the blob is malformed; *out then is not touched.
 */
NODISCARD bool crypt_open(struct crypt_ring *ring, struct rd blob, struct rd aad, uint8_t *room,
			  struct rd *out);

#endif
