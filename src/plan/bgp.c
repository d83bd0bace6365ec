#include <string.h>

#include "config/community.h"
#include "plan/plan_priv.h"

/* LOCAL_PREF of custom resources where none is set: the one of FRR mode. */
enum { LOCAL_PREF_DEFAULT = 100 };

/** Advertisements that speak for the service on this node. */
struct advs {
	const struct cfg_bgp_adv **v;
	size_t n;
};

/* Those that select the node, whatever services they are for. */
static struct advs advs_on_node(struct draft *d)
{
	const struct subject *sub = &d->sub;
	struct advs advs = { .v = arena_new_n(d->scratch, const struct cfg_bgp_adv *,
					      sub->cfg->n_bgp_advs) };
	const struct cfg_bgp_adv *adv;

	for (size_t at = 0; (adv = bgp_next_adv(sub, &at));)
		if (subject_selects(sub, &adv->node_selectors, d->node))
			advs.v[advs.n++] = adv;
	return advs;
}

static void advs_keep_for_service(struct advs *advs, const struct world_service *s)
{
	size_t n = 0;

	for (size_t i = 0; i < advs->n; i++)
		if (selectors_match(&advs->v[i]->service_selectors, &s->labels))
			advs->v[n++] = advs->v[i];
	advs->n = n;
}

static bool texts_have(const struct cfg_texts *set, const char *text)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->v[i], text) == 0)
			return true;
	return false;
}

static bool peers_disjoint(const struct cfg_texts *a, const struct cfg_texts *b)
{
	if (a->n == 0 || b->n == 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (texts_have(b, a->v[i]))
			return false;
	return true;
}

static bool service_has(const struct world_service *s, enum family family)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->addresses[i].family == family)
			return true;
	return false;
}

static bool same_prefix_possible(const struct world_service *s, const struct cfg_bgp_adv *a,
				 const struct cfg_bgp_adv *b)
{
	return (service_has(s, FAMILY_V4) && a->aggregation_v4 == b->aggregation_v4) ||
	       (service_has(s, FAMILY_V6) && a->aggregation_v6 == b->aggregation_v6);
}

/*
 * Two local preferences for one prefix towards one peer. Pairs without service selectors were
 * judged when the configuration was loaded, or (v0.12) never.
 */
static bool pair_conflicts(const struct world_service *s, const struct cfg_bgp_adv *a,
			   const struct cfg_bgp_adv *b)
{
	if (a->service_selectors.n == 0 && b->service_selectors.n == 0)
		return false;
	if (a->has_local_pref == b->has_local_pref && a->local_pref == b->local_pref)
		return false;
	return same_prefix_possible(s, a, b) && !peers_disjoint(&a->peers, &b->peers);
}

static bool advs_conflict(const struct world_service *s, const struct advs *advs, const char **text,
			  struct arena *a)
{
	for (size_t i = 0; i < advs->n; i++)
		for (size_t j = i + 1; j < advs->n; j++)
			if (pair_conflicts(s, advs->v[i], advs->v[j])) {
				*text = arena_printf(a, "%s and %s differ in local preference",
						     advs->v[i]->name, advs->v[j]->name);
				return true;
			}
	*text = "no two local preferences for one prefix";
	return false;
}

static bool session_carries(const struct cfg_peer *peer, uint8_t family)
{
	return peer->dual_stack || !addr_is_set(&peer->addr) || peer->addr.family == family;
}

static uint32_t *merge_communities(struct arena *a, const uint32_t *x, size_t n_x,
				   const uint32_t *y, size_t n_y, size_t *n)
{
	uint32_t *out = arena_new_n(a, uint32_t, n_x + n_y);
	size_t i = 0, j = 0;

	*n = 0;
	while (i < n_x || j < n_y) {
		uint32_t next = j == n_y || (i < n_x && x[i] <= y[j]) ? x[i] : y[j];

		i += i < n_x && x[i] == next;
		j += j < n_y && y[j] == next;
		out[(*n)++] = next;
	}
	return out;
}

static int large_cmp(const struct large_community *a, const struct large_community *b)
{
	if (a->global != b->global)
		return a->global < b->global ? -1 : 1;
	if (a->local1 != b->local1)
		return a->local1 < b->local1 ? -1 : 1;
	return a->local2 < b->local2 ? -1 : a->local2 > b->local2;
}

static struct large_community *merge_large(struct arena *a, const struct large_community *x,
					   size_t n_x, const struct large_community *y, size_t n_y,
					   size_t *n)
{
	struct large_community *out = arena_new_n(a, struct large_community, n_x + n_y);
	size_t i = 0, j = 0;

	*n = 0;
	while (i < n_x || j < n_y) {
		struct large_community next =
			j == n_y || (i < n_x && large_cmp(&x[i], &y[j]) <= 0) ? x[i] : y[j];

		i += i < n_x && large_cmp(&x[i], &next) == 0;
		j += j < n_y && large_cmp(&y[j], &next) == 0;
		out[(*n)++] = next;
	}
	return out;
}

static uint64_t *merge_ext(struct arena *a, const uint64_t *x, size_t n_x, const uint64_t *y,
			   size_t n_y, size_t *n)
{
	uint64_t *out = arena_new_n(a, uint64_t, n_x + n_y);

	if (n_x)
		memcpy(out, x, n_x * sizeof(*out));
	memcpy(out + n_x, y, n_y * sizeof(*out));
	*n = ext_communities_unique(out, n_x + n_y);
	return out;
}

/*
 * The same prefix again towards the same peer: communities are united, else the first one counts.
 */
static void route_merge(struct draft *d, struct plan_bgp *r, const struct cfg_bgp_adv *adv)
{
	if (adv->n_communities)
		r->communities =
			merge_communities(d->a, r->communities, r->n_communities, adv->communities,
					  adv->n_communities, &r->n_communities);
	if (adv->n_large_communities)
		r->large_communities = merge_large(
			d->a, r->large_communities, r->n_large_communities, adv->large_communities,
			adv->n_large_communities, &r->n_large_communities);
	if (adv->n_ext_communities)
		r->ext_communities = merge_ext(d->a, r->ext_communities, r->n_ext_communities,
					       adv->ext_communities, adv->n_ext_communities,
					       &r->n_ext_communities);
	if (!r->has_local_pref && adv->has_local_pref) {
		r->has_local_pref = true;
		r->local_pref = adv->local_pref;
	}
	if (!r->has_med && adv->has_med) {
		r->has_med = true;
		r->med = adv->med;
	}
	if (r->as_path_prepend == 0)
		r->as_path_prepend = adv->as_path_prepend;
}

static struct plan_bgp *route_at(struct draft *d, const struct prefix *prefix)
{
	for (size_t i = d->n_bgp; i > 0 && d->bgp[i - 1].peer == d->peer; i--)
		if (prefix_cmp(&d->bgp[i - 1].prefix, prefix) == 0)
			return &d->bgp[i - 1];
	return NULL;
}

static void route_add(struct draft *d, const struct addr *addr, const struct cfg_bgp_adv *adv)
{
	unsigned len = addr->family == FAMILY_V4 ? adv->aggregation_v4 : adv->aggregation_v6;
	struct prefix prefix = prefix_of(addr, len);
	struct plan_bgp *r = route_at(d, &prefix);

	if (!r) {
		mem_grow(d->bgp, d->n_bgp, d->cap_bgp);
		r = &d->bgp[d->n_bgp++];
		*r = (struct plan_bgp){ .addr = *addr, .prefix = prefix, .peer = d->peer };
	}
	route_merge(d, r, adv);
}

/* LOCAL_PREF belongs to iBGP alone, and there it always stands. */
static void routes_local_pref(struct draft *d, size_t from)
{
	bool ibgp = cfg_peer_is_internal(d->peer);

	for (size_t i = from; i < d->n_bgp; i++) {
		struct plan_bgp *r = &d->bgp[i];

		if (!ibgp)
			r->local_pref = 0;
		else if (!r->has_local_pref)
			r->local_pref = LOCAL_PREF_DEFAULT;
		r->has_local_pref = ibgp;
	}
}

static bool adv_reaches(const struct cfg_bgp_adv *adv, const struct cfg_peer *peer)
{
	return adv->peers.n == 0 || texts_have(&adv->peers, peer->name);
}

static bool advs_reach(const struct advs *advs, const struct cfg_peer *peer)
{
	for (size_t i = 0; i < advs->n; i++)
		if (adv_reaches(advs->v[i], peer))
			return true;
	return false;
}

static void address_to_peer(struct draft *d, const struct advs *advs, const struct addr *addr)
{
	bool carried = session_carries(d->peer, addr->family);

	if (!draft_test(d, "bgp-session", carried, REASON_FAMILY, "%s %s IPv%u for %s",
			d->peer->name, carried ? "carries" : "does not carry", addr->family,
			ADDR_TEXT(addr)))
		return;
	for (size_t i = 0; i < advs->n; i++)
		if (adv_reaches(advs->v[i], d->peer))
			route_add(d, addr, advs->v[i]);
}

static void service_to_peer(struct draft *d, const struct advs *advs)
{
	size_t from = d->n_bgp;

	for (size_t i = 0; i < d->sub.s->n_addresses; i++)
		address_to_peer(d, advs, &d->sub.s->addresses[i]);
	routes_local_pref(d, from);
}

static void announce(struct draft *d, const struct advs *advs)
{
	const struct cfg *cfg = d->sub.cfg;
	bool any = false;

	for (size_t i = 0; i < cfg->n_peers; i++) {
		const struct cfg_peer *peer = &cfg->peers[i];

		if (!plan_peer_runs(d->sub.w, peer, d->node_name) || !advs_reach(advs, peer))
			continue;
		any = true;
		d->peer = peer;
		service_to_peer(d, advs);
	}
	d->peer = NULL;
	(void)draft_test(d, "bgp-peers", any, REASON_NO_PEERS,
			 "%s peer of its advertisements runs on the node", any ? "a" : "no");
}

/* The reference's tests 1 to 3, about advertisements. */
static bool advertised(struct draft *d, struct advs *advs)
{
	const struct subject *sub = &d->sub;
	const char *text;

	*advs = advs_on_node(d);
	if (!draft_test(d, "bgp-node", advs->n > 0, REASON_NOT_OWNER,
			"%s BGP advertisement of %s selects the node%s", advs->n ? "a" : "no",
			subject_where(sub, d->scratch), draft_no_object(d)))
		return false;
	advs_keep_for_service(advs, sub->s);
	if (!draft_test(d, "bgp-advertisement", advs->n > 0, REASON_NO_ADVERTISEMENT,
			"%s of them is for the service", advs->n ? "one" : "none"))
		return false;
	bool conflict = advs_conflict(sub->s, advs, &text, d->scratch);
	return draft_test(d, "bgp-local-preference", !conflict, REASON_CONFLICT, "%s", text);
}

/* Tests 4 and 5. */
static bool node_may(struct draft *d)
{
	bool down = d->node->network_unavailable;
	bool excluded = subject_excludes(&d->sub, d->node);

	/* Nobody drains by accident: where it is not so, there is no word of it. */
	if (d->node->drained)
		return draft_test(d, "node-not-drained", false, REASON_DRAINED,
				  "crier undrain on the node brings it back");
	return draft_test(d, "node-network", !down, REASON_NO_NETWORK, "%s",
			  down ? "unavailable" : "available") &&
	       draft_test(d, "node-not-excluded", !excluded, REASON_EXCLUDED, "%s",
			  excluded ? "its label excludes it" : "no label excludes it");
}

static bool served_here(struct draft *d)
{
	const struct subject *sub = &d->sub;
	bool here = world_servable(sub->s, d->node_name);

	return draft_test(d, "local-endpoints", here, REASON_NO_LOCAL_ENDPOINTS, "%s",
			  here				 ? "served on the node"
			  : world_servable(sub->s, NULL) ? "not served on the node"
							 : subject_unserved(sub, d->scratch));
}

static bool served_anywhere(struct draft *d)
{
	bool anywhere = world_servable(d->sub.s, NULL);

	return draft_test(d, "bgp-endpoints", anywhere, REASON_NO_ENDPOINTS, "%s",
			  anywhere ? "the service is served"
				   : subject_unserved(&d->sub, d->scratch));
}

/*
 * Tests 6 and 7. Our own standalone services are also served where they are announced, but nowhere
 * at all is the better thing to say first.
 */
static bool served(struct draft *d)
{
	if (d->sub.s->traffic_policy == CFG_TRAFFIC_LOCAL)
		return served_here(d) && served_anywhere(d);
	return served_anywhere(d) && (!subject_is_local(&d->sub) || served_here(d));
}

void bgp_decide(struct draft *d)
{
	struct advs advs;

	if (advertised(d, &advs) && node_may(d) && served(d))
		announce(d, &advs);
}
