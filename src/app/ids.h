/**
 * Small numbers for node names: what the packet thread's succession lists and its set of live nodes use. A name
 * keeps its number as long as the process lives.
 */
#ifndef APP_IDS_H
#define APP_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

enum { NODE_IDS_MAX = 4096 };

struct node_ids;

NODISCARD struct node_ids *node_ids_new(void);
struct node_ids *node_ids_free(struct node_ids *ids);

/** The number of @name, given out now if it is new; -ERR_LIMIT when NODE_IDS_MAX names have one. */
NODISCARD int node_ids_of(struct node_ids *ids, const char *name, uint16_t *out);
const char *node_ids_name(const struct node_ids *ids, uint16_t id);

#endif
