/* Networks: prefixes that BGP announces without a service. What one may say, and the rules between them and peers. */
#include <string.h>

#include "config/fields.h"
#include "config/hash.h"
#include "config/value.h"

/* The address as it was written, beside the prefix that it stands in. */
static bool prefix_read(const char *text, struct addr *written, struct prefix *out)
{
	char address[ADDR_TEXT_MAX] = { 0 };
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len < sizeof(address))
		memcpy(address, text, len);
	if (addr_parse(address, written) < 0)
		return false;
	*out = prefix_of(written, addr_bits(written));
	return !slash || prefix_parse(text, out) == 0;
}

static void prefix_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_network *c = &((struct raw_network *)object)->c;
	const char *text;
	struct addr base;
	struct prefix prefix;

	if (!value_peek(l, p, &text))
		return;
	if (!prefix_read(text, &base, &prefix)) {
		load_error(l, p, "such as 198.51.100.0/24", "'%.60s' is not a prefix", text);
		return;
	}
	if (!addr_eq(&base, &prefix.addr))
		load_error(l, p, issues_text(&l->issues, "write %s", PREFIX_TEXT(&prefix)),
			   "'%.60s' has bits behind its length", text);
	else if (addr_is_multicast(&base) || addr_is_loopback(&base))
		load_error(l, p, NULL, "%s cannot be announced", PREFIX_TEXT(&prefix));
	c->prefix = prefix;
}

static const struct field network_fields[] = {
	{ "prefix", FIELD_OWN, "the prefix; an address alone stands for itself",
	  .shape = "prefix, as `198.51.100.0/24`", .required = true, .load = prefix_load },
	COMMUNITY_FIELDS,
	{ "med", FIELD_UINT, "MULTI_EXIT_DISC; none is sent by default",
	  AT(struct raw_network, adv.c.med), .max = UINT32_MAX, .load = adv_med_load },
	{ "localpref", FIELD_OWN, "LOCAL_PREF towards peers of our own AS",
	  .shape = "integer, 0 to 4294967295, or `none`", .preset_text = "none: 100 is sent",
	  .load = localpref_load },
	{ "as-path-prepend", FIELD_UINT, "how many times more our AS stands in the path",
	  AT(struct raw_network, adv.c.as_path_prepend), .max = 100, .preset = "0" },
	{ "next-hop", FIELD_ADDRESS, "the next hop, of the prefix's family",
	  AT(struct raw_network, c.next_hop), .preset_text = "the session's own address" },
	{ "peers", FIELD_TEXTS, "names of the peers that hear it",
	  AT(struct raw_network, adv.c.peers), .preset_text = "all peers" },
	{ "node-selectors", FIELD_SELECTORS, "nodes that announce it",
	  AT(struct raw_network, adv.c.node_selectors), .preset_text = "all nodes" },
	{ "health-check", FIELD_MAP, "only a node where it passes announces the prefix",
	  AT(struct raw_network, c.health), .level = &level_health },
};

static void network_done(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_network *c = &((struct raw_network *)object)->c;

	if (c->prefix.addr.family && addr_is_set(&c->next_hop) &&
	    c->next_hop.family != c->prefix.addr.family) {
		struct place at = place_field(p, "next-hop");

		load_error(l, &at, NULL, "%s is not of the family of %s", ADDR_TEXT(&c->next_hop),
			   PREFIX_TEXT(&c->prefix));
	}
}

void network_keep(struct loader *l, const struct place *p, struct raw_network *raw)
{
	raw->adv.at = p;
	mem_grow(l->networks, l->n_networks, l->cap_networks);
	l->networks[l->n_networks++] = raw;
}

static void network_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	(void)parent;
	network_keep(l, p, object);
}

const struct level level_network = {
	.noun = "a network",
	.fields = network_fields,
	.n = ARRAY_LEN(network_fields),
	.object_size = sizeof(struct raw_network),
	.done = network_done,
	.take = network_take,
};

/* --- with the others --- */

static void unique(struct loader *l, struct map *seen, struct raw_network *raw)
{
	const struct raw_network *first =
		map_put_bytes(seen, &raw->c.prefix, sizeof(raw->c.prefix), raw);

	if (!first)
		return;
	struct place at = place_field(raw->adv.at, "prefix");
	struct issue *is = load_error(l, &at, "one entry names all its peers", "%s is given twice",
				      PREFIX_TEXT(&raw->c.prefix));
	issue_other(&l->issues, is, place_field(first->adv.at, "prefix").at);
}

static void peers_known(struct loader *l, const struct map *peers, const char *const *names,
			const struct raw_network *raw)
{
	struct place list = place_field(raw->adv.at, "peers");
	const struct cfg_texts *wanted = &raw->adv.c.peers;

	for (size_t i = 0; i < wanted->n; i++) {
		struct place at = place_element(&list, i);

		if (map_get(peers, wanted->v[i]))
			continue;

		load_error(l, &at, load_nearest(l, wanted->v[i], names, l->cfg->n_peers),
			   "there is no peer '%.60s'", wanted->v[i]);
	}
}

void resolve_networks_check(struct loader *l)
{
	CLEANUP(map_freep) struct map *seen = map_new();
	CLEANUP(map_freep) struct map *peers = map_new();
	const char **names = arena_new_n(l->scratch, const char *, l->cfg->n_peers);

	for (size_t i = 0; i < l->cfg->n_peers; i++) {
		names[i] = l->cfg->peers[i].name;
		map_put(peers, names[i], (void *)&l->cfg->peers[i]);
	}
	for (size_t i = 0; i < l->n_networks; i++) {
		struct raw_network *raw = l->networks[i];

		unique(l, seen, raw);
		peers_known(l, peers, names, raw);
		resolve_communities(l, raw->adv.at, false, &raw->adv.c);
	}
	if (l->n_networks && !l->cfg->n_peers)
		load_warning(l, l->networks[0]->adv.at, "add the routers to peers",
			     "nothing announces networks: there is no peer");
}

struct cfg_network resolve_network(const struct raw_network *raw)
{
	struct cfg_network c = raw->c;

	c.adv = raw->adv.c;
	if (!c.hash) /* it may be one of the configuration before */
		c.hash = hash_network(&c);
	return c;
}

void resolve_networks(struct loader *l)
{
	struct cfg_network *v =
		arena_new_n(load_list(l, CFG_NETWORKS), struct cfg_network, l->n_networks);

	resolve_networks_check(l);
	for (size_t i = 0; i < l->n_networks; i++)
		v[i] = resolve_network(l->networks[i]);
	l->cfg->networks = v;
	l->cfg->n_networks = l->n_networks;
}
