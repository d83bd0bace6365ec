/**
 * Which of our keys another member understands. Members of MetalLB before and since 0.14.2 make
 * keys of different length out of one secret, and know but one; we know both, and speak to each
 * address as it speaks to us. Whom we have not heard yet is tried with one after the other. Pure.
 */
#ifndef CLUSTER_KEYS_H
#define CLUSTER_KEYS_H

#include "base/addr.h"
#include "base/mem.h"

#define KEYS_ADDRESSES_MAX 4096 /* what is beyond is spoken to with the first key */

struct keys {
	struct keys_entry {
		struct addr addr;
		uint8_t key;
		bool heard;
	} * v;
	size_t n, cap;
};

void keys_fini(struct keys *k);

/** The key to seal with for an address: its place in the ring. */
uint8_t keys_for(const struct keys *k, const struct addr *addr);
/** Something from there was opened with this key. */
void keys_heard(struct keys *k, const struct addr *addr, uint8_t key);
/** A stream that was sealed with keys_for() got no answer; @n keys are in the ring. */
void keys_failed(struct keys *k, const struct addr *addr, uint8_t n);

#endif
