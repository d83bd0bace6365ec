#include "kube/source.h"

#include <string.h>

#include "config/issue.h"
#include "kube/informer.h"
#include "kube/tree.h"
#include "world/object_endpoints.h"
#include "world/object_node.h"
#include "world/object_service.h"

#define METALLB "metallb.io"
/*
 * Memory that many changes have left behind is given back when they are over. That takes two to four
 * milliseconds, once after a thousand changes and at most every two seconds.
 */
enum { TRIM_CHANGES = 1000 };
#define TRIM_AFTER DUR_S(2)

enum watch_id {
	WATCH_NAMESPACES,
	WATCH_NODES,
	WATCH_SERVICES,
	WATCH_SLICES,
	WATCH_ENDPOINTS, /* of clusters that have no slices */
	WATCH_CONFIG_MAP,
	WATCH_SECRETS,
	WATCH_BFD_PROFILES,
	WATCH_COMMUNITIES,
	WATCH_PEERS,
	WATCH_POOLS,
	WATCH_OLD_POOLS,
	WATCH_L2_ADVS,
	WATCH_BGP_ADVS,
	WATCH_COUNT,
};

struct watch_kind {
	const char *kind, *group, *version, *plural;
	const char *older; /* another version */
	size_t page;
	bool is_config; /* in the namespace of the configuration alone */
	bool metadata_only;
	bool optional;
};

static const struct watch_kind kinds[WATCH_COUNT] = {
	[WATCH_NAMESPACES] = { "Namespace", "", "v1", "namespaces", .page = 500,
			       .metadata_only = true },
	/* A node tells its images, too: some ten kilobytes. */
	[WATCH_NODES] = { "Node", "", "v1", "nodes", .page = 50 },
	[WATCH_SERVICES] = { "Service", "", "v1", "services" },
	[WATCH_SLICES] = { "EndpointSlice", "discovery.k8s.io", "v1", "endpointslices" },
	[WATCH_ENDPOINTS] = { "Endpoints", "", "v1", "endpoints" },
	[WATCH_CONFIG_MAP] = { "ConfigMap", "", "v1", "configmaps", .is_config = true },
	[WATCH_SECRETS] = { "Secret", "", "v1", "secrets", .is_config = true, .optional = true },
	[WATCH_BFD_PROFILES] = { "BFDProfile", METALLB, "v1beta1", "bfdprofiles",
				 .is_config = true },
	[WATCH_COMMUNITIES] = { "Community", METALLB, "v1beta1", "communities", .is_config = true },
	[WATCH_PEERS] = { "BGPPeer", METALLB, "v1beta2", "bgppeers", .older = "v1beta1",
			  .is_config = true },
	[WATCH_POOLS] = { "IPAddressPool", METALLB, "v1beta1", "ipaddresspools",
			  .is_config = true },
	[WATCH_OLD_POOLS] = { "AddressPool", METALLB, "v1beta2", "addresspools", .older = "v1beta1",
			      .is_config = true },
	[WATCH_L2_ADVS] = { "L2Advertisement", METALLB, "v1beta1", "l2advertisements",
			    .is_config = true },
	[WATCH_BGP_ADVS] = { "BGPAdvertisement", METALLB, "v1beta1", "bgpadvertisements",
			     .is_config = true },
};

/** One kind that is watched. */
struct watch {
	struct kube_source *source;
	enum watch_id id;
	struct kube_informer *informer;
	char *path, *older, *query;
	struct map *texts; /* of the configuration: key -> struct text_held */
};

struct text_held {
	char *name, *text;
	size_t len;
};

struct kube_source {
	struct loop *loop;
	struct kube_client *client;
	struct world *world;
	struct kube_source_conf conf;
	char *namespace, *config_map;
	struct watch watches[WATCH_COUNT];
	struct loop_task say;
	struct loop_timer trim;
	unsigned changes; /* since the last time */
	bool viewed, told_viewed;
	bool configured; /* the texts have changed since it was said */
	struct cfg_text *texts;
	struct kube_source_stats stats;
};

/* --- objects of the world --- */

/* What reading one object takes, and what was wrong with it. */
struct reading {
	struct arena *arena;
	struct issues issues;
	struct place at;
};

static bool reading_begin(struct reading *r, const char *key, const json_t *object)
{
	r->arena = arena_new();
	issues_init(&r->issues);
	r->at = (struct place){ .at = kube_tree(object, key, r->arena), .object = key };
	return r->at.at != NULL;
}

/* Tells what was wrong when the object was not @good. */
static void reading_end(struct reading *r, struct watch *w, const char *key, bool good)
{
	struct kube_source *s = w->source;
	struct cfg_report report = { 0 };

	issues_finish(&r->issues, &report);
	if (!good) {
		s->stats.unreadable++;
		s->conf.unreadable(s->conf.ctx, kinds[w->id].kind, key,
				   report.errors.n ? report.errors.v[0].message
						   : "it is nested too deep");
	}
	cfg_report_fini(&report);
	arena_free(r->arena);
}

static bool put_service(struct kube_source *s, struct reading *r)
{
	struct object_service *o = object_service_read(&r->issues, &r->at);

	if (o)
		world_service_set(s->world, o);
	return o != NULL;
}

static bool put_endpoints(struct kube_source *s, struct reading *r, bool is_slice)
{
	struct object_endpoints *o = is_slice ? object_slice_read(&r->issues, &r->at)
					      : object_endpoints_read(&r->issues, &r->at);

	if (o)
		world_endpoints_set(s->world, o);
	return o != NULL;
}

/* Who is alive is somebody else's word, unless nobody says it. */
static bool put_node(struct kube_source *s, struct reading *r)
{
	struct world_node node;

	if (!object_node_read(&r->issues, &r->at, r->arena, &node))
		return false;
	const struct world_node *known = world_node(s->world, node.name);

	node.alive = s->conf.nodes_live || (known && known->alive);
	world_node_set(s->world, &node);
	return true;
}

static bool put_namespace(struct kube_source *s, struct reading *r)
{
	struct object_namespace ns;

	if (!object_namespace_read(&r->issues, &r->at, r->arena, &ns))
		return false;
	world_namespace_set(s->world, ns.name, &ns.labels);
	return true;
}

static void world_put(struct watch *w, const char *key, const json_t *object)
{
	struct kube_source *s = w->source;
	struct reading r = { 0 };
	bool good = reading_begin(&r, key, object);

	if (good && w->id == WATCH_SERVICES)
		good = put_service(s, &r);
	else if (good && (w->id == WATCH_SLICES || w->id == WATCH_ENDPOINTS))
		good = put_endpoints(s, &r, w->id == WATCH_SLICES);
	else if (good && w->id == WATCH_NODES)
		good = put_node(s, &r);
	else if (good)
		good = put_namespace(s, &r);
	reading_end(&r, w, key, good);
}

/* A member without its Node object is still a member. */
static void drop_node(struct kube_source *s, const char *name)
{
	const struct world_node *known = world_node(s->world, name);
	const char *me = world_me(s->world);

	if (!known)
		return;
	if (s->conf.nodes_live && !(me && strcmp(me, name) == 0)) {
		world_node_del(s->world, name);
		return;
	}
	struct world_node bare = { .name = known->name,
				   .labels = known->labels,
				   .alive = known->alive };

	world_node_set(s->world, &bare);
}

static void world_drop(struct watch *w, const char *key)
{
	struct world *to = w->source->world;

	if (w->id == WATCH_SERVICES)
		world_service_del(to, key);
	else if (w->id == WATCH_SLICES || w->id == WATCH_ENDPOINTS)
		world_endpoints_del(to, w->id == WATCH_SLICES, key);
	else if (w->id == WATCH_NODES)
		drop_node(w->source, key);
	else
		world_namespace_del(to, key);
}

/* --- texts of the configuration --- */

static void text_free(void *p)
{
	struct text_held *t = p;

	explicit_bzero(t->text, t->len); /* it may be a Secret */
	free(t->text);
	free(t->name);
	free(t);
}

/*
 * What a person wrote, without what servers and controllers add. Items of a list leave kind and
 * version to the list.
 */
static json_t *config_object(const struct watch *w, const json_t *object)
{
	static const char *const meta_kept[] = { "name", "namespace", "labels", "annotations" };
	const struct watch_kind *k = &kinds[w->id];
	const char *version = kube_informer_uses_instead(w->informer) ? k->older : k->version;
	const json_t *meta = json_object_get(object, "metadata");
	json_t *out = json_copy((json_t *)(uintptr_t)object);
	json_t *kept = json_object();

	for (size_t i = 0; i < ARRAY_LEN(meta_kept); i++)
		if (json_object_get(meta, meta_kept[i]))
			json_object_set(kept, meta_kept[i], json_object_get(meta, meta_kept[i]));
	json_object_set_new(out, "metadata", kept);
	json_object_del(out, "status");
	json_object_set_new(out, "kind", json_string(k->kind));
	json_object_set_new(out, "apiVersion",
			    *k->group ? json_sprintf("%s/%s", k->group, version)
				      : json_string(version));
	return out;
}

/* NULL: it configures nothing. */
static char *config_text(const struct watch *w, const json_t *object)
{
	if (w->id == WATCH_CONFIG_MAP) {
		/* The document itself, so that lines are those that its author sees. */
		const char *text = json_string_value(
			json_object_get(json_object_get(object, "data"), "config"));

		return text ? mem_strdup(text) : NULL;
	}
	json_t *own = config_object(w, object);
	char *text = json_dumps(own, JSON_INDENT(1) | JSON_SORT_KEYS);

	json_decref(own);
	return text;
}

static void config_changed(struct kube_source *s)
{
	s->configured = true;
	loop_task_queue(&s->say);
}

static void config_drop(struct watch *w, const char *key)
{
	struct text_held *t = map_del(w->texts, key);

	if (!t)
		return;
	text_free(t);
	config_changed(w->source);
}

static void config_put(struct watch *w, const char *key, const json_t *object)
{
	char *text = config_text(w, object);
	struct text_held *known = map_get(w->texts, key);

	if (!text) {
		config_drop(w, key);
		return;
	}
	if (known && strcmp(known->text, text) == 0) {
		free(text);
		return;
	}
	struct text_held *t = mem_new(struct text_held);

	*t = (struct text_held){ .name = mem_printf("%s %s", kinds[w->id].kind, key),
				 .text = text,
				 .len = strlen(text) };
	if (known)
		text_free(known);
	(void)map_put(w->texts, key, t);
	config_changed(w->source);
}

static int text_cmp(const void *a, const void *b)
{
	return strcmp(((const struct cfg_text *)a)->name, ((const struct cfg_text *)b)->name);
}

const struct cfg_text *kube_source_texts(struct kube_source *s, size_t *n)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < WATCH_COUNT; i++)
		total += map_len(s->watches[i].texts);
	free(s->texts);
	s->texts = mem_new_n(struct cfg_text, total);
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		size_t first = at;
		const char *key;
		struct text_held *t;

		MAP_EACH (s->watches[i].texts, key, t) {
			s->texts[at++] = (struct cfg_text){ t->name, t->text, t->len };
		}
		(void)key;
		if (at > first)
			qsort(s->texts + first, at - first, sizeof(*s->texts), text_cmp);
	}
	*n = total;
	return s->texts;
}

/* --- what informers say --- */

/* Objects come as trees that are some times larger than what is kept: what that needed is given back. */
static void trim_due(struct loop_timer *t, struct mono now)
{
	struct kube_source *s = CONTAINER_OF(t, struct kube_source, trim);

	(void)now;
	s->changes = 0;
	mem_trim();
}

static void count_change(struct kube_source *s)
{
	s->stats.updates++;
	if (++s->changes == TRIM_CHANGES)
		loop_timer_set(&s->trim, mono_add(loop_now(s->loop), TRIM_AFTER));
}

static void on_put(void *ctx, const char *key, const json_t *object)
{
	struct watch *w = ctx;

	count_change(w->source);
	if (kinds[w->id].is_config)
		config_put(w, key, object);
	else
		world_put(w, key, object);
}

static void on_drop(void *ctx, const char *key)
{
	struct watch *w = ctx;

	count_change(w->source);
	if (kinds[w->id].is_config)
		config_drop(w, key);
	else
		world_drop(w, key);
}

static void watch_start(struct kube_source *s, enum watch_id id);

static bool all_complete(const struct kube_source *s)
{
	for (size_t i = 0; i < WATCH_COUNT; i++)
		if (s->watches[i].informer && !kube_informer_is_complete(s->watches[i].informer))
			return false;
	return true;
}

static void on_listed(void *ctx)
{
	struct watch *w = ctx;
	struct kube_source *s = w->source;

	if (w->id == WATCH_SLICES && kube_informer_is_absent(w->informer) &&
	    !s->watches[WATCH_ENDPOINTS].informer)
		watch_start(s, WATCH_ENDPOINTS);
	if (!s->viewed && all_complete(s)) {
		s->viewed = true;
		config_changed(s);
	}
}

static void on_trouble(void *ctx, const char *kind, const char *why)
{
	struct watch *w = ctx;

	w->source->conf.trouble(w->source->conf.ctx, kind, why);
}

static void say(struct loop_task *t)
{
	struct kube_source *s = CONTAINER_OF(t, struct kube_source, say);

	if (!s->viewed)
		return;
	if (!s->told_viewed) {
		s->told_viewed = true;
		s->conf.viewed(s->conf.ctx);
	}
	if (s->configured) {
		s->configured = false;
		s->conf.configured(s->conf.ctx);
	}
}

/* --- start and end --- */

static char *collection_path(const struct kube_source *s, const struct watch_kind *k,
			     const char *version)
{
	struct buf path = { 0 };

	buf_printf(&path, *k->group ? "/apis/%s/" : "/api%s", k->group);
	buf_printf(&path, *k->group ? "%s" : "/%s", version);
	if (k->is_config)
		buf_printf(&path, "/namespaces/%s", s->namespace);
	buf_printf(&path, "/%s", k->plural);
	return path.p;
}

static char *query_text(const struct kube_source *s, enum watch_id id)
{
	if (id == WATCH_CONFIG_MAP)
		return mem_printf("fieldSelector=metadata.name%%3D%s", s->config_map);
	if (id == WATCH_SECRETS)
		return mem_strdup("fieldSelector=type%3Dkubernetes.io%2Fbasic-auth");
	return NULL;
}

static void watch_start(struct kube_source *s, enum watch_id id)
{
	const struct watch_kind *k = &kinds[id];
	struct watch *w = &s->watches[id];

	w->path = collection_path(s, k, k->version);
	w->older = k->older ? collection_path(s, k, k->older) : NULL;
	w->query = query_text(s, id);
	struct kube_informer_conf conf = {
		.kind = k->kind,
		.path = w->path,
		.instead = w->older,
		.query = w->query,
		.metadata_only = k->metadata_only,
		.page = k->page,
		.optional = k->optional,
		.hooks = { .ctx = w, .put = on_put, .drop = on_drop, .listed = on_listed },
		.trouble = on_trouble,
	};

	w->informer = kube_informer_new(s->loop, s->client, &conf);
}

struct kube_source *kube_source_new(struct loop *l, struct kube_client *client, struct world *w,
				    const struct kube_source_conf *conf)
{
	struct kube_source *s = mem_new(struct kube_source);

	s->loop = l;
	s->client = client;
	s->world = w;
	s->conf = *conf;
	s->namespace = mem_strdup(conf->namespace);
	s->config_map = mem_strdup(conf->config_map);
	loop_task_init(&s->say, l, say);
	loop_timer_init(&s->trim, l, trim_due);
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		s->watches[i] = (struct watch){ .source = s, .id = (enum watch_id)i };
		s->watches[i].texts = map_new();
	}
	for (size_t i = 0; i < WATCH_COUNT; i++)
		if (i != WATCH_ENDPOINTS)
			watch_start(s, (enum watch_id)i);
	return s;
}

struct kube_source *kube_source_free(struct kube_source *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		struct watch *w = &s->watches[i];

		kube_informer_free(w->informer);
		map_clear(w->texts, text_free);
		map_free(w->texts);
		free(w->path);
		free(w->older);
		free(w->query);
	}
	loop_task_cancel(&s->say);
	loop_timer_stop(&s->trim);
	free(s->texts);
	free(s->namespace);
	free(s->config_map);
	free(s);
	return NULL;
}

bool kube_source_is_viewed(const struct kube_source *s)
{
	return s->viewed;
}

void kube_source_service_written(struct kube_source *s, const json_t *object)
{
	kube_informer_written(s->watches[WATCH_SERVICES].informer, object);
}

const struct kube_known *kube_source_service(const struct kube_source *s, const char *key)
{
	return kube_informer_known(s->watches[WATCH_SERVICES].informer, key);
}

/* --- for people --- */

json_t *kube_source_json(const struct kube_source *s)
{
	json_t *items = json_array();

	for (size_t i = 0; i < WATCH_COUNT; i++) {
		const struct kube_informer *in = s->watches[i].informer;

		if (!in)
			continue;
		const char *problem = kube_informer_problem(in);
		const char *state = problem			    ? "unreachable"
				    : kube_informer_is_absent(in)   ? "absent"
				    : kube_informer_is_complete(in) ? "watching"
								    : "listing";

		json_array_append_new(items, json_pack("{s:s, s:s, s:s*}", "kind", kinds[i].kind,
						       "state", state, "problem", problem));
	}
	return items;
}

const char *kube_source_problem(const struct kube_source *s)
{
	for (size_t i = 0; i < WATCH_COUNT; i++)
		if (s->watches[i].informer && kube_informer_problem(s->watches[i].informer))
			return kube_informer_problem(s->watches[i].informer);
	return NULL;
}

const struct kube_source_stats *kube_source_stats(const struct kube_source *s)
{
	return &s->stats;
}
