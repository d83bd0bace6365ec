/* What people are told of Layer 2: each address, what stands against it, metrics. */
#include <string.h>

#include "app/json.h"
#include "app/layer2.h"

/*
 * @hint: where the last one was found. Who asks for one address after the other finds the next one behind it: else a list of
 * ten thousand would take a second.
 */
static const struct plan_l2 *l2_of(const struct plan *plan, const struct addr *a, size_t *hint)
{
	for (size_t i = 0; plan && i < plan->n_l2; i++) {
		size_t at = (*hint + i) % plan->n_l2;

		if (!addr_eq(&plan->l2[at].addr, a))
			continue;
		*hint = at + 1;
		return &plan->l2[at];
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is decided about an address, and the services that it is decided for, by name. */
static const struct plan_l2 *planned(const struct layer2 *l, const struct addr *a, size_t *hint,
				     json_t *services)
{
	const struct plan_l2 *found = NULL;
	size_t n_holders, n = 0;
	const struct world_service *const *holders = world_holders(l->world, a, &n_holders);
	CLEANUP(mem_freep) const char **names = mem_new_n(const char *, n_holders);

	for (size_t i = 0; i < n_holders; i++) {
		const struct plan_l2 *p = l2_of(planner_plan(l->planner, holders[i]->key), a, hint);

		if (!p)
			continue;
		found = found ? found : p; /* all that share it have the same succession */
		names[n++] = holders[i]->key;
	}
	if (n > 1)
		qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(services, json_string(names[i]));
	return found;
}

static json_t *succession_json(const struct plan_l2 *p)
{
	json_t *names = json_array();

	for (size_t i = 0; i < p->n_succession; i++)
		json_array_append_new(names, json_string(p->succession[i].node));
	return names;
}

static json_t *interfaces_json(const struct plan_l2 *p)
{
	json_t *names = json_array();

	if (p->all_interfaces)
		json_array_append_new(names, json_string("*"));
	for (size_t i = 0; !p->all_interfaces && i < p->interfaces->n; i++)
		json_array_append_new(names, json_string(p->interfaces->v[i]));
	return names;
}

static const char *entry_state(const struct l2_entry *e, const struct l2_address_stats *counts)
{
	if (e->owned)
		return "owner";
	if (counts->hold == L2_HOLD_PROBE)
		return "probing";
	return counts->hold == L2_HOLD_NONE ? "standby" : "yielded";
}

struct in_kernel {
	uint64_t answered; /* inside the kernel, since the address was taken or its links changed */
	struct mono last;
};

static struct in_kernel in_kernel(const struct layer2 *l, const struct l2_entry *e)
{
	const struct fast *fast = fastpath_fast(l->fastpath);
	const struct net_link *link;
	struct in_kernel all = { 0 };
	struct mono last;
	uint64_t n;

	if (!fast || !fast_has_answered(fast) || !e->owned)
		return all;
	for (size_t at = 0; (link = net_links_next(l->links, &at));) {
		if (!fast_answers(fast, link->ifindex, &e->addr, &n, &last))
			continue;
		all.answered += n;
		all.last = mono_before(all.last, last) ? last : all.last;
	}
	return all;
}

/* By the process and by the kernel. */
static void read_counts(const struct layer2 *l, const struct l2_entry *e,
			struct l2_address_stats *out)
{
	l2_address_stats_read(&e->stats, out);
	uint64_t n = in_kernel(l, e).answered;

	out->requests += n;
	out->replies += n;
}

/* Who listens to the solicited-node group of an address: one word, wherever any of it is ours. */
static const char *group_holder(const struct layer2 *l, const struct addr *a)
{
	const struct net_link *link;
	const char *by = NULL;

	for (size_t at = 0; (link = net_links_next(l->links, &at));) {
		enum l2_holder holder = l2_groups_holder(l->groups, link->ifindex, a);

		if (holder == L2_HOLDER_OURS)
			return "crier";
		if (holder == L2_HOLDER_KERNEL)
			by = "kernel";
	}
	return by;
}

static json_t *entry_json(const struct layer2 *l, const struct l2_entry *e, size_t *hint)
{
	struct l2_address_stats counts;

	read_counts(l, e, &counts);
	json_t *item = json_item(ADDR_TEXT(&e->addr), entry_state(e, &counts), e->since);
	json_t *services = json_array();
	const struct plan_l2 *p = planned(l, &e->addr, hint, services);

	if (p) {
		if (p->n_succession)
			json_set_text(item, "owner", p->succession[0].node);
		json_object_set_new(item, "succession", succession_json(p));
		json_object_set_new(item, "interfaces", interfaces_json(p));
	}
	json_object_set_new(item, "services", services);
	json_set_u64(item, "requests", counts.requests);
	json_set_u64(item, "replies", counts.replies);
	json_set_u64(item, "gratuitous", counts.gratuitous);
	const struct in_kernel k = in_kernel(l, e);
	json_set_u64(item, "kernel-replies", k.answered);
	if (k.answered)
		json_set_text(item, "last-kernel-reply", JSON_TIME(k.last));
	json_object_set_new(item, "answers-ping", json_boolean(e->owned && e->pings));
	if (e->addr.family == FAMILY_V6)
		json_set_text(item, "group-held-by", group_holder(l, &e->addr));
	rivals_json(l->rivals, &counts, l->links, loop_now(l->loop), item);
	return item;
}

/* Whether anybody can hear what is said of it. */
static bool is_heard(const struct layer2 *l, const struct l2_entry *e)
{
	const struct net_link *link;

	for (size_t at = 0; (link = net_links_next(l->links, &at));) {
		if (!link->running || !layer2_uses(l, link))
			continue;
		if (e->all_ifaces)
			return true;
		for (size_t i = 0; i < e->n_ifindexes; i++)
			if (e->ifindexes[i] == link->ifindex)
				return true;
	}
	return false;
}

bool layer2_is_heard(const struct layer2 *l, const struct addr *a)
{
	const struct l2_entry *e = addr_map_get(l->entries, a);

	return e && is_heard(l, e);
}

const char *layer2_why_silent(const struct layer2 *l, const struct addr *a)
{
	static const char *const reasons[] = {
		[L2_HOLD_NONE] = "another node owns it",
		[L2_HOLD_PROBE] = "this node asks first whether the address is free",
		[L2_HOLD_MEMBER] = "a member that goes before this node claims it",
		[L2_HOLD_STRANGER] = "it is left to a machine outside the cluster, which claims it",
	};
	const struct l2_entry *e = addr_map_get(l->entries, a);
	struct l2_address_stats counts = { 0 };

	if (e)
		l2_address_stats_read(&e->stats, &counts);
	return reasons[counts.hold];
}

char *layer2_unheard(const struct layer2 *l)
{
	const struct l2_entry *e, *first = NULL;
	size_t n = 0;

	for (size_t at = 0; (e = addr_map_next(l->entries, &at));) {
		if (!e->owned || is_heard(l, e))
			continue;
		if (!first || addr_cmp(&e->addr, &first->addr) < 0)
			first = e;
		n++;
	}
	if (n == 0)
		return NULL;
	return n == 1 ? mem_printf("%s", ADDR_TEXT(&first->addr))
		      : mem_printf("%s and %zu more", ADDR_TEXT(&first->addr), n - 1);
}

static char *entry_problem(const struct layer2 *l, const struct l2_entry *e)
{
	struct l2_address_stats counts;

	l2_address_stats_read(&e->stats, &counts);
	return rivals_problem(l->rivals, &counts, l->links, loop_now(l->loop));
}

char *layer2_problem(const struct layer2 *l, const struct addr *a)
{
	const struct l2_entry *e = addr_map_get(l->entries, a);

	return e ? entry_problem(l, e) : NULL;
}

char *layer2_next_problem(const struct layer2 *l, size_t *at, struct addr *which)
{
	const struct l2_entry *e;

	while ((e = addr_map_next(l->entries, at))) {
		char *text = entry_problem(l, e);

		*which = e->addr;
		if (text)
			return text;
	}
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct l2_entry *const *x = a, *const *y = b;

	return addr_cmp(&(*x)->addr, &(*y)->addr);
}

static const struct l2_entry **entries_sorted(const struct layer2 *l, size_t *n)
{
	const struct l2_entry **v =
		mem_new_n(const struct l2_entry *, addr_map_len(l->entries) + 1);

	*n = 0;
	for (size_t at = 0; (v[*n] = addr_map_next(l->entries, &at));)
		++*n;
	if (*n > 1)
		qsort(v, *n, sizeof(v[0]), by_address);
	return v;
}

json_t *layer2_json(const struct layer2 *l)
{
	size_t n, hint = 0;
	CLEANUP(mem_freep) const struct l2_entry **v = entries_sorted(l, &n);
	json_t *items = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, entry_json(l, v[i], &hint));
	return items;
}

static double requests_of(const struct l2_address_stats *s)
{
	return (double)s->requests;
}

static double replies_of(const struct l2_address_stats *s)
{
	return (double)s->replies;
}

static double gratuitous_of(const struct l2_address_stats *s)
{
	return (double)s->gratuitous;
}

static void collect_entries(const struct layer2 *l, struct metric_writer *w, const char *name,
			    const char *help, double (*count_of)(const struct l2_address_stats *))
{
	size_t n;
	CLEANUP(mem_freep) const struct l2_entry **v = entries_sorted(l, &n);

	metric_family(w, METRIC_COUNTER, name, help);
	for (size_t i = 0; i < n; i++) {
		struct l2_address_stats counts;

		read_counts(l, v[i], &counts);
		metric_sample(w, name, METRIC_LABELS({ "ip", ADDR_TEXT(&v[i]->addr) }),
			      count_of(&counts));
	}
}

static void collect_outcomes(struct metric_writer *w, const char *name, const char *help,
			     const uint64_t counts[static L2_RX_COUNT])
{
	metric_family(w, METRIC_COUNTER, name, help);
	for (int i = 0; i < L2_RX_COUNT; i++)
		metric_sample(w, name, METRIC_LABELS({ "outcome", l2_rx_name((enum l2_rx)i) }),
			      (double)counts[i]);
}

static void collect_groups(const struct layer2 *l, struct metric_writer *w)
{
	static const char name[] = "crier_l2_groups";
	const struct l2_groups_count c = l2_groups_count(l->groups);
	const struct mld_stats *s = l2_groups_stats(l->groups);
	static const char queries[] = "crier_l2_mld_queries_total";

	metric_family(w, METRIC_GAUGE, name, "Solicited-node groups by who listens to them");
	metric_sample(w, name, METRIC_LABELS({ "holder", "kernel" }), (double)c.kernel);
	metric_sample(w, name, METRIC_LABELS({ "holder", "crier" }), (double)c.ours);
	metric_sample(w, name, METRIC_LABELS({ "holder", "none" }), (double)c.missing);
	metric_struct(w, "crier_l2_mld_", mld_metric_rows, mld_metric_rows_n, s);
	metric_family(w, METRIC_COUNTER, queries,
		      "MLD queries on links where crier speaks, by what became of them");
	for (int i = 0; i < MLD_RX_COUNT; i++)
		metric_sample(w, queries, METRIC_LABELS({ "outcome", mld_rx_name((enum mld_rx)i) }),
			      (double)s->rx[i]);
}

void layer2_collect(const struct layer2 *l, struct metric_writer *w)
{
	struct l2_stats all;

	collect_entries(l, w, "metallb_layer2_requests_received",
			"Requests received for owned addresses", requests_of);
	collect_entries(l, w, "metallb_layer2_responses_sent", "Replies sent", replies_of);
	collect_entries(l, w, "metallb_layer2_gratuitous_sent", "Unasked announcements sent",
			gratuitous_of);
	fastpath_collect(l->fastpath, w);
	l2_stats_read(packet_l2_stats(l->packet), &all);
	metric_struct(w, "crier_l2_", l2_metric_rows, l2_metric_rows_n, &all);
	collect_outcomes(w, "crier_l2_frames_total", "Received frames by what became of them",
			 all.rx);
	collect_outcomes(w, "crier_l2_pings_total",
			 "Echo requests for our addresses by what became of them", all.pings);
	collect_groups(l, w);
}
