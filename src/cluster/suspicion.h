/**
 * How long a member stays suspected before it is declared dead. The wait starts long and shrinks
 * with each further member that says the same, down to a minimum (the SWIM paper's Lifeguard
 * extension). Pure arithmetic.
 */
#ifndef CLUSTER_SUSPICION_H
#define CLUSTER_SUSPICION_H

#include "base/time.h"
#include "cluster/wire.h"

#define SUSPICION_CONFIRMATIONS_MAX \
	6 /* of the largest preset: multiplier 6, less 2, and one to spare */

struct suspicion {
	struct mono start;
	struct dur min;
	struct dur max;
	unsigned wanted; /* confirmations that bring it to the minimum */
	unsigned confirmed;
	struct mono at; /* when it ends */
	char from[SUSPICION_CONFIRMATIONS_MAX + 1]
		 [WIRE_NAME_MAX + 1]; /* the accuser, then the others */
};

/** @n: members known, of any state. @mult, @max_mult: the preset's. */
void suspicion_start(struct suspicion *s, const char *from, size_t n, unsigned mult,
		     unsigned max_mult, struct dur probe_interval, struct mono now);

/** Somebody says the same. True when that was news; s->at may be nearer then, or past. */
bool suspicion_confirm(struct suspicion *s, const char *from);

#endif
