#include "bgp/writer.h"

#include <string.h>

#include "bgp/update.h"

enum { CAP_MIN = 4 * BGP_MSG_MAX };

struct bgp_batch *bgp_batch_ref(struct bgp_batch *b)
{
	b->refs++;
	return b;
}

void bgp_batch_unref(struct bgp_batch *b)
{
	if (b && --b->refs == 0)
		free(b);
}

static size_t message_max(const struct bgp_writer *w)
{
	return w->format->extended_message ? BGP_MSG_EXTENDED_MAX : BGP_MSG_MAX;
}

/* Room for one more message of the largest size. */
static void reserve(struct bgp_writer *w)
{
	size_t len = w->batch ? w->batch->len : 0;

	if (w->batch && w->cap - len >= message_max(w))
		return;
	w->cap = MAX(w->cap * 2, MAX((size_t)CAP_MIN, message_max(w)));
	w->batch = mem_resize(w->batch, 1, sizeof(*w->batch) + w->cap);
	if (len == 0)
		*w->batch = (struct bgp_batch){ .refs = 1 };
}

static void begin(struct bgp_writer *w)
{
	reserve(w);
	w->msg = wr_to(w->batch->bytes + w->batch->len, message_max(w));
	(void)bgp_frame_begin(&w->msg, BGP_UPDATE);
}

static void end(struct bgp_writer *w)
{
	bgp_frame_end(&w->msg, 0);
	w->batch->len += w->msg.len;
	w->batch->messages++;
}

static uint16_t afi_of(enum family family)
{
	return family == FAMILY_V4 ? BGP_AFI_V4 : BGP_AFI_V6;
}

static size_t begin_multiprotocol(struct wr *w, uint8_t code, enum family family)
{
	wr_u8(w, BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED);
	wr_u8(w, code);
	size_t mark = wr_mark16(w);
	wr_u16(w, afi_of(family));
	wr_u8(w, BGP_SAFI_UNICAST);
	return mark;
}

static void open_reach_v4(struct bgp_writer *w, const struct bgp_attr *attr)
{
	wr_u16(&w->msg, 0);
	w->attrs_mark = wr_mark16(&w->msg);
	bgp_attr_encode_v4(&w->msg, attr, w->format);
	wr_fill16(&w->msg, w->attrs_mark);
	w->limit = w->msg.cap;
}

/* MP_REACH_NLRI stands in front and grows; what follows it is kept aside until then. */
static void open_reach_mp(struct bgp_writer *w, enum family family, const struct bgp_attr *attr)
{
	struct wr tail = wr_to(w->tail, sizeof(w->tail));

	bgp_attr_encode_mp(&tail, attr, w->format);
	w->tail_len = tail.len;
	wr_u16(&w->msg, 0);
	w->attrs_mark = wr_mark16(&w->msg);
	w->field_mark = begin_multiprotocol(&w->msg, BGP_ATTR_MP_REACH, family);
	bgp_attr_encode_mp_hop(&w->msg, attr, w->format, family);
	wr_u8(&w->msg, 0);
	w->limit = w->msg.cap - tail.len;
}

static void open_unreach(struct bgp_writer *w, enum family family)
{
	w->mp = family == FAMILY_V6;
	if (!w->mp) {
		w->field_mark = wr_mark16(&w->msg);
		w->limit = w->msg.cap - 2;
		return;
	}
	wr_u16(&w->msg, 0);
	w->attrs_mark = wr_mark16(&w->msg);
	w->field_mark = begin_multiprotocol(&w->msg, BGP_ATTR_MP_UNREACH, family);
	w->limit = w->msg.cap;
}

static void close_open(struct bgp_writer *w)
{
	bool reach = w->open == BGP_WRITER_REACH;

	if (w->open == BGP_WRITER_IDLE)
		return;
	if (w->mp) {
		wr_fill16(&w->msg, w->field_mark);
		wr_bytes(&w->msg, w->tail, reach ? w->tail_len : 0);
		wr_fill16(&w->msg, w->attrs_mark);
	} else if (!reach) {
		wr_fill16(&w->msg, w->field_mark);
		wr_u16(&w->msg, 0);
	}
	end(w);
	w->open = BGP_WRITER_IDLE;
}

static size_t prefix_bytes(uint8_t len)
{
	return (len + 7U) / 8;
}

static bool fits(const struct bgp_writer *w, uint8_t len)
{
	return w->msg.len + 1 + prefix_bytes(len) <= w->limit;
}

static void put(struct bgp_writer *w, uint8_t len, const uint8_t *bytes)
{
	wr_u8(&w->msg, len);
	wr_bytes(&w->msg, bytes, prefix_bytes(len));
}

void bgp_writer_reach(struct bgp_writer *w, enum family family, const struct bgp_attr *attr,
		      uint8_t len, const uint8_t *bytes)
{
	if (w->open != BGP_WRITER_REACH || w->attr != attr || w->family != family ||
	    !fits(w, len)) {
		close_open(w);
		begin(w);
		w->mp = bgp_attr_is_mp(attr, w->format, (uint8_t)family);
		if (w->mp)
			open_reach_mp(w, family, attr);
		else
			open_reach_v4(w, attr);
		w->open = BGP_WRITER_REACH;
		w->attr = attr;
		w->family = family;
	}
	put(w, len, bytes);
}

void bgp_writer_unreach(struct bgp_writer *w, enum family family, uint8_t len, const uint8_t *bytes)
{
	if (w->open != BGP_WRITER_UNREACH || w->family != family || !fits(w, len)) {
		close_open(w);
		begin(w);
		open_unreach(w, family);
		w->open = BGP_WRITER_UNREACH;
		w->family = family;
	}
	put(w, len, bytes);
}

void bgp_writer_refresh(struct bgp_writer *w, enum family family, uint8_t type)
{
	const struct bgp_refresh r = { afi_of(family), type, BGP_SAFI_UNICAST };

	close_open(w);
	reserve(w);
	w->msg = wr_to(w->batch->bytes + w->batch->len, message_max(w));
	bgp_refresh_encode(&w->msg, &r);
	w->batch->len += w->msg.len;
	w->batch->refreshes++;
}

void bgp_writer_mark(struct bgp_writer *w, enum family family)
{
	close_open(w);
	begin(w);
	if (family == FAMILY_V4) {
		wr_u32(&w->msg, 0);
		end(w);
		return;
	}
	open_unreach(w, family);
	wr_fill16(&w->msg, w->field_mark);
	wr_fill16(&w->msg, w->attrs_mark);
	end(w);
}

struct bgp_batch *bgp_writer_finish(struct bgp_writer *w)
{
	struct bgp_batch *b = NULL;

	close_open(w);
	if (w->batch)
		b = mem_resize(w->batch, 1, sizeof(*b) + w->batch->len);
	w->batch = NULL;
	w->cap = 0;
	return b;
}
