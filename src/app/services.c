#include "app/services.h"

#include <string.h>

#include "app/app_priv.h"
#include "app/json.h"

struct announced {
	char *service;
	bool l2, bgp;
	struct mono since; /* of the last change of either */
	struct list
		owner; /* while some of its addresses have changed hands, and that is to be looked at */
};

struct services {
	struct app *app;
	struct map *v;	       /* service -> struct announced */
	struct loop_task tell; /* what this node has, to the others */
	struct list owner;
	struct loop_task settle;
};

static void owners_settle(struct loop_task *t);

static void tell_holds(struct loop_task *t)
{
	share_flush(CONTAINER_OF(t, struct services, tell)->app->share);
}

struct services *services_new(struct app *a)
{
	struct services *s = mem_new(struct services);

	s->app = a;
	s->v = map_new();
	loop_task_init(&s->tell, a->loop, tell_holds);
	list_init(&s->owner);
	loop_task_init(&s->settle, a->loop, owners_settle);
	return s;
}

static void announced_free(void *value)
{
	struct announced *an = value;

	if (!an)
		return;
	list_remove(&an->owner);
	free(an->service);
	free(an);
}

struct services *services_free(struct services *s)
{
	if (!s)
		return NULL;
	loop_task_cancel(&s->tell);
	loop_task_cancel(&s->settle);
	map_clear(s->v, announced_free);
	map_free(s->v);
	free(s);
	return NULL;
}

static json_t *addresses_json(const struct world_service *ws, size_t most)
{
	json_t *all = json_array();

	for (size_t i = 0; ws && i < MIN(ws->n_addresses, most); i++)
		json_array_append_new(all, json_string(ADDR_TEXT(&ws->addresses[i])));
	return all;
}

static const char *pool_name(const struct app *a, const struct world_service *ws)
{
	const struct cfg_pool *p =
		ws && ws->n_addresses ? cfg_pool_of(a->cfg, &ws->addresses[0]) : NULL;

	return p ? p->name : NULL;
}

static const char *silence_reason(const struct plan *plan, enum cfg_protocol mode)
{
	for (size_t i = 0; plan && i < plan->n_silent; i++)
		if (plan->silent[i].mode == mode)
			return plan->silent[i].reason;
	return plan ? "internalError" : "serviceDeleted";
}

static void log_change(const struct app *a, const char *service, const char *protocol, bool on,
		       const char *reason)
{
	const struct world_service *ws = world_service(a->world, service);
	json_t *ips = addresses_json(ws, SERVICES_LOGGED_ADDRESSES);

	if (on)
		log_event(LOG_INFO, "serviceAnnounced", "service has IP, announcing",
			  KV_STR("service", service), KV_JSON("ips", ips),
			  KV_STR("pool", pool_name(a, ws)), KV_STR("protocol", protocol));
	else
		log_event(LOG_INFO, "serviceWithdrawn", "withdrawing service announcement",
			  KV_STR("service", service), KV_JSON("ips", ips),
			  KV_STR("pool", pool_name(a, ws)), KV_STR("protocol", protocol),
			  KV_STR("reason", reason));
	json_decref(ips);
}

static struct announced *announced_of(struct services *s, const char *service)
{
	struct announced *an = map_get(s->v, service);

	if (!an) {
		an = mem_new(struct announced);
		an->service = mem_strdup(service);
		list_init(&an->owner);
		an->since = loop_now(s->app->loop);
		(void)map_put(s->v, service, an);
	}
	return an;
}

static void say(struct services *s, const char *service, bool *flag, bool now, const char *protocol,
		const char *reason)
{
	if (*flag == now)
		return;
	*flag = now;
	announced_of(s, service)->since = loop_now(s->app->loop);
	log_change(s->app, service, protocol, now, reason);
}

/* Where addresses stay with whoever has them, everybody has to know who that is. */
static void hold(struct services *s, const char *service, bool has)
{
	const struct app *a = s->app;

	share_hold(a->share, service, has && a->cfg && !a->cfg->l2.preempt);
	loop_task_queue(&s->tell);
}

void services_hold(struct services *s)
{
	const char *service;
	struct announced *an;

	MAP_EACH (s->v, service, an) {
		hold(s, service, an->l2);
	}
}

/* All of a service's addresses are this node's, by the packet thread's word. */
static bool owns_all(const struct services *s, const struct plan *plan)
{
	if (!plan || plan->n_l2 == 0)
		return false;
	for (size_t i = 0; i < plan->n_l2; i++)
		if (!layer2_owns(&s->app->layer2, &plan->l2[i].addr))
			return false;
	return true;
}

void services_decided(struct services *s, const char *service, const struct plan *plan)
{
	struct announced *an = announced_of(s, service);

	say(s, service, &an->bgp, plan && plan->n_bgp > 0, "bgp", silence_reason(plan, CFG_BGP));
	say(s, service, &an->l2, owns_all(s, plan), "layer2", silence_reason(plan, CFG_LAYER2));
	hold(s, service, an->l2);
	reporter_service(s->app->reporter, service, an->l2, an->bgp, plan);
	if (!plan)
		announced_free(map_del(s->v, service));
}

void services_owner(struct services *s, const struct addr *addr)
{
	size_t n;
	const struct world_service *const *holders = world_holders(s->app->world, addr, &n);

	for (size_t i = 0; i < n; i++) {
		struct announced *an = announced_of(s, holders[i]->key);

		if (list_empty(&an->owner))
			list_append(&s->owner, &an->owner);
	}
	loop_task_queue(&s->settle);
}

/* Once for all addresses of a service that have changed hands together. */
static void owners_settle(struct loop_task *t)
{
	struct services *s = CONTAINER_OF(t, struct services, settle);
	struct announced *an;

	LIST_EACH (an, &s->owner, owner) {
		const struct plan *plan = planner_plan(s->app->planner, an->service);

		list_remove(&an->owner);
		say(s, an->service, &an->l2, owns_all(s, plan), "layer2", "notOwner");
		hold(s, an->service, an->l2);
		reporter_service(s->app->reporter, an->service, an->l2, an->bgp, plan);
	}
}

/* --- for people --- */

static const char *state_of(const struct world_service *ws, const struct announced *an)
{
	if (!ws->n_addresses)
		return "pending";
	if (an && (an->l2 || an->bgp))
		return "announced";
	return "silent";
}

/* A service is mostly meant for one mode: that the other one does not announce it explains nothing. */
static const struct plan_silence *main_silence(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_silent; i++)
		if (!plan->silent[i].unasked)
			return &plan->silent[i];
	return &plan->silent[0];
}

static void reason_put(json_t *item, const struct app *a, const struct world_service *ws,
		       const struct plan *plan, const char *state)
{
	if (a->conf.is_shadow)
		json_set_text(item, "reason", "shadow");
	else if (strcmp(state, "pending") == 0)
		json_set_text(item, "reason",
			      ws->object ? allocator_refusal(a->allocator, ws->key)
					 : allocation_refusal(a->allocation, ws->key));
	else if (strcmp(state, "silent") == 0 && plan && plan->n_silent) {
		const struct plan_silence *why = main_silence(plan);

		json_set_text(item, "reason", why->reason);
		json_set_text(item, "detail", why->detail);
	}
}

static json_t *modes_json(const struct announced *an)
{
	json_t *modes = json_array();

	if (an && an->l2)
		json_array_append_new(modes, json_string("layer2"));
	if (an && an->bgp)
		json_array_append_new(modes, json_string("bgp"));
	return modes;
}

static void health_put(json_t *item, const struct app *a, const char *service)
{
	struct health_status st;

	if (!health_checker_status(a->health, service, &st))
		return;
	json_set_text(item, "health", st.healthy ? "healthy" : "unhealthy");
	json_set_text(item, "health-reason", st.reason);
}

static json_t *service_json(const struct services *s, const struct world_service *ws)
{
	const struct announced *an = map_get(s->v, ws->key);
	const struct plan *plan = planner_plan(s->app->planner, ws->key);
	const char *state = state_of(ws, an);
	json_t *item = json_item(ws->key, state, an ? an->since : MONO_NEVER);

	json_object_set_new(item, "addresses", addresses_json(ws, SIZE_MAX));
	json_set_text(item, "pool", pool_name(s->app, ws));
	json_object_set_new(item, "modes", modes_json(an));
	if (plan && plan->n_l2 && plan->l2[0].n_succession)
		json_set_text(item, "owner", plan->l2[0].succession[0].node);
	reason_put(item, s->app, ws, plan, state);
	health_put(item, s->app, ws->key);
	if (ws->labels.n)
		json_object_set_new(item, "labels", json_labels(&ws->labels));
	return item;
}

json_t *services_json(const struct services *s)
{
	json_t *items = json_array();
	const struct world_service *ws;

	for (size_t at = 0; (ws = world_next_service(s->app->world, &at));)
		if (kubernetes_handles(s->app, ws))
			json_array_append_new(items, service_json(s, ws));
	return items;
}

static void sample_announced(const struct services *s, struct metric_writer *w,
			     const struct world_service *ws, const char *protocol)
{
	for (size_t i = 0; i < ws->n_addresses; i++)
		metric_sample(w, "metallb_speaker_announced",
			      METRIC_LABELS({ "service", ws->key }, { "protocol", protocol },
					    { "node", s->app->node },
					    { "ip", ADDR_TEXT(&ws->addresses[i]) }),
			      1);
}

void services_collect(const struct services *s, struct metric_writer *w)
{
	const struct world_service *ws;

	metric_family(w, METRIC_GAUGE, "metallb_speaker_announced",
		      "Services announced from this node");
	for (size_t at = 0; (ws = world_next_service(s->app->world, &at));) {
		const struct announced *an = map_get(s->v, ws->key);

		if (an && an->l2)
			sample_announced(s, w, ws, "layer2");
		if (an && an->bgp)
			sample_announced(s, w, ws, "bgp");
	}
}

struct services_count services_count(const struct services *s)
{
	struct services_count n = { 0 };
	const struct world_service *ws;

	for (size_t at = 0; (ws = world_next_service(s->app->world, &at));) {
		const struct announced *an = map_get(s->v, ws->key);

		if (!kubernetes_handles(s->app, ws))
			continue;
		n.total++;
		n.announced += an && (an->l2 || an->bgp);
		n.without_address += ws->n_addresses == 0;
	}
	return n;
}
