#include "kube/backoff.h"

void kube_backoff_init(struct kube_backoff *b, struct dur first, struct dur most, uint64_t seed)
{
	*b = (struct kube_backoff){ .first = first, .most = most };
	rng_seed(&b->rng, seed);
}

struct dur kube_backoff_next(struct kube_backoff *b)
{
	int64_t full = b->first.ns;

	for (unsigned i = 0; i < b->failures && full < b->most.ns; i++)
		full *= 2;
	full = MIN(full, b->most.ns);
	b->failures++;
	return DUR_NS(rng_between(&b->rng, full / 2, full));
}

void kube_backoff_reset(struct kube_backoff *b)
{
	b->failures = 0;
}
