/**
 * From an object of our own document to a custom resource: which key becomes which field, and
 * annotations for what has no field.
 */
#ifndef CONFIG_CONVERT_SPEC_H
#define CONFIG_CONVERT_SPEC_H

#include <jansson.h>
#include <stdbool.h>

/** A key of ours and the field of a spec that says the same. */
struct convert_field {
	const char *ours;
	const char *theirs;
	bool (*fits)(const json_t *value); /* NULL: any value does */
};

struct convert_kind {
	const char *version;
	const char *kind;
	const struct convert_field *fields;
	size_t n;
};

extern const struct convert_kind convert_peer, convert_pool, convert_l2_adv, convert_bgp_adv,
	convert_bfd_profile;

/** The envelope; a new reference. @version has the group ("v1", "metallb.io/v1beta1"). */
json_t *convert_envelope(const char *version, const char *kind, const char *namespace,
			 const char *name);

/** A resource of @o, whose name is for the caller to take care of; a new reference. */
json_t *convert_resource(const struct convert_kind *kind, const char *namespace, const char *name,
			 const json_t *o);

/** A field of crier's own, as an annotation. */
void convert_annotate(json_t *resource, const char *key, const json_t *value);

#endif
