/**
 * Giving up every privilege that is not needed: what stays is what raw sockets, addresses on links, and low
 * ports ask for.
 */
#ifndef APP_PRIVILEGE_H
#define APP_PRIVILEGE_H

#include "base/err.h"

/**
 * Keep CAP_NET_RAW, CAP_NET_ADMIN and CAP_NET_BIND_SERVICE, drop the rest from every set.
 * Fails with a text that names what is missing and how to grant it.
 */
NODISCARD int privilege_drop(struct err *e);

#endif
