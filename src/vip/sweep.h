/**
 * Taking away what a daemon has left: by its record, and by the mark that the kernel keeps. For the
 * keeper, for the next start, and for a person.
 */
#ifndef VIP_SWEEP_H
#define VIP_SWEEP_H

#include "vip/record.h"

/**
 * Remove from this host's links what the record at @path names and is ours. The caller holds the
 * WORK lock.
 * @instance: do nothing when another run wrote the record; NULL: whoever
 * @removed:  how many; may be NULL
 * Returns 0, or the first failure after having tried all.
 */
NODISCARD int vip_sweep(const char *path, const char *instance, size_t *removed, struct err *e);

#endif
