/**
 * The keeper: a process of its own, in its own session, that holds nothing but the end of a socket
 * whose other end is the daemon's. When that closes without a word (kill -9), it takes away what
 * the record names; when heartbeats stop coming it does the same, and goes on listening. A page that
 * both share tells of a stop sooner: a thread of the daemon's that is never busy for long writes the
 * time there.
 *
 * It ignores the signals that end a daemon: a supervisor that ends the whole group must not end it
 * first.
 */
#ifndef VIP_KEEPER_H
#define VIP_KEEPER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/time.h"

struct vip_keeper {
	int fd; /* the daemon's end; -1: no keeper */
	pid_t pid;
};

/** Shared between the daemon and its keeper. */
struct vip_pulse {
	_Atomic int64_t at_ns;	  /* when the daemon was awake last */
	_Atomic int64_t limit_ns; /* asleep for so long it counts as stopped; 0: nobody looks */
	_Atomic uint32_t swept;	  /* times that the keeper has taken addresses away */
};

/** NULL: no memory for it. */
NODISCARD struct vip_pulse *vip_pulse_new(void);
struct vip_pulse *vip_pulse_free(struct vip_pulse *p); /* takes NULL, returns NULL */

/**
 * Fork it.
 * @path, @instance: of the record that it acts on
 * @stalled:	     the longest silence between heartbeats
 * @pulse:	     outlives the keeper's stop
 */
NODISCARD int vip_keeper_start(struct vip_keeper *k, const char *path, const char *instance,
			       struct dur stalled, struct vip_pulse *pulse, struct err *e);

/** Say that the daemon lives; false when the keeper does not. */
NODISCARD bool vip_keeper_beat(struct vip_keeper *k);

/** Tell it to go without doing anything, and wait for that. */
void vip_keeper_stop(struct vip_keeper *k);

#endif
