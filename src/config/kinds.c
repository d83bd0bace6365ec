#include "config/kinds.h"

#include <string.h>

#include "base/text.h"
#include "config/loader.h"
#include "config/resource.h"

#define METALLB "metallb.io"

enum kind_fate {
	KIND_CONFIG,   /* a ConfigMap: the legacy document in data.config */
	KIND_RESOURCE, /* MetalLB's */
	KIND_SECRET,   /* a peer's password */
	KIND_WORLD,    /* for the sink */
	KIND_STATUS,   /* what MetalLB writes about itself */
};

static const struct kind {
	const char *group;   /* of apiVersion, before the slash; "" for v1 */
	const char *version; /* after it; a kind has a row for each that is served */
	const char *name;
	enum kind_fate fate;
	const struct resource_kind *resource;
} kinds[] = {
	{ "", "v1", "ConfigMap", KIND_CONFIG },
	{ "", "v1", "Secret", KIND_SECRET },
	{ "", "v1", "Service", KIND_WORLD },
	{ "", "v1", "Endpoints", KIND_WORLD },
	{ "", "v1", "Node", KIND_WORLD },
	{ "", "v1", "Namespace", KIND_WORLD },
	{ "discovery.k8s.io", "v1", "EndpointSlice", KIND_WORLD },
	{ METALLB, "v1beta1", "IPAddressPool", KIND_RESOURCE, &resource_ip_address_pool },
	{ METALLB, "v1beta1", "AddressPool", KIND_RESOURCE, &resource_address_pool },
	{ METALLB, "v1beta2", "AddressPool", KIND_RESOURCE, &resource_address_pool },
	{ METALLB, "v1beta1", "L2Advertisement", KIND_RESOURCE, &resource_l2_advertisement },
	{ METALLB, "v1beta1", "BGPAdvertisement", KIND_RESOURCE, &resource_bgp_advertisement },
	{ METALLB, "v1beta1", "BGPPeer", KIND_RESOURCE, &resource_bgp_peer_v1beta1 },
	{ METALLB, "v1beta2", "BGPPeer", KIND_RESOURCE, &resource_bgp_peer },
	{ METALLB, "v1beta1", "BFDProfile", KIND_RESOURCE, &resource_bfd_profile },
	{ METALLB, "v1beta1", "Community", KIND_RESOURCE, &resource_community },
	{ METALLB, "v1beta1", "ConfigurationState", KIND_STATUS },
	{ METALLB, "v1beta1", "ServiceL2Status", KIND_STATUS },
	{ METALLB, "v1beta1", "ServiceBGPStatus", KIND_STATUS },
};

/** What an object says that it is; an element of a list may leave it to the list. */
struct type {
	const char *group;
	const char *version; /* after the slash */
	const char *api;     /* as written */
	const char *name;
};

bool kind_is_object(const struct doc *d)
{
	return doc_get(d, "apiVersion") || doc_get(d, "kind") || doc_get(d, "data");
}

static struct type type_of(struct loader *l, const char *api, const char *name)
{
	const char *slash = api ? strchr(api, '/') : NULL;

	return (struct type){
		.api = api,
		.group = slash ? arena_strndup(l->scratch, api, (size_t)(slash - api)) : "",
		.version = slash ? slash + 1 : api,
		.name = name,
	};
}

/* The row of this version; of any version, when @version is NULL. */
static const struct kind *kind_find(const char *group, const char *version, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].group, group) == 0 && strcmp(kinds[i].name, name) == 0 &&
		    (!version || strcmp(kinds[i].version, version) == 0))
			return &kinds[i];
	return NULL;
}

static const struct doc *config_map(struct loader *l, const struct place *p)
{
	const struct doc *data = doc_get(p->at, "data");
	struct place at = place_field(p, "data");

	if (data && data->kind != DOC_MAP) {
		load_error(l, &at, NULL, "a mapping is wanted here, not %s",
			   doc_kind_name(data->kind));
		return NULL;
	}
	const struct doc *config = doc_get(data, "config");
	if (!config) {
		load_note(l, p, "the configuration stands in data.config",
			  "this ConfigMap configures nothing");
		return NULL;
	}
	if (config->kind == DOC_LIST || config->kind == DOC_MAP) {
		struct place in = place_key(&at, "config", config);

		load_error(l, &in, "write 'config: |' and indent what follows",
			   "data.config is text that holds a document, not %s",
			   doc_kind_name(config->kind));
		return NULL;
	}
	return config;
}

static void map_load(struct loader *l, const struct place *p)
{
	if (!l->map_namespace)
		l->map_namespace = doc_get_text(doc_get(p->at, "metadata"), "namespace");
	load_nested(l, config_map(l, p));
}

static void kind_skip(struct loader *l, const struct place *p, const struct type *t)
{
	load_note(l, p, NULL, "skipped: %.60s of %.60s", t->name, t->api);
}

static void kind_unknown(struct loader *l, const struct place *p, const struct type *t)
{
	const char *names[ARRAY_LEN(kinds)];
	size_t n = 0;

	if (strcmp(t->group, METALLB) != 0) {
		kind_skip(l, p, t);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].group, t->group) == 0 && kinds[i].fate != KIND_STATUS)
			names[n++] = kinds[i].name;
	struct place at = place_field(p, "kind");
	load_error(l, &at, load_nearest(l, t->name, names, n), "%s has no kind '%.60s'", t->group,
		   t->name);
}

static void version_unknown(struct loader *l, const struct place *p, const struct type *t)
{
	struct place at = place_field(p, "apiVersion");
	struct buf served = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].group, t->group) == 0 && strcmp(kinds[i].name, t->name) == 0)
			buf_printf(&served, "%s%s%s%s", served.len ? ", " : "", t->group,
				   *t->group ? "/" : "", kinds[i].version);
	load_error(l, &at, issues_text(&l->issues, "served: %s", buf_text(&served)),
		   "there is no %s of %.60s", t->name, t->api);
	buf_fini(&served);
}

static void world_take(struct loader *l, const struct place *p, const struct type *t)
{
	if (!l->sink || !l->sink->take(l->sink->ctx, l, p, t->name))
		kind_skip(l, p, t);
}

static void kind_dispatch(struct loader *l, const struct place *p, const struct type *t)
{
	const struct kind *any = kind_find(t->group, NULL, t->name);
	const struct kind *k = kind_find(t->group, t->version, t->name);

	if (!any)
		kind_unknown(l, p, t);
	else if (any->fate == KIND_STATUS)
		kind_skip(l, p, t);
	else if (!k)
		version_unknown(l, p, t);
	else if (k->fate == KIND_CONFIG)
		map_load(l, p);
	else if (k->fate == KIND_SECRET)
		secret_keep(l, p);
	else if (k->fate == KIND_WORLD)
		world_take(l, p, t);
	else
		resource_load(l, p, k->resource);
}

/* What the elements of a list are, where they do not say it: the kind before "List". */
static bool is_list(struct loader *l, const struct type *t, struct type *element)
{
	size_t len = strlen(t->name);

	if (!text_ends_with(t->name, "List"))
		return false;
	*element = *t;
	element->name = len > 4 ? arena_strndup(l->scratch, t->name, len - 4) : NULL;
	return element->name ? kind_find(t->group, NULL, element->name) != NULL : !*t->group;
}

static void object_load(struct loader *l, const struct place *p, const struct type *preset);

static void list_load(struct loader *l, const struct place *p, const struct type *element)
{
	const struct doc *items = doc_get(p->at, "items");
	struct place in = place_field(p, "items");

	if (!items)
		return;
	if (items->kind != DOC_LIST) {
		load_error(l, &in, NULL, "a list is wanted here, not %s",
			   doc_kind_name(items->kind));
		return;
	}
	const struct place *list = place_keep(l->scratch, &in);
	for (size_t i = 0; i < items->n_items; i++) {
		struct place at = place_index(list, i, items->items[i]);

		object_load(l, place_keep(l->scratch, &at), element);
	}
}

static void object_load(struct loader *l, const struct place *p, const struct type *preset)
{
	const char *api = doc_get_text(p->at, "apiVersion");
	const char *name = doc_get_text(p->at, "kind");
	struct type t, element;

	if (preset->name && !api && !name) {
		api = preset->api;
		name = preset->name;
	}
	if (!api || !name) {
		load_error(l, p, "such as apiVersion: v1, kind: ConfigMap", "an object without %s",
			   api ? "kind" : "apiVersion");
		return;
	}
	t = type_of(l, api, name);
	if (is_list(l, &t, &element))
		list_load(l, p, &element);
	else
		kind_dispatch(l, p, &t);
}

void kind_load(struct loader *l, const struct place *p)
{
	object_load(l, p, &(struct type){ 0 });
}
