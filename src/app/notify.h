/**
 * A word to the service manager (sd_notify(3)'s protocol): ready, reloading, stopping, and a line of status.
 * Nothing happens when no manager listens.
 */
#ifndef APP_NOTIFY_H
#define APP_NOTIFY_H

#include "base/mem.h"

/** @state is one or several VARIABLE=value lines: "READY=1\nSTATUS=…". */
void notify_manager(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
