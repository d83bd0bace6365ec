/**
 * The table of standalone allocations {service, addresses, sharing-key, epoch, node}: kept on disk
 * and replicated between the members, so that all of them give a service the same addresses. One
 * text form for both: JSON.
 *
 * Merging takes the entry of the higher epoch, then of the lower node name; it may be done in any
 * order, any number of times, and ends in the same table everywhere. An entry without addresses
 * says that the service is gone (a tombstone): what an absent member still remembers cannot bring
 * it back.
 */
#ifndef ALLOC_TABLE_H
#define ALLOC_TABLE_H

#include <jansson.h>

#include "alloc/alloc.h"
#include "base/map.h"

/* Bounds of what another member may make us keep. */
#define ALLOC_TABLE_MAX 65536 /* entries */
#define ALLOC_NAME_MAX	253   /* bytes of the name of a service or a node, and of a sharing key */

#define ALLOC_EPOCH_MAX (1LL << 53) /* what every reader of JSON can count to */

struct alloc_entry {
	const char *service;
	const struct addr *addresses;
	size_t n;		 /* 0: a tombstone */
	const char *sharing_key; /* under which others may have them too; NULL: nobody */
	uint64_t epoch;
	const char *node; /* who allocated */
};

struct alloc_table;

NODISCARD struct alloc_table *alloc_table_new(void);
struct alloc_table *alloc_table_free(struct alloc_table *t);
void alloc_table_freep(struct alloc_table **t);

const struct alloc_entry *alloc_table_find(const struct alloc_table *t, const char *service);
/** Walk, in no order that matters; start with *at = 0. */
const struct alloc_entry *alloc_table_next(const struct alloc_table *t, size_t *at);
size_t alloc_table_len(const struct alloc_table *t);
/** The highest epoch in it; 0 when empty. */
uint64_t alloc_table_epoch(const struct alloc_table *t);

/**
 * Merge one entry in; its texts and addresses are copied.
 * Returns 1 when the table is another now, 0 when it said so or better, -ERR_LIMIT when it would
 * grow too large.
 */
int alloc_table_put(struct alloc_table *t, const struct alloc_entry *e);
/**
 * Merge a whole table; 1 when anything is different now, else 0. What would be too much is left
 * out.
 */
int alloc_table_merge(struct alloc_table *t, const struct alloc_table *from);
bool alloc_table_eq(const struct alloc_table *a, const struct alloc_table *b);

/**
 * {"version": 1, "entries": [{"service", "addresses", "sharing-key", "epoch", "node"}]}, sorted by
 * service, without a key where there is none; a new reference.
 */
NODISCARD json_t *alloc_table_encode(const struct alloc_table *t);
/** All of it or an error: half a table is no table. */
NODISCARD int alloc_table_decode(const json_t *json, struct alloc_table **out, struct err *e);
/** The same from bytes of a file or of the wire. */
NODISCARD int alloc_table_parse(const void *text, size_t len, struct alloc_table **out,
				struct err *e);

#endif
