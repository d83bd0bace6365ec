#include "app/pods.h"

#include <string.h>

#include "app/app_priv.h"
#include "base/log.h"

/* A pod is some ten kilobytes of JSON: a page is read in about a millisecond. */
enum { PAGE = 50 };

#define EVERY	    DUR_S(300)
#define RETRY_AFTER DUR_S(5)
#define TIMEOUT	    DUR_S(10)

struct pods {
	struct app *app;
	char *path; /* of the collection, with the selector */
	struct kube_call *asking;
	struct loop_timer timer;
	struct addr *v; /* of this reading, so far */
	size_t n, cap;
	bool known;    /* it has been read once */
	char *problem; /* with the last reading, or NULL */
};

static void ask(struct pods *p, const char *next);

static void again(struct pods *p, struct dur after)
{
	free(p->v);
	p->v = NULL;
	p->n = p->cap = 0;
	loop_timer_set(&p->timer, mono_add(loop_now(p->app->loop), after));
}

static void failed(struct pods *p, const struct kube_answer *a)
{
	char why[512];

	kube_answer_text(a, why, sizeof(why));
	/* Once: who is known stays a member, and the next reading may be better. */
	if (!p->problem)
		log_event(LOG_WARN, "memberDiscovery", "the pods that are members can't be listed",
			  KV_STR("error", why));
	free(p->problem);
	p->problem = mem_strdup(why);
	again(p, RETRY_AFTER);
}

/* A pod that has no address yet, or is over, is no member. */
static void take_pod(struct pods *p, const json_t *pod)
{
	const json_t *status = json_object_get(pod, "status");
	const char *ip = json_string_value(json_object_get(status, "podIP"));
	const char *phase = json_string_value(json_object_get(status, "phase"));
	struct addr addr;

	if (!ip || addr_parse(ip, &addr) < 0)
		return;
	if (phase && (strcmp(phase, "Failed") == 0 || strcmp(phase, "Succeeded") == 0))
		return;
	mem_grow(p->v, p->n, p->cap);
	p->v[p->n++] = addr;
}

static void listed(struct pods *p)
{
	free(p->problem);
	p->problem = NULL;
	membership_found(p->app->membership, p->v, p->n);
	if (!p->known)
		app_members_named(p->app);
	p->known = true;
	again(p, EVERY);
}

static void done(void *ctx, const struct kube_answer *a)
{
	struct pods *p = ctx;
	json_t *list = a->status == 200 ? json_loadb(a->body, a->len, 0, NULL) : NULL;
	const json_t *meta = json_object_get(list, "metadata");
	const char *next = json_string_value(json_object_get(meta, "continue"));
	json_t *pod;
	size_t i;

	p->asking = NULL;
	if (!list) {
		failed(p, a);
		return;
	}
	json_array_foreach(json_object_get(list, "items"), i, pod) take_pod(p, pod);
	if (next && *next) {
		ask(p, next);
	} else {
		listed(p);
	}
	json_decref(list);
}

/* @next: where the last page ended; NULL: from the start */
static void ask(struct pods *p, const char *next)
{
	struct buf path = { 0 };

	buf_puts(&path, p->path);
	if (next) {
		buf_puts(&path, "&continue=");
		buf_put_escaped(&path, next);
	}
	p->asking = kube_client_call(kubernetes_client(p->app->kubernetes),
				     &(struct kube_call_conf){ .method = "GET",
							       .path = buf_text(&path),
							       .timeout = TIMEOUT,
							       .ctx = p,
							       .done = done });
	buf_fini(&path);
}

static void due(struct loop_timer *t, struct mono now)
{
	struct pods *p = CONTAINER_OF(t, struct pods, timer);

	(void)now;
	if (kube_client_is_ready(kubernetes_client(p->app->kubernetes)))
		ask(p, NULL);
	else
		again(p, DUR_MS(200));
}

struct pods *pods_new(struct app *a, const char *labels)
{
	struct pods *p = mem_new(struct pods);
	struct buf path = { 0 };

	p->app = a;
	buf_printf(&path, "/api/v1/namespaces/%s/pods?limit=%d&labelSelector=",
		   kubernetes_namespace(a->kubernetes), (int)PAGE);
	buf_put_escaped(&path, labels);
	p->path = mem_strdup(buf_text(&path));
	buf_fini(&path);
	loop_timer_init(&p->timer, a->loop, due);
	again(p, DUR_MS(0));
	return p;
}

struct pods *pods_free(struct pods *p)
{
	if (!p)
		return NULL;
	loop_timer_stop(&p->timer);
	kube_call_cancel(p->asking);
	free(p->v);
	free(p->path);
	free(p->problem);
	free(p);
	return NULL;
}

const char *pods_problem(const struct pods *p)
{
	return p ? p->problem : NULL;
}
