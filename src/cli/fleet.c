#include "cli/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "kube/client.h"

#define NAMESPACE_DEFAULT "metallb-system"
#define PODS		  "app.kubernetes.io/part-of=crier"
#define PORT_NAME	  "monitoring"
#define WITHIN		  DUR_S(10)
#define CREDENTIALS_POLL  DUR_MS(50)

enum { PORT_DEFAULT = 7472, AT_ONCE = 64 };

/* One node's daemon. */
struct asked {
	struct fleet *fleet;
	char *node, *pod;
	char *problem; /* why there is no answer */
	bool has_none; /* it answered that it has no such thing */
	int port;
	json_t *data;
};

struct fleet {
	const struct fleet_args *args;
	const char *path;
	char *namespace;
	struct loop *loop;
	struct kube_client *client;
	struct loop_timer timer; /* until there are credentials */
	struct mono began;
	struct asked *v;
	size_t n, next, waiting;
	char *problem; /* with the cluster */
};

static bool is_plugin;

void fleet_always(void)
{
	is_plugin = true;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct fleet_args *f = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		f->on = is_plugin;
		return 0;
	case 'K':
		f->kubeconfig = arg;
		f->on = true;
		return 0;
	case 'X':
		f->context = arg;
		f->on = true;
		return 0;
	case 'N':
		f->node = arg;
		f->on = true;
		return 0;
	case 'C':
		f->on = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "cluster", 'C', NULL, 0, "Ask every node of a Kubernetes cluster, as kubectl crier does",
	  1 },
	{ "kubeconfig", 'K', "FILE", 0, "How to reach it (default: KUBECONFIG, ~/.kube/config)",
	  1 },
	{ "context", 'X', "NAME", 0, "A context of it", 1 },
	{ "on", 'N', "NODE", 0, "Ask the daemon of this node alone", 1 },
	{ 0 },
};

const struct argp fleet_argp = { .options = options, .parser = take };

/* --- the pods --- */

/* The port by name; a pod in shadow mode has another one. */
static int port_of(const json_t *pod)
{
	const json_t *containers = json_object_get(json_object_get(pod, "spec"), "containers");
	json_t *port;
	size_t i;

	json_array_foreach(json_object_get(json_array_get(containers, 0), "ports"), i, port)
	{
		const char *name = json_string_value(json_object_get(port, "name"));

		if (name && strcmp(name, PORT_NAME) == 0)
			return (int)json_integer_value(json_object_get(port, "containerPort"));
	}
	return PORT_DEFAULT;
}

static void take_pod(struct fleet *f, const json_t *pod)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(pod, "metadata"), "name"));
	const char *node =
		json_string_value(json_object_get(json_object_get(pod, "spec"), "nodeName"));

	if (!name || !node || (f->args->node && strcmp(f->args->node, node) != 0))
		return;
	f->v[f->n++] = (struct asked){
		.fleet = f,
		.node = mem_strdup(node),
		.pod = mem_strdup(name),
		.port = port_of(pod),
	};
}

static int by_node(const void *a, const void *b)
{
	return strcmp(((const struct asked *)a)->node, ((const struct asked *)b)->node);
}

/* --- asking --- */

static void ask_more(struct fleet *f);
static void ask_one(struct fleet *f, struct asked *x, const char *page);

/* One more page of a long list, or all there is. Returns where the next one begins, or NULL. */
static const char *take_page(struct asked *x, json_t *data)
{
	const char *next = json_string_value(json_object_get(data, "next"));
	json_t *items = json_object_get(x->data, "items");

	if (!x->data) {
		x->data = json_incref(data);
		return next;
	}
	json_array_extend(items, json_object_get(data, "items"));
	return next;
}

/* 404 of the daemon, whose errors look otherwise than those of the API server. */
static bool is_none(const struct kube_answer *a)
{
	json_t *said = a->status == 404 ? json_loadb(a->body, a->len, 0, NULL) : NULL;
	bool ours = json_object_get(said, "error") != NULL;

	json_decref(said);
	return ours;
}

static void answered(void *ctx, const struct kube_answer *a)
{
	struct asked *x = ctx;
	struct fleet *f = x->fleet;
	char why[512];

	json_t *data = a->status == 200 ? json_loadb(a->body, a->len, 0, NULL) : NULL;
	const char *next = data ? take_page(x, data) : NULL;

	f->waiting--;
	x->has_none = is_none(a);
	if (next)
		ask_one(f, x, next);
	else if (!data && !x->has_none)
		x->problem = mem_strdup(a->status == 200 ? "its answer is no JSON"
							 : kube_answer_text(a, why, sizeof(why)));
	json_decref(data);
	ask_more(f);
}

static void ask_one(struct fleet *f, struct asked *x, const char *page)
{
	struct buf path = { 0 };

	buf_printf(&path, "/api/v1/namespaces/%s/pods/%s:%d/proxy/%s", f->namespace, x->pod,
		   x->port, f->path);
	if (page) {
		buf_puts(&path, strchr(f->path, '?') ? "&page=" : "?page=");
		buf_put_escaped(&path, page);
	}
	f->waiting++;
	(void)!kube_client_call(f->client, &(struct kube_call_conf){ .method = "GET",
								     .path = buf_text(&path),
								     .timeout = WITHIN,
								     .ctx = x,
								     .done = answered });
	buf_fini(&path);
}

static void ask_more(struct fleet *f)
{
	while (f->next < f->n && f->waiting < AT_ONCE)
		ask_one(f, &f->v[f->next++], NULL);
	if (f->waiting == 0)
		loop_stop(f->loop);
}

static void give_up(struct fleet *f, const char *why)
{
	f->problem = mem_strdup(why);
	loop_stop(f->loop);
}

static void listed(void *ctx, const struct kube_answer *a)
{
	struct fleet *f = ctx;
	json_t *list = a->status == 200 ? json_loadb(a->body, a->len, 0, NULL) : NULL, *pod;
	const json_t *items = json_object_get(list, "items");
	char why[512];
	size_t i;

	if (!list) {
		give_up(f, kube_answer_text(a, why, sizeof(why)));
		return;
	}
	f->v = mem_new_n(struct asked, json_array_size(items));
	json_array_foreach(items, i, pod) take_pod(f, pod);
	json_decref(list);
	if (f->n == 0) {
		give_up(f, "no pod of crier is there (" PODS ")");
		return;
	}
	qsort(f->v, f->n, sizeof(*f->v), by_node);
	ask_more(f);
}

static void begin(struct loop_timer *t, struct mono now)
{
	struct fleet *f = CONTAINER_OF(t, struct fleet, timer);
	const char *problem = kube_client_problem(f->client);
	struct buf path = { 0 };

	if (!kube_client_is_ready(f->client)) {
		if (problem || mono_before(mono_add(f->began, WITHIN), now))
			give_up(f, problem ? problem : "there are no credentials");
		else
			loop_timer_set(t, mono_add(now, CREDENTIALS_POLL));
		return;
	}
	buf_printf(&path, "/api/v1/namespaces/%s/pods?labelSelector=", f->namespace);
	buf_put_escaped(&path, PODS);
	(void)!kube_client_call(f->client, &(struct kube_call_conf){ .method = "GET",
								     .path = buf_text(&path),
								     .timeout = WITHIN,
								     .ctx = f,
								     .done = listed });
	buf_fini(&path);
}

/* --- the cluster --- */

static int access_load(const struct fleet_args *args, struct kube_access *out, struct err *e)
{
	const char *env = getenv("KUBECONFIG"), *home = getenv("HOME");

	if (args->kubeconfig)
		return kube_access_load(args->kubeconfig, args->context, out, e);
	if (env && *env)
		return kube_access_load_list(env, args->context, out, e);
	char *path = mem_printf("%s/.kube/config", home ? home : "");
	int status = kube_access_load(path, args->context, out, e);

	free(path);
	return status;
}

static int fleet_run(struct fleet *f, struct err *e)
{
	const char *namespace = getenv("METALLB_NAMESPACE");
	struct kube_access access = { 0 };

	f->namespace = mem_strdup(namespace && *namespace ? namespace : NAMESPACE_DEFAULT);
	if (loop_new(&f->loop, e) < 0 || access_load(f->args, &access, e) < 0 ||
	    kube_client_new(f->loop, &access, &f->client, e) < 0)
		return -ERR_SYSTEM;
	f->began = loop_now(f->loop);
	loop_timer_init(&f->timer, f->loop, begin);
	loop_timer_set(&f->timer, f->began);
	loop_run(f->loop);
	return f->problem ? err_set(e, ERR_STATE, "%s", f->problem) : 0;
}

static void fleet_fini(struct fleet *f)
{
	if (f->loop)
		loop_timer_stop(&f->timer);
	kube_client_free(f->client);
	loop_free(f->loop);
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].node);
		free(f->v[i].pod);
		free(f->v[i].problem);
		json_decref(f->v[i].data);
	}
	free(f->v);
	free(f->namespace);
	free(f->problem);
}

/* Who answered goes into the list, who did not to standard error. */
static enum cli_exit gather(const struct fleet *f, json_t *answers)
{
	size_t silent = 0, none = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct asked *x = &f->v[i];

		if (x->data)
			json_array_append_new(
				answers, json_pack("{s:s, s:O}", "node", x->node, "data", x->data));
		if (x->problem)
			fprintf(stderr, "crier: %s did not answer%s: %s\n", x->node,
				x->data ? " all of it" : "", x->problem);
		silent += x->problem != NULL;
		none += x->has_none;
	}
	if (silent)
		return CLI_UNREACHABLE;
	if (none == f->n)
		fputs("crier: no node has that\n", stderr);
	return none == f->n ? CLI_NO : CLI_DONE;
}

enum cli_exit fleet_ask(const struct fleet_args *args, const char *path, json_t **answers)
{
	struct fleet f = { .args = args, .path = path };
	struct err e = { 0 };
	int status = fleet_run(&f, &e);
	enum cli_exit code = CLI_UNREACHABLE;

	*answers = json_array();
	if (status < 0)
		fprintf(stderr, "crier: the cluster can't be asked: %s\n", e.text);
	else
		code = gather(&f, *answers);
	fleet_fini(&f);
	return code;
}

json_t *fleet_items(const json_t *answers)
{
	json_t *all = json_array(), *answer, *item;
	size_t i, k;

	json_array_foreach(answers, i, answer)
	{
		json_array_foreach(json_object_get(json_object_get(answer, "data"), "items"), k,
				   item)
		{
			json_object_set(item, "on", json_object_get(answer, "node"));
			json_array_append(all, item);
		}
	}
	return all;
}
