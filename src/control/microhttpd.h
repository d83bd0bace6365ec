/**
 * libmicrohttpd, loaded when somebody needs it first: its functions are as its header has them, once this has been
 * asked. base/library.h says why.
 */
#ifndef CONTROL_MICROHTTPD_H
#define CONTROL_MICROHTTPD_H

#include <microhttpd.h>

#include "base/err.h"

/** Before any of its functions; may be repeated. 0 or -ERR_SYSTEM. */
NODISCARD int microhttpd_load(struct err *e);

#endif
