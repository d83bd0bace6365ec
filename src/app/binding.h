/**
 * Which service addresses stand on links of this host: those that it owns by Layer 2, on the link of their
 * network; those that it announces by BGP, on lo. What each service's `bind` asks for, for every address once.
 */
#ifndef APP_BINDING_H
#define APP_BINDING_H

#include "app/layer2.h"
#include "plan/plan.h"

struct binding;

/** @state_path: the record of bound addresses. Cleans up what an earlier daemon left, and starts the keeper. */
NODISCARD int binding_new(struct loop *l, struct net_links *links, const struct layer2 *layer2,
			  const char *state_path, struct binding **out, struct err *e);
/** Removes every address that it added. */
struct binding *binding_free(struct binding *b);

/** A service's decision has changed; NULL: the service is gone. */
void binding_service(struct binding *b, const struct world *w, const char *service,
		     const struct plan *plan);

/** A former owner goes on forwarding for so long. */
void binding_linger(struct binding *b, struct dur linger);
/** End TCP connections of an address that leaves this host. */
void binding_end_connections(struct binding *b, bool wanted);

/** See vip_pulse() and vip_pulse_limit(). */
NODISCARD _Atomic int64_t *binding_pulse(struct binding *b);
void binding_pulse_limit(struct binding *b, struct dur limit);

/** Layer 2 took or lost an address. */
void binding_owner(struct binding *b, const struct addr *addr, bool owned);

/** It will be owned in a moment, and has to be in its place by then; or that is over. */
void binding_prepare(struct binding *b, const struct addr *addr, bool prepare);
/** It may be owned in a moment, and is put in its place for that; forgotten after a second. */
void binding_expect(struct binding *b, const struct addr *addr);
/** Nothing is under way with it any more. */
bool binding_is_settled(const struct binding *b, const struct addr *addr);

/** On which link an address stands, or why on none; both "" when it is not wanted here. */
struct binding_state {
	const char *link;
	const char *problem;
};
struct binding_state binding_state(const struct binding *b, const struct addr *addr);

/** Is it this daemon that has put the address on a link? */
bool binding_has(const struct binding *b, const struct addr *addr);

/** Why a Layer 2 address would find no link here (@link: a named one, or NULL); NULL when it would. */
const char *binding_impossible(const struct binding *b, const struct addr *addr, const char *link);

#endif
