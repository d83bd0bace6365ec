/**
 * A configuration written out again, in our own format or as custom resources of metallb.io.
 *
 * What comes out has the meaning of what went in: the same addresses, the same announcements. A
 * legacy document becomes the resources that MetalLB's own converter makes of it. What a resource
 * has no field for stands in its annotations (crier/<field>), and what no resource is for in a
 * ConfigMap whose data.config holds our own document; both are read back by crier, and passed over
 * by MetalLB.
 */
#ifndef CONFIG_CONVERT_H
#define CONFIG_CONVERT_H

#include <jansson.h>

#include "config/cfg.h"

struct convert_doc {
	json_t *value;
	const char *comment; /* what to say above it, or NULL */
};

/** Zero-initialised is valid and empty. */
struct converted {
	struct arena *arena;
	struct convert_doc *docs;
	size_t n, cap;
	const char **notes; /* what the user should know: sentences */
	size_t n_notes, cap_notes;
	bool has_secrets; /* passwords or keys are in it */
};

void converted_fini(struct converted *d);

/** Into one document of our own. @c was loaded without a name of the host (""). */
void convert_native(const struct cfg *c, struct converted *out);

/** A value as the text of a document; free it. */
typedef char *convert_text(const json_t *value);

/**
 * Into resources, in the order of MetalLB's converter: peers, pools, advertisements by BGP and by
 * Layer 2, BFD profiles, communities; then Secrets and what no resource is for.
 * @c:    loaded without a name of the host ("")
 * @text: for a document inside a document
 *
 * Returns 0, or -ERR_CONFIG when a name would not do.
 */
NODISCARD int convert_resources(const struct cfg *c, convert_text *text, struct converted *out,
				struct err *e);

#endif
