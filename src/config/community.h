/**
 * BGP communities in text.
 */
#ifndef CONFIG_COMMUNITY_H
#define CONFIG_COMMUNITY_H

#include "config/cfg.h"

/** "64512:77": two decimal numbers up to 65535. */
bool community_parse(const char *text, uint32_t *out);
/** "64512:1:2", also as "large:64512:1:2". */
bool large_community_parse(const char *text, struct large_community *out);
/**
 * An extended community (RFC 4360, RFC 5668): "rt:64512:100" (route target), "ro:64512:100" (route origin, also
 * "soo:"), with an AS number or an IPv4 address in the middle; or any as "0x" and 16 digits.
 */
bool ext_community_parse(const char *text, uint64_t *out);
/** The value of a name that RFCs gave, as "65535:65281"; or NULL. */
const char *community_well_known(const char *name);

#define COMMUNITY_TEXT_MAX	 12
#define LARGE_COMMUNITY_TEXT_MAX 33
#define EXT_COMMUNITY_TEXT_MAX	 32
const char *community_format(uint32_t c, char buf[static COMMUNITY_TEXT_MAX]);
const char *large_community_format(const struct large_community *c,
				   char buf[static LARGE_COMMUNITY_TEXT_MAX]);

/** As ext_community_parse() takes it; the short form where there is one. */
const char *ext_community_format(uint64_t c, char buf[static EXT_COMMUNITY_TEXT_MAX]);

/** Sort and drop what is there twice; returns how many are left. */
size_t communities_unique(uint32_t *v, size_t n);
size_t large_communities_unique(struct large_community *v, size_t n);
size_t ext_communities_unique(uint64_t *v, size_t n);

#endif
