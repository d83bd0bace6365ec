#include "kube/reflector.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_FIRST DUR_MS(200)
#define BACKOFF_MOST  DUR_S(30)

/*
 * A watch that ends sooner is as good as refused: else a server that ends all of them would be
 * asked without pause.
 */
#define WATCH_WORTH DUR_S(1)

/* Nobody waits longer than this because a server said so. */
#define RETRY_AFTER_MOST DUR_S(120)

void kube_reflector_init(struct kube_reflector *r, const struct kube_reflector_hooks *hooks,
			 uint64_t seed)
{
	*r = (struct kube_reflector){ .hooks = *hooks, .known = map_new(), .mark = 1 };
	kube_backoff_init(&r->backoff, BACKOFF_FIRST, BACKOFF_MOST, seed);
}

static void known_free(void *p)
{
	struct kube_known *k = p;

	free(k->version);
	free(k->uid);
	free(k);
}

void kube_reflector_fini(struct kube_reflector *r)
{
	if (!r->known)
		return;
	map_clear(r->known, known_free);
	r->known = map_free(r->known);
	free(r->resume);
	free(r->version);
	r->resume = r->version = NULL;
}

bool kube_object_key(const json_t *object, char *buf, size_t cap)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *name = json_string_value(json_object_get(meta, "name"));
	const char *ns = json_string_value(json_object_get(meta, "namespace"));
	int n = -1;

	if (name && *name)
		n = ns ? snprintf(buf, cap, "%s/%s", ns, name) : snprintf(buf, cap, "%s", name);
	return n > 0 && (size_t)n < cap;
}

static void text_set(char **at, const char *text)
{
	char *fresh = text ? mem_strdup(text) : NULL;

	free(*at);
	*at = fresh;
}

static void wait_for(struct kube_reflector *r, struct dur d, struct mono now)
{
	r->not_before = mono_add(now, d);
}

/* Everything from the start, compared with what is known. */
static void list_anew(struct kube_reflector *r)
{
	r->step = r->no_streams ? KUBE_LIST : KUBE_STREAM;
	text_set(&r->resume, NULL);
	text_set(&r->version, NULL);
	r->mark++;
}

/* --- objects --- */

static const char *meta_text(const json_t *object, const char *key)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(object, "metadata"), key));

	return text ? text : "";
}

/* Versions are numbers that grow; a server where one does not was set back. */
static bool goes_back(const char *before, const char *now)
{
	char *end_before, *end_now;
	unsigned long long b = strtoull(before, &end_before, 10);
	unsigned long long n = strtoull(now, &end_now, 10);

	return *before && *now && !*end_before && !*end_now && n < b;
}

static void object_put(struct kube_reflector *r, const json_t *object)
{
	char key[KUBE_KEY_MAX];

	if (!kube_object_key(object, key, sizeof(key)))
		return;
	struct kube_known *k = map_get(r->known, key);
	bool same = k && strcmp(k->version, meta_text(object, "resourceVersion")) == 0;

	if (!k) {
		k = mem_new(struct kube_known);
		(void)map_put(r->known, key, k);
	}
	k->mark = r->mark;
	if (same)
		return;
	text_set(&k->version, meta_text(object, "resourceVersion"));
	text_set(&k->uid, meta_text(object, "uid"));
	r->hooks.put(r->hooks.ctx, key, object);
}

static void object_drop(struct kube_reflector *r, const char *key)
{
	struct kube_known *k = map_get(r->known, key);

	if (!k)
		return;
	r->hooks.drop(r->hooks.ctx, key);
	(void)map_del(r->known, key);
	known_free(k);
}

void kube_reflector_written(struct kube_reflector *r, const json_t *object)
{
	char key[KUBE_KEY_MAX];
	const struct kube_known *k = NULL;

	if (kube_object_key(object, key, sizeof(key)))
		k = map_get(r->known, key);
	if (k && strcmp(k->uid, meta_text(object, "uid")) == 0 &&
	    goes_back(meta_text(object, "resourceVersion"), k->version))
		object_put(r, object);
}

/*
 * What neither the pages before nor @last had is gone. That is told before what the last page
 * brings, so that what is new finds free what the gone ones had.
 */
static void drop_unlisted(struct kube_reflector *r, const json_t *last)
{
	char listed[KUBE_KEY_MAX];
	const json_t *object;
	const char *key;
	struct kube_known *k;
	size_t i;

	json_array_foreach(last, i, object)
	{
		k = kube_object_key(object, listed, sizeof(listed)) ? map_get(r->known, listed)
								    : NULL;
		if (k)
			k->mark = r->mark;
	}
	MAP_EACH (r->known, key, k) {
		if (k->mark != r->mark)
			object_drop(r, key);
	}
}

const struct kube_known *kube_reflector_known(const struct kube_reflector *r, const char *key)
{
	return map_get(r->known, key);
}

/* --- lists --- */

static void list_complete(struct kube_reflector *r)
{
	r->step = KUBE_WATCH;
	r->complete = true;
	r->hooks.listed(r->hooks.ctx);
}

int kube_reflector_page(struct kube_reflector *r, const json_t *list, struct mono now)
{
	const json_t *meta = json_object_get(list, "metadata"), *item;
	const char *version = json_string_value(json_object_get(meta, "resourceVersion"));
	const char *more = json_string_value(json_object_get(meta, "continue"));
	json_t *items = json_object_get(list, "items");
	size_t i;

	if (!version || !(json_is_array(items) || json_is_null(items))) {
		kube_reflector_refused(r, 0, DUR_NS(0), now);
		return -1;
	}
	kube_backoff_reset(&r->backoff);
	if (!more || !*more)
		drop_unlisted(r, items);
	json_array_foreach(items, i, item) object_put(r, item);
	text_set(&r->version, version);
	text_set(&r->resume, more && *more ? more : NULL);
	r->not_before = now;
	if (!r->resume)
		list_complete(r);
	return 0;
}

/* --- streams --- */

void kube_reflector_no_stream(struct kube_reflector *r, struct mono now)
{
	r->no_streams = true;
	list_anew(r);
	wait_for(r, DUR_NS(0), now);
}

/* The bookmark that says: this was all there is. */
static bool is_end_of_stream(const struct kube_event *ev)
{
	const json_t *notes =
		json_object_get(json_object_get(ev->object, "metadata"), "annotations");
	const char *end = json_string_value(json_object_get(notes, "k8s.io/initial-events-end"));

	return ev->type == KUBE_BOOKMARK && end && strcmp(end, "true") == 0;
}

/* --- watches --- */

void kube_reflector_watching(struct kube_reflector *r, struct mono now)
{
	r->began = now;
}

bool kube_reflector_event(struct kube_reflector *r, const struct kube_event *ev, struct mono now)
{
	const char *version = meta_text(ev->object, "resourceVersion");
	char key[KUBE_KEY_MAX];

	if (ev->type == KUBE_ERROR) {
		json_int_t code = json_integer_value(json_object_get(ev->object, "code"));

		kube_reflector_refused(r, code > 0 && code < 600 ? (int)code : 500, DUR_NS(0), now);
		return false;
	}
	/* What a stream begins with is in no order. */
	if (r->step == KUBE_WATCH && goes_back(r->version, version)) {
		kube_reflector_refused(r, 410, DUR_NS(0), now);
		return false;
	}
	if (ev->type == KUBE_DELETED && kube_object_key(ev->object, key, sizeof(key)))
		object_drop(r, key);
	else if (ev->type != KUBE_BOOKMARK && ev->type != KUBE_DELETED)
		object_put(r, ev->object);
	if (r->step == KUBE_STREAM && !is_end_of_stream(ev))
		return true;
	if (r->step == KUBE_STREAM && !*version) {
		kube_reflector_refused(r, 500, DUR_NS(0), now);
		return false;
	}
	if (*version)
		text_set(&r->version, version);
	kube_backoff_reset(&r->backoff);
	if (r->step == KUBE_STREAM) {
		drop_unlisted(r, NULL);
		list_complete(r);
	}
	return true;
}

void kube_reflector_ended(struct kube_reflector *r, struct mono now)
{
	bool worth = r->step == KUBE_WATCH && !mono_before(now, mono_add(r->began, WATCH_WORTH));

	if (r->step == KUBE_STREAM)
		list_anew(r);
	if (worth)
		kube_backoff_reset(&r->backoff);
	wait_for(r, worth ? DUR_NS(0) : kube_backoff_next(&r->backoff), now);
}

/* Answers to a watch, or to a later page, that say: not from there. */
static bool is_too_old(const struct kube_reflector *r, int status)
{
	if (r->step == KUBE_LIST)
		return r->resume && (status == 410 || status == 400);
	/* 504 is what a server says of a version that it has not come to yet. */
	return status == 410 || status == 400 || status == 504;
}

void kube_reflector_refused(struct kube_reflector *r, int status, struct dur retry_after,
			    struct mono now)
{
	/* 422 is what a server says that knows streams and does not offer them; 400 what older ones say. */
	if (r->step == KUBE_STREAM && (status == 422 || status == 400)) {
		kube_reflector_no_stream(r, now);
		return;
	}
	struct dur wait = kube_backoff_next(&r->backoff);

	if (r->step == KUBE_STREAM || is_too_old(r, status))
		list_anew(r);
	if (retry_after.ns > wait.ns)
		wait = DUR_NS(MIN(retry_after.ns, RETRY_AFTER_MOST.ns));
	wait_for(r, wait, now);
}
