/**
 * What sharing an address depends on besides the key: a backend, and a set of ports that one or
 * several services occupy. Few differ, so those that are alike are one.
 */
#ifndef ALLOC_PROFILE_H
#define ALLOC_PROFILE_H

#include "alloc/alloc.h"
#include "alloc/index.h"
#include "alloc/slab.h"

struct profile {
	uint32_t refs;
	uint32_t hash;
	uint32_t n;
	uint32_t *ports; /* protocol and port, ascending */
	char *backend;
};

struct profiles {
	struct slab all;
	struct index by_content;
	uint64_t seed;
};

void profiles_init(struct profiles *p);
void profiles_fini(struct profiles *p);

static inline const struct profile *profile_at(const struct profiles *p, uint32_t handle)
{
	return slab_at(&p->all, handle);
}

/** What a service asks for; the caller owns a reference. */
NODISCARD uint32_t profile_of(struct profiles *p, const struct alloc_request *r);
/** The ports of both, which have the same backend; the caller owns a reference. */
NODISCARD uint32_t profile_join(struct profiles *p, uint32_t a, uint32_t b);
/** @all without the ports of @part, all of which it has; the caller owns a reference. */
NODISCARD uint32_t profile_without(struct profiles *p, uint32_t all, uint32_t part);
uint32_t profile_ref(struct profiles *p, uint32_t handle);
void profile_unref(struct profiles *p, uint32_t handle);

bool profile_same_backend(const struct profile *p, const struct alloc_request *r);
/** A port that both want, or NULL. */
const struct cfg_port *profile_meets(const struct profile *p, const struct alloc_request *r);

#endif
