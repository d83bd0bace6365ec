/** A key ring for tests of what is sealed. */
#ifndef TESTS_UNIT_CLUSTER_RING_H
#define TESTS_UNIT_CLUSTER_RING_H

#include "cluster/crypt.h"
#include "support.h"

/** One key, all of whose bytes are @fill. */
static inline struct crypt_ring one_key(uint8_t fill)
{
	struct crypt_ring ring = { 0 };
	uint8_t key[32];

	memset(key, fill, sizeof(key));
	assert_int_equal(crypt_ring_add(&ring, key, sizeof(key)), 0);
	return ring;
}

#endif
