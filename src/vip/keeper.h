/**
 * The keeper: a process of its own, in its own session, that holds nothing but the end of a socket
 * whose other end is the daemon's. When that closes without a word (kill -9), it takes away what
 * the record names. It does the same, and goes on, when the daemon gives no sign of life: its threads
 * write the time into a page that both share, and the keeper looks there when the last time it saw
 * would be too old by now. So at rest hardly anybody wakes.
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

/** A thread's sign of life. */
struct vip_sign {
	_Atomic int64_t at_ns;	  /* when it was awake last; 0: it does not say yet */
	_Atomic int64_t limit_ns; /* asleep for so long it counts as stopped; 0: nobody looks */
};

/** Shared between the daemon and its keeper. */
struct vip_pulse {
	struct vip_sign loop;	 /* of the thread that decides, and may be busy */
	struct vip_sign packets; /* of one that is never busy for long: tells of a stop sooner */
	_Atomic uint32_t swept;	 /* times that the keeper has taken addresses away */
};

/** NULL: no memory for it. */
NODISCARD struct vip_pulse *vip_pulse_new(void);
struct vip_pulse *vip_pulse_free(struct vip_pulse *p); /* takes NULL, returns NULL */

/**
 * Fork it.
 * @path, @instance: of the record that it acts on
 * @pulse:	     outlives the keeper's stop
 *
 * It never says anything: when there is something to read from its socket, it has died.
 */
NODISCARD int vip_keeper_start(struct vip_keeper *k, const char *path, const char *instance,
			       struct vip_pulse *pulse, struct err *e);

/** A limit has changed: it may be asleep for longer than that. */
void vip_keeper_rouse(const struct vip_keeper *k);

/** It has died; nothing is left of it. */
void vip_keeper_bury(struct vip_keeper *k);

/** Tell it to go without doing anything, and wait for that. */
void vip_keeper_stop(struct vip_keeper *k);

#endif
