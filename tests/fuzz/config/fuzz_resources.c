/*
 * Custom resources, one family after the other: the first byte says which kind, the rest is what
 * stands in the object after its kind. Around it are objects that it may refer to. What loads keeps
 * the rules that everybody behind the loader counts on.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "config/load.h"
#include "config/print.h"

#define METALLB(version, kind)	    "apiVersion: metallb.io/" version "\nkind: " kind "\n"
#define OBJECT(version, kind, rest) "---\n{apiVersion: " version ", kind: " kind ", " rest "}\n"

static const char *const heads[] = {
	METALLB("v1beta1", "IPAddressPool"),   METALLB("v1beta2", "AddressPool"),
	METALLB("v1beta1", "L2Advertisement"), METALLB("v1beta1", "BGPAdvertisement"),
	METALLB("v1beta1", "BGPPeer"),	       METALLB("v1beta2", "BGPPeer"),
	METALLB("v1beta1", "BFDProfile"),      METALLB("v1beta1", "Community"),
	"apiVersion: v1\nkind: Secret\n",      "apiVersion: v1\nkind: List\n",
};

static const char around[] =
	"\n" OBJECT("metallb.io/v1beta1", "IPAddressPool",
		    "metadata: {name: lan, labels: {a: b}}, spec: {addresses: [10.0.0.0/24, "
		    "'fd00::/120']}")
		OBJECT("metallb.io/v1beta2", "BGPPeer",
		       "metadata: {name: tor}, spec: {myASN: 1, peerASN: 1, peerAddress: 10.0.0.1, "
		       "password: s, bfdProfile: fast}")
			OBJECT("metallb.io/v1beta1", "BGPAdvertisement",
			       "metadata: {name: adv}, spec: {localPref: 1, communities: [x, c]}")
				OBJECT("metallb.io/v1beta1", "Community",
				       "metadata: {name: c}, spec: {communities: [{name: x, value: "
				       "'1:1'}]}") OBJECT("metallb.io/v1beta1", "BFDProfile",
							  "metadata: {name: fast}")
					OBJECT("v1", "Secret",
					       "metadata: {name: s}, stringData: {password: "
					       "x}");

static void pools_are_ours(const struct cfg *c, const struct cfg_pools *p)
{
	for (size_t i = 0; i < p->n; i++) {
		assert(p->v[i] >= c->pools && p->v[i] < c->pools + c->n_pools);
		for (size_t j = 0; j < i; j++)
			assert(p->v[i] != p->v[j]);
	}
}

static void bgp_is_sound(const struct cfg *c, const struct cfg_bgp_adv *a)
{
	assert(a->name && a->aggregation_v4 <= 32 && a->aggregation_v6 <= 128);
	pools_are_ours(c, &a->pools);
	for (size_t i = 1; i < a->n_communities; i++)
		assert(a->communities[i - 1] < a->communities[i]);
	assert(!a->service_selectors.n || (a->aggregation_v4 == 32 && a->aggregation_v6 == 128));
}

static void peer_is_sound(const struct cfg_peer *p)
{
	assert(p->name && p->my_asn && p->port && addr_is_set(&p->addr));
	assert((p->peer_asn == 0) == (p->dynamic_asn != CFG_ASN_FIXED));
	assert(p->hold.ns == 0 || p->hold.ns >= DUR_S(3).ns);
	assert(p->keepalive.ns >= 0 && p->keepalive.ns <= p->hold.ns);
	assert(!p->password || strlen(p->password) <= 80);
}

static void cfg_is_sound(const struct cfg *c)
{
	for (size_t i = 0; i < c->n_pools; i++)
		assert(c->pools[i].name && c->pools[i].n_addresses);
	for (size_t i = 0; i < c->n_l2_advs; i++)
		pools_are_ours(c, &c->l2_advs[i].pools);
	for (size_t i = 0; i < c->n_bgp_advs; i++)
		bgp_is_sound(c, &c->bgp_advs[i]);
	for (size_t i = 0; i < c->n_peers; i++)
		peer_is_sound(&c->peers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_report report;
	const struct cfg *c = NULL;
	struct buf text = { 0 }, said = { 0 };

	if (!size)
		return 0;
	buf_puts(&text, heads[data[0] % (sizeof(heads) / sizeof(heads[0]))]);
	buf_append(&text, data + 1, size - 1);
	buf_puts(&text, around);
	int rc = cfg_load_text("fuzz", buf_text(&text), text.len, "fuzz", &c, &report);
	assert((rc == 0) == (report.errors.n == 0));
	cfg_report_text(&report, false, &said);
	json_decref(cfg_report_json(&report, c));
	if (rc == 0)
		cfg_is_sound(c);
	cfg_free(c);
	cfg_report_fini(&report);
	buf_fini(&said);
	buf_fini(&text);
	return 0;
}

FUZZ_MAIN;
