/**
 * Numbers that stand for what objects say: to find among thousands of objects the few that a reload
 * changed, and to see that members of a cluster carry the same file.
 *
 * Equal objects have equal numbers, on every machine; different ones differ but for one chance in
 * 2^64. What an object says is what is printed of it (config/tree.h): where it came from, and how
 * it was spelled, is not in it.
 */
#ifndef CONFIG_HASH_H
#define CONFIG_HASH_H

#include "config/cfg.h"

/** One more value into a hash. */
uint64_t hash_mix(uint64_t h, uint64_t v);

/* Of all that one object says; never 0. Of a pool without its advertisements. */
uint64_t hash_pool(const struct cfg_pool *p);
uint64_t hash_l2_adv(const struct cfg_l2_adv *a);
uint64_t hash_bgp_adv(const struct cfg_bgp_adv *a);
/** hash, agreed and asked. */
void hash_service_set(struct cfg_service *s);
uint64_t hash_network(const struct cfg_network *n);

/* Of a configuration whose objects have theirs. */
/** What members must agree about: pools, advertisements and services. Secrets are not in it. */
uint64_t hash_agreed(const struct cfg *c);
/** What decides which standalone service gets which address; never 0. */
uint64_t hash_asked(const struct cfg *c);

#endif
