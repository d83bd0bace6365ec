#include "app/verdict.h"

#include "app/app_priv.h"

/* Addresses that Layer 2 alone announces must stand on the link of their network; BGP's go to lo. */
static bool needs_link(const struct app *a, const struct world_service *ws)
{
	const struct cfg_pool *pool =
		ws->n_addresses ? cfg_pool_of(a->cfg, &ws->addresses[0]) : NULL;
	bool l2 = false, bgp = false;

	if (!ws->n_addresses || !ws->cfg || ws->cfg->bind == CFG_BIND_NONE)
		return false;
	if (!pool)
		return ws->protocol == CFG_LAYER2;
	for (size_t i = 0; i < a->cfg->n_l2_advs; i++)
		l2 |= cfg_l2_adv_covers(&a->cfg->l2_advs[i], pool);
	for (size_t i = 0; i < a->cfg->n_bgp_advs; i++)
		bgp |= cfg_bgp_adv_covers(&a->cfg->bgp_advs[i], pool);
	return l2 && !bgp;
}

const char *verdict_unplaced(struct app *a, const char *service)
{
	const struct world_service *ws = world_service(a->world, service);

	if (!ws || !needs_link(a, ws))
		return NULL;
	const char *link = ws->cfg->bind == CFG_BIND_LINK ? ws->cfg->bind_link : NULL;
	for (size_t i = 0; i < ws->n_addresses; i++) {
		const char *why = binding_impossible(a->binding, &ws->addresses[i], link);

		if (why)
			return why;
	}
	return NULL;
}

static void log_verdict(const char *service, bool servable, const char *unplaced)
{
	if (unplaced)
		log_event(LOG_WARN, "noCandidate", "this node can't announce the service",
			  KV_STR("service", service), KV_STR("reason", unplaced));
	else
		log_event(LOG_DEBUG, "verdict", "this node's word about a service",
			  KV_STR("service", service), KV_BOOL("servable", servable));
}

void verdict_settle(struct app *a, const char *service)
{
	const char *unplaced = verdict_unplaced(a, service);
	struct health_status st = { .healthy = true };
	bool checked = health_checker_status(a->health, service, &st);

	if (!checked && !unplaced) {
		world_service_endpoint_forget(a->world, service, a->node);
		share_unserve(a->share, service);
		return;
	}
	bool servable = st.healthy && !unplaced;
	const struct world_service *ws = world_service(a->world, service);

	if (ws && world_servable(ws, a->node) != servable)
		log_verdict(service, servable, unplaced);
	world_service_endpoint(a->world, service, a->node, servable);
	share_serve(a->share, service, servable);
}

void verdict_settle_all(struct app *a)
{
	const struct world_service *ws;

	for (size_t at = 0; (ws = world_next_service(a->world, &at));)
		verdict_settle(a, ws->key);
}
