/**
 * A peer's last messages as a capture that Wireshark reads (pcapng, draft-ietf-opsawg-pcapng): what was on the TCP
 * connection, each message in one packet with headers made up around it.
 */
#ifndef CLI_PCAPNG_H
#define CLI_PCAPNG_H

#include <jansson.h>

#include "base/err.h"

/** @data: the answer of `get peers NAME messages`. */
NODISCARD int pcapng_save(const char *path, const json_t *data, struct err *e);

#endif
