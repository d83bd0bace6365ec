/**
 * Files that hold a secret.
 */
#ifndef APP_SECRET_FILE_H
#define APP_SECRET_FILE_H

#include "base/err.h"

/** The first line of a file, without its end; what does not fit is not read. An empty one is an error. */
NODISCARD int secret_file_read(const char *path, char *out, size_t cap, struct err *e);

#endif
