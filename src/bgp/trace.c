#include "bgp/trace.h"

#include <string.h>

#include "bgp/msg.h"

/* Entries stand in order and in one piece. They move to the front of their memory when its end is reached, which the slack
 * makes seldom. */
struct head {
	struct mono first, last;
	uint32_t count;
	uint16_t len;
	uint16_t kept;
	bool sent;
};

enum {
	CAP_MIN = 512,
	HEADS_MAX = 32,
	LEN_MAX = BGP_TRACE_BYTES + HEADS_MAX * sizeof(struct head),
	CAP_MAX = LEN_MAX + 1024,
};

void bgp_trace_fini(struct bgp_trace *t)
{
	free(t->ring);
	*t = (struct bgp_trace){ 0 };
}

static struct head head_at(const struct bgp_trace *t, size_t at)
{
	struct head h;

	memcpy(&h, t->ring + at, sizeof(h));
	return h;
}

static size_t entry_size(const struct head *h)
{
	return sizeof(*h) + h->kept;
}

static void drop_oldest(struct bgp_trace *t)
{
	const struct head h = head_at(t, t->at);
	uint32_t size = (uint32_t)entry_size(&h);

	for (int i = 0; i < 2; i++)
		if (t->keepalive[i] == t->at + 1)
			t->keepalive[i] = 0;
	t->at += size;
	t->len -= size;
}

static void move_to_front(struct bgp_trace *t)
{
	if (t->at == 0)
		return;
	memmove(t->ring, t->ring + t->at, t->len);
	for (int i = 0; i < 2; i++)
		t->keepalive[i] -= MIN(t->keepalive[i], t->at);
	t->at = 0;
}

static void make_room(struct bgp_trace *t, size_t size)
{
	while (t->len + size > LEN_MAX)
		drop_oldest(t);
	if (t->at + t->len + size > t->cap)
		move_to_front(t);
	if (t->len + size <= t->cap)
		return;
	while (t->cap < t->len + size)
		t->cap = MIN(MAX(t->cap * 2, (uint32_t)CAP_MIN), (uint32_t)CAP_MAX);
	t->ring = mem_resize(t->ring, t->cap, 1);
}

static bool is_keepalive(const uint8_t *bytes, size_t len)
{
	return len == BGP_HEADER_LEN && bytes[18] == BGP_KEEPALIVE;
}

/*
 * Two idle speakers say KEEPALIVE in turns. It counts for the last entry of its direction when that is one too, and
 * nothing else was said since.
 */
static bool count_keepalive(struct bgp_trace *t, bool sent, struct mono now)
{
	if (!t->keepalive[sent])
		return false;
	size_t same = t->keepalive[sent] - 1;
	struct head h = head_at(t, same);
	h.last = now;
	h.count++;
	memcpy(t->ring + same, &h, sizeof(h));
	return true;
}

void bgp_trace_put(struct bgp_trace *t, bool sent, const uint8_t *bytes, size_t len,
		   struct mono now)
{
	const struct head h = {
		.first = now,
		.last = now,
		.count = 1,
		.len = (uint16_t)MIN(len, (size_t)UINT16_MAX),
		.kept = (uint16_t)MIN(len, (size_t)BGP_TRACE_CUT),
		.sent = sent,
	};
	bool keepalive = is_keepalive(bytes, len);

	if (keepalive && count_keepalive(t, sent, now))
		return;
	make_room(t, entry_size(&h));
	if (keepalive)
		t->keepalive[sent] = t->at + t->len + 1;
	else
		memset(t->keepalive, 0, sizeof(t->keepalive));
	uint8_t *end = t->ring + t->at + t->len;
	memcpy(end, &h, sizeof(h));
	memcpy(end + sizeof(h), bytes, h.kept);
	t->len += (uint32_t)entry_size(&h);
}

void bgp_trace_put_all(struct bgp_trace *t, bool sent, const uint8_t *bytes, size_t len,
		       size_t n_messages, struct mono now)
{
	size_t skip = n_messages > HEADS_MAX ? n_messages - HEADS_MAX : 0;

	for (size_t at = 0; at + BGP_HEADER_LEN <= len;) {
		struct rd length = rd_from(bytes + at + 16, 2);
		size_t size = rd_u16(&length);

		if (skip > 0)
			skip--;
		else
			bgp_trace_put(t, sent, bytes + at, size, now);
		at += size;
	}
}

bool bgp_trace_next(const struct bgp_trace *t, size_t *at, struct bgp_trace_entry *out)
{
	if (*at >= t->len)
		return false;
	const struct head h = head_at(t, t->at + *at);
	*out = (struct bgp_trace_entry){
		.first = h.first,
		.last = h.last,
		.count = h.count,
		.sent = h.sent,
		.len = h.len,
		.wire = rd_from(t->ring + t->at + *at + sizeof(h), h.kept),
	};
	*at += entry_size(&h);
	return true;
}
