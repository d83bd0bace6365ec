#include "config/diff.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "config/hash.h"
#include "config/index.h"
#include "config/middle.h"
#include "config/tree.h"

/* Both as trees: the table's every field is in them, so none is forgotten here. */
static bool tree_eq(json_t *a, json_t *b)
{
	bool same = json_equal(a, b);

	json_decref(a);
	json_decref(b);
	return same;
}

static json_t *session_tree(const struct cfg_peer *p)
{
	struct cfg_peer session = *p;

	session.node_selectors = (struct selectors){ 0 };
	return tree_peer(&session, true);
}

bool cfg_peer_eq(const struct cfg_peer *a, const struct cfg_peer *b)
{
	if (!tree_eq(session_tree(a), session_tree(b)))
		return false;
	return a->format == b->format && (!a->bfd || cfg_bfd_profile_eq(a->bfd, b->bfd));
}

bool cfg_peer_same(const struct cfg_peer *a, const struct cfg_peer *b)
{
	return a->format == b->format && tree_eq(tree_peer(a, true), tree_peer(b, true));
}

bool cfg_bfd_profile_eq(const struct cfg_bfd_profile *a, const struct cfg_bfd_profile *b)
{
	return tree_eq(tree_bfd_profile(a, true), tree_bfd_profile(b, true));
}

struct diff {
	json_t *added, *removed, *changed;
};

static json_t *name_of(const char *kind, const json_t *object)
{
	return json_sprintf("%s/%s", kind, json_string_value(json_object_get(object, "name")));
}

static json_t *index_by_name(const json_t *list)
{
	json_t *index = json_object();
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		json_object_set(index, json_string_value(json_object_get(item, "name")), item);
	return index;
}

static bool restarts(const json_t *fields, const char *const *live)
{
	json_t *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		const char *const *at = live;

		while (*at && strcmp(*at, json_string_value(field)) != 0 && strcmp(*at, "*") != 0)
			at++;
		if (!*at)
			return true;
	}
	return false;
}

static json_t *fields_changed(json_t *from, json_t *to)
{
	json_t *fields = json_array();
	const char *key;
	json_t *value;

	json_object_foreach(from, key, value) if (!json_equal(value, json_object_get(to, key)))
		json_array_append_new(fields, json_string(key));
	json_object_foreach(to, key, value) if (!json_object_get(from, key))
		json_array_append_new(fields, json_string(key));
	return fields;
}

/* @live: fields that an object takes over without a restart of its own; "*" is all of them. */
static void diff_object(struct diff *d, json_t *name, json_t *from, json_t *to,
			const char *const *live)
{
	json_t *fields = fields_changed(from, to);

	if (json_array_size(fields))
		json_array_append_new(d->changed,
				      json_pack("{s:O, s:O, s:b}", "object", name, "fields", fields,
						"needs-restart", restarts(fields, live)));
	json_decref(fields);
	json_decref(name);
}

/* Objects that both have, in another order: for pools, the order of allocation. */
static bool order_differs(const json_t *from, const json_t *to, const json_t *in_to,
			  const json_t *in_from)
{
	size_t i = 0, j = 0;

	for (;;) {
		const char *a = NULL, *b = NULL;

		for (; i < json_array_size(from) && !a; i++) {
			a = json_string_value(json_object_get(json_array_get(from, i), "name"));
			a = json_object_get(in_to, a) ? a : NULL;
		}
		for (; j < json_array_size(to) && !b; j++) {
			b = json_string_value(json_object_get(json_array_get(to, j), "name"));
			b = json_object_get(in_from, b) ? b : NULL;
		}
		if (!a || !b)
			return false;
		if (strcmp(a, b) != 0)
			return true;
	}
}

/* Takes both lists. */
static void diff_lists(struct diff *d, const char *kind, json_t *from, json_t *to,
		       const char *const *live)
{
	json_t *in_from = index_by_name(from), *in_to = index_by_name(to);
	json_t *item;
	size_t i;

	json_array_foreach(
		from, i,
		item) if (!json_object_get(in_to, json_string_value(json_object_get(item, "name"))))
		json_array_append_new(d->removed, name_of(kind, item));
	json_array_foreach(to, i, item)
	{
		json_t *old =
			json_object_get(in_from, json_string_value(json_object_get(item, "name")));
		if (!old)
			json_array_append_new(d->added, name_of(kind, item));
		else
			diff_object(d, name_of(kind, item), old, item, live);
	}
	if (order_differs(from, to, in_to, in_from))
		json_array_append_new(d->changed,
				      json_pack("{s:s, s:[s], s:b}", "object", kind, "fields",
						"order", "needs-restart", false));
	json_decref(in_from);
	json_decref(in_to);
	json_decref(from);
	json_decref(to);
}

/* --- long lists: a tree is made of what differs alone --- */

struct list_kind {
	const char *kind;
	enum cfg_list lists[2]; /* what it consists of */
	size_t (*count)(const struct cfg *c);
	uint64_t (*hash)(const struct cfg *c, size_t i); /* 0: look closer */
	json_t *(*name)(const struct cfg *c, size_t i);	 /* NULL: no object of its own */
	json_t *(*tree)(const struct cfg *c, size_t i);
};

/* The objects of [first, end) by name, as hashes. */
static struct map *hashes_of(const struct list_kind *k, const struct cfg *c, size_t first,
			     size_t end, uint64_t *hashes)
{
	struct map *by_name = map_new();

	for (size_t i = first; i < end; i++) {
		json_t *name = k->name(c, i);

		hashes[i - first] = k->hash(c, i);
		if (name)
			(void)map_put(by_name, json_string_value(name), &hashes[i - first]);
		json_decref(name);
	}
	return by_name;
}

/* The objects of [first, end); of those that @others have as they are only the name. */
static json_t *trees_of(const struct list_kind *k, const struct cfg *c, size_t first, size_t end,
			const struct map *others)
{
	json_t *list = json_array();

	for (size_t i = first; i < end; i++) {
		json_t *name = k->name(c, i);
		const uint64_t *other = name ? map_get(others, json_string_value(name)) : NULL;

		if (name && other && *other && *other == k->hash(c, i)) {
			json_array_append_new(list, json_pack("{s:O}", "name", name));
		} else if (name) {
			json_t *o = k->tree(c, i);

			json_object_set(o, "name", name); /* some are named by another field */
			json_array_append_new(list, o);
		}
		json_decref(name);
	}
	return list;
}

/** One kind of list in two configurations. */
struct two_lists {
	const struct list_kind *kind;
	const struct cfg *from, *to;
};

static bool is_same(const void *ctx, size_t i, size_t j)
{
	const struct two_lists *t = ctx;
	uint64_t hash = t->kind->hash(t->from, i);

	return hash && hash == t->kind->hash(t->to, j);
}

static void diff_long(struct diff *d, const struct list_kind *k, const struct cfg *from,
		      const struct cfg *to)
{
	static const char *const live[] = { "*", NULL };
	const struct two_lists both = { k, from, to };

	if (cfg_shares(from, to, k->lists[0]) && cfg_shares(from, to, k->lists[1]))
		return;
	struct middle m = middle_of(k->count(from), k->count(to), is_same, &both);
	uint64_t *hashes = mem_new_n(uint64_t, m.end_from - m.first + m.end_to - m.first);
	struct map *in_from = hashes_of(k, from, m.first, m.end_from, hashes);
	struct map *in_to = hashes_of(k, to, m.first, m.end_to, hashes + (m.end_from - m.first));

	diff_lists(d, k->kind, trees_of(k, from, m.first, m.end_from, in_to),
		   trees_of(k, to, m.first, m.end_to, in_from), live);
	map_free(in_from);
	map_free(in_to);
	free(hashes);
}

static size_t pool_count(const struct cfg *c)
{
	return c->n_pools;
}

static uint64_t pool_hash(const struct cfg *c, size_t i)
{
	return !c->index ? 0 : hash_mix(c->pools[i].hash, index_advs_hash(c, &c->pools[i]));
}

static json_t *pool_name(const struct cfg *c, size_t i)
{
	return json_string(c->pools[i].name);
}

static json_t *pool_tree(const struct cfg *c, size_t i)
{
	return tree_pool(c, &c->pools[i]);
}

static size_t l2_adv_count(const struct cfg *c)
{
	return c->n_l2_advs;
}

static uint64_t l2_adv_hash(const struct cfg *c, size_t i)
{
	return c->l2_advs[i].hash;
}

static json_t *l2_adv_name(const struct cfg *c, size_t i)
{
	return c->l2_advs[i].implicit ? NULL : json_string(c->l2_advs[i].name);
}

static json_t *l2_adv_tree(const struct cfg *c, size_t i)
{
	return tree_l2_adv(&c->l2_advs[i]);
}

static size_t bgp_adv_count(const struct cfg *c)
{
	return c->n_bgp_advs;
}

static uint64_t bgp_adv_hash(const struct cfg *c, size_t i)
{
	return c->bgp_advs[i].hash;
}

static json_t *bgp_adv_name(const struct cfg *c, size_t i)
{
	return c->bgp_advs[i].implicit ? NULL : json_string(c->bgp_advs[i].name);
}

static json_t *bgp_adv_tree(const struct cfg *c, size_t i)
{
	return tree_bgp_adv(&c->bgp_advs[i]);
}

static size_t service_count(const struct cfg *c)
{
	return c->n_services;
}

static uint64_t service_hash(const struct cfg *c, size_t i)
{
	return c->services[i].hash;
}

static json_t *service_name(const struct cfg *c, size_t i)
{
	return json_string(c->services[i].name);
}

static json_t *service_tree(const struct cfg *c, size_t i)
{
	return tree_service(&c->services[i], true);
}

static size_t network_count(const struct cfg *c)
{
	return c->n_networks;
}

static uint64_t network_hash(const struct cfg *c, size_t i)
{
	return c->networks[i].hash;
}

static json_t *network_name(const struct cfg *c, size_t i)
{
	return json_string(PREFIX_TEXT(&c->networks[i].prefix));
}

static json_t *network_tree(const struct cfg *c, size_t i)
{
	return tree_network(&c->networks[i], true);
}

static const struct list_kind long_lists[] = {
	{ "pools", { CFG_POOLS, CFG_ADVS }, pool_count, pool_hash, pool_name, pool_tree },
	{ "l2-advertisements",
	  { CFG_ADVS, CFG_ADVS },
	  l2_adv_count,
	  l2_adv_hash,
	  l2_adv_name,
	  l2_adv_tree },
	{ "bgp-advertisements",
	  { CFG_ADVS, CFG_ADVS },
	  bgp_adv_count,
	  bgp_adv_hash,
	  bgp_adv_name,
	  bgp_adv_tree },
	{ "services",
	  { CFG_SERVICES, CFG_SERVICES },
	  service_count,
	  service_hash,
	  service_name,
	  service_tree },
	{ "networks",
	  { CFG_NETWORKS, CFG_NETWORKS },
	  network_count,
	  network_hash,
	  network_name,
	  network_tree },
};

/* The sections; takes both. A section that only one side has counts as changed in every field. */
static void diff_settings(struct diff *d, json_t *from, json_t *to)
{
	static const struct {
		const char *section;
		const char *const live[4];
	} sections[] = {
		{ "node", { "labels" } },  { "cluster", { "join" } }, { "bgp", { "*" } },
		{ "bfd", { "*" } },	   { "l2", { "*" } },	      { "control", { NULL } },
		{ "http", { NULL } },	   { "log", { "*" } },	      { "kubernetes", { "*" } },
		{ "allocation", { "*" } },
	};
	json_t *none = json_object();

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		json_t *a = json_object_get(from, sections[i].section);
		json_t *b = json_object_get(to, sections[i].section);

		diff_object(d, json_string(sections[i].section), a ? a : none, b ? b : none,
			    sections[i].live);
	}
	json_decref(none);
	json_decref(from);
	json_decref(to);
}

json_t *cfg_diff(const struct cfg *from, const struct cfg *to)
{
	static const char *const live_all[] = { "*", NULL };
	static const char *const live_peer[] = { "node-selectors", NULL };
	struct diff d = { json_array(), json_array(), json_array() };

	diff_settings(&d, tree_settings(from), tree_settings(to));
	if (from->bfd_profiles != to->bfd_profiles)
		diff_lists(&d, "bfd-profiles", tree_bfd_profiles(from, true),
			   tree_bfd_profiles(to, true), live_all);
	if (from->peers != to->peers)
		diff_lists(&d, "peers", tree_peers(from, true), tree_peers(to, true), live_peer);
	for (size_t i = 0; i < ARRAY_LEN(long_lists); i++)
		diff_long(&d, &long_lists[i], from, to);
	return json_pack("{s:o, s:o, s:o}", "added", d.added, "removed", d.removed, "changed",
			 d.changed);
}

int cfg_check_emptied(const struct cfg *from, const struct cfg *to, struct err *e)
{
	const struct {
		const char *what;
		size_t had, has;
	} lists[] = {
		{ "pools", from->n_pools, to->n_pools },
		{ "services", from->n_services, to->n_services },
		{ "networks", from->n_networks, to->n_networks },
	};
	struct buf gone = { 0 };
	int status = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].had && !lists[i].has)
			buf_printf(&gone, "%sall %s (%zu)", gone.len ? " and " : "", lists[i].what,
				   lists[i].had);
	if (gone.len)
		status = err_set(e, ERR_STATE, "%s are gone", buf_text(&gone));
	buf_fini(&gone);
	return status;
}
