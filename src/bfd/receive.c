/* From a datagram to its session: RFC 5880 §6.8.6 as far as it needs the path or the index. */
#include "bfd/engine_priv.h"

static bool target_takes(const struct bfd_target *t, const struct bfd_rx *rx)
{
	return !addr_is_set(&t->local) || addr_eq(&t->local, &rx->local);
}

static bool interface_fits(const struct bfd_target *t, const struct bfd_rx *rx)
{
	return t->vrf == rx->vrf && (t->ifindex == 0 || t->ifindex == rx->ifindex);
}

/* Your Discriminator is zero: RFC 5881 §3, 5883 §4. The session that names most of the packet's
 * path wins. */
static struct conn *find_by_path(const struct bfd_engine *e, const struct bfd_rx *rx)
{
	struct bfd_peer_key key = key_of(&rx->peer, rx->multihop);
	struct conn *best = NULL;
	int best_score = -1;

	for (struct conn *c = map_get_bytes(e->by_peer, &key, sizeof(key)); c; c = c->same_peer) {
		const struct bfd_target *t = &c->target;
		int score =
			4 * interface_fits(t, rx) + 2 * addr_is_set(&t->local) + (t->ifindex != 0);

		if (target_takes(t, rx) && score > best_score) {
			best = c;
			best_score = score;
		}
	}
	return best;
}

#define ACCEPTED (-1)

/* Does the packet come from where the session's peer is? ACCEPTED or an enum bfd_drop. */
static int check_path(const struct conn *c, const struct bfd_rx *rx)
{
	const struct bfd_target *t = &c->target;

	if (t->multihop != rx->multihop)
		return BFD_DROP_HOPS;
	if (!addr_eq(&t->peer, &rx->peer) || !target_takes(t, rx))
		return BFD_DROP_PEER;
	if (!interface_fits(t, rx))
		return BFD_DROP_INTERFACE;
	if (t->multihop && rx->ttl < t->min_ttl)
		return BFD_DROP_TTL;
	return ACCEPTED;
}

/* All checks on the way from the socket to the session. @found is set as soon as the session is
 * known. */
static int check(struct bfd_engine *e, const struct bfd_rx *rx, struct bfd_pkt *pkt,
		 struct conn **found)
{
	if (rx->cut)
		return BFD_DROP_CUT;
	if (!rx->multihop && rx->ttl != 255) /* RFC 5881 §5 */
		return BFD_DROP_TTL;
	enum bfd_decode outcome = bfd_pkt_decode(rx->bytes, pkt);
	if (outcome != BFD_PKT_OK)
		return BFD_DROP_SHORT + (int)(outcome - BFD_PKT_SHORT); /* same rows, same order */

	if (pkt->your_disc)
		*found = map_get_bytes(e->by_disc, &pkt->your_disc, sizeof(pkt->your_disc));
	else
		*found = find_by_path(e, rx);
	if (!*found)
		return pkt->your_disc ? BFD_DROP_UNKNOWN_DISC : BFD_DROP_UNKNOWN_PEER;
	return check_path(*found, rx);
}

static void count_drop(struct bfd_engine *e, struct conn *c, int why)
{
	bfd_count(&e->counters.dropped[why]);
	if (!c || !c->target.status)
		return;
	bfd_count(&c->target.status->packets_dropped);
	bfd_count(&c->target.status->dropped[why]);
}

void conn_skip_gap(struct conn *c, struct mono at)
{
	c->rx_last = at;
	c->rx_last_gap = DUR_NS(0);
}

void conn_measure_gap(struct conn *c, struct mono at)
{
	struct bfd_session_status *st = c->target.status;
	struct dur gap = mono_sub(at, c->rx_last);
	struct dur before = c->rx_last_gap;

	/* One that was read from a socket may be older than what the kernel noted meanwhile. */
	if (c->session.state != BFD_UP || !st || gap.ns < 0)
		return;
	bool first = c->rx_last.ns == 0;
	c->rx_last = at;
	if (first)
		return;
	bfd_hist_add(&st->gaps, gap);
	c->rx_last_gap = gap;
	if (before.ns == 0)
		return;
	struct dur jitter = DUR_NS(gap.ns > before.ns ? gap.ns - before.ns : before.ns - gap.ns);
	bfd_hist_add(&st->jitter, jitter);
	bfd_hist_add(&c->engine->counters.jitter, jitter);
}

static void count_accepted(struct conn *c)
{
	bfd_count(&c->engine->counters.packets_in);
	if (c->target.status)
		bfd_count(&c->target.status->packets_in);
}

void engine_received(void *ctx, const struct bfd_rx *rx)
{
	static const int drops[] = {
		[BFD_RX_IGNORED] = BFD_DROP_HELD_DOWN,
		[BFD_RX_UNAUTHENTIC] = BFD_DROP_UNAUTHENTIC,
		[BFD_RX_REPLAYED] = BFD_DROP_REPLAYED,
	};
	struct bfd_engine *e = ctx;
	struct conn *c = NULL;
	struct bfd_pkt pkt;
	int why = check(e, rx, &pkt, &c);

	if (why != ACCEPTED) {
		count_drop(e, c, why);
		return;
	}
	/* Two sockets can be read out of order: what has been overtaken tells nothing any more. */
	if (mono_before(rx->at, c->read_last)) {
		count_accepted(c);
		return;
	}
	c->read_last = rx->at;
	conn_note_read(c);
	int refused = bfd_session_rx(&c->session, &pkt, rx->at);
	if (refused) {
		count_drop(e, c, drops[refused]);
	} else {
		count_accepted(c);
		conn_measure_gap(c, rx->at);
		conn_note_received(c, rx);
	}
	conn_flush(c, loop_now(e->conf.loop));
	loop_task_queue(&e->turn_end);
}
