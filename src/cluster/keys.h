/**
 * Which of our keys another member understands. Members of MetalLB before and since 0.14.2 make
 * keys of different length out of one secret, and know but one; we know both, and speak to each
 * address as it speaks to us. Whom we have not heard yet is tried with one after the other. Pure.
 *
 * When the secret changes while we run, its keys come in front of those before. Who was spoken to with
 * one of these still is, but for one stream: if the other side has the new secret too, its answer shows
 * that, and our stream shows it to the other side. So of each two members the one that gets the new
 * secret later brings both over to it, and in between nobody is lost.
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
		bool untried; /* with the keys that came last */
	} * v;
	size_t n, cap;
	uint8_t n_new; /* keys that came last, in front of others; 0: there was no change */
};

void keys_fini(struct keys *k);

/** The key to seal with for an address: its place in the ring. */
uint8_t keys_for(const struct keys *k, const struct addr *addr);
/** The key for a stream to there. */
uint8_t keys_for_stream(struct keys *k, const struct addr *addr);
/** @n new keys stand in the ring in front of as many that were the new ones before. */
void keys_renewed(struct keys *k, uint8_t n);
/** Something from there was opened with this key. */
void keys_heard(struct keys *k, const struct addr *addr, uint8_t key);
/** A stream that was sealed with keys_for() got no answer; @n keys are in the ring. */
void keys_failed(struct keys *k, const struct addr *addr, uint8_t n);

#endif
