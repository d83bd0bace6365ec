/* The announcer's ear: which frames are answered, and how. */
#include "l2/announcer_priv.h"
#include "l2/arp.h"
#include "l2/ping.h"

static bool is_for(const struct mac *dst, const struct l2_iface *iface, enum l2_proto proto)
{
	if (mac_eq(dst, &iface->mac) || mac_eq(dst, &mac_broadcast))
		return true;
	return proto == L2_NDP && (dst->b[0] & 1); /* ARP has no business in multicast */
}

/** Whether to answer for @target here; sets *out to its entry when we know it. */
static enum l2_rx judge(struct l2_announcer *a, const struct l2_iface *iface,
			const struct addr *target, const struct l2_address **out)
{
	uint32_t i = l2_table_find(a->table, target);

	if (i == L2_NONE)
		return L2_RX_NOT_OURS;
	*out = &a->table->addresses[i];
	l2_count(&(*out)->stats->requests);
	if (!a->table->slots[i].owned)
		return L2_RX_NOT_OWNER;
	return l2_address_allows(*out, iface) ? L2_RX_OK : L2_RX_WRONG_INTERFACE;
}

static enum l2_rx rx_arp(struct l2_announcer *a, const struct l2_iface *iface, struct rd frame,
			 struct wr *reply, const struct l2_address **addr)
{
	struct arp_request req;
	enum l2_rx rx = arp_request_decode(frame, &req);

	if (rx == L2_RX_OK && !is_for(&req.ether_dst, iface, L2_ARP))
		rx = L2_RX_OTHER_MACHINE;
	if (rx == L2_RX_OK)
		rx = judge(a, iface, &req.target, addr);
	if (rx == L2_RX_OK)
		arp_reply_build(reply, &iface->mac, &req);
	return rx;
}

static enum l2_rx rx_ndp(struct l2_announcer *a, const struct l2_iface *iface, struct rd frame,
			 struct wr *reply, const struct l2_address **addr)
{
	struct ndp_solicit req;
	enum l2_rx rx = ndp_solicit_decode(frame, &req);

	if (rx == L2_RX_OK && !is_for(&req.ether_dst, iface, L2_NDP))
		rx = L2_RX_OTHER_MACHINE;
	if (rx == L2_RX_OK)
		rx = judge(a, iface, &req.target, addr);
	/* As kernels do: ndisc6 overhears what comes from a link-local address for another one. */
	if (rx == L2_RX_OK)
		ndp_reply_build(reply, &iface->mac, &req.target, &req);
	return rx;
}

/* What a link and one below it hear from outside comes to both within a moment, to the one below first. */
#define AT_ONCE DUR_MS(250)

static bool was_heard(const struct l2_announcer *a, const struct mac *sender,
		      const struct addr *target, struct mono now)
{
	for (size_t i = 0; i < L2_HEARD_MAX; i++) {
		const struct l2_heard *h = &a->heard[i];

		if (mac_eq(&h->sender, sender) && addr_eq(&h->target, target) &&
		    mono_before(now, mono_add(h->at, AT_ONCE)))
			return true;
	}
	return false;
}

/**
 * Of two links that hear the same the one below answers; the other one answers whom it alone hears: its siblings on this host.
 * True when the link below has answered.
 */
static bool is_answered_below(struct l2_announcer *a, const struct l2_iface *iface, struct rd frame,
			      const struct addr *target, struct mono now)
{
	struct mac to, sender;

	if (!a->table->twins)
		return false;
	rd_copy(&frame, &to, sizeof(to));
	rd_copy(&frame, &sender, sizeof(sender));
	if (!(to.b[0] & 1))
		return false;
	if (iface->below)
		return was_heard(a, &sender, target, now);
	a->heard[a->heard_next++ % L2_HEARD_MAX] =
		(struct l2_heard){ .sender = sender, .target = *target, .at = now };
	return false;
}

static enum l2_proto frame_proto(struct rd frame)
{
	rd_skip(&frame, 2 * sizeof(struct mac));
	return rd_u16(&frame) == NDP_ETHERTYPE ? L2_NDP : L2_ARP;
}

enum l2_rx l2_announcer_rx(struct l2_announcer *a, int ifindex, struct rd frame,
			   struct l2_frame *reply, struct mono now)
{
	const struct l2_iface *iface = a->table ? l2_table_iface(a->table, ifindex) : NULL;
	enum l2_proto proto = frame_proto(frame);
	const struct l2_address *addr = NULL;
	struct wr w = wr_to(reply->bytes, sizeof(reply->bytes));
	enum l2_rx rx = L2_RX_NO_INTERFACE;

	if (iface && l2_iface_speaks(iface, proto)) {
		enum l2_rx claim = l2_claim_rx(a, iface, proto, frame, now);
		rx = proto == L2_ARP ? rx_arp(a, iface, frame, &w, &addr)
				     : rx_ndp(a, iface, frame, &w, &addr);
		if (rx != L2_RX_OK && claim != L2_RX_OK)
			rx = claim;
		if (rx == L2_RX_OK && is_answered_below(a, iface, frame, &addr->addr, now))
			rx = L2_RX_TWIN;
	}
	l2_announcer_drop(a, rx);
	if (rx != L2_RX_OK)
		return rx;
	l2_count(&addr->stats->replies);
	reply->ifindex = ifindex;
	reply->proto = proto;
	reply->len = w.len;
	return L2_RX_OK;
}

void l2_announcer_drop(struct l2_announcer *a, enum l2_rx why)
{
	l2_count(&a->stats.received);
	l2_count(&a->stats.rx[why]);
}

/** At most so many a second, but a burst at once. */
static bool ping_fits(struct l2_announcer *a, struct mono now)
{
	const struct dur each = DUR_NS(INT64_C(1000000000) / PINGS_A_SECOND);
	struct mono used = mono_before(a->pings_until, now) ? now : a->pings_until;

	if (mono_before(mono_add(now, DUR_NS(each.ns * PINGS_AT_ONCE)), used))
		return false;
	a->pings_until = mono_add(used, each);
	return true;
}

static enum l2_rx judge_ping(struct l2_announcer *a, const struct l2_iface *iface,
			     const struct ping_request *p, struct mono now)
{
	uint32_t i = l2_table_find(a->table, &p->target);

	if (!mac_eq(&p->ether_dst, &iface->mac))
		return L2_RX_OTHER_MACHINE;
	if (i == L2_NONE)
		return L2_RX_NOT_OURS;
	if (!a->table->addresses[i].pings)
		return L2_RX_NOT_WANTED;
	if (!a->table->slots[i].owned)
		return L2_RX_NOT_OWNER;
	if (!l2_address_allows(&a->table->addresses[i], iface))
		return L2_RX_WRONG_INTERFACE;
	return ping_fits(a, now) ? L2_RX_OK : L2_RX_RATE_LIMIT;
}

enum l2_rx l2_announcer_ping(struct l2_announcer *a, int ifindex, struct rd frame, struct wr *reply,
			     struct mono now)
{
	const struct l2_iface *iface = a->table ? l2_table_iface(a->table, ifindex) : NULL;
	struct ping_request p;
	enum l2_rx rx = iface ? ping_request_decode(frame, &p) : L2_RX_NO_INTERFACE;

	if (rx == L2_RX_OK)
		rx = judge_ping(a, iface, &p, now);
	if (rx == L2_RX_OK)
		ping_reply_build(reply, &iface->mac, &p);
	l2_announcer_drop_ping(a, rx);
	return rx;
}

void l2_announcer_drop_ping(struct l2_announcer *a, enum l2_rx why)
{
	l2_count(&a->stats.pings[why]);
}
