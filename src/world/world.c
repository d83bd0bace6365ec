#include "world/world.h"

#include <string.h>

#include "base/text.h"
#include "world/copy.h"
#include "world/holders.h"
#include "world/nodes.h"
#include "world/object_service.h"
#include "world/world_priv.h"

struct world *world_new(const char *me)
{
	struct world *w = mem_new(struct world);

	w->me = me ? mem_strdup(me) : NULL;
	w->nodes = nodes_new(me);
	w->by_key = map_new();
	w->holders = holders_new();
	w->backing = backing_new();
	w->namespaces = map_new();
	return w;
}

/* Of Kubernetes services the names are those of the endpoints objects. */
static void endpoints_clear(struct service *s)
{
	for (size_t i = 0; s->pub.origin == WORLD_STANDALONE && i < s->pub.n_endpoints; i++)
		free((char *)(uintptr_t)s->endpoints[i].node);
	s->pub.n_endpoints = 0;
}

void service_free(struct service *s)
{
	endpoints_clear(s);
	free(s->endpoints);
	free(s->addresses);
	free(s->holder);
	arena_free(s->spec);
	object_service_free(s->object);
	free(s);
}

struct world *world_free(struct world *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->n_services; i++)
		if (w->services[i])
			service_free(w->services[i]);
	free(w->services);
	map_free(w->by_key);
	holders_free(w->holders);
	nodes_free(w->nodes);
	backing_free(w->backing);
	map_clear(w->namespaces, namespace_free);
	map_free(w->namespaces);
	free(w->me);
	free(w);
	return NULL;
}

const char *world_me(const struct world *w)
{
	return w->me;
}

void world_on_change(struct world *w,
		     void (*changed)(void *ctx, enum world_change what, const char *name),
		     void *ctx)
{
	w->changed = changed;
	w->changed_ctx = ctx;
}

void world_tell(struct world *w, enum world_change what, const char *name)
{
	if (w->changed)
		w->changed(w->changed_ctx, what, name);
}

void world_set_reference(struct world *w, bool on)
{
	if (w->reference == on)
		return;
	w->reference = on;
	world_tell(w, WORLD_ALL, NULL);
}

bool world_is_reference(const struct world *w)
{
	return w->reference;
}

bool world_has_quorum(const struct world *w)
{
	const struct world_quorum *q = &w->quorum;

	return q->of == 0 || 2 * q->alive > q->of || (2 * q->alive == q->of && q->tie_alive);
}

const struct world_quorum *world_quorum(const struct world *w)
{
	return &w->quorum;
}

void world_set_quorum(struct world *w, const struct world_quorum *q)
{
	bool before = world_has_quorum(w);

	w->quorum = *q;
	if (world_has_quorum(w) != before)
		world_tell(w, WORLD_ALL, NULL);
}

/* What a standalone service asks for, as an object of any origin says it. */
static void service_ask(struct service *s, const struct cfg_service *c)
{
	struct arena *a = arena_new();
	struct world_service *pub = &s->pub;

	pub->key = arena_strdup(a, c->name);
	pub->origin = WORLD_STANDALONE;
	pub->labels = copy_labels(a, &c->labels);
	pub->pool = copy_text(a, c->pool);
	pub->want_v4 = c->want_v4;
	pub->want_v6 = c->want_v6;
	pub->family_policy = c->want_v4 && c->want_v6 ? CFG_REQUIRE_DUAL_STACK : CFG_SINGLE_STACK;
	pub->sharing_key = copy_text(a, c->sharing_key);
	pub->ports = copy_ports(a, c->ports, c->n_ports);
	pub->n_ports = c->n_ports;
	pub->traffic_policy = c->traffic_policy;
	pub->backend = ""; /* there is no selector that could differ */
	pub->protocol = c->protocol;
	pub->node_selectors = copy_selectors(a, &c->node_selectors);
	pub->preferred = copy_weights(a, c->preferred, c->n_preferred);
	pub->n_preferred = c->n_preferred;
	pub->always_servable = c->health.kind == CFG_HEALTH_NONE;
	pub->cfg = c;
	arena_free(s->spec);
	s->spec = a;
}

/* False when it says what it said before. */
static bool service_follow(struct service *s, const struct cfg_service *c)
{
	bool checked = s->spec && !s->pub.always_servable;

	s->pub.cfg = c;
	s->pub.wanted = c->addresses; /* there may be very many */
	s->pub.n_wanted = c->n_addresses;
	if (s->spec && c->hash && c->hash == s->said)
		return false;
	s->said = c->hash;
	service_ask(s, c);
	if (checked && s->pub.always_servable) /* verdicts of a check that is no more */
		endpoints_clear(s);
	return true;
}

static void addresses_index(struct world *w, const struct service *s,
			    void (*change)(struct holders *, const struct world_service *,
					   uint32_t))
{
	for (size_t i = 0; i < s->pub.n_addresses; i++)
		change(w->holders, &s->pub, (uint32_t)i);
}

static void services_list(struct world *w, struct service *s)
{
	mem_grow(w->services, w->n_services, w->cap_services);
	s->at = w->n_services;
	w->services[w->n_services++] = s;
}

void services_append(struct world *w, struct service *s)
{
	services_list(w, s);
	(void)map_put(w->by_key, s->pub.key, s);
}

/* Holes are cheaper than moving all that follow, until there are more of them than services. */
void services_remove(struct world *w, struct service *s)
{
	(void)map_del(w->by_key, s->pub.key);
	w->services[s->at] = NULL;
	if (++w->n_holes <= w->n_services / 2)
		return;
	size_t n = 0;

	for (size_t i = 0; i < w->n_services; i++) {
		if (!w->services[i])
			continue;
		w->services[i]->at = n;
		w->services[n++] = w->services[i];
	}
	w->n_services = n;
	w->n_holes = 0;
}

/* Tell those that shared an address which @s no longer has: what they may do depended on it. */
static void tell_left(struct world *w, const struct service *s, const struct addr *had, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t n_left;
		const struct world_service *const *left = world_holders(w, &had[i], &n_left);
		bool kept = false;

		for (size_t j = 0; j < n_left; j++)
			kept |= left[j] == &s->pub;
		for (size_t j = 0; !kept && j < n_left; j++)
			world_tell(w, WORLD_SERVICE, left[j]->key);
	}
}

/** A configuration on its way in. */
struct coming {
	const struct cfg *c; /* NULL: none */
	const struct cfg_changes *ch;
	struct service **before; /* in the order of the one before */
	size_t n_before;
	const char **changed; /* keys of services */
	size_t n_changed, cap_changed;
};

static void coming_changed(struct coming *in, const char *key)
{
	if (!in->ch || in->ch->all)
		return;
	mem_grow(in->changed, in->n_changed, in->cap_changed);
	in->changed[in->n_changed++] = key;
}

/* Mostly it is where it was. */
static struct service *service_before(const struct world *w, const struct coming *in, size_t i,
				      const char *name)
{
	struct service *there = i < in->n_before ? in->before[i] : NULL;

	if (there && strcmp(there->pub.key, name) == 0)
		return there;
	return map_get(w->by_key, name);
}

static void service_come(struct world *w, struct coming *in, size_t i)
{
	const struct cfg_service *c = &in->c->services[i];
	struct service *s = service_before(w, in, i, c->name);
	bool is_new = !s;

	if (is_new)
		s = mem_new(struct service);
	s->turn = w->turn;
	if (service_follow(s, c))
		coming_changed(in, s->pub.key);
	if (is_new)
		(void)map_put(w->by_key, s->pub.key, s);
	services_list(w, s);
}

/* Those that shared an address with it are touched as well. */
static void service_go(struct world *w, const struct coming *in, struct service *s)
{
	addresses_index(w, s, holders_del);
	(void)map_del(w->by_key, s->pub.key);
	if (in->ch && !in->ch->all) {
		world_tell(w, WORLD_SERVICE, s->pub.key);
		tell_left(w, s, s->addresses, s->pub.n_addresses);
	}
	service_free(s);
}

/*
 * Take the standalone services that are in the configuration, in its order; objects of an API
 * follow as they stood.
 */
static void services_match(struct world *w, struct coming *in)
{
	in->before = TAKE(w->services);
	in->n_before = w->n_services;
	w->n_services = w->cap_services = w->n_holes = 0;
	w->turn++;
	for (size_t i = 0; in->c && i < in->c->n_services; i++)
		service_come(w, in, i);
	for (size_t i = 0; i < in->n_before; i++) {
		struct service *s = in->before[i];

		if (s && s->pub.origin != WORLD_STANDALONE)
			services_list(w, s);
	}
}

/* Those that are not in it: everything else is in place when it is told that they are gone. */
static void services_drop(struct world *w, const struct coming *in)
{
	for (size_t i = 0; i < in->n_before; i++) {
		struct service *s = in->before[i];

		if (s && s->pub.origin == WORLD_STANDALONE && s->turn != w->turn)
			service_go(w, in, s);
	}
}

static bool is_within(const struct world_service *s, const struct cfg_changes *ch)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		for (size_t j = 0; j < ch->n_ranges; j++)
			if (range_contains(&ch->ranges[j], &s->addresses[i]))
				return true;
	return false;
}

static void tell_changes(struct world *w, const struct coming *in)
{
	const struct world_service *s;

	if (!in->ch || in->ch->all) {
		world_tell(w, WORLD_ALL, NULL);
		return;
	}
	for (size_t i = 0; i < in->n_changed; i++)
		world_tell(w, WORLD_SERVICE, in->changed[i]);
	for (size_t at = 0; in->ch->n_ranges && (s = world_next_service(w, &at));)
		if (is_within(s, in->ch))
			world_tell(w, WORLD_SERVICE, s->key);
}

void world_change_config(struct world *w, const struct cfg *c, const struct cfg_changes *ch)
{
	static const struct labels none;
	struct coming in = { .c = c, .ch = ch };
	/* Every service has its place in the very list that it comes in, then. */
	bool same = ch && !ch->all && c && w->config && cfg_shares(w->config, c, CFG_SERVICES);

	w->config = c;
	if (!same)
		services_match(w, &in);
	(void)nodes_own_labels(w->nodes, c ? &c->node.labels : &none);
	services_drop(w, &in);
	tell_changes(w, &in);
	free(in.before);
	free(in.changed);
}

void world_set_config(struct world *w, const struct cfg *c)
{
	world_change_config(w, c, NULL);
}

const struct cfg *world_config(const struct world *w)
{
	return w->config;
}

void world_node_set(struct world *w, const struct world_node *node)
{
	if (nodes_set(w->nodes, node))
		world_tell(w, WORLD_NODE, node->name);
}

void world_node_alive(struct world *w, const char *name, bool alive)
{
	if (nodes_alive(w->nodes, name, alive))
		world_tell(w, WORLD_NODE, name);
}

void world_node_heard(struct world *w, const char *name, bool heard)
{
	if (nodes_heard(w->nodes, name, heard))
		world_tell(w, WORLD_NODE, name);
}

void world_node_drained(struct world *w, const char *name, bool drained)
{
	if (nodes_drained(w->nodes, name, drained))
		world_tell(w, WORLD_NODE, name);
}

void world_node_reach(struct world *w, const char *name, const struct world_reach *reach)
{
	static const struct world_reach nothing;

	if (nodes_reach(w->nodes, name, reach ? reach : &nothing))
		world_tell(w, WORLD_NODE, name);
}

void world_node_del(struct world *w, const char *name)
{
	char *gone = mem_strdup(name); /* @name may be the node's own */

	if (nodes_del(w->nodes, gone))
		world_tell(w, WORLD_NODE, gone);
	free(gone);
}

const struct world_node *world_node(const struct world *w, const char *name)
{
	return nodes_find(w->nodes, name);
}

const struct world_service *world_service(const struct world *w, const char *key)
{
	const struct service *s = map_get(w->by_key, key);

	return s ? &s->pub : NULL;
}

void service_readdress(struct world *w, struct service *s, const struct addr *addresses, size_t n,
		       bool told_anyway)
{
	size_t bytes = n * sizeof(*addresses), n_had = s->pub.n_addresses;
	struct addr *had = NULL;
	bool same = n == n_had && (n == 0 || !memcmp(addresses, s->addresses, bytes));

	if (!same) {
		had = s->addresses;
		addresses_index(w, s, holders_del);
		s->addresses = n ? mem_dup(addresses, bytes) : NULL;
		s->pub.addresses = s->addresses;
		s->pub.n_addresses = n;
		addresses_index(w, s, holders_add);
	}
	if (!same || told_anyway)
		world_tell(w, WORLD_SERVICE, s->pub.key);
	if (!same)
		tell_left(w, s, had, n_had);
	free(had);
}

void world_service_assign(struct world *w, const char *key, const struct addr *addresses, size_t n)
{
	struct service *s = map_get(w->by_key, key);

	if (!s)
		return;
	bool was_bad = s->pub.has_bad_address;

	s->pub.has_bad_address = false;
	service_readdress(w, s, addresses, n, was_bad);
}

static const char *node_at(const void *ctx, size_t i)
{
	return ((const struct world_service *)ctx)->endpoints[i].node;
}

/* Where the node's entry is, or where it belongs. */
static bool endpoint_search(const struct world_service *s, const char *node, size_t *at)
{
	return text_search(node, s->n_endpoints, node_at, s, at);
}

static void endpoint_insert(struct service *s, const char *node, bool servable, size_t at)
{
	size_t n = s->pub.n_endpoints;

	mem_grow(s->endpoints, n, s->cap_endpoints);
	memmove(s->endpoints + at + 1, s->endpoints + at, (n - at) * sizeof(*s->endpoints));
	s->endpoints[at] =
		(struct world_endpoint){ .node = mem_strdup(node), .servable = servable };
	s->pub.endpoints = s->endpoints;
	s->pub.n_endpoints = n + 1;
}

void world_service_endpoint(struct world *w, const char *key, const char *node, bool servable)
{
	struct service *s = map_get(w->by_key, key);
	size_t at;

	if (!s || s->pub.origin != WORLD_STANDALONE)
		return;
	if (!endpoint_search(&s->pub, node, &at))
		endpoint_insert(s, node, servable, at);
	else if (s->endpoints[at].servable != servable)
		s->endpoints[at].servable = servable;
	else
		return;
	world_tell(w, WORLD_SERVICE, s->pub.key);
}

static bool endpoint_forget(struct service *s, const char *node)
{
	size_t at;

	if (s->pub.origin != WORLD_STANDALONE || !endpoint_search(&s->pub, node, &at))
		return false;
	free((char *)(uintptr_t)s->endpoints[at].node);
	s->pub.n_endpoints--;
	memmove(s->endpoints + at, s->endpoints + at + 1,
		(s->pub.n_endpoints - at) * sizeof(*s->endpoints));
	return true;
}

void world_service_holder(struct world *w, const char *key, const char *node, uint64_t term)
{
	struct service *s = map_get(w->by_key, key);

	if (!s)
		return;
	bool same = s->holder && node ? strcmp(s->holder, node) == 0 : !s->holder && !node;

	s->pub.holder_term = term;
	if (same)
		return;
	free(s->holder);
	s->holder = node ? mem_strdup(node) : NULL;
	s->pub.holder = s->holder;
	world_tell(w, WORLD_SERVICE, s->pub.key);
}

void world_service_endpoint_forget(struct world *w, const char *key, const char *node)
{
	struct service *s = map_get(w->by_key, key);

	if (s && endpoint_forget(s, node))
		world_tell(w, WORLD_SERVICE, s->pub.key);
}

void world_endpoints_forget(struct world *w, const char *node)
{
	char *gone = mem_strdup(node); /* @node may be an endpoint's own */

	for (size_t i = 0; i < w->n_services; i++)
		if (w->services[i] && endpoint_forget(w->services[i], gone))
			world_tell(w, WORLD_SERVICE, w->services[i]->pub.key);
	free(gone);
}

bool world_servable(const struct world_service *s, const char *node)
{
	size_t at;

	if (node)
		return endpoint_search(s, node, &at) ? s->endpoints[at].servable
						     : s->always_servable;
	if (s->always_servable)
		return true;
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (s->endpoints[i].servable)
			return true;
	return false;
}

const struct world_service *const *world_holders(const struct world *w, const struct addr *a,
						 size_t *n)
{
	return holders_of(w->holders, a, n);
}

const struct world_service *world_next_service(const struct world *w, size_t *at)
{
	while (*at < w->n_services) {
		const struct service *s = w->services[(*at)++];

		if (s)
			return &s->pub;
	}
	return NULL;
}

const struct world_node *world_next_node(const struct world *w, size_t *at)
{
	return nodes_next(w->nodes, at);
}
