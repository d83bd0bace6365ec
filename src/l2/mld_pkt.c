#include "l2/mld_pkt.h"

#include "base/mem.h"

enum {
	MAC_LEN = 6,
	IPV6_LEN = 16,
	ETHERNET_HEAD_LEN = 14,
	IPV6_HEAD_LEN = 40,
	NEXT_HEADER_OPTIONS = 0, /* hop by hop */
	NEXT_HEADER_ICMP6 = 58,
	HOP_LIMIT = 1,
	OPTIONS_LEN = 8, /* of the header that we write */
	OPTIONS_UNIT = 8,
	OPTION_PAD1 = 0,
	OPTION_PADN = 1,
	OPTION_ALERT = 5,
	ALERT_LEN = 2,
	ALERT_MLD = 0, /* RFC 2711 §2.1: the packet contains an MLD message */
	QUERY = 130,
	V1_REPORT = 131,
	V1_DONE = 132,
	V2_REPORT = 143,
	QUERY_V1_LEN = 24,
	QUERY_V2_LEN = 28, /* and more, with sources */
	V1_BODY_LEN = 24,
	REPORT_HEAD_LEN = 8,
	RECORD_LEN = 20,
	CHECKSUM_AT = 2,
};

static const struct addr all_routers = {
	.family = FAMILY_V6,
	.b = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 },
};

static const struct addr all_listening_routers = {
	.family = FAMILY_V6,
	.b = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16 },
};

static const uint8_t solicited_node[13] = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff };

static const char *const outcomes[] = {
#define ROW(id, text) [MLD_RX_##id] = text,
	MLD_RX_OUTCOMES(ROW)
#undef ROW
};

const char *mld_rx_name(enum mld_rx rx)
{
	return outcomes[rx];
}

/** Over pseudo-header and message; 0 over one that carries its own right one. */
static uint16_t checksum(const uint8_t *source, const uint8_t *dest, const uint8_t *body,
			 size_t len)
{
	uint32_t sum = (uint32_t)len + NEXT_HEADER_ICMP6;

	sum = bytes_csum_add(sum, source, IPV6_LEN);
	sum = bytes_csum_add(sum, dest, IPV6_LEN);
	return bytes_csum_fold(bytes_csum_add(sum, body, len));
}

/* Reading */

struct packet {
	uint8_t source[IPV6_LEN];
	uint8_t dest[IPV6_LEN];
	uint8_t hop_limit;
	bool alert;
	struct rd body;
};

static bool has_alert(struct rd options)
{
	while (options.left > 0) {
		uint8_t type = rd_u8(&options);
		if (type == OPTION_PAD1)
			continue;
		struct rd value = rd_sub(&options, rd_u8(&options));
		if (type == OPTION_ALERT && value.left == ALERT_LEN && rd_u16(&value) == ALERT_MLD)
			return true;
	}
	return false;
}

/** The header for all on the way, when there is one; the type of what follows it. */
static uint8_t options_decode(struct packet *p, uint8_t next_header)
{
	if (next_header != NEXT_HEADER_OPTIONS)
		return next_header;
	next_header = rd_u8(&p->body);
	size_t units = rd_u8(&p->body);
	p->alert = has_alert(rd_sub(&p->body, units * OPTIONS_UNIT + OPTIONS_UNIT - 2));
	return next_header;
}

static enum mld_rx packet_decode(struct rd frame, struct packet *out)
{
	rd_skip(&frame, (size_t)2 * MAC_LEN);
	uint16_t ethertype = rd_u16(&frame);
	uint8_t version = rd_u8(&frame) >> 4;
	rd_skip(&frame, 3);
	uint16_t len = rd_u16(&frame);
	uint8_t next_header = rd_u8(&frame);
	out->hop_limit = rd_u8(&frame);
	rd_copy(&frame, out->source, IPV6_LEN);
	rd_copy(&frame, out->dest, IPV6_LEN);
	out->body = rd_sub(&frame, len); /* Ethernet may have padded what follows */
	out->alert = false;
	if (frame.bad)
		return MLD_RX_SHORT;
	if (ethertype != MLD_ETHERTYPE)
		return MLD_RX_TYPE;
	if (version != 6)
		return MLD_RX_FORMAT;
	next_header = options_decode(out, next_header);
	if (out->body.bad || out->body.left == 0)
		return MLD_RX_SHORT;
	return next_header == NEXT_HEADER_ICMP6 && out->body.p[0] == QUERY ? MLD_RX_OK
									   : MLD_RX_TYPE;
}

/** RFC 9777 §6.2, and that it arrived as it was sent. */
static enum mld_rx packet_check(const struct packet *p)
{
	const struct addr source = addr_from_bytes(FAMILY_V6, p->source);

	if (p->hop_limit != HOP_LIMIT)
		return MLD_RX_HOP_LIMIT;
	if (!p->alert)
		return MLD_RX_ALERT;
	if (!addr_is_link_local(&source))
		return MLD_RX_SENDER;
	if (checksum(p->source, p->dest, p->body.p, p->body.left) != 0)
		return MLD_RX_CHECKSUM;
	return MLD_RX_OK;
}

/** Small numbers as they are, large ones as mantissa and exponent (RFC 9777 §5.1.3, §5.1.9). */
static uint32_t float_decode(uint32_t code, unsigned mantissa_bits)
{
	uint32_t one = (uint32_t)1 << mantissa_bits;
	unsigned exponent = (code >> mantissa_bits) & 7;

	if (code < one << 3)
		return code;
	return ((code & (one - 1)) | one) << (exponent + 3);
}

static enum mld_rx scope_decode(const uint8_t *group, struct mld_query *q)
{
	const struct addr a = addr_from_bytes(FAMILY_V6, group);

	if (addr_is_unspecified(&a)) {
		q->scope = MLD_ALL;
		return MLD_RX_OK;
	}
	if (!addr_is_multicast(&a))
		return MLD_RX_TARGET;
	q->scope = MLD_OTHER;
	if (memcmp(group, solicited_node, sizeof(solicited_node)) == 0) {
		q->scope = MLD_ONE;
		q->group = ((uint32_t)group[13] << 16) | ((uint32_t)group[14] << 8) | group[15];
	}
	return MLD_RX_OK;
}

/** What version 2 adds. */
static enum mld_rx query_decode_rest(struct rd *r, struct mld_query *q)
{
	uint8_t flags = rd_u8(r); /* what is no robustness is for routers */
	uint8_t interval = rd_u8(r);
	size_t n_sources = rd_u16(r);

	rd_skip(r, n_sources * IPV6_LEN);
	if (r->bad)
		return MLD_RX_LENGTH;
	if (q->scope == MLD_ALL && n_sources > 0)
		return MLD_RX_TARGET;
	q->delay_ms = float_decode(q->delay_ms, 12);
	q->robustness = flags & MLD_ROBUSTNESS_MAX;
	q->interval_s = float_decode(interval, 4);
	return MLD_RX_OK;
}

enum mld_rx mld_query_decode(struct rd frame, struct mld_query *out)
{
	struct mld_query q = { 0 };
	struct packet p;
	uint8_t group[IPV6_LEN];

	enum mld_rx rx = packet_decode(frame, &p);
	if (rx == MLD_RX_OK)
		rx = packet_check(&p);
	if (rx != MLD_RX_OK)
		return rx;
	struct rd r = p.body;
	q.v1 = r.left == QUERY_V1_LEN;
	if (!q.v1 && r.left < QUERY_V2_LEN)
		return MLD_RX_LENGTH;
	rd_skip(&r, 4); /* type and check sum are right; the code is ignored */
	q.delay_ms = rd_u16(&r);
	rd_skip(&r, 2);
	rd_copy(&r, group, IPV6_LEN);
	rx = scope_decode(group, &q);
	if (rx == MLD_RX_OK && !q.v1)
		rx = query_decode_rest(&r, &q);
	if (rx == MLD_RX_OK)
		*out = q;
	return rx;
}

/* Writing */

size_t mld_report_capacity(const struct mld_link *link)
{
	size_t heads = IPV6_HEAD_LEN + OPTIONS_LEN + REPORT_HEAD_LEN;
	size_t room = MIN(link->mtu, MLD_FRAME_MAX - ETHERNET_HEAD_LEN);

	return room < heads + RECORD_LEN ? 1 : (room - heads) / RECORD_LEN;
}

static struct addr group_addr(uint32_t group)
{
	struct addr a = { .family = FAMILY_V6 };

	memcpy(a.b, solicited_node, sizeof(solicited_node));
	a.b[13] = (uint8_t)(group >> 16);
	a.b[14] = (uint8_t)(group >> 8);
	a.b[15] = (uint8_t)group;
	return a;
}

/** All that stands before a message of @body_len bytes. */
static void write_heads(struct wr *w, const struct mld_link *link, const struct addr *dest,
			size_t body_len)
{
	wr_u16(w, 0x3333);
	wr_bytes(w, dest->b + 12, 4);
	wr_bytes(w, link->mac.b, MAC_LEN);
	wr_u16(w, MLD_ETHERTYPE);
	wr_u32(w, 6u << 28);
	wr_u16(w, (uint16_t)(OPTIONS_LEN + body_len));
	wr_u8(w, NEXT_HEADER_OPTIONS);
	wr_u8(w, HOP_LIMIT);
	wr_bytes(w, link->source.b, IPV6_LEN); /* all zeros where it is unset */
	wr_bytes(w, dest->b, IPV6_LEN);
	wr_u8(w, NEXT_HEADER_ICMP6);
	wr_u8(w, OPTIONS_LEN / OPTIONS_UNIT - 1);
	wr_u8(w, OPTION_ALERT);
	wr_u8(w, ALERT_LEN);
	wr_u16(w, ALERT_MLD);
	wr_u8(w, OPTION_PADN);
	wr_u8(w, 0);
}

/** Put the check sum into the message that is the last @len bytes. */
static void fill_checksum(struct wr *w, const struct mld_link *link, const struct addr *dest,
			  size_t len)
{
	if (w->bad)
		return;
	uint8_t *body = w->p + w->len - len;
	uint16_t sum = checksum(link->source.b, dest->b, body, len);

	body[CHECKSUM_AT] = (uint8_t)(sum >> 8);
	body[CHECKSUM_AT + 1] = (uint8_t)sum;
}

void mld_report_build(struct wr *w, const struct mld_link *link, const struct mld_record *records,
		      size_t n)
{
	size_t body_len = REPORT_HEAD_LEN + n * RECORD_LEN;

	write_heads(w, link, &all_listening_routers, body_len);
	wr_u8(w, V2_REPORT);
	wr_fill(w, 0, 5); /* code, check sum, reserved */
	wr_u16(w, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		const struct addr group = group_addr(records[i].group);
		wr_u8(w, (uint8_t)records[i].says);
		wr_fill(w, 0, 3); /* no auxiliary data, no sources */
		wr_bytes(w, group.b, IPV6_LEN);
	}
	fill_checksum(w, link, &all_listening_routers, body_len);
}

void mld_v1_build(struct wr *w, const struct mld_link *link, const struct mld_record *record)
{
	const struct addr group = group_addr(record->group);
	bool done = record->says == MLD_TO_INCLUDE;
	const struct addr *dest = done ? &all_routers : &group;

	write_heads(w, link, dest, V1_BODY_LEN);
	wr_u8(w, done ? V1_DONE : V1_REPORT);
	wr_fill(w, 0, 7); /* code, check sum, delay, reserved */
	wr_bytes(w, group.b, IPV6_LEN);
	fill_checksum(w, link, dest, V1_BODY_LEN);
}
