/**
 * How soon the scheduler runs a thread that has something to do.
 */
#ifndef APP_PRIORITY_H
#define APP_PRIORITY_H

#include <stdbool.h>

#include "base/err.h"

enum priority {
	PRIORITY_NORMAL,
	PRIORITY_PROMPT, /* in short slices, so that it begins sooner, and nice where permitted */
	PRIORITY_REAL_TIME, /* before all that is not */
};

/**
 * Let this process set real-time priorities later, when it has no privilege any more. False when
 * neither the host's limit (RLIMIT_RTPRIO) permits it, nor the limit can be raised.
 */
bool priority_permit(void);

/** Give the calling thread the best that is permitted, real time only if it is @wanted. */
enum priority priority_take(bool wanted);

/** "real-time", "prompt", "normal". */
const char *priority_name(enum priority p);

#endif
