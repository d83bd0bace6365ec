#include <limits.h>

#include "cluster/pack.h"

#define FRAME_HEAD 5 /* type and length of an encrypted stream */

/* One node of a push/pull: far more than name, metadata and whatever a later version may add. */
#define VALUE_MAX (64 << 10)

static struct rd label_of(const struct pack_conf *c)
{
	return c->label ? rd_from(c->label, strlen(c->label)) : rd_from("", 0);
}

/* What the cipher vouches for besides the text: the frame's head and the label. */
static struct rd frame_aad(const struct pack_conf *c, const uint8_t *head,
			   uint8_t room[static FRAME_HEAD + PACK_LABEL_MAX])
{
	struct rd label = label_of(c);

	memcpy(room, head, FRAME_HEAD);
	memcpy(room + FRAME_HEAD, label.p, label.left);
	return rd_from(room, FRAME_HEAD + label.left);
}

static void seal_frame(const struct pack_conf *c, const uint8_t *nonce, struct rd message,
		       struct wr *w)
{
	size_t pad = c->crypt_version == 0 ? CRYPT_PADDING - message.left % CRYPT_PADDING : 0;
	uint8_t aad[FRAME_HEAD + PACK_LABEL_MAX];
	size_t at = w->len;

	wr_u8(w, WIRE_ENCRYPTED);
	wr_u32(w, (uint32_t)(CRYPT_OVERHEAD + message.left + pad));
	if (!w->bad)
		crypt_seal(c->ring, c->crypt_version, nonce, message, frame_aad(c, w->p + at, aad),
			   w);
}

void pack_stream_seal(const struct pack_conf *c, enum pack_side side, const uint8_t *nonce,
		      struct rd message, struct buf *out)
{
	/* LZW at its worst, twelve bits for a byte, twice: once in the map and once sealed. */
	size_t cap = 2 * message.left + 1024;
	CLEANUP(mem_freep) uint8_t *packed = mem_new_n(uint8_t, cap);
	CLEANUP(mem_freep) uint8_t *sealed = mem_new_n(uint8_t, cap + 1024);
	struct wr p = wr_to(packed, cap);
	struct wr s = wr_to(sealed, cap + 1024);
	struct rd label = label_of(c);

	if (c->compress) {
		pack_compress(&p, message);
		message = rd_from(p.p, p.len);
	}
	if (side == PACK_DIALLER && label.left) {
		wr_u8(&s, WIRE_LABEL);
		wr_u8(&s, (uint8_t)label.left);
		wr_bytes(&s, label.p, label.left);
	}
	if (c->ring && c->ring->n && !c->send_plain)
		seal_frame(c, nonce, message, &s);
	else
		wr_bytes(&s, message.p, message.left);
	if (!s.bad && !p.bad)
		buf_append(out, s.p, s.len);
}

void pack_stream_init(struct pack_stream *s, const struct pack_conf *c, enum pack_side side)
{
	*s = (struct pack_stream){ .conf = c, .side = side };
}

void pack_stream_fini(struct pack_stream *s)
{
	buf_fini(&s->in);
	free(s->plain);
	free(s->inflated);
	s->plain = NULL;
	s->inflated = NULL;
}

static enum pack_progress refuse(enum pack_refusal *why, enum pack_refusal r)
{
	*why = r;
	return PACK_REFUSED;
}

/* The label of a dialler; each of its bytes may come alone. */
static enum pack_progress skip_label(const struct pack_stream *s, struct rd *r,
				     enum pack_refusal *why)
{
	struct rd want = s->side == PACK_ACCEPTOR ? label_of(s->conf) : rd_from("", 0);

	if ((r->p[0] == WIRE_LABEL) != (want.left != 0))
		return refuse(why, PACK_LABEL);
	if (want.left == 0)
		return PACK_WHOLE;
	if (r->left >= 2 && r->p[1] != want.left)
		return refuse(why, PACK_LABEL);
	if (r->left < 2 + want.left)
		return PACK_MORE;
	rd_skip(r, 2);
	if (memcmp(rd_bytes(r, want.left), want.p, want.left) != 0)
		return refuse(why, PACK_LABEL);
	return r->left ? PACK_WHOLE : PACK_MORE;
}

static enum pack_progress open_frame(struct pack_stream *s, struct rd r, struct rd *message,
				     enum pack_refusal *why)
{
	uint8_t aad[FRAME_HEAD + PACK_LABEL_MAX];
	const struct pack_conf *c = s->conf;

	if (!c->ring || c->ring->n == 0)
		return refuse(why, PACK_ENCRYPTED);
	if (r.left < FRAME_HEAD)
		return PACK_MORE;
	const uint8_t *head = rd_bytes(&r, 1);
	size_t len = rd_u32(&r);
	if (len > PACK_STREAM_MAX)
		return refuse(why, PACK_TOO_LONG);
	if (r.left < len)
		return PACK_MORE;
	s->plain = mem_try(len ? len : 1, 1);
	if (!s->plain)
		return refuse(why, PACK_TOO_LONG);
	if (!crypt_open(c->ring, rd_sub(&r, len), frame_aad(c, head, aad), s->plain, message))
		return refuse(why, PACK_CRYPT);
	return PACK_WHOLE;
}

static enum pack_progress inflate_message(struct pack_stream *s, struct rd *message,
					  enum pack_refusal *why)
{
	struct rd body = rd_from(message->p + 1, message->left - 1);

	s->inflated = mem_try(PACK_STREAM_MAX, 1); /* pages that stay untouched cost nothing */
	if (!s->inflated)
		return refuse(why, PACK_TOO_LONG);
	if (!pack_decompress(body, wr_to(s->inflated, PACK_STREAM_MAX), message))
		return refuse(why, PACK_MALFORMED);
	return PACK_WHOLE;
}

/* Read how much follows the first map of a message. */
static bool read_head(struct pack_stream *s, uint8_t type, struct rd r)
{
	struct wire_sync sync;
	struct wire_user user;

	s->head_seen = true;
	if (type == WIRE_SYNC) {
		if (!wire_sync_decode(&r, &sync))
			return false;
		s->values = (uint32_t)sync.nodes;
		s->tail = (uint32_t)sync.user_len;
	} else if (type == WIRE_USER) {
		if (!wire_user_decode(&r, &user))
			return false;
		s->tail = (uint32_t)user.len;
	}
	return s->tail <= PACK_STREAM_MAX && s->values <= PACK_STREAM_MAX;
}

/*
 * Neither encrypted nor compressed: the end shows only by reading on. What was seen whole is not
 * seen again, and what is cut not before all is there that it needs at least: who feeds us small
 * values by the million would keep us looking at them.
 */
static enum pack_progress scan_plain(struct pack_stream *s, struct rd r, enum pack_refusal *why)
{
	uint8_t type = rd_u8(&r);
	size_t most = type == WIRE_COMPRESSED ? PACK_STREAM_MAX : VALUE_MAX;

	rd_skip(&r, s->scanned);
	while (!s->head_seen || s->values) {
		size_t len = 0;
		enum msgpack_extent extent =
			r.left < s->wanted ? MSGPACK_SHORT : msgpack_extent(r, &len);

		if (extent == MSGPACK_BAD || (extent == MSGPACK_SHORT && len > most))
			return refuse(why, PACK_MALFORMED);
		if (extent == MSGPACK_SHORT) {
			s->wanted = MAX(s->wanted, len);
			return PACK_MORE;
		}
		struct rd value = rd_sub(&r, len);
		s->scanned += len;
		s->wanted = 0;
		if (s->head_seen)
			s->values--;
		else if (!read_head(s, type, value))
			return refuse(why, PACK_MALFORMED);
	}
	return r.left < s->tail ? PACK_MORE : PACK_WHOLE;
}

static bool is_known(uint8_t type)
{
	return type == WIRE_PING || type == WIRE_ACK || type == WIRE_SYNC || type == WIRE_USER ||
	       type == WIRE_ERROR || type == WIRE_COMPRESSED;
}

static enum pack_progress advance(struct pack_stream *s, struct rd *message, enum pack_refusal *why)
{
	struct rd r = rd_from(s->in.p, s->in.len);
	enum pack_progress p = skip_label(s, &r, why);

	if (p != PACK_WHOLE)
		return p;
	*message = r;
	if (r.p[0] == WIRE_ENCRYPTED)
		p = open_frame(s, r, message, why);
	else if (!is_known(r.p[0]))
		return refuse(why, PACK_MALFORMED);
	else if (s->conf->ring && s->conf->ring->n && !s->conf->accept_plain)
		return refuse(why, PACK_PLAIN);
	else
		p = scan_plain(s, r, why);
	if (p == PACK_WHOLE && message->left && message->p[0] == WIRE_COMPRESSED)
		p = inflate_message(s, message, why);
	return p;
}

enum pack_progress pack_stream_feed(struct pack_stream *s, const void *p, size_t n,
				    struct rd *message, enum pack_refusal *why)
{
	if (s->in.len + n > PACK_STREAM_MAX)
		return refuse(why, PACK_TOO_LONG);
	buf_append(&s->in, p, n);
	return s->in.len ? advance(s, message, why) : PACK_MORE;
}
