#include "vip/choose.h"

#include <stdio.h>
#include <string.h>

#include "net/ifaddr.h"

/* Up for this address: who has it already may lose the carrier. */
static bool is_up(const struct net_link *l, int now_on)
{
	return l->up && (l->running || l->ifindex == now_on);
}

static const struct net_link *by_name(const struct vip_view *v, const char *name, int now_on,
				      char *reason)
{
	for (size_t i = 0; i < v->n_links; i++) {
		const struct net_link *l = &v->links[i];

		if (strcmp(l->name, name) != 0)
			continue;
		if (is_up(l, now_on))
			return l;
		snprintf(reason, VIP_REASON_MAX, "link %s %s", name,
			 l->up ? "has no carrier" : "is down");
		return NULL;
	}
	snprintf(reason, VIP_REASON_MAX, "there is no link %s", name);
	return NULL;
}

static const struct net_link *loopback(const struct vip_view *v, char *reason)
{
	for (size_t i = 0; i < v->n_links; i++) {
		if (v->links[i].loopback && v->links[i].up)
			return &v->links[i];
	}
	snprintf(reason, VIP_REASON_MAX, "the loopback link is down");
	return NULL;
}

/* Why a link on the right network does not count; NULL: it does. */
static const char *objection(const struct vip_view *v, const struct net_link *l, int now_on)
{
	if (!l->up)
		return "is down";
	if (!is_up(l, now_on))
		return "has no carrier";
	if (v->allowed && !v->allowed(v->ctx, l->name))
		return "is excluded";
	return NULL;
}

static const struct net_link *by_network(const struct vip_view *v, const struct addr *a, int now_on,
					 char *reason)
{
	const struct net_link *best = NULL;
	unsigned best_len = 0;
	int preferred = -1; /* not asked yet */

	snprintf(reason, VIP_REASON_MAX, "no link is on a network that holds %s", ADDR_TEXT(a));
	for (size_t i = 0; i < v->n_links; i++) {
		const struct net_link *l = &v->links[i];
		unsigned len = l->loopback || l->noarp ? 0 : net_link_holds(l, a);
		const char *why_not = len ? objection(v, l, now_on) : NULL;

		if (why_not)
			snprintf(reason, VIP_REASON_MAX, "link %s holds %s, but %s", l->name,
				 ADDR_TEXT(a), why_not);
		if (!len || why_not || len < best_len)
			continue;
		if (len == best_len && preferred < 0)
			preferred = v->default_link ? v->default_link(v->ctx, a->family) : 0;
		if (len > best_len || l->ifindex == preferred) {
			best = l;
			best_len = len;
		}
	}
	return best;
}

const struct net_link *vip_choose(const struct vip_view *v, const struct vip_wish *w, int now_on,
				  char reason[static VIP_REASON_MAX])
{
	const struct net_link *l;

	if (w->link)
		l = by_name(v, w->link, now_on, reason);
	else if (w->mode == VIP_ROUTED)
		l = loopback(v, reason);
	else
		l = by_network(v, &w->addr, now_on, reason);
	if (l)
		reason[0] = '\0';
	return l;
}

bool vip_is_ours(const struct net_addr *found, const struct addr *a, int ifindex, bool proto_kept)
{
	return found->ifindex == ifindex && found->prefix_len == addr_bits(a) &&
	       addr_eq(&found->addr, a) && (!proto_kept || found->proto == IFADDR_PROTO);
}

/* The first entry of @a on a link, or NULL; further ones stand behind it. */
static const struct net_addr *entry_of(const struct net_link *l, const struct addr *a)
{
	size_t lo = 0;

	for (size_t hi = l->n_addrs; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&l->addrs[mid].addr, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n_addrs && addr_eq(&l->addrs[lo].addr, a) ? &l->addrs[lo] : NULL;
}

/* Who has an address, by the table. */
struct holders {
	bool we;
	bool replaced;		      /* somebody else, where we had put it */
	const struct net_link *other; /* the first link where it is somebody else's */
};

static struct holders who_has(const struct vip_view *v, const struct addr *a, int held_on)
{
	struct holders h = { 0 };

	for (size_t i = 0; i < v->n_links; i++) {
		const struct net_link *l = &v->links[i];
		const struct net_addr *end = l->addrs + l->n_addrs;
		const struct net_addr *at = entry_of(l, a);

		for (; at && at < end && addr_eq(&at->addr, a); at++) {
			if (vip_is_ours(at, a, held_on, v->proto_kept)) {
				h.we = true;
				continue;
			}
			h.replaced = h.replaced || l->ifindex == held_on;
			h.other = h.other ? h.other : l;
		}
	}
	return h;
}

/* It is wanted and stands on a link by somebody else's hand. */
static void leave_alone(struct vip_step *s, const struct net_link *other)
{
	s->state = VIP_FOREIGN;
	s->link = other->ifindex;
	snprintf(s->reason, sizeof(s->reason), "somebody else has put it on %s; left alone",
		 other->name);
}

struct vip_step vip_decide(const struct vip_view *v, const struct vip_wish *w, const struct addr *a,
			   struct vip_held held)
{
	struct holders h = who_has(v, a, held.ifindex);
	struct vip_step s = { .state = VIP_UNPLACED, .seen = h.we };

	s.lost = held.ifindex && !h.we && (held.seen || h.replaced);
	int now_on = s.lost ? 0 : held.ifindex;
	s.remove_from = now_on;
	if (!w)
		return s;
	if (!now_on && h.other) {
		leave_alone(&s, h.other);
		return s;
	}
	const struct net_link *l = vip_choose(v, w, held.ifindex, s.reason);
	if (!l)
		return s;
	s.state = VIP_BOUND;
	s.link = l->ifindex;
	if (l->ifindex == now_on)
		s.remove_from = 0;
	else
		s.add_to = l->ifindex;
	return s;
}
