/**
 * What is different between two answers of plan_report(): what a change of the configuration would
 * do, in terms of addresses, of nodes and of routes.
 */
#ifndef PLAN_COMPARE_H
#define PLAN_COMPARE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/mem.h"

/**
 * {"addresses": [{"service", "change", "from", "to", "reason"}],
 *  "layer2":    [{"service", "address", "change", "from", "to", "reason", "detail"}],
 *  "bgp":       [{"prefix", "node", "peer", "services", "change", "from", "to", "reason",
 *                 "detail"}]}
 *
 * "change" is "added", "removed" or "changed", and, for a service that is new and gets no address,
 * "waiting". "from" and "to" are objects, absent where there is nothing: {"pool", "addresses"} of a
 * service; {"node", "interfaces"} of the owner of an address; what is said about a route
 * ("local-pref", "communities", …). A route is one for all services behind it. "reason" and
 * "detail" tell, where it is known, why nothing is there any more: why no address could be given,
 * or a word as in "silent", or "otherAddress".
 *
 * In the order of @before, then that of @after. A new reference.
 */
NODISCARD json_t *plan_compare(const json_t *before, const json_t *after);

/** Is there no difference at all? */
bool plan_compare_is_same(const json_t *differences);

#endif
