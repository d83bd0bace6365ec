#include "config/kinds.h"

#include <string.h>

#include "base/text.h"
#include "config/loader.h"

enum kind_fate {
	KIND_CONFIG,
	KIND_LATER, /* ours, and not built yet */
};

static const struct kind {
	const char *group; /* of apiVersion, before the slash; "" for v1 */
	const char *name;
	enum kind_fate fate;
} kinds[] = {
	{ "", "ConfigMap", KIND_CONFIG },
	{ "", "Service", KIND_LATER },
	{ "", "Endpoints", KIND_LATER },
	{ "", "Node", KIND_LATER },
	{ "", "Secret", KIND_LATER },
	{ "", "List", KIND_LATER },
	{ "discovery.k8s.io", "EndpointSlice", KIND_LATER },
	{ "metallb.io", "IPAddressPool", KIND_LATER },
	{ "metallb.io", "AddressPool", KIND_LATER },
	{ "metallb.io", "L2Advertisement", KIND_LATER },
	{ "metallb.io", "BGPAdvertisement", KIND_LATER },
	{ "metallb.io", "BGPPeer", KIND_LATER },
	{ "metallb.io", "BFDProfile", KIND_LATER },
	{ "metallb.io", "Community", KIND_LATER },
};

bool kind_is_object(const struct doc *d)
{
	return doc_get(d, "apiVersion") || doc_get(d, "kind") || doc_get(d, "data");
}

/* "metallb.io" of "metallb.io/v1beta1", "" of "v1". */
static const char *group_of(struct loader *l, const char *version)
{
	const char *slash = strchr(version, '/');

	return slash ? arena_strndup(l->scratch, version, (size_t)(slash - version)) : "";
}

static const struct kind *kind_find(const char *group, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].group, group) == 0 && strcmp(kinds[i].name, name) == 0)
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

static void kind_unknown(struct loader *l, const struct place *p, const char *version,
			 const char *group, const char *name)
{
	const char *names[ARRAY_LEN(kinds)];
	size_t n = 0;

	if (strcmp(group, "metallb.io") != 0 || text_ends_with(name, "Status")) {
		load_note(l, p, NULL, "skipped: %.60s of %.60s", name, version);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].group, group) == 0)
			names[n++] = kinds[i].name;
	struct place at = place_field(p, "kind");
	load_error(l, &at, load_nearest(l, name, names, n), "%s has no kind '%.60s'", group, name);
}

const struct doc *kind_config(struct loader *l, const struct place *p)
{
	const char *version = doc_get_text(p->at, "apiVersion");
	const char *name = doc_get_text(p->at, "kind");

	if (!version || !name) {
		load_error(l, p, "such as apiVersion: v1, kind: ConfigMap", "an object without %s",
			   version ? "kind" : "apiVersion");
		return NULL;
	}
	const char *group = group_of(l, version);
	const struct kind *k = kind_find(group, name);
	if (!k) {
		kind_unknown(l, p, version, group, name);
		return NULL;
	}
	if (k->fate == KIND_CONFIG)
		return config_map(l, p);
	struct place at = place_field(p, "kind");
	load_error(l, &at,
		   "the same in address-pools, peers, bfd-profiles, bgp-communities and services "
		   "works",
		   "%.60s objects are not built yet", name);
	return NULL;
}
