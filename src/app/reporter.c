#include "app/reporter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/app_priv.h"
#include "kube/recorder.h"
#include "kube/writer.h"
#include "world/object_service.h"

#define COMPONENT "metallb-speaker" /* what people's alerts and eyes know */
#define GROUP	  "metallb.io/v1beta1"

enum { WRITES_PER_SECOND = 20, WRITES_BURST = 100, WRITES_WAITING_MAX = 100000 };

#define TIMEOUT	    DUR_S(5)
#define RETRY_AFTER DUR_S(5)

enum report_kind { REPORT_L2, REPORT_BGP, REPORT_CONFIG, REPORT_KIND_COUNT };

static const struct {
	const char *kind, *plural, *prefix;
} kinds[] = {
	[REPORT_L2] = { "ServiceL2Status", "servicel2statuses", "l2-" },
	[REPORT_BGP] = { "ServiceBGPStatus", "servicebgpstatuses", "bgp-" },
	[REPORT_CONFIG] = { "ConfigurationState", "configurationstates", "speaker-" },
};

/** One object of ours. */
struct report {
	enum report_kind kind;
	char *name;
	char *service; /* NULL: it is about none */
	char *wanted;  /* its status as JSON; NULL: it is not to be */
	char *written; /* what it says there; NULL: it is not there, or not known to be */
	bool exists, in_flight;
};

struct reporter {
	struct app *app;
	struct kube_client *client;
	struct kube_writer *writer;
	struct kube_recorder *recorder;
	struct map *reports;		   /* name -> struct report */
	bool is_absent[REPORT_KIND_COUNT]; /* the kind is not installed */
	json_t *owner;			   /* reference to whom they belong; NULL: not known yet */
	struct kube_call *asking;	   /* for the owner, or for what is there */
	enum report_kind sweep; /* what is asked for next; REPORT_CONFIG: nothing any more */
	bool settled;
	struct loop_timer retry;
};

static void settle(struct reporter *r, struct report *x);

static void settle_all(struct reporter *r)
{
	const char *name;
	struct report *x;

	MAP_EACH (r->reports, name, x) {
		settle(r, x);
	}
	(void)name;
}

static void retry_later(struct reporter *r)
{
	if (!loop_timer_active(&r->retry))
		loop_timer_set(&r->retry, mono_add(loop_now(r->app->loop), RETRY_AFTER));
}

static char *collection(const struct reporter *r, enum report_kind kind)
{
	return mem_printf("/apis/%s/namespaces/%s/%s", GROUP,
			  kubernetes_namespace(r->app->kubernetes), kinds[kind].plural);
}

/* --- one object --- */

static struct report *report_of(struct reporter *r, enum report_kind kind, const char *service,
				const char *name)
{
	struct report *x = map_get(r->reports, name);

	if (x)
		return x;
	x = mem_new(struct report);
	x->kind = kind;
	x->name = mem_strdup(name);
	x->service = service ? mem_strdup(service) : NULL;
	(void)map_put(r->reports, name, x);
	return x;
}

static void report_free(void *p)
{
	struct report *x = p;

	free(x->name);
	free(x->service);
	free(x->wanted);
	free(x->written);
	free(x);
}

static json_t *labels_of(const struct reporter *r, const struct report *x)
{
	if (!x->service)
		return json_pack("{s:s, s:s}", "metallb.io/component-type", "speaker",
				 "metallb.io/node-name", r->app->node);
	const char *slash = strchr(x->service, '/');

	return json_pack("{s:s, s:s, s:s%}", "metallb.io/node", r->app->node,
			 "metallb.io/service-name", slash + 1, "metallb.io/service-namespace",
			 x->service, (size_t)(slash - x->service));
}

static void put(struct reporter *r, struct report *x, const char *method, const char *suffix,
		const char *content_type, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	char *all = collection(r, x->kind);
	char *path = *suffix == '+' ? mem_strdup(all) : mem_printf("%s/%s%s", all, x->name, suffix);
	char *tag = mem_printf("%c%s", *method == 'P' ? method[1] : 'D', x->name);

	x->in_flight =
		kube_writer_put(r->writer, &(struct kube_write){ .method = method,
								 .path = path,
								 .content_type = content_type,
								 .body = text,
								 .tag = tag });
	if (!x->in_flight)
		retry_later(r);
	free(tag);
	free(path);
	free(all);
	free(text);
	json_decref(body);
}

static void put_new(struct reporter *r, struct report *x)
{
	put(r, x, "POST", "+", NULL,
	    json_pack("{s:s, s:s, s:{s:s, s:o, s:[O]}, s:{}}", "apiVersion", GROUP, "kind",
		      kinds[x->kind].kind, "metadata", "name", x->name, "labels", labels_of(r, x),
		      "ownerReferences", r->owner, "spec"));
}

static void put_status(struct reporter *r, struct report *x)
{
	put(r, x, "PATCH", "/status", "application/merge-patch+json",
	    json_pack("{s:o}", "status", json_loads(x->wanted, 0, NULL)));
	if (!x->in_flight)
		return;
	free(x->written);
	x->written = mem_strdup(x->wanted);
}

/* The next step from what is there to what is to be there. */
static void settle(struct reporter *r, struct report *x)
{
	if (x->in_flight)
		return;
	if (!x->wanted && !x->exists) {
		report_free(map_del(r->reports, x->name));
		return;
	}
	if (r->is_absent[x->kind] || !r->owner || r->app->leaving)
		return;
	if (!x->exists)
		put_new(r, x);
	else if (x->wanted && (!x->written || strcmp(x->written, x->wanted) != 0))
		put_status(r, x);
	else if (!x->wanted)
		put(r, x, "DELETE", "", NULL, NULL);
}

static void want(struct reporter *r, struct report *x, json_t *status)
{
	free(x->wanted);
	x->wanted = status ? json_dumps(status, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(status);
	settle(r, x);
}

static bool is_good(int status)
{
	return status >= 200 && status < 300;
}

/* @tag: the second letter of the method (pOst, pAtch), or D; and the name. */
static void on_written(void *ctx, const char *tag, const struct kube_answer *a)
{
	struct reporter *r = ctx;
	struct report *x = map_get(r->reports, tag + 1);
	bool good = is_good(a->status);

	if (!x)
		return;
	x->in_flight = false;
	if (*tag == 'O' &&
	    a->status == 404) /* until the next configuration: it may be installed then */
		r->is_absent[x->kind] = true;
	if (*tag == 'O' && (good || a->status == 409))
		x->exists = true;
	else if (a->status == 404 || (*tag == 'D' && good))
		x->exists = false;
	if (*tag == 'A' && !good) {
		free(x->written);
		x->written = NULL;
	}
	if (good || (*tag == 'O' && a->status == 409) || a->status == 404)
		settle(r, x);
	else
		retry_later(r);
}

/* --- services --- */

static char *name_of(const struct reporter *r, enum report_kind kind, const char *service)
{
	struct buf b = { 0 };
	uint64_t h = 14695981039346656037u; /* FNV-1a: a name, no secret */

	buf_printf(&b, "%s %s", r->app->node, service);
	for (size_t i = 0; i < b.len; i++)
		h = (h ^ (uint8_t)b.p[i]) * 1099511628211u;
	buf_fini(&b);
	return mem_printf("%s%016llx", kinds[kind].prefix, (unsigned long long)h);
}

static json_t *status_head(const struct reporter *r, const char *service)
{
	const char *slash = strchr(service, '/');

	return json_pack("{s:s, s:s, s:s%}", "node", r->app->node, "serviceName", slash + 1,
			 "serviceNamespace", service, (size_t)(slash - service));
}

/* No interfaces: all of them. */
static json_t *status_l2(const struct reporter *r, const char *service, const struct plan *plan)
{
	json_t *status = status_head(r, service), *all = json_array();

	for (size_t i = 0;
	     plan->n_l2 && !plan->l2[0].all_interfaces && i < plan->l2[0].interfaces->n; i++)
		json_array_append_new(all,
				      json_pack("{s:s}", "name", plan->l2[0].interfaces->v[i]));
	if (json_array_size(all))
		json_object_set(status, "interfaces", all);
	json_decref(all);
	return status;
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *status_bgp(const struct reporter *r, const char *service, const struct plan *plan)
{
	json_t *status = status_head(r, service), *peers = json_array();
	const char **v = mem_new_n(const char *, plan->n_bgp);

	for (size_t i = 0; i < plan->n_bgp; i++)
		v[i] = plan->bgp[i].peer->name;
	qsort(v, plan->n_bgp, sizeof(*v), name_cmp);
	for (size_t i = 0; i < plan->n_bgp; i++)
		if (i == 0 || strcmp(v[i - 1], v[i]) != 0)
			json_array_append_new(peers, json_string(v[i]));
	free(v);
	json_object_set_new(status, "peers", peers);
	return status;
}

static void say(struct reporter *r, const char *service, bool is_warning, const char *reason,
		const char *text)
{
	const struct kube_known *known =
		kube_source_service(kubernetes_source(r->app->kubernetes), service);
	const char *slash = strchr(service, '/');
	char *namespace = mem_strndup(service, (size_t)(slash - service));

	kube_recorder_say(r->recorder,
			  &(struct kube_subject){ .api_version = "v1",
						  .kind = "Service",
						  .namespace = namespace,
						  .name = slash + 1,
						  .uid = known ? known->uid : NULL,
						  .version = known ? known->version : NULL },
			  is_warning, reason, text);
	free(namespace);
}

static void say_assigned(struct reporter *r, const char *service, const char *protocol)
{
	char *text = mem_printf("announcing from node \"%s\" with protocol \"%s\"", r->app->node,
				protocol);

	say(r, service, false, "nodeAssigned", text);
	free(text);
}

/* The advertisement names interfaces: those that are not here. */
static void say_missing(struct reporter *r, const char *service, const struct plan *plan)
{
	struct buf text = { 0 };

	for (size_t i = 0;
	     plan->n_l2 && !plan->l2[0].all_interfaces && i < plan->l2[0].interfaces->n; i++) {
		const char *name = plan->l2[0].interfaces->v[i];

		if (!net_links_by_name(r->app->links, name))
			buf_printf(&text, "%s%s", text.len ? ", " : "", name);
	}
	if (text.len) {
		char *all = mem_printf("node \"%s\" has no such interface: %s", r->app->node,
				       buf_text(&text));

		say(r, service, true, "announceFailed", all);
		free(all);
	}
	buf_fini(&text);
}

static void service_report(struct reporter *r, enum report_kind kind, const char *service,
			   json_t *status)
{
	char *name = name_of(r, kind, service);
	struct report *x = map_get(r->reports, name);

	if (status && (!x || !x->wanted))
		say_assigned(r, service, kind == REPORT_L2 ? "layer2" : "bgp");
	if (status || x)
		want(r, report_of(r, kind, service, name), status);
	free(name);
}

void reporter_service(struct reporter *r, const char *service, bool l2, bool bgp,
		      const struct plan *plan)
{
	if (!r || !strchr(service, '/') || r->app->leaving)
		return;
	service_report(r, REPORT_L2, service, l2 && plan ? status_l2(r, service, plan) : NULL);
	if (l2 && plan)
		say_missing(r, service, plan);
	service_report(r, REPORT_BGP, service, bgp && plan ? status_bgp(r, service, plan) : NULL);
}

/* --- the configuration --- */

static void wall_seconds(char buf[static 32])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static json_t *status_config(const struct err *refused)
{
	char wall[32];
	const char *text = refused ? refused->text : "";

	wall_seconds(wall);
	json_t *condition = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "configReconcilerValid",
				      "status", refused ? "False" : "True", "reason",
				      refused ? "ConfigurationError" : "Reconciled", "message",
				      text, "lastTransitionTime", wall);

	return json_pack("{s:s, s:s, s:[o]}", "result", refused ? "Invalid" : "Valid",
			 "errorSummary", text, "conditions", condition);
}

/*
 * "IPAddressPool metallb-system/lan:3:1: …": the object that is to blame, when the text begins with
 * one.
 */
static void blame(struct reporter *r, const struct err *refused)
{
	char kind[64], namespace[64], name[256];

	if (sscanf(refused->text, "%63[A-Za-z0-9] %63[a-z0-9-]/%255[a-z0-9.-]", kind, namespace,
		   name) != 3)
		return;
	kube_recorder_say(
		r->recorder,
		&(struct kube_subject){ .api_version = strcmp(kind, "ConfigMap") == 0 ||
								       strcmp(kind, "Secret") == 0
							       ? "v1"
							       : GROUP,
					.kind = kind,
					.namespace = namespace,
					.name = name },
		true, "configStale", refused->text);
}

void reporter_config(struct reporter *r, const struct err *refused)
{
	if (!r)
		return;
	memset(r->is_absent, 0, sizeof(r->is_absent));
	char *name = mem_printf("%s%s", kinds[REPORT_CONFIG].prefix, r->app->node);

	want(r, report_of(r, REPORT_CONFIG, NULL, name), status_config(refused));
	free(name);
	/* One node's word is enough: that of the one who allocates. */
	if (refused && allocator_leads(r->app->allocator))
		blame(r, refused);
}

/* --- whose they are, and what is left of earlier ones --- */

static void ask(struct reporter *r, const char *path,
		void (*done)(void *, const struct kube_answer *))
{
	r->asking = kube_client_call(r->client, &(struct kube_call_conf){ .method = "GET",
									  .path = path,
									  .timeout = TIMEOUT,
									  .ctx = r,
									  .done = done });
}

static void owner_done(void *ctx, const struct kube_answer *a)
{
	struct reporter *r = ctx;
	json_t *object = is_good(a->status) ? json_loadb(a->body, a->len, 0, NULL) : NULL;
	const json_t *meta = json_object_get(object, "metadata");
	bool is_pod = json_object_get(meta, "namespace") != NULL;

	r->asking = NULL;
	if (json_object_get(meta, "uid"))
		r->owner = json_pack("{s:s, s:s, s:O, s:O}", "apiVersion", "v1", "kind",
				     is_pod ? "Pod" : "Node", "name", json_object_get(meta, "name"),
				     "uid", json_object_get(meta, "uid"));
	json_decref(object);
	if (r->owner)
		settle_all(r);
	retry_later(r); /* the sweep follows, or another try */
}

static void owner_ask(struct reporter *r)
{
	const char *pod = getenv("METALLB_POD_NAME");
	char *path = pod && *pod ? mem_printf("/api/v1/namespaces/%s/pods/%s",
					      kubernetes_namespace(r->app->kubernetes), pod)
				 : mem_printf("/api/v1/nodes/%s", r->app->node);

	ask(r, path, owner_done);
	free(path);
}

/* An object of this node that stands there from before. */
static void leftover(struct reporter *r, enum report_kind kind, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const json_t *labels = json_object_get(meta, "labels");
	const char *name = json_string_value(json_object_get(meta, "name"));
	const char *service = json_string_value(json_object_get(labels, "metallb.io/service-name"));
	const char *ns = json_string_value(json_object_get(labels, "metallb.io/service-namespace"));

	if (!name || !service || !ns || map_get(r->reports, name))
		return;
	char *key = mem_printf("%s/%s", ns, service);
	struct report *x = report_of(r, kind, key, name);

	x->exists = true;
	settle(r, x);
	free(key);
}

static void sweep_done(void *ctx, const struct kube_answer *a)
{
	struct reporter *r = ctx;
	json_t *list = is_good(a->status) ? json_loadb(a->body, a->len, 0, NULL) : NULL;
	json_t *item;
	size_t i;

	r->asking = NULL;
	if (list || a->status == 404) {
		json_array_foreach(json_object_get(list, "items"), i, item)
			leftover(r, r->sweep, item);
		r->sweep++;
	}
	json_decref(list);
	if (r->sweep < REPORT_CONFIG)
		retry_later(r);
}

static void sweep_ask(struct reporter *r)
{
	char *all = collection(r, r->sweep);
	char *path = mem_printf("%s?labelSelector=metallb.io%%2Fnode%%3D%s", all, r->app->node);

	ask(r, path, sweep_done);
	free(path);
	free(all);
}

static void retry_due(struct loop_timer *t, struct mono now)
{
	struct reporter *r = CONTAINER_OF(t, struct reporter, retry);

	(void)now;
	if (r->app->leaving)
		return;
	settle_all(r);
	if (r->asking)
		return;
	if (!r->owner)
		owner_ask(r);
	else if (r->settled && r->sweep < REPORT_CONFIG)
		sweep_ask(r);
}

void reporter_settled(struct reporter *r)
{
	if (!r || r->settled || !kubernetes_is_configured(r->app->kubernetes))
		return;
	r->settled = true;
	retry_later(r);
}

/* --- start and end --- */

struct reporter *reporter_new(struct app *a)
{
	struct reporter *r = mem_new(struct reporter);

	r->app = a;
	r->client = kubernetes_client(a->kubernetes);
	r->reports = map_new();
	loop_timer_init(&r->retry, a->loop, retry_due);
	loop_timer_set(&r->retry, loop_now(a->loop));
	r->recorder = kube_recorder_new(
		a->loop, r->client,
		&(struct kube_recorder_conf){ .component = COMPONENT, .host = a->node });
	r->writer = kube_writer_new(a->loop, r->client,
				    &(struct kube_writer_conf){ .per_second = WRITES_PER_SECOND,
								.burst = WRITES_BURST,
								.waiting_max = WRITES_WAITING_MAX,
								.timeout = TIMEOUT,
								.ctx = r,
								.done = on_written });
	return r;
}

struct reporter *reporter_free(struct reporter *r)
{
	if (!r)
		return NULL;
	kube_call_cancel(r->asking);
	kube_writer_free(r->writer);
	kube_recorder_free(r->recorder);
	loop_timer_stop(&r->retry);
	map_clear(r->reports, report_free);
	map_free(r->reports);
	json_decref(r->owner);
	free(r);
	return NULL;
}
