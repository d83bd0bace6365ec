#include "app/kubernetes.h"

#include <string.h>

#include "app/app_priv.h"
#include "app/json.h"
#include "plan/plan.h"
#include "world/object_service.h"

#define DEFAULT_NAMESPACE "metallb-system"
#define CONFIG_MAP	  "config"

struct kubernetes {
	struct app *app;
	struct kube_client *client;
	struct kube_source *source;
	char *namespace;
	bool configured;
};

/* --- what the source says --- */

static void on_viewed(void *ctx)
{
	struct kubernetes *k = ctx;

	log_event(LOG_INFO, "stateSynced", "everything in the cluster has been seen once",
		  KV_STR("server", kube_client_server(k->client)));
}

static void on_configured(void *ctx)
{
	struct kubernetes *k = ctx;

	app_hangup(k->app);
}

static void on_trouble(void *ctx, const char *kind, const char *why)
{
	struct kubernetes *k = ctx;

	(void)k;
	if (why)
		log_event(LOG_WARN, "apiTrouble",
			  "the API server can't be read; what is in force stays",
			  KV_STR("kind", kind), KV_STR("error", why));
	else
		log_event(LOG_INFO, "apiBack", "the API server can be read again",
			  KV_STR("kind", kind));
}

static void on_unreadable(void *ctx, const char *kind, const char *key, const char *why)
{
	(void)ctx;
	log_event(LOG_ERROR, "objectUnreadable", "an object of the API is left aside",
		  KV_STR("kind", kind), KV_STR("name", key), KV_STR("error", why));
}

/* --- start and end --- */

static int credentials_find(const struct cfg *c, struct kube_access *out, struct err *e)
{
	const char *named = c->kubernetes.kubeconfig ? c->kubernetes.kubeconfig : "";
	const char *environment = getenv("KUBECONFIG");

	if (*named)
		return kube_access_load(named, NULL, out, e);
	if (kube_access_of_pod(out, e) == 0)
		return 0;
	return environment && *environment ? kube_access_load_list(environment, NULL, out, e)
					   : -ERR_CONFIG;
}

static int access_find(const struct cfg *c, struct kube_access *out, struct err *e)
{
	const struct cfg_texts *servers = &c->kubernetes.servers;

	if (credentials_find(c, out, e) < 0)
		return -ERR_CONFIG;
	if (servers->n && kube_access_set_servers(out, servers->v, servers->n, e) < 0) {
		kube_access_fini(out);
		return -ERR_CONFIG;
	}
	return 0;
}

/* A kubeconfig's own namespace is where a person works, a pod's is where it lives. */
static const char *namespace_find(const struct cfg *c, const struct kube_client *client,
				  bool is_pod)
{
	const char *environment = getenv("METALLB_NAMESPACE");

	if (c->kubernetes.namespace && *c->kubernetes.namespace)
		return c->kubernetes.namespace;
	if (environment && *environment)
		return environment;
	if (is_pod && kube_client_namespace(client))
		return kube_client_namespace(client);
	return DEFAULT_NAMESPACE;
}

int kubernetes_new(struct app *a, const struct cfg *c, struct kubernetes **out, struct err *e)
{
	struct kubernetes *k = mem_new(struct kubernetes);
	struct kube_access access = { 0 };

	k->app = a;
	if (access_find(c, &access, e) < 0) {
		free(k);
		return err_wrap(e, "kubernetes");
	}
	bool is_pod = access.token_file && !(c->kubernetes.kubeconfig && *c->kubernetes.kubeconfig);

	if (kube_client_new(a->loop, &access, &k->client, e) < 0) {
		kubernetes_free(k);
		return -ERR_SYSTEM;
	}
	k->namespace = mem_strdup(namespace_find(c, k->client, is_pod));
	struct kube_source_conf conf = {
		.namespace = k->namespace,
		.config_map = CONFIG_MAP,
		.nodes_live = !membership_enabled(a->membership),
		.ctx = k,
		.viewed = on_viewed,
		.configured = on_configured,
		.trouble = on_trouble,
		.unreadable = on_unreadable,
	};

	k->source = kube_source_new(a->loop, k->client, a->world, &conf);
	*out = k;
	return 0;
}

struct kubernetes *kubernetes_free(struct kubernetes *k)
{
	if (!k)
		return NULL;
	kube_source_free(k->source);
	kube_client_free(k->client);
	free(k->namespace);
	free(k);
	return NULL;
}

/* --- for the rest of the daemon --- */

bool kubernetes_is_viewed(const struct kubernetes *k)
{
	return !k || kube_source_is_viewed(k->source);
}

void kubernetes_configured(struct kubernetes *k)
{
	if (k && kube_source_is_viewed(k->source))
		k->configured = true;
}

bool kubernetes_is_configured(const struct kubernetes *k)
{
	return k && k->configured;
}

const struct cfg_text *kubernetes_texts(struct kubernetes *k, size_t *n)
{
	*n = 0;
	return k && kube_source_is_viewed(k->source) ? kube_source_texts(k->source, n) : NULL;
}

struct kube_client *kubernetes_client(const struct kubernetes *k)
{
	return k->client;
}

struct kube_source *kubernetes_source(const struct kubernetes *k)
{
	return k->source;
}

const char *kubernetes_namespace(const struct kubernetes *k)
{
	return k->namespace;
}

bool kubernetes_handles(const struct app *a, const struct world_service *s)
{
	return !s->object || plan_handles(a->cfg, s);
}

/* What a ConfigMap must not do: take an address away that one of its pools gave. */
static int check_held(const struct cfg *old, const struct cfg *c, const struct world_service *s,
		      struct err *e)
{
	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct cfg_pool *from = cfg_pool_of(old, &s->addresses[i]);

		if (from && from->format == CFG_LEGACY && !cfg_pool_of(c, &s->addresses[i]))
			return err_set(e, ERR_STATE,
				       "service %s has %s of pool %s, which would be in none any "
				       "more; leave it there, or change the service first",
				       s->key, ADDR_TEXT(&s->addresses[i]), from->name);
	}
	return 0;
}

int kubernetes_check(const struct kubernetes *k, const struct cfg *c, struct err *e)
{
	const struct cfg *old = k ? k->app->cfg : NULL;
	const struct world_service *s;

	if (!old)
		return 0;
	for (size_t at = 0; (s = world_next_service(k->app->world, &at));)
		if (s->object && plan_handles(old, s) && check_held(old, c, s, e) < 0)
			return -ERR_STATE;
	return 0;
}

/* --- for people --- */

const char *kubernetes_problem(const struct kubernetes *k)
{
	return k ? kube_source_problem(k->source) : NULL;
}

json_t *kubernetes_json(const struct kubernetes *k)
{
	if (!k)
		return NULL;
	const char *state = !kube_source_is_viewed(k->source) ? "waiting for the first full view"
			    : kube_source_problem(k->source)  ? "unreachable"
							      : "watching";

	return json_pack("{s:s, s:s, s:s, s:o}", "server", kube_client_server(k->client),
			 "namespace", k->namespace, "state", state, "watches",
			 kube_source_json(k->source));
}

void kubernetes_collect(const struct kubernetes *k, struct metric_writer *w)
{
	static const struct metric_row rows[] = { KUBE_SOURCE_METRICS(METRIC_ROW,
								      struct kube_source_stats) };

	if (k)
		metric_struct(w, "crier_kubernetes_", rows, ARRAY_LEN(rows),
			      kube_source_stats(k->source));
}
