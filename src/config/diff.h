/**
 * What differs between two configurations, by object: what a reload touches, and what `crier
 * reload` prints.
 */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include <jansson.h>

#include "base/err.h"
#include "config/cfg.h"

/** Equal in every field that matters to a session (name included, selectors not). */
bool cfg_peer_eq(const struct cfg_peer *a, const struct cfg_peer *b);
/** Equal in every field. */
bool cfg_peer_same(const struct cfg_peer *a, const struct cfg_peer *b);
bool cfg_bfd_profile_eq(const struct cfg_bfd_profile *a, const struct cfg_bfd_profile *b);

/**
 * {"added": ["peers/tor-1", …], "removed": […], "changed": [{"object": "pools/default",
 * "fields": […], "needs-restart": bool}]}, a new reference. An object that needs a restart can't
 * take the change in place: a peer's session is closed and opened, a section waits for the daemon's
 * next start. Secrets are named, never shown.
 */
NODISCARD json_t *cfg_diff(const struct cfg *from, const struct cfg *to);

/**
 * -ERR_STATE when @to has no pools, or no services, or no networks, and @from had some: a file that was cut short or
 * never filled is valid, but nobody means it.
 */
NODISCARD int cfg_check_emptied(const struct cfg *from, const struct cfg *to, struct err *e);

#endif
