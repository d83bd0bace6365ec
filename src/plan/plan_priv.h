/**
 * What the files of this room share: a service as all tests see it, and a decision in the making.
 */
#ifndef PLAN_PLAN_PRIV_H
#define PLAN_PLAN_PRIV_H

#include "plan/plan.h"
#include "plan/reason.h"

/** A service with its pool. */
struct subject {
	const struct world *w;
	const struct cfg *cfg;
	const struct world_service *s;
	const struct cfg_pool *pool; /* NULL: its addresses are outside every pool */
};

/**
 * A decision in the making. The same tests make a plan and, when @trace is on, the explanation: the
 * two cannot differ.
 */
struct draft {
	struct arena *a;       /* what stays */
	struct arena *scratch; /* what the tests need meanwhile */
	struct subject sub;
	const char *node_name;
	const struct world_node *node; /* NULL: nobody knows it */

	enum cfg_protocol mode;	     /* of the tests that run now */
	const struct cfg_peer *peer; /* that they are about, or NULL */

	struct plan_silence *silent;
	size_t n_silent, cap_silent;
	struct plan_bgp *bgp;
	size_t n_bgp, cap_bgp;
	const struct plan_l2 *l2;
	size_t n_l2;
	bool owner;

	bool trace;
	struct plan_condition *conditions;
	size_t n_conditions, cap_conditions;
};

/**
 * One test. When it fails, @reason is why the node is silent in the present mode, and the text the
 * detail.
 * @value: what was found, for people
 * Returns @ok.
 */
bool draft_test(struct draft *d, const char *name, bool ok, const char *reason, const char *value,
		...) PRINTF_LIKE(5, 6);

/** What to add where nothing selects the node: that there is no Node object, or "". */
const char *draft_no_object(const struct draft *d);

/** Find the pool of the service's addresses; NULL, or the reason why no node may announce them. */
const char *subject_init(struct subject *sub, const struct world *w, const struct world_service *s);
/**
 * May addresses of this service be announced in that mode at all (outside pools its protocol says)?
 */
bool subject_speaks(const struct subject *sub, enum cfg_protocol mode);
/** "pool default", or "addresses outside every pool". */
const char *subject_where(const struct subject *sub, struct arena *a);
/**
 * Does an advertisement with these selectors let that node speak? The service's own selectors count
 * too.
 */
bool subject_selects(const struct subject *sub, const struct selectors *of_adv,
		     const struct world_node *node);
/** A Kubernetes service, and a node that no Node object stands behind: it is selected by nobody. */
bool subject_lacks_object(const struct subject *sub, const struct world_node *node);
/** Does a label keep the node from announcing? */
bool subject_excludes(const struct subject *sub, const struct world_node *node);
/** Why it is served nowhere, for people. */
const char *subject_unserved(const struct subject *sub, struct arena *a);
/**
 * Must it be served on the very node that announces it? Of standalone services each node checks its
 * own.
 */
bool subject_is_local(const struct subject *sub);

/** Walk the advertisements for the subject's addresses, whatever they select. */
const struct cfg_l2_adv *layer2_next_adv(const struct subject *sub, size_t *at);
const struct cfg_bgp_adv *bgp_next_adv(const struct subject *sub, size_t *at);

/** A growing array moves into an arena. */
void *arena_settle(struct arena *a, void *v, size_t n, size_t size);

/* The tests of one mode, and what follows from them. */
void layer2_decide(struct draft *d);
void bgp_decide(struct draft *d);

/** The services that share addresses with this one, itself first, directly or through others. */
const struct world_service **group_of(const struct world *w, const struct world_service *s,
				      struct arena *a, size_t *n);

#endif
