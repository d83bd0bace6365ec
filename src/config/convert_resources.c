#include <string.h>

#include "base/text.h"
#include "config/community.h"
#include "config/convert_names.h"
#include "config/convert_priv.h"
#include "config/convert_spec.h"
#include "config/convert_tidy.h"
#include "config/fields.h"
#include "config/resource.h"
#include "config/tree.h"

#define NAMESPACE   "metallb-system"
#define OWN_MAP	    "config" /* what the daemon looks for in a cluster */
#define COMMUNITIES "communities"
#define BASIC_AUTH  "kubernetes.io/basic-auth"

/* One conversion. */
struct work {
	const struct cfg *c;
	json_t *doc; /* of our own format; borrowed by the rest */
	json_t **advs;
	struct converted *out;
	const char *namespace;
	struct convert_names pools, peers, l2_advs, bgp_advs, profiles;
	struct map *large; /* names of large communities -> struct cfg_alias */
	bool own_pools;	   /* some bring their own advertisements */
};

#define work_text(w, ...) arena_printf((w)->out->arena, __VA_ARGS__)

static void work_init(struct work *w, const struct cfg *c, struct converted *out)
{
	*out = (struct converted){ .arena = arena_new(), .has_secrets = convert_has_secrets(c) };
	*w = (struct work){
		.c = c,
		.doc = convert_document(c),
		.out = out,
		.namespace = c->namespace ? c->namespace : NAMESPACE,
		.pools = convert_names_new("pool", out->arena),
		.peers = convert_names_new("peer", out->arena),
		.l2_advs = convert_names_new("Layer 2 advertisement", out->arena),
		.bgp_advs = convert_names_new("BGP advertisement", out->arena),
		.profiles = convert_names_new("BFD profile", out->arena),
	};
	w->advs = convert_advs(c, w->doc);
	w->large = map_new();
	for (size_t i = 0; i < c->n_aliases; i++)
		if (c->aliases[i].is_large)
			map_put(w->large, c->aliases[i].name, (void *)&c->aliases[i]);
	for (size_t i = 0; i < c->n_bgp_advs; i++)
		w->own_pools |= c->bgp_advs[i].implicit && c->bgp_advs[i].pools.n;
	for (size_t i = 0; i < c->n_l2_advs; i++)
		w->own_pools |= c->l2_advs[i].implicit && c->l2_advs[i].pools.n;
}

static void work_fini(struct work *w)
{
	convert_names_fini(&w->pools);
	convert_names_fini(&w->peers);
	convert_names_fini(&w->l2_advs);
	convert_names_fini(&w->bgp_advs);
	convert_names_fini(&w->profiles);
	map_free(w->large);
	free(w->advs);
	json_decref(w->doc);
}

static int name_pools(struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->c->n_pools; i++) {
		const struct cfg_pool *p = &w->c->pools[i];
		const char *name;
		int rc = convert_name_take(&w->pools, p->name, p->format == CFG_RESOURCE, &name, e);

		if (rc < 0)
			return rc;
		if (strcmp(name, p->name) != 0)
			converted_note(w->out,
				       work_text(w,
						 "Pool '%s' is called '%s' now: services that ask "
						 "for it by annotation have to say so.",
						 p->name, name));
	}
	return 0;
}

static int name_peers(struct work *w, struct err *e)
{
	const char *name;

	for (size_t i = 0; i < w->c->n_peers; i++) {
		const struct cfg_peer *p = &w->c->peers[i];

		if (!convert_name_is_address(p) &&
		    convert_name_take(&w->peers, p->name, resource_name_valid(p->name), &name, e) <
			    0)
			return -ERR_CONFIG;
	}
	for (size_t i = 0; i < w->c->n_peers; i++)
		if (convert_name_is_address(&w->c->peers[i]))
			convert_name_number(&w->peers, w->c->peers[i].name, "peer", i + 1);
	return 0;
}

static int name_rest(struct work *w, struct err *e)
{
	const struct cfg *c = w->c;
	const char *name;
	int rc = 0;

	for (size_t i = 0; i < c->n_bgp_advs && rc == 0; i++)
		if (!c->bgp_advs[i].implicit)
			rc = convert_name_take(&w->bgp_advs, c->bgp_advs[i].name,
					       resource_name_valid(c->bgp_advs[i].name), &name, e);
	for (size_t i = 0; i < c->n_l2_advs && rc == 0; i++)
		if (!c->l2_advs[i].implicit)
			rc = convert_name_take(&w->l2_advs, c->l2_advs[i].name,
					       resource_name_valid(c->l2_advs[i].name), &name, e);
	for (size_t i = 0; i < c->n_bfd_profiles && rc == 0; i++)
		rc = convert_name_take(&w->profiles, c->bfd_profiles[i].name,
				       resource_name_valid(c->bfd_profiles[i].name), &name, e);
	return rc;
}

static void set_secret(json_t *resource, const char *secret)
{
	json_t *spec = json_object_get(resource, "spec");

	json_object_del(spec, "password");
	json_object_set_new(spec, "passwordSecret", json_pack("{s:s}", "name", secret));
}

static void add_peer(struct work *w, const struct cfg_peer *p, const json_t *ours)
{
	json_t *o = json_copy((json_t *)(uintptr_t)ours);
	const char *name = convert_name_of(&w->peers, p->name);

	json_object_del(o, "name");
	json_object_set_new(o, "hold-time", json_string(DUR_TEXT(p->hold)));
	if (p->bfd)
		json_object_set_new(o, "bfd-profile",
				    json_string(convert_name_of(&w->profiles, p->bfd->name)));
	if (p->ttl == 1 && peer_is_external(p) && !p->ebgp_multihop)
		json_object_del(o, "ttl");
	if (cfg_peer_is_unnumbered(p))
		json_object_del(o, "interface"); /* of the spec, not ours */
	json_t *r = convert_resource(&convert_peer, w->namespace, name, o);
	if (cfg_peer_is_unnumbered(p))
		json_object_set_new(json_object_get(r, "spec"), "interface",
				    json_string(p->interface));
	if (p->password_secret)
		set_secret(r, p->password_secret);
	converted_add(w->out, r, NULL);
	json_decref(o);
}

/* A legacy peer is sent packets of any TTL, a BGPPeer of another AS those of one hop. */
static void note_ttl(struct work *w)
{
	for (size_t i = 0; i < w->c->n_peers; i++) {
		const struct cfg_peer *p = &w->c->peers[i];

		if (p->ttl || p->ttl_security || p->ebgp_multihop || cfg_peer_is_internal(p))
			continue;
		converted_note(w->out,
			       "A BGPPeer of another AS has to be on the same network; a peer "
			       "beyond a router needs ebgpMultiHop: true.");
		return;
	}
}

static void note_passwords(struct work *w)
{
	for (size_t i = 0; i < w->c->n_peers; i++)
		if (w->c->peers[i].password && !w->c->peers[i].password_secret) {
			converted_note(w->out, "Passwords stand here in the open; passwordSecret "
					       "refers to a Secret.");
			return;
		}
}

static void add_peers(struct work *w)
{
	for (size_t i = 0; i < w->c->n_peers; i++)
		add_peer(w, &w->c->peers[i], json_array_get(json_object_get(w->doc, "peers"), i));
	note_ttl(w);
	note_passwords(w);
}

static void add_pool(struct work *w, const struct cfg_pool *p, const json_t *ours)
{
	json_t *o = json_copy((json_t *)(uintptr_t)ours);
	json_t *labels = json_incref(json_object_get(o, "labels"));

	json_object_del(o, "name");
	json_object_del(o, "protocol");
	json_object_del(o, "labels");
	json_object_del(o, "bgp-advertisements");
	json_t *r = convert_resource(&convert_pool, w->namespace,
				     convert_name_of(&w->pools, p->name), o);
	if (labels)
		json_object_set_new(json_object_get(r, "metadata"), "labels", labels);
	converted_add(w->out, r, NULL);
	json_decref(o);
}

static void add_pools(struct work *w)
{
	for (size_t i = 0; i < w->c->n_pools; i++)
		add_pool(w, &w->c->pools[i],
			 json_array_get(json_object_get(w->doc, "address-pools"), i));
}

/* Every pool becomes one that any advertisement may be for; so those that were not for all say
 * which. */
static json_t *target_names(struct work *w, const struct cfg_targets *t,
			    const struct cfg_pools *pools)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->pools.n; i++)
		json_array_append_new(list, json_string(t->pools.v[i]));
	for (size_t i = 0; i < pools->n; i++)
		json_array_append_new(list, json_string(pools->v[i]->name));
	convert_names_in(&w->pools, list);
	return list;
}

static bool targets_are_names(const struct cfg_targets *t)
{
	return t->pools.n && !t->selectors.n;
}

/* False where there is nothing that it is for. */
static bool set_targets(struct work *w, json_t *o, bool implicit, const struct cfg_targets *t,
			const struct cfg_pools *pools)
{
	bool by_name = implicit || w->own_pools || targets_are_names(t);
	json_t *names = by_name ? target_names(w, t, pools) : NULL;

	if (by_name) {
		json_object_del(o, "address-pool-selectors");
		json_object_set_new(o, "address-pools", names);
		return json_array_size(names) > 0;
	}
	json_t *written = json_deep_copy(json_object_get(o, "address-pools"));
	convert_names_in(&w->pools, written);
	if (written)
		json_object_set_new(o, "address-pools", written);
	return true;
}

static void note_unused(struct work *w, const char *name)
{
	converted_note(w->out,
		       work_text(w, "Advertisement '%s' is left out: it is for no pool.", name));
}

static bool internal_hears(const struct cfg *c, const struct cfg_bgp_adv *a)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		const struct cfg_peer *p = &c->peers[i];
		bool hears = a->peers.n == 0;

		for (size_t j = 0; j < a->peers.n; j++)
			hears |= strcmp(a->peers.v[j], p->name) == 0;
		if (hears && cfg_peer_is_internal(p))
			return true;
	}
	return false;
}

/* The text of a large community that @written stands for, or NULL. */
static const char *large_of(const struct work *w, const char *written,
			    char buf[static LARGE_COMMUNITY_TEXT_MAX])
{
	const struct cfg_alias *alias = map_get(w->large, written);

	if (alias)
		return large_community_format(&alias->large, buf);
	return text_starts_with(written, "large:") ? written + strlen("large:") : NULL;
}

/* As they were written, then the large ones that only our own document has a key for. */
static json_t *adv_communities(const struct work *w, const struct cfg_bgp_adv *a)
{
	CLEANUP(map_freep) struct map *said = map_new();
	CLEANUP(map_freep) struct map *seen = map_new();
	json_t *list = json_array();
	char buf[LARGE_COMMUNITY_TEXT_MAX];

	for (size_t i = 0; i < a->written.n; i++) {
		const char *large = large_of(w, a->written.v[i], buf);

		convert_append_once(list, seen, a->written.v[i]);
		if (large)
			map_put(said, large, (void *)a);
	}
	for (size_t i = 0; i < a->n_large_communities; i++) {
		const char *text = large_community_format(&a->large_communities[i], buf);

		if (!map_get(said, text))
			json_array_append_new(list, json_sprintf("large:%s", text));
	}
	return list;
}

/* localPref: 0 would be none: a 0 that somebody wrote, or that a peer would hear, is ours. */
static bool wants_zero(const struct cfg *c, const struct cfg_bgp_adv *a)
{
	return a->has_local_pref && !a->local_pref && (!a->implicit || internal_hears(c, a));
}

static void add_bgp_adv(struct work *w, const struct cfg_bgp_adv *a, const json_t *ours,
			const char *name)
{
	json_t *o = json_copy((json_t *)(uintptr_t)ours);

	json_object_del(o, "name");
	json_object_del(o, "large-communities");
	json_object_set_new(o, "communities", adv_communities(w, a));
	if (!json_array_size(json_object_get(o, "communities")))
		json_object_del(o, "communities");
	if (!a->local_pref)
		json_object_del(o, "localpref");
	json_t *peers = json_deep_copy(json_object_get(o, "peers"));
	convert_names_in(&w->peers, peers);
	if (peers)
		json_object_set_new(o, "peers", peers);
	if (set_targets(w, o, a->implicit, &a->targets, &a->pools)) {
		json_t *r = convert_resource(&convert_bgp_adv, w->namespace, name, o);

		if (wants_zero(w->c, a)) {
			json_t *zero = json_integer(0);

			convert_annotate(r, "localpref", zero);
			json_decref(zero);
		}
		converted_add(w->out, r, NULL);
	} else {
		note_unused(w, a->name);
	}
	json_decref(o);
}

static void add_bgp_advs(struct work *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->c->n_bgp_advs; i++) {
		const struct cfg_bgp_adv *a = &w->c->bgp_advs[i];
		const char *name = a->implicit && w->advs[i]
					   ? convert_name_number(&w->bgp_advs, a->name,
								 "bgpadvertisement", ++n)
					   : convert_name_of(&w->bgp_advs, a->name);

		if (w->advs[i])
			add_bgp_adv(w, a, w->advs[i], name);
	}
}

static void add_l2_adv(struct work *w, const struct cfg_l2_adv *a, const json_t *ours,
		       const char *name)
{
	json_t *o = ours ? json_deep_copy(ours) : json_object();

	json_object_del(o, "name");
	if (set_targets(w, o, a->implicit, &a->targets, &a->pools))
		converted_add(w->out, convert_resource(&convert_l2_adv, w->namespace, name, o),
			      NULL);
	else
		note_unused(w, a->name);
	json_decref(o);
}

static void add_l2_advs(struct work *w)
{
	const json_t *ours = json_object_get(w->doc, "l2-advertisements");
	size_t n = 0, standing = 0;

	for (size_t i = 0; i < w->c->n_l2_advs; i++) {
		const struct cfg_l2_adv *a = &w->c->l2_advs[i];

		if (!a->implicit)
			add_l2_adv(w, a, json_array_get(ours, standing++),
				   convert_name_of(&w->l2_advs, a->name));
		else if (a->pools.n)
			add_l2_adv(
				w, a, NULL,
				convert_name_number(&w->l2_advs, a->name, "l2advertisement", ++n));
	}
}

static void add_profiles(struct work *w)
{
	for (size_t i = 0; i < w->c->n_bfd_profiles; i++) {
		const char *name = w->c->bfd_profiles[i].name;
		json_t *o = json_copy(json_array_get(json_object_get(w->doc, "bfd-profiles"), i));

		json_object_del(o, "name");
		converted_add(w->out,
			      convert_resource(&convert_bfd_profile, w->namespace,
					       convert_name_of(&w->profiles, name), o),
			      NULL);
		json_decref(o);
	}
}

static const char *alias_resource(const struct cfg_alias *a)
{
	return a->resource ? a->resource : COMMUNITIES;
}

static int alias_cmp(const void *x, const void *y)
{
	const struct cfg_alias *a = *(const struct cfg_alias *const *)x;
	const struct cfg_alias *b = *(const struct cfg_alias *const *)y;
	int resources = strcmp(alias_resource(a), alias_resource(b));

	return resources ? resources : strcmp(a->name, b->name);
}

static json_t *alias_json(const struct cfg_alias *a)
{
	char buf[LARGE_COMMUNITY_TEXT_MAX];
	json_t *value = a->is_large
				? json_sprintf("large:%s", large_community_format(&a->large, buf))
				: json_string(community_format(a->value, buf));

	return json_pack("{s:s, s:o}", "name", a->name, "value", value);
}

/* One resource for each that gave a name, the names sorted. */
static void add_communities(struct work *w)
{
	const struct cfg *c = w->c;
	const struct cfg_alias **v =
		arena_new_n(w->out->arena, const struct cfg_alias *, c->n_aliases + 1);
	json_t *list = NULL;

	for (size_t i = 0; i < c->n_aliases; i++)
		v[i] = &c->aliases[i];
	qsort(v, c->n_aliases, sizeof(*v), alias_cmp);
	for (size_t i = 0; i < c->n_aliases; i++) {
		const char *name = alias_resource(v[i]);

		if (i == 0 || strcmp(alias_resource(v[i - 1]), name) != 0) {
			json_t *r = convert_envelope("metallb.io/v1beta1", "Community",
						     w->namespace, name);

			list = json_array();
			json_object_set_new(r, "spec", json_pack("{s:o}", "communities", list));
			converted_add(w->out, r, NULL);
		}
		json_array_append_new(list, alias_json(v[i]));
	}
}

static void add_secrets(struct work *w)
{
	CLEANUP(map_freep) struct map *done = map_new();

	for (size_t i = 0; i < w->c->n_peers; i++) {
		const struct cfg_peer *p = &w->c->peers[i];

		if (!p->password_secret || map_put(done, p->password_secret, (void *)p))
			continue;
		json_t *r = convert_envelope("v1", "Secret", w->namespace, p->password_secret);
		json_object_set_new(r, "type", json_string(BASIC_AUTH));
		json_object_set_new(r, "stringData", json_pack("{s:s}", "password", p->password));
		converted_add(w->out, r, NULL);
	}
}

static void rename_services(struct work *w, json_t *services)
{
	json_t *service;
	size_t i;

	json_array_foreach(services, i, service)
	{
		const char *pool = json_string_value(json_object_get(service, "address-pool"));

		if (pool)
			json_object_set_new(service, "address-pool",
					    json_string(convert_name_of(&w->pools, pool)));
	}
}

static void rename_networks(struct work *w, json_t *networks)
{
	json_t *network;
	size_t i;

	json_array_foreach(networks, i, network)
		convert_names_in(&w->peers, json_object_get(network, "peers"));
}

/* What no resource is for. */
static void add_rest(struct work *w, convert_text *text)
{
	static const char *const done[] = { "peers", "address-pools", "l2-advertisements",
					    "bgp-advertisements", "bfd-profiles" };

	for (size_t i = 0; i < ARRAY_LEN(done); i++)
		json_object_del(w->doc, done[i]);
	if (!json_object_size(w->doc))
		return;
	rename_services(w, json_object_get(w->doc, "services"));
	rename_networks(w, json_object_get(w->doc, "networks"));
	convert_selectors_of(w->doc);
	char *inner = text(w->doc);
	json_t *r = convert_envelope("v1", "ConfigMap", w->namespace, OWN_MAP);
	json_object_set_new(r, "data", json_pack("{s:s}", "config", inner));
	converted_add(w->out, r,
		      "What no resource is for: crier reads it from the ConfigMap of this name.");
	free(inner);
}

int convert_resources(const struct cfg *c, convert_text *text, struct converted *out, struct err *e)
{
	struct work w;

	work_init(&w, c, out);
	int rc = name_pools(&w, e);
	if (rc == 0)
		rc = name_peers(&w, e);
	if (rc == 0)
		rc = name_rest(&w, e);
	if (rc == 0) {
		add_peers(&w);
		add_pools(&w);
		add_bgp_advs(&w);
		add_l2_advs(&w);
		add_profiles(&w);
		add_communities(&w);
		add_secrets(&w);
		free(w.advs); /* they go with what is taken away below */
		w.advs = NULL;
		add_rest(&w, text);
	}
	work_fini(&w);
	if (rc < 0)
		converted_fini(out);
	return rc;
}
