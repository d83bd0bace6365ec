/**
 * What `crier plan` shows: a configuration's addresses and announcements on made-up nodes, by the
 * code that the daemon runs. Health checks pass everywhere.
 */
#ifndef PLAN_REPORT_H
#define PLAN_REPORT_H

#include <jansson.h>

#include "config/cfg.h"

struct plan_report_options {
	const char *const *nodes; /* the live members; none: the configuration's own node */
	size_t n_nodes;
	bool losers;	/* say of each node that merely lost a ranking that it is silent */
	bool brief;	/* no silence for want of an address, or in a mode that nobody asked for */
	bool reference; /* without our deviations from MetalLB */
};

/**
 * {"allocations", "unallocated", "announcements", "silent"} as the contract has them: services in
 * the order of the file, then Layer 2 before BGP, then nodes by name. A new reference.
 */
NODISCARD json_t *plan_report(const struct cfg *c, const struct plan_report_options *options);

/** A community as text: "64512:100", "64512:1:2". */
#define COMMUNITY_TEXT_MAX 36
const char *community_text(uint32_t community, char buf[static COMMUNITY_TEXT_MAX]);
const char *large_community_text(const struct large_community *community,
				 char buf[static COMMUNITY_TEXT_MAX]);

#endif
