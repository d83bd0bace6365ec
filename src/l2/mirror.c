#include "l2/mirror.h"

static bool is_wanted(const struct l2_slot *slot)
{
	return slot->owned || slot->hold != L2_HOLD_NONE;
}

/** What drivers have answered is forgotten with an entry, and when it is put in again: so it is noted before. */
static void note_answers(const struct l2_mirror *m, int ifindex, const struct l2_address *a)
{
	struct mono last;
	uint64_t n;

	if (!fast_has_answered(m->fast) || !fast_answers(m->fast, ifindex, &a->addr, &n, &last))
		return;
	l2_count_n(&a->stats->requests, n);
	l2_count_n(&a->stats->replies, n);
}

static void forget(const struct l2_mirror *m, const struct l2_table *t, const struct l2_address *a)
{
	for (size_t i = 0; i < t->n_ifaces; i++) {
		note_answers(m, t->ifaces[i].ifindex, a);
		fast_del(m->fast, t->ifaces[i].ifindex, &a->addr);
	}
}

static void put(struct l2_mirror *m, const struct l2_table *t, uint32_t i)
{
	const struct l2_address *a = &t->addresses[i];

	for (size_t k = 0; k < t->n_ifaces && m->fast; k++) {
		const struct l2_iface *iface = &t->ifaces[k];
		if (!l2_address_allows(a, iface))
			continue;
		const struct fast_entry entry = { .ifindex = iface->ifindex,
						  .addr = a->addr,
						  .mac = iface->mac,
						  .answers = t->slots[i].owned };
		note_answers(m, iface->ifindex, a);
		if (fast_put(m->fast, &entry) < 0)
			m->fast = NULL;
	}
}

void l2_mirror_address(struct l2_mirror *m, const struct l2_table *t, const struct addr *addr)
{
	uint32_t i = l2_table_find(t, addr);

	if (!m->fast || i == L2_NONE)
		return;
	if (is_wanted(&t->slots[i]))
		put(m, t, i);
	else
		forget(m, t, &t->addresses[i]);
}

static bool same_ifaces(const struct l2_table *a, const struct l2_table *b)
{
	if (a->n_ifaces != b->n_ifaces)
		return false;
	for (size_t i = 0; i < a->n_ifaces; i++) {
		const struct l2_iface *x = &a->ifaces[i];
		const struct l2_iface *y = &b->ifaces[i];
		if (x->ifindex != y->ifindex || !mac_eq(&x->mac, &y->mac) || x->arp != y->arp ||
		    x->ndp != y->ndp)
			return false;
	}
	return true;
}

void l2_mirror_table(struct l2_mirror *m, const struct l2_table *before, const struct l2_table *now)
{
	bool same = before && same_ifaces(before, now);

	for (uint32_t i = 0; before && i < before->n_addresses && m->fast; i++) {
		uint32_t to = before->slots[i].moved;
		if (!is_wanted(&before->slots[i]))
			continue;
		if (same && to != L2_NONE &&
		    l2_rule_same_choice(before->addresses[i].rule, now->addresses[to].rule))
			continue;
		forget(m, before, &before->addresses[i]);
		if (to != L2_NONE && is_wanted(&now->slots[to]))
			put(m, now, to);
	}
}
