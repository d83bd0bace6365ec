#include "plan/report.h"

#include <stdio.h>
#include <string.h>

#include "config/community.h"
#include "plan/plan.h"
#include "plan/reason.h"

/** The four lists of the answer. */
struct report {
	const struct world *w;
	const struct plan_report_options *options;
	json_t *allocations, *unallocated, *announcements, *silent;
};

static json_t *addresses_json(const struct offline_grant *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n; i++)
		json_array_append_new(list, json_string(ADDR_TEXT(&g->addresses[i])));
	return list;
}

static void report_grant(struct report *r, const struct offline_grant *g)
{
	if (g->n)
		json_array_append_new(r->allocations,
				      json_pack("{s:s, s:s?, s:o}", "service", g->service, "pool",
						g->pool, "addresses", addresses_json(g)));
	else
		json_array_append_new(r->unallocated, json_pack("{s:s, s:s}", "service", g->service,
								"reason", g->reason));
}

static json_t *interfaces_json(const struct plan_l2 *l2)
{
	json_t *list = json_array();

	if (l2->all_interfaces)
		json_array_append_new(list, json_string("*"));
	for (size_t i = 0; i < l2->interfaces->n; i++)
		json_array_append_new(list, json_string(l2->interfaces->v[i]));
	return list;
}

static json_t *l2_json(const struct plan *p, const struct plan_l2 *l2)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "service", p->service, "address",
			 ADDR_TEXT(&l2->addr), "mode", "layer2", "node", p->node, "interfaces",
			 interfaces_json(l2));
}

const char *community_text(uint32_t community, char buf[static PLAN_COMMUNITY_MAX])
{
	(void)snprintf(buf, PLAN_COMMUNITY_MAX, "%u:%u", community >> 16, community & 0xffff);
	return buf;
}

const char *large_community_text(const struct large_community *community,
				 char buf[static PLAN_COMMUNITY_MAX])
{
	(void)snprintf(buf, PLAN_COMMUNITY_MAX, "%u:%u:%u", community->global, community->local1,
		       community->local2);
	return buf;
}

static json_t *communities_json(const struct plan_bgp *bgp)
{
	char text[PLAN_COMMUNITY_MAX];
	json_t *list = json_array();

	for (size_t i = 0; i < bgp->n_communities; i++)
		json_array_append_new(list, json_string(community_text(bgp->communities[i], text)));
	for (size_t i = 0; i < bgp->n_large_communities; i++)
		json_array_append_new(
			list, json_string(large_community_text(&bgp->large_communities[i], text)));
	for (size_t i = 0; i < bgp->n_ext_communities; i++)
		json_array_append_new(
			list, json_string(ext_community_format(bgp->ext_communities[i], text)));
	return list;
}

static json_t *bgp_json(const struct plan *p, const struct plan_bgp *bgp)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "service", p->service, "address",
			      ADDR_TEXT(&bgp->addr), "mode", "bgp", "node", p->node, "peer",
			      bgp->peer->name, "prefix", PREFIX_TEXT(&bgp->prefix));

	if (bgp->has_local_pref)
		json_object_set_new(o, "local-pref", json_integer(bgp->local_pref));
	if (bgp->has_med)
		json_object_set_new(o, "med", json_integer(bgp->med));
	if (bgp->as_path_prepend)
		json_object_set_new(o, "as-path-prepend", json_integer(bgp->as_path_prepend));
	json_object_set_new(o, "communities", communities_json(bgp));
	return o;
}

static void report_announcements(struct report *r, const struct plan *p, enum cfg_protocol mode)
{
	for (size_t i = 0; mode == CFG_LAYER2 && i < p->n_l2; i++)
		if (strcmp(p->l2[i].succession[0].node, p->node) == 0)
			json_array_append_new(r->announcements, l2_json(p, &p->l2[i]));
	for (size_t i = 0; mode == CFG_BGP && i < p->n_bgp; i++)
		json_array_append_new(r->announcements, bgp_json(p, &p->bgp[i]));
}

static bool worth_saying(const struct report *r, const struct plan_silence *s)
{
	if (s->plain_loser && !r->options->all)
		return false;
	return !r->options->brief || (!s->unasked && strcmp(s->reason, REASON_NO_ADDRESS) != 0);
}

static void report_silence(struct report *r, const struct plan *p, enum cfg_protocol mode)
{
	for (size_t i = 0; i < p->n_silent; i++) {
		const struct plan_silence *s = &p->silent[i];

		if (s->mode != mode || !worth_saying(r, s))
			continue;
		json_array_append_new(r->silent,
				      json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s*}", "service",
						p->service, "mode",
						mode == CFG_LAYER2 ? "layer2" : "bgp", "node",
						p->node, "peer", s->peer ? s->peer->name : NULL,
						"reason", s->reason, "detail", s->detail));
	}
}

static void report_service(struct report *r, const struct world_service *s)
{
	static const enum cfg_protocol modes[] = { CFG_LAYER2, CFG_BGP };

	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		const struct world_node *node;

		for (size_t at = 0; (node = world_next_node(r->w, &at));) {
			if (!node->alive)
				continue;
			struct plan *p = plan_service(r->w, s->key, node->name);

			report_announcements(r, p, modes[m]);
			report_silence(r, p, modes[m]);
			plan_free(p);
		}
	}
}

json_t *plan_report(const struct offline *o, const struct plan_report_options *options)
{
	struct report r = {
		.w = offline_world(o),
		.options = options,
		.allocations = json_array(),
		.unallocated = json_array(),
		.announcements = json_array(),
		.silent = json_array(),
	};
	const struct world_service *s;
	size_t n;
	const struct offline_grant *grants = offline_grants(o, &n);

	for (size_t i = 0; i < n; i++)
		report_grant(&r, &grants[i]);
	for (size_t at = 0; (s = world_next_service(r.w, &at));)
		if (options->all || plan_handles(world_config(r.w), s))
			report_service(&r, s);
	return json_pack("{s:o, s:o, s:o, s:o}", "allocations", r.allocations, "unallocated",
			 r.unallocated, "announcements", r.announcements, "silent", r.silent);
}
