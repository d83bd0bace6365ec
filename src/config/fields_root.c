/* The root of a document, and the sections whose rooms are not built yet. */
#include <string.h>

#include "config/loader.h"
#include "config/resource.h"

static const struct field allocation_fields[] = {
	{ "sticky", FIELD_BOOL,
	  "a service that returns gets the address it had, unless somebody else has it by then",
	  AT(struct cfg_allocation, sticky), .preset = "false" },
	{ "rest", FIELD_DURATION,
	  "for how long nobody but its last service gets an address that was given back",
	  AT(struct cfg_allocation, rest), .max = 8760LL * 3600 * 1000000000, .preset = "0s" },
};

const struct level level_allocation = {
	.noun = "allocation",
	.fields = allocation_fields,
	.n = ARRAY_LEN(allocation_fields),
	.object_size = sizeof(struct cfg_allocation),
};

static const struct word ip_mode_words[] = { { "VIP", CFG_IP_MODE_VIP },
					     { "Proxy", CFG_IP_MODE_PROXY },
					     { 0 } };

static void servers_check(struct loader *l, const struct place *p, void *object)
{
	(void)object;
	for (size_t i = 0; i < p->at->n_items; i++) {
		const struct doc *item = p->at->items[i];
		struct place at = place_index(p, i, item);

		if (strncmp(item->text, "https://", 8) != 0 || !item->text[8])
			(void)load_error(l, &at, "write https://ADDRESS:6443",
					 "'%.60s' is no address of an API server", item->text);
	}
	texts_unique(l, p, object);
}

static const struct field kubernetes_fields[] = {
	{ "kubeconfig", FIELD_TEXT,
	  "how to reach the API server; empty: as a pod does, else as KUBECONFIG says",
	  AT(struct cfg_kubernetes, kubeconfig), .preset = "" },
	{ "servers", FIELD_TEXTS,
	  "URLs of the cluster's API servers, instead of the kubeconfig's one: the next is asked "
	  "when one does not answer",
	  AT(struct cfg_kubernetes, servers), .load = servers_check },
	{ "namespace", FIELD_TEXT,
	  "where the configuration lies; empty: METALLB_NAMESPACE, the pod's, else metallb-system",
	  AT(struct cfg_kubernetes, namespace), .preset = "" },
	{ "lb-class", FIELD_TEXT,
	  "services of this loadBalancerClass alone; empty: those that have none",
	  AT(struct cfg_kubernetes, lb_class), .preset = "" },
	{ "ignore-exclude-lb", FIELD_BOOL,
	  "announce from nodes that the label exclude-from-external-load-balancers excludes",
	  AT(struct cfg_kubernetes, ignore_exclude_lb), .preset = "false" },
	{ "ip-mode", FIELD_WORD,
	  "how traffic from inside the cluster reaches an address: `VIP`, short cut by the node; "
	  "or "
	  "`Proxy`, by way of the announcing node (Kubernetes 1.29 and later)",
	  AT(struct cfg_kubernetes, ip_mode), .words = ip_mode_words, .preset = "VIP" },
};

const struct level level_kubernetes = {
	.noun = "kubernetes",
	.fields = kubernetes_fields,
	.n = ARRAY_LEN(kubernetes_fields),
	.object_size = sizeof(struct cfg_kubernetes),
};

static const struct field etcd_fields[] = {
	{ "endpoints", FIELD_TEXTS, "URLs of the cluster" },
	{ "prefix", FIELD_TEXT, "where our keys begin" },
	{ "ca-file", FIELD_TEXT, "certificate authority" },
	{ "cert-file", FIELD_TEXT, "our certificate" },
	{ "key-file", FIELD_TEXT, "its key" },
};

const struct level level_etcd = { .noun = "etcd",
				  .fields = etcd_fields,
				  .n = ARRAY_LEN(etcd_fields) };

static const struct not_built no_etcd = { NULL, "cluster: shares what the nodes know" };

static const struct field root_fields[] = {
	{ "peers", FIELD_LIST, "BGP neighbours", .level = &level_peer, .again = true },
	{ "bgp-communities", FIELD_OWN, "names of communities",
	  .shape = "mapping of name to `64512:77`", .again = true, .load = communities_names_load },
	{ "address-pools", FIELD_LIST, "where service addresses come from", .level = &level_pool,
	  .again = true },
	{ "l2-advertisements", FIELD_LIST,
	  "how nodes announce pools by ARP and NDP that do not say it themselves",
	  .level = &level_l2_adv, .again = true },
	{ "bgp-advertisements", FIELD_LIST,
	  "how nodes announce pools by BGP that do not say it themselves", .level = &level_bgp_adv,
	  .again = true },
	{ "bfd-profiles", FIELD_LIST, "sets of BFD parameters", .level = &level_bfd_profile,
	  .again = true },
	{ "node", FIELD_MAP, "who this machine is", AT(struct cfg, node), .level = &level_node },
	{ "cluster", FIELD_MAP, "membership of the nodes that share Layer 2 addresses",
	  AT(struct cfg, cluster), .level = &level_cluster },
	{ "services", FIELD_LIST, "what to announce, without Kubernetes", .level = &level_service,
	  .again = true },
	{ "bgp", FIELD_MAP, "BGP as a whole", AT(struct cfg, bgp), .level = &level_bgp },
	{ "bfd", FIELD_MAP, "BFD as a whole", AT(struct cfg, bfd), .level = &level_bfd_own },
	{ "l2", FIELD_MAP, "Layer 2 as a whole", AT(struct cfg, l2), .level = &level_l2 },
	{ "control", FIELD_MAP, "the socket of the commands", AT(struct cfg, control),
	  .level = &level_control },
	{ "http", FIELD_MAP, "metrics and status pages", AT(struct cfg, http),
	  .level = &level_http },
	{ "log", FIELD_MAP, "the log", AT(struct cfg, log), .level = &level_log },
	{ "allocation", FIELD_MAP, "how addresses are handed out", AT(struct cfg, allocation),
	  .level = &level_allocation },
	{ "networks", FIELD_LIST, "prefixes to announce by BGP without a service",
	  .level = &level_network, .again = true },
	{ "kubernetes", FIELD_MAP, "services and nodes of a Kubernetes cluster",
	  AT(struct cfg, kubernetes), .level = &level_kubernetes },
	{ "etcd", FIELD_MAP, "a store that the nodes share", .level = &level_etcd,
	  .not_built = &no_etcd },
};

_Static_assert(ARRAY_LEN(root_fields) <= LOADER_ROOT_MAX, "loader.seen has a place for each key");

const struct level level_root = {
	.noun = "a configuration",
	.fields = root_fields,
	.n = ARRAY_LEN(root_fields),
	.object_size = sizeof(struct cfg),
};
