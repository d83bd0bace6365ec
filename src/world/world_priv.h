/**
 * What the files of this room share: how the world keeps its services.
 */
#ifndef WORLD_WORLD_PRIV_H
#define WORLD_WORLD_PRIV_H

#include "world/backing.h"
#include "world/holders.h"
#include "world/world.h"

struct service {
	struct world_service pub;
	size_t at;		       /* among world.services */
	struct arena *spec;	       /* standalone: key and what it asks for; replaced whole */
	uint64_t said;		       /* hash of that; 0: nobody has looked */
	uint32_t turn;		       /* the last configuration that had it */
	struct object_service *object; /* Kubernetes: the same */
	struct addr *addresses;
	char *holder;
	struct world_endpoint *endpoints; /* by node */
	size_t cap_endpoints;
};

struct world {
	char *me;
	bool reference;
	struct world_quorum quorum;
	const struct cfg *config;
	uint32_t turn; /* how many there have been */
	struct nodes *nodes;
	struct service **services; /* in order, with holes (NULL) */
	size_t n_services, cap_services, n_holes;
	struct map *by_key;
	struct holders *holders;
	struct backing *backing;
	struct map *namespaces; /* name -> struct namespace */
	void (*changed)(void *ctx, enum world_change what, const char *name);
	void *changed_ctx;
};

void world_tell(struct world *w, enum world_change what, const char *name);

void service_free(struct service *s);
void services_append(struct world *w, struct service *s);
/** The service itself stays the caller's. */
void services_remove(struct world *w, struct service *s);
/** Give it these addresses and tell of it, @told_anyway even if it has them already. */
void service_readdress(struct world *w, struct service *s, const struct addr *addresses, size_t n,
		       bool told_anyway);

void namespace_free(void *namespace);

#endif
