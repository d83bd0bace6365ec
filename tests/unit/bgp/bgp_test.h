/**
 * What the tests of this room share: vectors from files, and prefixes from text.
 */
#ifndef TESTS_BGP_TEST_H
#define TESTS_BGP_TEST_H

#include <string.h>

#include "base/addr.h"
#include "support.h"

/** Read tests/vectors/bgp/@name; lines that begin with # are remarks. Returns the number of bytes. */
static inline size_t vector_load(const char *name, uint8_t *out, size_t cap)
{
	char *path = mem_printf("%s/bgp/%s", TEST_VECTORS, name);
	size_t size;
	char *text = read_file(path, &size);

	for (char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line == '#')
			memset(line, ' ', strcspn(line, "\n"));
	}
	size_t len = unhex(text, out, cap);
	free(text);
	free(path);
	return len;
}

/** Fail unless @len bytes at @got are those of the vector. */
static inline void vector_is(const char *name, const uint8_t *got, size_t len)
{
	uint8_t want[4096];
	size_t n = vector_load(name, want, sizeof(want));

	assert_int_equal(len, n);
	assert_memory_equal(got, want, n);
}

static inline struct prefix pfx(const char *text)
{
	struct prefix p = { 0 };

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static inline struct addr ip(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

#endif
