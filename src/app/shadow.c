#include "app/shadow.h"

#include <string.h>

#include "app/app_priv.h"
#include "app/json.h"
#include "kube/informer.h"
#include "plan/kubernetes.h"
#include "plan/plan.h"
#include "world/object_service.h"

/* A service that gives up an address may let another in, and that a third one. */
enum { PASSES = 3 };

/** What one speaker says that it announces of one service. */
struct said {
	char *service, *node;
	json_t *peers; /* of BGP; names */
};

/** Those of one kind. */
struct sayings {
	struct shadow *shadow;
	const char *kind;
	char *path;
	struct kube_informer *informer;
	struct map *v; /* object -> struct said */
};

struct shadow {
	struct app *app;
	struct sayings l2, bgp;
};

/* --- what is said --- */

static void said_free(void *p)
{
	struct said *x = p;

	free(x->service);
	free(x->node);
	json_decref(x->peers);
	free(x);
}

static void on_drop(void *ctx, const char *key)
{
	struct said *x = map_del(((struct sayings *)ctx)->v, key);

	if (x)
		said_free(x);
}

static const char *status_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "status"), key));
}

/* Whoever may write such an object may write anything into it. */
static json_t *only_texts(const json_t *list)
{
	json_t *kept = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one))
			json_array_append(kept, (json_t *)(uintptr_t)one);
	}
	return kept;
}

/* An object without a status is about to get one. */
static void on_put(void *ctx, const char *key, const json_t *object)
{
	const char *node = status_text(object, "node");
	const char *name = status_text(object, "serviceName");
	const char *namespace = status_text(object, "serviceNamespace");
	struct said *x;

	on_drop(ctx, key);
	if (!node || !name || !namespace)
		return;
	x = mem_new(struct said);
	x->service = mem_printf("%s/%s", namespace, name);
	x->node = mem_strdup(node);
	x->peers = only_texts(json_object_get(json_object_get(object, "status"), "peers"));
	(void)map_put(((struct sayings *)ctx)->v, key, x);
}

static void on_listed(void *ctx)
{
	(void)ctx;
}

/* Nobody is woken by it: it stands in the answer to whoever asks. */
static void on_trouble(void *ctx, const char *kind, const char *why)
{
	(void)ctx;
	(void)kind;
	(void)why;
}

static void sayings_start(struct shadow *s, struct sayings *all, const char *kind,
			  const char *plural)
{
	struct app *a = s->app;

	all->shadow = s;
	all->kind = kind;
	all->v = map_new();
	all->path = mem_printf("/apis/metallb.io/v1beta1/namespaces/%s/%s",
			       kubernetes_namespace(a->kubernetes), plural);
	struct kube_informer_conf conf = {
		.kind = kind,
		.path = all->path,
		.optional = true,
		.hooks = { .ctx = all, .put = on_put, .drop = on_drop, .listed = on_listed },
		.trouble = on_trouble,
	};

	all->informer = kube_informer_new(a->loop, kubernetes_client(a->kubernetes), &conf);
}

static void sayings_stop(struct sayings *all)
{
	kube_informer_free(all->informer);
	map_clear(all->v, said_free);
	map_free(all->v);
	free(all->path);
}

struct shadow *shadow_new(struct app *a)
{
	struct shadow *s = mem_new(struct shadow);

	s->app = a;
	sayings_start(s, &s->l2, "ServiceL2Status", "servicel2statuses");
	sayings_start(s, &s->bgp, "ServiceBGPStatus", "servicebgpstatuses");
	return s;
}

struct shadow *shadow_free(struct shadow *s)
{
	if (!s)
		return NULL;
	sayings_stop(&s->l2);
	sayings_stop(&s->bgp);
	free(s);
	return NULL;
}

/* --- differences --- */

static void differs(json_t *items, const char *name, const char *what, json_t *in_force,
		    json_t *with_crier, const char *reason)
{
	bool had = json_array_size(in_force) > 0, has = json_array_size(with_crier) > 0;
	json_t *item = json_item(name,
				 had && has ? "changed"
				 : has	    ? "added"
					    : "removed",
				 MONO_NEVER);

	json_set_text(item, "what", what);
	json_object_set_new(item, "in-force", in_force);
	json_object_set_new(item, "with-crier", with_crier);
	json_set_text(item, "reason", reason);
	json_array_append_new(items, item);
}

static void untold(json_t *items, const char *name, const char *state, const char *what,
		   const char *reason)
{
	json_t *item = json_item(name, state, MONO_NEVER);

	json_set_text(item, "what", what);
	json_set_text(item, "reason", reason);
	json_array_append_new(items, item);
}

/* --- addresses --- */

static json_t *ingress_json(const struct converge_service *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->n_ingress; i++)
		json_array_append_new(all, json_string(s->ingress[i].ip ? s->ingress[i].ip : ""));
	return all;
}

static json_t *result_json(const struct converge_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(all, json_string(ADDR_TEXT(&r->addresses[i])));
	return all;
}

/* Which pool it notes in an annotation is no difference that anybody feels. */
static void compare_addresses(json_t *items, const struct converge_service *s,
			      const struct converge_result *r)
{
	json_t *before = ingress_json(s), *after = result_json(r);
	const char *reason = r->why;

	if (!r->is_changed || (json_equal(before, after) && !r->is_other_entry)) {
		json_decref(before);
		json_decref(after);
		return;
	}
	for (size_t i = 0; !reason && i < r->n_events; i++)
		if (strcmp(r->events[i].reason, "ClearAssignment") == 0)
			reason = r->events[i].text;
	if (!reason && json_equal(before, after))
		reason = "what else the status says of them (a host's name, ports, ipMode) would "
			 "change";
	differs(items, s->key, "addresses", before, after, reason);
}

/* As the allocator begins: what all have is claimed before anybody is given anything. */
static void all_addresses(struct shadow *s, json_t *items)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct alloc *alloc = alloc_new(s->app->cfg);
	size_t n;
	const struct converge_service **v = kubernetes_requests(s->app->world, scratch, &n);
	struct converge_result **results = arena_new_n(scratch, struct converge_result *, n);
	bool others = true;

	(void)kubernetes_tell_namespaces(s->app->world, alloc);
	for (size_t i = 0; i < n; i++)
		converge_claim(alloc, v[i]);
	for (int pass = 0; pass < PASSES && others; pass++) {
		others = false;
		for (size_t i = 0; i < n; i++) {
			if (results[i] && !results[i]->why)
				continue;
			converge_result_free(results[i]);
			results[i] = converge_run(alloc, v[i]);
			others |= results[i]->run_others;
		}
	}
	for (size_t i = 0; i < n; i++) {
		compare_addresses(items, v[i], results[i]);
		converge_result_free(results[i]);
	}
	alloc_free(alloc);
}

/* --- announcements --- */

/** Who says what of one service, and this node among them. */
struct spoken {
	json_t *nodes; /* by Layer 2 */
	json_t *peers; /* of this node, by BGP */
	bool here;
};

static void spoken_free(void *p)
{
	struct spoken *x = p;

	json_decref(x->nodes);
	json_decref(x->peers);
	free(x);
}

static struct spoken *spoken_of(struct map *all, const char *service)
{
	struct spoken *x = map_get(all, service);

	if (!x) {
		x = mem_new(struct spoken);
		x->nodes = json_array();
		x->peers = json_array();
		(void)map_put(all, service, x);
	}
	return x;
}

static struct map *all_spoken(const struct shadow *s)
{
	struct map *all = map_new();
	const char *key;
	struct said *x;

	MAP_EACH (s->l2.v, key, x) {
		struct spoken *of = spoken_of(all, x->service);

		json_array_append_new(of->nodes, json_string(x->node));
		of->here |= strcmp(x->node, s->app->node) == 0;
	}
	MAP_EACH (s->bgp.v, key, x) {
		if (strcmp(x->node, s->app->node) == 0)
			json_array_extend(spoken_of(all, x->service)->peers, x->peers);
	}
	(void)key;
	return all;
}

/* The first that it says of the mode. */
static const char *silence(const struct plan *p, enum cfg_protocol mode)
{
	for (size_t i = 0; p && i < p->n_silent; i++)
		if (p->silent[i].mode == mode)
			return p->silent[i].detail ? p->silent[i].detail : p->silent[i].reason;
	return NULL;
}

static void compare_l2(json_t *items, const char *service, const struct spoken *now,
		       const struct plan *plan)
{
	json_t *owner = json_array();
	bool ours = plan && plan->owner, theirs = now && now->here;

	if (plan && plan->n_l2)
		json_array_append_new(owner, json_string(plan->l2[0].succession[0].node));
	if (ours != theirs)
		differs(items, service, "layer2", now ? json_incref(now->nodes) : json_array(),
			json_incref(owner), ours ? NULL : silence(plan, CFG_LAYER2));
	json_decref(owner);
}

static bool has_text(const json_t *all, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one) if (strcmp(json_string_value(one), text) == 0) return true;
	return false;
}

/* Each once: some have two routes. */
static json_t *peers_json(const struct plan *p)
{
	json_t *all = json_array();

	for (size_t i = 0; p && i < p->n_bgp; i++)
		if (!has_text(all, p->bgp[i].peer->name))
			json_array_append_new(all, json_string(p->bgp[i].peer->name));
	return all;
}

static bool holds_all(const json_t *all, const json_t *of)
{
	const json_t *one;
	size_t i;

	json_array_foreach(of, i, one) if (!has_text(all, json_string_value(one))) return false;
	return true;
}

static void compare_bgp(json_t *items, const char *service, const struct spoken *now,
			const struct plan *plan)
{
	json_t *ours = peers_json(plan);
	json_t *theirs = now ? json_incref(now->peers) : json_array();

	if (holds_all(ours, theirs) && holds_all(theirs, ours)) {
		json_decref(ours);
		json_decref(theirs);
		return;
	}
	differs(items, service, "bgp", theirs, ours, silence(plan, CFG_BGP));
}

/* True when it can be compared; else it is said why not. */
static bool is_told(const struct sayings *all, json_t *items, const char *what)
{
	const char *problem = kube_informer_problem(all->informer);

	if (!problem && kube_informer_is_absent(all->informer))
		problem = "the cluster has no objects of this kind, or they may not be read: who "
			  "announces what can't be told";
	if (!problem && !kube_informer_is_complete(all->informer))
		problem = "these objects have not all been seen yet";
	if (problem)
		untold(items, all->kind, "unknown", what, problem);
	return !problem;
}

static void all_announcements(struct shadow *s, json_t *items)
{
	bool l2 = is_told(&s->l2, items, "layer2"), bgp = is_told(&s->bgp, items, "bgp");
	struct map *all = all_spoken(s);
	const struct world_service *ws;

	for (size_t at = 0; (l2 || bgp) && (ws = world_next_service(s->app->world, &at));) {
		const struct spoken *now = map_get(all, ws->key);
		struct plan *plan = NULL;

		if (!ws->object)
			continue;
		if (plan_handles(s->app->cfg, ws))
			plan = plan_service(s->app->world, ws->key, s->app->node);
		if (l2)
			compare_l2(items, ws->key, now, plan);
		if (bgp)
			compare_bgp(items, ws->key, now, plan);
		plan_free(plan);
	}
	map_clear(all, spoken_free);
	map_free(all);
}

json_t *shadow_json(struct shadow *s)
{
	struct app *a = s->app;
	json_t *items = json_array();

	if (a->config.why)
		untold(items, "configuration", "refused", "configuration", a->config.why);
	if (kubernetes_problem(a->kubernetes))
		untold(items, "kubernetes", "unknown", "view", kubernetes_problem(a->kubernetes));
	if (!a->cfg || !kubernetes_is_configured(a->kubernetes)) {
		untold(items, "kubernetes", "unknown", "view",
		       "not everything in the cluster has been seen yet");
		return items;
	}
	all_addresses(s, items);
	all_announcements(s, items);
	return items;
}
