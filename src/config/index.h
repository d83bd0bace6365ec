/**
 * Looking things up in a configuration of thousands of pools: which pool an address is of, and
 * which advertisements speak for a pool.
 */
#ifndef CONFIG_INDEX_H
#define CONFIG_INDEX_H

#include "config/cfg.h"

struct cfg_index;

/**
 * Index a complete configuration, whose pools don't overlap, beside its lists; not where it would
 * become larger than what it leads to. Where lists are those of @before (may be NULL) their index
 * is, too.
 */
void index_make(struct cfg *c, const struct cfg *before);

const struct cfg_pool *index_pool_of(const struct cfg_index *x, const struct addr *a);

/* As the functions of cfg.h that are called alike. */
const struct cfg_l2_adv *index_next_l2_adv(const struct cfg *c, const struct cfg_pool *pool,
					   size_t *at);
const struct cfg_bgp_adv *index_next_bgp_adv(const struct cfg *c, const struct cfg_pool *pool,
					     size_t *at);

/** Of all that they say, in their order, of a configuration that has an index. */
uint64_t index_advs_hash(const struct cfg *c, const struct cfg_pool *pool);

#endif
