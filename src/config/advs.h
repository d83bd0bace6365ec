/**
 * What the rules between advertisements, pools and peers share while they run (resolve_advs.c,
 * resolve_warn.c).
 */
#ifndef CONFIG_ADVS_H
#define CONFIG_ADVS_H

#include "config/loader.h"

struct advs {
	struct loader *l;
	struct map *peers; /* name -> struct cfg_peer */
	const char **pool_names;
	size_t n_pool_names;
	const char **peer_names; /* of each of cfg.peers */

	struct cfg_pools all; /* what an advertisement without targets is for; v NULL: not asked */
	bool all_announced;
	struct raw_pool strictest; /* of all: for aggregation */
	bool strictest_known;
	size_t matches_left;

	/* Which pools a list has already: those whose stamp is of this turn. */
	uint32_t *stamps;
	uint32_t turn;
	const struct cfg_pool **found; /* room for all */

	struct raw_adv **list; /* BGP, of resources: those that must agree */
	size_t n_list, cap_list;
};

struct raw_pool *advs_pool(const struct advs *x, const struct cfg_pool *pool);

/**
 * Those that a bgp pool brings, as if it had been alone with the peers. @only: the pool; @out has
 * room for one, or as many as it says. Returns how many.
 */
size_t advs_of_pool(struct loader *l, struct raw_pool *raw, struct cfg_pools only,
		    struct cfg_bgp_adv *out);

/** Advertisements of one prefix to one peer from one node must not differ in LOCAL_PREF. */
void advs_local_pref(struct advs *x);
/** IPv6 addresses do not go to peers whose BFD profile has echo mode (the reference's rule). */
void advs_echo(struct advs *x);
/** What loads, and can't work as its author hopes. */
void advs_warn(struct advs *x);

#endif
