#include "cluster/msgpack.h"

#include "base/mem.h"

/* First bytes, and the bases of the families that carry a small value in it. */
enum {
	MAP_FIX = 0x80,
	ARRAY_FIX = 0x90,
	RAW_FIX = 0xa0,
	NIL = 0xc0,
	FALSE_ = 0xc2,
	TRUE_ = 0xc3,
	BIN8 = 0xc4,
	BIN16,
	BIN32,
	EXT8,
	EXT16,
	EXT32,
	FLOAT32,
	FLOAT64,
	UINT8 = 0xcc,
	UINT16,
	UINT32,
	UINT64,
	INT8 = 0xd0,
	INT16,
	INT32,
	INT64,
	EXT_FIX1 = 0xd4,
	EXT_FIX16 = 0xd8,
	RAW8 = 0xd9,
	RAW16,
	RAW32,
	ARRAY16,
	ARRAY32,
	MAP16,
	MAP32,
	INT_FIX_NEGATIVE = 0xe0,
};

static void fail(struct rd *r)
{
	*r = (struct rd){ .bad = true };
}

uint32_t msgpack_read_map(struct rd *r)
{
	uint8_t first = rd_u8(r);

	if (first >= MAP_FIX && first < ARRAY_FIX)
		return first & 0x0f;
	switch (first) {
	case NIL:
		return 0;
	case MAP16:
		return rd_u16(r);
	case MAP32:
		return rd_u32(r);
	default:
		fail(r);
		return 0;
	}
}

struct msgpack_raw msgpack_read_raw(struct rd *r)
{
	uint8_t first = rd_u8(r);
	size_t len;

	switch (first) {
	case NIL:
		return (struct msgpack_raw){ 0 };
	case BIN8:
	case RAW8:
		len = rd_u8(r);
		break;
	case BIN16:
	case RAW16:
		len = rd_u16(r);
		break;
	case BIN32:
	case RAW32:
		len = rd_u32(r);
		break;
	default:
		if (first < RAW_FIX || first >= NIL)
			fail(r);
		len = first & 0x1f;
	}
	const uint8_t *p = rd_bytes(r, len);
	return (struct msgpack_raw){ .p = p, .len = p ? len : 0 };
}

/* An integer with its sign; what does not fit into int64_t latches, no field is that wide. */
static int64_t read_any_int(struct rd *r)
{
	uint8_t first = rd_u8(r);
	uint64_t wide;

	if (first < MAP_FIX || first >= INT_FIX_NEGATIVE)
		return (int8_t)first;
	switch (first) {
	case NIL:
		return 0;
	case UINT8:
		return rd_u8(r);
	case UINT16:
		return rd_u16(r);
	case UINT32:
		return rd_u32(r);
	case INT8:
		return (int8_t)rd_u8(r);
	case INT16:
		return (int16_t)rd_u16(r);
	case INT32:
		return (int32_t)rd_u32(r);
	case UINT64:
	case INT64:
		wide = rd_u64(r);
		if (first == UINT64 && wide > INT64_MAX)
			fail(r);
		return (int64_t)wide;
	default:
		fail(r);
		return 0;
	}
}

int64_t msgpack_read_int(struct rd *r, int64_t lo, int64_t hi)
{
	int64_t v = read_any_int(r);

	if (v < lo || v > hi)
		fail(r);
	return r->bad ? 0 : v;
}

bool msgpack_read_bool(struct rd *r)
{
	uint8_t first = rd_u8(r);

	if (first != TRUE_ && first != FALSE_ && first != NIL)
		fail(r);
	return first == TRUE_;
}

/* What follows a first byte: bytes of its own, and values inside it. */
struct layout {
	uint8_t len_bytes;   /* width of the length or count */
	uint8_t extra;	     /* bytes besides the length and what it counts */
	uint8_t per_item;    /* values for each counted item; 0: the length counts bytes */
	uint8_t fixed_items; /* counted in the first byte: the mask of the count, or 0 */
};

static struct layout layout_of(uint8_t first)
{
	if (first < MAP_FIX || first >= INT_FIX_NEGATIVE)
		return (struct layout){ 0 };
	if (first < ARRAY_FIX)
		return (struct layout){ .per_item = 2, .fixed_items = 0x0f };
	if (first < RAW_FIX)
		return (struct layout){ .per_item = 1, .fixed_items = 0x0f };
	if (first < NIL)
		return (struct layout){ .fixed_items = 0x1f };
	if (first >= BIN8 && first <= BIN32)
		return (struct layout){ .len_bytes = (uint8_t)(1 << (first - BIN8)) };
	if (first >= EXT8 && first <= EXT32)
		return (struct layout){ .len_bytes = (uint8_t)(1 << (first - EXT8)), .extra = 1 };
	if (first == FLOAT32 || first == FLOAT64)
		return (struct layout){ .extra = first == FLOAT32 ? 4 : 8 };
	if (first >= UINT8 && first <= INT64)
		return (struct layout){ .extra = (uint8_t)(1 << (first & 3)) };
	if (first >= EXT_FIX1 && first <= EXT_FIX16)
		return (struct layout){ .extra = (uint8_t)((1 << (first - EXT_FIX1)) + 1) };
	if (first >= RAW8 && first <= RAW32)
		return (struct layout){ .len_bytes = (uint8_t)(1 << (first - RAW8)) };
	if (first == ARRAY16 || first == ARRAY32)
		return (struct layout){ .len_bytes = first == ARRAY16 ? 2 : 4, .per_item = 1 };
	if (first == MAP16 || first == MAP32)
		return (struct layout){ .len_bytes = first == MAP16 ? 2 : 4, .per_item = 2 };
	return (struct layout){ 0 };
}

static uint32_t read_count(struct rd *r, uint8_t first, struct layout l)
{
	switch (l.len_bytes) {
	case 1:
		return rd_u8(r);
	case 2:
		return rd_u16(r);
	case 4:
		return rd_u32(r);
	default:
		return first & l.fixed_items;
	}
}

/* Values that open containers still wait for: each has one byte at least. */
static uint64_t awaited(const uint64_t *to_come, int depth)
{
	uint64_t n = 0;

	for (int i = 0; i <= depth; i++)
		n += to_come[i];
	return n;
}

/*
 * Step over one value. Open containers stand on a small stack of "values still to come", so that
 * hostile nesting costs nothing but the limit on depth. Short: @missing is what lacks at least.
 */
static enum msgpack_extent step_over(struct rd *r, uint64_t *missing)
{
	uint64_t to_come[MSGPACK_DEPTH_MAX] = { 1 };
	int depth = 0;

	while (depth >= 0) {
		if (to_come[depth] == 0) {
			depth--;
			continue;
		}
		to_come[depth]--;
		uint8_t first = rd_u8(r);
		struct layout l = layout_of(first);
		uint32_t count = read_count(r, first, l);
		uint64_t body = l.extra + (l.per_item ? 0 : (uint64_t)count);
		if (r->bad || body > r->left) {
			*missing = (r->bad ? 1 : body - r->left) + awaited(to_come, depth);
			return MSGPACK_SHORT;
		}
		rd_skip(r, (size_t)body);
		if (l.per_item && count) {
			if (++depth == MSGPACK_DEPTH_MAX)
				return MSGPACK_BAD;
			to_come[depth] = (uint64_t)count * l.per_item;
		}
	}
	return MSGPACK_WHOLE;
}

void msgpack_skip(struct rd *r)
{
	uint64_t missing;

	if (step_over(r, &missing) != MSGPACK_WHOLE)
		fail(r);
}

enum msgpack_extent msgpack_extent(struct rd r, size_t *len)
{
	size_t before = r.left;
	uint64_t missing = 0;
	enum msgpack_extent extent = step_over(&r, &missing);

	if (extent == MSGPACK_WHOLE)
		*len = before - r.left;
	else if (extent == MSGPACK_SHORT)
		*len = before + (size_t)MIN(missing, SIZE_MAX - before);
	return extent;
}

void msgpack_write_map(struct wr *w, uint8_t pairs)
{
	wr_u8(w, (uint8_t)(MAP_FIX | pairs));
}

void msgpack_write_raw(struct wr *w, const void *p, size_t len)
{
	if (len <= 31) {
		wr_u8(w, (uint8_t)(RAW_FIX | len));
	} else if (len <= UINT16_MAX) {
		wr_u8(w, RAW16);
		wr_u16(w, (uint16_t)len);
	} else {
		wr_u8(w, RAW32);
		wr_u32(w, (uint32_t)len);
	}
	wr_bytes(w, p, len);
}

void msgpack_write_text(struct wr *w, const char *text)
{
	msgpack_write_raw(w, text, strlen(text));
}

void msgpack_write_nil(struct wr *w)
{
	wr_u8(w, NIL);
}

void msgpack_write_bool(struct wr *w, bool v)
{
	wr_u8(w, v ? TRUE_ : FALSE_);
}

void msgpack_write_uint(struct wr *w, uint32_t v)
{
	if (v <= INT8_MAX) {
		wr_u8(w, (uint8_t)v);
	} else if (v <= UINT8_MAX) {
		wr_u8(w, UINT8);
		wr_u8(w, (uint8_t)v);
	} else if (v <= UINT16_MAX) {
		wr_u8(w, UINT16);
		wr_u16(w, (uint16_t)v);
	} else {
		wr_u8(w, UINT32);
		wr_u32(w, v);
	}
}

void msgpack_write_int(struct wr *w, int32_t v)
{
	if (v >= -32 && v <= INT8_MAX) {
		wr_u8(w, (uint8_t)v);
	} else if (v >= INT16_MIN && v <= INT16_MAX) {
		wr_u8(w, INT16);
		wr_u16(w, (uint16_t)v);
	} else {
		wr_u8(w, INT32);
		wr_u32(w, (uint32_t)v);
	}
}
