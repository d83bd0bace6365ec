#include "cluster/pack.h"

#include "cluster/lzw.h"

enum { LZW = 0 };

static bool has_keys(const struct pack_conf *c)
{
	return c->ring && c->ring->n;
}

static bool seals(const struct pack_conf *c)
{
	return has_keys(c) && !c->send_plain;
}

static struct rd label_of(const struct pack_conf *c)
{
	return c->label ? rd_from(c->label, strlen(c->label)) : rd_from("", 0);
}

size_t pack_overhead(const struct pack_conf *c)
{
	struct rd label = label_of(c);
	size_t n = label.left ? label.left + 2 : 0;

	if (seals(c))
		n += CRYPT_OVERHEAD + (c->crypt_version == 0 ? CRYPT_PADDING : 0);
	return n;
}

bool pack_compound_open(struct rd r, struct pack_compound *out)
{
	uint8_t n = rd_u8(&r);
	struct rd lens = rd_sub(&r, (size_t)n * 2);

	if (r.bad)
		return false;
	*out = (struct pack_compound){ .lens = lens, .body = r };
	return true;
}

bool pack_compound_next(struct pack_compound *c, struct rd *message)
{
	if (c->lens.left == 0)
		return false;
	size_t len = rd_u16(&c->lens);
	if (len > c->body.left) {
		c->missing = 1 + (unsigned)(c->lens.left / 2);
		return false;
	}
	*message = rd_sub(&c->body, len);
	return true;
}

void pack_batch_init(struct pack_batch *b, struct wr room, size_t budget)
{
	b->body = room;
	b->n = 0;
	b->left = budget - MIN(budget, 2); /* type and count */
}

bool pack_batch_add(struct pack_batch *b, struct rd message)
{
	size_t needed = message.left + 2;

	if (b->n == PACK_COMPOUND_MAX || needed > b->left ||
	    message.left > b->body.cap - b->body.len)
		return false;
	b->lens[b->n++] = (uint16_t)message.left;
	b->left -= needed;
	wr_bytes(&b->body, message.p, message.left);
	return true;
}

void pack_batch_write(const struct pack_batch *b, struct wr *w)
{
	if (b->n > 1) {
		wr_u8(w, WIRE_COMPOUND);
		wr_u8(w, (uint8_t)b->n);
		for (unsigned i = 0; i < b->n; i++)
			wr_u16(w, b->lens[i]);
	}
	wr_bytes(w, b->body.p, b->body.len);
}

bool pack_crc_check(struct rd *r)
{
	uint32_t crc = rd_u32(r);

	return !r->bad && crc == bytes_crc32(r->p, r->left);
}

void pack_crc_write(struct wr *w, struct rd covered)
{
	wr_u8(w, WIRE_CRC);
	wr_u32(w, bytes_crc32(covered.p, covered.left));
	wr_bytes(w, covered.p, covered.left);
}

void pack_compress(struct wr *w, struct rd plain)
{
	size_t cap = LZW_BOUND(plain.left);
	CLEANUP(mem_freep) uint8_t *room = mem_new_n(uint8_t, cap);
	struct wr packed = wr_to(room, cap);

	lzw_compress(plain, &packed);
	wr_u8(w, WIRE_COMPRESSED);
	wire_compressed_encode(
		w, &(struct wire_compressed){ .algorithm = LZW, .bytes = { room, packed.len } });
	w->bad |= packed.bad;
}

bool pack_decompress(struct rd body, struct wr room, struct rd *out)
{
	struct wire_compressed c;

	if (!wire_compressed_decode(&body, &c) || c.algorithm != LZW)
		return false;
	if (!lzw_decompress(rd_from(c.bytes.p, c.bytes.len), &room))
		return false;
	*out = rd_from(room.p, room.len);
	return true;
}

const char *pack_refusal_text(enum pack_refusal r)
{
	static const char *const texts[PACK_REFUSAL_COUNT] = {
		[PACK_OK] = "fine",
		[PACK_LABEL] = "the label is not this cluster's",
		[PACK_CRYPT] = "no key opens it",
		[PACK_PLAIN] = "not encrypted, but this cluster has a key",
		[PACK_ENCRYPTED] = "encrypted, but this cluster has no key",
		[PACK_MALFORMED] = "malformed",
		[PACK_TOO_LONG] = "too long",
	};

	return texts[r];
}

static void write_label(struct wr *w, struct rd label)
{
	if (label.left == 0)
		return;
	wr_u8(w, WIRE_LABEL);
	wr_u8(w, (uint8_t)label.left);
	wr_bytes(w, label.p, label.left);
}

void pack_packet_seal(const struct pack_conf *c, const uint8_t *nonce, struct rd plain,
		      struct wr *w)
{
	write_label(w, label_of(c));
	if (seals(c))
		crypt_seal(c->ring, c->crypt_version, nonce, plain, label_of(c), w);
	else
		wr_bytes(w, plain.p, plain.left);
}

/* Take the label off. PACK_OK also where there is none to be. */
static enum pack_refusal strip_label(struct rd *r, struct rd want)
{
	bool present = r->left && r->p[0] == WIRE_LABEL;

	if (present != (want.left != 0))
		return PACK_LABEL;
	if (!present)
		return PACK_OK;
	rd_skip(r, 1);
	size_t len = rd_u8(r);
	const uint8_t *label = rd_bytes(r, len);
	return label && len == want.left && memcmp(label, want.p, len) == 0 ? PACK_OK : PACK_LABEL;
}

enum pack_refusal pack_packet_open(const struct pack_conf *c, struct rd packet, uint8_t *room,
				   struct rd *out)
{
	enum pack_refusal r = strip_label(&packet, label_of(c));

	if (r != PACK_OK)
		return r;
	if (has_keys(c) && crypt_open(c->ring, packet, label_of(c), room, out))
		return PACK_OK;
	if (has_keys(c) && !c->accept_plain)
		return PACK_CRYPT;
	*out = packet;
	return PACK_OK;
}
