#include "app/rivals.h"

#include <inttypes.h>
#include <string.h>

#include "app/json.h"
#include "base/log.h"
#include "base/map.h"
#include "net/neigh.h"

/* Members that move from card to card without end are no members. */
enum { KNOWN_MAX = 1024, ADDRS_OF_ONE = 32 };

/* Longer than the packet thread waits before it asks again for what it left to a member. */
#define HEARD_FOR DUR_S(30)

/* Two members that hear each other have settled it by then. */
#define STUBBORN DUR_S(15)

struct known {
	struct mac mac;
	char *node;
	struct mono heard_since;
	struct mono heard_until; /* MONO_NEVER: it is not heard */
};

struct rivals {
	struct rivals_hooks hooks;
	struct map *known; /* struct mac -> struct known */
	struct loop_timer quiet;
};

static void went_quiet(struct loop_timer *t, struct mono now)
{
	struct rivals *r = CONTAINER_OF(t, struct rivals, quiet);
	struct mono next = MONO_NEVER;
	const char *key;
	struct known *k;

	MAP_EACH (r->known, key, k) {
		if (!mono_before(now, k->heard_until)) {
			k->heard_until = MONO_NEVER;
			r->hooks.heard(r->hooks.ctx, k->node, false);
		}
		next = mono_min(next, k->heard_until);
	}
	(void)key;
	loop_timer_set(t, next);
}

struct rivals *rivals_new(struct loop *loop, const struct rivals_hooks *hooks)
{
	struct rivals *r = mem_new(struct rivals);

	r->hooks = *hooks;
	r->known = map_new();
	loop_timer_init(&r->quiet, loop, went_quiet);
	return r;
}

/* Told each time: what was heard while nobody doubted that it lives, does not count later. */
static void is_heard(struct rivals *r, struct known *k)
{
	if (mono_is_never(k->heard_until))
		k->heard_since = loop_now(r->quiet.loop);
	k->heard_until = mono_add(loop_now(r->quiet.loop), HEARD_FOR);
	if (!loop_timer_active(&r->quiet))
		loop_timer_set(&r->quiet, k->heard_until);
	r->hooks.heard(r->hooks.ctx, k->node, true);
}

static void known_free(void *value)
{
	struct known *k = value;

	free(k->node);
	free(k);
}

struct rivals *rivals_free(struct rivals *r)
{
	if (!r)
		return NULL;
	loop_timer_stop(&r->quiet);
	map_clear(r->known, known_free);
	map_free(r->known);
	free(r);
	return NULL;
}

bool rivals_know(struct rivals *r, const struct mac *mac, const char *node)
{
	struct known *k = map_get_bytes(r->known, mac, sizeof(*mac));

	if (k && strcmp(k->node, node) == 0)
		return false;
	if (!k && map_len(r->known) == KNOWN_MAX)
		return false;
	if (!k) {
		k = mem_new(struct known);
		k->mac = *mac;
		k->heard_until = MONO_NEVER;
		(void)map_put_bytes(r->known, mac, sizeof(*mac), k);
	}
	free(k->node);
	k->node = mem_strdup(node);
	return true;
}

bool rivals_next(const struct rivals *r, size_t *at, struct mac *mac, const char **node)
{
	const char *key;
	void *value;

	if (!map_next(r->known, at, &key, &value))
		return false;
	const struct known *k = value;

	*mac = k->mac;
	*node = k->node;
	return true;
}

static const char *node_of(const struct rivals *r, const struct mac *mac)
{
	const struct known *k = map_get_bytes(r->known, mac, sizeof(*mac));

	return k ? k->node : NULL;
}

/* Ask the kernel whose it is. */
static bool look_up(struct rivals *r, const struct mac *mac)
{
	struct addr addrs[ADDRS_OF_ONE];
	size_t n = neigh_addrs(mac, addrs, ARRAY_LEN(addrs));

	for (size_t i = 0; i < n; i++) {
		const char *node = r->hooks.member_at(r->hooks.ctx, &addrs[i]);

		if (node)
			return rivals_know(r, mac, node);
	}
	return false;
}

static const char *link_name(const struct net_links *links, int ifindex)
{
	const struct net_link *link = net_links_by_index(links, ifindex);

	return link ? link->name : "";
}

static const char *our_mac(const struct net_links *links, int ifindex, char out[MAC_TEXT_MAX])
{
	const struct net_link *link = net_links_by_index(links, ifindex);

	return link && link->has_mac ? mac_format(&link->mac, out) : "";
}

static const char *const outcomes[] = {
	[L2_VERDICT_NONE] = "none", [L2_VERDICT_KEPT] = "kept", [L2_VERDICT_YIELDED] = "yielded",
	[L2_VERDICT_WON] = "won",   [L2_VERDICT_LOST] = "lost",
};

bool rivals_conflict(struct rivals *r, const struct l2_event *ev, const struct net_links *links)
{
	bool member = ev->verdict == L2_VERDICT_WON || ev->verdict == L2_VERDICT_LOST;
	bool found = !member && look_up(r, &ev->mac);
	char ours[MAC_TEXT_MAX];
	struct known *k = map_get_bytes(r->known, &ev->mac, sizeof(ev->mac));

	if (k)
		is_heard(r, k);
	log_event(member || found ? LOG_INFO : LOG_WARN, "addressConflict",
		  "another machine claims an address of this node",
		  KV_STR("ip", ADDR_TEXT(&ev->addr)),
		  KV_STR("interface", link_name(links, ev->ifindex)),
		  KV_STR("mac", MAC_TEXT(&ev->mac)),
		  KV_STR("ourMac", our_mac(links, ev->ifindex, ours)),
		  KV_STR("node", node_of(r, &ev->mac)), KV_STR("outcome", outcomes[ev->verdict]));
	return found;
}

static bool is_news(const struct l2_address_stats *stats, struct mono now)
{
	if (stats->hold == L2_HOLD_MEMBER || stats->hold == L2_HOLD_STRANGER)
		return true;
	return stats->rival_at &&
	       mono_before(now, mono_add((struct mono){ (int64_t)stats->rival_at }, RIVALS_NEWS));
}

void rivals_json(const struct rivals *r, const struct l2_address_stats *stats,
		 const struct net_links *links, struct mono now, json_t *item)
{
	struct mac mac = l2_mac_unpack(stats->rival);

	json_set_u64(item, "conflicts", stats->conflicts);
	if (!is_news(stats, now))
		return;
	json_set_text(item, "conflict-mac", MAC_TEXT(&mac));
	json_set_text(item, "conflict-node", node_of(r, &mac));
	json_set_text(item, "conflict-link", link_name(links, (int)stats->rival_ifindex));
	json_set_text(item, "conflict-outcome", outcomes[stats->verdict]);
	json_set_text(item, "conflict-at", JSON_TIME(((struct mono){ (int64_t)stats->rival_at })));
}

/* Among members ranking decides, and nothing is to be done, unless one goes on claiming: then gossip does not reach it. */
static bool is_settled(const struct rivals *r, const struct l2_address_stats *stats,
		       struct dur since, struct mono now)
{
	struct mac mac = l2_mac_unpack(stats->rival);
	const struct known *k = map_get_bytes(r->known, &mac, sizeof(mac));
	/* The packet thread may have judged before anybody knew that it was a member. */
	bool ranked = stats->verdict == L2_VERDICT_WON || stats->verdict == L2_VERDICT_LOST ||
		      (k && stats->hold != L2_HOLD_STRANGER);
	bool goes_on = k && !mono_is_never(k->heard_until) &&
		       mono_sub(now, k->heard_since).ns >= STUBBORN.ns && since.ns < STUBBORN.ns;

	return ranked && !goes_on;
}

char *rivals_problem(const struct rivals *r, const struct l2_address_stats *stats,
		     const struct net_links *links, struct mono now)
{
	struct dur since = mono_sub(now, (struct mono){ (int64_t)stats->rival_at });
	struct mac mac = l2_mac_unpack(stats->rival);
	const char *node = node_of(r, &mac);

	if (!is_news(stats, now) || is_settled(r, stats, since, now))
		return NULL;
	return mem_printf("%s%s%s on %s claims it too, last %" PRId64 " s ago; this node %s",
			  MAC_TEXT(&mac), node ? " of " : "", node ? node : "",
			  link_name(links, (int)stats->rival_ifindex), dur_ms(since) / 1000,
			  stats->hold == L2_HOLD_NONE ? "goes on answering for it"
						      : "leaves it to that machine");
}
