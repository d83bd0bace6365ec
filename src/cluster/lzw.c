#include "cluster/lzw.h"

enum {
	CLEAR = 256,
	END = 257,
	WIDTH_MIN = 9,
	WIDTH_MAX = 12,
	CODES = 1 << WIDTH_MAX,
	SLOTS_MIN = 256,
	NONE = 0xffff,
};

/*
 * The reader of the other side counts one code more than we do, so the last number is never given
 * out.
 */
#define HI_LIMIT (CODES - 1)

/* Open addressing: key (prefix << 8 | byte) + 1, 0 for empty; the code beside it. */
struct slot {
	uint32_t key;
	uint16_t code;
};

struct packer {
	struct wr *w;
	uint32_t bits;
	unsigned n_bits;
	unsigned width;
	unsigned hi;	/* the last code defined */
	size_t n_slots; /* a power of two */
	struct slot slots[];
};

static void pack(struct packer *p, unsigned code)
{
	p->bits |= code << p->n_bits;
	p->n_bits += p->width;
	while (p->n_bits >= 8) {
		wr_u8(p->w, (uint8_t)p->bits);
		p->bits >>= 8;
		p->n_bits -= 8;
	}
}

static size_t slot_of(const struct packer *p, uint32_t key)
{
	size_t mask = p->n_slots - 1;
	size_t at = (key * 2654435761u >> 16) & mask;

	while (p->slots[at].key && p->slots[at].key != key + 1)
		at = (at + 1) & mask;
	return at;
}

/* Count the code just packed. False when the dictionary was full and starts anew. */
static bool define_next(struct packer *p)
{
	p->hi++;
	if (p->hi == 1u << p->width)
		p->width++;
	if (p->hi < HI_LIMIT)
		return true;
	pack(p, CLEAR);
	p->width = WIDTH_MIN;
	p->hi = END;
	memset(p->slots, 0, p->n_slots * sizeof(p->slots[0]));
	return false;
}

static void pack_string(struct packer *p, struct rd in)
{
	unsigned string = rd_u8(&in);

	while (in.left) {
		uint8_t byte = rd_u8(&in);
		uint32_t key = (uint32_t)string << 8 | byte;
		struct slot *at = &p->slots[slot_of(p, key)];

		if (at->key) {
			string = at->code;
			continue;
		}
		pack(p, string);
		string = byte;
		if (define_next(p)) {
			at->key = key + 1;
			at->code = (uint16_t)p->hi;
		}
	}
	pack(p, string);
	define_next(p);
}

/* Each byte defines one code at most: no more than half of the slots are taken. */
static size_t slots_for(size_t bytes)
{
	size_t n = SLOTS_MIN;

	while (n < 2 * MIN(bytes, (size_t)CODES))
		n *= 2;
	return n;
}

void lzw_compress(struct rd in, struct wr *w)
{
	size_t n_slots = slots_for(in.left);
	CLEANUP(mem_freep)
	struct packer *p = mem_zero(1, sizeof(*p) + n_slots * sizeof(p->slots[0]));

	p->w = w;
	p->width = WIDTH_MIN;
	p->hi = END;
	p->n_slots = n_slots;
	pack(p, CLEAR);
	if (in.left)
		pack_string(p, in);
	pack(p, END);
	if (p->n_bits)
		wr_u8(w, (uint8_t)p->bits);
}

struct unpacker {
	struct rd in;
	uint32_t bits;
	unsigned n_bits;
	unsigned width;
	unsigned hi;   /* the code that the next one defines */
	unsigned last; /* the code before, or NONE after a clear */
	uint16_t prefix[CODES];
	uint8_t suffix[CODES];
	uint8_t string[CODES]; /* the bytes of one code, filled from its end */
};

static unsigned next_code(struct unpacker *u)
{
	while (u->n_bits < u->width) {
		u->bits |= (uint32_t)rd_u8(&u->in) << u->n_bits;
		u->n_bits += 8;
	}
	unsigned code = u->bits & ((1u << u->width) - 1);
	u->bits >>= u->width;
	u->n_bits -= u->width;
	return u->in.bad ? END : code;
}

static void restart(struct unpacker *u)
{
	u->width = WIDTH_MIN;
	u->hi = END;
	u->last = NONE;
}

/* Spell a code out at the end of u->string; returns where it starts. */
static size_t spell(struct unpacker *u, unsigned code, size_t at)
{
	while (code > END) {
		u->string[--at] = u->suffix[code];
		code = u->prefix[code];
	}
	u->string[--at] = (uint8_t)code;
	return at;
}

/* One data code. False when it is not defined. */
static bool take_code(struct unpacker *u, unsigned code, struct wr *w)
{
	size_t end = sizeof(u->string);
	size_t at;

	if (code > u->hi)
		return false;
	if (code == u->hi &&
	    u->last != NONE) { /* being defined right now: the one before plus its own first byte */
		at = spell(u, u->last, end - 1);
		u->string[end - 1] = u->string[at];
	} else {
		at = spell(u, code, end);
	}
	wr_bytes(w, u->string + at, end - at);
	if (u->last != NONE) {
		u->suffix[u->hi] = u->string[at];
		u->prefix[u->hi] = (uint16_t)u->last;
	}
	u->last = code;
	u->hi++;
	if (u->hi >= 1u << u->width) {
		if (u->width < WIDTH_MAX) {
			u->width++;
		} else { /* full: nothing more is defined */
			u->last = NONE;
			u->hi--;
		}
	}
	return true;
}

bool lzw_decompress(struct rd in, struct wr *w)
{
	CLEANUP(mem_freep) struct unpacker *u = mem_new(struct unpacker);

	u->in = in;
	restart(u);
	for (;;) {
		unsigned code = next_code(u);

		if (code == END)
			return !u->in.bad && !w->bad;
		if (code == CLEAR)
			restart(u);
		else if (!take_code(u, code, w) || w->bad)
			return false;
	}
}
