/**
 * Documents as people have them, in short forms, and the plan that follows from some of them.
 */
#ifndef TESTS_UNIT_PLAN_DOCUMENTS_H
#define TESTS_UNIT_PLAN_DOCUMENTS_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "config/load.h"
#include "config/print.h"
#include "plan/report.h"
#include "support.h"

#define DOC(api, kind) "---\napiVersion: " api "\nkind: " kind "\n"
#define NODE(name)     DOC("v1", "Node") "metadata: {name: " name "}\n"
#define NODE_WITH(name, labels) \
	DOC("v1", "Node") "metadata: {name: " name ", labels: {" labels "}}\n"
#define NODE_OUT(name, type, status)                                                           \
	DOC("v1", "Node")                                                                      \
	"metadata: {name: " name "}\nstatus: {conditions: [{type: " type ", status: \"" status \
	"\"}]}\n"
#define NODES NODE("node-a") NODE("node-b") NODE("node-c")

#define SERVICE(meta, spec)                                \
	DOC("v1", "Service")                               \
	"metadata: {name: web, namespace: shop" meta "}\n" \
	"spec: {type: LoadBalancer, clusterIP: 10.96.0.1, ports: [{port: 80}]" spec "}\n"
#define WEB	     SERVICE("", "")
#define LABELLED     ", labels: {tier: front}"
#define SHARED	     ", annotations: {metallb.io/allow-shared-ip: k}"
#define LOCAL	     ", externalTrafficPolicy: Local"
#define STATUS(list) "status: {loadBalancer: {ingress: [" list "]}}\n"

#define SLICE_OF(name, service, endpoints)                                 \
	DOC("discovery.k8s.io/v1", "EndpointSlice")                        \
	"metadata: {name: " name                                           \
	", namespace: shop, labels: {kubernetes.io/service-name: " service \
	"}}\naddressType: IPv4\nendpoints: [" endpoints "]\n"
#define SLICE(endpoints) SLICE_OF("web-1", "web", endpoints)
#define POD(node, conditions) \
	"{addresses: [10.1.0.1], nodeName: " node ", conditions: {" conditions "}}"
#define READY(node)   POD(node, "ready: true")
#define UNREADY(node) POD(node, "ready: false")
#define SERVED	      SLICE(READY("node-a") "," READY("node-c"))
#define ENDPOINTS(ready, unready)                  \
	DOC("v1", "Endpoints")                     \
	"metadata: {name: web, namespace: shop}\n" \
	"subsets: [{addresses: [" ready "], notReadyAddresses: [" unready "]}]\n"
#define ADDRESS(node) "{ip: 10.1.0.1, nodeName: " node "}"

#define METALLB(kind, version, name, spec) \
	DOC("metallb.io/" version, kind)   \
	"metadata: {name: " name ", namespace: metallb-system}\nspec: {" spec "}\n"
#define POOL_OF(addresses)  METALLB("IPAddressPool", "v1beta1", "lan", "addresses: [" addresses "]")
#define POOL		    POOL_OF("10.0.0.1-10.0.0.9")
#define WIDE_POOL	    POOL_OF("10.0.0.0/24")
#define L2_ADV(name, spec)  METALLB("L2Advertisement", "v1beta1", name, spec)
#define BGP_ADV(name, spec) METALLB("BGPAdvertisement", "v1beta1", name, spec)
#define PEER(name, spec) \
	METALLB("BGPPeer", "v1beta2", name, "myASN: 64512, peerASN: 64513, peerAddress: " spec)
#define TOR PEER("tor", "192.0.2.1")
#define IBGP                                  \
	METALLB("BGPPeer", "v1beta2", "core", \
		"myASN: 64512, peerASN: 64512, peerAddress: 192.0.2.2")

#define SELECTS(label, value) "{matchLabels: {" label ": " value "}}"
#define EXCLUDED	      "node.kubernetes.io/exclude-from-external-load-balancers: \"\""

#define L2		      POOL L2_ADV("l2", "")
#define BGP		      POOL TOR BGP_ADV("bgp", "")

/* A pool of the legacy document. */
#define LEGACY(protocol)                                                                   \
	"address-pools: [{name: old, protocol: " protocol ", addresses: [10.0.0.1/32]}]\n" \
	"peers: [{my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1}]\n"

/* Served on node-a and node-c, and shares its address with another that is served on @x and @y. */
#define SHARERS(x, y)                                                                     \
	L2 NODES SERVICE(SHARED, LOCAL)                                                   \
		DOC("v1", "Service") "metadata: {name: dns, namespace: shop" SHARED "}\n" \
				     "spec: {type: LoadBalancer, ports: [{port: 53}], "   \
				     "externalTrafficPolicy: Local}\n" SERVED SLICE_OF(   \
					     "dns-1", "dns", READY(x) "," READY(y))

struct rule {
	const char *name;
	const char *text;
	const char *want; /* of the mode, see below; "": nothing announced, nothing silent */
	const char *nodes[4];
	bool reference;
};

static inline const struct cfg *load(const char *text, struct object_set *objects)
{
	struct cfg_sink sink = object_set_sink(objects);
	struct cfg_report report;
	const struct cfg *c = NULL;
	struct buf said = { 0 };

	if (cfg_load_text_with("t.yaml", text, strlen(text), "host", &sink, &c, &report) < 0) {
		cfg_report_text(&report, false, &said);
		fail_msg("this must load:\n%s", buf_text(&said));
	}
	cfg_report_fini(&report);
	return c;
}

static inline size_t count_texts(const char *const *v, size_t cap)
{
	size_t n = 0;

	while (n < cap && v[n])
		n++;
	return n;
}

static inline json_t *plan_of(const struct rule *r)
{
	CLEANUP(object_set_freep) struct object_set *objects = object_set_new();
	const struct cfg *c = load(r->text, objects);
	struct offline_conf conf = { .objects = objects,
				     .nodes = r->nodes,
				     .n_nodes = count_texts(r->nodes, ARRAY_LEN(r->nodes)),
				     .reference = r->reference };
	struct offline *o = offline_new(c, &conf);
	json_t *plan = plan_report(o, &(struct plan_report_options){ .all = true });

	offline_free(o);
	cfg_free(c);
	return plan;
}

#endif
