/**
 * libcurl, loaded when somebody needs it first: its functions are as its header (net/curl.h) has them, once this has
 * been asked. base/library.h says why.
 */
#ifndef NET_LIBCURL_H
#define NET_LIBCURL_H

#include "base/err.h"

/** Before any of its functions; may be repeated. 0 or -ERR_SYSTEM. */
NODISCARD int libcurl_load(struct err *e);

#endif
