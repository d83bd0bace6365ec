#include "config/diff.h"

#include <string.h>

#include "base/buf.h"
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

/* They have no name of their own. */
static json_t *named_networks(const struct cfg *c)
{
	json_t *list = tree_networks(c, true), *item;
	size_t i;

	json_array_foreach(list, i, item)
		json_object_set(item, "name", json_object_get(item, "prefix"));
	return list;
}

json_t *cfg_diff(const struct cfg *from, const struct cfg *to)
{
	static const char *const live_all[] = { "*", NULL };
	static const char *const live_peer[] = { "node-selectors", NULL };
	struct diff d = { json_array(), json_array(), json_array() };

	diff_settings(&d, tree_settings(from), tree_settings(to));
	diff_lists(&d, "bfd-profiles", tree_bfd_profiles(from, true), tree_bfd_profiles(to, true),
		   live_all);
	diff_lists(&d, "peers", tree_peers(from, true), tree_peers(to, true), live_peer);
	diff_lists(&d, "pools", tree_pools(from), tree_pools(to), live_all);
	diff_lists(&d, "l2-advertisements", tree_l2_advs(from), tree_l2_advs(to), live_all);
	diff_lists(&d, "bgp-advertisements", tree_bgp_advs(from), tree_bgp_advs(to), live_all);
	diff_lists(&d, "services", tree_services(from, true), tree_services(to, true), live_all);
	diff_lists(&d, "networks", named_networks(from), named_networks(to), live_all);
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
