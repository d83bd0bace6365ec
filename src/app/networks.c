#include "app/networks.h"

#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "app/json.h"

#define CHECK_PREFIX "network " /* no service has a name with a space */

struct network {
	const struct cfg_network *c; /* of the configuration in force */
	struct prefix prefix;
	uint64_t said;	  /* hash of what is announced */
	uint64_t applied; /* of what was configured last */
	bool announced;
	const char *reason; /* why it is not */
	struct mono since;
	uint32_t turn; /* the last configuration that had it */
};

struct networks {
	struct app *app;
	struct map *v;	       /* prefix -> struct network */
	struct network **list; /* in the order of the configuration */
	size_t n;
	uint32_t turn;
};

struct networks *networks_new(struct app *a)
{
	struct networks *n = mem_new(struct networks);

	n->app = a;
	n->v = map_new();
	return n;
}

struct networks *networks_free(struct networks *n)
{
	if (!n)
		return NULL;
	map_clear(n->v, free);
	map_free(n->v);
	free(n->list);
	free(n);
	return NULL;
}

/* The name of its health check, as long as the enclosing block. */
#define CHECK_NAME(net) \
	check_name(&(net)->prefix, (char[sizeof(CHECK_PREFIX) + PREFIX_TEXT_MAX]){ 0 })

static const char *check_name(const struct prefix *p, char *buf)
{
	memcpy(buf, CHECK_PREFIX, sizeof(CHECK_PREFIX));
	prefix_format(p, buf + sizeof(CHECK_PREFIX) - 1);
	return buf;
}

/* --- announcing --- */

static struct bgp_large *large_of(const struct cfg_bgp_adv *adv)
{
	struct bgp_large *v = mem_new_n(struct bgp_large, adv->n_large_communities);

	for (size_t i = 0; i < adv->n_large_communities; i++)
		v[i] = (struct bgp_large){ adv->large_communities[i].global,
					   adv->large_communities[i].local1,
					   adv->large_communities[i].local2 };
	return v;
}

static int announce(const struct networks *n, const struct network *net, struct err *e)
{
	const struct cfg_bgp_adv *adv = &net->c->adv;
	struct bgp_large *large = large_of(adv);
	const struct bgp_route_attrs attrs = {
		.origin = BGP_ORIGIN_IGP,
		.prepend = adv->as_path_prepend,
		.has_local_pref = adv->has_local_pref,
		.local_pref = adv->local_pref,
		.has_med = adv->has_med,
		.med = adv->med,
		.next_hop = net->c->next_hop,
		.communities = adv->communities,
		.n_communities = adv->n_communities,
		.large = large,
		.n_large = adv->n_large_communities,
		.ext = adv->ext_communities,
		.n_ext = adv->n_ext_communities,
	};
	const struct bgp_audience to = {
		.peers = adv->peers.v,
		.n_peers = adv->peers.n,
		.owner = BYHAND_NETWORKS,
		.to_come = true,
	};
	int status = bgp_speaker_announce(n->app->sessions.bgp, &net->prefix, &attrs, &to, e);

	free(large);
	return status;
}

static bool is_ours(const struct networks *n, const struct network *net)
{
	struct bgp_audience now;

	return bgp_speaker_by_hand(n->app->sessions.bgp, &net->prefix, &now) &&
	       now.owner == BYHAND_NETWORKS;
}

/* Somebody may have announced it by hand while it was silent: that is not ours to take back. */
static void withdraw(const struct networks *n, const struct network *net)
{
	if (is_ours(n, net))
		(void)!bgp_speaker_withdraw(n->app->sessions.bgp, &net->prefix, NULL);
}

/* NULL: nothing speaks against it here. */
static const char *silent_by_rule(const struct networks *n, const struct network *net)
{
	const struct selectors *nodes = &net->c->adv.node_selectors;
	const struct world_node *me = world_node(n->app->world, n->app->node);
	struct health_status st = { 0 };

	if (nodes->n && (!me || !selectors_match(nodes, &me->labels)))
		return "nodeNotSelected";
	if (net->c->health.kind == CFG_HEALTH_NONE)
		return NULL;
	if (!health_checker_status(n->app->health, CHECK_NAME(net), &st) || !st.healthy)
		return "healthCheck";
	return NULL;
}

static void say(const struct networks *n, struct network *net, bool announced, const char *reason)
{
	bool news = net->announced != announced;

	net->reason = reason;
	if (!news)
		return;
	net->announced = announced;
	net->since = loop_now(n->app->loop);
	log_event(LOG_INFO, announced ? "networkAnnounced" : "networkWithdrawn",
		  announced ? "announcing a network" : "withdrawing a network",
		  KV_STR("prefix", PREFIX_TEXT(&net->prefix)), KV_STR("reason", reason));
}

static void settle(const struct networks *n, struct network *net)
{
	struct err e = { 0 };
	const char *reason = silent_by_rule(n, net);

	if (!reason && net->announced && net->said == net->c->hash && is_ours(n, net))
		return;
	net->said = net->c->hash;
	if (reason) {
		withdraw(n, net);
	} else if (announce(n, net, &e) < 0) {
		reason = e.kind == ERR_STATE ? "announcedByService" : "tooManyAttributes";
		withdraw(n, net);
	}
	say(n, net, !reason, reason);
}

void networks_settle(struct networks *n)
{
	void *net;

	for (size_t at = 0; map_next(n->v, &at, NULL, &net);)
		settle(n, net);
}

void networks_route(struct networks *n, const struct prefix *p)
{
	struct network *net = map_get_bytes(n->v, p, sizeof(*p));

	if (net)
		settle(n, net);
}

/* --- the configuration --- */

/* Mostly it is where it was. */
static struct network *network_known(const struct networks *n, const struct cfg_network *c,
				     size_t i)
{
	if (i < n->n && prefix_cmp(&n->list[i]->prefix, &c->prefix) == 0)
		return n->list[i];
	return map_get_bytes(n->v, &c->prefix, sizeof(c->prefix));
}

static struct network *network_of(struct networks *n, const struct cfg_network *c, size_t i)
{
	struct network *net = network_known(n, c, i);

	if (!net) {
		net = mem_new(struct network);
		net->prefix = c->prefix;
		net->since = loop_now(n->app->loop);
		(void)map_put_bytes(n->v, &net->prefix, sizeof(net->prefix), net);
	}
	net->c = c;
	net->turn = n->turn;
	return net;
}

static int check_apply(const struct networks *n, const struct network *net, struct err *e)
{
	const struct health_conf conf = app_health_conf(CHECK_NAME(net), &net->c->health);

	if (net->c->health.kind != CFG_HEALTH_NONE)
		return health_checker_set(n->app->health, &conf, e);
	health_checker_del(n->app->health, conf.name);
	return 0;
}

static void drop_absent(struct networks *n)
{
	void *value;

	for (size_t at = 0; map_next(n->v, &at, NULL, &value);) {
		struct network *net = value;

		if (net->turn == n->turn)
			continue;
		withdraw(n, net);
		say(n, net, false, "removedFromConfig");
		health_checker_del(n->app->health, CHECK_NAME(net));
		(void)map_del_bytes(n->v, &net->prefix, sizeof(net->prefix));
		free(net);
	}
}

/* It says what it said, and was announced for that; @same: for this node as well as before. */
static bool stands(const struct network *net, bool same)
{
	return same && net->announced && net->applied == net->c->hash && net->said == net->applied;
}

int networks_apply(struct networks *n, const struct cfg *before, const struct cfg *c, struct err *e)
{
	bool same = before && labels_eq(&before->node.labels, &c->node.labels);
	struct network **list = mem_new_n(struct network *, c->n_networks);
	int status = 0;

	n->turn++;
	for (size_t i = 0; i < c->n_networks; i++) {
		struct network *net = network_of(n, &c->networks[i], i);

		list[i] = net;
		if (stands(net, same))
			continue;
		if (check_apply(n, net, e) < 0)
			status = -ERR_SYSTEM;
		settle(n, net);
		net->applied = net->c->hash;
	}
	if (map_len(n->v) > c->n_networks)
		drop_absent(n);
	free(n->list);
	n->list = list;
	n->n = c->n_networks;
	return status;
}

bool networks_health(struct networks *n, const char *check, bool healthy, const char *reason)
{
	struct prefix p;

	if (strncmp(check, CHECK_PREFIX, strlen(CHECK_PREFIX)) != 0)
		return false;
	log_event(healthy ? LOG_INFO : LOG_WARN, healthy ? "healthUp" : "healthDown",
		  healthy ? "health check passes" : "health check fails",
		  KV_STR("network", check + strlen(CHECK_PREFIX)),
		  KV_STR("reason", healthy ? NULL : reason));
	if (prefix_parse(check + strlen(CHECK_PREFIX), &p) == 0)
		networks_route(n, &p);
	return true;
}

/* --- for people --- */

static json_t *peers_json(const struct cfg_texts *peers)
{
	json_t *all = json_array();

	for (size_t i = 0; i < peers->n; i++)
		json_array_append_new(all, json_string(peers->v[i]));
	return all;
}

static json_t *network_json(const struct networks *n, const struct network *net)
{
	json_t *item = json_item(PREFIX_TEXT(&net->prefix), net->announced ? "announced" : "silent",
				 net->since);
	struct health_status st;

	if (net->c->adv.peers.n)
		json_object_set_new(item, "peers", peers_json(&net->c->adv.peers));
	json_set_text(item, "reason", net->reason);
	if (health_checker_status(n->app->health, CHECK_NAME(net), &st)) {
		json_set_text(item, "health", st.healthy ? "healthy" : "unhealthy");
		json_set_text(item, "health-reason", st.reason);
	}
	return item;
}

json_t *networks_json(const struct networks *n)
{
	const struct cfg *c = n->app->cfg;
	json_t *items = json_array();

	for (size_t i = 0; c && i < c->n_networks; i++) {
		const struct network *net =
			map_get_bytes(n->v, &c->networks[i].prefix, sizeof(struct prefix));

		if (net)
			json_array_append_new(items, network_json(n, net));
	}
	return items;
}
