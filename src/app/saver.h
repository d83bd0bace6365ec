/**
 * Writes the table of allocations to its file on a thread of its own: thousands of entries take longer to write than a
 * keepalive may be late, and the disk may take any time. One write at a time; what changes meanwhile is in the next.
 */
#ifndef APP_SAVER_H
#define APP_SAVER_H

#include "alloc/table.h"
#include "base/loop.h"

struct saver;

/** @path is borrowed as long as the saver lives. */
NODISCARD int saver_new(struct loop *l, const char *path, struct saver **out, struct err *e);
/** Waits until all is written. Takes NULL, returns NULL. */
struct saver *saver_free(struct saver *s);

/** Write what the table says now (it is copied); a failure is logged. */
void saver_save(struct saver *s, const struct alloc_table *t);

#endif
