/**
 * What the files that turn a configuration into JSON share.
 */
#ifndef CONFIG_TREE_PRIV_H
#define CONFIG_TREE_PRIV_H

#include <jansson.h>

#include "config/cfg.h"

json_t *tree_texts(const struct cfg_texts *t);
json_t *tree_labels(const struct labels *l);
json_t *tree_selector(const struct selector *s);

/* Nothing is set where there is nothing to say. */
void tree_set_text(json_t *o, const char *key, const char *text);
void tree_set_selectors(json_t *o, const char *key, const struct selectors *s);

/** What a network says of its routes. */
json_t *tree_network_adv(const struct cfg_bgp_adv *a);

#endif
