#include "app/reach.h"

#include <string.h>

#include "app/json.h"
#include "base/log.h"

/* Bounds of what is said, so that it fits a datagram, and of what others may say. */
enum { SAID_MAX = 16, HEARD_MAX = 64 };

#define LOST_AT_LEAST DUR_S(1)

/** A link without a carrier counts as such until then, whatever it says meanwhile. */
struct held {
	int ifindex;
	struct mono until;
};

struct reach {
	struct reach_conf conf;
	struct held *held;
	size_t n_held, cap_held;
	struct loop_timer timer;
};

/* --- what we say --- */

static struct held *held_of(struct reach *r, int ifindex)
{
	for (size_t i = 0; i < r->n_held; i++)
		if (r->held[i].ifindex == ifindex)
			return &r->held[i];
	mem_grow(r->held, r->n_held, r->cap_held);
	r->held[r->n_held] = (struct held){ .ifindex = ifindex };
	return &r->held[r->n_held++];
}

/* Of links that are gone nothing is remembered. */
static void held_prune(struct reach *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_held; i++)
		if (net_links_by_index(r->conf.links, r->held[i].ifindex))
			r->held[kept++] = r->held[i];
	r->n_held = kept;
}

static bool has_carrier(struct reach *r, const struct net_link *link, struct mono now)
{
	struct held *h = held_of(r, link->ifindex);

	if (!link->up || !link->running)
		h->until = mono_add(now, LOST_AT_LEAST);
	return !mono_before(now, h->until);
}

static bool is_usable(const struct reach *r, const struct net_link *link)
{
	return layer2_suits(r->conf.layer2, link);
}

static bool is_named(const struct reach *r, const char *link)
{
	const struct cfg *c = world_config(r->conf.world);

	for (size_t i = 0; c && i < c->n_l2_advs; i++)
		for (size_t j = 0; j < c->l2_advs[i].interfaces.n; j++)
			if (strcmp(c->l2_advs[i].interfaces.v[j], link) == 0)
				return true;
	return false;
}

static void append(json_t *list, const char *text)
{
	if (json_array_size(list) < SAID_MAX)
		json_array_append_new(list, json_string(text));
}

static bool is_network(const struct net_addr *a)
{
	unsigned host = a->addr.family == FAMILY_V4 ? 32 : 128;

	return a->subnet.len < host && !addr_is_link_local(&a->addr);
}

static bool reaches(const struct net_link *link, const struct prefix *network)
{
	for (size_t i = 0; i < link->n_addrs; i++)
		if (is_network(&link->addrs[i]) && prefix_overlaps(&link->addrs[i].subnet, network))
			return true;
	return false;
}

static bool reached_elsewhere(struct reach *r, const struct prefix *network, struct mono now)
{
	const struct net_link *link;

	for (size_t at = 0; (link = net_links_next(r->conf.links, &at));)
		if (is_usable(r, link) && has_carrier(r, link, now) && reaches(link, network))
			return true;
	return false;
}

static void networks_lost(struct reach *r, const struct net_link *link, struct mono now,
			  json_t *lost)
{
	for (size_t i = 0; i < link->n_addrs; i++)
		if (is_network(&link->addrs[i]) &&
		    !reached_elsewhere(r, &link->addrs[i].subnet, now))
			append(lost, PREFIX_TEXT(&link->addrs[i].subnet));
}

static json_t *links_json(struct reach *r, struct mono now)
{
	json_t *up = json_array(), *down = json_array(), *lost = json_array(), *macs = json_array();
	const struct net_link *link;
	bool any = false;

	for (size_t at = 0; (link = net_links_next(r->conf.links, &at));) {
		if (!is_usable(r, link))
			continue;
		bool good = has_carrier(r, link, now);

		any |= good;
		if (is_named(r, link->name))
			append(good ? up : down, link->name);
		if (!good)
			networks_lost(r, link, now, lost);
		if (link->has_mac)
			append(macs, MAC_TEXT(&link->mac));
	}
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "any", any, "up", up, "down", down, "lost",
			 lost, "macs", macs);
}

static struct mono next_end(const struct reach *r, struct mono now)
{
	struct mono next = MONO_NEVER;

	for (size_t i = 0; i < r->n_held; i++)
		if (mono_before(now, r->held[i].until))
			next = mono_min(next, r->held[i].until);
	return next;
}

/* --- what is heard --- */

static const char **texts_of(const json_t *list, struct arena *a, size_t *n)
{
	const char **v = arena_new_n(a, const char *, HEARD_MAX);
	json_t *one;
	size_t i;

	*n = 0;
	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && *n < HEARD_MAX)
			v[(*n)++] = json_string_value(one);
	}
	return v;
}

static void networks_of(const json_t *list, struct arena *a, struct world_reach *out)
{
	struct prefix *v = arena_new_n(a, struct prefix, HEARD_MAX);
	size_t n;
	const char **texts = texts_of(list, a, &n);

	for (size_t i = 0; i < n; i++)
		if (prefix_parse(texts[i], &v[out->n_lost]) == 0)
			out->n_lost++;
	out->lost = v;
}

static void take_reach(struct reach *r, const char *node, const json_t *host)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct world_reach w = { .said = true, .any = json_is_true(json_object_get(host, "any")) };

	w.up.v = texts_of(json_object_get(host, "up"), a, &w.up.n);
	w.down.v = texts_of(json_object_get(host, "down"), a, &w.down.n);
	networks_of(json_object_get(host, "lost"), a, &w);
	world_node_reach(r->conf.world, node, &w);
}

static void take_macs(struct reach *r, const char *node, const json_t *list)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	size_t n;
	const char **texts = texts_of(list, a, &n);

	for (size_t i = 0; i < n; i++) {
		struct mac mac;

		if (mac_parse(texts[i], &mac) == 0)
			layer2_member_mac(r->conf.layer2, node, &mac);
	}
}

void reach_heard(struct reach *r, const char *node, const json_t *host)
{
	if (!host) {
		world_node_reach(r->conf.world, node, NULL);
		return;
	}
	take_reach(r, node, host);
	take_macs(r, node, json_object_get(host, "macs"));
}

void reach_joined(struct reach *r, const char *node)
{
	const json_t *host = share_host_of(r->conf.share, node);

	if (host)
		reach_heard(r, node, host);
}

/* --- the whole --- */

void reach_settle(struct reach *r)
{
	struct mono now = loop_now(r->conf.loop);
	json_t *host = links_json(r, now);

	take_reach(r, world_me(r->conf.world), host);
	share_host(r->conf.share, host);
	held_prune(r);
	loop_timer_set(&r->timer, next_end(r, now));
}

static void held_long_enough(struct loop_timer *t, struct mono now)
{
	(void)now;
	reach_settle(CONTAINER_OF(t, struct reach, timer));
}

struct reach *reach_new(const struct reach_conf *conf)
{
	struct reach *r = mem_new(struct reach);

	r->conf = *conf;
	loop_timer_init(&r->timer, conf->loop, held_long_enough);
	return r;
}

struct reach *reach_free(struct reach *r)
{
	if (!r)
		return NULL;
	loop_timer_stop(&r->timer);
	free(r->held);
	free(r);
	return NULL;
}
