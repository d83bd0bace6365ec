/**
 * For tests that need links of their own: a network namespace that dies with the process. Where
 * making one is not allowed the test is skipped.
 */
#ifndef TESTS_NETNS_H
#define TESTS_NETNS_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support.h"

/** Move this process into a fresh network namespace; false (and says why) when it may not. */
static inline bool netns_enter(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return true;
	perror("skipped: a network namespace needs root");
	return false;
}

/** Run a command of iproute2's; the test fails when it fails. */
static inline void PRINTF_LIKE(1, 2) netns_run(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (system(line) != 0) /* NOLINT(cert-env33-c): a fixed text of the test's */
		fail_msg("failed: %s", line);
}

#endif
