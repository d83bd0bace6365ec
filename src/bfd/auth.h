/**
 * Authentication of BFD control packets: the secrets of a session, the section that goes behind a packet, and its
 * verification. Which sequence numbers are right is the session's business (session.h).
 *
 * A struct bfd_auth is made on the control thread and used by one thread afterwards; signing and verifying do not
 * allocate.
 *
 * RFC 5880 §4.2-4.4 (sections), §6.7.2-6.7.4 (simple password, keyed and meticulous MD5 and SHA1): covered.
 */
#ifndef BFD_AUTH_H
#define BFD_AUTH_H

#include "base/err.h"
#include "bfd/pkt.h"

/** The numbers of RFC 5880 §4.1. */
enum bfd_auth_type {
	BFD_AUTH_NONE = 0,
	BFD_AUTH_SIMPLE = 1,
	BFD_AUTH_KEYED_MD5 = 2,
	BFD_AUTH_METICULOUS_MD5 = 3,
	BFD_AUTH_KEYED_SHA1 = 4,
	BFD_AUTH_METICULOUS_SHA1 = 5,
	BFD_AUTH_TYPE_COUNT
};

#define BFD_AUTH_KEYS_MAX   8
#define BFD_AUTH_SECRET_MAX 20
/** Longest packet with its section. */
#define BFD_PKT_MAX (BFD_PKT_LEN + 28)

struct bfd_auth_key {
	uint8_t id;
	uint8_t len;
	uint8_t secret[BFD_AUTH_SECRET_MAX];
};

/** Longest secret of a type, in bytes: 16 for simple and MD5, 20 for SHA1. */
size_t bfd_auth_secret_max(enum bfd_auth_type type);

struct bfd_auth;

/**
 * @keys: at least one; the first is used for sending, any of them is accepted
 * Returns 0, -ERR_CONFIG (secret too long, an id twice), or -ERR_SYSTEM when the library refuses the digest.
 */
NODISCARD int bfd_auth_new(enum bfd_auth_type type, const struct bfd_auth_key *keys, size_t n,
			   struct bfd_auth **out, struct err *e);
struct bfd_auth *bfd_auth_free(struct bfd_auth *a); /* takes NULL, returns NULL */
/** A copy of its own; NULL for NULL. */
NODISCARD struct bfd_auth *bfd_auth_dup(const struct bfd_auth *a);

enum bfd_auth_type bfd_auth_type(const struct bfd_auth *a); /* NULL: none */
/** Does a packet's sequence number have to be higher than the last one (or may it be the same)? */
bool bfd_auth_is_meticulous(const struct bfd_auth *a);
bool bfd_auth_has_sequence(const struct bfd_auth *a);

/** Write @pkt with its section; @a may be NULL: then without. */
void bfd_auth_encode(struct bfd_auth *a, const struct bfd_pkt *pkt, uint32_t seq, struct wr *w);

/** Is the packet's section of our type, of one of our keys, and right? @pkt was just decoded. */
bool bfd_auth_verify(struct bfd_auth *a, const struct bfd_pkt *pkt);

#endif
