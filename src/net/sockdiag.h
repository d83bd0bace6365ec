/**
 * Socket diagnosis: ending TCP connections of this host. Waits for the kernel: for a thread that may.
 */
#ifndef NET_SOCKDIAG_H
#define NET_SOCKDIAG_H

#include "base/addr.h"

/**
 * End every TCP connection whose end here has the address @local, also those of sockets for both families. The
 * other end is told by a reset, if the address is still on a link. Listening sockets stay.
 * Returns how many; 0 also where the kernel cannot do it (CONFIG_INET_DIAG_DESTROY).
 */
size_t sockdiag_end_tcp(const struct addr *local);

#endif
