#include "base/buf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Room for @n more bytes and the terminator. */
static void buf_room(struct buf *b, size_t n)
{
	size_t need;

	if (__builtin_add_overflow(b->len, n, &need) || need > SIZE_MAX / 2)
		abort();
	if (need < b->cap)
		return;
	b->cap = MAX(MAX(need + 1, b->cap * 2), (size_t)64);
	b->p = mem_resize(b->p, b->cap, 1);
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	buf_room(b, n);
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_room(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	n = MIN(n, b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->p, b->p + n, b->len + 1);
}

void buf_put_escaped(struct buf *b, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (isalnum(*c) || strchr("-._~", *c))
			buf_append(b, c, 1);
		else
			buf_printf(b, "%%%02X", *c);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->p)
		b->p[0] = '\0';
}

void buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

const char *buf_text(const struct buf *b)
{
	return b->p ? b->p : "";
}
