/**
 * What both directions of a conversion share.
 */
#ifndef CONFIG_CONVERT_PRIV_H
#define CONFIG_CONVERT_PRIV_H

#include "base/map.h"
#include "config/convert.h"

/* Both texts are of out->arena, or static. */
void converted_note(struct converted *out, const char *text);
/** Takes @value; @comment may be NULL. */
void converted_add(struct converted *out, json_t *value, const char *comment);

/** The configuration as a tidy document of our own: every name as it is; a new reference. */
json_t *convert_document(const struct cfg *c);
/**
 * Where in it each of c->bgp_advs stands; NULL for that of addresses outside every pool. Borrowed
 * values in an array to free.
 */
json_t **convert_advs(const struct cfg *c, const json_t *doc);

/** Into a list of texts, unless it stands there: @seen knows those that do. */
void convert_append_once(json_t *list, struct map *seen, const char *text);

/** Does the peer go by its address? */
bool convert_name_is_address(const struct cfg_peer *p);
bool convert_has_secrets(const struct cfg *c);

#endif
