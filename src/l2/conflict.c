/*
 * Other machines' claims to addresses that are ours, or would be.
 *
 *   the other is          this node
 *   a member, before us   yields at once: that member is alive, whatever gossip knows
 *   a member, after us    keeps the address and says so, so that the other yields
 *   a member that is out  keeps, and says so: what died or leaves only repeats what is over
 *   a stranger            keeps and says so (RFC 5227 §2.4 c), or yields, by policy; while it asks
 *                         whether the address is free, it yields
 *
 * Members' claims cross with ours when a divided network is whole again, and whoever hears both
 * believes the later one: they are answered a moment after they came, so that the owner has the last
 * word. Strangers may be as stubborn as we: they are answered once in 10 s.
 *
 * A node that leaves yields to any member that is not out itself; an address that is going elsewhere goes with the first claim.
 *
 * What was yielded is asked for again when nobody has claimed it for a while.
 */
#include "l2/announcer_priv.h"
#include "l2/arp.h"

/* RFC 5227 §1.1, DEFEND_INTERVAL; and how often people hear of the same conflict. */
#define DEFEND_INTERVAL	   DUR_S(10)
#define TELL_INTERVAL	   DUR_S(10)
#define TELL_DEAD_INTERVAL DUR_S(1)

/* In each of these intervals: two members may not agree about their order. */
enum { REPEATS_MAX = 8 };

/* Longer than the nodes' decisions are apart. */
#define LATELY DUR_MS(200)

static struct mono stamp_of(uint64_t ns)
{
	return (struct mono){ (int64_t)ns };
}

static bool is_past(uint64_t since_ns, struct dur d, struct mono now)
{
	return since_ns == 0 || !mono_before(now, mono_add(stamp_of(since_ns), d));
}

/* The same of a small stamp. It comes round after 49 days: then a word may be lost, once. */
static uint32_t small_stamp(struct mono t)
{
	return (uint32_t)(t.ns / 1000000);
}

static bool is_small_past(uint32_t since_ms, struct dur d, struct mono now)
{
	return since_ms == 0 || small_stamp(now) - since_ms >= (uint32_t)dur_ms(d);
}

static void hold_set(struct l2_announcer *a, uint32_t i, enum l2_hold hold)
{
	a->table->slots[i].hold = (uint8_t)hold;
	l2_state_set(&a->table->addresses[i].stats->hold, (uint8_t)hold);
	l2_changed(a, i);
}

/** Nothing stands between this node and the address. */
static void hold_end(struct l2_announcer *a, uint32_t i)
{
	if (a->table->slots[i].hold == L2_HOLD_NONE)
		return;
	l2_schedule_remove(&a->schedule, i);
	hold_set(a, i, L2_HOLD_NONE);
}

static void probe_begin(struct l2_announcer *a, uint32_t i, struct mono now)
{
	l2_schedule_remove(&a->schedule, i);
	hold_set(a, i, L2_HOLD_PROBE);
	l2_schedule_put(&a->schedule, i, L2_PROBE_STEP, now);
}

static void yield_to(struct l2_announcer *a, uint32_t i, enum l2_hold hold, struct mono now)
{
	bool member = hold == L2_HOLD_MEMBER;

	if (a->table->slots[i].hold != hold)
		l2_count(&a->stats.yielded);
	l2_own(a, i, false, now);
	l2_schedule_remove(&a->schedule, i);
	hold_set(a, i, hold);
	l2_schedule_put(&a->schedule, i, member ? L2_YIELD_MEMBER_STEP : L2_YIELD_STRANGER_STEP,
			mono_add(now, member ? L2_YIELD_MEMBER : L2_YIELD_STRANGER));
}

static void take(struct l2_announcer *a, uint32_t i, struct mono now)
{
	hold_end(a, i);
	l2_own(a, i, true, now);
}

/** What was claimed while it was not ours says nothing against us: who claimed it may just have left. */
static void take_over(struct l2_announcer *a, uint32_t i, struct mono now)
{
	l2_gauge_set(&a->table->addresses[i].stats->rival_at, 0);
	l2_own(a, i, true, now);
}

static bool should_probe(const struct l2_announcer *a, const struct l2_slot *slot)
{
	enum l2_probe probe = a->table->policy.probe;

	return probe == L2_PROBE_ALWAYS || (probe == L2_PROBE_FIRST && slot->fresh);
}

void l2_claim_decide(struct l2_announcer *a, uint32_t i, bool mine, struct mono now)
{
	struct l2_slot *slot = &a->table->slots[i];

	if (!mine) {
		hold_end(a, i);
		l2_own(a, i, false, now);
	} else if (!slot->owned && slot->hold == L2_HOLD_NONE) {
		if (should_probe(a, slot))
			probe_begin(a, i, now);
		else
			take_over(a, i, now);
	}
	slot->fresh = false;
}

void l2_claim_tick(struct l2_announcer *a, struct mono now)
{
	uint32_t i;

	while ((i = l2_schedule_due_at(&a->schedule, L2_CLAIM_STEP, now)) != L2_NONE)
		take(a, i, now);
	while ((i = l2_schedule_due_at(&a->schedule, L2_YIELD_MEMBER_STEP, now)) != L2_NONE)
		probe_begin(a, i, now);
	while ((i = l2_schedule_due_at(&a->schedule, L2_YIELD_STRANGER_STEP, now)) != L2_NONE)
		probe_begin(a, i, now);
	while ((i = l2_schedule_due_at(&a->schedule, L2_REPEAT_STEP, now)) != L2_NONE) {
		l2_schedule_remove(&a->schedule, i);
		l2_announce(a, i, 0, now);
	}
}

/* Judging */

/** A member's that is out: it only repeats what is over. */
static bool is_out(const struct l2_announcer *a, const struct mac *mac)
{
	uint16_t node;

	return l2_table_member(a->table, mac, &node) && l2_nodes_has(&a->barred, node);
}

static enum l2_verdict judge(const struct l2_announcer *a, uint32_t i, const struct mac *mac,
			     uint16_t *node)
{
	const struct l2_table *t = a->table;
	const struct l2_address *addr = &t->addresses[i];

	if (l2_table_member(t, mac, node) && l2_nodes_has(&a->barred, *node))
		return L2_VERDICT_WON;
	if (l2_table_member(t, mac, node) && a->yields)
		return L2_VERDICT_LOST;
	if (l2_table_member(t, mac, node))
		return l2_succession_before(addr->rule->nodes, addr->rule->n_nodes, *node, t->self)
			       ? L2_VERDICT_LOST
			       : L2_VERDICT_WON;
	bool yields = t->policy.on_conflict == L2_CONFLICT_YIELD || t->slots[i].hold;
	return yields ? L2_VERDICT_YIELDED : L2_VERDICT_KEPT;
}

/** Say whose it is, at most once in 10 s; false: it was said so lately. */
static bool defend(struct l2_announcer *a, uint32_t i, struct mono now)
{
	struct l2_address_stats *stats = a->table->addresses[i].stats;

	if (!a->table->slots[i].owned || !is_small_past(stats->defended_at, DEFEND_INTERVAL, now))
		return false;
	l2_small_set(&stats->defended_at, small_stamp(now));
	l2_count(&a->stats.defended);
	a->table->slots[i].repeats = 0;
	if (a->table->slots[i].step == L2_STEP_IDLE)
		l2_schedule_put(&a->schedule, i, L2_REFRESH_STEP, now);
	else if (mono_before(now, a->table->slots[i].due))
		l2_announce(a, i, 0, now); /* it may have been heard before the other's claim */
	return true;
}

/** Say it again soon, unless that is about to happen anyway. */
static void repeat(struct l2_announcer *a, uint32_t i, struct mono now)
{
	struct l2_slot *slot = &a->table->slots[i];
	bool says_so = slot->step == L2_REPEAT_STEP ||
		       (slot->step != L2_STEP_IDLE && !mono_before(now, slot->due));

	if (!slot->owned || says_so || slot->goes || slot->repeats == REPEATS_MAX)
		return;
	slot->repeats++;
	l2_count(&a->stats.defended);
	l2_schedule_remove(&a->schedule, i);
	l2_schedule_put(&a->schedule, i, L2_REPEAT_STEP, mono_add(now, L2_REPEAT_WAIT));
}

static void enforce(struct l2_announcer *a, uint32_t i, enum l2_verdict verdict, uint16_t node,
		    struct mono now)
{
	struct l2_slot *slot = &a->table->slots[i];

	switch (verdict) {
	case L2_VERDICT_LOST:
		slot->rival = node;
		yield_to(a, i, L2_HOLD_MEMBER, now);
		break;
	case L2_VERDICT_YIELDED:
		yield_to(a, i, L2_HOLD_STRANGER, now);
		break;
	case L2_VERDICT_WON:
		/* A question of ours was answered by one who will let go. */
		if (slot->hold != L2_HOLD_NONE)
			take(a, i, now);
		if (!defend(a, i, now) && !l2_nodes_has(&a->barred, node))
			repeat(a, i, now);
		break;
	case L2_VERDICT_KEPT:
	case L2_VERDICT_NONE:
		(void)defend(a, i, now);
		break;
	}
}

/** A member that gossip takes for dead speaks: whoever plans has to know. */
static bool is_believed_dead(const struct l2_announcer *a, const struct mac *mac)
{
	uint16_t node;

	return l2_table_member(a->table, mac, &node) && !l2_nodes_has(&a->alive, node);
}

static void remember(struct l2_announcer *a, uint32_t i, const struct l2_iface *iface,
		     const struct mac *mac, enum l2_verdict verdict, struct mono now)
{
	struct l2_address_stats *stats = a->table->addresses[i].stats;
	uint64_t rival = l2_mac_pack(mac);
	bool news = stats->rival != rival || stats->verdict != (uint8_t)verdict;

	l2_small_count(&stats->conflicts);
	l2_count(&a->stats.conflicts);
	l2_gauge_set(&stats->rival, rival);
	l2_small_set(&stats->rival_ifindex, (uint32_t)iface->ifindex);
	l2_gauge_set(&stats->rival_at, (uint64_t)now.ns);
	l2_state_set(&stats->verdict, (uint8_t)verdict);
	struct dur wait = is_believed_dead(a, mac) ? TELL_DEAD_INTERVAL : TELL_INTERVAL;

	if (!news && !is_small_past(stats->told_at, wait, now))
		return;
	l2_small_set(&stats->told_at, small_stamp(now));
	a->table->slots[i].conflict = true;
	l2_changed(a, i);
}

static bool claim_decode(enum l2_proto proto, struct rd frame, struct l2_claim *out)
{
	return proto == L2_ARP ? arp_claim_decode(frame, out) : ndp_claim_decode(frame, out);
}

enum l2_rx l2_claim_rx(struct l2_announcer *a, const struct l2_iface *iface, enum l2_proto proto,
		       struct rd frame, struct mono now)
{
	struct l2_claim claim;
	uint16_t node = 0;

	if (!a->table->policy.detect || !claim_decode(proto, frame, &claim))
		return L2_RX_OK;
	uint32_t i = l2_table_find(a->table, &claim.addr);
	if (i == L2_NONE)
		return L2_RX_OK;
	if (l2_table_is_own_mac(a->table, &claim.mac))
		return L2_RX_ECHO;
	const struct l2_slot *slot = &a->table->slots[i];
	if (!slot->owned && slot->hold == L2_HOLD_NONE)
		return L2_RX_CLAIM; /* its owner speaks */
	a->changed_since = now;
	if (slot->goes && !is_out(a, &claim.mac)) {
		l2_own(a, i, false, now); /* whoever takes it says so */
		return L2_RX_CLAIM;
	}
	enum l2_verdict verdict = judge(a, i, &claim.mac, &node);
	remember(a, i, iface, &claim.mac, verdict, now);
	enforce(a, i, verdict, node, now);
	return L2_RX_CLAIM;
}

/** A stranger has turned out to be a member. */
static void rejudge_one(struct l2_announcer *a, uint32_t i, struct mono now)
{
	const struct l2_address_stats *stats = a->table->addresses[i].stats;
	struct mac mac = l2_mac_unpack(stats->rival);
	const struct l2_iface *iface = l2_table_iface(a->table, (int)stats->rival_ifindex);
	uint16_t node = 0;

	if (!iface || !l2_table_member(a->table, &mac, &node))
		return;
	/* What was claimed before this node began to yield was not an answer to that. */
	if (a->yields && mono_before(stamp_of(stats->rival_at), a->yields_since))
		return;
	enum l2_verdict verdict = judge(a, i, &mac, &node);
	if (stats->verdict == (uint8_t)verdict)
		return;
	remember(a, i, iface, &mac, verdict, now);
	enforce(a, i, verdict, node, now);
}

/** A member's that goes after this one: it is nobody's successor here. */
static bool is_behind(const struct l2_announcer *a, uint32_t i, const struct mac *mac)
{
	const struct l2_rule *rule = a->table->addresses[i].rule;
	uint16_t node;

	return l2_table_member(a->table, mac, &node) &&
	       l2_succession_before(rule->nodes, rule->n_nodes, a->table->self, node);
}

/** Who takes what goes may have been quicker to say so than we to hear that it goes. */
static void let_go(struct l2_announcer *a, uint32_t i, struct mono now)
{
	const struct l2_address_stats *stats = a->table->addresses[i].stats;
	struct mac mac = l2_mac_unpack(stats->rival);

	if (!is_past(stats->rival_at, LATELY, now) && !is_out(a, &mac) && !is_behind(a, i, &mac))
		l2_own(a, i, false, now);
}

void l2_claim_rejudge(struct l2_announcer *a, struct mono now)
{
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		const struct l2_slot *slot = &a->table->slots[i];
		bool lately =
			!is_past(a->table->addresses[i].stats->rival_at, DEFEND_INTERVAL, now);
		if (slot->goes)
			let_go(a, i, now);
		else if (slot->hold == L2_HOLD_STRANGER || (slot->owned && lately))
			rejudge_one(a, i, now);
	}
}

void l2_claim_barred(struct l2_announcer *a, uint16_t node, struct mono now)
{
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		const struct l2_address_stats *stats = a->table->addresses[i].stats;
		struct mac mac = l2_mac_unpack(stats->rival);
		uint16_t rival;

		if (a->table->slots[i].owned && !is_past(stats->rival_at, DEFEND_INTERVAL, now) &&
		    l2_table_member(a->table, &mac, &rival) && rival == node)
			l2_announce(a, i, 0, now);
	}
}

void l2_claim_release(struct l2_announcer *a, uint16_t node)
{
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		const struct l2_slot *slot = &a->table->slots[i];

		if (slot->hold == L2_HOLD_MEMBER && slot->rival == node)
			hold_end(a, i);
	}
}

void l2_claim_resume(struct l2_announcer *a)
{
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		const struct l2_rule *rule = a->table->addresses[i].rule;
		const struct l2_slot *slot = &a->table->slots[i];

		if (slot->hold == L2_HOLD_MEMBER &&
		    !l2_succession_before(rule->nodes, rule->n_nodes, slot->rival, a->table->self))
			hold_end(a, i);
	}
}

void l2_claim_event(const struct l2_announcer *a, uint32_t i, struct l2_event *out)
{
	const struct l2_address_stats *stats = a->table->addresses[i].stats;

	*out = (struct l2_event){
		.kind = L2_CONFLICT,
		.addr = a->table->addresses[i].addr,
		.at = stamp_of(stats->rival_at),
		.ifindex = (int)stats->rival_ifindex,
		.mac = l2_mac_unpack(stats->rival),
		.verdict = (enum l2_verdict)stats->verdict,
	};
}
