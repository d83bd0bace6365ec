/* IPAddressPool and AddressPool. */
#include <string.h>

#include "config/fields.h"
#include "config/resource.h"

static const struct field allocation_fields[] = {
	{ "priority", FIELD_UINT, "pools with a low one are tried first; 0: after all others",
	  AT(struct cfg_reservation, priority), .max = INT32_MAX, .preset = "0" },
	{ "namespaces", FIELD_TEXTS, "services of these namespaces",
	  AT(struct cfg_reservation, namespaces), .preset_text = "all", .load = texts_unique },
	{ "namespaceSelectors", FIELD_SELECTORS, "services of namespaces with such labels as well",
	  AT(struct cfg_reservation, namespace_selectors), .level = &level_label_selector },
	{ "serviceSelectors", FIELD_SELECTORS, "services with such labels",
	  AT(struct cfg_reservation, service_selectors), .level = &level_label_selector,
	  .preset_text = "all" },
};

static const struct level level_service_allocation = {
	.noun = "serviceAllocation",
	.fields = allocation_fields,
	.n = ARRAY_LEN(allocation_fields),
	.object_size = sizeof(struct cfg_reservation),
};

static void allocation_load(struct loader *l, const struct place *p, void *object)
{
	reservation_load(l, p, &level_service_allocation, object);
}

static const struct field ip_pool_fields[] = {
	{ "addresses", FIELD_OWN, "prefixes and ranges, in the order in which they are handed out",
	  .shape = "list of text", .required = true, .load = addresses_load },
	{ "autoAssign", FIELD_BOOL, "serve services that do not ask for this pool by name",
	  AT(struct raw_pool, c.auto_assign), .preset = "true" },
	{ "avoidBuggyIPs", FIELD_BOOL, "never hand out IPv4 addresses that end in .0 or .255",
	  AT(struct raw_pool, c.avoid_buggy_ips), .preset = "false" },
	{ "serviceAllocation", FIELD_OWN, "keep the pool for some services", .shape = "mapping",
	  .level = &level_service_allocation, .load = allocation_load },
};

static void pool_resource_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	const struct resource *r = parent;
	struct raw_pool *pool = object;

	pool->at = p;
	pool->c.name = r->name;
	pool->c.format = CFG_RESOURCE;
	pool->c.labels = r->labels;
	advs_check(l, pool, &level_pool_advertisement);
	pool_keep(l, pool);
}

static const struct level level_ip_pool = {
	.noun = "an IPAddressPool",
	.fields = ip_pool_fields,
	.n = ARRAY_LEN(ip_pool_fields),
	.object_size = sizeof(struct raw_pool),
	.take = pool_resource_take,
};

const struct resource_kind resource_ip_address_pool = {
	.name = "IPAddressPool",
	.about = "where service addresses come from",
	.spec = &level_ip_pool,
};

static const struct word protocols[] = { { "layer2", CFG_LAYER2 }, { "bgp", CFG_BGP }, { 0 } };

static const struct field pool_fields[] = {
	{ "protocol", FIELD_WORD, "`layer2` or `bgp`", AT(struct raw_pool, protocol),
	  .words = protocols, .required = true },
	{ "addresses", FIELD_OWN, "prefixes and ranges, in the order in which they are handed out",
	  .shape = "list of text", .required = true, .load = addresses_load },
	{ "autoAssign", FIELD_BOOL, "serve services that do not ask for this pool by name",
	  AT(struct raw_pool, c.auto_assign), .preset = "true" },
	{ "avoidBuggyIPs", FIELD_BOOL, "never hand out IPv4 addresses that end in .0 or .255",
	  AT(struct raw_pool, c.avoid_buggy_ips), .preset = "false" },
	{ "bgpAdvertisements", FIELD_LIST, "how a bgp pool is announced",
	  .level = &level_pool_advertisement, .preset_text = "one with every default" },
};

static void pool_done(struct loader *l, const struct place *p, void *object)
{
	const struct raw_pool *pool = object;

	if (pool->n_advs && pool->protocol == CFG_LAYER2) {
		struct place at = place_field(p, "bgpAdvertisements");

		load_error(l, &at, "leave them away, or write protocol: bgp",
			   "bgpAdvertisements on a layer2 pool");
	}
}

static const struct level level_address_pool = {
	.noun = "an AddressPool",
	.fields = pool_fields,
	.n = ARRAY_LEN(pool_fields),
	.object_size = sizeof(struct raw_pool),
	.done = pool_done,
	.take = pool_resource_take,
};

const struct resource_kind resource_address_pool = {
	.name = "AddressPool",
	.about = "a pool that brings its own advertisements: the short-lived resource of MetalLB "
		 "v0.13",
	.spec = &level_address_pool,
};
