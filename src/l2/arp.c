#include "l2/arp.h"

enum {
	HARDWARE_ETHERNET = 1,
	PROTOCOL_IPV4 = 0x0800,
	MAC_LEN = 6,
	IPV4_LEN = 4,
	MAC_GROUP_BIT = 1,
};

static const struct mac mac_zero;

static struct addr read_addr(struct rd *r)
{
	struct addr a = { .family = FAMILY_V4 };

	rd_copy(r, a.b, IPV4_LEN);
	return a;
}

/* A reply goes to this address: it has to be one machine's. */
static bool mac_is_unicast(const struct mac *m)
{
	return !(m->b[0] & MAC_GROUP_BIT) && !mac_eq(m, &mac_zero);
}

struct arp_message {
	struct arp_request fields;
	uint16_t op;
};

static enum l2_rx message_decode(struct rd frame, struct arp_message *out)
{
	struct arp_request *f = &out->fields;

	rd_copy(&frame, f->ether_dst.b, MAC_LEN);
	rd_skip(&frame, MAC_LEN);
	uint16_t ethertype = rd_u16(&frame);
	if (frame.bad)
		return L2_RX_SHORT;
	if (ethertype != ARP_ETHERTYPE)
		return L2_RX_TYPE;

	uint16_t hardware = rd_u16(&frame);
	uint16_t protocol = rd_u16(&frame);
	uint8_t hardware_len = rd_u8(&frame);
	uint8_t protocol_len = rd_u8(&frame);
	out->op = rd_u16(&frame);
	rd_copy(&frame, f->sender_mac.b, MAC_LEN);
	f->sender = read_addr(&frame);
	rd_skip(&frame, MAC_LEN); /* the target's, unknown to the one who asks */
	f->target = read_addr(&frame);
	if (frame.bad)
		return L2_RX_SHORT;
	if (hardware != HARDWARE_ETHERNET || protocol != PROTOCOL_IPV4 || hardware_len != MAC_LEN ||
	    protocol_len != IPV4_LEN)
		return L2_RX_FORMAT;
	return L2_RX_OK;
}

enum l2_rx arp_request_decode(struct rd frame, struct arp_request *out)
{
	struct arp_message m;
	enum l2_rx rx = message_decode(frame, &m);

	if (rx != L2_RX_OK)
		return rx;
	if (m.op != ARP_REQUEST)
		return L2_RX_OPERATION;
	if (!mac_is_unicast(&m.fields.sender_mac))
		return L2_RX_SENDER;
	*out = m.fields;
	return L2_RX_OK;
}

bool arp_claim_decode(struct rd frame, struct l2_claim *out)
{
	struct arp_message m;

	if (message_decode(frame, &m) != L2_RX_OK || addr_is_unspecified(&m.fields.sender) ||
	    !mac_is_unicast(&m.fields.sender_mac))
		return false;
	*out = (struct l2_claim){ .addr = m.fields.sender, .mac = m.fields.sender_mac };
	return true;
}

struct arp_fields {
	enum arp_op op;
	const struct mac *ether_dst;
	const struct mac *sender_mac;
	const struct addr *sender;
	const struct mac *target_mac;
	const struct addr *target;
};

static void arp_build(struct wr *w, const struct arp_fields *f)
{
	size_t start = w->len;

	wr_bytes(w, f->ether_dst->b, MAC_LEN);
	wr_bytes(w, f->sender_mac->b, MAC_LEN);
	wr_u16(w, ARP_ETHERTYPE);
	wr_u16(w, HARDWARE_ETHERNET);
	wr_u16(w, PROTOCOL_IPV4);
	wr_u8(w, MAC_LEN);
	wr_u8(w, IPV4_LEN);
	wr_u16(w, (uint16_t)f->op);
	wr_bytes(w, f->sender_mac->b, MAC_LEN);
	wr_bytes(w, f->sender->b, IPV4_LEN);
	wr_bytes(w, f->target_mac->b, MAC_LEN);
	wr_bytes(w, f->target->b, IPV4_LEN);
	wr_fill(w, 0, start + ARP_FRAME_LEN - w->len);
}

void arp_probe_build(struct wr *w, const struct mac *mac, const struct addr *addr)
{
	static const struct addr nobody = { .family = FAMILY_V4 };

	arp_build(w, &(struct arp_fields){
			     .op = ARP_REQUEST,
			     .ether_dst = &mac_broadcast,
			     .sender_mac = mac,
			     .sender = &nobody,
			     .target_mac = &mac_zero,
			     .target = addr,
		     });
}

void arp_reply_build(struct wr *w, const struct mac *mac, const struct arp_request *request)
{
	arp_build(w, &(struct arp_fields){
			     .op = ARP_REPLY,
			     .ether_dst = &request->sender_mac,
			     .sender_mac = mac,
			     .sender = &request->target,
			     .target_mac = &request->sender_mac,
			     .target = &request->sender,
		     });
}

void arp_gratuitous_build(struct wr *w, enum arp_op op, const struct mac *mac,
			  const struct addr *addr)
{
	arp_build(w, &(struct arp_fields){
			     .op = op,
			     .ether_dst = &mac_broadcast,
			     .sender_mac = mac,
			     .sender = addr,
			     .target_mac = &mac_broadcast,
			     .target = addr,
		     });
}
