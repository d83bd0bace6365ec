/**
 * A compact map from prefixes of one family to a number: the routes of the speaker, a million of them at some
 * twenty bytes each (IPv4).
 *
 * Entries stand in slots that keep their number until the entry is deleted; slots of the deleted are used
 * again. A walk over the slots meets every entry that was there all the time. Growing the index is spread over
 * the additions that follow, so that none of them takes long.
 */
#ifndef BGP_TABLE_H
#define BGP_TABLE_H

#include "base/addr.h"
#include "base/mem.h"

#define BGP_SLOT_NONE UINT32_MAX

struct bgp_table;

NODISCARD struct bgp_table *bgp_table_new(enum family family, uint64_t seed);
struct bgp_table *bgp_table_free(struct bgp_table *t); /* takes NULL, returns NULL */

/** BGP_SLOT_NONE when it is not there. */
uint32_t bgp_table_find(const struct bgp_table *t, const struct prefix *p);
/** Add a prefix that is not there yet. */
uint32_t bgp_table_add(struct bgp_table *t, const struct prefix *p, uint32_t value);
void bgp_table_del(struct bgp_table *t, uint32_t slot);

uint32_t bgp_table_value(const struct bgp_table *t, uint32_t slot);
void bgp_table_set(struct bgp_table *t, uint32_t slot, uint32_t value);
struct prefix bgp_table_prefix(const struct bgp_table *t, uint32_t slot);

/** Entries. */
size_t bgp_table_len(const struct bgp_table *t);
/** Slots ever used: slot numbers are below it. */
uint32_t bgp_table_slots(const struct bgp_table *t);

/** One entry in the form of the wire: the length, and as many bytes as it needs. */
struct bgp_entry {
	uint32_t value;
	uint8_t len;
	const uint8_t *bytes; /* until the next addition */
};
/** False for a slot that is empty. */
bool bgp_table_entry(const struct bgp_table *t, uint32_t slot, struct bgp_entry *out);

#endif
