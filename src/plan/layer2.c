#include <string.h>

#include "base/ranking.h"
#include "plan/plan_priv.h"

/*
 * Who stands for election, by node in the order of the world. Services that share an address are
 * merged into one roll, so that each of them finds the same owner.
 */
struct roll {
	const struct world_node **nodes;
	bool *stands;
	bool *linked; /* it stands, and its links have a carrier: others come after those that do */
	int *score;
	size_t n;
};

/** Advertisements of the pool that speak for the service. */
struct advs {
	const struct cfg_l2_adv **v;
	size_t n;
};

static struct advs advs_of(const struct subject *sub, struct arena *a)
{
	struct advs advs = { .v = arena_new_n(a, const struct cfg_l2_adv *, sub->cfg->n_l2_advs) };
	const struct cfg_l2_adv *adv;

	for (size_t at = 0; (adv = layer2_next_adv(sub, &at));)
		if (selectors_match(&adv->service_selectors, &sub->s->labels))
			advs.v[advs.n++] = adv;
	return advs;
}

static bool advs_select(const struct subject *sub, const struct advs *advs,
			const struct world_node *node)
{
	for (size_t i = 0; i < advs->n; i++)
		if (subject_selects(sub, &advs->v[i]->node_selectors, node))
			return true;
	return false;
}

/* A shared address could be wanted from one node for this service and from another for that one. */
static bool advs_split_shared(const struct subject *sub, const struct advs *advs)
{
	for (size_t i = 0; sub->s->sharing_key && i < advs->n; i++)
		if (advs->v[i]->service_selectors.n)
			return true;
	return false;
}

static int adv_score(const struct cfg_l2_adv *adv, const struct world_node *node)
{
	int score = 0;

	for (size_t i = 0; i < adv->n_preferred; i++)
		if (selector_matches(&adv->preferred[i].nodes, &node->labels))
			score += adv->preferred[i].weight;
	return score;
}

static int node_score(const struct subject *sub, const struct advs *advs,
		      const struct world_node *node)
{
	int score = 0;

	for (size_t i = 0; i < advs->n; i++)
		if (subject_selects(sub, &advs->v[i]->node_selectors, node))
			score += adv_score(advs->v[i], node);
	for (size_t i = 0; i < sub->s->n_preferred; i++)
		if (strcmp(sub->s->preferred[i].node, node->name) == 0)
			score += sub->s->preferred[i].weight;
	return score;
}

/* Can the node announce there? In the order of better and better. */
enum reach { REACH_NONE, REACH_DOWN, REACH_UP };

static bool text_in(const struct cfg_texts *set, const char *text)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->v[i], text) == 0)
			return true;
	return false;
}

static bool is_lost(const struct world_reach *r, const struct addr *addr)
{
	for (size_t i = 0; i < r->n_lost; i++)
		if (prefix_contains(&r->lost[i], addr))
			return true;
	return false;
}

static enum reach adv_reach(const struct subject *sub, const struct cfg_l2_adv *adv,
			    const struct world_reach *r)
{
	enum reach best = REACH_NONE;

	if (adv->interfaces.n == 0)
		return r->any && !is_lost(r, &sub->s->addresses[0]) ? REACH_UP : REACH_DOWN;
	for (size_t i = 0; i < adv->interfaces.n; i++) {
		if (text_in(&r->up, adv->interfaces.v[i]))
			return REACH_UP;
		if (text_in(&r->down, adv->interfaces.v[i]))
			best = REACH_DOWN;
	}
	return best;
}

/* Members that are not crier do not hear of links: then they count for nobody. */
static enum reach node_reach(const struct subject *sub, const struct advs *advs,
			     const struct world_node *node)
{
	enum reach best = REACH_NONE;

	if (!node->reach.said || world_is_reference(sub->w))
		return REACH_UP;
	for (size_t i = 0; i < advs->n && best != REACH_UP; i++)
		if (subject_selects(sub, &advs->v[i]->node_selectors, node))
			best = MAX(best, adv_reach(sub, advs->v[i], &node->reach));
	return best;
}

/* NULL when the node is a candidate, else what keeps it from being one. */
static const char *why_not(const struct subject *sub, const struct advs *advs,
			   const struct world_node *node)
{
	/* Who speaks by Layer 2 keeps its rank, so that two who claim an address agree. */
	if (!node->alive && !node->heard)
		return "the node is not a live member";
	if (node->drained)
		return "the node is drained";
	if (node->network_unavailable)
		return "the network of the node is unavailable";
	if (subject_excludes(sub, node))
		return "the node is excluded from load balancers by its label";
	if (!advs_select(sub, advs, node))
		return "no advertisement selects the node";
	if (subject_is_local(sub) && !world_servable(sub->s, node->name))
		return "the service is not served on the node";
	if (node_reach(sub, advs, node) == REACH_NONE)
		return "the node has none of the links that the advertisement names";
	return NULL;
}

static struct roll roll_new(const struct world *w, struct arena *a)
{
	struct roll r = { 0 };
	const struct world_node *node;
	size_t n = 0;

	for (size_t at = 0; world_next_node(w, &at);)
		n++;
	r.nodes = arena_new_n(a, const struct world_node *, n);
	r.stands = arena_new_n(a, bool, n);
	r.linked = arena_new_n(a, bool, n);
	r.score = arena_new_n(a, int, n);
	for (size_t at = 0; (node = world_next_node(w, &at));)
		r.nodes[r.n++] = node;
	return r;
}

static struct roll roll_of(const struct subject *sub, const struct advs *advs, struct arena *a)
{
	struct roll r = roll_new(sub->w, a);

	for (size_t i = 0; i < r.n; i++) {
		r.stands[i] = !why_not(sub, advs, r.nodes[i]);
		r.linked[i] = r.stands[i] && node_reach(sub, advs, r.nodes[i]) == REACH_UP;
		r.score[i] = r.stands[i] ? node_score(sub, advs, r.nodes[i]) : 0;
	}
	return r;
}

static size_t roll_count(const struct roll *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->stands[i];
	return n;
}

enum roll_merge { ROLL_ALL_OF, ROLL_ANY_OF };

/* Scores add up over the services that a node may serve. */
static struct roll roll_merge(const struct world *w, const struct roll *const *v, size_t n,
			      enum roll_merge how, struct arena *a)
{
	struct roll r = roll_new(w, a);

	for (size_t i = 0; i < r.n; i++) {
		size_t standing = 0;

		r.linked[i] = true;

		for (size_t j = 0; j < n; j++) {
			standing += v[j]->stands[i];
			r.linked[i] &= v[j]->linked[i] || !v[j]->stands[i];
			r.score[i] += v[j]->score[i];
		}
		r.stands[i] = how == ROLL_ALL_OF ? standing == n : standing > 0;
	}
	return r;
}

/** An order of succession. */
struct order {
	const struct plan_candidate *v;
	size_t n;
	size_t n_linked; /* of these, the first */
};

/* Those whose links have a carrier, or the others, to @v; returns how many. */
static size_t rank_some(const struct roll *r, bool linked, const struct addr *by,
			struct plan_candidate *v, struct arena *a)
{
	struct rank_node *ranks = mem_new_n(struct rank_node, r->n);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->stands[i] && r->linked[i] == linked)
			ranks[n++] = (struct rank_node){ .name = r->nodes[i]->name,
							 .score = r->score[i] };
	rank_nodes(ranks, n, by);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct plan_candidate){ .node = arena_strdup(a, ranks[i].name),
						.score = ranks[i].score };
	free(ranks);
	return n;
}

static struct order roll_rank(const struct roll *r, const struct addr *by, struct arena *a)
{
	struct plan_candidate *v = arena_new_n(a, struct plan_candidate, roll_count(r));
	size_t n_linked = rank_some(r, true, by, v, a);
	size_t n = n_linked + rank_some(r, false, by, v + n_linked, a);

	return (struct order){ .v = v, .n = n, .n_linked = n_linked };
}

/** A service that shares addresses, and would be announced by somebody. */
struct sharer {
	const struct world_service *s;
	struct roll roll;
};

struct sharers {
	struct sharer *v;
	size_t n;
};

static bool sharer_init(struct sharer *sh, const struct world *w, const struct world_service *s,
			struct arena *a)
{
	struct subject sub;

	if (subject_init(&sub, w, s) || !world_servable(s, NULL))
		return false;
	struct advs advs = advs_of(&sub, a);
	if (advs_split_shared(&sub, &advs))
		return false;
	*sh = (struct sharer){ .s = s, .roll = roll_of(&sub, &advs, a) };
	return roll_count(&sh->roll) > 0;
}

static struct sharers sharers_of(const struct subject *sub, struct arena *a)
{
	size_t n = 1;
	const struct world_service **group = &(const struct world_service *){ sub->s };
	struct sharers all = { 0 };

	if (!world_is_reference(sub->w))
		group = group_of(sub->w, sub->s, a, &n);
	all.v = arena_new_n(a, struct sharer, n);
	for (size_t i = 0; i < n; i++)
		all.n += sharer_init(&all.v[all.n], sub->w, group[i], a);
	return all;
}

static bool sharer_has(const struct sharer *sh, const struct addr *addr)
{
	for (size_t i = 0; i < sh->s->n_addresses; i++)
		if (addr_eq(&sh->s->addresses[i], addr))
			return true;
	return false;
}

/* The rolls of those that have the address, or (NULL) of all. */
static const struct roll **sharers_rolls(const struct sharers *all, const struct addr *addr,
					 struct arena *a, size_t *n)
{
	const struct roll **v = arena_new_n(a, const struct roll *, all->n);

	*n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (!addr || sharer_has(&all->v[i], addr))
			v[(*n)++] = &all->v[i].roll;
	return v;
}

static const struct addr *sharers_first_addr(const struct sharers *all)
{
	const struct addr *first = &all->v[0].s->addresses[0];

	for (size_t i = 1; i < all->n; i++)
		if (addr_cmp(&all->v[i].s->addresses[0], first) < 0)
			first = &all->v[i].s->addresses[0];
	return first;
}

/* No node can serve all of the group: each address for itself. */
static struct order order_apart(const struct subject *sub, const struct sharers *all,
				const struct addr *addr, struct arena *a)
{
	size_t n;
	const struct roll **rolls = sharers_rolls(all, addr, a, &n);
	struct roll r = roll_merge(sub->w, rolls, n, ROLL_ALL_OF, a);

	if (roll_count(&r) == 0)
		r = roll_merge(sub->w, rolls, n, ROLL_ANY_OF, a);
	return roll_rank(&r, addr, a);
}

/* Who took the addresses of the group last; NULL: the order alone decides. */
static const char *holder_of(const struct subject *sub, const struct sharers *all)
{
	const char *holder = NULL;
	uint64_t term = 0;

	if (sub->cfg->l2.preempt || world_is_reference(sub->w))
		return NULL;
	for (size_t i = 0; i < all->n; i++) {
		const struct world_service *s = all->v[i].s;

		if (!s->holder || s->holder_term < term)
			continue;
		if (holder && s->holder_term == term && strcmp(s->holder, holder) >= 0)
			continue;
		holder = s->holder;
		term = s->holder_term;
	}
	return holder;
}

/* l2: {preempt: false}: first the one that has it, unless others have a carrier and it has none. */
static struct order order_keep(struct order o, const char *holder, struct arena *a)
{
	size_t n = o.n_linked ? o.n_linked : o.n, at = 0;

	while (holder && at < n && strcmp(o.v[at].node, holder) != 0)
		at++;
	if (!holder || at == n || at == 0)
		return o;
	struct plan_candidate *v = arena_new_n(a, struct plan_candidate, o.n);

	memcpy(v, o.v, o.n * sizeof(*v));
	memmove(v + 1, v, at * sizeof(*v));
	v[0] = o.v[at];
	o.v = v;
	return o;
}

/* One order of succession for each address of the service. */
static struct order *orders_of(const struct subject *sub, struct arena *scratch, struct arena *a)
{
	struct order *orders = arena_new_n(scratch, struct order, sub->s->n_addresses);
	struct sharers all = sharers_of(sub, scratch);
	size_t n;
	const struct roll **rolls = sharers_rolls(&all, NULL, scratch, &n);
	struct roll together = roll_merge(sub->w, rolls, n, ROLL_ALL_OF, scratch);
	const char *holder = holder_of(sub, &all);
	struct order one = { 0 };

	if (roll_count(&together) > 0)
		one = order_keep(roll_rank(&together, sharers_first_addr(&all), a), holder, a);
	for (size_t i = 0; i < sub->s->n_addresses; i++)
		orders[i] = one.n ? one
				  : order_keep(order_apart(sub, &all, &sub->s->addresses[i], a),
					       holder, a);
	return orders;
}

static bool order_has(const struct order *o, const char *node)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->v[i].node, node) == 0)
			return true;
	return false;
}

/* The interfaces of all advertisements that select the node; one that names none opens them all. */
static bool interfaces_of(const struct draft *d, const struct advs *advs, struct cfg_texts *out)
{
	size_t cap = 0;

	for (size_t i = 0; i < advs->n; i++)
		cap += advs->v[i]->interfaces.n;
	const char **names = cap ? arena_new_n(d->a, const char *, cap) : NULL;
	*out = (struct cfg_texts){ .v = names };
	for (size_t i = 0; i < advs->n; i++) {
		const struct cfg_l2_adv *adv = advs->v[i];

		if (!subject_selects(&d->sub, &adv->node_selectors, d->node))
			continue;
		if (adv->interfaces.n == 0) {
			out->n = 0;
			return true;
		}
		for (size_t j = 0; j < adv->interfaces.n; j++)
			if (!text_in(out, adv->interfaces.v[j]))
				names[out->n++] = arena_strdup(d->a, adv->interfaces.v[j]);
	}
	return false;
}

/* What the node has to do with each address: owner, or successor. */
static void announce(struct draft *d, const struct advs *advs, const struct order *orders)
{
	const struct world_service *s = d->sub.s;
	struct plan_l2 *l2 = arena_new_n(d->a, struct plan_l2, s->n_addresses);
	struct cfg_texts *interfaces = arena_new_n(d->a, struct cfg_texts, 1);
	bool all = interfaces_of(d, advs, interfaces);

	for (size_t i = 0; i < s->n_addresses; i++) {
		if (!order_has(&orders[i], d->node_name))
			continue;
		l2[d->n_l2++] = (struct plan_l2){
			.addr = s->addresses[i],
			.all_interfaces = all,
			.n_succession = (uint32_t)orders[i].n,
			.succession = orders[i].v,
			.interfaces = interfaces,
		};
		d->owner |= strcmp(orders[i].v[0].node, d->node_name) == 0;
	}
	d->l2 = l2;
}

/* Losing to a node that may not announce this service is more than losing. */
static bool is_fair(const struct draft *d, const struct advs *advs, const char *owner)
{
	const struct world_node *node = world_node(d->sub.w, owner);

	return node && !why_not(&d->sub, advs, node);
}

static void elect(struct draft *d, const struct advs *advs)
{
	struct order *orders = orders_of(&d->sub, d->scratch, d->a);

	announce(d, advs, orders);
	if (d->n_l2 == 0) {
		(void)draft_test(
			d, "layer2-sharers", false, REASON_NOT_OWNER,
			"a service that shares its address can't be announced from the node");
		return;
	}
	const char *owner = d->l2[0].succession[0].node;
	bool fair = is_fair(d, advs, owner);
	bool linked = node_reach(&d->sub, advs, d->node) == REACH_UP;
	if (!draft_test(d, "layer2-link", linked || d->owner, REASON_NOT_OWNER,
			linked ? "the node has a link with a carrier for it"
			       : "no link of the node that it is announced on has a carrier"))
		return;
	if (!draft_test(d, "ranking", d->owner, REASON_NOT_OWNER, "%s is first of %u%s", owner,
			d->l2[0].n_succession,
			fair ? ""
			     : " for a service that shares the address, and can't serve this one"))
		d->silent[d->n_silent - 1].plain_loser = fair;
}

void layer2_decide(struct draft *d)
{
	const struct subject *sub = &d->sub;
	bool servable = world_servable(sub->s, NULL);
	struct advs advs = advs_of(sub, d->scratch);

	if (!draft_test(d, "endpoints", servable, REASON_NOT_OWNER, "%s",
			servable ? "the service is served" : subject_unserved(sub, d->scratch)))
		return;
	bool split = advs_split_shared(sub, &advs);
	if (!draft_test(d, "layer2-sharing", !split, REASON_SHARED_WITH_SELECTOR, "%s",
			split ? "it shares addresses, and its advertisement selects services"
			      : "its advertisements do not hinder sharing"))
		return;
	bool selected = advs_select(sub, &advs, d->node);
	if (!draft_test(d, "layer2-advertisement", selected, REASON_NO_ADVERTISEMENT,
			"%s Layer 2 advertisement of %s selects the node for the service%s",
			selected ? "a" : "no", subject_where(sub, d->scratch), draft_no_object(d)))
		return;
	const struct world_quorum *q = world_quorum(sub->w);
	if (q->of &&
	    !draft_test(d, "quorum", world_has_quorum(sub->w), REASON_NO_QUORUM,
			"%zu of %zu members live in this part of the cluster", q->alive, q->of))
		return;
	const char *why = why_not(sub, &advs, d->node);
	if (draft_test(d, "layer2-candidate", !why, REASON_NOT_OWNER, "%s",
		       why ? why : "the node is a candidate"))
		elect(d, &advs);
}
