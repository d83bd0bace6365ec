#include "bgp/msg.h"

#include "bgp/notify.h"

/* RFC 4271 §6.1, RFC 2918 and RFC 8654: the lengths that a type allows, header included. */
static const struct {
	const char *name;
	uint16_t min;
	uint16_t max;
} types[BGP_TYPE_COUNT] = {
	[0] = { "unknown", 0, 0 },
	[BGP_OPEN] = { "OPEN", 29, BGP_MSG_MAX },
	[BGP_UPDATE] = { "UPDATE", 23, BGP_MSG_EXTENDED_MAX },
	[BGP_NOTIFICATION] = { "NOTIFICATION", 21, BGP_MSG_EXTENDED_MAX },
	[BGP_KEEPALIVE] = { "KEEPALIVE", BGP_HEADER_LEN, BGP_HEADER_LEN },
	[BGP_REFRESH] = { "ROUTE-REFRESH", 23, BGP_MSG_EXTENDED_MAX },
};

const char *bgp_type_name(enum bgp_type type)
{
	return types[type < BGP_TYPE_COUNT ? type : 0].name;
}

uint8_t bgp_afi_bit(uint16_t afi, uint8_t safi)
{
	if (safi != BGP_SAFI_UNICAST)
		return 0;
	return afi == BGP_AFI_V4 ? BGP_V4 : afi == BGP_AFI_V6 ? BGP_V6 : 0;
}

int bgp_fault_set(struct bgp_fault *f, uint8_t code, uint8_t subcode, const void *data, size_t len)
{
	*f = (struct bgp_fault){ .code = code, .subcode = subcode };
	f->len = (uint16_t)MIN(len, sizeof(f->data));
	if (f->len)
		memcpy(f->data, data, f->len);
	return BGP_REFUSED;
}

static bool marker_is_good(const uint8_t *marker)
{
	for (int i = 0; i < 16; i++)
		if (marker[i] != 0xff)
			return false;
	return true;
}

int bgp_frame_decode(struct rd bytes, size_t max, struct bgp_frame *out, struct bgp_fault *fault)
{
	struct rd r = bytes;
	const uint8_t *marker = rd_bytes(&r, 16);
	struct rd at_length = r;
	uint16_t len = rd_u16(&r);
	uint8_t type = rd_u8(&r);

	if (r.bad)
		return BGP_NEED_MORE;
	if (!marker_is_good(marker))
		return bgp_fault_set(fault, BGP_ERR_HEADER, BGP_HEADER_NOT_SYNCHRONIZED, NULL, 0);
	if (len < BGP_HEADER_LEN || len > max)
		return bgp_fault_set(fault, BGP_ERR_HEADER, BGP_HEADER_LENGTH, at_length.p, 2);
	if (type == 0 || type >= BGP_TYPE_COUNT)
		return bgp_fault_set(fault, BGP_ERR_HEADER, BGP_HEADER_TYPE, &type, 1);
	if (len < types[type].min || len > types[type].max)
		return bgp_fault_set(fault, BGP_ERR_HEADER, BGP_HEADER_LENGTH, at_length.p, 2);

	struct rd body = rd_sub(&r, len - BGP_HEADER_LEN);
	if (body.bad)
		return BGP_NEED_MORE;
	*out = (struct bgp_frame){ .type = type, .len = len, .body = body };
	return 0;
}

size_t bgp_frame_begin(struct wr *w, enum bgp_type type)
{
	size_t mark = w->len;

	wr_fill(w, 0xff, 16);
	wr_u16(w, 0);
	wr_u8(w, (uint8_t)type);
	return mark;
}

void bgp_frame_end(struct wr *w, size_t mark)
{
	if (w->bad)
		return;
	size_t len = w->len - mark;
	w->p[mark + 16] = (uint8_t)(len >> 8);
	w->p[mark + 17] = (uint8_t)len;
}

void bgp_keepalive_encode(struct wr *w)
{
	bgp_frame_end(w, bgp_frame_begin(w, BGP_KEEPALIVE));
}

void bgp_refresh_decode(struct rd body, struct bgp_refresh *out)
{
	out->afi = rd_u16(&body);
	out->subtype = rd_u8(&body);
	out->safi = rd_u8(&body);
}

void bgp_refresh_encode(struct wr *w, const struct bgp_refresh *r)
{
	size_t mark = bgp_frame_begin(w, BGP_REFRESH);

	wr_u16(w, r->afi);
	wr_u8(w, r->subtype);
	wr_u8(w, r->safi);
	bgp_frame_end(w, mark);
}
