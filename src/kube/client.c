#include "kube/client.h"

#include <stdio.h>

#include "base/rng.h"
#include "base/text.h"
#include "kube/credentials.h"

struct kube_client {
	struct kube_access access;
	struct kube_http *http;
	struct kube_credentials *credentials;
	size_t n_servers, at; /* the one that is asked */
};

/* It is there, but something in front of it, or it itself, can't serve us. */
static bool is_out_of_order(int status)
{
	return status == 0 || status == 502 || status == 503;
}

static void judge(void *ctx, const char *server, const struct kube_answer *answer)
{
	struct kube_client *c = ctx;

	if (answer->status == 401)
		kube_credentials_refused(c->credentials);
	if (answer->status == 0)
		kube_credentials_doubt(c->credentials);
	/* Many requests may fail at once, of which one moves us on. */
	if (is_out_of_order(answer->status) && server == c->access.servers[c->at])
		c->at = (c->at + 1) % c->n_servers;
}

/* Not all nodes of a cluster ask the same one. */
static size_t pick_server(size_t n)
{
	uint64_t any;

	rng_secure(&any, sizeof(any));
	return any % n;
}

int kube_client_new(struct loop *l, struct kube_access *take, struct kube_client **out,
		    struct err *e)
{
	struct kube_client *c = mem_new(struct kube_client);

	c->access = *take;
	*take = (struct kube_access){ 0 };
	while (c->access.servers[c->n_servers])
		c->n_servers++;
	c->at = pick_server(c->n_servers);
	if (kube_http_new(l, judge, c, &c->http, e) < 0) {
		kube_client_free(c);
		return -ERR_SYSTEM;
	}
	c->credentials = kube_credentials_new(l, &c->access);
	*out = c;
	return 0;
}

struct kube_client *kube_client_free(struct kube_client *c)
{
	if (!c)
		return NULL;
	kube_http_free(c->http);
	kube_credentials_free(c->credentials);
	kube_access_fini(&c->access);
	free(c);
	return NULL;
}

bool kube_client_is_ready(struct kube_client *c)
{
	struct kube_identity who;

	return kube_credentials_get(c->credentials, &who);
}

const char *kube_client_problem(const struct kube_client *c)
{
	return kube_credentials_problem(c->credentials);
}

const char *kube_client_server(const struct kube_client *c)
{
	return c->access.servers[c->at];
}

const char *kube_client_namespace(const struct kube_client *c)
{
	return c->access.namespace;
}

struct kube_call *kube_client_call(struct kube_client *c, const struct kube_call_conf *conf)
{
	struct kube_identity who;

	(void)!kube_credentials_get(c->credentials, &who);
	return kube_http_start(c->http, c->access.servers[c->at], c->access.server_name, &who,
			       conf);
}

/* What people ask next. */
static const char *remedy(int status)
{
	if (status == 401)
		return "; it does not accept our token or certificate";
	if (status == 403)
		return "; our role lacks this, config/kubernetes/crier.yaml has what is needed";
	return "";
}

const char *kube_answer_text(const struct kube_answer *answer, char *buf, size_t cap)
{
	json_t *status = answer->status ? json_loadb(answer->body, answer->len, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(status, "message"));

	if (!answer->status)
		(void)snprintf(buf, cap, "%s", answer->error ? answer->error : "no answer");
	else
		(void)snprintf(buf, cap, "%d %.*s%s", answer->status, (int)(cap * 3 / 5),
			       message ? message : "", remedy(answer->status));
	text_calm(buf);
	json_decref(status);
	return buf;
}
