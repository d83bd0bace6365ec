/**
 * The event loop: libev waits for descriptors, timers stand in our own heap that arms one absolute
 * CLOCK_MONOTONIC timerfd. One loop belongs to one thread; only loop_wake_signal() may be called from another.
 *
 * loop_now() is read once per wake-up, and everything that is due then runs with that one instant.
 * loop_new_virtual() gives the same timers with a clock that moves only when a test calls loop_advance().
 *
 * Watchers are embedded in their owners and must be stopped before the owner is freed. Stopping twice,
 * stopping what never ran, and stopping from inside the callback are all fine.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/err.h"
#include "base/time.h"

struct loop;

NODISCARD int loop_new(struct loop **out, struct err *e);
NODISCARD struct loop *loop_new_virtual(void);
struct loop *loop_free(struct loop *l); /* takes NULL, returns NULL; no watcher may be running */
void loop_freep(struct loop **l);

/** Run until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/** The instant of this wake-up. */
struct mono loop_now(const struct loop *l);

/** Virtual loops: move the clock by @d, running each timer at its own instant, in order, and all tasks. */
void loop_advance(struct loop *l, struct dur d);

/* Timers: one shot; a periodic one sets itself again. */
struct loop_timer {
	void (*fire)(struct loop_timer *t, struct mono now);
	struct loop *loop;
	struct mono at;
	size_t slot; /* place in the heap + 1; 0 when not set */
	struct mono soonest;
	struct loop_timer *next_patient; /* of those whose soonest is before their at */
};

void loop_timer_init(struct loop_timer *t, struct loop *l,
		     void (*fire)(struct loop_timer *, struct mono));
/** Set or move; MONO_NEVER stops. A time in the past fires in this turn or the next, never inside the call. */
void loop_timer_set(struct loop_timer *t, struct mono at);
/**
 * The same, but one that need not wake anybody of its own: in the first turn from @soonest on that something else
 * causes, or else at @at. For few timers: each turn looks at all that were set so.
 */
void loop_timer_set_within(struct loop_timer *t, struct mono soonest, struct mono at);
void loop_timer_stop(struct loop_timer *t);
static inline bool loop_timer_active(const struct loop_timer *t)
{
	return t->slot != 0;
}

/* Descriptors. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_io {
	void (*ready)(struct loop_io *io, unsigned events);
	struct loop *loop;
	int fd;
	void *watcher; /* of libev; NULL when not watched */
	unsigned events;
};

void loop_io_init(struct loop_io *io, struct loop *l, void (*ready)(struct loop_io *, unsigned));
/** Watch @fd for @events (a set of LOOP_READ, LOOP_WRITE); 0 stops watching. */
void loop_io_watch(struct loop_io *io, int fd, unsigned events);
void loop_io_stop(struct loop_io *io); /* does not close the descriptor */

/* Signals, delivered in the loop. */
struct loop_signal {
	void (*caught)(struct loop_signal *s, int signo);
	struct loop *loop;
	void *watcher;
};

void loop_signal_init(struct loop_signal *s, struct loop *l,
		      void (*caught)(struct loop_signal *, int));
void loop_signal_start(struct loop_signal *s, int signo);
void loop_signal_stop(struct loop_signal *s);

/* A task runs once, after this turn's events and before the loop sleeps: here changes are coalesced. */
struct loop_task {
	void (*run)(struct loop_task *t);
	struct loop *loop;
	struct loop_task *next;
	bool queued;
};

void loop_task_init(struct loop_task *t, struct loop *l, void (*run)(struct loop_task *));
void loop_task_queue(
	struct loop_task *t); /* idempotent until it runs; may be called by a running task */
void loop_task_cancel(struct loop_task *t);

/* Another thread says that there is something to look at (an eventfd). Signals coalesce. */
struct loop_wake {
	void (*woken)(struct loop_wake *w);
	struct loop_io io;
	int fd;
};

NODISCARD int loop_wake_init(struct loop_wake *w, struct loop *l, void (*woken)(struct loop_wake *),
			     struct err *e);
void loop_wake_signal(struct loop_wake *w); /* any thread */
void loop_wake_fini(struct loop_wake *w);

#endif
