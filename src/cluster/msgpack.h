/**
 * The part of msgpack that gossip messages use. Reading takes every current form of a value;
 * writing gives the forms of the old specification (text and bytes are one family, "raw"), as the
 * Go encoder does.
 *
 * Reading goes through struct rd: the first failure latches, and lengths are checked against what
 * is there. Values that nobody asked for are skipped by msgpack_skip(), with a limit on depth.
 */
#ifndef CLUSTER_MSGPACK_H
#define CLUSTER_MSGPACK_H

#include "base/bytes.h"

#define MSGPACK_DEPTH_MAX 8

/** Text or bytes lent from the input. p is NULL for nil. */
struct msgpack_raw {
	const uint8_t *p;
	size_t len;
};

/** How far a value reaches in input that may still be growing. */
enum msgpack_extent { MSGPACK_WHOLE, MSGPACK_SHORT, MSGPACK_BAD };

/** Number of pairs of the map that comes next; nil is an empty map. */
uint32_t msgpack_read_map(struct rd *r);
/** Raw, str and bin of every width, and nil. */
struct msgpack_raw msgpack_read_raw(struct rd *r);
/** Any integer; latches when it is outside [lo, hi]. nil is 0. */
int64_t msgpack_read_int(struct rd *r, int64_t lo, int64_t hi);
bool msgpack_read_bool(struct rd *r);
void msgpack_skip(struct rd *r);

/**
 * Measure the value at the start of @r without decoding it. *len: all of it, or of one that is short the
 * least that it can come to.
 */
enum msgpack_extent msgpack_extent(struct rd r, size_t *len);

static inline bool msgpack_raw_is(struct msgpack_raw raw, const char *text)
{
	size_t len = strlen(text);

	return raw.len == len && (len == 0 || memcmp(raw.p, text, len) == 0);
}

void msgpack_write_map(struct wr *w, uint8_t pairs); /* at most 15 */
void msgpack_write_raw(struct wr *w, const void *p, size_t len);
void msgpack_write_text(struct wr *w, const char *text);
void msgpack_write_nil(struct wr *w);
void msgpack_write_bool(struct wr *w, bool v);
/** For unsigned fields. */
void msgpack_write_uint(struct wr *w, uint32_t v);
/** For signed fields: above 127 the signed widths are used. */
void msgpack_write_int(struct wr *w, int32_t v);

#endif
