/**
 * Where the daemon keeps things: given on the command line, else named by the service manager, else the usual place.
 */
#ifndef APP_FOLDER_H
#define APP_FOLDER_H

#include "base/err.h"

/** The path, to be freed. @given may be NULL. */
NODISCARD char *folder_runtime(const char *given); /* $RUNTIME_DIRECTORY, /run/crier */
NODISCARD char *folder_state(const char *given);   /* $STATE_DIRECTORY, /var/lib/crier */

/** Make it unless it is there. */
NODISCARD int folder_make(const char *path, struct err *e);

#endif
