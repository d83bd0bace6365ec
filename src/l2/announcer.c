#include "l2/announcer_priv.h"

#include <assert.h>
#include <string.h>

#include "l2/arp.h"

/* Few addresses are refreshed one by one, many together: waking up more often buys nothing. */
#define REFRESH_TICK_MIN DUR_S(1)

struct l2_announcer *l2_announcer_new(const struct l2_announcer_conf *conf)
{
	struct l2_announcer *a = mem_new(struct l2_announcer);

	a->conf = *conf;
	a->refresh_at = MONO_NEVER;
	a->changed = (struct l2_queue){ .head = L2_NONE, .tail = L2_NONE };
	l2_schedule_init(&a->schedule, NULL);
	rng_seed(&a->rng, conf->seed);
	return a;
}

struct l2_announcer *l2_announcer_free(struct l2_announcer *a)
{
	free(a);
	return NULL;
}

/* Ownership */

void l2_changed(struct l2_announcer *a, uint32_t i)
{
	struct l2_slot *slot = &a->table->slots[i];

	if (slot->changed)
		return;
	slot->changed = true;
	slot->changed_next = L2_NONE;
	if (a->changed.tail == L2_NONE)
		a->changed.head = i;
	else
		a->table->slots[a->changed.tail].changed_next = i;
	a->changed.tail = i;
}

void l2_announce(struct l2_announcer *a, uint32_t i, int only_ifindex, struct mono now)
{
	if (a->table->slots[i].goes || a->yields)
		return;
	l2_schedule_remove(&a->schedule, i);
	a->table->slots[i].only_ifindex = (uint32_t)only_ifindex;
	l2_schedule_put(&a->schedule, i, 0, now);
}

void l2_own(struct l2_announcer *a, uint32_t i, bool owned, struct mono now)
{
	const struct l2_address *addr = &a->table->addresses[i];
	struct l2_slot *slot = &a->table->slots[i];

	if (slot->owned == owned)
		return;
	slot->owned = owned;
	slot->goes = false; /* what is taken after that is taken for good */
	l2_state_set(&addr->stats->owned, owned);
	a->owned += owned ? 1 : -1;
	a->unpredicted += owned == addr->predicted ? -1 : 1;
	l2_gauge_set(&a->stats.owned, a->owned);
	if (owned)
		l2_announce(a, i, 0, now);
	else
		l2_schedule_remove(&a->schedule, i);
	l2_changed(a, i);
}

static void decide_owners(struct l2_announcer *a, struct mono now)
{
	const struct l2_table *t = a->table;
	struct l2_nodes running = l2_nodes_without(&a->alive, &a->barred);
	bool may_own = !l2_nodes_has(&a->barred, t->self) &&
		       l2_quorum_holds(&t->quorum, t->self, &running);

	a->changed_since = now;
	for (uint32_t i = 0; i < t->n_addresses; i++) {
		const struct l2_address *addr = &t->addresses[i];
		bool mine = l2_succession_is_mine(addr->rule->nodes, addr->rule->n_nodes, t->self,
						  &running) ||
			    t->slots[i].goes;
		l2_claim_decide(a, i, may_own && mine, now);
	}
}

/** Of a new table, whose addresses have kept their owners. */
static void count_owned(struct l2_announcer *a)
{
	const struct l2_table *t = a->table;

	a->owned = a->unpredicted = 0;
	for (uint32_t i = 0; i < t->n_addresses; i++) {
		a->owned += t->slots[i].owned;
		a->unpredicted += t->slots[i].owned != t->addresses[i].predicted;
	}
	l2_gauge_set(&a->stats.owned, a->owned);
}

void l2_announcer_remind(struct l2_announcer *a, uint16_t node, struct mono now)
{
	const struct l2_table *t = a->table;

	for (uint32_t i = 0; t && i < t->n_addresses; i++) {
		const struct l2_rule *rule = t->addresses[i].rule;
		if (t->slots[i].owned &&
		    l2_succession_before(rule->nodes, rule->n_nodes, t->self, node))
			l2_announce(a, i, 0, now);
	}
}

void l2_announcer_set_alive(struct l2_announcer *a, uint16_t node, bool alive, struct mono now)
{
	if (l2_nodes_has(&a->alive, node) == alive)
		return;
	l2_nodes_set(&a->alive, node, alive);
	if (!a->table)
		return;
	decide_owners(a, now);
	if (alive)
		l2_announcer_remind(a, node, now);
}

void l2_announcer_bar(struct l2_announcer *a, uint16_t node, bool barred, struct mono now)
{
	if (l2_nodes_has(&a->barred, node) == barred)
		return;
	l2_nodes_set(&a->barred, node, barred);
	if (!a->table)
		return;
	if (barred)
		l2_claim_release(a, node);
	decide_owners(a, now);
	if (barred)
		l2_claim_barred(a, node, now);
	else
		l2_announcer_remind(a, node, now);
}

void l2_announcer_yield(struct l2_announcer *a, bool yields, struct mono now)
{
	a->yields = yields;
	a->yields_since = now;
	if (!a->table)
		return;
	if (!yields) {
		l2_claim_resume(a);
		decide_owners(a, now);
	}
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		if (!a->table->slots[i].owned)
			continue;
		if (yields) /* what it says now would cross with what the next owner says */
			l2_schedule_remove(&a->schedule, i);
		else
			l2_announce(a, i, 0, now);
	}
}

enum l2_filter_set l2_announcer_filter_set(const struct l2_announcer *a)
{
	return a->unpredicted ? L2_FILTER_CANDIDATES : L2_FILTER_OWNED;
}

/* A new table */

/** Note in the old table where each address stands in the new one, and bring over who owns it. */
static void carry_slots(struct l2_table *from, struct l2_table *to)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < from->n_addresses; i++) {
		int order = -1;
		while (j < to->n_addresses) {
			order = addr_cmp(&from->addresses[i].addr, &to->addresses[j].addr);
			if (order <= 0)
				break;
			j++;
		}
		from->slots[i].moved = L2_NONE;
		if (j == to->n_addresses || order != 0)
			continue;
		from->slots[i].moved = j;
		to->slots[j].owned = from->slots[i].owned;
		to->slots[j].goes = from->slots[i].owned && to->addresses[j].going;
		to->slots[j].told = from->slots[i].told;
		to->slots[j].hold = from->slots[i].hold;
		to->slots[j].hold_told = from->slots[i].hold_told;
		to->slots[j].rival = from->slots[i].rival;
		to->slots[j].repeats = from->slots[i].repeats;
		to->slots[j].conflict = from->slots[i].conflict;
		to->slots[j].fresh = false;
	}
}

/** Go on announcing where it was, in the same order. */
static void carry_queue(struct l2_announcer *a, const struct l2_queue *q,
			const struct l2_slot *from)
{
	for (uint32_t i = q->head; i != L2_NONE; i = from[i].next) {
		if (from[i].moved == L2_NONE || a->table->slots[from[i].moved].goes)
			continue;
		a->table->slots[from[i].moved].only_ifindex = from[i].only_ifindex;
		l2_schedule_put(&a->schedule, from[i].moved, from[i].step, from[i].due);
	}
}

static void carry_schedule(struct l2_announcer *a, const struct l2_table *from)
{
	const struct l2_schedule before = a->schedule;

	l2_schedule_init(&a->schedule, a->table->slots);
	for (size_t step = 0; from && step < L2_STEPS; step++)
		carry_queue(a, &before.steps[step], from->slots);
}

/** Changes that were waiting to be told wait in the new table's list. */
static void carry_changes(struct l2_announcer *a)
{
	a->changed = (struct l2_queue){ .head = L2_NONE, .tail = L2_NONE };
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		const struct l2_slot *slot = &a->table->slots[i];
		if (slot->owned != slot->told || slot->hold != slot->hold_told || slot->conflict)
			l2_changed(a, i);
	}
}

/** Would neighbours learn something from hearing us here again? */
static bool iface_is_news(const struct l2_iface *now, const struct l2_iface *before)
{
	if (!before || !mac_eq(&now->mac, &before->mac))
		return true;
	if (now->carrier && !before->carrier)
		return true; /* there may be another switch, or none has heard what was said */
	return (now->arp && !before->arp) || (now->ndp && !before->ndp);
}

static void announce_on(struct l2_announcer *a, const struct l2_iface *iface, struct mono now)
{
	for (uint32_t i = 0; i < a->table->n_addresses; i++) {
		const struct l2_slot *slot = &a->table->slots[i];
		if (!slot->owned || !l2_address_allows(&a->table->addresses[i], iface))
			continue;
		if (slot->step == 0 && slot->only_ifindex == 0)
			continue; /* just begun, everywhere */
		l2_announce(a, i, slot->step == L2_STEP_IDLE ? iface->ifindex : 0, now);
	}
}

static void announce_on_news(struct l2_announcer *a, const struct l2_table *before, struct mono now)
{
	for (size_t i = 0; i < a->table->n_ifaces; i++) {
		const struct l2_iface *iface = &a->table->ifaces[i];
		if (iface_is_news(iface, l2_table_iface(before, iface->ifindex)))
			announce_on(a, iface, now);
	}
}

/** An address whose choice of interfaces changed may have come to one where nobody heard it yet. */
static void announce_new_choices(struct l2_announcer *a, const struct l2_table *before,
				 struct mono now)
{
	for (uint32_t i = 0; i < before->n_addresses; i++) {
		uint32_t to = before->slots[i].moved;
		if (to == L2_NONE || !a->table->slots[to].owned)
			continue;
		if (!l2_rule_same_choice(before->addresses[i].rule, a->table->addresses[to].rule))
			l2_announce(a, to, 0, now);
	}
}

/** Is there a node after this one in the list that was not in the one before? */
static bool has_new_follower(const struct l2_rule *now, const struct l2_rule *before, uint16_t self)
{
	for (size_t i = 0; i < now->n_nodes; i++)
		if (l2_succession_before(now->nodes, now->n_nodes, self, now->nodes[i]) &&
		    !l2_succession_has(before->nodes, before->n_nodes, now->nodes[i]))
			return true;
	return false;
}

/** A new candidate may come from the other part of a divided network, and have answered there. */
static void announce_to_followers(struct l2_announcer *a, const struct l2_table *before,
				  struct mono now)
{
	for (uint32_t i = 0; i < before->n_addresses; i++) {
		uint32_t to = before->slots[i].moved;
		if (to == L2_NONE || !a->table->slots[to].owned)
			continue;
		if (has_new_follower(a->table->addresses[to].rule, before->addresses[i].rule,
				     a->table->self))
			l2_announce(a, to, 0, now);
	}
}

/* Refresh: a hand goes round the table and has been everywhere once in policy.refresh. */

static struct dur refresh_tick(const struct l2_announcer *a)
{
	struct dur each = DUR_NS(a->table->policy.refresh.ns / MAX(a->table->n_addresses, 1));

	return each.ns > REFRESH_TICK_MIN.ns ? each : REFRESH_TICK_MIN;
}

static void refresh_arm(struct l2_announcer *a, struct mono now)
{
	int64_t tick = refresh_tick(a).ns;

	a->refresh_at = mono_add(now, DUR_NS(rng_between(&a->rng, tick - tick / 10, tick)));
}

/** A table of another size has another tick: come sooner if that is due sooner. */
static void refresh_retime(struct l2_announcer *a, struct mono now)
{
	struct mono before = a->refresh_at;

	a->refresh_at = MONO_NEVER;
	if (a->table->policy.refresh.ns <= 0 || a->table->n_addresses == 0)
		return;
	refresh_arm(a, now);
	a->refresh_at = mono_min(a->refresh_at, before);
}

static void refresh_due(struct l2_announcer *a, struct mono now)
{
	uint64_t n = a->table->n_addresses;
	uint64_t refresh_ns = (uint64_t)a->table->policy.refresh.ns;
	uint64_t count = (n * (uint64_t)refresh_tick(a).ns + refresh_ns - 1) / refresh_ns;

	for (; count > 0; count--) {
		uint32_t i = a->refresh_next % (uint32_t)n;
		const struct l2_slot *slot = &a->table->slots[i];
		a->refresh_next = i + 1;
		if (slot->owned && slot->step == L2_STEP_IDLE && !slot->goes && !a->yields)
			l2_schedule_put(&a->schedule, i, L2_REFRESH_STEP, now);
	}
	refresh_arm(a, now);
}

struct l2_table *l2_announcer_apply(struct l2_announcer *a, struct l2_table *table, struct mono now)
{
	static const struct l2_nodes nobody;
	struct l2_table *before = a->table;

	assert(!a->leaving); /* its events were not drained */
	l2_nodes_follow(&a->alive, before ? &before->alive : &nobody, &table->alive);
	if (before)
		carry_slots(before, table);
	a->table = table;
	a->leaving = before;
	a->leaving_at = 0;
	a->leaving_since = now;
	carry_schedule(a, before);
	carry_changes(a);
	count_owned(a);
	decide_owners(a, now);
	if (before) {
		l2_claim_rejudge(a, now);
		announce_on_news(a, before, now);
		announce_new_choices(a, before, now);
		announce_to_followers(a, before, now);
	}
	refresh_retime(a, now);
	return before;
}

struct l2_table *l2_announcer_table(struct l2_announcer *a)
{
	return a->table;
}

struct l2_stats *l2_announcer_stats(struct l2_announcer *a)
{
	return &a->stats;
}

/* Events */

static bool next_leaving(struct l2_announcer *a, struct l2_event *out)
{
	while (a->leaving && a->leaving_at < a->leaving->n_addresses) {
		uint32_t i = a->leaving_at++;
		const struct l2_slot *slot = &a->leaving->slots[i];
		if (slot->moved != L2_NONE || !slot->told)
			continue;
		*out = (struct l2_event){ .kind = L2_LOST,
					  .addr = a->leaving->addresses[i].addr,
					  .at = a->leaving_since };
		l2_state_set(&a->leaving->addresses[i].stats->owned, 0);
		l2_count(&a->stats.lost);
		return true;
	}
	a->leaving = NULL;
	return false;
}

static bool next_changed(struct l2_announcer *a, struct l2_event *out)
{
	while (a->changed.head != L2_NONE) {
		uint32_t i = a->changed.head;
		struct l2_slot *slot = &a->table->slots[i];
		if (slot->conflict) {
			slot->conflict = false;
			l2_claim_event(a, i, out);
			return true;
		}
		a->changed.head = slot->changed_next;
		if (a->changed.head == L2_NONE)
			a->changed.tail = L2_NONE;
		slot->changed = false;
		if (slot->told == slot->owned && slot->hold_told == slot->hold)
			continue; /* there and back again */
		*out = (struct l2_event){ .addr = a->table->addresses[i].addr,
					  .at = a->changed_since };
		bool owner = slot->told != slot->owned;
		slot->told = slot->owned;
		slot->hold_told = slot->hold;
		out->kind = !owner ? L2_HELD : slot->owned ? L2_TOOK : L2_LOST;
		if (owner)
			l2_count(slot->owned ? &a->stats.took : &a->stats.lost);
		return true;
	}
	return false;
}

bool l2_announcer_next_event(struct l2_announcer *a, struct l2_event *out)
{
	return next_leaving(a, out) || next_changed(a, out);
}

bool l2_announcer_is_leaving(const struct l2_announcer *a)
{
	return a->leaving;
}

bool l2_announcer_has_events(const struct l2_announcer *a)
{
	return a->leaving || a->changed.head != L2_NONE;
}

/* Announcing */

/** An advertisement's source; an interface without an address of its own lends none. */
static const struct addr *source_for(const struct l2_iface *iface, const struct addr *target)
{
	return addr_is_set(&iface->link_local) ? &iface->link_local : target;
}

static void probe_build(const struct l2_iface *iface, const struct addr *addr, struct wr *w)
{
	if (l2_proto_of(addr) == L2_ARP)
		arp_probe_build(w, &iface->mac, addr);
	else
		ndp_probe_build(w, &iface->mac, addr);
}

static void announcement_build(const struct l2_iface *iface, const struct addr *addr, unsigned step,
			       struct wr *w)
{
	if (l2_proto_of(addr) == L2_ARP)
		arp_gratuitous_build(w, step % L2_ROUND_STEPS ? ARP_REPLY : ARP_REQUEST,
				     &iface->mac, addr);
	else
		ndp_unsolicited_build(w, &iface->mac, source_for(iface, addr), addr);
}

/** What address @i has to say on @iface in its step. */
static void frame_build(struct l2_announcer *a, uint32_t i, const struct l2_iface *iface,
			struct l2_frame *out)
{
	const struct l2_address *addr = &a->table->addresses[i];
	unsigned step = a->table->slots[i].step;
	struct wr w = wr_to(out->bytes, sizeof(out->bytes));

	out->ifindex = iface->ifindex;
	out->proto = l2_proto_of(&addr->addr);
	if (step >= L2_PROBE_STEP) {
		probe_build(iface, &addr->addr, &w);
		l2_count(&a->stats.probes);
	} else {
		announcement_build(iface, &addr->addr, step, &w);
		l2_small_count(&addr->stats->gratuitous);
	}
	assert(!w.bad);
	out->len = w.len;
}

/**
 * The next interface on which this step of address @i is still to be sent, or NULL. The youngest first: who hears a
 * link and the one below it is to believe the latter, which answers.
 */
static const struct l2_iface *next_iface(const struct l2_table *t, uint32_t i)
{
	struct l2_slot *slot = &t->slots[i];

	while (slot->iface_at < t->n_ifaces) {
		const struct l2_iface *iface = &t->ifaces[t->n_ifaces - ++slot->iface_at];
		if (slot->only_ifindex && slot->only_ifindex != (uint32_t)iface->ifindex)
			continue;
		if (l2_address_allows(&t->addresses[i], iface))
			return iface;
	}
	return NULL;
}

static void pace(struct l2_announcer *a, struct mono now)
{
	if (a->table->policy.rate == 0)
		return;
	struct mono from = mono_before(a->paced_until, now) ? now : a->paced_until;
	a->paced_until =
		mono_add(from, DUR_NS(INT64_C(1000000000) / (int64_t)a->table->policy.rate));
}

void l2_announcer_tick(struct l2_announcer *a, struct mono now)
{
	if (!a->table)
		return;
	a->changed_since = now;
	if (!mono_before(now, a->refresh_at))
		refresh_due(a, now);
	l2_claim_tick(a, now);
}

bool l2_announcer_next_frame(struct l2_announcer *a, struct mono now, struct l2_frame *out)
{
	if (!a->table || mono_before(now, a->paced_until))
		return false;
	for (;;) {
		uint32_t i = l2_schedule_due(&a->schedule, now);
		if (i == L2_NONE)
			return false;
		const struct l2_address *addr = &a->table->addresses[i];
		const struct l2_iface *iface = next_iface(a->table, i);
		if (iface) {
			frame_build(a, i, iface, out);
			pace(a, now);
			return true;
		}
		/* IPv6 has one form of announcement: its rounds are one step. */
		bool skips = l2_proto_of(&addr->addr) == L2_NDP &&
			     a->table->slots[i].step < L2_PROBE_STEP;
		l2_schedule_advance(&a->schedule, i, skips ? L2_ROUND_STEPS - 1 : 0, now);
	}
}

struct mono l2_announcer_deadline(const struct l2_announcer *a)
{
	struct mono at = mono_min(l2_schedule_deadline(&a->schedule), a->refresh_at);

	return mono_before(at, a->paced_until) ? a->paced_until : at;
}
