/**
 * MD5 and SHA1 of short messages, without allocating: RFC 5880 asks for these two.
 */
#ifndef BFD_DIGEST_H
#define BFD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

#define BFD_DIGEST_MAX 20

struct bfd_digest;

/** @name: "MD5" or "SHA1". NULL when the library of this system refuses it. */
NODISCARD struct bfd_digest *bfd_digest_new(const char *name);
struct bfd_digest *bfd_digest_free(struct bfd_digest *d); /* takes NULL, returns NULL */

/** Of two pieces behind each other, into @out. */
NODISCARD bool bfd_digest_of(struct bfd_digest *d, const void *a, size_t a_len, const void *b,
			     size_t b_len, unsigned char out[static BFD_DIGEST_MAX]);

/** Equal? In a time that does not tell where they differ. */
bool bfd_digest_eq(const void *a, const void *b, size_t len);
/** Forget a secret for good. */
void bfd_digest_wipe(void *p, size_t len);

#endif
