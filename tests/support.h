/**
 * What several unit tests share: cmocka with its needed headers, table-driven cases, hex, random seeds.
 */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

/**
 * Run one cmocka test per row of a table. Each row starts with `const char *name`.
 * Returns cmocka's number of failures.
 */
#define RUN_TABLE(group, rows, fn) \
	run_table((group), (rows), ARRAY_LEN(rows), sizeof((rows)[0]), (fn))
int run_table(const char *group, const void *rows, size_t n, size_t row_size,
	      void (*fn)(void **state));

/** Decode hex text; fails the test on bad text; returns the number of bytes. */
size_t unhex(const char *hex, uint8_t *out, size_t cap);

/** Read a whole file; fails the test when it can't. Free with free(). */
char *read_file(const char *path, size_t *len);

/** The seed of this run: TEST_SEED of the environment, else random; printed, so that a failure can be repeated. */
uint64_t test_seed(void);

#endif
