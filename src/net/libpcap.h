/**
 * libpcap, loaded when somebody needs it first: its functions are as its header has them, once this has been asked.
 * base/library.h says why.
 */
#ifndef NET_LIBPCAP_H
#define NET_LIBPCAP_H

#include <pcap/pcap.h>

#include "base/err.h"

/** Before any of its functions, from any thread; may be repeated. 0 or -ERR_SYSTEM. */
NODISCARD int libpcap_load(struct err *e);

#endif
