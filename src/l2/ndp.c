#include "l2/ndp.h"

enum {
	MAC_LEN = 6,
	IPV6_LEN = 16,
	NEXT_HEADER_ICMP6 = 58,
	HOP_LIMIT = 255, /* RFC 4861 §7.1: nobody off the link can send it */
	SOLICITATION = 135,
	ADVERTISEMENT = 136,
	OPTION_SOURCE_LINK = 1,
	OPTION_TARGET_LINK = 2,
	OPTION_UNIT = 8, /* bytes that an option's length counts in */
	LINK_OPTION_LEN = 8,
	ADVERT_BODY_LEN = 32,
	PROBE_BODY_LEN = 24,
	MAC_GROUP_BIT = 1,
};

enum { FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20 };

static const struct mac mac_all_nodes = { { 0x33, 0x33, 0, 0, 0, 1 } };
static const struct addr all_nodes = {
	.family = FAMILY_V6,
	.b = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
};

static struct addr read_addr(struct rd *r)
{
	struct addr a = { .family = FAMILY_V6 };

	rd_copy(r, a.b, IPV6_LEN);
	return a;
}

/**
 * The check sum over pseudo-header (RFC 8200 §8.1) and message; 0 over one that carries its own
 * right one.
 */
static uint16_t icmp6_checksum(const struct addr *source, const struct addr *dest,
			       const uint8_t *body, size_t len)
{
	uint32_t sum = (uint32_t)len + NEXT_HEADER_ICMP6;

	sum = bytes_csum_add(sum, source->b, IPV6_LEN);
	sum = bytes_csum_add(sum, dest->b, IPV6_LEN);
	return bytes_csum_fold(bytes_csum_add(sum, body, len));
}

struct ipv6_head {
	struct addr source;
	struct addr dest;
	struct rd body;
};

static enum l2_rx ipv6_decode(struct rd *r, struct ipv6_head *out)
{
	uint8_t version = rd_u8(r) >> 4;
	rd_skip(r, 3); /* class and flow say nothing about neighbours */
	uint16_t body_len = rd_u16(r);
	uint8_t next_header = rd_u8(r);
	uint8_t hop_limit = rd_u8(r);
	out->source = read_addr(r);
	out->dest = read_addr(r);
	out->body = rd_sub(r, body_len); /* Ethernet may have padded what follows */
	if (r->bad)
		return L2_RX_SHORT;
	if (version != 6)
		return L2_RX_FORMAT;
	if (next_header != NEXT_HEADER_ICMP6)
		return L2_RX_TYPE;
	if (hop_limit != HOP_LIMIT)
		return L2_RX_HOP_LIMIT;
	if (icmp6_checksum(&out->source, &out->dest, out->body.p, out->body.left) != 0)
		return L2_RX_CHECKSUM;
	return L2_RX_OK;
}

/** Walk the options; the link-layer one of type @want, of Ethernet's size, goes to @mac. */
static enum l2_rx options_decode(struct rd *r, uint8_t want, struct mac *mac, bool *found)
{
	while (r->left > 0) {
		uint8_t type = rd_u8(r);
		size_t len = (size_t)rd_u8(r) * OPTION_UNIT;
		if (r->bad || len == 0) /* RFC 4861 §4.6 */
			return L2_RX_OPTION;
		struct rd option = rd_sub(r, len - 2);
		if (r->bad)
			return L2_RX_OPTION;
		if (type != want)
			continue;
		if (len != LINK_OPTION_LEN)
			return L2_RX_OPTION;
		rd_copy(&option, mac->b, MAC_LEN);
		*found = true;
	}
	return L2_RX_OK;
}

static bool is_solicited_node(const struct addr *dest, const struct addr *target)
{
	struct addr group = addr_solicited_node(target);

	return addr_eq(dest, &group);
}

static bool mac_is_group(const struct mac *m)
{
	return m->b[0] & MAC_GROUP_BIT;
}

/** What RFC 4861 §7.1.1 asks of the addresses, and that there is one machine to answer to. */
static enum l2_rx solicit_check(const struct ndp_solicit *s, const struct addr *dest,
				bool has_source)
{
	if (addr_is_multicast(&s->target) || addr_is_unspecified(&s->target))
		return L2_RX_TARGET;
	if (addr_is_multicast(&s->source))
		return L2_RX_SENDER;
	if (!addr_is_unspecified(&s->source))
		return mac_is_group(&s->source_mac) ? L2_RX_SENDER : L2_RX_OK;
	if (has_source)
		return L2_RX_OPTION;
	return is_solicited_node(dest, &s->target) ? L2_RX_OK : L2_RX_SENDER;
}

static enum l2_rx solicit_decode_body(const struct ipv6_head *ip, struct ndp_solicit *s)
{
	struct rd r = ip->body;
	uint8_t type = rd_u8(&r);
	uint8_t code = rd_u8(&r);
	rd_skip(&r, 2 + 4); /* check sum, done; reserved */
	s->target = read_addr(&r);
	if (r.bad)
		return L2_RX_SHORT;
	if (type != SOLICITATION)
		return L2_RX_OPERATION;
	if (code != 0)
		return L2_RX_FORMAT;

	bool has_source = false;
	enum l2_rx rx = options_decode(&r, OPTION_SOURCE_LINK, &s->source_mac, &has_source);
	if (rx != L2_RX_OK)
		return rx;
	s->source = ip->source;
	return solicit_check(s, &ip->dest, has_source);
}

enum l2_rx ndp_solicit_decode(struct rd frame, struct ndp_solicit *out)
{
	struct ndp_solicit s;
	struct ipv6_head ip;

	rd_copy(&frame, s.ether_dst.b, MAC_LEN);
	rd_copy(&frame, s.source_mac.b, MAC_LEN);
	uint16_t ethertype = rd_u16(&frame);
	if (frame.bad)
		return L2_RX_SHORT;
	if (ethertype != NDP_ETHERTYPE)
		return L2_RX_TYPE;
	enum l2_rx rx = ipv6_decode(&frame, &ip);
	if (rx == L2_RX_OK)
		rx = solicit_decode_body(&ip, &s);
	if (rx == L2_RX_OK)
		*out = s;
	return rx;
}

/** RFC 4861 §7.1.2 */
static bool advert_decode_body(const struct ipv6_head *ip, struct l2_claim *out)
{
	struct rd r = ip->body;
	uint8_t type = rd_u8(&r);
	uint8_t code = rd_u8(&r);
	bool found = false;

	rd_skip(&r, 2); /* check sum, done */
	uint8_t flags = rd_u8(&r);
	rd_skip(&r, 3);
	out->addr = read_addr(&r);
	if (r.bad || type != ADVERTISEMENT || code != 0 || addr_is_multicast(&out->addr))
		return false;
	if ((flags & FLAG_SOLICITED) && addr_is_multicast(&ip->dest))
		return false;
	return options_decode(&r, OPTION_TARGET_LINK, &out->mac, &found) == L2_RX_OK;
}

static bool advert_decode(struct rd frame, struct l2_claim *out)
{
	struct ipv6_head ip;

	rd_skip(&frame, MAC_LEN);
	rd_copy(&frame, out->mac.b, MAC_LEN); /* unless an option says otherwise */
	uint16_t ethertype = rd_u16(&frame);
	return !frame.bad && ethertype == NDP_ETHERTYPE && ipv6_decode(&frame, &ip) == L2_RX_OK &&
	       advert_decode_body(&ip, out);
}

bool ndp_claim_decode(struct rd frame, struct l2_claim *out)
{
	struct ndp_solicit s;
	struct l2_claim c;

	if (ndp_solicit_decode(frame, &s) == L2_RX_OK)
		c = (struct l2_claim){ .addr = s.source, .mac = s.source_mac };
	else if (!advert_decode(frame, &c))
		return false;
	if (addr_is_unspecified(&c.addr) || mac_is_group(&c.mac))
		return false;
	*out = c;
	return true;
}

struct advert {
	const struct mac *ether_dst;
	const struct mac *mac;
	const struct addr *source;
	const struct addr *dest;
	const struct addr *target;
	uint8_t flags;
};

static void write_ipv6_head(struct wr *w, const struct addr *source, const struct addr *dest,
			    uint16_t body_len)
{
	wr_u32(w, 6u << 28);
	wr_u16(w, body_len);
	wr_u8(w, NEXT_HEADER_ICMP6);
	wr_u8(w, HOP_LIMIT);
	wr_bytes(w, source->b, IPV6_LEN);
	wr_bytes(w, dest->b, IPV6_LEN);
}

static void write_body(struct wr *w, const struct advert *a, uint16_t checksum)
{
	wr_u8(w, ADVERTISEMENT);
	wr_u8(w, 0);
	wr_u16(w, checksum);
	wr_u8(w, a->flags);
	wr_fill(w, 0, 3);
	wr_bytes(w, a->target->b, IPV6_LEN);
	wr_u8(w, OPTION_TARGET_LINK);
	wr_u8(w, LINK_OPTION_LEN / OPTION_UNIT);
	wr_bytes(w, a->mac->b, MAC_LEN);
}

static void advert_build(struct wr *w, const struct advert *a)
{
	uint8_t unsummed[ADVERT_BODY_LEN];
	struct wr body = wr_to(unsummed, sizeof(unsummed));
	write_body(&body, a, 0);

	wr_bytes(w, a->ether_dst->b, MAC_LEN);
	wr_bytes(w, a->mac->b, MAC_LEN);
	wr_u16(w, NDP_ETHERTYPE);
	write_ipv6_head(w, a->source, a->dest, ADVERT_BODY_LEN);
	write_body(w, a, icmp6_checksum(a->source, a->dest, unsummed, sizeof(unsummed)));
}

void ndp_reply_build(struct wr *w, const struct mac *mac, const struct addr *source,
		     const struct ndp_solicit *solicit)
{
	struct advert a = {
		.ether_dst = &solicit->source_mac,
		.mac = mac,
		.source = source,
		.dest = &solicit->source,
		.target = &solicit->target,
		.flags = FLAG_SOLICITED | FLAG_OVERRIDE,
	};

	/* RFC 4861 §7.2.4: a probe has no address to answer to. */
	if (addr_is_unspecified(&solicit->source)) {
		a.ether_dst = &mac_all_nodes;
		a.dest = &all_nodes;
		a.flags = FLAG_OVERRIDE;
	}
	advert_build(w, &a);
}

void ndp_unsolicited_build(struct wr *w, const struct mac *mac, const struct addr *source,
			   const struct addr *target)
{
	advert_build(w, &(struct advert){
				.ether_dst = &mac_all_nodes,
				.mac = mac,
				.source = source,
				.dest = &all_nodes,
				.target = target,
				.flags = FLAG_OVERRIDE,
			});
}

static void write_probe_body(struct wr *w, const struct addr *target, uint16_t checksum)
{
	wr_u8(w, SOLICITATION);
	wr_u8(w, 0);
	wr_u16(w, checksum);
	wr_fill(w, 0, 4);
	wr_bytes(w, target->b, IPV6_LEN);
}

void ndp_probe_build(struct wr *w, const struct mac *mac, const struct addr *target)
{
	static const struct addr nobody = { .family = FAMILY_V6 };
	struct addr group = addr_solicited_node(target);
	uint8_t unsummed[PROBE_BODY_LEN];
	struct wr body = wr_to(unsummed, sizeof(unsummed));

	write_probe_body(&body, target, 0);
	wr_u16(w, 0x3333);
	wr_bytes(w, group.b + 12, 4);
	wr_bytes(w, mac->b, MAC_LEN);
	wr_u16(w, NDP_ETHERTYPE);
	write_ipv6_head(w, &nobody, &group, PROBE_BODY_LEN);
	write_probe_body(w, target, icmp6_checksum(&nobody, &group, unsummed, sizeof(unsummed)));
}
