/* Advertisements that stand by themselves, in our own spelling, and what they have in common with
 * those of pools and of resources. */
#include <string.h>

#include "config/fields.h"
#include "config/resource.h"
#include "config/selector.h"
#include "config/value.h"

void localpref_load(struct loader *l, const struct place *p, void *object)
{
	static const struct field range = { .max = UINT32_MAX };
	struct cfg_bgp_adv *c = &((struct raw_adv *)object)->c;
	uint64_t v;

	if (p->at->text && strcmp(p->at->text, "none") == 0) {
		c->has_local_pref = false;
	} else if (value_uint(l, p, &range, &v)) {
		c->has_local_pref = true;
		c->local_pref = (uint32_t)v;
	}
}

void adv_selectors_rule(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_bgp_adv *c = &((struct raw_adv *)object)->c;
	struct place at = place_either(p, "service-selectors", "serviceSelectors");

	if (c->service_selectors.n && (c->aggregation_v4 != 32 || c->aggregation_v6 != 128))
		load_error(l, &at, "leave the aggregation away",
			   "a prefix that is not one address can't be for some services only");
}

void adv_interfaces_check(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_texts *names = &((struct raw_l2_adv *)object)->c.interfaces;

	for (size_t i = 0; i < names->n; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		(void)check_link_name(l, &at, names->v[i]);
	}
}

void adv_l2_keep(struct loader *l, const struct place *p, struct raw_l2_adv *adv)
{
	adv->at = p;
	mem_grow(l->l2_advs, l->n_l2_advs, l->cap_l2_advs);
	l->l2_advs[l->n_l2_advs++] = adv;
}

void adv_bgp_keep(struct loader *l, const struct place *p, struct raw_adv *adv)
{
	adv->at = p;
	mem_grow(l->bgp_advs, l->n_bgp_advs, l->cap_bgp_advs);
	l->bgp_advs[l->n_bgp_advs++] = adv;
}

void adv_weight_load(struct loader *l, const struct place *p, void *object)
{
	static const struct field range = { .min = 1, .max = 100 };
	uint64_t weight;

	if (value_uint(l, p, &range, &weight))
		((struct cfg_preference *)object)->weight = (int)weight;
}

void adv_preferred_load(struct loader *l, const struct place *p, const struct level *level,
			void *object)
{
	struct cfg_l2_adv *adv = &((struct raw_l2_adv *)object)->c;

	if (!value_is(l, p, DOC_LIST))
		return;
	struct cfg_preference *v = arena_new_n(l->arena, struct cfg_preference, p->at->n_items);
	const struct place *list = place_keep(l->scratch, p);
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(list, i, p->at->items[i]);

		level_load(l, level, place_keep(l->scratch, &at), &v[i]);
	}
	adv->preferred = v;
	adv->n_preferred = p->at->n_items;
}

static void preference_load(struct loader *l, const struct place *p, void *object)
{
	(void)selector_load(l, p, &level_selector, &((struct cfg_preference *)object)->nodes);
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

void adv_med_load(struct loader *l, const struct place *p, void *object)
{
	(void)l, (void)p;
	((struct raw_adv *)object)->c.has_med = true;
}

static const struct field l2_fields[] = {
	{ "name", FIELD_TEXT, "the advertisement's name", AT(struct raw_l2_adv, c.name),
	  .required = true },
	{ "address-pools", FIELD_TEXTS, "names of pools", AT(struct raw_l2_adv, c.targets.pools),
	  .preset_text = "every pool of `protocol: none`, without selectors of them",
	  .load = texts_unique },
	{ "address-pool-selectors", FIELD_SELECTORS,
	  "pools of `protocol: none` with such labels as well",
	  AT(struct raw_l2_adv, c.targets.selectors) },
	{ "node-selectors", FIELD_SELECTORS, "nodes that may announce",
	  AT(struct raw_l2_adv, c.node_selectors), .preset_text = "all nodes" },
	{ "interfaces", FIELD_TEXTS, "links on which they answer",
	  AT(struct raw_l2_adv, c.interfaces), .preset_text = "all links",
	  .load = adv_interfaces_check },
	{ "service-selectors", FIELD_SELECTORS, "services that it is for",
	  AT(struct raw_l2_adv, c.service_selectors), .preset_text = "all services" },
	{ "preferred-node-selectors", FIELD_OWN, "nodes that are chosen before others",
	  .shape = "list of mappings", .level = &level_preference, .load = preferred_load },
};

static void l2_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	(void)parent;
	adv_l2_keep(l, p, object);
}

const struct level level_l2_adv = {
	.noun = "a Layer 2 advertisement",
	.fields = l2_fields,
	.n = ARRAY_LEN(l2_fields),
	.object_size = sizeof(struct raw_l2_adv),
	.take = l2_take,
};

static void bgp_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	(void)parent;
	adv_bgp_keep(l, p, object);
}

static const struct not_built no_next_hop = { "self", "the session's own address is the next hop" };

/* The advertisements of a pool know what follows the first three. */
#define STANDING_FIELDS 3

static const struct field bgp_fields[] = {
	{ "name", FIELD_TEXT, "the advertisement's name", AT(struct raw_adv, c.name),
	  .required = true },
	{ "address-pools", FIELD_TEXTS, "names of pools", AT(struct raw_adv, c.targets.pools),
	  .preset_text = "every pool of `protocol: none`, without selectors of them",
	  .load = texts_unique },
	{ "address-pool-selectors", FIELD_SELECTORS,
	  "pools of `protocol: none` with such labels as well",
	  AT(struct raw_adv, c.targets.selectors) },
	{ "aggregation-length", FIELD_UINT, "announce IPv4 as prefixes of this length",
	  AT(struct raw_adv, c.aggregation_v4), .max = 32, .preset = "32" },
	{ "aggregation-length-v6", FIELD_UINT, "announce IPv6 as prefixes of this length",
	  AT(struct raw_adv, c.aggregation_v6), .max = 128, .preset = "128" },
	{ "localpref", FIELD_OWN, "LOCAL_PREF towards peers of our own AS",
	  .shape = "integer, 0 to 4294967295, or `none`",
	  .preset_text = "0 on an advertisement of a pool, else none", .load = localpref_load },
	COMMUNITY_FIELDS,
	{ "med", FIELD_UINT, "MULTI_EXIT_DISC; none is sent by default", AT(struct raw_adv, c.med),
	  .max = UINT32_MAX, .load = adv_med_load },
	{ "as-path-prepend", FIELD_UINT, "how many times more our AS stands in the path",
	  AT(struct raw_adv, c.as_path_prepend), .max = 100, .preset = "0" },
	{ "peers", FIELD_TEXTS, "names of the peers that hear it", AT(struct raw_adv, c.peers),
	  .preset_text = "all peers" },
	{ "node-selectors", FIELD_SELECTORS, "nodes that announce it",
	  AT(struct raw_adv, c.node_selectors), .preset_text = "all nodes" },
	{ "service-selectors", FIELD_SELECTORS, "services that it is for",
	  AT(struct raw_adv, c.service_selectors), .preset_text = "all services" },
	{ "next-hop", FIELD_ADDRESS, "the next hop of what is announced",
	  .not_built = &no_next_hop },
};

const struct level level_bgp_adv = {
	.noun = "a BGP advertisement",
	.fields = bgp_fields,
	.n = ARRAY_LEN(bgp_fields),
	.object_size = sizeof(struct raw_adv),
	.done = adv_selectors_rule,
	.take = bgp_take,
};

/* As v0.12 has it: LOCAL_PREF is always sent, and 0 where nobody chose another. */
static void pool_adv_preset(void *object)
{
	((struct raw_adv *)object)->c.has_local_pref = true;
}

const struct level level_adv = {
	.noun = "a BGP advertisement",
	.fields = bgp_fields + STANDING_FIELDS,
	.n = ARRAY_LEN(bgp_fields) - STANDING_FIELDS,
	.object_size = sizeof(struct raw_adv),
	.preset = pool_adv_preset,
	.take = adv_take,
};
