#include "kube/writer.h"

#include <string.h>

#include "base/map.h"

enum { UNDER_WAY_MAX = 32 };

struct write {
	struct kube_writer *writer;
	struct kube_call *call;
	char *method, *path, *content_type, *body, *tag;
};

struct kube_writer {
	struct loop *loop;
	struct kube_client *client;
	struct kube_writer_conf conf;
	struct map *waiting;   /* in order; each by its own address */
	struct map *under_way; /* likewise */
	int64_t allowance;     /* writes that may go now, in millionths */
	struct mono filled;
	struct loop_timer next;
};

enum { ONE = 1000000 };

static struct write *write_free(struct write *x)
{
	free(x->method);
	free(x->path);
	free(x->content_type);
	free(x->body);
	free(x->tag);
	free(x);
	return NULL;
}

static void write_discard(void *p)
{
	struct write *x = p;

	kube_call_cancel(x->call);
	write_free(x);
}

/* --- the rate --- */

static void refill(struct kube_writer *w)
{
	struct mono now = loop_now(w->loop);
	int64_t most = (int64_t)w->conf.burst * ONE;
	int64_t since_us = mono_sub(now, w->filled).ns / 1000;

	since_us = MIN(since_us, (int64_t)3600 * ONE);
	w->filled = now;
	w->allowance = MIN(w->allowance + since_us * w->conf.per_second, most);
}

static void drain(struct kube_writer *w);

static void write_done(void *ctx, const struct kube_answer *a)
{
	struct write *x = ctx;
	struct kube_writer *w = x->writer;

	x->call = NULL;
	(void)map_del_bytes(w->under_way, &x, sizeof(x));
	w->conf.done(w->conf.ctx, x->tag, a);
	write_free(x);
	drain(w);
}

static void write_start(struct kube_writer *w, struct write *x)
{
	(void)map_put_bytes(w->under_way, &x, sizeof(x), x);
	x->call = kube_client_call(w->client, &(struct kube_call_conf){
						      .method = x->method,
						      .path = x->path,
						      .content_type = x->content_type,
						      .body = x->body,
						      .len = x->body ? strlen(x->body) : 0,
						      .timeout = w->conf.timeout,
						      .ctx = x,
						      .done = write_done,
					      });
}

static void drain(struct kube_writer *w)
{
	struct write *x;
	const char *key;
	size_t at = 0;

	refill(w);
	while (map_len(w->under_way) < UNDER_WAY_MAX && w->allowance >= ONE &&
	       map_next(w->waiting, &at, &key, (void **)&x)) {
		w->allowance -= ONE;
		(void)map_del_bytes(w->waiting, &x, sizeof(x));
		write_start(w, x);
	}
	if (map_len(w->waiting) && w->allowance < ONE) {
		int64_t us = (ONE - w->allowance) / w->conf.per_second + 1;

		loop_timer_set(&w->next, mono_add(loop_now(w->loop), DUR_US(us)));
	}
}

static void next_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	drain(CONTAINER_OF(t, struct kube_writer, next));
}

/* --- for others --- */

struct kube_writer *kube_writer_new(struct loop *l, struct kube_client *client,
				    const struct kube_writer_conf *conf)
{
	struct kube_writer *w = mem_new(struct kube_writer);

	w->loop = l;
	w->client = client;
	w->conf = *conf;
	w->waiting = map_new();
	w->under_way = map_new();
	w->allowance = (int64_t)conf->burst * ONE;
	w->filled = loop_now(l);
	loop_timer_init(&w->next, l, next_due);
	return w;
}

struct kube_writer *kube_writer_free(struct kube_writer *w)
{
	if (!w)
		return NULL;
	loop_timer_stop(&w->next);
	map_clear(w->waiting, write_discard);
	map_clear(w->under_way, write_discard);
	map_free(w->waiting);
	map_free(w->under_way);
	free(w);
	return NULL;
}

bool kube_writer_put(struct kube_writer *w, const struct kube_write *write)
{
	struct write *x;

	if (map_len(w->waiting) >= w->conf.waiting_max)
		return false;
	x = mem_new(struct write);
	*x = (struct write){
		.writer = w,
		.method = mem_strdup(write->method),
		.path = mem_strdup(write->path),
		.content_type = write->content_type ? mem_strdup(write->content_type) : NULL,
		.body = write->body ? mem_strdup(write->body) : NULL,
		.tag = mem_strdup(write->tag ? write->tag : ""),
	};
	(void)map_put_bytes(w->waiting, &x, sizeof(x), x);
	/* Not here: the caller is in the middle of something. */
	if (!loop_timer_active(&w->next))
		loop_timer_set(&w->next, loop_now(w->loop));
	return true;
}

void kube_writer_clear(struct kube_writer *w)
{
	map_clear(w->waiting, write_discard);
}

size_t kube_writer_pending(const struct kube_writer *w)
{
	return map_len(w->waiting) + map_len(w->under_way);
}
