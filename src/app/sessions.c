#include "app/sessions.h"

#include <string.h>

#include "app/peering.h"
#include "app/secret_file.h"
#include "base/log.h"

/* A table on its way to the packet thread, with the references that it holds. */
struct bfd_tickets {
	struct bfd_table table;
	struct bfd_target *targets;
	struct bfd_peer **peers;
	struct bfd_auth **auths; /* of the targets; NULL: none */
};

/* --- BGP --- */

static void log_note(const struct bgp_event *ev, bool sent)
{
	char words[BGP_NOTE_TEXT_MAX];

	log_event(LOG_WARN, sent ? "notificationSent" : "peerNotification",
		  sent ? "NOTIFICATION sent" : "NOTIFICATION received", KV_STR("peer", ev->peer),
		  KV_STR("notification", bgp_note_words(ev->note.code, ev->note.subcode, words)),
		  KV_STR("text", ev->note.text[0] ? ev->note.text : NULL));
}

static int bfd_hand_over(struct sessions *s, struct err *e);

/* Who watches an unnumbered peer has to know where it is. */
static void on_found(struct sessions *s, const struct bgp_event *ev)
{
	struct err e = { 0 };

	log_event(LOG_INFO, "peerFound", "an unnumbered peer was found", KV_STR("peer", ev->peer),
		  KV_STR("address", ev->reason));
	if (bfd_hand_over(s, &e) < 0)
		log_event(LOG_ERROR, "bfdNotApplied", "not every BFD session is configured",
			  KV_STR("error", e.text));
}

static void on_bgp(void *ctx, const struct bgp_event *ev)
{
	struct sessions *s = ctx;

	switch (ev->type) {
	case BGP_EVENT_UP:
		log_event(LOG_INFO, "sessionUp", "BGP session established",
			  KV_STR("peer", ev->peer));
		break;
	case BGP_EVENT_DOWN:
		log_event(LOG_WARN, "sessionDown", "BGP session lost", KV_STR("peer", ev->peer),
			  KV_STR("reason", ev->reason));
		break;
	case BGP_EVENT_FAILED:
		log_event(LOG_WARN, "sessionFailed", "BGP session not established",
			  KV_STR("peer", ev->peer), KV_STR("reason", ev->reason));
		break;
	case BGP_EVENT_STATE:
		log_event(LOG_DEBUG, "sessionState", "BGP session changed state",
			  KV_STR("peer", ev->peer), KV_STR("state", bgp_state_name(ev->to)));
		break;
	case BGP_EVENT_NOTIFICATION_SENT:
		log_note(ev, true);
		break;
	case BGP_EVENT_NOTIFICATION_RECEIVED:
		log_note(ev, false);
		break;
	case BGP_EVENT_FOUND:
		on_found(s, ev);
		break;
	case BGP_EVENT_LISTEN_FAILED:
		log_event(LOG_ERROR, "bgpListenFailed", "peers can't connect to us",
			  KV_STR("error", ev->reason));
		break;
	case BGP_EVENT_STOPPED:
		s->stopped = true;
		if (s->on_stopped)
			s->on_stopped(s->ctx);
		break;
	}
}

static void announce(void *ctx, const struct route_wish *wish)
{
	struct sessions *s = ctx;
	struct bgp_large *large = mem_new_n(struct bgp_large, wish->n_large_communities);
	struct err e = { 0 };

	for (size_t i = 0; i < wish->n_large_communities; i++)
		large[i] = (struct bgp_large){ wish->large_communities[i].global,
					       wish->large_communities[i].local1,
					       wish->large_communities[i].local2 };
	struct bgp_route_attrs attrs = {
		.origin = BGP_ORIGIN_IGP,
		.prepend = wish->as_path_prepend,
		.has_local_pref = wish->has_local_pref,
		.local_pref = wish->local_pref,
		.has_med = wish->has_med,
		.med = wish->med,
		.communities = wish->communities,
		.n_communities = wish->n_communities,
		.large = large,
		.n_large = wish->n_large_communities,
		.ext = wish->ext_communities,
		.n_ext = wish->n_ext_communities,
	};
	int status = bgp_speaker_route_set(s->bgp, wish->peer, &wish->prefix, &attrs, &e);

	/* A peer that does not run yet gets all its routes when it is added. */
	if (status < 0 && status != -ERR_NOT_FOUND)
		log_event(LOG_ERROR, "announceFailed", "a route cannot be announced",
			  KV_STR("peer", wish->peer), KV_STR("prefix", PREFIX_TEXT(&wish->prefix)),
			  KV_STR("error", e.text));
	free(large);
	if (s->on_route)
		s->on_route(s->ctx, &wish->prefix);
}

static void withdraw(void *ctx, const char *peer, const struct prefix *prefix)
{
	struct sessions *s = ctx;

	/* A peer that is gone has forgotten its routes already. */
	(void)!bgp_speaker_route_del(s->bgp, peer, prefix, NULL);
	if (s->on_route)
		s->on_route(s->ctx, prefix);
}

void sessions_route(struct sessions *s, const char *service, const struct plan_bgp *wanted,
		    size_t n)
{
	routes_set(s->routes, service, wanted, n);
}

static int peer_apply(struct sessions *s, const struct cfg_peer *p, struct err *e)
{
	struct peering peering;
	int change = peering_make(p, &peering, e);

	if (change == 0)
		change = bgp_speaker_peer_set(s->bgp, &peering.conf, e);
	peering_wipe(&peering);
	if (change < 0)
		return err_wrap(e, "peer %s", p->name);
	if (!p->bfd || !p->bfd_strict)
		(void)!bgp_speaker_hold(s->bgp, p->name, false, NULL, NULL);
	if (change == BGP_PEER_ADDED) {
		log_event(LOG_INFO, "peerAdded", "peer configured, starting BGP session",
			  KV_STR("peer", p->name));
		routes_replay(s->routes, p->name);
	}
	return 0;
}

static const struct cfg_peer *running_peer(const struct sessions *s, const char *name)
{
	const struct cfg_peer *p = cfg_peer_find(world_config(s->world), name);

	return p && plan_peer_runs(s->world, p, world_me(s->world)) ? p : NULL;
}

/* Peers of the speaker that are not wanted here any more. One at a time: deleting ends the walk. */
static bool peer_drop_one(struct sessions *s)
{
	struct bgp_peer_status st;

	for (size_t at = 0; bgp_speaker_next(s->bgp, &at, &st);) {
		if (running_peer(s, st.name))
			continue;
		bool configured = cfg_peer_find(world_config(s->world), st.name) != NULL;
		log_event(LOG_INFO, "peerRemoved", "peer deconfigured, closing BGP session",
			  KV_STR("peer", st.name),
			  KV_STR("reason",
				 configured ? "filteredByNodeSelector" : "removedFromConfig"));
		return bgp_speaker_peer_del(s->bgp, st.name);
	}
	return false;
}

/* --- BFD --- */

static void bfd_peer_unref(struct bfd_peer *b)
{
	if (--b->refs > 0)
		return;
	free(b->peer);
	free(b);
}

/* Unset while an unnumbered peer was not found. */
static struct addr addr_of(const struct sessions *s, const struct cfg_peer *p)
{
	struct bgp_peer_status st;

	if (addr_is_set(&p->addr) || !bgp_speaker_find(s->bgp, p->name, &st) ||
	    addr_is_unspecified(&st.addr))
		return p->addr;
	return st.addr;
}

static struct bfd_peer *bfd_peer_of(struct sessions *s, const struct cfg_peer *p)
{
	struct bfd_peer *b = map_get(s->bfd, p->name);

	if (!b) {
		b = mem_new(struct bfd_peer);
		b->peer = mem_strdup(p->name);
		b->id = ++s->next_bfd_id;
		b->refs = 1;
		b->added = loop_now(s->loop);
		(void)map_put(s->bfd, p->name, b);
	}
	b->addr = addr_of(s, p);
	return b;
}

static void bfd_forget_unwanted(struct sessions *s)
{
	const char *name;
	struct bfd_peer *b;

	MAP_EACH (s->bfd, name, b) {
		const struct cfg_peer *p = running_peer(s, name);

		if (!p || !p->bfd) {
			(void)map_del(s->bfd, b->peer);
			bfd_peer_unref(b);
		}
	}
}

static bool link_connects(const struct net_link *l, const struct addr *a)
{
	for (size_t i = 0; i < l->n_addrs; i++) {
		const struct prefix *net = &l->addrs[i].subnet;

		if (net->len < addr_bits(a) && prefix_contains(net, a))
			return true;
	}
	return false;
}

/* VRFs may have the same networks: only the links of the peer's own count. */
static const struct net_link *link_in_vrf(const struct sessions *s, const struct cfg_peer *p,
					  const struct net_link *vrf)
{
	const struct net_link *l;

	for (size_t at = 0; vrf && (l = net_links_next(s->links, &at));)
		if (l->master == vrf->ifindex && link_connects(l, &p->addr))
			return l;
	return NULL;
}

static const struct net_link *link_of(const struct sessions *s, const struct cfg_peer *p,
				      const struct net_link *vrf)
{
	const char *zone = peering_zone(p);

	if (zone)
		return net_links_by_name(s->links, zone);
	return p->vrf ? link_in_vrf(s, p, vrf) : net_links_connected(s->links, &p->addr);
}

/* One hop when the peer is on a network of ours (RFC 5881), else several (RFC 5883). In a VRF that
 * is not there nobody can be reached. */
static void target_place(const struct sessions *s, const struct cfg_peer *p, struct bfd_target *t)
{
	const struct net_link *vrf = p->vrf ? net_links_by_name(s->links, p->vrf) : NULL;
	const struct net_link *link = link_of(s, p, vrf);

	if (p->vrf)
		t->vrf = vrf ? (uint32_t)vrf->ifindex : INT32_MAX;
	t->ifindex = link ? (uint32_t)link->ifindex : 0;
	t->multihop = !link || (p->ebgp_multihop && !cfg_peer_is_internal(p));
	if (t->multihop)
		t->ifindex = 0;
}

/* Returns 0 with NULL where none is configured. */
static int auth_make(const struct cfg_bfd_profile *profile, struct bfd_auth **out, struct err *e)
{
	const struct cfg_bfd_auth *a = &profile->auth;
	struct bfd_auth_key keys[BFD_AUTH_KEYS_MAX] = { 0 };
	char secret[128];
	int status = 0;

	*out = NULL;
	if (a->type == CFG_BFD_AUTH_NONE)
		return 0;
	for (size_t i = 0; i < a->n_keys && status == 0; i++) {
		const char *text = a->keys[i].secret;

		if (!text)
			status =
				secret_file_read(a->keys[i].secret_file, secret, sizeof(secret), e);
		text = text ? text : secret;
		if (status == 0 && strlen(text) > bfd_auth_secret_max((enum bfd_auth_type)a->type))
			status = err_set(e, ERR_CONFIG, "the secret of key %u is too long",
					 a->keys[i].id);
		if (status < 0)
			break;
		keys[i].id = a->keys[i].id;
		keys[i].len = (uint8_t)strlen(text);
		memcpy(keys[i].secret, text, keys[i].len);
	}
	if (status == 0)
		status = bfd_auth_new((enum bfd_auth_type)a->type, keys, a->n_keys, out, e);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(keys, sizeof(keys));
	return status < 0 ? err_wrap(e, "BFD profile %s: authentication", profile->name) : 0;
}

static void target_fill(struct sessions *s, const struct cfg_peer *p, struct bfd_target *t,
			struct bfd_peer *b)
{
	*t = (struct bfd_target){
		.id = b->id,
		.peer = b->addr,
		.local = p->source,
		.min_ttl = p->bfd->min_ttl,
		.echo_us = p->bfd->echo ? p->bfd->echo_us : 0,
		.session = {
			.desired_min_tx_us = p->bfd->transmit_us,
			.required_min_rx_us = p->bfd->receive_us,
			.detect_mult = p->bfd->detect_mult,
			.passive = p->bfd->passive,
			.demand = p->bfd->demand,
			.required_min_echo_us = p->bfd->echo ? p->bfd->echo_us : 0,
			.hold_down = p->bfd->hold_down,
		},
		.status = &b->status,
	};
	target_place(s, p, t);
	b->multihop = t->multihop;
	b->detect_mult = p->bfd->detect_mult;
}

const char *sessions_bfd_place(const struct sessions *s, const struct bfd_peer *b)
{
	const struct cfg_peer *p = cfg_peer_find(world_config(s->world), b->peer);

	if (!p)
		return NULL;
	return p->vrf ? p->vrf : p->interface ? p->interface : p->zone;
}

/* Only packets that prove nothing, of sessions that are bound to a link, can be noted. */
static bool may_be_noted(const struct bfd_target *t)
{
	return t->ifindex && !t->session.auth && !t->session.demand;
}

static void choose_noted(struct sessions *s, struct bfd_target *v, size_t n)
{
	CLEANUP(mem_freep) struct fastpath_flow *flows = mem_new_n(struct fastpath_flow, n + 1);
	size_t n_flows = 0;

	for (size_t i = 0; i < n; i++)
		if (may_be_noted(&v[i]))
			flows[n_flows++] = (struct fastpath_flow){
				.ifindex = (int)v[i].ifindex,
				.packets_s = 1000000 / v[i].session.required_min_rx_us + 1,
			};
	fastpath_flows(s->fastpath, world_config(s->world)->bfd.fast_path, flows, n_flows,
		       s->links);
	for (size_t i = 0; i < n; i++)
		v[i].noted = may_be_noted(&v[i]) && fastpath_notes(s->fastpath, (int)v[i].ifindex);
}

/* Without its secret a session is none at all, rather than one that believes everybody. */
static int bfd_hand_over(struct sessions *s, struct err *e)
{
	const struct cfg *c = world_config(s->world);
	struct bfd_tickets *k = mem_new(struct bfd_tickets);
	int status = 0;

	bfd_forget_unwanted(s);
	k->targets = mem_new_n(struct bfd_target, c->n_peers);
	k->peers = mem_new_n(struct bfd_peer *, c->n_peers);
	k->auths = mem_new_n(struct bfd_auth *, c->n_peers);
	for (size_t i = 0; i < c->n_peers; i++) {
		const struct cfg_peer *p = &c->peers[i];

		if (!p->bfd || !running_peer(s, p->name))
			continue;
		struct bfd_peer *b = bfd_peer_of(s, p);

		if (!addr_is_set(&b->addr))
			continue;
		if (auth_make(p->bfd, &k->auths[k->table.n], e) < 0) {
			status = err_wrap(e, "peer %s", p->name);
			continue;
		}
		b->refs++;
		k->peers[k->table.n] = b;
		target_fill(s, p, &k->targets[k->table.n], b);
		k->targets[k->table.n].session.auth = k->auths[k->table.n];
		k->table.n++;
	}
	choose_noted(s, k->targets, k->table.n);
	k->table.v = k->targets;
	k->table.udp_only = c->bfd.raw_send == CFG_OFF;
	packet_set_real_time(s->packet, c->bfd.real_time != CFG_OFF);
	packet_set_bfd(s->packet, &k->table);
	return status;
}

void sessions_bfd_retired(struct sessions *s, const struct bfd_table *t)
{
	struct bfd_tickets *k =
		CONTAINER_OF((struct bfd_table *)(uintptr_t)t, struct bfd_tickets, table);

	(void)s;
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		bfd_peer_unref(k->peers[i]);
		bfd_auth_free(k->auths[i]);
	}
	free(k->targets);
	free(k->auths);
	free(k->peers);
	free(k);
}

static struct bfd_peer *bfd_by_id(const struct sessions *s, uint32_t id)
{
	const char *name;
	struct bfd_peer *b;

	MAP_EACH (s->bfd, name, b) {
		if (b->id == id)
			return b;
	}
	(void)name;
	return NULL;
}

/* A strict peer has no session while BFD is down (but when BFD was switched off, RFC 5882 §3.2). */
static void strict_hold(struct sessions *s, const char *peer, bool down)
{
	const struct cfg_peer *p = running_peer(s, peer);
	bool hold = down && p && p->bfd && p->bfd_strict;

	(void)!bgp_speaker_hold(s->bgp, peer, hold, "waits for BFD", NULL);
}

static void strict_apply(struct sessions *s)
{
	const char *name;
	struct bfd_peer *b;

	MAP_EACH (s->bfd, name, b) {
		strict_hold(s, name, b->heard != BFD_UP);
	}
}

void sessions_on_bfd(struct sessions *s, const struct bfd_event *ev)
{
	struct bfd_peer *b = bfd_by_id(s, ev->id);
	const struct bfd_change *c = &ev->change;

	if (!b)
		return;
	b->heard = c->new_state;
	if (c->new_state == BFD_UP) {
		log_event(LOG_INFO, "bfdUp", "BFD session up", KV_STR("peer", b->peer));
		strict_hold(s, b->peer, false);
		(void)!bgp_speaker_peer_admin(s->bgp, b->peer, BGP_ADMIN_RETRY, NULL, NULL);
		return;
	}
	if (c->old_state != BFD_UP)
		return;
	log_event(LOG_WARN, "bfdDown", "BFD session down", KV_STR("peer", b->peer),
		  KV_STR("diagnostic", bfd_diag_name(c->local_diag)),
		  KV_STR("remoteState", bfd_state_name(c->remote_state)));
	/* An operator took BFD down, not the path: BGP goes on (RFC 5882 §3.2). */
	if (c->new_state == BFD_ADMIN_DOWN || c->remote_state == BFD_ADMIN_DOWN)
		return;
	(void)!bgp_speaker_peer_down(s->bgp, b->peer, BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN,
				     bfd_diag_name(c->local_diag), NULL);
	strict_hold(s, b->peer, true);
}

#define LOAD(field) atomic_load_explicit(&(field), memory_order_relaxed)

void sessions_reconcile(struct sessions *s)
{
	const char *name;
	struct bfd_peer *b;

	MAP_EACH (s->bfd, name, b) {
		const struct bfd_event ev = {
			.id = b->id,
			.change = {
				.old_state = b->heard,
				.new_state = LOAD(b->status.state),
				.remote_state = LOAD(b->status.remote_state),
				.local_diag = LOAD(b->status.local_diag),
				.remote_diag = LOAD(b->status.remote_diag),
				.at = loop_now(s->loop),
			},
		};

		if (ev.change.old_state != ev.change.new_state)
			sessions_on_bfd(s, &ev);
	}
	(void)name;
}

/* --- by hand --- */

int sessions_peer_admin(const struct sessions *s, const char *name, const char *action,
			const char *text, struct err *e)
{
	static const struct {
		const char *word;
		enum bgp_admin what;
	} actions[] = {
		{ "down", BGP_ADMIN_DOWN },
		{ "up", BGP_ADMIN_UP },
		{ "reset", BGP_ADMIN_RESET },
		{ "refresh", BGP_ADMIN_REFRESH },
	};

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(action, actions[i].word) != 0)
			continue;
		int status = bgp_speaker_peer_admin(s->bgp, name, actions[i].what, text, e);

		if (status == 0)
			log_event(LOG_INFO, "peerAdmin", "a peer was acted on by hand",
				  KV_STR("peer", name), KV_STR("action", action),
				  KV_STR("text", text));
		return status;
	}
	return err_set(e, ERR_PROTOCOL, "peer: '%.60s' is none of down, up, reset, refresh",
		       action);
}

/* --- both --- */

int sessions_init(struct sessions *s, struct loop *loop, const struct world *world,
		  struct net_links *links, struct err *e)
{
	*s = (struct sessions){ .loop = loop, .world = world, .links = links };
	struct bgp_speaker_conf conf = { .node = world_me(world), .on_event = on_bgp, .ctx = s };

	if (bgp_speaker_new(loop, &conf, &s->bgp, e) < 0)
		return -(int)e->kind;
	s->routes = routes_new(
		&(struct routes_sink){ .ctx = s, .announce = announce, .withdraw = withdraw });
	s->bfd = map_new();
	return 0;
}

void sessions_attach(struct sessions *s, struct packet *packet, struct fastpath *fastpath)
{
	s->packet = packet;
	s->fastpath = fastpath;
}

void sessions_fini(struct sessions *s)
{
	const char *name;
	struct bfd_peer *b;

	s->routes = routes_free(s->routes);
	s->bgp = bgp_speaker_free(s->bgp);
	if (!s->bfd)
		return;
	MAP_EACH (s->bfd, name, b) {
		bfd_peer_unref(b);
	}
	(void)name;
	s->bfd = map_free(s->bfd);
}

int sessions_apply(struct sessions *s, struct err *e)
{
	const struct cfg *c = world_config(s->world);
	int status = 0;

	bgp_speaker_listen(s->bgp,
			   &(struct bgp_listen_conf){ c->bgp.listen.addr, c->bgp.listen.port });
	while (peer_drop_one(s))
		;
	for (size_t i = 0; i < c->n_peers; i++)
		if (plan_peer_runs(s->world, &c->peers[i], world_me(s->world)) &&
		    peer_apply(s, &c->peers[i], e) < 0)
			status = -ERR_CONFIG;
	int bfd = bfd_hand_over(s, e);
	strict_apply(s);
	return status ? status : bfd;
}

void sessions_shutdown(struct sessions *s, bool restart, const char *why)
{
	bgp_speaker_shutdown(s->bgp, restart, why);
}
