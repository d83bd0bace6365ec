/**
 * Custom resources as short texts, and tables of what must become of them.
 */
#ifndef TESTS_RESOURCE_TEST_H
#define TESTS_RESOURCE_TEST_H

#include "config_test.h"

#define RESOURCE(version, kind, metadata, spec)            \
	"{apiVersion: metallb.io/" version ", kind: " kind \
	", metadata: {namespace: m, name: " metadata "}, spec: {" spec "}}\n---\n"
#define R_POOL(name, spec)	RESOURCE("v1beta1", "IPAddressPool", name, spec)
#define R_OLD_POOL(spec)	RESOURCE("v1beta1", "AddressPool", "old", spec)
#define R_L2(spec)		RESOURCE("v1beta1", "L2Advertisement", "l2", spec)
#define R_BGP(name, spec)	RESOURCE("v1beta1", "BGPAdvertisement", name, spec)
#define R_PEER_OF(name, spec)	RESOURCE("v1beta2", "BGPPeer", name, spec)
#define R_PEER(spec)		R_PEER_OF("tor", "myASN: 64512, peerAddress: 10.0.0.1" spec)
#define R_EBGP			R_PEER(", peerASN: 64513")
#define R_IBGP			R_PEER(", peerASN: 64512")
#define R_BFD(spec)		RESOURCE("v1beta1", "BFDProfile", "fast", spec)
#define R_COMMUNITY(name, list) RESOURCE("v1beta1", "Community", name, "communities: [" list "]")
#define R_LAN			R_POOL("lan, labels: {zone: a}", "addresses: [10.5.0.0/24]")
#define R_LAN6			R_POOL("lan6", "addresses: ['fd00::/120']")
#define R_SECRET(s) \
	"{apiVersion: v1, kind: Secret, metadata: {namespace: m, name: s}, " s "}\n---\n"

/** A document that loads without a warning, and what must be so afterwards. */
struct meaning {
	const char *name;
	const char *text;
	bool (*holds)(const struct cfg *c);
};

#define MEANS(name, expression)               \
	static bool name(const struct cfg *c) \
	{                                     \
		return expression;            \
	}

static inline void means(void **state)
{
	const struct meaning *m = *state;
	struct loaded l = load_good(m->text);

	if (l.report.warnings.n)
		fail_with_report(&l, "a warning that nobody wanted");
	if (!m->holds(l.c))
		fail_msg("it means something else: %s", m->text);
	loaded_fini(&l);
}

/** A document that loads with a warning. */
struct slip {
	const char *name;
	const char *text;
	const char *path;
	const char *message;		    /* of the warning */
	const char *hint;		    /* NULL: not looked at */
	bool (*holds)(const struct cfg *c); /* NULL: nothing */
};

static inline void warns(void **state)
{
	const struct slip *s = *state;
	struct loaded l = load_good(s->text);

	if (!issue_find(&l.report.warnings, s->path, s->message, s->hint))
		fail_with_report(&l, "not the warning that was wanted");
	if (s->holds && !s->holds(l.c))
		fail_msg("it means something else: %s", s->text);
	loaded_fini(&l);
}

#endif
