#include "app/layer2.h"

#include <linux/if_addr.h>
#include <string.h>

#include "app/iface_filter.h"
#include "app/moves.h"
#include "base/log.h"
#include "net/card.h"

static void entry_unref(struct l2_entry *e)
{
	if (--e->refs)
		return;
	free(e->ifindexes);
	free(e);
}

static struct l2_entry *entry_find(const struct layer2 *l, const struct addr *a)
{
	return addr_map_get(l->entries, a);
}

static struct l2_entry *entry_of(struct layer2 *l, const struct addr *a)
{
	struct l2_entry *e = entry_find(l, a);

	if (e)
		return e;
	e = mem_new(struct l2_entry);
	e->addr = *a;
	e->since = loop_now(l->loop);
	e->refs = 1;
	addr_map_put(l->entries, e);
	return e;
}

/* What nobody lists and we do not own is forgotten; tables on their way keep it alive. */
static bool entry_prune(struct layer2 *l, struct l2_entry *e)
{
	if (e->listed || e->owned)
		return false;
	(void)addr_map_del(l->entries, &e->addr);
	entry_unref(e);
	return true;
}

static void entries_prune(struct layer2 *l)
{
	struct l2_entry *e;

	for (size_t at = 0; (e = addr_map_next(l->entries, &at));)
		at -= entry_prune(l, e);
}

/* --- the table --- */

/* Everything that one table is built from; freed when it is built. */
struct draft {
	struct l2_iface *ifaces;
	size_t n_ifaces, cap_ifaces;
	struct l2_address_conf *addresses;
	size_t n_addresses, cap_addresses;
	struct l2_member *members;
	size_t n_members, cap_members;
	struct arena *arena;
	uint16_t self;
	struct l2_nodes alive;
	struct l2_nodes named; /* whose numbers are held for the table */
	bool node_missing;     /* a candidate has no number */
};

/* The end of a virtual machine's card: its Ethernet address is not this host's. */
static bool is_of_a_machine(const struct net_link *link)
{
	return strcmp(link->kind, "macvtap") == 0 || strcmp(link->kind, "ipvtap") == 0;
}

bool layer2_suits(const struct layer2 *l, const struct net_link *link)
{
	return !link->master && !link->noarp && !link->loopback && !is_of_a_machine(link) &&
	       !iface_filter_excludes(l->filter, link->name);
}

bool layer2_uses(const struct layer2 *l, const struct net_link *link)
{
	return link->up && layer2_suits(l, link);
}

/* The link whose frames from outside this one hears, too: two answers to each question would be two owners. */
static int link_below(const struct layer2 *l, const struct net_link *link)
{
	const struct net_link *below = strcmp(link->kind, "macvlan") == 0
					       ? net_links_by_index(l->links, link->lower)
					       : NULL;

	return below && layer2_uses(l, below) && !mac_eq(&below->mac, &link->mac) ? below->ifindex
										  : 0;
}

/* One that the kernel is not sure of yet may be somebody else's. */
static struct addr link_local_of(const struct net_link *link)
{
	const uint32_t unsure = IFA_F_TENTATIVE | IFA_F_DADFAILED;

	for (size_t i = 0; i < link->n_addrs; i++)
		if (link->addrs[i].addr.family == FAMILY_V6 &&
		    addr_is_link_local(&link->addrs[i].addr) && !(link->addrs[i].flags & unsure))
			return link->addrs[i].addr;
	return (struct addr){ 0 };
}

static bool wants_all_multicast(const struct layer2 *l, const struct net_link *link)
{
	return l->allmulti == CFG_ALLMULTI_ON ||
	       (l->allmulti == CFG_ALLMULTI_AUTO && card_loses_multicast("/sys", link->name));
}

static void draft_links(struct layer2 *l, struct draft *d)
{
	const struct net_link *link;

	for (size_t at = 0; (link = net_links_next(l->links, &at));) {
		if (!layer2_uses(l, link))
			continue;
		mem_grow(d->ifaces, d->n_ifaces, d->cap_ifaces);
		struct l2_iface *i = &d->ifaces[d->n_ifaces++];

		*i = (struct l2_iface){ .ifindex = link->ifindex, .mac = link->mac };
		snprintf(i->name, sizeof(i->name), "%s", link->name);
		i->link_local = link_local_of(link);
		i->arp = link->broadcast;
		i->ndp = link->has_mac;
		i->ping = l->answer_ping;
		i->allmulti = wants_all_multicast(l, link);
		i->below = link_below(l, link);
		i->carrier = link->running;
		i->mtu = link->mtu;
	}
}

static void say_lives(struct layer2 *l, uint16_t id, bool alive)
{
	if (node_ids_is_living(l->ids, id) == alive)
		return;
	node_ids_set_living(l->ids, id, alive);
	packet_set_alive(l->packet, id, alive);
}

void layer2_node(struct layer2 *l, const char *name)
{
	const struct world_node *node = world_node(l->world, name);
	bool alive = node && node->alive;
	uint16_t id;

	/* The dead need no number: who has none is in no table. */
	if (alive ? node_ids_of(l->ids, name, &id) == 0 : node_ids_find(l->ids, name, &id))
		say_lives(l, id, alive);
}

/* The number of a node, held for the table that comes of this draft. */
static bool draft_number(struct layer2 *l, struct draft *d, const char *node, uint16_t *out)
{
	if (node_ids_of(l->ids, node, out) < 0)
		return false;
	if (!l2_nodes_has(&d->named, *out))
		node_ids_hold(l->ids, *out);
	l2_nodes_set(&d->named, *out, true);
	return true;
}

static void numbers_release(struct layer2 *l, const struct l2_nodes *named)
{
	for (unsigned id = 0; id < NODE_IDS_MAX; id++)
		if (l2_nodes_has(named, id))
			node_ids_release(l->ids, (uint16_t)id);
}

static void draft_nodes(struct layer2 *l, struct draft *d)
{
	const struct world_node *node;
	uint16_t id;

	d->node_missing = !draft_number(l, d, world_me(l->world), &d->self);
	for (size_t at = 0; (node = world_next_node(l->world, &at));) {
		if (!node->alive || !draft_number(l, d, node->name, &id))
			continue;
		l2_nodes_set(&d->alive, id, true);
		say_lives(l, id, true); /* when it joined there may have been no number left */
	}
}

static void draft_member(struct draft *d, const struct mac *mac, uint16_t id)
{
	mem_grow(d->members, d->n_members, d->cap_members);
	d->members[d->n_members++] = (struct l2_member){ .mac = *mac, .node = id };
}

/*
 * Whose Ethernet addresses are known: all of this host's, for what comes back by a loop or from a card beside the
 * announcing one, and those of members that have a number anyway.
 */
static void draft_members(struct layer2 *l, struct draft *d)
{
	const struct net_link *link;
	const char *node;
	struct mac mac;
	uint16_t id;

	for (size_t at = 0; (link = net_links_next(l->links, &at));)
		if (link->has_mac && !link->loopback)
			draft_member(d, &link->mac, d->self);
	for (size_t at = 0; rivals_next(l->rivals, &at, &mac, &node);)
		if (node_ids_find(l->ids, node, &id))
			draft_member(d, &mac, id);
}

static void draft_succession(struct layer2 *l, struct draft *d, const struct plan_l2 *p,
			     struct l2_address_conf *a)
{
	uint16_t *nodes = arena_new_n(d->arena, uint16_t, p->n_succession);

	for (size_t i = 0; i < p->n_succession; i++)
		if (draft_number(l, d, p->succession[i].node, &nodes[a->n_nodes]))
			a->n_nodes++;
		else
			d->node_missing = true;
	a->nodes = nodes;
}

static void draft_interfaces(struct layer2 *l, struct draft *d, const struct plan_l2 *p,
			     struct l2_address_conf *a)
{
	int *ifindexes = arena_new_n(d->arena, int, p->interfaces->n);

	a->all_ifaces = p->all_interfaces;
	for (size_t i = 0; i < p->interfaces->n; i++) {
		const struct net_link *link = net_links_by_name(l->links, p->interfaces->v[i]);

		if (link)
			ifindexes[a->n_ifindexes++] = link->ifindex;
	}
	a->ifindexes = ifindexes;
}

/* For the time when no decision of ours tells it any more. */
static void entry_note_interfaces(struct l2_entry *e, const struct l2_address_conf *a)
{
	free(e->ifindexes);
	e->all_ifaces = a->all_ifaces;
	e->ifindexes = a->n_ifindexes
			       ? mem_dup(a->ifindexes, a->n_ifindexes * sizeof(*a->ifindexes))
			       : NULL;
	e->n_ifindexes = (uint16_t)a->n_ifindexes;
}

static struct l2_address_conf *draft_entry(struct draft *d, struct l2_entry *e)
{
	e->listed = true;
	e->refs++; /* the table's */
	mem_grow(d->addresses, d->n_addresses, d->cap_addresses);
	struct l2_address_conf *a = &d->addresses[d->n_addresses++];

	*a = (struct l2_address_conf){ .addr = e->addr, .stats = &e->stats };
	return a;
}

static void draft_address(struct layer2 *l, struct draft *d, const struct plan_l2 *p)
{
	struct l2_entry *e = entry_of(l, &p->addr);

	if (e->listed) /* services that share it have the same succession */
		return;
	struct l2_address_conf *a = draft_entry(d, e);

	e->pings = l->answer_ping && !net_links_holder(l->links, &p->addr, &(size_t){ 0 });
	a->pings = e->pings;
	a->going = moves_is_going(l, e, moves_is_ours(l, p));
	draft_succession(l, d, p, a);
	draft_interfaces(l, d, p, a);
	entry_note_interfaces(e, a);
}

/* Ours no more by any decision, while another node takes it. */
static void draft_leaving(struct layer2 *l, struct draft *d)
{
	struct l2_entry *e;

	for (size_t at = 0; (e = addr_map_next(l->entries, &at));) {
		if (e->listed || !moves_is_served(l, &e->addr) || !moves_is_going(l, e, false))
			continue;
		struct l2_address_conf *a = draft_entry(d, e);

		a->going = true;
		a->all_ifaces = e->all_ifaces;
		a->ifindexes = e->ifindexes;
		a->n_ifindexes = e->n_ifindexes;
	}
}

static void draft_addresses(struct layer2 *l, struct draft *d)
{
	struct l2_entry *e;
	const struct plan *plan;

	for (size_t at = 0; (e = addr_map_next(l->entries, &at));)
		e->listed = false;
	for (size_t at = 0; (plan = planner_next(l->planner, &at));)
		for (size_t i = 0; i < plan->n_l2; i++)
			draft_address(l, d, &plan->l2[i]);
	draft_leaving(l, d);
}

static void draft_fini(struct draft *d)
{
	free(d->ifaces);
	free(d->addresses);
	free(d->members);
	arena_free(d->arena);
}

/* A tie that has no number is dead, or this part is not told by it. */
static struct l2_quorum quorum_of(const struct layer2 *l)
{
	const struct world_quorum *q = world_quorum(l->world);
	struct l2_quorum out = { .of = (uint16_t)MIN(q->of, UINT16_MAX) };

	out.has_tie = q->tie && node_ids_find(l->ids, q->tie, &out.tie);
	return out;
}

static struct l2_entry *entry_of_stats(struct l2_address_stats *stats)
{
	return CONTAINER_OF(stats, struct l2_entry, stats);
}

/* Whoever looks for them in /proc/net/igmp6 shall find out why they are not there. */
static void groups_apply(struct layer2 *l, const struct l2_table *t)
{
	l2_groups_apply(l->groups, t);
	struct l2_groups_count c = l2_groups_count(l->groups);

	if (c.ours && !l->groups_ours)
		log_event(
			LOG_INFO, "groupsHeld",
			"too many IPv6 multicast groups for the kernel; crier speaks for the rest",
			KV_U64("crier", c.ours), KV_U64("kernel", c.kernel));
	l->groups_ours = c.ours;
}

static void table_hand_over(struct layer2 *l, struct draft *d)
{
	struct l2_table_conf conf = {
		.self = d->self,
		.policy = l->policy,
		.quorum = quorum_of(l),
		.members = d->members,
		.n_members = d->n_members,
		.alive = &d->alive,
		.ifaces = d->ifaces,
		.n_ifaces = d->n_ifaces,
		.addresses = d->addresses,
		.n_addresses = d->n_addresses,
		.by_map = fastpath_filters(l->fastpath),
	};
	struct l2_table *t = NULL;
	struct err e = { 0 };

	/* Without one of its candidates a list would give an address two owners. */
	if (d->node_missing)
		(void)err_set(&e, ERR_LIMIT, "more than %d nodes at a time", NODE_IDS_MAX);
	if (e.kind || l2_table_new(&conf, &t, &e) < 0) {
		log_event(LOG_ERROR, "layer2Stale",
			  "the Layer 2 table can't be built; what was announced stays",
			  KV_STR("error", e.text));
		for (size_t i = 0; i < d->n_addresses; i++)
			entry_unref(entry_of_stats(d->addresses[i].stats));
		numbers_release(l, &d->named);
		return;
	}
	groups_apply(l, t);
	fastpath_links(l->fastpath, d->ifaces, d->n_ifaces, l->links);
	packet_set_l2(l->packet, t);
	l->on_table(l->ctx);
}

/* An address may be about to move because of what has changed. */
#define HEARING_AFTER DUR_S(1)

static void hearing_look(struct loop_timer *t, struct mono now)
{
	struct layer2 *l = CONTAINER_OF(t, struct layer2, hearing);
	CLEANUP(mem_freep) char *which = layer2_unheard(l);

	(void)now;
	if (which && !l->unheard)
		log_event(LOG_WARN, "unheard",
			  "no link to announce addresses on is up with a carrier",
			  KV_STR("addresses", which));
	if (!which && l->unheard)
		log_event(LOG_INFO, "heardAgain", "all addresses are announced on a link again");
	l->unheard = which;
}

static void hearing_touch(struct layer2 *l)
{
	if (!loop_timer_active(&l->hearing))
		loop_timer_set(&l->hearing, mono_add(loop_now(l->loop), HEARING_AFTER));
}

/* So many addresses leave holes that are worth it; when all that follows from the table has been done and told. */
enum { SPARE_FROM = 1000 };
#define SPARE_AFTER DUR_S(1)

static void give_back(struct loop_timer *t, struct mono now)
{
	(void)t;
	(void)now;
	mem_trim();
}

static void rebuild_now(struct loop_task *task)
{
	struct layer2 *l = CONTAINER_OF(task, struct layer2, rebuild);
	struct draft d = { .arena = arena_new() };

	/* While decisions are still being made the table would be of two worlds. */
	if (l->packet && !l->held && planner_is_settled(l->planner) && moves_are_in_place(l)) {
		draft_links(l, &d);
		draft_nodes(l, &d);
		draft_addresses(l, &d);
		draft_members(l, &d);
		table_hand_over(l, &d);
		entries_prune(l);
		hearing_touch(l);
	}
	if (d.n_addresses >= SPARE_FROM)
		loop_timer_set(&l->spare, mono_add(loop_now(l->loop), SPARE_AFTER));
	draft_fini(&d);
}

static void look_again(struct loop_timer *t, struct mono now)
{
	(void)now;
	layer2_touch(CONTAINER_OF(t, struct layer2, later));
}

/* What draft_number() held for it. */
static struct l2_nodes named_by(const struct l2_table *t)
{
	struct l2_nodes named = t->alive;

	l2_nodes_set(&named, t->self, true);
	for (size_t i = 0; i < t->n_addresses; i++)
		for (size_t k = 0; k < t->addresses[i].rule->n_nodes; k++)
			l2_nodes_set(&named, t->addresses[i].rule->nodes[k], true);
	return named;
}

void layer2_retired(struct layer2 *l, struct l2_table *t)
{
	struct l2_nodes named = named_by(t);

	numbers_release(l, &named);
	for (size_t i = 0; i < t->n_addresses; i++)
		entry_unref(entry_of_stats(t->addresses[i].stats));
	l2_table_free(t);
}

/* --- events --- */

static void entry_own(struct layer2 *l, struct l2_entry *e, bool owned, struct mono at)
{
	if (e->owned == owned)
		return;
	e->owned = owned;
	e->since = at;
	l->on_owner(l->ctx, &e->addr, owned);
}

void layer2_on_event(struct layer2 *l, const struct l2_event *ev)
{
	if (ev->kind == L2_SOCKET_FAILED) {
		const struct net_link *link = net_links_by_index(l->links, ev->ifindex);

		log_event(LOG_WARN, "socketFailed",
			  "Layer 2 hears nothing on an interface; trying again",
			  KV_STR("interface", link ? link->name : NULL),
			  KV_I64("ifindex", ev->ifindex), KV_STR("error", strerror(ev->error)));
		return;
	}
	if (ev->kind == L2_MAP_FAILED) {
		fastpath_map_failed(l->fastpath);
		log_event(LOG_WARN, "mapFailed",
			  "the kernel's map of addresses is full; filters take its place until the "
			  "next start");
		layer2_touch(l);
		return;
	}
	if (ev->kind == L2_CONFLICT) {
		if (rivals_conflict(l->rivals, ev, l->links))
			layer2_touch(l);
		return;
	}
	struct l2_entry *e = entry_of(l, &ev->addr);

	entry_own(l, e, ev->kind == L2_TOOK, ev->at);
	entry_prune(l, e);
	hearing_touch(l);
}

void layer2_reconcile(struct layer2 *l)
{
	struct l2_entry *e;

	for (size_t at = 0; (e = addr_map_next(l->entries, &at));) {
		struct l2_address_stats now;

		l2_address_stats_read(&e->stats, &now);
		entry_own(l, e, now.owned != 0, loop_now(l->loop));
	}
	entries_prune(l);
}

bool layer2_owns(const struct layer2 *l, const struct addr *a)
{
	const struct l2_entry *e = entry_find(l, a);

	return e && e->owned;
}

bool layer2_link_allowed(const struct layer2 *l, const char *name)
{
	return !iface_filter_excludes(l->filter, name);
}

bool layer2_next_address(const struct layer2 *l, size_t *at, struct addr *out)
{
	const struct l2_entry *e = addr_map_next(l->entries, at);

	if (e)
		*out = e->addr;
	return e;
}

void layer2_member_mac(struct layer2 *l, const char *node, const struct mac *mac)
{
	if (rivals_know(l->rivals, mac, node))
		layer2_touch(l);
}

void layer2_touch(struct layer2 *l)
{
	loop_task_queue(&l->rebuild);
}

/* They matter to whoever waits for one that moves here, and to pings: the kernel answers for what it has. */
void layer2_hosts_changed(struct layer2 *l)
{
	if (l->coming_until.ns || l->answer_ping)
		layer2_touch(l);
}

void layer2_release(struct layer2 *l)
{
	if (!l->held)
		return;
	l->held = false;
	layer2_touch(l);
}

static struct l2_policy policy_of(const struct cfg_l2 *c)
{
	return (struct l2_policy){
		.refresh = c->refresh,
		.rate = c->announce_rate,
		.detect = c->conflict_detection,
		.on_conflict =
			c->on_conflict == CFG_CONFLICT_YIELD ? L2_CONFLICT_YIELD : L2_CONFLICT_KEEP,
		.probe = c->probe == CFG_PROBE_ALWAYS  ? L2_PROBE_ALWAYS
			 : c->probe == CFG_PROBE_FIRST ? L2_PROBE_FIRST
						       : L2_PROBE_NEVER,
	};
}

int layer2_configure(struct layer2 *l, const struct cfg *c, struct err *e)
{
	struct iface_filter *f;

	if (iface_filter_new(c, &f, e) < 0)
		return -ERR_CONFIG;
	iface_filter_free(l->filter);
	l->filter = f;
	l->policy = policy_of(&c->l2);
	l->answer_ping = c->l2.answer_ping;
	l->allmulti = c->l2.allmulti;
	fastpath_configure(l->fastpath, c->l2.fast_path);
	layer2_touch(l);
	return 0;
}

static const char *rival_at(void *ctx, const struct addr *a)
{
	const struct layer2 *l = ctx;

	return l->member_at(l->ctx, a);
}

static void rival_heard(void *ctx, const char *node, bool heard)
{
	const struct layer2 *l = ctx;

	l->on_heard(l->ctx, node, heard);
}

void layer2_init(struct layer2 *l, struct loop *loop, const struct world *world,
		 const struct planner *planner, struct net_links *links, struct node_ids *ids)
{
	*l = (struct layer2){
		.loop = loop,
		.world = world,
		.planner = planner,
		.links = links,
		.ids = ids,
		.groups = l2_groups_new(loop),
		.held = true,
		.entries = addr_map_new(),
	};
	l->fastpath = fastpath_new();
	l->rivals = rivals_new(
		loop,
		&(struct rivals_hooks){ .ctx = l, .member_at = rival_at, .heard = rival_heard });
	loop_task_init(&l->rebuild, loop, rebuild_now);
	loop_timer_init(&l->later, loop, look_again);
	loop_timer_init(&l->spare, loop, give_back);
	loop_timer_init(&l->hearing, loop, hearing_look);
}

void layer2_attach(struct layer2 *l, struct packet *packet, const struct mesh *mesh)
{
	l->packet = packet;
	l->mesh = mesh;
}

void layer2_fini(struct layer2 *l)
{
	struct l2_entry *e;

	if (!l->entries)
		return;
	loop_task_cancel(&l->rebuild);
	loop_timer_stop(&l->later);
	loop_timer_stop(&l->spare);
	loop_timer_stop(&l->hearing);
	l->groups = l2_groups_free(l->groups);
	for (size_t at = 0; (e = addr_map_next(l->entries, &at));)
		entry_unref(e);
	l->entries = addr_map_free(l->entries);
	l->filter = iface_filter_free(l->filter);
	l->rivals = rivals_free(l->rivals);
	l->fastpath = fastpath_free(l->fastpath);
}
