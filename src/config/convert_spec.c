#include "config/convert_spec.h"

#include <string.h>

#include "base/doc.h"
#include "base/text.h"
#include "config/convert_tidy.h"

#define GROUP	   "metallb.io/"
#define ANNOTATION "crier/"

/* BFDProfile and peerPort have numbers where our own document takes more. */
static bool is_number(const json_t *value)
{
	return json_is_integer(value);
}

static bool is_low_port(const json_t *value)
{
	return json_integer_value(value) <= 16384;
}

static const struct convert_field peer_fields[] = {
	{ "my-asn", "myASN" },
	{ "peer-asn", "peerASN" },
	{ "dynamic-asn", "dynamicASN" },
	{ "local-asn", "localASN" },
	{ "peer-address", "peerAddress" },
	{ "source-address", "sourceAddress" },
	{ "peer-port", "peerPort", is_low_port },
	{ "hold-time", "holdTime" },
	{ "keepalive-time", "keepaliveTime" },
	{ "connect-time", "connectTime" },
	{ "router-id", "routerID" },
	{ "node-selectors", "nodeSelectors" },
	{ "password", "password" },
	{ "bfd-profile", "bfdProfile" },
	{ "ebgp-multihop", "ebgpMultiHop" },
	{ "vrf", "vrf" },
	{ "dual-stack", "dualStackAddressFamily" },
};

static const struct convert_field pool_fields[] = {
	{ "addresses", "addresses" },
	{ "auto-assign", "autoAssign" },
	{ "avoid-buggy-ips", "avoidBuggyIPs" },
	{ "service-allocation", "serviceAllocation" },
};

/* Of what stands inside serviceAllocation. */
static const struct convert_field allocation_fields[] = {
	{ "priority", "priority" },
	{ "namespaces", "namespaces" },
	{ "namespace-selectors", "namespaceSelectors" },
	{ "service-selectors", "serviceSelectors" },
};

static const struct convert_field bgp_fields[] = {
	{ "aggregation-length", "aggregationLength" },
	{ "aggregation-length-v6", "aggregationLengthV6" },
	{ "localpref", "localPref" },
	{ "communities", "communities" },
	{ "address-pools", "ipAddressPools" },
	{ "address-pool-selectors", "ipAddressPoolSelectors" },
	{ "node-selectors", "nodeSelectors" },
	{ "peers", "peers" },
	{ "service-selectors", "serviceSelectors" },
};

static const struct convert_field l2_fields[] = {
	{ "address-pools", "ipAddressPools" },
	{ "address-pool-selectors", "ipAddressPoolSelectors" },
	{ "node-selectors", "nodeSelectors" },
	{ "interfaces", "interfaces" },
	{ "service-selectors", "serviceSelectors" },
	{ "preferred-node-selectors", "preferredNodeSelectors" },
};

static const struct convert_field bfd_fields[] = {
	{ "receive-interval", "receiveInterval", is_number },
	{ "transmit-interval", "transmitInterval", is_number },
	{ "detect-multiplier", "detectMultiplier" },
	{ "echo-interval", "echoInterval" },
	{ "echo-mode", "echoMode" },
	{ "passive-mode", "passiveMode" },
	{ "minimum-ttl", "minimumTtl" },
};

#define FIELDS(v) .fields = (v), .n = ARRAY_LEN(v)

const struct convert_kind convert_peer = { GROUP "v1beta2", "BGPPeer", FIELDS(peer_fields) };
const struct convert_kind convert_pool = { GROUP "v1beta1", "IPAddressPool", FIELDS(pool_fields) };
const struct convert_kind convert_l2_adv = { GROUP "v1beta1", "L2Advertisement",
					     FIELDS(l2_fields) };
const struct convert_kind convert_bgp_adv = { GROUP "v1beta1", "BGPAdvertisement",
					      FIELDS(bgp_fields) };
const struct convert_kind convert_bfd_profile = { GROUP "v1beta1", "BFDProfile",
						  FIELDS(bfd_fields) };

static const struct convert_words kubernetes_words = { "matchLabels", "matchExpressions" };

static json_t *preferences(const json_t *list)
{
	json_t *out = json_array(), *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		json_t *nodes =
			convert_selector(json_object_get(item, "preference"), &kubernetes_words);

		json_array_append_new(out, json_pack("{s:O, s:o}", "weight",
						     json_object_get(item, "weight"), "preference",
						     nodes));
	}
	return out;
}

static json_t *allocation(const json_t *o);

/* The value as a spec has it; a new reference. */
static json_t *respell(const char *key, const json_t *value)
{
	if (strcmp(key, "preferred-node-selectors") == 0)
		return preferences(value);
	if (strcmp(key, "service-allocation") == 0)
		return allocation(value);
	if (text_ends_with(key, "-selectors"))
		return convert_selectors(value, &kubernetes_words);
	return json_deep_copy(value);
}

static json_t *allocation(const json_t *o)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_LEN(allocation_fields); i++) {
		const json_t *v = json_object_get(o, allocation_fields[i].ours);

		if (v)
			json_object_set_new(out, allocation_fields[i].theirs,
					    respell(allocation_fields[i].ours, v));
	}
	return out;
}

static const struct convert_field *field_of(const struct convert_kind *kind, const char *key)
{
	for (size_t i = 0; i < kind->n; i++)
		if (strcmp(kind->fields[i].ours, key) == 0)
			return &kind->fields[i];
	return NULL;
}

static bool field_fits(const struct convert_field *f, const json_t *value)
{
	return !f->fits || f->fits(value);
}

json_t *convert_envelope(const char *version, const char *kind, const char *namespace,
			 const char *name)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", version, "kind", kind,
			 "metadata", "name", name, "namespace", namespace);
}

/* Text that reads as itself needs no quotes of its own. */
static bool is_itself(const char *text)
{
	struct doc_file *f = NULL;
	struct doc_error bad;

	if (doc_parse("", text, strlen(text), NULL, &f, &bad) < 0)
		return false;
	bool same = f->n_docs == 1 && f->docs[0]->kind == DOC_STRING &&
		    strcmp(f->docs[0]->text, text) == 0;
	doc_file_free(f);
	return same;
}

void convert_annotate(json_t *resource, const char *key, const json_t *value)
{
	json_t *metadata = json_object_get(resource, "metadata");
	json_t *list = json_object_get(metadata, "annotations");
	const char *plain = json_string_value(value);

	if (!list) {
		list = json_object();
		json_object_set_new(metadata, "annotations", list);
	}
	char *text = plain && is_itself(plain) ? mem_strdup(plain)
					       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	char *name = mem_printf(ANNOTATION "%s", key);
	json_object_set_new(list, name, json_string(text));
	free(name);
	free(text);
}

json_t *convert_resource(const struct convert_kind *kind, const char *namespace, const char *name,
			 const json_t *o)
{
	json_t *r = convert_envelope(kind->version, kind->kind, namespace, name);
	json_t *spec = json_object(), *value;
	const char *key;

	for (size_t i = 0; i < kind->n; i++) {
		const struct convert_field *f = &kind->fields[i];

		value = json_object_get(o, f->ours);
		if (value && field_fits(f, value))
			json_object_set_new(spec, f->theirs, respell(f->ours, value));
	}
	json_object_foreach((json_t *)(uintptr_t)o, key, value)
	{
		const struct convert_field *f = field_of(kind, key);

		if (!f || !field_fits(f, value))
			convert_annotate(r, key, value);
	}
	json_object_set_new(r, "spec", spec);
	return r;
}
