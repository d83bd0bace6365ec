/* The rules between peers and BFD profiles. */
#include <string.h>

#include "config/loader.h"
#include "config/resource.h"
#include "config/tree.h"

void resolve_bfd(struct loader *l)
{
	CLEANUP(map_freep) struct map *names = map_new();
	struct cfg_bfd_profile *v = arena_new_n(l->arena, struct cfg_bfd_profile, l->n_bfds);
	size_t n = 0;

	for (size_t i = 0; i < l->n_bfds; i++) {
		struct raw_bfd *raw = l->bfds[i];
		const struct raw_bfd *first = raw->c.name ? map_put(names, raw->c.name, raw) : NULL;

		if (first) {
			struct place at = place_name(raw->at);
			struct issue *is = load_error(l, &at, "names are unique",
						      "a second BFD profile '%.60s'", raw->c.name);
			issue_other(&l->issues, is, place_name(first->at).at);
		}
		v[n++] = raw->c;
	}
	l->cfg->bfd_profiles = v;
	l->cfg->n_bfd_profiles = n;
}

/* Link-local, or found on its link. */
static bool is_on_link_alone(const struct addr *a)
{
	return !addr_is_set(a) || (a->family == FAMILY_V6 && addr_is_link_local(a));
}

static void peer_profile(struct loader *l, struct raw_peer *raw, const struct map *profiles,
			 const char *const *names, size_t n_names)
{
	if (!raw->bfd_profile || !*raw->bfd_profile)
		return;
	raw->c.bfd = map_get(profiles, raw->bfd_profile);
	if (raw->c.bfd) {
		struct place at = place_field(raw->at, "bfd-profile");

		if (raw->c.bfd->echo && is_on_link_alone(&raw->c.addr))
			load_warning(l, &at, "control packets detect a loss all the same",
				     "no echo packets are sent to link-local peers: routers do not "
				     "send them back");
		return;
	}
	struct place at = place_either(raw->at, "bfd-profile", "bfdProfile");
	const char *base = unmarked(l, raw->bfd_profile);
	const char *hint = load_nearest(l, base ? base : raw->bfd_profile, names, n_names);
	load_error(l, &at,
		   hint				 ? hint
		   : raw->c.format == CFG_LEGACY ? "define it in bfd-profiles"
						 : "add a BFDProfile of this name",
		   "there is no BFD profile '%.60s'", raw->bfd_profile);
}

static void peers_profiles(struct loader *l)
{
	CLEANUP(map_freep) struct map *profiles = map_new();
	const struct cfg *c = l->cfg;
	const char **names = arena_new_n(l->scratch, const char *, c->n_bfd_profiles);
	size_t n = 0;

	for (size_t i = 0; i < c->n_bfd_profiles; i++)
		if (c->bfd_profiles[i].name) {
			names[n++] = c->bfd_profiles[i].name;
			map_put(profiles, c->bfd_profiles[i].name, (void *)&c->bfd_profiles[i]);
		}
	for (size_t i = 0; i < l->n_peers; i++)
		peer_profile(l, l->peers[i], profiles, names, n);
}

/* A peer's settings as text, all but its name. */
static const char *peer_settings(struct loader *l, const struct cfg_peer *p)
{
	struct cfg_peer nameless = *p;

	nameless.name = "";
	json_t *tree = tree_peer(&nameless, true);
	char *text = json_dumps(tree, JSON_COMPACT);
	const char *settings = arena_strdup(l->scratch, text);
	free(text);
	json_decref(tree);
	return settings;
}

/* Two peers with the same settings are one that was pasted twice; a name alone makes no
 * difference. */
static void peers_equal(struct loader *l)
{
	CLEANUP(map_freep) struct map *seen = map_new();

	for (size_t i = 0; i < l->n_peers; i++) {
		struct raw_peer *raw = l->peers[i];

		if (!addr_is_set(&raw->c.addr) && !raw->c.interface)
			continue;
		const struct raw_peer *first = map_put(seen, peer_settings(l, &raw->c), raw);
		if (first) {
			struct issue *is = load_error(l, raw->at, "remove one of them",
						      "this peer already exists");
			issue_other(&l->issues, is, first->at->at);
		}
	}
}

static void peers_names_given(struct loader *l, struct map *names)
{
	for (size_t i = 0; i < l->n_peers; i++) {
		struct raw_peer *raw = l->peers[i];
		const struct raw_peer *first =
			raw->c.name ? map_put(names, raw->c.name, raw) : NULL;

		if (first) {
			struct place at = place_name(raw->at);
			struct issue *is = load_error(l, &at, "names are unique",
						      "a second peer '%.60s'", raw->c.name);
			issue_other(&l->issues, is, place_name(first->at).at);
		}
	}
}

static const char *peer_address_text(struct loader *l, const struct cfg_peer *p)
{
	if (cfg_peer_is_unnumbered(p))
		return p->interface;
	return arena_printf(l->scratch, "%s%s%s", ADDR_TEXT(&p->addr), p->zone ? "%" : "",
			    p->zone ? p->zone : "");
}

/* "192.0.2.1:179", and for a further session to the same port "192.0.2.1:179#2". */
static const char *peer_long_name(struct loader *l, const struct cfg_peer *p, const char *address,
				  const struct map *names, struct map *counts)
{
	bool v6 = p->addr.family == FAMILY_V6;
	const char *base = arena_printf(l->scratch, "%s%s%s:%u", v6 ? "[" : "", address,
					v6 ? "]" : "", p->port);
	uintptr_t i = (uintptr_t)map_get(counts, base) + 1;
	const char *name = i == 1 ? base : arena_printf(l->scratch, "%s#%zu", base, (size_t)i);

	for (; map_get(names, name); i++) /* taken by a name that somebody chose */
		name = arena_printf(l->scratch, "%s#%zu", base, (size_t)i + 1);
	map_put(counts, base, (void *)i);
	return arena_strdup(l->arena, name);
}

/* Peers without a name go by their address, with the port where that does not tell two apart. */
static void peers_names_default(struct loader *l, struct map *names)
{
	CLEANUP(map_freep) struct map *addresses = map_new();
	CLEANUP(map_freep) struct map *counts = map_new();

	for (size_t i = 0; i < l->n_peers; i++) {
		const char *address = peer_address_text(l, &l->peers[i]->c);
		uintptr_t count = (uintptr_t)map_get(addresses, address);

		if (!l->peers[i]->c.name)
			map_put(addresses, address, (void *)(count + 1));
	}
	for (size_t i = 0; i < l->n_peers; i++) {
		struct raw_peer *raw = l->peers[i];
		const char *address = peer_address_text(l, &raw->c);
		bool alone = (uintptr_t)map_get(addresses, address) == 1;

		if (raw->c.name)
			continue;
		raw->c.name = alone && !map_get(names, address)
				      ? arena_strdup(l->arena, address)
				      : peer_long_name(l, &raw->c, address, names, counts);
		map_put(names, raw->c.name, raw);
	}
}

/* What is said about BGP as a whole holds for each session that says nothing itself. */
static void peers_defaults(struct loader *l)
{
	for (size_t i = 0; i < l->n_peers; i++) {
		struct cfg_peer *c = &l->peers[i]->c;

		if (!addr_is_set(&c->router_id))
			c->router_id = l->cfg->bgp.router_id;
		if (!c->restart_given)
			c->restart = l->cfg->bgp.restart;
		c->long_lived = l->cfg->bgp.long_lived;
	}
}

/* Whether such a peer could reach where we listen. */
static bool is_listened_for(const struct cfg *c, const struct cfg_peer *p)
{
	const struct addr any6 = { .family = FAMILY_V6 };
	uint8_t family = cfg_peer_is_unnumbered(p) ? FAMILY_V6 : p->addr.family;

	return c->bgp.listen.port &&
	       (c->bgp.listen.addr.family == family || addr_eq(&c->bgp.listen.addr, &any6));
}

static void peers_passive(struct loader *l)
{
	for (size_t i = 0; i < l->n_peers; i++) {
		const struct raw_peer *raw = l->peers[i];

		if (raw->c.passive && (addr_is_set(&raw->c.addr) || raw->c.interface) &&
		    !is_listened_for(l->cfg, &raw->c))
			load_warning(
				l, raw->at, "write bgp: {listen: \"[::]:179\"}",
				"a passive peer can't connect: nothing listens for its address");
	}
}

void resolve_peers(struct loader *l)
{
	CLEANUP(map_freep) struct map *names = map_new();
	struct cfg_peer *v = arena_new_n(l->arena, struct cfg_peer, l->n_peers);

	peers_profiles(l);
	peers_defaults(l);
	peers_passive(l);
	peers_equal(l);
	peers_names_given(l, names);
	peers_names_default(l, names);
	for (size_t i = 0; i < l->n_peers; i++)
		v[i] = l->peers[i]->c;
	l->cfg->peers = v;
	l->cfg->n_peers = l->n_peers;
}
