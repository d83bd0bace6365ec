/**
 * The bytes behind a path: a file, standard input, or the files of a folder.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/** Nothing that is longer is read. */
#define SOURCE_MAX ((size_t)64 * 1024 * 1024)

/** Read a file, or standard input for "-", whole. */
NODISCARD int source_read(const char *path, struct buf *out, struct err *e);

bool source_is_folder(const char *path);

/**
 * The files *.yaml, *.yml and *.json of a folder, sorted by name; free with source_names_free().
 */
NODISCARD int source_folder(const char *path, char ***names, size_t *n, struct err *e);
void source_names_free(char **names, size_t n);

#endif
