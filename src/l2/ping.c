#include "l2/ping.h"

enum {
	MAC_LEN = 6,
	IPV4_LEN = 4,
	IPV6_LEN = 16,
	IPV4_HEAD_LEN = 20,
	NEXT_ICMP = 1,
	NEXT_ICMP6 = 58,
	ECHO_REQUEST = 8,
	ECHO_REPLY = 0,
	ECHO6_REQUEST = 128,
	ECHO6_REPLY = 129,
	ECHO_HEAD_LEN = 4, /* type, code, check sum */
	ECHO_CONTENT_MIN = 4,
	HOPS = 64,
	MAC_GROUP_BIT = 1,
	FRAGMENTED = 0x3fff, /* more of them follow, or an offset */
	CLASS_MASK = 0xfc,   /* without the bits of congestion */
};

static struct addr read_addr(struct rd *r, enum family family)
{
	struct addr a = { .family = (uint8_t)family };

	rd_copy(r, a.b, addr_len(&a));
	return a;
}

/* RFC 8200 §8.1 */
static uint32_t pseudo_sum(const struct addr *source, const struct addr *dest, size_t len)
{
	uint32_t sum = (uint32_t)len + NEXT_ICMP6;

	sum = bytes_csum_add(sum, source->b, IPV6_LEN);
	return bytes_csum_add(sum, dest->b, IPV6_LEN);
}

/** The reply's, over what it carries; @sum has what stands before. */
static uint16_t reply_checksum(uint32_t sum, uint8_t type, const struct rd *content)
{
	sum = bytes_csum_add(sum, (const uint8_t[]){ type, 0 }, 2);
	return bytes_csum_fold(bytes_csum_add(sum, content->p, content->left));
}

static enum l2_rx echo_decode(struct rd icmp, uint8_t request, struct ping_request *out)
{
	uint8_t type = rd_u8(&icmp);
	uint8_t code = rd_u8(&icmp);

	rd_skip(&icmp, 2);
	if (icmp.bad || icmp.left < ECHO_CONTENT_MIN)
		return L2_RX_SHORT;
	if (type != request)
		return L2_RX_OPERATION;
	if (code != 0)
		return L2_RX_FORMAT;
	out->content = icmp;
	return L2_RX_OK;
}

static enum l2_rx ipv4_decode(struct rd r, struct ping_request *out)
{
	struct rd head = r;
	uint8_t version_len = rd_u8(&r);
	out->traffic_class = rd_u8(&r);
	uint16_t total = rd_u16(&r);
	out->ident = rd_u32(&r);
	rd_skip(&r, 1);
	uint8_t protocol = rd_u8(&r);
	rd_skip(&r, 2);
	out->source = read_addr(&r, FAMILY_V4);
	out->target = read_addr(&r, FAMILY_V4);
	size_t head_len = (size_t)(version_len & 0xf) * 4;
	if (r.bad || total < head_len || total > head.left)
		return L2_RX_SHORT;
	if (version_len >> 4 != 4 || head_len < IPV4_HEAD_LEN)
		return L2_RX_FORMAT;
	if (protocol != NEXT_ICMP)
		return L2_RX_TYPE;
	if (out->ident & FRAGMENTED)
		return L2_RX_FRAGMENT;

	struct rd packet = rd_sub(&head, total); /* Ethernet may have padded what follows */
	uint32_t sum = bytes_csum_add(0, packet.p, head_len);
	rd_skip(&packet, head_len);
	if (bytes_csum_fold(sum) != 0 ||
	    bytes_csum_fold(bytes_csum_add(0, packet.p, packet.left)) != 0)
		return L2_RX_CHECKSUM;
	return echo_decode(packet, ECHO_REQUEST, out);
}

static enum l2_rx ipv6_decode(struct rd r, struct ping_request *out)
{
	uint32_t first = rd_u32(&r);
	uint16_t body_len = rd_u16(&r);
	uint8_t next = rd_u8(&r);
	rd_skip(&r, 1);
	out->traffic_class = (uint8_t)(first >> 20);
	out->source = read_addr(&r, FAMILY_V6);
	out->target = read_addr(&r, FAMILY_V6);
	struct rd body = rd_sub(&r, body_len);
	if (r.bad)
		return L2_RX_SHORT;
	if (first >> 28 != 6)
		return L2_RX_FORMAT;
	if (next != NEXT_ICMP6)
		return L2_RX_TYPE;
	uint32_t sum = pseudo_sum(&out->source, &out->target, body.left);
	if (bytes_csum_fold(bytes_csum_add(sum, body.p, body.left)) != 0)
		return L2_RX_CHECKSUM;
	return echo_decode(body, ECHO6_REQUEST, out);
}

/** Is there one machine to answer to? */
static bool is_answerable(const struct ping_request *p)
{
	static const struct addr everybody = { .family = FAMILY_V4, .b = { 255, 255, 255, 255 } };

	return !(p->source_mac.b[0] & MAC_GROUP_BIT) && !addr_is_unspecified(&p->source) &&
	       !addr_is_multicast(&p->source) && !addr_eq(&p->source, &everybody);
}

enum l2_rx ping_request_decode(struct rd frame, struct ping_request *out)
{
	struct ping_request p = { 0 };
	enum l2_rx rx = L2_RX_TYPE;

	rd_copy(&frame, p.ether_dst.b, MAC_LEN);
	rd_copy(&frame, p.source_mac.b, MAC_LEN);
	uint16_t ethertype = rd_u16(&frame);
	if (frame.bad)
		return L2_RX_SHORT;
	if (ethertype == PING_ETHERTYPE_V4)
		rx = ipv4_decode(frame, &p);
	else if (ethertype == PING_ETHERTYPE_V6)
		rx = ipv6_decode(frame, &p);
	if (rx == L2_RX_OK && !is_answerable(&p))
		rx = L2_RX_SENDER;
	if (rx == L2_RX_OK)
		*out = p;
	return rx;
}

static void write_ipv4(struct wr *w, const struct ping_request *p)
{
	uint8_t bytes[IPV4_HEAD_LEN];
	struct wr head = wr_to(bytes, sizeof(bytes));

	wr_u8(&head, 0x45);
	wr_u8(&head, p->traffic_class & CLASS_MASK);
	wr_u16(&head, (uint16_t)(IPV4_HEAD_LEN + ECHO_HEAD_LEN + p->content.left));
	wr_u32(&head, p->ident); /* its own: it was one packet, and so is the reply */
	wr_u8(&head, HOPS);
	wr_u8(&head, NEXT_ICMP);
	size_t checksum_at = head.len;
	wr_u16(&head, 0);
	wr_bytes(&head, p->target.b, IPV4_LEN);
	wr_bytes(&head, p->source.b, IPV4_LEN);
	uint16_t checksum = bytes_csum_fold(bytes_csum_add(0, bytes, sizeof(bytes)));
	bytes[checksum_at] = (uint8_t)(checksum >> 8);
	bytes[checksum_at + 1] = (uint8_t)checksum;
	wr_bytes(w, bytes, sizeof(bytes));
}

static void write_ipv6(struct wr *w, const struct ping_request *p)
{
	wr_u32(w, 6u << 28 | (uint32_t)(p->traffic_class & CLASS_MASK) << 20);
	wr_u16(w, (uint16_t)(ECHO_HEAD_LEN + p->content.left));
	wr_u8(w, NEXT_ICMP6);
	wr_u8(w, HOPS);
	wr_bytes(w, p->target.b, IPV6_LEN);
	wr_bytes(w, p->source.b, IPV6_LEN);
}

void ping_reply_build(struct wr *w, const struct mac *mac, const struct ping_request *p)
{
	bool v4 = p->target.family == FAMILY_V4;
	uint8_t type = v4 ? ECHO_REPLY : ECHO6_REPLY;
	size_t len = ECHO_HEAD_LEN + p->content.left;
	uint32_t sum = v4 ? 0 : pseudo_sum(&p->target, &p->source, len);

	wr_bytes(w, p->source_mac.b, MAC_LEN);
	wr_bytes(w, mac->b, MAC_LEN);
	wr_u16(w, v4 ? PING_ETHERTYPE_V4 : PING_ETHERTYPE_V6);
	if (v4)
		write_ipv4(w, p);
	else
		write_ipv6(w, p);
	wr_u8(w, type);
	wr_u8(w, 0);
	wr_u16(w, reply_checksum(sum, type, &p->content));
	wr_bytes(w, p->content.p, p->content.left);
}
