/* L2Advertisement, BGPAdvertisement, the advertisements of an AddressPool, and Community. */
#include <string.h>

#include "config/community.h"
#include "config/fields.h"
#include "config/resource.h"
#include "config/selector.h"
#include "config/value.h"

static void preference_load(struct loader *l, const struct place *p, void *object)
{
	(void)selector_load(l, p, &level_label_selector, &((struct cfg_preference *)object)->nodes);
}

static const struct field preference_fields[] = {
	{ "weight", FIELD_OWN, "what it adds to a node's score", .shape = "integer, 1 to 100",
	  .required = true, .load = adv_weight_load },
	{ "preference", FIELD_OWN, "nodes with such labels", .shape = "[selector](#selectors)",
	  .required = true, .load = preference_load },
};

static const struct level level_preference = {
	.noun = "a preferred node selector",
	.fields = preference_fields,
	.n = ARRAY_LEN(preference_fields),
	.object_size = sizeof(struct cfg_preference),
};

static void preferred_load(struct loader *l, const struct place *p, void *object)
{
	adv_preferred_load(l, p, &level_preference, object);
}

static const struct field l2_fields[] = {
	{ "ipAddressPools", FIELD_TEXTS, "names of pools", AT(struct raw_l2_adv, c.targets.pools),
	  .preset_text = "all pools, without selectors of them", .load = texts_unique },
	{ "ipAddressPoolSelectors", FIELD_SELECTORS, "IPAddressPools with such labels as well",
	  AT(struct raw_l2_adv, c.targets.selectors), .level = &level_label_selector },
	{ "nodeSelectors", FIELD_SELECTORS, "nodes that may announce",
	  AT(struct raw_l2_adv, c.node_selectors), .level = &level_label_selector,
	  .preset_text = "all nodes" },
	{ "interfaces", FIELD_TEXTS, "links on which they answer",
	  AT(struct raw_l2_adv, c.interfaces), .preset_text = "all links",
	  .load = adv_interfaces_check },
	{ "serviceSelectors", FIELD_SELECTORS, "services that it is for",
	  AT(struct raw_l2_adv, c.service_selectors), .level = &level_label_selector,
	  .preset_text = "all services" },
	{ "preferredNodeSelectors", FIELD_OWN, "nodes that are chosen before others",
	  .shape = "list of mappings", .level = &level_preference, .load = preferred_load },
};

static void l2_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_l2_adv *adv = object;

	adv->c.name = ((const struct resource *)parent)->name;
	adv_l2_keep(l, p, adv);
}

static const struct level level_l2_advertisement = {
	.noun = "an L2Advertisement",
	.fields = l2_fields,
	.n = ARRAY_LEN(l2_fields),
	.object_size = sizeof(struct raw_l2_adv),
	.take = l2_take,
};

const struct resource_kind resource_l2_advertisement = {
	.name = "L2Advertisement",
	.about = "pools that nodes announce by ARP and NDP",
	.spec = &level_l2_advertisement,
};

/* An AddressPool's advertisements know the first four. */
#define POOL_ADV_FIELDS 4

static const struct field bgp_fields[] = {
	{ "aggregationLength", FIELD_UINT, "announce IPv4 as prefixes of this length",
	  AT(struct raw_adv, c.aggregation_v4), .min = 1, .max = 32, .preset = "32" },
	{ "aggregationLengthV6", FIELD_UINT, "announce IPv6 as prefixes of this length",
	  AT(struct raw_adv, c.aggregation_v6), .max = 128, .preset = "128" },
	{ "localPref", FIELD_UINT, "LOCAL_PREF towards peers of our own AS; 0: not set",
	  AT(struct raw_adv, c.local_pref), .max = UINT32_MAX, .preset = "0" },
	{ "communities", FIELD_OWN,
	  "communities, as `64512:77`, `large:64512:1:2` or a name that a Community gives",
	  .shape = "list of text", .load = communities_load },
	{ "ipAddressPools", FIELD_TEXTS, "names of pools", AT(struct raw_adv, c.targets.pools),
	  .preset_text = "all pools, without selectors of them", .load = texts_unique },
	{ "ipAddressPoolSelectors", FIELD_SELECTORS, "IPAddressPools with such labels as well",
	  AT(struct raw_adv, c.targets.selectors), .level = &level_label_selector },
	{ "nodeSelectors", FIELD_SELECTORS, "nodes that announce it",
	  AT(struct raw_adv, c.node_selectors), .level = &level_label_selector,
	  .preset_text = "all nodes" },
	{ "peers", FIELD_TEXTS, "names of the BGPPeers that hear it", AT(struct raw_adv, c.peers),
	  .preset_text = "all peers", .load = texts_unique },
	{ "serviceSelectors", FIELD_SELECTORS, "services that it is for; only without aggregation",
	  AT(struct raw_adv, c.service_selectors), .level = &level_label_selector,
	  .preset_text = "all services" },
};

static void pool_adv_done(struct loader *l, const struct place *p, void *object)
{
	struct cfg_bgp_adv *c = &((struct raw_adv *)object)->c;

	(void)l, (void)p;
	c->has_local_pref |= c->local_pref != 0;
}

static void bgp_done(struct loader *l, const struct place *p, void *object)
{
	pool_adv_done(l, p, object);
	adv_selectors_rule(l, p, object);
}

static void bgp_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_adv *adv = object;

	adv->c.name = ((const struct resource *)parent)->name;
	adv_bgp_keep(l, p, adv);
}

static const struct level level_bgp_advertisement = {
	.noun = "a BGPAdvertisement",
	.fields = bgp_fields,
	.n = ARRAY_LEN(bgp_fields),
	.object_size = sizeof(struct raw_adv),
	.done = bgp_done,
	.take = bgp_take,
};

const struct level level_pool_advertisement = {
	.noun = "an advertisement of an AddressPool",
	.fields = bgp_fields,
	.n = POOL_ADV_FIELDS,
	.object_size = sizeof(struct raw_adv),
	.done = pool_adv_done,
	.take = adv_take,
};

/* localpref: 0 is nothing that localPref could say. */
static const char *const bgp_own[] = { "large-communities",
				       "extended-communities",
				       "med",
				       "as-path-prepend",
				       "next-hop",
				       "localpref",
				       NULL };

const struct resource_kind resource_bgp_advertisement = {
	.name = "BGPAdvertisement",
	.about = "pools that nodes announce by BGP",
	.spec = &level_bgp_advertisement,
	.own = &level_adv,
	.own_fields = bgp_own,
};

struct raw_named_community {
	const char *name;
	const char *value;
	const struct place *name_at, *value_at;
};

static void community_name_load(struct loader *l, const struct place *p, void *object)
{
	((struct raw_named_community *)object)->name_at = place_keep(l->scratch, p);
}

static void community_value_load(struct loader *l, const struct place *p, void *object)
{
	((struct raw_named_community *)object)->value_at = place_keep(l->scratch, p);
}

static const struct field named_fields[] = {
	{ "name", FIELD_TEXT, "what advertisements call it", AT(struct raw_named_community, name),
	  .required = true, .load = community_name_load },
	{ "value", FIELD_TEXT, "`64512:77`, or `large:64512:1:2`",
	  AT(struct raw_named_community, value), .required = true, .load = community_value_load },
};

static void named_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	const struct raw_named_community *named = object;
	struct raw_community *community = parent;

	(void)p;
	if (!named->name || !named->value)
		return;
	mem_grow(community->aliases, community->n_aliases, community->cap_aliases);
	struct raw_alias *alias = communities_alias_add(l, named->name_at, named->name,
							named->value_at, named->value);
	alias->community = community;
	community->aliases[community->n_aliases++] = alias;
}

static const struct level level_named_community = {
	.noun = "a community",
	.fields = named_fields,
	.n = ARRAY_LEN(named_fields),
	.object_size = sizeof(struct raw_named_community),
	.take = named_take,
};

static const struct field community_fields[] = {
	{ "communities", FIELD_LIST, "names and what they stand for",
	  .level = &level_named_community },
};

static void community_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_community *community = object;

	community->at = p;
	community->name = ((const struct resource *)parent)->name;
	const struct raw_community *first =
		community->name ? map_put(l->community_names, community->name, community) : NULL;
	if (first) {
		struct place name = place_name(p);
		struct issue *is = load_error(l, &name, "names are unique",
					      "a second Community '%.60s'", community->name);
		issue_other(&l->issues, is, place_name(first->at).at);
	}
	mem_grow(l->communities, l->n_communities, l->cap_communities);
	l->communities[l->n_communities++] = community;
}

static const struct level level_community = {
	.noun = "a Community",
	.fields = community_fields,
	.n = ARRAY_LEN(community_fields),
	.object_size = sizeof(struct raw_community),
	.take = community_take,
};

const struct resource_kind resource_community = {
	.name = "Community",
	.about = "names of communities, for advertisements",
	.spec = &level_community,
};
