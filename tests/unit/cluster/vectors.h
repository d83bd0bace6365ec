/**
 * Captured packets of tests/vectors/gossip as bytes.
 */
#ifndef TESTS_CLUSTER_VECTORS_H
#define TESTS_CLUSTER_VECTORS_H

#include <stdio.h>

#include "base/bytes.h"
#include "support.h"

#define VECTOR_MAX 1024

struct vector {
	uint8_t bytes[VECTOR_MAX];
	size_t len;
};

static inline struct rd vector_load(const char *name, struct vector *v)
{
	char path[512];

	snprintf(path, sizeof(path), TEST_VECTORS "/gossip/%s.hex", name);
	char *hex = read_file(path, NULL);
	v->len = unhex(hex, v->bytes, sizeof(v->bytes));
	free(hex);
	return rd_from(v->bytes, v->len);
}

static inline void assert_bytes(struct rd got, struct rd want)
{
	assert_int_equal(got.left, want.left);
	assert_memory_equal(got.p, want.p, want.left);
}

#endif
