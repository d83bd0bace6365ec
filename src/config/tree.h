/**
 * Objects of a configuration as JSON in our own document's form: for printing and
 * comparing. Every function gives a new reference.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <jansson.h>

#include "config/cfg.h"

json_t *tree_peer(const struct cfg_peer *p, bool secrets);
json_t *tree_service(const struct cfg_service *s, bool secrets);
json_t *tree_l2_adv(const struct cfg_l2_adv *a);
/** One that its pool brought has neither name nor targets. */
json_t *tree_bgp_adv(const struct cfg_bgp_adv *a);

json_t *tree_bfd_profile(const struct cfg_bfd_profile *b, bool secrets);
json_t *tree_bfd_profiles(const struct cfg *c, bool secrets);
json_t *tree_peers(const struct cfg *c, bool secrets);
/** Each pool with the advertisements that are its own. */
json_t *tree_pool(const struct cfg *c, const struct cfg_pool *p);
json_t *tree_pools(const struct cfg *c);
/** The advertisements that stand by themselves. */
json_t *tree_l2_advs(const struct cfg *c);
json_t *tree_bgp_advs(const struct cfg *c);
json_t *tree_services(const struct cfg *c, bool secrets);
json_t *tree_network(const struct cfg_network *n, bool secrets);
json_t *tree_networks(const struct cfg *c, bool secrets);
/** {"node": …, "log": …}: everything but the lists of objects. */
json_t *tree_settings(const struct cfg *c);

#endif
