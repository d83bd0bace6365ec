#include "cluster/mesh_frame.h"

#define AAD_LEN (2 * MESH_RANDOM_LEN + 1 + 8)

static const uint8_t magic[4] = { 'C', 'R', 'M', '1' };

/* --- bodies --- */

static void name_encode(const struct mesh_frame *f, struct wr *w)
{
	if (f->name_len > MESH_NAME_MAX)
		w->bad = true;
	wr_u8(w, (uint8_t)f->name_len);
	wr_bytes(w, f->name, f->name_len);
}

static void name_decode(struct rd *r, struct mesh_frame *f)
{
	f->name_len = rd_u8(r);
	f->name = (const char *)rd_bytes(r, f->name_len);
	if (f->name_len == 0)
		r->bad = true;
}

void mesh_body_encode(const struct mesh_frame *f, struct wr *w)
{
	wr_u8(w, (uint8_t)f->type);
	switch (f->type) {
	case MESH_HELLO:
		name_encode(f, w);
		break;
	case MESH_HEARD:
		wr_u32(w, f->query);
		name_encode(f, w);
		break;
	case MESH_ANSWER:
		wr_u32(w, f->query);
		wr_u8(w, f->yes);
		break;
	case MESH_AWAY:
		wr_u8(w, f->yes);
		break;
	case MESH_TAKEN:
		break;
	case MESH_NEWS:
		wr_bytes(w, f->text.p, f->text.left);
		break;
	}
}

bool mesh_body_decode(struct rd body, struct mesh_frame *out)
{
	struct mesh_frame f = { .type = rd_u8(&body) };

	switch (f.type) {
	case MESH_HELLO:
		name_decode(&body, &f);
		break;
	case MESH_HEARD:
		f.query = rd_u32(&body);
		name_decode(&body, &f);
		break;
	case MESH_ANSWER:
		f.query = rd_u32(&body);
		f.yes = rd_u8(&body);
		break;
	case MESH_AWAY:
		f.yes = rd_u8(&body);
		break;
	case MESH_TAKEN:
		break;
	case MESH_NEWS:
		f.text = body;
		break;
	default:
		return false;
	}
	if (body.bad)
		return false;
	*out = f;
	return true;
}

/* --- sealing --- */

/* Who dialled stands first, on both sides. */
static void aad_write(const struct mesh_stream *s, bool ours, uint64_t number, struct wr *w)
{
	wr_bytes(w, s->dialled ? s->ours : s->theirs, MESH_RANDOM_LEN);
	wr_bytes(w, s->dialled ? s->theirs : s->ours, MESH_RANDOM_LEN);
	wr_u8(w, s->dialled == ours);
	wr_u64(w, number);
}

static bool body_open(struct mesh_stream *s, struct rd blob, struct rd *out)
{
	uint8_t bytes[AAD_LEN];
	struct wr aad = wr_to(bytes, sizeof(bytes));

	if (s->ring.n == 0) {
		*out = blob;
		return true;
	}
	aad_write(s, false, s->received, &aad);
	return crypt_open(&s->ring, blob, rd_from(bytes, aad.len), s->room, out);
}

static void body_seal(struct mesh_stream *s, struct rd body, const uint8_t *nonce, struct wr *w)
{
	uint8_t bytes[AAD_LEN];
	struct wr aad = wr_to(bytes, sizeof(bytes));

	if (s->ring.n == 0) {
		wr_bytes(w, body.p, body.left);
		return;
	}
	aad_write(s, true, s->sent, &aad);
	crypt_seal(&s->ring, 1, nonce, body, rd_from(bytes, aad.len), w);
}

/* --- the stream --- */

void mesh_stream_open(struct mesh_stream *s, const struct crypt_ring *ring, bool dialled,
		      const uint8_t *random, struct wr *w)
{
	*s = (struct mesh_stream){ .ring = *ring, .dialled = dialled };
	memcpy(s->ours, random, sizeof(s->ours));
	wr_bytes(w, magic, sizeof(magic));
	wr_u8(w, ring->n > 0);
	wr_fill(w, 0, 3);
	wr_bytes(w, s->ours, sizeof(s->ours));
}

/* A frame and what came of the next one fit: what was consumed makes room. */
uint8_t *mesh_stream_room(struct mesh_stream *s, size_t *cap)
{
	if (s->in_taken) {
		memmove(s->in, s->in + s->in_taken, s->in_len - s->in_taken);
		s->in_len -= s->in_taken;
		s->in_taken = 0;
	}
	*cap = sizeof(s->in) - s->in_len;
	return s->in + s->in_len;
}

void mesh_stream_input(struct mesh_stream *s, size_t n)
{
	s->in_len += n;
}

static enum mesh_next greet(struct mesh_stream *s, struct rd in)
{
	if (in.left < MESH_PREAMBLE_LEN)
		return MESH_NEXT_MORE;
	const uint8_t *m = rd_bytes(&in, sizeof(magic));

	if (memcmp(m, magic, sizeof(magic)) != 0 || rd_u8(&in) != (s->ring.n > 0))
		return MESH_NEXT_BROKEN;
	rd_skip(&in, 3);
	rd_copy(&in, s->theirs, sizeof(s->theirs));
	s->greeted = true;
	s->in_taken += MESH_PREAMBLE_LEN;
	return MESH_NEXT_FRAME;
}

/* What only a later version knows is passed over. */
static enum mesh_next take_frame(struct mesh_stream *s, struct mesh_frame *out)
{
	for (;;) {
		struct rd in = rd_from(s->in + s->in_taken, s->in_len - s->in_taken), body;

		if (in.left < 2)
			return MESH_NEXT_MORE;
		size_t len = rd_u16(&in);

		if (len == 0 || len > MESH_FRAME_MAX - 2)
			return MESH_NEXT_BROKEN;
		if (in.left < len)
			return MESH_NEXT_MORE;
		if (!body_open(s, rd_sub(&in, len), &body) || body.left > MESH_BODY_MAX)
			return MESH_NEXT_BROKEN;
		s->received++;
		s->in_taken += 2 + len;
		if (mesh_body_decode(body, out))
			return MESH_NEXT_FRAME;
	}
}

enum mesh_next mesh_stream_next(struct mesh_stream *s, struct mesh_frame *out)
{
	if (!s->greeted) {
		enum mesh_next n = greet(s, rd_from(s->in + s->in_taken, s->in_len - s->in_taken));

		if (n != MESH_NEXT_FRAME)
			return n;
	}
	return take_frame(s, out);
}

void mesh_stream_write(struct mesh_stream *s, const struct mesh_frame *f, const uint8_t *nonce,
		       struct wr *w)
{
	uint8_t bytes[MESH_BODY_MAX];
	struct wr body = wr_to(bytes, sizeof(bytes));
	size_t at = wr_mark16(w);

	mesh_body_encode(f, &body);
	if (body.bad)
		w->bad = true;
	else
		body_seal(s, rd_from(bytes, body.len), nonce, w);
	wr_fill16(w, at);
	s->sent += !w->bad; /* it is the number of those that were sent */
}
