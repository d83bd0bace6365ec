/**
 * Base64 (RFC 4648 §4), as Kubernetes writes it.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/** Append what @text stands for: padded, line ends anywhere. False: it is none. */
NODISCARD bool base64_decode(const char *text, struct buf *out);

/** Append @len bytes as text: padded, in one line. */
void base64_encode(const void *bytes, size_t len, struct buf *out);

#endif
