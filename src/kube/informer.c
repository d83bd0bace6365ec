#include "kube/informer.h"

#include <stdio.h>
#include <string.h>

/*
 * A page has to be there by then; a watch ends after some minutes and begins anew, not all of them
 * at once.
 */
#define PAGE_TIMEOUT DUR_S(30)
enum { WATCH_LEAST_S = 240, WATCH_MOST_S = 480, WATCH_GRACE_S = 15 };
enum { PAGE_DEFAULT = 100 };

/* A server begins to answer a watch at once, also when it has nothing to tell. */
#define HEAD_TIMEOUT DUR_S(15)

/*
 * A server that does not know of streams takes one for a plain watch, and never says that this was
 * all. One that does says it a second or two after the last object.
 */
#define STREAM_SILENCE DUR_S(10)

/* What is not there may come: definitions are installed some day. */
#define ABSENT_RETRY DUR_S(30)

/* Looking again whether there are credentials. */
#define CREDENTIALS_RETRY DUR_MS(100)

struct kube_informer {
	struct loop *loop;
	struct kube_client *client;
	struct kube_informer_conf conf;
	struct kube_reflector reflector;
	struct kube_stream stream;
	struct kube_call *call; /* under way, or NULL */
	struct loop_timer next; /* step, or the end of our patience with the call */
	struct rng rng;
	bool use_instead;
	bool absent;
	char *problem;
};

/* --- troubles --- */

static void trouble_set(struct kube_informer *i, const char *why)
{
	if ((!why && !i->problem) || (why && i->problem && strcmp(why, i->problem) == 0))
		return;
	free(i->problem);
	i->problem = why ? mem_strdup(why) : NULL;
	i->conf.trouble(i->conf.hooks.ctx, i->conf.kind, why);
}

static void step_later(struct kube_informer *i)
{
	i->call = NULL;
	loop_timer_set(&i->next, i->reflector.not_before);
}

/* Nothing is there as far as we can see: as good as an empty list, but what was known stays. */
static void collection_missing(struct kube_informer *i)
{
	bool first = !kube_informer_is_complete(i);

	i->call = NULL;
	loop_timer_set(&i->next,
		       mono_add(loop_now(i->loop), DUR_NS(rng_between(&i->rng, ABSENT_RETRY.ns,
								      ABSENT_RETRY.ns * 3 / 2))));
	i->absent = true;
	if (first)
		i->conf.hooks.listed(i->conf.hooks.ctx);
}

static void step_refused(struct kube_informer *i, const struct kube_answer *a)
{
	char why[256];

	if (a->status == 404 && i->conf.instead && !i->use_instead) {
		i->use_instead = true;
		i->call = NULL;
		loop_timer_set(&i->next, loop_now(i->loop));
		return;
	}
	if (a->status == 404 || (a->status == 403 && i->conf.optional)) {
		i->use_instead = false;
		collection_missing(i);
		return;
	}
	trouble_set(i, kube_answer_text(a, why, sizeof(why)));
	kube_reflector_refused(&i->reflector, a->status, a->retry_after, loop_now(i->loop));
	step_later(i);
}

/* --- lists --- */

static void page_done(void *ctx, const struct kube_answer *a)
{
	struct kube_informer *i = ctx;

	if (a->status != 200) {
		step_refused(i, a);
		return;
	}
	json_t *list = json_loadb(a->body, a->len, 0, NULL);

	i->absent = false;
	if (kube_reflector_page(&i->reflector, list, loop_now(i->loop)) < 0)
		trouble_set(i, "what the server sends is no list");
	else
		trouble_set(i, NULL);
	json_decref(list);
	step_later(i);
}

/* --- watches --- */

static bool is_streaming(const struct kube_informer *i)
{
	return i->reflector.step == KUBE_STREAM;
}

static void watch_over(struct kube_informer *i)
{
	kube_stream_fini(&i->stream);
	step_later(i);
}

/* False when the watch has no future. */
static bool watch_read(struct kube_informer *i)
{
	struct mono now = loop_now(i->loop);
	struct kube_event ev;
	enum kube_stream_result r;

	while ((r = kube_stream_next(&i->stream, &ev)) == KUBE_STREAM_EVENT) {
		bool goes_on = kube_reflector_event(&i->reflector, &ev, now);

		json_decref(ev.object);
		if (!is_streaming(i))
			loop_timer_stop(&i->next);
		else if (ev.type == KUBE_ADDED) /* others come of what goes on in the cluster */
			loop_timer_set(&i->next, mono_add(now, STREAM_SILENCE));
		if (!goes_on)
			return false;
	}
	if (r == KUBE_STREAM_GARBAGE)
		kube_reflector_refused(&i->reflector, 410, DUR_NS(0), now);
	return r == KUBE_STREAM_MORE;
}

static void watch_data(void *ctx, const void *bytes, size_t len)
{
	struct kube_informer *i = ctx;

	if (len == 0) {
		i->absent = false;
		trouble_set(i, NULL);
		kube_reflector_watching(&i->reflector, loop_now(i->loop));
		if (is_streaming(i))
			loop_timer_set(&i->next, mono_add(loop_now(i->loop), STREAM_SILENCE));
		else
			loop_timer_stop(&i->next);
		return;
	}
	kube_stream_feed(&i->stream, bytes, len);
	if (!watch_read(i)) {
		kube_call_cancel(i->call);
		watch_over(i);
	}
}

/* No trouble: lists do as well. */
static bool is_no_streams(const struct kube_informer *i, const struct kube_answer *a)
{
	return is_streaming(i) && (a->status == 422 || a->status == 400);
}

static void watch_done(void *ctx, const struct kube_answer *a)
{
	struct kube_informer *i = ctx;

	if (is_no_streams(i, a)) {
		kube_reflector_refused(&i->reflector, a->status, DUR_NS(0), loop_now(i->loop));
	} else if (a->status != 0 && a->status != 200) {
		step_refused(i, a);
		kube_stream_fini(&i->stream);
		return;
	} else if (a->status == 0) {
		char why[256];

		trouble_set(i, kube_answer_text(a, why, sizeof(why)));
		kube_reflector_refused(&i->reflector, 0, DUR_NS(0), loop_now(i->loop));
	} else {
		kube_reflector_ended(&i->reflector, loop_now(i->loop));
	}
	watch_over(i);
}

/* --- steps --- */

static struct buf step_path(struct kube_informer *i)
{
	struct kube_reflector *r = &i->reflector;
	struct buf path = { 0 };

	buf_printf(&path, "%s?", i->use_instead ? i->conf.instead : i->conf.path);
	if (i->conf.query)
		buf_printf(&path, "%s&", i->conf.query);
	if (r->step == KUBE_LIST) {
		buf_printf(&path, "limit=%zu", i->conf.page ? i->conf.page : PAGE_DEFAULT);
		if (r->resume) {
			buf_puts(&path, "&continue=");
			buf_put_escaped(&path, r->resume);
		}
		return path;
	}
	buf_puts(&path, "watch=1&allowWatchBookmarks=true&");
	if (r->step == KUBE_STREAM) {
		buf_puts(&path, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
		return path;
	}
	buf_puts(&path, "resourceVersion=");
	buf_put_escaped(&path, r->version);
	return path;
}

static void step_start(struct kube_informer *i)
{
	bool watch = i->reflector.step != KUBE_LIST;
	struct buf path = step_path(i);
	int64_t lasts = rng_between(&i->rng, WATCH_LEAST_S, WATCH_MOST_S);
	struct kube_call_conf conf = {
		.method = "GET",
		.accept = i->conf.metadata_only
				  ? watch ? "application/"
					    "json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
					  : "application/"
					    "json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
				  : NULL,
		.timeout = watch ? DUR_S(lasts + WATCH_GRACE_S) : PAGE_TIMEOUT,
		.ctx = i,
		.data = watch ? watch_data : NULL,
		.done = watch ? watch_done : page_done,
	};

	if (watch)
		buf_printf(&path, "&timeoutSeconds=%lld", (long long)lasts);
	conf.path = buf_text(&path);
	i->call = kube_client_call(i->client, &conf);
	if (watch)
		loop_timer_set(&i->next, mono_add(loop_now(i->loop), HEAD_TIMEOUT));
	buf_fini(&path);
}

/* The server took the connection and the request, but says nothing, or not that this was all. */
static void step_stuck(struct kube_informer *i, struct mono now)
{
	kube_call_cancel(i->call);
	if (is_streaming(i)) {
		kube_reflector_no_stream(&i->reflector, now);
	} else {
		trouble_set(i, "the server does not answer");
		kube_reflector_refused(&i->reflector, 0, DUR_NS(0), now);
	}
	watch_over(i);
}

static void step_due(struct loop_timer *t, struct mono now)
{
	struct kube_informer *i = CONTAINER_OF(t, struct kube_informer, next);

	if (i->call) {
		step_stuck(i, now);
		return;
	}
	if (!kube_client_is_ready(i->client)) {
		if (kube_client_problem(i->client))
			trouble_set(i, kube_client_problem(i->client));
		loop_timer_set(&i->next, mono_add(now, CREDENTIALS_RETRY));
		return;
	}
	step_start(i);
}

struct kube_informer *kube_informer_new(struct loop *l, struct kube_client *client,
					const struct kube_informer_conf *conf)
{
	struct kube_informer *i = mem_new(struct kube_informer);
	uint64_t seed;

	rng_secure(&seed, sizeof(seed));
	rng_seed(&i->rng, seed);
	i->loop = l;
	i->client = client;
	i->conf = *conf;
	kube_reflector_init(&i->reflector, &conf->hooks, rng_u64(&i->rng));
	loop_timer_init(&i->next, l, step_due);
	loop_timer_set(&i->next, loop_now(l));
	return i;
}

struct kube_informer *kube_informer_free(struct kube_informer *i)
{
	if (!i)
		return NULL;
	kube_call_cancel(i->call);
	loop_timer_stop(&i->next);
	kube_stream_fini(&i->stream);
	kube_reflector_fini(&i->reflector);
	free(i->problem);
	free(i);
	return NULL;
}

bool kube_informer_is_complete(const struct kube_informer *i)
{
	return i->reflector.complete || i->absent;
}

bool kube_informer_is_absent(const struct kube_informer *i)
{
	return i->absent;
}

bool kube_informer_uses_instead(const struct kube_informer *i)
{
	return i->use_instead;
}

const char *kube_informer_problem(const struct kube_informer *i)
{
	return i->problem;
}

void kube_informer_written(struct kube_informer *i, const json_t *object)
{
	kube_reflector_written(&i->reflector, object);
}

const struct kube_known *kube_informer_known(const struct kube_informer *i, const char *key)
{
	return kube_reflector_known(&i->reflector, key);
}
