/**
 * What `crier plan` shows: addresses and announcements of a made-up world (plan/offline.h), by the
 * code that the daemon runs.
 */
#ifndef PLAN_REPORT_H
#define PLAN_REPORT_H

#include <jansson.h>

#include "plan/offline.h"

struct plan_report_options {
	bool all;   /* also nodes that merely lost a ranking, and services that are not ours */
	bool brief; /* no silence for want of an address, or in a mode that nobody asked for */
};

/**
 * {"allocations", "unallocated", "announcements", "silent"} as the contract has them: services in
 * the order of the world (standalone ones, then those of Kubernetes, each as the files have them),
 * then Layer 2 before BGP, then live nodes by name. A new reference.
 */
NODISCARD json_t *plan_report(const struct offline *o, const struct plan_report_options *options);

/** A community as text: "64512:100", "64512:1:2". */
#define PLAN_COMMUNITY_MAX 36
const char *community_text(uint32_t community, char buf[static PLAN_COMMUNITY_MAX]);
const char *large_community_text(const struct large_community *community,
				 char buf[static PLAN_COMMUNITY_MAX]);

#endif
