/**
 * A small world for tests of decisions: one pool with an advertisement of each mode, one service,
 * four nodes, two peers. A case changes what it is about before the scene is set up, or the world
 * afterwards.
 */
#ifndef TESTS_UNIT_PLAN_SCENE_H
#define TESTS_UNIT_PLAN_SCENE_H

#include "plan/plan.h"
#include "unit/world/fixture.h"

enum { SCENE_ADVS = 3, SCENE_SERVICES = 4 };

struct scene {
	struct arena *a;
	struct cfg cfg;
	struct cfg_pool pools[2];
	const struct cfg_pool *pool_of[2]; /* what advertisements point at */
	struct cfg_l2_adv l2[SCENE_ADVS];
	struct cfg_bgp_adv bgp[SCENE_ADVS];
	struct cfg_peer peers[2];
	struct cfg_service services[SCENE_SERVICES];
	const char *addresses[SCENE_SERVICES]; /* what each has been given */
	struct world *w;
};

static const char *const scene_nodes[] = { "edge-a", "edge-b", "worker-a", "worker-b" };

static inline void scene_init(struct scene *s)
{
	*s = (struct scene){ .a = arena_new() };
	s->pools[0] = fx_pool(s->a, "default", "10.20.30.0/24 2001:db8::/64");
	s->pools[1] = fx_pool(s->a, "other", "10.99.0.0/24");
	s->pool_of[0] = &s->pools[0];
	s->pool_of[1] = &s->pools[1];
	s->l2[0] = (struct cfg_l2_adv){ .name = "default", .pools = { s->pool_of, 1 } };
	s->bgp[0] = (struct cfg_bgp_adv){ .name = "default",
					  .pools = { s->pool_of, 1 },
					  .aggregation_v4 = 32,
					  .aggregation_v6 = 128,
					  .has_local_pref = true };
	for (size_t i = 1; i < SCENE_ADVS; i++) {
		s->l2[i] = s->l2[0];
		s->bgp[i] = s->bgp[0];
	}
	s->peers[0] = (struct cfg_peer){
		.name = "tor", .my_asn = 64512, .peer_asn = 64513, .addr = fx_addr("192.0.2.1")
	};
	s->peers[1] = (struct cfg_peer){
		.name = "core", .my_asn = 64512, .peer_asn = 64512, .addr = fx_addr("192.0.2.2")
	};
	s->services[0] =
		(struct cfg_service){ .name = "web", .labels = fx_labels(s->a, "tier=front") };
	s->services[1] = (struct cfg_service){ .name = "dns" };
	s->services[2] = (struct cfg_service){ .name = "ntp" };
	s->services[3] = (struct cfg_service){ .name = "ssh" };
	s->addresses[0] = "10.20.30.1";
	s->cfg = (struct cfg){ .l2 = { .preempt = true },
			       .pools = s->pools,
			       .n_pools = 2,
			       .l2_advs = s->l2,
			       .n_l2_advs = 1,
			       .bgp_advs = s->bgp,
			       .n_bgp_advs = 1,
			       .peers = s->peers,
			       .n_peers = 2,
			       .services = s->services,
			       .n_services = 1 };
}

/** A node's role is the first part of its name. */
static inline struct world_node scene_node(struct scene *s, const char *name)
{
	const char *dash = strchr(name, '-');

	return (struct world_node){
		.name = name,
		.alive = true,
		.labels = fx_labels(s->a, arena_printf(s->a, "host=%s role=%.*s", name,
						       (int)(dash - name), name)),
	};
}

static inline void scene_set(struct scene *s)
{
	s->w = world_new("edge-a");
	for (size_t i = 0; i < ARRAY_LEN(scene_nodes); i++) {
		struct world_node node = scene_node(s, scene_nodes[i]);

		world_node_set(s->w, &node);
	}
	world_set_config(s->w, &s->cfg);
	for (size_t i = 0; i < s->cfg.n_services; i++) {
		size_t n;
		const struct addr *v = fx_addrs(s->a, s->addresses[i] ? s->addresses[i] : "", &n);

		world_service_assign(s->w, s->services[i].name, v, n);
	}
}

static inline void scene_fini(struct scene *s)
{
	world_free(s->w);
	arena_free(s->a);
}

/** The silence of one mode: its reason, or "" when there is none. */
static inline const char *plan_reason(const struct plan *p, enum cfg_protocol mode)
{
	for (size_t i = 0; i < p->n_silent; i++)
		if (p->silent[i].mode == mode)
			return p->silent[i].reason;
	return "";
}

/** All of a plan as text, to compare. */
static inline const char *plan_text(struct arena *a, const struct plan *p)
{
	const char *t =
		arena_printf(a, "%s on %s%s:", p->service, p->node, p->owner ? " (owner)" : "");

	for (size_t i = 0; i < p->n_l2; i++) {
		const struct plan_l2 *l2 = &p->l2[i];

		t = arena_printf(a, "%s l2 %s [", t, ADDR_TEXT(&l2->addr));
		for (size_t j = 0; j < l2->n_succession; j++)
			t = arena_printf(a, "%s%s%s/%d", t, j ? " " : "", l2->succession[j].node,
					 l2->succession[j].score);
		t = arena_printf(a, "%s]%s", t, l2->all_interfaces ? "*" : "");
		for (size_t j = 0; j < l2->interfaces->n; j++)
			t = arena_printf(a, "%s %s", t, l2->interfaces->v[j]);
		t = arena_printf(a, "%s;", t);
	}
	for (size_t i = 0; i < p->n_bgp; i++) {
		const struct plan_bgp *b = &p->bgp[i];

		t = arena_printf(a, "%s bgp %s %s", t, b->peer->name, PREFIX_TEXT(&b->prefix));
		if (b->has_local_pref)
			t = arena_printf(a, "%s pref %u", t, b->local_pref);
		for (size_t j = 0; j < b->n_communities; j++)
			t = arena_printf(a, "%s %u", t, b->communities[j]);
		for (size_t j = 0; j < b->n_large_communities; j++)
			t = arena_printf(a, "%s L%u", t, b->large_communities[j].local2);
		t = arena_printf(a, "%s;", t);
	}
	for (size_t i = 0; i < p->n_silent; i++)
		t = arena_printf(a, "%s !%s%s%s%s;", t,
				 p->silent[i].mode == CFG_BGP ? "bgp " : "l2 ", p->silent[i].reason,
				 p->silent[i].peer ? " " : "",
				 p->silent[i].peer ? p->silent[i].peer->name : "");
	return t;
}

#endif
