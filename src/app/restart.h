/**
 * Graceful restart (RFC 4724), seen from the daemon: was there one before us a moment ago, whose routes the peers keep,
 * and when do we know all that it announced?
 *
 * A small file tells the next daemon that we ran, on which boot of the host, and whether somebody announced by hand. Its time
 * is that of our last sign of life.
 */
#ifndef APP_RESTART_H
#define APP_RESTART_H

#include "app/sessions.h"

struct restart;

/** @path: of the file; read now. */
NODISCARD int restart_new(struct loop *loop, const char *path, struct bgp_speaker *bgp,
			  struct restart **out, struct err *e);
struct restart *restart_free(struct restart *r); /* takes NULL, returns NULL */

/** A configuration comes into force; before its peers do. */
void restart_configure(struct restart *r, const struct cfg *c);
/** All that is there was seen and planned, but for health checks that have not had their time. */
void restart_viewed(struct restart *r);
/** We leave, and come back: the last sign of life. */
void restart_leaving(struct restart *r);

#endif
