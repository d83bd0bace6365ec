#include "app/allocator.h"

#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "app/foreign.h"
#include "app/held.h"
#include "app/json.h"
#include "app/status_patch.h"
#include "kube/backoff.h"
#include "kube/elector.h"
#include "kube/recorder.h"
#include "kube/writer.h"
#include "plan/kubernetes.h"
#include "plan/plan.h"
#include "world/object_service.h"

#define LEASE_NAME "crier-allocator"
#define COMPONENT  "metallb-controller" /* what people's alerts and eyes know */

/* Services brought on their way in one slice of work. */
enum { SLICE = 32 };

/* The API's patience with one client; a thousand new services are done within ten seconds. */
enum { WRITES_PER_SECOND = 50, WRITES_BURST = 600, WRITES_WAITING_MAX = 100000 };

#define RETRY_FIRST DUR_MS(200)
#define RETRY_MOST  DUR_S(30)

#define ALLOCATOR_METRICS(X, S)                                                                  \
	X(S, COUNTER, writes, "Statuses written")                                                \
	X(S, COUNTER, conflicts, "Writes that met a newer version of the service")               \
	X(S, COUNTER, failures, "Writes that failed or were not answered")                       \
	X(S, COUNTER, deferred, "Services that waited for an address to leave another's status") \
	X(S, COUNTER, foreign_writes, "Addresses that somebody else wrote over ours")
struct allocator_stats {
	ALLOCATOR_METRICS(METRIC_FIELD, )
};

struct allocator {
	struct app *app;
	struct kube_elector *elector;
	struct kube_writer *writer;
	struct kube_recorder *recorder;
	struct alloc *alloc; /* NULL: we do not lead, or nothing is in force yet */
	struct holdings held;
	struct map *dirty; /* to run, in this order */
	struct map *deferred;
	struct loop_task task;
	struct loop_timer slice, retry;
	struct kube_backoff backoff;
	unsigned term;	 /* how often we have led */
	bool configured; /* the API's configuration is in force */
	bool whole;	 /* all anew, with a new allocator */
	bool no_modes;	 /* the server does not know ipMode */
	struct foreign foreign;
	struct allocator_stats stats;
};

/* --- what is to be done --- */

static void kick(struct allocator *al)
{
	if (al->app->leaving || !kube_elector_leads(al->elector) || !al->configured ||
	    al->foreign.at_work)
		return;
	loop_task_queue(&al->task);
}

static void mark(struct allocator *al, const char *service)
{
	if (!map_get(al->dirty, service))
		(void)map_put(al->dirty, service, al);
	kick(al);
}

/* Something is free again. Whoever has all that it asks for keeps it, and need not be asked. */
static void mark_hungry(struct allocator *al)
{
	const char *service;
	struct held *h;

	MAP_EACH (al->held.by_service, service, h) {
		if (h->hungry)
			mark(al, service);
	}
}

/* Other labels of a namespace may let its services into other pools. */
static void mark_namespace(struct allocator *al, const char *name)
{
	const struct world_service *s;

	for (size_t at = 0; (s = world_next_service(al->app->world, &at));)
		if (s->object && strcmp(s->object->namespace, name) == 0)
			mark(al, s->key);
}

static void rebuild(struct allocator *al)
{
	al->whole = true;
	kick(al);
}

/* Others waited for an address that may be free now. */
static void mark_deferred(struct allocator *al)
{
	const char *key;
	void *value;

	MAP_EACH (al->deferred, key, value) {
		(void)map_put(al->dirty, key, al);
	}
	(void)value;
	map_clear(al->deferred, NULL);
}

/* --- what is held --- */

static const struct kube_known *known_of(const struct allocator *al, const char *service)
{
	return kube_source_service(kubernetes_source(al->app->kubernetes), service);
}

static void look(struct allocator *al, struct held *h)
{
	const struct kube_known *known = known_of(al, h->service);

	held_look(&al->held, h, known ? known->version : NULL);
}

static void forget(struct allocator *al, const char *service)
{
	held_forget(&al->held, service);
	if (al->alloc && converge_forget(al->alloc, service))
		mark_hungry(al);
}

/* --- never twice --- */

/* Is the address one that the service is to have? Others of the kind share it. */
static bool grants(const struct allocator *al, const char *service, const struct addr *a)
{
	struct alloc_grant g = { 0 };

	if (!alloc_find(al->alloc, service, &g))
		return false;
	for (size_t i = 0; i < g.n; i++)
		if (addr_eq(&g.addresses[i], a))
			return true;
	return false;
}

/* Does the API still show the address with somebody who is not to have it any more? */
static bool shown_elsewhere(const struct allocator *al, const char *service, const struct addr *a)
{
	size_t n;
	const struct world_service *const *v = world_holders(al->app->world, a, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i]->key, service) != 0 && v[i]->object &&
		    plan_handles(al->app->cfg, v[i]) && !grants(al, v[i]->key, a))
			return true;
	return false;
}

/* May somebody come to have it by a write who is not to have it any more? */
static bool written_elsewhere(const struct allocator *al, const char *service, const struct addr *a)
{
	const struct held *writer = held_writer(&al->held, a);

	return writer && strcmp(writer->service, service) != 0 && !grants(al, writer->service, a);
}

/* Has to wait: one of its addresses is not free as far as the API is concerned. */
static bool has_to_wait(const struct allocator *al, const struct converge_service *s,
			const struct converge_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (written_elsewhere(al, s->key, &r->addresses[i]) ||
		    shown_elsewhere(al, s->key, &r->addresses[i]))
			return true;
	return false;
}

/* --- writing --- */

static void write_status(struct allocator *al, const struct converge_service *s,
			 const struct converge_result *r, struct held *h)
{
	const struct kube_known *known = known_of(al, s->key);
	struct buf path = { 0 };

	if (!known)
		return; /* it is gone; the watch says so in a moment */
	char *text = status_patch(s, r, known->version);
	char *tag = mem_printf("%u %s", al->term, s->key);

	status_path(s->key, &path);
	look(al, h);
	h->in_flight = kube_writer_put(
		al->writer, &(struct kube_write){ .method = "PATCH",
						  .path = buf_text(&path),
						  .content_type = "application/merge-patch+json",
						  .body = text,
						  .tag = tag });
	held_write(&al->held, h, known->version, r->addresses, r->n);
	free(tag);
	free(text);
	buf_fini(&path);
}

static struct kube_subject subject_of(const struct allocator *al, const struct world_service *s)
{
	const struct kube_known *known = known_of(al, s->key);

	return (struct kube_subject){
		.api_version = "v1",
		.kind = "Service",
		.namespace = s->object->namespace,
		.name = s->key + strlen(s->object->namespace) + 1,
		.uid = known ? known->uid : NULL,
		.version = known ? known->version : NULL,
	};
}

static void log_result(const struct world_service *s, const struct converge_result *r)
{
	json_t *ips = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(ips, json_string(ADDR_TEXT(&r->addresses[i])));
	if (r->n)
		log_event(LOG_INFO, "ipAllocated", "IP address assigned", KV_STR("service", s->key),
			  KV_JSON("ip", ips), KV_STR("pool", r->pool));
	else
		log_event(LOG_INFO, "clearAssignment", "service has no address any more",
			  KV_STR("service", s->key), KV_STR("reason", r->why));
	json_decref(ips);
}

/* The log hears what is news; the API counts how often it was said. */
static void say_events(struct allocator *al, const struct world_service *s,
		       const struct converge_result *r, bool news)
{
	struct kube_subject about = subject_of(al, s);

	for (size_t i = 0; i < r->n_events; i++) {
		const struct converge_event *ev = &r->events[i];

		kube_recorder_say(al->recorder, &about, ev->is_warning, ev->reason, ev->text);
		if (!news || strcmp(ev->reason, "IPAllocated") == 0)
			continue;
		log_event(ev->is_warning ? LOG_WARN : LOG_INFO, ev->reason, ev->text,
			  KV_STR("service", s->key));
	}
}

/* --- one service --- */

/* True: another allocator is at work, and this one rests. */
static bool meets_foreign(struct allocator *al, const struct world_service *s, const struct held *h)
{
	if (!foreign_wrote(h, s))
		return al->foreign.at_work;
	al->stats.foreign_writes++;
	if (foreign_count(&al->foreign, loop_now(al->app->loop)))
		log_event(LOG_ERROR, "foreignAllocator",
			  "somebody else writes addresses of services that we look after: crier "
			  "stops allocating; stop one of the two, then restart crier",
			  KV_STR("service", s->key));
	return al->foreign.at_work;
}

static void act_on(struct allocator *al, const struct world_service *s,
		   const struct converge_service *request, const struct converge_result *r,
		   struct held *h)
{
	bool news = held_because(h, r->n ? NULL : r->why);

	h->terms = r->terms;
	h->hungry = r->why || (r->n == 1 && request->policy == CFG_PREFER_DUAL_STACK);
	if (r->run_others)
		mark_hungry(al);
	if (!r->is_left && r->is_changed && has_to_wait(al, request, r)) {
		al->stats.deferred++;
		(void)map_put(al->deferred, s->key, al);
		return;
	}
	bool writes = r->is_changed && !r->is_left;

	say_events(al, s, r, news || writes);
	if (writes) {
		log_result(s, r);
		write_status(al, request, r, h);
		return;
	}
	held_content(h, r->addresses, r->n);
}

static void run_one(struct allocator *al, const char *service)
{
	const struct world_service *s = world_service(al->app->world, service);
	struct held *h = held_find(&al->held, service);

	if (!s || !s->object || !plan_handles(al->app->cfg, s)) {
		if (s && s->object && !s->object->is_load_balancer && h && h->n_has)
			write_status(al, &(struct converge_service){ .key = s->key },
				     &(struct converge_result){ 0 }, h);
		forget(al, service);
		return;
	}
	if (h && h->in_flight) {
		h->again = true;
		return;
	}
	h = held_of(&al->held, service);
	if (meets_foreign(al, s, h))
		return;
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct converge_service request = kubernetes_request(al->app->world, s, scratch);

	request.terms = h->terms;
	request.keep_without_pools = true;
	if (al->no_modes)
		request.ip_mode = CFG_IP_MODE_VIP;
	CLEANUP(converge_result_freep)
	struct converge_result *r = converge_run(al->alloc, &request);

	act_on(al, s, &request, r, h);
}

/* --- all of them --- */

/* What its status says, or is about to say. */
static void claim(struct allocator *al, const struct converge_service *s)
{
	char texts[CONVERGE_ADDRESSES_MAX][ADDR_TEXT_MAX];
	struct converge_ingress v[CONVERGE_ADDRESSES_MAX];
	const struct held *h = held_find(&al->held, s->key);
	struct converge_service written = *s;

	if (h && h->version) {
		for (size_t i = 0; i < h->n_wants; i++)
			v[i] = (struct converge_ingress){ .ip = addr_format(&h->wants[i],
									    texts[i]) };
		written.ingress = v;
		written.n_ingress = h->n_wants;
	}
	converge_claim(al->alloc, &written);
}

/* Of earlier terms, too: what was written then may have come to be meanwhile, or be over. */
static void look_at_all(struct allocator *al)
{
	const char *service;
	struct held *h;

	MAP_EACH (al->held.by_service, service, h) {
		look(al, h);
	}
}

/* A new allocator learns what all have, before anybody is given anything. */
static void begin_anew(struct allocator *al)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	size_t n;
	const struct converge_service **order = kubernetes_requests(al->app->world, scratch, &n);

	al->whole = false;
	look_at_all(al);
	alloc_free(al->alloc);
	al->alloc = alloc_new(al->app->cfg);
	(void)kubernetes_tell_namespaces(al->app->world, al->alloc);
	map_clear(al->dirty, NULL);
	map_clear(al->deferred, NULL);
	for (size_t i = 0; i < n; i++) {
		claim(al, order[i]);
		(void)map_put(al->dirty, order[i]->key, al);
	}
}

static void run_slice(struct allocator *al)
{
	const char *key;
	void *value;
	size_t at = 0;

	if (!kube_elector_leads(al->elector) || !al->configured || al->foreign.at_work)
		return;
	if (al->whole || !al->alloc)
		begin_anew(al);
	for (int i = 0; i < SLICE && map_next(al->dirty, &at, &key, &value); i++) {
		char *service = mem_strdup(key);

		(void)map_del(al->dirty, service);
		run_one(al, service);
		free(service);
	}
	if (map_len(al->dirty))
		loop_timer_set(&al->slice, loop_now(al->app->loop));
}

static void slice_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	run_slice(CONTAINER_OF(t, struct allocator, slice));
}

static void task_due(struct loop_task *t)
{
	struct allocator *al = CONTAINER_OF(t, struct allocator, task);

	if (!loop_timer_active(&al->slice))
		run_slice(al);
}

/* --- answers --- */

static void retry_due(struct loop_timer *t, struct mono now)
{
	struct allocator *al = CONTAINER_OF(t, struct allocator, retry);

	(void)now;
	mark_deferred(al);
	mark_hungry(al);
	kick(al);
}

static void retry_later(struct allocator *al)
{
	if (!loop_timer_active(&al->retry))
		loop_timer_set(&al->retry,
			       mono_add(loop_now(al->app->loop), kube_backoff_next(&al->backoff)));
}

/* A server that is too old leaves the mode out: asked for again and again, it would do so for ever. */
static void look_for_mode(struct allocator *al, const json_t *object)
{
	const json_t *list = json_object_get(
		json_object_get(json_object_get(object, "status"), "loadBalancer"), "ingress");
	const json_t *first = json_array_get(list, 0);

	if (al->app->cfg->kubernetes.ip_mode != CFG_IP_MODE_PROXY || al->no_modes || !first ||
	    json_object_get(first, "ipMode"))
		return;
	al->no_modes = true;
	log_plain(LOG_WARN, "ipModeUnknown",
		  "the API server does not know ipMode: kubernetes.ip-mode has no effect");
}

static void written(struct allocator *al, struct held *h, const struct kube_answer *a)
{
	json_t *object = json_loadb(a->body, a->len, 0, NULL);

	al->stats.writes++;
	kube_backoff_reset(&al->backoff);
	held_sure(&al->held, h);
	held_content(h, h->wants, h->n_wants);
	look_for_mode(al, object);
	if (object)
		kube_source_service_written(kubernetes_source(al->app->kubernetes), object);
	json_decref(object);
}

/*
 * It may have been carried out, or be so yet, unless the server says that it was not: its addresses
 * are nobody else's until the service has moved on.
 */
static void not_written(struct allocator *al, const char *service, struct held *h,
			const struct kube_answer *a)
{
	char why[256];

	if (a->status == 409)
		al->stats.conflicts++;
	else
		al->stats.failures++;
	if (a->status >= 400 && a->status < 500 && a->status != 409)
		held_sure(&al->held, h);
	else
		look(al, h);
	h->hungry = true;
	if (a->status != 404)
		log_event(a->status == 409 ? LOG_DEBUG : LOG_WARN, "updateServiceStatus",
			  "the status of a service was not written", KV_STR("service", service),
			  KV_STR("error", kube_answer_text(a, why, sizeof(why))));
	retry_later(al);
}

static void on_written(void *ctx, const char *tag, const struct kube_answer *a)
{
	struct allocator *al = ctx;
	char *service;
	bool is_ours = strtoul(tag, &service, 10) == al->term;
	struct held *h = held_find(&al->held, ++service);

	if (!h || !is_ours)
		return;
	h->in_flight = false;
	if (a->status == 200)
		written(al, h, a);
	else
		not_written(al, service, h, a);
	if (h->again) {
		h->again = false;
		mark(al, service);
	}
}

/* --- from outside --- */

static void on_leads(void *ctx, bool leads)
{
	struct allocator *al = ctx;

	log_event(LOG_INFO, leads ? "allocatorLeads" : "allocatorStops",
		  leads ? "this node allocates addresses" : "another node may allocate from now on",
		  KV_STR("holder", kube_elector_holder(al->elector)));
	if (leads) {
		al->term++;
		rebuild(al);
		return;
	}
	/*
	 * Nothing that is not under way already; and nothing that was known holds for the next
	 * time, but for writes that may still be carried out then.
	 */
	kube_writer_clear(al->writer);
	al->alloc = alloc_free(al->alloc);
	holdings_lose(&al->held);
	map_clear(al->dirty, NULL);
	map_clear(al->deferred, NULL);
}

void allocator_touch(struct allocator *al, enum world_change what, const char *name)
{
	if (!al || !kube_elector_leads(al->elector))
		return;
	switch (what) {
	case WORLD_SERVICE:
		if (held_find(&al->held, name))
			look(al, held_find(&al->held, name));
		mark_deferred(al);
		mark(al, name);
		break;
	case WORLD_NAMESPACE:
		/* A pool that selects none is for everybody who asks, as in the reference. */
		if (al->alloc && kubernetes_tell_namespaces(al->app->world, al->alloc))
			rebuild(al);
		mark_namespace(al, name);
		break;
	case WORLD_ALL:
		rebuild(al);
		break;
	case WORLD_NODE:
		break;
	}
}

void allocator_configured(struct allocator *al)
{
	if (!al)
		return;
	al->configured = true;
	rebuild(al);
}

struct allocator *allocator_new(struct app *a)
{
	struct allocator *al = mem_new(struct allocator);
	struct kube_client *client = kubernetes_client(a->kubernetes);
	uint64_t seed;

	rng_secure(&seed, sizeof(seed));
	al->app = a;
	holdings_init(&al->held);
	al->dirty = map_new();
	al->deferred = map_new();
	loop_task_init(&al->task, a->loop, task_due);
	loop_timer_init(&al->slice, a->loop, slice_due);
	loop_timer_init(&al->retry, a->loop, retry_due);
	kube_backoff_init(&al->backoff, RETRY_FIRST, RETRY_MOST, seed);
	al->writer = kube_writer_new(a->loop, client,
				     &(struct kube_writer_conf){ .per_second = WRITES_PER_SECOND,
								 .burst = WRITES_BURST,
								 .waiting_max = WRITES_WAITING_MAX,
								 .timeout = KUBE_ELECTOR_WRITE_MAX,
								 .ctx = al,
								 .done = on_written });
	al->recorder = kube_recorder_new(a->loop, client,
					 &(struct kube_recorder_conf){ .component = COMPONENT });
	al->elector = kube_elector_new(
		a->loop, client,
		&(struct kube_elector_conf){ .namespace = kubernetes_namespace(a->kubernetes),
					     .name = LEASE_NAME,
					     .me = a->node,
					     .ctx = al,
					     .changed = on_leads });
	return al;
}

struct allocator *allocator_free(struct allocator *al)
{
	if (!al)
		return NULL;
	al->elector = kube_elector_free(al->elector);
	kube_writer_free(al->writer);
	kube_recorder_free(al->recorder);
	loop_task_cancel(&al->task);
	loop_timer_stop(&al->slice);
	loop_timer_stop(&al->retry);
	holdings_fini(&al->held);
	map_free(al->dirty);
	map_free(al->deferred);
	alloc_free(al->alloc);
	free(al);
	return NULL;
}

void allocator_leave(struct allocator *al, void (*done)(void *ctx), void *ctx)
{
	if (!al) {
		done(ctx);
		return;
	}
	kube_writer_clear(al->writer);
	kube_elector_release(al->elector, done, ctx);
}

/* --- for people --- */

bool allocator_leads(const struct allocator *al)
{
	return al && kube_elector_leads(al->elector);
}

const char *allocator_refusal(const struct allocator *al, const char *service)
{
	const struct held *h = al ? held_find(&al->held, service) : NULL;

	return h ? h->why : NULL;
}

const char *allocator_problem(const struct allocator *al)
{
	return al && al->foreign.at_work
		       ? "another allocator writes addresses of the same services; crier's "
			 "has stopped"
		       : NULL;
}

json_t *allocator_json(const struct allocator *al)
{
	if (!al)
		return NULL;
	return json_pack("{s:b, s:s, s:I}", "leads", kube_elector_leads(al->elector), "holder",
			 kube_elector_holder(al->elector), "pending",
			 (json_int_t)kube_writer_pending(al->writer));
}

void allocator_collect(const struct allocator *al, struct metric_writer *w)
{
	static const struct metric_row rows[] = { ALLOCATOR_METRICS(METRIC_ROW,
								    struct allocator_stats) };

	if (al)
		metric_struct(w, "crier_allocator_", rows, ARRAY_LEN(rows), &al->stats);
}
