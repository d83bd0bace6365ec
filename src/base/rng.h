/**
 * A seeded generator for jitter and shuffles (xoshiro256**): tests hand in a seed and see the same run again.
 * Secrets and nonces come from rng_secure() instead.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
/** Uniform in [0, bound); 0 for bound 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);
/** Uniform in [lo, hi]. */
int64_t rng_between(struct rng *r, int64_t lo, int64_t hi);

/** Unpredictable bytes of the kernel; aborts when there are none. */
void rng_secure(void *out, size_t n);

#endif
