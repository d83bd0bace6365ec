#include "kube/elector.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LEASE_DURATION	   DUR_S(15)
#define LEASE_RENEW_WITHIN DUR_S(10)
#define LEASE_RETRY	   DUR_S(2)

struct kube_elector {
	struct loop *loop;
	struct kube_client *client;
	struct kube_elector_conf conf;
	char *name, *me, *collection;
	struct kube_lease lease;
	struct kube_call *call;
	struct loop_timer step, end;
	bool leads;
	bool releasing;
	void (*released)(void *ctx);
	void *released_ctx;
};

static void wall_micro(char buf[static 40])
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	size_t n = strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, 40 - n, ".%06ldZ", ts.tv_nsec / 1000);
}

/* Tell what has changed, and arm what comes next. */
static void settle(struct kube_elector *e)
{
	bool leads = kube_lease_is_ours(&e->lease, loop_now(e->loop)) && !e->releasing;

	loop_timer_set(&e->end, kube_lease_ends(&e->lease));
	if (!e->call && !e->releasing)
		loop_timer_set(&e->step, kube_lease_deadline(&e->lease));
	if (leads == e->leads)
		return;
	e->leads = leads;
	e->conf.changed(e->conf.ctx, leads);
}

static void step_done(void *ctx, const struct kube_answer *a)
{
	struct kube_elector *e = ctx;
	json_t *lease =
		a->status >= 200 && a->status < 300 ? json_loadb(a->body, a->len, 0, NULL) : NULL;

	e->call = NULL;
	if (lease)
		kube_lease_answer(&e->lease, lease, loop_now(e->loop));
	else
		kube_lease_refused(&e->lease, a->status, loop_now(e->loop));
	json_decref(lease);
	settle(e);
}

static void ask(struct kube_elector *e, const char *method, bool to_collection, json_t *body,
		void (*done)(void *ctx, const struct kube_answer *a))
{
	char *path = to_collection ? mem_strdup(e->collection)
				   : mem_printf("%s/%s", e->collection, e->name);
	char *text = NULL;

	if (body) {
		json_object_set_new(json_object_get(body, "metadata"), "name",
				    json_string(e->name));
		json_object_set_new(body, "kind", json_string("Lease"));
		json_object_set_new(body, "apiVersion", json_string("coordination.k8s.io/v1"));
		text = json_dumps(body, JSON_COMPACT);
	}
	e->call = kube_client_call(e->client, &(struct kube_call_conf){
						      .method = method,
						      .path = path,
						      .body = text,
						      .len = text ? strlen(text) : 0,
						      .timeout = KUBE_ELECTOR_WRITE_MAX,
						      .ctx = e,
						      .done = done,
					      });
	free(text);
	free(path);
	json_decref(body);
}

static void step_due(struct loop_timer *t, struct mono now)
{
	struct kube_elector *e = CONTAINER_OF(t, struct kube_elector, step);
	enum kube_lease_step step = e->lease.step;
	char wall[40];

	wall_micro(wall);
	if (step == KUBE_LEASE_READ)
		ask(e, "GET", false, NULL, step_done);
	else
		ask(e, step == KUBE_LEASE_CREATE ? "POST" : "PUT", step == KUBE_LEASE_CREATE,
		    kube_lease_body(&e->lease, wall, now), step_done);
}

static void end_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	settle(CONTAINER_OF(t, struct kube_elector, end));
}

struct kube_elector *kube_elector_new(struct loop *l, struct kube_client *client,
				      const struct kube_elector_conf *conf)
{
	struct kube_elector *e = mem_new(struct kube_elector);
	uint64_t seed;

	rng_secure(&seed, sizeof(seed));
	e->loop = l;
	e->client = client;
	e->conf = *conf;
	e->name = mem_strdup(conf->name);
	e->me = mem_printf("%s_%016llx", conf->me, (unsigned long long)seed);
	e->collection =
		mem_printf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", conf->namespace);
	kube_lease_init(&e->lease,
			&(struct kube_lease_conf){ .me = e->me,
						   .duration = LEASE_DURATION,
						   .renew_within = LEASE_RENEW_WITHIN,
						   .retry = LEASE_RETRY,
						   .seed = seed },
			loop_now(l));
	loop_timer_init(&e->step, l, step_due);
	loop_timer_init(&e->end, l, end_due);
	settle(e);
	return e;
}

struct kube_elector *kube_elector_free(struct kube_elector *e)
{
	if (!e)
		return NULL;
	kube_call_cancel(e->call);
	loop_timer_stop(&e->step);
	loop_timer_stop(&e->end);
	kube_lease_fini(&e->lease);
	free(e->name);
	free(e->me);
	free(e->collection);
	free(e);
	return NULL;
}

bool kube_elector_leads(const struct kube_elector *e)
{
	return e->leads;
}

const char *kube_elector_holder(const struct kube_elector *e)
{
	return e->lease.holder ? e->lease.holder : "";
}

static void release_done(void *ctx, const struct kube_answer *a)
{
	struct kube_elector *e = ctx;

	(void)a; /* if it failed, the others wait for the lease to end */
	e->call = NULL;
	e->released(e->released_ctx);
}

void kube_elector_release(struct kube_elector *e, void (*done)(void *ctx), void *ctx)
{
	char wall[40];
	bool held = kube_lease_is_ours(&e->lease, loop_now(e->loop));

	loop_timer_stop(&e->step);
	loop_timer_stop(&e->end);
	e->call = kube_call_cancel(e->call);
	e->releasing = true;
	e->leads = false;
	if (!held) {
		done(ctx);
		return;
	}
	e->released = done;
	e->released_ctx = ctx;
	wall_micro(wall);
	ask(e, "PUT", false, kube_lease_release_body(&e->lease, wall), release_done);
}
