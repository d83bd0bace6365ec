/**
 * A growing buffer of bytes or text. Zero-initialised is valid and empty. Text is always terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/mem.h"

struct buf {
	char *p;
	size_t len;
	size_t cap;
};

void buf_append(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** Drop @n bytes from the front. */
void buf_consume(struct buf *b, size_t n);
/** Text as it may stand in a URL: all but unreserved characters percent-encoded (RFC 3986 §2). */
void buf_put_escaped(struct buf *b, const char *text);
void buf_clear(struct buf *b); /* keeps the memory */
void buf_fini(struct buf *b);
/** The text, never NULL. */
const char *buf_text(const struct buf *b);

#endif
