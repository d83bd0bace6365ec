#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "config/community.h"
#include "config/convert_priv.h"
#include "config/convert_tidy.h"
#include "config/print.h"

void converted_fini(struct converted *d)
{
	for (size_t i = 0; i < d->n; i++)
		json_decref(d->docs[i].value);
	free(d->docs);
	free(d->notes);
	arena_free(d->arena);
	*d = (struct converted){ 0 };
}

void converted_note(struct converted *d, const char *text)
{
	mem_grow(d->notes, d->n_notes, d->cap_notes);
	d->notes[d->n_notes++] = text;
}

void converted_add(struct converted *d, json_t *value, const char *comment)
{
	mem_grow(d->docs, d->n, d->cap);
	d->docs[d->n++] = (struct convert_doc){ .value = value, .comment = comment };
}

static bool peer_has_secret(const struct cfg_peer *p)
{
	for (size_t i = 0; i < p->tcp_ao.n_keys; i++)
		if (p->tcp_ao.keys[i].secret)
			return true;
	return p->password != NULL;
}

bool convert_has_secrets(const struct cfg *c)
{
	for (size_t i = 0; i < c->n_peers; i++)
		if (peer_has_secret(&c->peers[i]))
			return true;
	for (size_t i = 0; i < c->n_bfd_profiles; i++)
		for (size_t j = 0; j < c->bfd_profiles[i].auth.n_keys; j++)
			if (c->bfd_profiles[i].auth.keys[j].secret)
				return true;
	return false;
}

json_t **convert_advs(const struct cfg *c, const json_t *doc)
{
	json_t **v = mem_new_n(json_t *, c->n_bgp_advs + 1);
	size_t *brought = mem_new_n(size_t, c->n_pools + 1), standing = 0;
	const json_t *pools = json_object_get(doc, "address-pools");

	for (size_t i = 0; i < c->n_bgp_advs; i++) {
		const struct cfg_bgp_adv *a = &c->bgp_advs[i];

		if (!a->implicit) {
			v[i] = json_array_get(json_object_get(doc, "bgp-advertisements"),
					      standing++);
		} else if (a->pools.n) {
			size_t at = (size_t)(a->pools.v[0] - c->pools);

			v[i] = json_array_get(
				json_object_get(json_array_get(pools, at), "bgp-advertisements"),
				brought[at]++);
		}
	}
	free(brought);
	return v;
}

/* LOCAL_PREF is 0 by itself where a pool brings the advertisement, else none. */
static void tidy_local_prefs(const struct cfg *c, json_t *doc)
{
	const json_t *networks = json_object_get(doc, "networks");
	json_t **advs = convert_advs(c, doc);

	for (size_t i = 0; i < c->n_bgp_advs; i++) {
		const struct cfg_bgp_adv *a = &c->bgp_advs[i];

		if (advs[i] && a->has_local_pref == a->implicit && !a->local_pref)
			json_object_del(advs[i], "localpref");
	}
	for (size_t i = 0; i < c->n_networks; i++)
		if (!c->networks[i].adv.has_local_pref)
			json_object_del(json_array_get(networks, i), "localpref");
	free(advs);
}

static void tidy_peers(const struct cfg *c, json_t *doc)
{
	for (size_t i = 0; i < c->n_peers; i++)
		if (c->peers[i].keepalive.ns == c->peers[i].hold.ns / 3)
			json_object_del(json_array_get(json_object_get(doc, "peers"), i),
					"keepalive-time");
}

json_t *convert_document(const struct cfg *c)
{
	json_t *doc = cfg_to_json(c, true);

	if (!*c->node.name)
		json_object_del(json_object_get(doc, "node"), "name");
	tidy_local_prefs(c, doc);
	tidy_peers(c, doc);
	convert_tidy(doc, &level_root);
	return doc;
}

bool convert_name_is_address(const struct cfg_peer *p)
{
	const char *name = p->name[0] == '[' ? p->name + 1 : p->name;

	return p->format == CFG_LEGACY && addr_is_set(&p->addr) &&
	       text_starts_with(name, ADDR_TEXT(&p->addr));
}

/* A name that the peer has by itself: its address, when nobody else has that. */
static bool peer_name_needless(const struct cfg *c, const struct cfg_peer *p)
{
	if (p->zone || !addr_is_set(&p->addr) || strcmp(p->name, ADDR_TEXT(&p->addr)) != 0)
		return false;
	for (size_t i = 0; i < c->n_peers; i++)
		if (&c->peers[i] != p && addr_eq(&c->peers[i].addr, &p->addr))
			return false;
	return true;
}

static void native_peers(const struct cfg *c, json_t *doc)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		const struct cfg_peer *p = &c->peers[i];
		json_t *o = json_array_get(json_object_get(doc, "peers"), i);

		if (peer_name_needless(c, p))
			json_object_del(o, "name");
		if (addr_is_set(&c->bgp.router_id) && addr_eq(&p->router_id, &c->bgp.router_id))
			json_object_del(o, "router-id");
	}
}

void convert_append_once(json_t *list, struct map *seen, const char *text)
{
	if (!map_put(seen, text, seen))
		json_array_append_new(list, json_string(text));
}

static struct map *aliases_new(const struct cfg *c)
{
	struct map *m = map_new();

	for (size_t i = 0; i < c->n_aliases; i++)
		map_put(m, c->aliases[i].name, (void *)&c->aliases[i]);
	return m;
}

/* The large ones stand in large-communities. */
static json_t *communities_named(const struct cfg_texts *written, const struct map *aliases)
{
	CLEANUP(map_freep) struct map *seen = map_new();
	json_t *list = json_array();

	for (size_t i = 0; i < written->n; i++) {
		const struct cfg_alias *alias = map_get(aliases, written->v[i]);

		if (alias ? !alias->is_large : !text_starts_with(written->v[i], "large:"))
			convert_append_once(list, seen, written->v[i]);
	}
	return list;
}

static void name_communities(const struct cfg_bgp_adv *a, const struct map *aliases, json_t *o)
{
	if (json_object_get(o, "communities"))
		json_object_set_new(o, "communities", communities_named(&a->written, aliases));
}

static void native_communities(const struct cfg *c, json_t *doc)
{
	CLEANUP(map_freep) struct map *aliases = aliases_new(c);
	json_t **advs = convert_advs(c, doc);

	for (size_t i = 0; i < c->n_bgp_advs; i++)
		name_communities(&c->bgp_advs[i], aliases, advs[i]);
	for (size_t i = 0; i < c->n_networks; i++)
		name_communities(&c->networks[i].adv, aliases,
				 json_array_get(json_object_get(doc, "networks"), i));
	free(advs);
}

/* A bgp pool has one such advertisement by itself. */
static void native_pools(json_t *doc)
{
	json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(doc, "address-pools"), i, pool)
	{
		const json_t *advs = json_object_get(pool, "bgp-advertisements");

		if (json_array_size(advs) == 1 && json_object_size(json_array_get(advs, 0)) == 0)
			json_object_del(pool, "bgp-advertisements");
	}
}

static json_t *native_names(const struct cfg *c, struct converted *out)
{
	json_t *names = json_object();

	for (size_t i = 0; i < c->n_aliases; i++) {
		const struct cfg_alias *a = &c->aliases[i];
		char text[COMMUNITY_TEXT_MAX];

		if (a->is_large)
			converted_note(out,
				       arena_printf(out->arena,
						    "Large communities have no names here: '%s' is "
						    "written out where it is used.",
						    a->name));
		else
			json_object_set_new(names, a->name,
					    json_string(community_format(a->value, text)));
	}
	return names;
}

/* What resources say and a document of our own can't. */
static void note_resources(const struct cfg *c, struct converted *out)
{
	if (c->namespace)
		converted_note(out, arena_printf(out->arena,
						 "Namespace '%s' is not kept: here there is none.",
						 c->namespace));
	for (size_t i = 0; i < c->n_peers; i++)
		if (c->peers[i].password_secret) {
			converted_note(out, "Passwords of Secrets stand here in the open; "
					    "password-file keeps them elsewhere.");
			return;
		}
}

void convert_native(const struct cfg *c, struct converted *out)
{
	json_t *doc = convert_document(c), *all = json_object();

	*out = (struct converted){ .arena = arena_new(), .has_secrets = convert_has_secrets(c) };
	json_t *names = native_names(c, out);
	note_resources(c, out);
	native_peers(c, doc);
	native_communities(c, doc);
	native_pools(doc);
	if (json_object_size(names))
		json_object_set(all, "bgp-communities", names);
	json_object_update(all, doc);
	convert_selectors_of(all);
	converted_add(out, all, NULL);
	json_decref(names);
	json_decref(doc);
}
