/**
 * The table of standalone allocations {service, addresses, sharing-key, epoch, node}: kept on disk
 * and replicated between the members, so that all of them give a service the same addresses. One
 * text form for both: JSON.
 *
 * Merging takes the entry of the higher epoch, then of the lower node name; it may be done in any
 * order, any number of times, and ends in the same table everywhere. An entry without addresses
 * says that the service is gone (a tombstone): what an absent member still remembers cannot bring
 * it back.
 *
 * Tombstones don't stay for ever. A table has a floor: no entry of that epoch or a lower one is in
 * it, or gets in. Raised, the floor buries all below it for good, in each table that it is merged
 * into; what is to stay must have been written anew before. So nothing that was forgotten returns,
 * and merging is as indifferent to order as before: the higher floor, and of what is above it the
 * better entries.
 *
 * An entry remembers what its service had before and when it gave that back, for `allocation:
 * {rest, sticky}`.
 */
#ifndef ALLOC_TABLE_H
#define ALLOC_TABLE_H

#include <jansson.h>

#include "alloc/alloc.h"
#include "base/map.h"

/* Bounds of what another member may make us keep. */
#define ALLOC_ENTRY_MAX	      16    /* addresses of one; services with more chose them by hand */
#define ALLOC_TABLE_MAX	      65536 /* entries */
#define ALLOC_TOMBSTONES_MAX  16384 /* of them; what is more is forgotten */
#define ALLOC_TOMBSTONE_AGE_S (30 * 24 * 3600) /* and what is older */
#define ALLOC_NAME_MAX	      253 /* bytes of the name of a service or a node, and of a sharing key */

#define ALLOC_EPOCH_MAX	      (1LL << 53)	    /* what every reader of JSON can count to */
#define ALLOC_FLOOR_MAX	      (ALLOC_EPOCH_MAX - 1) /* above it something can still be written */

struct alloc_entry {
	const char *service;
	const struct addr *addresses;
	size_t n;		 /* 0: a tombstone */
	const char *sharing_key; /* under which others may have them too; NULL: nobody */
	uint64_t epoch;
	const char *node; /* who allocated */

	/* What it had until then and has no more, and when it left that: in seconds since 1970. */
	const struct addr *past;
	size_t n_past;
	int64_t left_s; /* 0: nobody knows, and there is no past */
};

struct alloc_table;

NODISCARD struct alloc_table *alloc_table_new(void);
struct alloc_table *alloc_table_free(struct alloc_table *t);
void alloc_table_freep(struct alloc_table **t);

const struct alloc_entry *alloc_table_find(const struct alloc_table *t, const char *service);
/** Walk, in no order that matters; start with *at = 0. */
const struct alloc_entry *alloc_table_next(const struct alloc_table *t, size_t *at);
size_t alloc_table_len(const struct alloc_table *t);
/** The highest epoch that was ever in it; 0: none was. */
uint64_t alloc_table_epoch(const struct alloc_table *t);
uint64_t alloc_table_floor(const struct alloc_table *t);
/** Forget all entries up to that epoch. Returns 1 when the floor was lower, else 0. */
int alloc_table_raise(struct alloc_table *t, uint64_t floor);

/** Seconds since 1970, for those who write into it and ask what rests; it isn't part of it. */
void alloc_table_set_time(struct alloc_table *t, int64_t now_s);
int64_t alloc_table_time(const struct alloc_table *t);

/**
 * Merge one entry in; its texts and addresses are copied.
 * Returns 1 when the table is another now, 0 when it said so or better or has forgotten it,
 * -ERR_LIMIT when it would grow too large.
 */
int alloc_table_put(struct alloc_table *t, const struct alloc_entry *e);
/**
 * Merge a whole table; 1 when anything is different now, else 0. What would be too much is left
 * out.
 */
int alloc_table_merge(struct alloc_table *t, const struct alloc_table *from);
bool alloc_table_eq(const struct alloc_table *a, const struct alloc_table *b);

/**
 * {"version": 1, "entries": [{"floor"}, {"service", "addresses", "sharing-key", "epoch", "node",
 * "past", "left"}]}, sorted by service, without what is not set; a new reference.
 */
NODISCARD json_t *alloc_table_encode(const struct alloc_table *t);
/** Only what is of a higher epoch, and the floor. */
NODISCARD json_t *alloc_table_encode_since(const struct alloc_table *t, uint64_t epoch);
/** All of it or an error: half a table is no table. */
NODISCARD int alloc_table_decode(const json_t *json, struct alloc_table **out, struct err *e);
/** The same from bytes of a file or of the wire. */
NODISCARD int alloc_table_parse(const void *text, size_t len, struct alloc_table **out,
				struct err *e);

#endif
