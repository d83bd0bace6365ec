/**
 * Custom resources of metallb.io: the envelope that all kinds share (metadata, annotations, spec)
 * around one level of the table for each kind. They fill the same raw objects as the legacy
 * document.
 *
 * Where MetalLB has no field for what crier can do, the annotation crier/<field> takes the value, in
 * YAML, of that field of our own document.
 */
#ifndef CONFIG_RESOURCE_H
#define CONFIG_RESOURCE_H

#include "config/schema.h"

/** One kind in one version. */
struct resource_kind {
	const char *name;
	const char *about;	       /* for the reference */
	const struct level *spec;      /* its `take` has the struct resource for a parent */
	const struct level *own;       /* our own document's level of such objects; NULL: none */
	const char *const *own_fields; /* those of it that an annotation may give; NULL ends */
};

/** What metadata says. */
struct resource {
	const struct resource_kind *kind;
	const struct place *at;
	void *object; /* of kind->spec */
	const char *name;
	const char *namespace; /* NULL: it does not say */
	struct labels labels;
};

extern const struct resource_kind resource_ip_address_pool, resource_address_pool,
	resource_l2_advertisement, resource_bgp_advertisement, resource_bgp_peer_v1beta1,
	resource_bgp_peer, resource_bfd_profile, resource_community;

/** Load one. @p must last as long as the load. */
void resource_load(struct loader *l, const struct place *p, const struct resource_kind *kind);

/** Would the API server take it? */
bool resource_name_valid(const char *name);

/** No text stands twice in the list. */
void texts_unique(struct loader *l, const struct place *p, void *object);

/**
 * "ens4vrf" of "ens4vrf 1": the number is the mark of a footnote that was lost when the text was
 * copied. NULL when there is none.
 */
const char *unmarked(struct loader *l, const char *name);

#endif
