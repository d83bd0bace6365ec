/**
 * Files that are read or replaced whole. Calls wait for the disk.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/** Append all of a file to @out. -ERR_SYSTEM (errno kept), or -ERR_LIMIT beyond @max bytes. */
NODISCARD int file_read(const char *path, size_t max, struct buf *out, struct err *e);

/** The same from a descriptor, which stays open; @name is for messages. */
NODISCARD int file_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *e);

/**
 * Put a new file in the place of an old one. Whoever reads it, also after a loss of power, finds the
 * one or the other; when this returns 0 the new one is on the disk.
 * @mode: of the new file
 * -ERR_STATE where something stands that is no file, such as a device.
 */
NODISCARD int file_replace(const char *path, const void *bytes, size_t len, mode_t mode,
			   struct err *e);

#endif
