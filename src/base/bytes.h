/**
 * Bounded reading and writing of wire bytes. All input goes through struct rd, all output through struct wr.
 * The first failure latches: decode straight through, ask once at the end. Network byte order on the wire,
 * host order in our hands.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct rd rd_from(const void *p, size_t n)
{
	return (struct rd){ .p = p, .left = n };
}

/** Lend @n bytes of the input, or NULL (and latch) when fewer are left. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	if (r->bad || n > r->left) {
		*r = (struct rd){ .bad = true }; /* later reads give zero, loops end */
		return NULL;
	}
	const uint8_t *at = r->p;
	r->p += n;
	r->left -= n;
	return at;
}

static inline void rd_skip(struct rd *r, size_t n)
{
	(void)rd_bytes(r, n);
}

/** Carve @n bytes into a cursor of their own: a TLV cannot see past its end. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
	const uint8_t *b = rd_bytes(r, n);
	return b ? rd_from(b, n) : (struct rd){ .bad = true };
}

/** Copy @n bytes out; zeroes @out when the input is short. */
static inline void rd_copy(struct rd *r, void *out, size_t n)
{
	const uint8_t *b = rd_bytes(r, n);
	if (b)
		memcpy(out, b, n);
	else
		memset(out, 0, n);
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 1);
	return b ? b[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 2);
	return b ? (uint16_t)((b[0] << 8) | b[1]) : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 4);
	return b ? ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3]
		 : 0;
}

static inline uint64_t rd_u64(struct rd *r)
{
	uint64_t hi = rd_u32(r);
	return (hi << 32) | rd_u32(r);
}

struct wr {
	uint8_t *p;
	size_t cap;
	size_t len;
	bool bad; /* something did not fit; what is there must not be sent */
};

static inline struct wr wr_to(void *p, size_t cap)
{
	return (struct wr){ .p = p, .cap = cap };
}

/** Reserve @n bytes and return where they go, or NULL (and latch). */
static inline uint8_t *wr_take(struct wr *w, size_t n)
{
	if (w->bad || n > w->cap - w->len) {
		w->bad = true;
		return NULL;
	}
	uint8_t *at = w->p + w->len;
	w->len += n;
	return at;
}

static inline void wr_bytes(struct wr *w, const void *p, size_t n)
{
	uint8_t *at = wr_take(w, n);
	if (at && n)
		memcpy(at, p, n);
}

static inline void wr_fill(struct wr *w, uint8_t byte, size_t n)
{
	uint8_t *at = wr_take(w, n);
	if (at)
		memset(at, byte, n);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *at = wr_take(w, 2);
	if (at) {
		at[0] = (uint8_t)(v >> 8);
		at[1] = (uint8_t)v;
	}
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	wr_u16(w, (uint16_t)(v >> 16));
	wr_u16(w, (uint16_t)v);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
	wr_u32(w, (uint32_t)(v >> 32));
	wr_u32(w, (uint32_t)v);
}

/** Leave room for a length that is known later: `size_t at = wr_mark16(&w); ... wr_fill16(&w, at);` */
static inline size_t wr_mark8(struct wr *w)
{
	size_t at = w->len;
	wr_u8(w, 0);
	return at;
}

static inline size_t wr_mark16(struct wr *w)
{
	size_t at = w->len;
	wr_u16(w, 0);
	return at;
}

/** Write the number of bytes since the mark (the mark itself not counted). Latches when it does not fit. */
static inline void wr_fill8(struct wr *w, size_t at)
{
	size_t n = w->bad ? 0 : w->len - at - 1;
	if (n > UINT8_MAX)
		w->bad = true;
	if (!w->bad)
		w->p[at] = (uint8_t)n;
}

static inline void wr_fill16(struct wr *w, size_t at)
{
	size_t n = w->bad ? 0 : w->len - at - 2;
	if (n > UINT16_MAX)
		w->bad = true;
	if (w->bad)
		return;
	w->p[at] = (uint8_t)(n >> 8);
	w->p[at + 1] = (uint8_t)n;
}

/** The Internet checksum (RFC 1071) over @n bytes, continuing from @sum; finish with bytes_csum_fold(). */
static inline uint32_t bytes_csum_add(uint32_t sum, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (; n > 1; n -= 2, b += 2)
		sum += ((uint32_t)b[0] << 8) | b[1];
	if (n)
		sum += (uint32_t)b[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline uint16_t bytes_csum_fold(uint32_t sum)
{
	return (uint16_t)~sum;
}

/** Parse hex text (spaces, colons and newlines allowed) into @out; returns the number of bytes, or -1. */
long bytes_unhex(const char *text, uint8_t *out, size_t cap);

/** CRC-32 of IEEE 802.3. */
uint32_t bytes_crc32(const void *p, size_t n);

#endif
