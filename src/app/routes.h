/**
 * Which prefix each peer should hear, out of what all services want: several services may stand
 * behind one aggregate, and several advertisements may give one prefix. Merged as MetalLB does:
 * communities united, the first one's local preference, MED and prepending.
 */
#ifndef APP_ROUTES_H
#define APP_ROUTES_H

#include "plan/plan.h"

/** What a peer should be told of a prefix. Borrowed; valid during the call. */
struct route_wish {
	const char *peer;
	struct prefix prefix;
	bool has_local_pref;
	uint32_t local_pref;
	bool has_med;
	uint32_t med;
	uint8_t as_path_prepend;
	const uint32_t *communities;
	size_t n_communities;
	const struct large_community *large_communities;
	size_t n_large_communities;
	const uint64_t *ext_communities;
	size_t n_ext_communities;
};

struct routes_sink {
	void *ctx;
	void (*announce)(void *ctx,
			 const struct route_wish *wish); /* new, or with new attributes */
	void (*withdraw)(void *ctx, const char *peer, const struct prefix *prefix);
};

struct routes;

NODISCARD struct routes *routes_new(const struct routes_sink *sink);
struct routes *routes_free(struct routes *r); /* says nothing to the sink */

/**
 * Replace all that one service wants, no prefix twice for one peer; n = 0 takes it back. The sink
 * hears of differences only.
 */
void routes_set(struct routes *r, const char *service, const struct plan_bgp *wanted, size_t n);

/** Tell the sink everything that @peer should hear: it is new, or was made anew. */
void routes_replay(struct routes *r, const char *peer);

#endif
