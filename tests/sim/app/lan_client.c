/*
 * A Linux host that talks to the address all the time. Its table of neighbours follows net/core/neighbour.c and net/ipv4/arp.c:
 *
 *   an announcement that is a request, or a reply whose target is its sender      is believed (arp_is_garp)
 *   any other reply                                                              not within a second of the entry's last change
 *   a request for this host's own address                                        is believed, whenever it comes (neigh_event_ns)
 */
#include "l2/arp.h"
#include "sim/app/lan.h"

enum {
	LOCKTIME_US = 1000000,
	DELAY_US = 5000000,
	RETRANS_US = 1000000,
	ASKS = 3,
	PACKET_US = 1000,
	REACHABLE_MIN_US = 15000000,
	REACHABLE_MORE_US = 30000000,
};

static bool is_valid(enum neigh_state s)
{
	return s == NEIGH_REACHABLE || s == NEIGH_STALE || s == NEIGH_DELAY || s == NEIGH_PROBE;
}

static void enter(struct client *c, enum neigh_state s)
{
	if (c->state != s)
		c->updated_us = c->lan->now_us;
	c->state = s;
}

/* neigh_update() */
static void update(struct client *c, const struct mac *mac, enum neigh_state s, bool override)
{
	bool same = mac_eq(mac, &c->neigh) && c->state != NEIGH_NONE;

	if (s == NEIGH_REACHABLE)
		c->confirmed_us = c->lan->now_us;
	if (is_valid(c->state)) {
		if (!same && !override)
			return;
		if (same && s == NEIGH_STALE)
			return;
	}
	if (!same)
		c->updated_us = c->lan->now_us;
	c->neigh = *mac;
	enter(c, s);
	c->timer_us = s == NEIGH_REACHABLE ? c->lan->now_us + c->reachable_us : 0;
}

static void ask(struct client *c)
{
	uint8_t bytes[ARP_FRAME_LEN];
	struct wr w = wr_to(bytes, sizeof(bytes));
	const struct mac to = c->state == NEIGH_PROBE ? c->neigh : mac_broadcast;

	arp_gratuitous_build(&w, ARP_REQUEST, &c->mac, &c->addr);
	assert_false(w.bad);
	memcpy(bytes, to.b, sizeof(struct mac));
	memset(bytes + 32, 0, sizeof(struct mac));
	memcpy(bytes + 38, c->lan->addr.b, 4);
	c->probes++;
	c->timer_us = c->lan->now_us + RETRANS_US;
	lan_frame_send(c->lan, LAN_CLIENT, bytes, sizeof(bytes));
}

static void begin_asking(struct client *c, enum neigh_state s)
{
	enter(c, s);
	c->probes = 0;
	ask(c);
}

/* neigh_timer_handler() */
static void timer(struct client *c)
{
	int64_t now = c->lan->now_us;

	if (!c->timer_us || now < c->timer_us)
		return;
	c->timer_us = 0;
	if (c->state == NEIGH_REACHABLE) {
		if (now <= c->confirmed_us + c->reachable_us) {
			c->timer_us = c->confirmed_us + c->reachable_us;
		} else if (now <= c->used_us + DELAY_US) {
			enter(c, NEIGH_DELAY);
			c->timer_us = now + DELAY_US;
		} else {
			enter(c, NEIGH_STALE);
		}
	} else if (c->state == NEIGH_DELAY) {
		if (now <= c->confirmed_us + DELAY_US) {
			enter(c, NEIGH_REACHABLE);
			c->timer_us = c->confirmed_us + c->reachable_us;
		} else {
			begin_asking(c, NEIGH_PROBE);
		}
	} else if (c->probes >= ASKS) {
		enter(c, NEIGH_FAILED);
	} else {
		ask(c);
	}
}

unsigned client_at(const struct client *c)
{
	return is_valid(c->state) && c->neigh.b[5] < LAN_NODES_MAX ? c->neigh.b[5] : LAN_CLIENT;
}

/*
 * A node's kernel that has forgotten the client asks everybody for it, in the name of the service's address that it answers from, once a
 * second at most. (Where it only doubts it asks the client alone, in the name of its own: that changes nothing.)
 */
static void node_asks(struct client *c, unsigned i)
{
	uint8_t bytes[ARP_FRAME_LEN];
	struct wr w = wr_to(bytes, sizeof(bytes));

	if (c->lan->now_us < c->asked_us[i] + RETRANS_US)
		return;
	c->asked_us[i] = c->lan->now_us;
	arp_gratuitous_build(&w, ARP_REQUEST, &c->lan->nodes[i].mac, &c->lan->addr);
	memset(bytes + 32, 0, sizeof(struct mac));
	memcpy(bytes + 38, c->addr.b, 4);
	lan_frame_send(c->lan, i, bytes, sizeof(bytes));
}

/* neigh_event_send(), and the way there and back */
static void packet(struct client *c)
{
	int64_t now = c->lan->now_us;
	unsigned i = client_at(c);

	c->used_us = now;
	if (c->state == NEIGH_NONE || c->state == NEIGH_FAILED) {
		begin_asking(c, NEIGH_INCOMPLETE);
	} else if (c->state == NEIGH_STALE) {
		enter(c, NEIGH_DELAY);
		c->timer_us = now + DELAY_US;
	}
	if (i == LAN_CLIENT || !lan_reaches(c->lan, LAN_CLIENT, i) || !node_has(&c->lan->nodes[i]))
		return;
	if (c->lan->trace && now - c->answered_us > 2000)
		printf("%lld us: the client has an answer again, of n%u, after %lld us\n",
		       (long long)now, i, (long long)(now - c->answered_us));
	c->gap_us = MAX(c->gap_us, now - c->answered_us);
	c->answered_us = now;
	if (c->confirms)
		c->confirmed_us = now;
	if (lan_chance(c->lan, c->lan->asks_one_of))
		node_asks(c, i);
}

void client_step(struct client *c)
{
	timer(c);
	if (c->lan->now_us < c->next_us)
		return;
	c->next_us = c->lan->now_us + PACKET_US;
	packet(c);
}

static uint32_t ip_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* arp_process() */
void client_hear(struct client *c, const uint8_t *f)
{
	const uint8_t *sender = f + 22, *target = f + 32;
	bool request = f[21] == ARP_REQUEST, for_us = !(f[0] & 1);
	uint32_t from = ip_at(f + 28), to = ip_at(f + 38);
	struct mac mac;

	memcpy(mac.b, sender, sizeof(struct mac));
	if (from != ip_at(c->lan->addr.b))
		return;
	if (c->lan->trace)
		printf("%lld us: client hears %s of n%u%s, has n%u in state %d\n",
		       (long long)c->lan->now_us, request ? "request" : "reply", mac.b[5],
		       for_us ? ", to it alone" : "", client_at(c), c->state);
	if (request && to == ip_at(c->addr.b)) {
		update(c, &mac, NEIGH_STALE, true);
		return;
	}
	if (c->state == NEIGH_NONE)
		return;
	bool announced = from == to && (request || memcmp(sender, target, sizeof(struct mac)) == 0);
	bool override = announced || c->lan->now_us > c->updated_us + LOCKTIME_US;

	update(c, &mac, !request && for_us ? NEIGH_REACHABLE : NEIGH_STALE, override);
}

void client_start(struct client *c, struct lan *l)
{
	*c = (struct client){ .lan = l,
			      .addr = addr_v4(10, 20, 0, 200),
			      .mac = lan_mac(LAN_CLIENT) };
	c->confirms = rng_below(&l->rng, 2);
	c->reachable_us = REACHABLE_MIN_US + (int64_t)rng_below(&l->rng, REACHABLE_MORE_US);
	c->answered_us = l->now_us;
}
