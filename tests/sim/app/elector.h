/**
 * What takes part in the election of one service on a simulated node: the real world, share and quorum, wired to each other as
 * src/app has it. Stands first in the node that embeds it, which is what broadcast() is called with.
 */
#ifndef TESTS_SIM_APP_ELECTOR_H
#define TESTS_SIM_APP_ELECTOR_H

#include "app/quorum.h"
#include "app/share.h"
#include "unit/plan/scene.h"

struct elector {
	const struct cfg *cfg;
	struct addr addr;
	struct world *w;
	struct share *share;
	struct quorum *quorum;
	bool planned; /* and the world has not changed since */
};

static inline struct addr elector_addr(unsigned node)
{
	return addr_v4(10, 0, 0, (uint8_t)(node + 1));
}

static inline void elector_on_verdict(void *ctx, const char *node, const char *service,
				      bool servable)
{
	world_service_endpoint(((struct elector *)ctx)->w, service, node, servable);
}

static inline void elector_on_silent(void *ctx, const char *node, const char *service)
{
	world_service_endpoint_forget(((struct elector *)ctx)->w, service, node);
}

static inline void elector_on_host(void *ctx, const char *node, const json_t *host)
{
	(void)ctx, (void)node, (void)host;
}

static inline void elector_on_holds(void *ctx, const char *node, const char *service, uint64_t term)
{
	struct elector *e = ctx;
	const char *holder = share_holder(e->share, service, &term);

	(void)node;
	world_service_holder(e->w, service, holder, term);
}

static inline bool elector_is_member(void *ctx, const char *node)
{
	const struct world_node *known = world_node(((const struct elector *)ctx)->w, node);

	return known && known->alive;
}

static inline json_t *elector_allocations(void *ctx)
{
	(void)ctx;
	return json_array();
}

static inline bool elector_merge(void *ctx, const json_t *table)
{
	(void)ctx, (void)table;
	return false;
}

static inline bool elector_is_ours(void *ctx, const struct addr *a)
{
	return addr_eq(a, &((const struct elector *)ctx)->addr);
}

static inline void elector_on_change(void *ctx, enum world_change what, const char *name)
{
	(void)what, (void)name;
	((struct elector *)ctx)->planned = false;
}

static inline void elector_settle(struct elector *e)
{
	struct world_quorum q = quorum_count(e->quorum, &e->cfg->cluster, elector_is_ours, e);

	world_set_quorum(e->w, &q);
}

/** @number: of this start, by the node's wall clock */
static inline void elector_start(struct elector *e, const struct cfg *cfg, unsigned node,
				 const char *name, uint64_t number,
				 void (*broadcast)(void *ctx, const void *bytes, size_t len))
{
	struct addr address = fx_addr("10.20.30.1");

	*e = (struct elector){ .cfg = cfg, .addr = elector_addr(node) };
	e->w = world_new(name);
	world_on_change(e->w, elector_on_change, e);
	world_set_config(e->w, cfg);
	world_service_assign(e->w, "web", &address, 1);
	e->quorum = quorum_new();
	quorum_member(e->quorum, name, &e->addr);
	e->share = share_new(name, number,
			     &(struct share_hooks){ .ctx = e,
						    .broadcast = broadcast,
						    .verdict = elector_on_verdict,
						    .silent = elector_on_silent,
						    .holds = elector_on_holds,
						    .host = elector_on_host,
						    .is_member = elector_is_member,
						    .allocations = elector_allocations,
						    .merge_allocations = elector_merge });
	elector_settle(e);
}

static inline void elector_end(struct elector *e)
{
	e->share = share_free(e->share);
	e->quorum = quorum_free(e->quorum);
	e->w = world_free(e->w);
}

static inline void elector_joined(struct elector *e, const char *name, const struct addr *at)
{
	const struct world_node node = { .name = name, .alive = true };

	world_node_set(e->w, &node);
	quorum_member(e->quorum, name, at);
	elector_settle(e);
	share_repeat(e->share);
}

static inline void elector_gone(struct elector *e, const char *name, bool left)
{
	world_node_alive(e->w, name, false);
	quorum_gone(e->quorum, name, left, (struct mono){ 0 });
	elector_settle(e);
	share_forget(e->share, name);
	world_endpoints_forget(e->w, name);
}

static inline void elector_check(struct elector *e, const char *name, bool serves)
{
	world_service_endpoint(e->w, "web", name, serves);
	share_serve(e->share, "web", serves);
}

#endif
