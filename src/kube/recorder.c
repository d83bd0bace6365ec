#include "kube/recorder.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/map.h"
#include "base/rng.h"
#include "kube/writer.h"

/* Events are the least of what the API has to carry. */
enum { EVENTS_PER_SECOND = 20, EVENTS_BURST = 100, EVENTS_WAITING_MAX = 20000 };
enum { SAID_MAX = 20000 };
#define AGAIN_AFTER DUR_S(60)

/** An event that was said. */
struct said {
	char *name; /* of its object */
	unsigned count;
	struct mono last; /* it was written */
};

struct kube_recorder {
	struct loop *loop;
	char *component, *host;
	struct kube_writer *writer;
	struct map *said;
};

static void said_free(void *p)
{
	struct said *s = p;

	free(s->name);
	free(s);
}

/* Nobody waits for an event; one that is gone (they last an hour) is said anew the next time. */
static void on_done(void *ctx, const char *key, const struct kube_answer *answer)
{
	struct kube_recorder *r = ctx;
	struct said *s = answer->status == 404 ? map_del(r->said, key) : NULL;

	if (s)
		said_free(s);
}

struct kube_recorder *kube_recorder_new(struct loop *l, struct kube_client *client,
					const struct kube_recorder_conf *conf)
{
	struct kube_recorder *r = mem_new(struct kube_recorder);
	struct kube_writer_conf writer = {
		.per_second = EVENTS_PER_SECOND,
		.burst = EVENTS_BURST,
		.waiting_max = EVENTS_WAITING_MAX,
		.timeout = DUR_S(5),
		.ctx = r,
		.done = on_done,
	};

	r->loop = l;
	r->component = mem_strdup(conf->component);
	r->host = conf->host ? mem_strdup(conf->host) : NULL;
	r->said = map_new();
	r->writer = kube_writer_new(l, client, &writer);
	return r;
}

struct kube_recorder *kube_recorder_free(struct kube_recorder *r)
{
	if (!r)
		return NULL;
	kube_writer_free(r->writer);
	map_clear(r->said, said_free);
	map_free(r->said);
	free(r->component);
	free(r->host);
	free(r);
	return NULL;
}

static const char *wall_seconds(char buf[static 32])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

static char *event_name(const struct kube_subject *about)
{
	uint64_t unique;

	rng_secure(&unique, sizeof(unique));
	return mem_printf("%.200s.%016llx", about->name, (unsigned long long)unique);
}

static void write_put(struct kube_recorder *r, const char *method, const char *path,
		      const char *key, json_t *body)
{
	bool is_new = strcmp(method, "POST") == 0;
	char *text = json_dumps(body, JSON_COMPACT);

	(void)kube_writer_put(
		r->writer, &(struct kube_write){
				   .method = method,
				   .path = path,
				   .content_type = is_new ? NULL : "application/merge-patch+json",
				   .body = text,
				   .tag = key });
	free(text);
	json_decref(body);
}

static const char *namespace_of(const struct kube_subject *about)
{
	return about->namespace ? about->namespace : "default";
}

static void say_first(struct kube_recorder *r, const struct kube_subject *about, bool is_warning,
		      const char *reason, const char *text, const char *name, const char *key)
{
	char wall[32];
	char *path = mem_printf("/api/v1/namespaces/%s/events", namespace_of(about));
	json_t *object =
		json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:s*}", "apiVersion", about->api_version,
			  "kind", about->kind, "namespace", about->namespace, "name", about->name,
			  "uid", about->uid, "resourceVersion", about->version);
	json_t *source = json_pack("{s:s, s:s*}", "component", r->component, "host", r->host);

	wall_seconds(wall);
	write_put(r, "POST", path, key,
		  json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:s, s:s, s:s, s:o, s:s, s:s, s:i, "
			    "s:s, s:s}",
			    "kind", "Event", "apiVersion", "v1", "metadata", "name", name,
			    "namespace", namespace_of(about), "involvedObject", object, "reason",
			    reason, "message", text, "type", is_warning ? "Warning" : "Normal",
			    "source", source, "firstTimestamp", wall, "lastTimestamp", wall,
			    "count", 1, "reportingComponent", r->component, "reportingInstance",
			    r->host ? r->host : ""));
	free(path);
}

static void say_again(struct kube_recorder *r, const struct kube_subject *about,
		      const struct said *s, const char *key)
{
	char wall[32];
	char *path = mem_printf("/api/v1/namespaces/%s/events/%s", namespace_of(about), s->name);

	write_put(r, "PATCH", path, key,
		  json_pack("{s:i, s:s}", "count", (int)s->count, "lastTimestamp",
			    wall_seconds(wall)));
	free(path);
}

void kube_recorder_say(struct kube_recorder *r, const struct kube_subject *about, bool is_warning,
		       const char *reason, const char *text)
{
	char *key = mem_printf("%s/%s/%s/%s/%s/%s", about->kind, namespace_of(about), about->name,
			       about->uid ? about->uid : "", reason, text);
	struct mono now = loop_now(r->loop);
	struct said *s = map_get(r->said, key);

	if (s) {
		s->count++;
		if (!mono_before(now, mono_add(s->last, AGAIN_AFTER))) {
			s->last = now;
			say_again(r, about, s, key);
		}
		free(key);
		return;
	}
	if (map_len(r->said) >= SAID_MAX) /* rather say something as if for the first time */
		map_clear(r->said, said_free);
	s = mem_new(struct said);
	*s = (struct said){ .name = event_name(about), .count = 1, .last = now };
	(void)map_put(r->said, key, s);
	say_first(r, about, is_warning, reason, text, s->name, key);
	free(key);
}
