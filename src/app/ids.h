/**
 * Small numbers for node names: what the packet thread's succession lists and its set of live nodes use.
 *
 * A name keeps its number while somebody holds it: each table that names it (until the packet thread has let go
 * of that), and the node itself while it lives. When all numbers are given out, one that nobody holds goes to a
 * new name; until then a node that comes back has the number that it had.
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

/**
 * The number of @name, given out now if it has none; -ERR_LIMIT when all are held by others. The next call may
 * give it away again: hold it first.
 */
NODISCARD int node_ids_of(struct node_ids *ids, const char *name, uint16_t *out);
/** False when it has none: no table names it. */
NODISCARD bool node_ids_find(const struct node_ids *ids, const char *name, uint16_t *out);
const char *node_ids_name(const struct node_ids *ids, uint16_t id);

/** A table names it; counted. */
void node_ids_hold(struct node_ids *ids, uint16_t id);
void node_ids_release(struct node_ids *ids, uint16_t id);
/** Its node lives; not counted. */
void node_ids_set_living(struct node_ids *ids, uint16_t id, bool living);
bool node_ids_is_living(const struct node_ids *ids, uint16_t id);

#endif
