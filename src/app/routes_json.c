/* What people see of routes: page by page. */
#include <stdlib.h>
#include <string.h>

#include "app/byhand.h"
#include "app/json.h"
#include "app/route_line.h"
#include "app/sessions.h"
#include "config/community.h"

enum {
	PAGE_ITEMS = 200,
	PAGE_PLACES = 4000, /* looked at for one page: with few routes in a large table */
};

static const char *route_state(const struct bgp_route_status *r)
{
	if (r->silent)
		return "silent";
	if (r->pending)
		return "pending";
	return r->sent ? "announced" : "waiting";
}

static const char *route_origin(const struct bgp_route_status *r)
{
	if (!r->by_hand)
		return "service";
	return r->owner == BYHAND_NETWORKS ? "network" : "by-hand";
}

static json_t *communities_json(const struct bgp_route_attrs *a)
{
	json_t *all = json_array();

	for (size_t i = 0; i < a->n_communities; i++)
		json_array_append_new(all, json_sprintf("%u:%u", a->communities[i] >> 16,
							a->communities[i] & 0xffff));
	for (size_t i = 0; i < a->n_large; i++)
		json_array_append_new(all, json_sprintf("%u:%u:%u", a->large[i].global,
							a->large[i].local1, a->large[i].local2));
	for (size_t i = 0; i < a->n_ext; i++)
		json_array_append_new(all,
				      json_string(ext_community_format(
					      a->ext[i], (char[EXT_COMMUNITY_TEXT_MAX]){ 0 })));
	return all;
}

static json_t *path_json(const struct bgp_route_status *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->own_path; i++)
		json_array_append_new(all, json_integer(i ? r->own_as : r->first_as));
	for (size_t i = 0; i < r->attrs->n_as_path; i++)
		json_array_append_new(all, json_integer(r->attrs->as_path[i]));
	return all;
}

static json_t *route_json(const struct bgp_peer_status *peer, const struct bgp_route_status *r)
{
	json_t *item = json_item(PREFIX_TEXT(&r->prefix), route_state(r), peer->since);

	json_set_text(item, "peer", peer->name);
	json_set_text(item, "origin", route_origin(r));
	if (addr_is_set(&r->next_hop))
		json_set_text(item, "next-hop", ADDR_TEXT(&r->next_hop));
	if (r->has_local_pref)
		json_set_u64(item, "local-pref", r->local_pref);
	if (r->attrs->has_med)
		json_set_u64(item, "med", r->attrs->med);
	json_object_set_new(item, "as-path", path_json(r));
	json_object_set_new(item, "communities", communities_json(r->attrs));
	return item;
}

/* One prefix, to whomever it goes. */
static int one_prefix(const struct sessions *s, const char *text, const char *only, json_t *items,
		      struct err *e)
{
	struct bgp_peer_status peer;
	struct bgp_route_status route;
	struct prefix p;

	if (route_prefix_parse(text, &p, e) < 0)
		return -ERR_CONFIG;
	for (size_t at = 0; bgp_speaker_next(s->bgp, &at, &peer);)
		if ((!only || strcmp(only, peer.name) == 0) &&
		    bgp_speaker_route_find(s->bgp, peer.name, &p, &route))
			json_array_append_new(items, route_json(&peer, &route));
	if (json_array_size(items) == 0)
		return err_set(e, ERR_NOT_FOUND, "routes: %s is announced to nobody%s",
			       PREFIX_TEXT(&p), only ? " of that name" : "");
	return 0;
}

/* Where a walk stands: how many peers are done, and the place within the next one. */
struct walk {
	size_t peers;
	uint64_t place;
	size_t budget;
	const char *only;
	json_t *items;
};

/* False when the page is full before the peer is through. */
static bool walk_peer(const struct sessions *s, const struct bgp_peer_status *peer, struct walk *w)
{
	struct bgp_route_status route;

	if (w->only && strcmp(w->only, peer->name) != 0)
		return true;
	while (json_array_size(w->items) < PAGE_ITEMS && w->budget > 0)
		if (bgp_speaker_route_next(s->bgp, peer->name, &w->place, &w->budget, &route))
			json_array_append_new(w->items, route_json(peer, &route));
		else if (w->budget > 0)
			return true;
	return false;
}

/* "PEERS.PLACE", as the page before said; anything else is the beginning. */
static void walk_resume(struct walk *w, const char *page)
{
	char *end;

	if (!page)
		return;
	w->peers = strtoul(page, &end, 10);
	if (*end == '.')
		w->place = strtoull(end + 1, NULL, 10);
}

/* True at the end. */
static bool walk_page(const struct sessions *s, struct walk *w)
{
	struct bgp_peer_status peer;
	size_t n = 0;

	for (size_t at = 0; bgp_speaker_next(s->bgp, &at, &peer); n++) {
		if (n < w->peers)
			continue;
		if (!walk_peer(s, &peer, w))
			return false;
		w->peers++;
		w->place = 0;
	}
	return true;
}

static int all_routes(const struct sessions *s, const char *page, const char *only, json_t *data,
		      struct err *e)
{
	struct walk w = {
		.budget = PAGE_PLACES,
		.only = only,
		.items = json_object_get(data, "items"),
	};
	struct bgp_peer_status st;

	if (only && !bgp_speaker_find(s->bgp, only, &st))
		return err_set(e, ERR_NOT_FOUND, "there is no peer '%.60s' on this node", only);
	walk_resume(&w, page);
	if (!walk_page(s, &w))
		json_object_set_new(data, "next",
				    json_sprintf("%zu.%llu", w.peers, (unsigned long long)w.place));
	return 0;
}

int sessions_routes_page(const struct sessions *s, const json_t *args, json_t **data, struct err *e)
{
	const char *name = json_string_value(json_object_get(args, "name"));
	const char *peer = json_string_value(json_object_get(args, "peer"));
	const char *page = json_string_value(json_object_get(args, "page"));
	json_t *found = json_pack("{s:[]}", "items");
	int status = name ? one_prefix(s, name, peer, json_object_get(found, "items"), e)
			  : all_routes(s, page, peer, found, e);

	if (status < 0)
		json_decref(found);
	else
		*data = found;
	return status;
}
