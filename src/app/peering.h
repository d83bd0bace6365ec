/**
 * What the speaker is told of a peer: the configuration's words in the speaker's, with the secrets that stand in files.
 */
#ifndef APP_PEERING_H
#define APP_PEERING_H

#include "bgp/speaker.h"
#include "config/cfg.h"
#include "net/tcp_ao.h"

struct peering {
	struct bgp_peer_conf conf; /* points to the peer and to what follows */
	char password[128];
	struct tcp_ao_key ao[CFG_AO_KEYS_MAX];
};

/** Borrows @p. Wipe @out after use, also after a failure. */
NODISCARD int peering_make(const struct cfg_peer *p, struct peering *out, struct err *e);
void peering_wipe(struct peering *p);
/** The link that a link-local or unnumbered peer is on, or NULL. */
const char *peering_zone(const struct cfg_peer *p);

#endif
