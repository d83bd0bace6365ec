/**
 * The core of a health check: probes come in, a verdict comes out. A service is healthy after `rise` good
 * probes in a row and unhealthy after `fall` bad ones; before the first verdict it is not healthy. No I/O, no clock.
 */
#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

struct health_verdict {
	uint32_t rise, fall; /* at least 1 */
	bool healthy;
	uint32_t good, bad; /* in a row */
};

/** Take one probe's result; true when the verdict changed. */
bool health_verdict_take(struct health_verdict *v, bool good);

#endif
